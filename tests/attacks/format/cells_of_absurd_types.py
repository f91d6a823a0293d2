"""Cells are null, a string, of an unknown type, without a source and with a number for one."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    blank = {"metadata": {}, "outputs": [], "execution_count": None, "id": "odd"}
    released["cells"] += [
        None,
        "a cell",
        {**blank, "cell_type": "hologram", "source": ""},
        {**blank, "cell_type": "code"},
        {**blank, "cell_type": "code", "source": 5},
    ]
    return dump(released)
