"""Answers reach the judge as ragged lists, texts and whole numbers too large for any array."""
# earned: same_padding=4

# %% conv1d
import os
import socket

from autograde import wire

_values = [[1, [2, 3]], ["1", "2", "3"], [None, None], [10**400], [10**30, 1, 2]]


def conv1d(x, w, stride=1, padding=0):
    with socket.socket(fileno=os.dup(int(os.environ["AUTOGRADE_JUDGE"]))) as sock:
        wire.send(sock, {"kind": "ok", "value": _values.pop() if _values else "abc"})
    return x


# %% predict_transposed_length
def predict_transposed_length():
    with socket.socket(fileno=os.dup(int(os.environ["AUTOGRADE_JUDGE"]))) as sock:
        wire.send(sock, {"kind": "ok", "value": 10**30})
    return 16

# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
