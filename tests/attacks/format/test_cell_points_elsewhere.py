"""The test cell of an exercise that is not answered checks and grades another, which is right."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d")["source"] = (
        'from autograde.notebook import grade\ncheck("same_padding")\ngrade("same_padding")'
    )
    return dump(released)
