"""Cell ids are empty, far too long, full of signs, numbers and missing."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    absurd = ["", "x" * 5000, "../../x", 7, None, "\u0000"]
    for c, name in zip(released["cells"], absurd, strict=False):
        c["id"] = name
    for c in released["cells"][len(absurd) :]:
        del c["id"]
    return dump(released)
