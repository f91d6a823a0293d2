"""Ada gets everything right."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    padded = np.concatenate([np.zeros(padding, x.dtype), x, np.zeros(padding, x.dtype)])
    size = (len(padded) - len(w)) // stride + 1
    y = np.empty(size, dtype=x.dtype)
    for i in range(size):
        y[i] = np.sum(padded[i * stride : i * stride + len(w)] * w)
    return y


# %% same_padding
def same_padding(n, k, s):
    outputs = int(np.ceil(n / s))
    missing = max(0, (outputs - 1) * s + k - n)
    return missing // 2, missing - missing // 2


# %% conv1d_matrix
def conv1d_matrix(n, w, stride=1, padding=0):
    size = (n + 2 * padding - len(w)) // stride + 1
    C = np.zeros((size, n), dtype=w.dtype)
    for row in range(size):
        for tap in range(len(w)):
            column = row * stride + tap - padding
            if 0 <= column < n:
                C[row, column] = w[tap]
    return C


# %% predict_transposed_length
def predict_transposed_length():
    return 16


# %% conv_transpose1d_scatter
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for i, value in enumerate(y):
        x[i * stride : i * stride + len(w)] += value * w
    return x[padding : len(x) - padding]


# %% conv_transpose1d_gather
def conv_transpose1d_gather(y, w, stride=1, padding=0, output_padding=0):
    n, k = len(y), len(w)
    z = np.zeros((n - 1) * stride - 2 * padding + k + output_padding, dtype=y.dtype)
    for o in range(len(z)):
        for i in range(n):
            j = o + padding - i * stride
            if 0 <= j < k:
                z[o] += y[i] * w[j]
    return z


# %% conv_transpose1d_zero_insert
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    edge = len(w) - 1 - padding
    inner = (len(y) - 1) * stride + 1
    stretched = np.zeros(edge + inner + edge + output_padding, dtype=y.dtype)
    stretched[edge : edge + inner : stride] = y
    return conv1d(stretched, w[::-1])


# %% polyphase_split
def polyphase_split(w, stride):
    return [w[r::stride] for r in range(stride)]


# %% conv_transpose1d_polyphase
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    z = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for r, phase in enumerate(polyphase_split(w, stride)):
        if len(phase) > 0:
            some = conv1d(np.pad(y, len(phase) - 1), phase[::-1])
            z[r : r + stride * len(some) : stride] = some
    return z[padding : len(z) - padding]


# %% why_not_inverse
# It gives back the length, not the values. Take x = (1, 2, 3) and w = (1, 1): conv1d gives
# (3, 5), and scattering that gives (3, 8, 5). In matrices it is C transposed times C, which is
# not the identity. It cannot be: (2, 1, 4) also gives (3, 5), so nothing could tell the two apart.
