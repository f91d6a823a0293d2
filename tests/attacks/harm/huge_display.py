"""One display holds 300 MB of HTML."""
# earned: same_padding=4

# %% conv1d
from IPython.display import display

display({"text/html": "<b>" + "b" * 300_000_000, "text/plain": "b"}, raw=True)


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
