"""Grade_ids are missing, null, a number and a list."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d_matrix")["metadata"]["nbgrader"]["grade_id"] = None
    cell(released, "conv1d")["metadata"]["nbgrader"]["grade_id"] = 5
    cell(released, "predict_transposed_length")["metadata"]["nbgrader"]["grade_id"] = ["x"]
    del cell(released, "conv_transpose1d_scatter")["metadata"]["nbgrader"]["grade_id"]
    return dump(released)
