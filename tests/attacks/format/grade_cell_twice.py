"""A test cell stands there twice, under one and the same grade_id."""
# earned: same_padding=4

import copy

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    again = copy.deepcopy(cell(released, "same_padding"))
    released["cells"].append({**again, "id": "again"})
    return dump(released)
