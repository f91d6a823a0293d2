"""The metadata are six million empty lists, each of which has to be checked."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"]["lists"] = "here"
    return dump(released).replace(b'"here"', b"[" + b"[]," * 6_000_000 + b"[]]")
