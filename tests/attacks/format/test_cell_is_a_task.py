"""A test cell says that it is a task, a kind of cell that this notebook does not have."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    marks = cell(released, "conv1d")["metadata"]["nbgrader"]
    marks.update(task=True, grade=False, solution=False)
    return dump(released)
