"""The cell asks for input that nobody will give, also straight from descriptor 0."""
# earned: same_padding=4

# %% conv1d
import os

os.read(0, 1)


def conv1d(x, w, stride=1, padding=0):
    return input("your name? ")


try:
    input("password? ")
except Exception:
    pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
