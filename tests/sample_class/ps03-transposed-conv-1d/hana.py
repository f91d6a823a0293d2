"""Hana has loops that never end: one for strides above 1 only, one that swallows errors."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    y, i = [], 0
    while i != len(x) - len(w) + 1:  # a stride of 2 may step over the end
        y.append(x[i : i + len(w)] @ w if i + len(w) <= len(x) else 0)
        i += stride
    return np.array(y, dtype=x.dtype)


# %% same_padding
def same_padding(n, k, s):
    while True:
        try:
            n / 0
        except:
            pass


# %% conv_transpose1d_scatter
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for i in range(len(y)):
        for j in range(len(w)):
            x[i * stride + j] += y[i] * w[j]
    return x[padding : len(x) - padding]


# %% polyphase_split
def polyphase_split(w, stride):
    return [w[r::stride] for r in range(stride)]


# %% conv_transpose1d_polyphase
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    # right numbers, by zero insertion: every second product is with a zero
    stretched = np.zeros((len(y) - 1) * stride + 1 + output_padding, dtype=y.dtype)
    stretched[: (len(y) - 1) * stride + 1 : stride] = y
    x = conv1d(stretched, w[::-1], padding=len(w) - 1)
    return x[padding : len(x) - padding]
