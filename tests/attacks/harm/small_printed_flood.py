"""The cell prints ten million short lines, flushing each."""
# earned: same_padding=4

# %% conv1d
for _ in range(10_000_000):
    print("y", flush=True)


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
