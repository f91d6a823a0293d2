"""The notebook has twenty thousand cells more than it was released with, all of them to be run."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    more = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    released["cells"] += [{**more, "id": f"more-{i}", "source": "1"} for i in range(20_000)]
    return dump(released)
