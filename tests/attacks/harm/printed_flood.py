"""The cell prints for as long as it is let, up to 1 GB."""
# earned: same_padding=4

# %% conv1d
for _ in range(1000):
    print("x" * 1_000_000)


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
