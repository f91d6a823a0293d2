"""A test cell says that it is also an answer, so that its points would be given by hand."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    marks = cell(released, "conv1d")["metadata"]["nbgrader"]
    marks["solution"], marks["locked"] = True, False
    return dump(released)
