"""The open answer is a megabyte of formulas that never end, for whoever makes a page of it."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    cell(released, "why_not_inverse")["source"] = r"\begin{a}" * 110_000
    return dump(released)
