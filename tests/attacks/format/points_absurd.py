"""Points are negative, a word, a list and not a number."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    absurd = {"conv1d": -5, "conv1d_matrix": "many", "conv_transpose1d_scatter": [5]}
    absurd["predict_transposed_length"] = float("nan")
    for name, points in absurd.items():
        cell(released, name)["metadata"]["nbgrader"]["points"] = points
    return dump(released)
