"""The test cell of an exercise that is not answered has been turned into Markdown."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    test = cell(released, "conv1d")
    test["cell_type"] = "markdown"
    del test["outputs"], test["execution_count"]
    return dump(released)
