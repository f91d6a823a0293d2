"""The test cells of a right answer and of a missing one have exchanged their grade_ids."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    one, other = cell(released, "conv1d"), cell(released, "same_padding")
    one["metadata"]["nbgrader"]["grade_id"] = "same_padding"
    other["metadata"]["nbgrader"]["grade_id"] = "conv1d"
    return dump(released)
