"""The cell with an unfinished answer has been turned into Markdown, so nothing defines the name."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    mine = cell(released, "conv1d-answer")
    mine["cell_type"] = "markdown"
    del mine["outputs"], mine["execution_count"]
    return dump(released)
