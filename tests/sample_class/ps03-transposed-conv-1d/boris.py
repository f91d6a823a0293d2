"""Boris gets everything right, in other ways than the book's."""

# %% conv1d
from numpy.lib.stride_tricks import sliding_window_view


def conv1d(x, w, stride=1, padding=0):
    windows = sliding_window_view(np.pad(x, padding), len(w))[::stride]
    return np.einsum("ij,j->i", windows, w)


# %% same_padding
def same_padding(n, k, s):
    # by trying: how much padding gives ceil(n / s) windows, with as few zeros as possible?
    total = 0
    while n + total < k or (n + total - k) // s + 1 < -(-n // s):
        total += 1
    return [total // 2, (total + 1) // 2]


# %% conv1d_matrix
def conv1d_matrix(n, w, stride=1, padding=0):
    columns = [np.correlate(np.pad(e, padding), w, "valid")[::stride] for e in np.eye(n)]
    return np.stack(columns, axis=1).astype(w.dtype)


# %% predict_transposed_length
def predict_transposed_length():
    return (5 - 1) * 3 - 2 * 1 + 4 + 2


# %% conv_transpose1d_scatter
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    # every output asks which inputs reach it
    print("collecting")
    n, k = len(y), len(w)
    size = (n - 1) * stride - 2 * padding + k + output_padding
    x = []
    for j in range(padding, padding + size):
        x.append(sum(y[i] * w[j - i * stride] for i in range(n) if 0 <= j - i * stride < k))
    return np.array(x, dtype=y.dtype)


# %% conv_transpose1d_gather
def conv_transpose1d_gather(y, w, stride=1, padding=0, output_padding=0):
    # which tap does output o see input i through? -1 for none
    size = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    o, i = np.indices((size, len(y)))
    tap = o + padding - i * stride
    tap[tap >= len(w)] = -1
    return np.append(w, w.dtype.type(0))[np.maximum(tap, -1)] @ y


# %% conv_transpose1d_zero_insert
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    stretched = np.kron(y, np.eye(1, stride)[0])[: (len(y) - 1) * stride + 1]
    stretched = np.append(stretched, np.zeros(output_padding))
    x = conv1d(stretched.astype(y.dtype), np.flip(w), padding=len(w) - 1)
    return x[padding : len(x) - padding]


# %% polyphase_split
def polyphase_split(w, stride):
    phases = []
    for r in range(stride):
        phases.append(np.array([tap for j, tap in enumerate(w) if j % stride == r], w.dtype))
    return phases


# %% conv_transpose1d_polyphase
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    # equal phases, filled up with zeros, interleaved by a transpose
    m = -(-len(w) // stride)
    phases = np.append(w, np.zeros(m * stride - len(w), w.dtype)).reshape(m, stride).T
    x = np.array([conv1d(y, p[::-1], padding=m - 1) for p in phases]).T.ravel()
    x = np.append(x, np.zeros(stride, x.dtype))
    return x[padding : (len(y) - 1) * stride + len(w) + output_padding - padding]


# %% why_not_inverse
# The friend gets an array of the right length with other numbers in it. With x = (1, 1, 1) and
# w = (1, 2) we have y = (3, 3) and scattering gives (3, 9, 6). Two numbers cannot remember three.
