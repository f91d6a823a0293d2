"""The file breaks off in the middle, as after a failed upload."""

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    whole = dump(released)
    return whole[: len(whole) * 2 // 3]
