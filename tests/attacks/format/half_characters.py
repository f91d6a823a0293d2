"""Sources hold lone surrogates, NUL bytes, control characters and text that runs backwards."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "conv1d-answer")["source"] = "x = '\ud800'  # \x00\x1b[2J\u202e"
    released["cells"][0]["source"] = "\udfff\ud800 \x00 \x07"
    return dump(released)
