"""The notebook is 100 MB of spaces and a few cells."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    return b" " * 100_000_000 + dump(released)
