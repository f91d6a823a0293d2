"""The file is compressed."""
# earned: same_padding=4

import gzip

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    return gzip.compress(dump(released), mtime=0)
