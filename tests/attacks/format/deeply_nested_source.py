"""A cell's source is nested more deeply than the parser can go."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d-answer")["source"] = "x = " + "(" * 100_000 + ")" * 100_000
    cell(released, "conv1d_matrix-answer")["source"] = "x = " + "-" * 200_000 + "1"
    return dump(released)
