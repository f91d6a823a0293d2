"""Dalia is half finished: three exercises, the third without padding."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    return np.array([x[i : i + len(w)] @ w for i in range(0, len(x) - len(w) + 1, stride)])


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2


# %% conv1d_matrix
def conv1d_matrix(n, w, stride=1, padding=0):
    size = (n - len(w)) // stride + 1
    C = np.zeros((size, n))
    for i in range(size):
        C[i, i * stride : i * stride + len(w)] = w
    return C
