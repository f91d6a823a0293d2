"""The marks that say which cells are locked, graded and answers are turned round."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    for c in released["cells"]:
        marks = c["metadata"].get("nbgrader", {})
        for key in ("grade", "locked", "solution"):
            if key in marks:
                marks[key] = not marks[key]
    return dump(released)
