"""Three hundred cells each print almost as much as one cell may."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["cells"] += [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"output-{number}",
            "metadata": {},
            "outputs": [],
            "source": "print('x' * 900_000)",
        }
        for number in range(300)
    ]
    return dump(released)
