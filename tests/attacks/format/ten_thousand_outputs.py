"""A cell comes with ten thousand outputs and another with a 20 MB one."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    stream = {"name": "stdout", "output_type": "stream", "text": "old\n"}
    cell(released, "conv1d-answer")["outputs"] = [stream] * 10_000
    cell(released, "conv1d")["outputs"] = [{**stream, "text": "x" * 20_000_000}]
    return dump(released)
