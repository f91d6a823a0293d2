"""The cell raises an error with a chain of ten thousand causes, each of them a group."""
# earned: same_padding=4

# %% conv1d
def _chain():
    last = ValueError("first")
    for number in range(10_000):
        following = ExceptionGroup(str(number), [ValueError(number)])
        following.__cause__ = last
        last = following
    return last


raise _chain()


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
