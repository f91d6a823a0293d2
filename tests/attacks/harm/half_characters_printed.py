"""Lone surrogates, which no UTF-8 file can hold, are printed and displayed and raised."""
# earned: same_padding=4

# %% conv1d
from IPython.display import display


def conv1d(x, w, stride=1, padding=0):
    raise ValueError("\ud800\udfff\ud83d")


try:
    print("\ud800 \udc00 \ud83d")
    display({"text/plain": "\ud800"}, raw=True)
except Exception:
    pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
