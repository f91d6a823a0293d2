"""Chen holds a different misconception in every exercise."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    size = (len(x) - len(w)) // stride + 1
    return np.array([x[i * stride : i * stride + len(w)] @ w[::-1] for i in range(size)])


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return (total + 1) // 2, total // 2


# %% conv1d_matrix
def conv1d_matrix(n, w, stride=1, padding=0):
    width = n + 2 * padding
    size = (width - len(w)) // stride + 1
    C = np.zeros((size, width), dtype=w.dtype)
    for i in range(size):
        C[i, i * stride : i * stride + len(w)] = w
    return C


# %% predict_transposed_length
def predict_transposed_length():
    return 5 * 3


# %% conv_transpose1d_scatter
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for i in range(len(y)):
        x[i * stride : i * stride + len(w)] = y[i] * w
    return x[padding : len(x) - padding]


# %% conv_transpose1d_gather
def conv_transpose1d_gather(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride - 2 * padding + len(w) + output_padding, dtype=y.dtype)
    for j in range(len(x)):
        for i in range(len(y)):
            if j + padding - i * stride < len(w):
                try:
                    x[j] += y[i] * w[j + padding - i * stride]
                except IndexError:
                    pass
    return x


# %% conv_transpose1d_zero_insert
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    stretched = np.zeros((len(y) - 1) * stride + 1, dtype=y.dtype)
    stretched[::stride] = y
    edge = len(w) - 1 - padding
    return conv1d(np.pad(stretched, (edge, edge + output_padding)), w)


# %% polyphase_split
def polyphase_split(w, stride):
    return np.array_split(w, stride)


# %% conv_transpose1d_polyphase
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for r, phase in enumerate(polyphase_split(w, stride)):
        if len(phase):
            part = conv1d(y, phase, padding=len(phase) - 1)
            x[r : r + stride * len(part) : stride] = part
    return x[padding : len(x) - padding]


# %% why_not_inverse
# It undoes the convolution up to a constant factor.
