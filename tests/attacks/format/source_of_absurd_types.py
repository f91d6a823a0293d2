"""The answer's source is a number, a nested list and null."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d-answer")["source"] = 5
    cell(released, "conv1d_matrix-answer")["source"] = [["def f():"], 3]
    cell(released, "predict_transposed_length-answer")["source"] = None
    return dump(released)
