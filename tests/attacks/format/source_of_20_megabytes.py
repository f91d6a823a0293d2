"""A cell holds 20 MB of source, a single line that takes long to highlight or to tokenise."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d-answer")["source"] = "x = [" + "1," * 10_000_000 + "]"
    return dump(released)
