"""The test cell of an exercise that is not answered has been deleted."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    released["cells"].remove(cell(released, "conv1d"))
    return dump(released)
