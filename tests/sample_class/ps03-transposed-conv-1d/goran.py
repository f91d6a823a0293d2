"""Goran has a syntax error in one cell and a right answer in the next."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0)
    x = np.pad(x, padding)
    return np.array([x[i : i + len(w)] @ w for i in range(0, len(x) - len(w) + 1, stride)])


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2


# %% predict_transposed_length
def predict_transposed_length():
    return 14
