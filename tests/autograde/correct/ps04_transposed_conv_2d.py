"""Right answers to problem set 4, each written in a way of its own, as learners write them."""

import numpy as np
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view


def _pair(value):
    return (value, value) if np.ndim(value) == 0 else tuple(value)


# -- predict_matrix_entries ----------------------------------------------------------------


def predict_number():
    return 100


def predict_by_axes():
    return (3 * 4 - 2) ** 2


def predict_by_windows():
    corners, edges, middle = 4 * 4, 8 * 6, 4 * 9
    return np.int64(corners + edges + middle)


# -- conv2d_matrix -------------------------------------------------------------------------


def matrix_by_units(h, w, kernel, stride=1, padding=0):
    """Convolve every image with a single 1; a list of lists, as the older matrix class."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    columns = []
    for at in range(h * w):
        image = np.zeros(h * w, kernel.dtype)
        image[at] = 1
        image = np.pad(image.reshape(h, w), ((ph, ph), (pw, pw)))
        windows = sliding_window_view(image, kernel.shape)[::sh, ::sw]
        columns.append(np.einsum("abuv,uv->ab", windows, kernel).ravel())
    return scipy.sparse.lil_matrix(np.array(columns).T)


def matrix_by_blocks(h, w, kernel, stride=1, padding=0):
    """Add up Kronecker products: where the window's row lies, times a matrix of one axis."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)

    def line(n, k, s, p, tap):
        rows = (n + 2 * p - k) // s + 1
        at = np.arange(rows) * s + tap - p
        there = (at >= 0) & (at < n)
        ones = np.ones(there.sum(), kernel.dtype)
        return scipy.sparse.coo_array((ones, (np.flatnonzero(there), at[there])), shape=(rows, n))

    total = 0
    for (u, v), tap in np.ndenumerate(kernel):
        down = line(h, kernel.shape[0], sh, ph, u)
        total = total + tap * scipy.sparse.kron(down, line(w, kernel.shape[1], sw, pw, v))
    return total


def matrix_by_slices(h, w, kernel, stride=1, padding=0):
    """Lay the kernel into an empty padded image, cut the padding off, and store the image."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    kh, kw = kernel.shape
    rows = []
    for i in range(0, h + 2 * ph - kh + 1, sh):
        for j in range(0, w + 2 * pw - kw + 1, sw):
            padded = np.zeros((h + 2 * ph, w + 2 * pw), kernel.dtype)
            padded[i : i + kh, j : j + kw] = kernel
            rows.append(padded[ph : ph + h, pw : pw + w].ravel())
    return scipy.sparse.csc_array(np.stack(rows))


def matrix_by_numbers(h, w, kernel, stride=1, padding=0):
    """Slide a window over the pixels' numbers; -1 stands for the padding."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    numbers = np.pad(np.arange(h * w).reshape(h, w), ((ph, ph), (pw, pw)), constant_values=-1)
    windows = sliding_window_view(numbers, kernel.shape)[::sh, ::sw].reshape(-1, kernel.size)
    rows = np.repeat(np.arange(len(windows)), kernel.size)
    values = np.tile(kernel.ravel(), len(windows))
    there = windows.ravel() >= 0
    places = (rows[there], windows.ravel()[there])
    return scipy.sparse.coo_matrix((values[there], places), shape=(len(windows), h * w))


# -- conv_transpose2d_by_matrix ------------------------------------------------------------


def by_own_matrix(y, kernel, out_hw, stride=1, padding=0):
    c = matrix_by_numbers(*out_hw, kernel, stride, padding)
    return np.asarray(c.transpose().dot(y.flatten())).reshape(*out_hw)


def by_row_vector(y, kernel, out_hw, stride=1, padding=0):
    return (y.reshape(1, -1) @ matrix_by_slices(*out_hw, kernel, stride, padding)).reshape(out_hw)


def by_dense_matrix(y, kernel, out_hw, stride=1, padding=0):
    c = matrix_by_units(*out_hw, kernel, stride, padding).toarray()
    return np.reshape(np.matmul(c.T, np.reshape(y, -1)), tuple(out_hw))


def by_scattering(y, kernel, out_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    full = np.zeros((out_hw[0] + 2 * ph, out_hw[1] + 2 * pw), y.dtype)
    for (i, j), value in np.ndenumerate(y):
        window = full[i * sh : i * sh + kernel.shape[0], j * sw : j * sw + kernel.shape[1]]
        window += value * kernel
    return full[ph : ph + out_hw[0], pw : pw + out_hw[1]]  # a view


# -- conv_transpose2d ----------------------------------------------------------------------


def _sensible(x, w, bias, stride, padding, output_padding, groups, dilation):
    if groups < 1 or len(w) != x.shape[1] or x.shape[1] % groups:
        raise ValueError("channels")
    if bias is not None and len(bias) != groups * w.shape[1]:
        raise ValueError("bias")
    for s, p, extra, d in zip(stride, padding, output_padding, dilation, strict=True):
        if s < 1 or d < 1 or p < 0 or not 0 <= extra < max(s, d):
            raise ValueError("settings")


def whole_loops(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    s, p, extra, d = map(_pair, (stride, padding, output_padding, dilation))
    _sensible(x, w, bias, s, p, extra, groups, d)
    size = [
        (x.shape[2 + a] - 1) * s[a] - 2 * p[a] + d[a] * (w.shape[2 + a] - 1) + 1 + extra[a]
        for a in (0, 1)
    ]
    if min(size) < 1:
        raise ValueError("nothing left")
    each, m = x.shape[1] // groups, w.shape[1]
    z = np.zeros((len(x), groups * m, *size), x.dtype)
    if bias is not None:
        z += bias.reshape(1, -1, 1, 1)  # once for each place, and the sums come on top
    for c in range(x.shape[1]):
        outputs = slice(c // each * m, c // each * m + m)
        for i, j in np.ndindex(x.shape[2:]):
            for u, v in np.ndindex(w.shape[2:]):
                row, column = i * s[0] + u * d[0] - p[0], j * s[1] + v * d[1] - p[1]
                if 0 <= row < size[0] and 0 <= column < size[1]:
                    z[:, outputs, row, column] += np.outer(x[:, c, i, j], w[c, :, u, v])
    return z


def whole_zero_insertion(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Stretch the images and the kernel, and slide the turned kernel over windows."""
    (sh, sw), p, (oh, ow), (dh, dw) = map(_pair, (stride, padding, output_padding, dilation))
    _sensible(x, w, bias, (sh, sw), p, (oh, ow), groups, (dh, dw))
    n, c, h, wide = x.shape
    kernel = np.zeros((*w.shape[:2], (w.shape[2] - 1) * dh + 1, (w.shape[3] - 1) * dw + 1), w.dtype)
    kernel[:, :, ::dh, ::dw] = w
    kh, kw = kernel.shape[2:]
    stretched = np.zeros((n, c, (h - 1) * sh + 1, (wide - 1) * sw + 1), x.dtype)
    stretched[:, :, ::sh, ::sw] = x
    stretched = np.pad(stretched, ((0, 0), (0, 0), (kh - 1, kh - 1 + oh), (kw - 1, kw - 1 + ow)))
    windows = sliding_window_view(stretched, (kh, kw), axis=(2, 3))
    parts = [
        np.einsum("nchwuv,couv->nohw", xs, ks[:, :, ::-1, ::-1])
        for xs, ks in zip(
            np.split(windows, groups, axis=1), np.split(kernel, groups, axis=0), strict=True
        )
    ]
    full = np.concatenate(parts, axis=1)
    z = full[:, :, p[0] : full.shape[2] - p[0], p[1] : full.shape[3] - p[1]]
    if not z.size or full.shape[2] < 2 * p[0] or full.shape[3] < 2 * p[1]:
        raise ValueError("nothing left")
    return z if bias is None else z + bias[None, :, None, None]


def whole_by_matrices(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """One matrix for each axis and tap: rows of the result times rows of the image."""
    s, p, extra, d = map(_pair, (stride, padding, output_padding, dilation))
    _sensible(x, w, bias, s, p, extra, groups, d)

    def line(axis, tap):
        n, k = x.shape[2 + axis], w.shape[2 + axis]
        size = (n - 1) * s[axis] - 2 * p[axis] + d[axis] * (k - 1) + 1 + extra[axis]
        if size < 1:
            raise ValueError("nothing left")
        at = np.arange(n) * s[axis] + tap * d[axis] - p[axis]
        return (np.arange(size)[:, None] == at).astype(x.dtype)

    each = x.shape[1] // groups
    z = []
    for o in range(groups * w.shape[1]):
        g, inner = divmod(o, w.shape[1])
        total = 0 if bias is None else bias[o]
        for c in range(g * each, (g + 1) * each):
            for u, v in np.ndindex(w.shape[2:]):
                total = total + w[c, inner, u, v] * (line(0, u) @ x[:, c] @ line(1, v).T)
        z.append(total)
    return np.stack(z, axis=1)


# -- conv2d_backward_input -----------------------------------------------------------------


def input_by_whole(grad_output, w, input_hw, stride=1, padding=0):
    """It is a transposed convolution: the output padding is what the windows left over."""
    s, p = _pair(stride), _pair(padding)
    n, k = grad_output.shape[2:], w.shape[2:]
    extra = [input_hw[a] - ((n[a] - 1) * s[a] - 2 * p[a] + k[a]) for a in (0, 1)]
    return whole_loops(grad_output, w, None, stride, padding, extra)


def input_by_windows(grad_output, w, input_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    kh, kw = w.shape[2:]
    shape = (len(grad_output), w.shape[1], input_hw[0] + 2 * ph, input_hw[1] + 2 * pw)
    padded = np.zeros(shape, grad_output.dtype)
    for i, j in np.ndindex(grad_output.shape[2:]):
        sent = np.tensordot(grad_output[:, :, i, j], w, axes=1)
        padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += sent
    return padded[:, :, ph:, pw:][:, :, : input_hw[0], : input_hw[1]]  # a view


def input_by_matrix(grad_output, w, input_hw, stride=1, padding=0):
    z = np.zeros((len(grad_output), w.shape[1], *input_hw), grad_output.dtype)
    for o, c in np.ndindex(w.shape[:2]):
        matrix = matrix_by_numbers(*input_hw, w[o, c], stride, padding)
        for image, grad in zip(z, grad_output, strict=True):
            image[c] += (matrix.T @ grad[o].ravel()).reshape(input_hw)
    return z


# -- conv2d_backward_weight ----------------------------------------------------------------


def weight_by_windows(x, grad_output, kernel_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = sliding_window_view(x, tuple(kernel_hw), axis=(2, 3))[:, :, ::sh, ::sw]
    return np.einsum("nohw,nchwuv->ocuv", grad_output, windows)


def weight_output_by_output(x, grad_output, kernel_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    grad = np.zeros((grad_output.shape[1], x.shape[1], *kernel_hw), x.dtype)
    for n, o, i, j in np.ndindex(grad_output.shape):
        rows = slice(i * sh, i * sh + kernel_hw[0])
        grad[o] += grad_output[n, o, i, j] * x[n, :, rows, j * sw : j * sw + kernel_hw[1]]
    return grad


def weight_by_dilated_gradient(x, grad_output, kernel_hw, stride=1, padding=0):
    """Spread the gradient out by the stride and slide it over the images as a kernel."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, o, h, w = grad_output.shape
    spread = np.zeros((n, o, (h - 1) * sh + 1, (w - 1) * sw + 1), x.dtype)
    spread[:, :, ::sh, ::sw] = grad_output
    windows = sliding_window_view(x, spread.shape[2:], axis=(2, 3))
    grad = np.einsum("nouv,nchwuv->ochw", spread, windows)
    return grad[:, :, : kernel_hw[0], : kernel_hw[1]]  # a view


ANSWERS = {
    "predict_matrix_entries": (predict_number, predict_by_axes, predict_by_windows),
    "conv2d_matrix": (matrix_by_units, matrix_by_blocks, matrix_by_slices, matrix_by_numbers),
    "conv_transpose2d_by_matrix": (
        by_own_matrix,
        by_row_vector,
        by_dense_matrix,
        by_scattering,
    ),
    "conv_transpose2d": (whole_loops, whole_zero_insertion, whole_by_matrices),
    "conv2d_backward_input": (input_by_whole, input_by_windows, input_by_matrix),
    "conv2d_backward_weight": (
        weight_by_windows,
        weight_output_by_output,
        weight_by_dilated_gradient,
    ),
}
