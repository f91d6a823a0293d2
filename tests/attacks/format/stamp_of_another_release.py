"""The notebook says that it comes from another problem set and another release."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"]["autograde"] = {"problem_set": "../ps99", "source": "0" * 64}
    return dump(released)
