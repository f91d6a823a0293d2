"""An answer's cell stands there twice, wrong and then right, under one and the same grade_id."""
# earned: same_padding=4

import copy

from tests.attacks.bank import answer, cell, dump


def build(released):
    right = copy.deepcopy(cell(released, "same_padding-answer"))
    answer(released, "same_padding")
    place = released["cells"].index(cell(released, "same_padding-answer"))
    released["cells"].insert(place, {**right, "id": "earlier"})
    return dump(released)
