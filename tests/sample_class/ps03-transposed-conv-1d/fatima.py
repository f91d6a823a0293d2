"""Fatima's functions crash: some always, one for some inputs only."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    size = (len(x) + 2 * padding - len(w)) // stride + 1
    y = np.zeros(size)
    for i in range(size):
        for j in range(len(w)):
            y[i] += x[i * stride + j] * w[j]  # never pads: runs off the end
    return y


# %% same_padding
def same_padding(n, k, s):
    return total // 2, total - total // 2


# %% conv1d_matrix
def conv1d_matrix(n, w, stride=1, padding=0):
    rows = [np.pad(w, (i * stride, n - len(w) - i * stride)) for i in range(n - len(w) + 1)]
    return np.array(rows)


raise SystemExit("I give up")


# %% conv_transpose1d_scatter
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    return np.zeros(3) + np.zeros(4)
