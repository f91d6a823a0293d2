"""A hundred thousand displays are published, and every one is then updated."""
# earned: same_padding=4

# %% conv1d
from IPython.display import clear_output, display

for _number in range(100_000):
    display({"text/plain": "z" * 100}, raw=True, display_id=str(_number % 1000))
    display({"text/plain": "Z" * 100}, raw=True, display_id=str(_number % 1000), update=True)
    if _number % 100 == 0:
        clear_output(wait=True)


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
