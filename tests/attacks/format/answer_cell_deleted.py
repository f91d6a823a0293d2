"""The cell with an answer has been deleted; its test cell is still there."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    released["cells"].remove(cell(released, "conv1d-answer"))
    return dump(released)
