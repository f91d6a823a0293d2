"""The file holds NaN, infinities, a number of a thousand digits and the same key twice."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"]["odd"] = [float("nan"), float("inf"), 10**1000]
    return dump(released).replace(b'"odd":', b'"odd": 1, "odd":', 1)
