"""The function returns an array of 10 GB that nobody has touched."""
# earned: same_padding=4

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    return np.zeros(10 << 27)


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
