"""The file begins with a byte order mark."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    return b"\xef\xbb\xbf" + dump(released)
