"""Right answers to problem set 9, each written in a way of its own, as learners write them."""

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view


def _pair(value):
    return (value, value) if np.ndim(value) == 0 else tuple(value)


# -- predict_column_numbers ----------------------------------------------------------------


def predict_number():
    return 144


def predict_by_windows():
    side = (8 + 2 * 1 - 3) // 2 + 1
    return 9 * side**2


def predict_as_float():
    return np.float64(9 * 16)


# -- im2col --------------------------------------------------------------------------------


def im2col_by_windows(x, kernel_size, stride=1, padding=0, dilation=1):
    """One window after another, each laid down as a column."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    tall, wide = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    columns = []
    for i in range(0, x.shape[2] - tall + 1, sh):
        for j in range(0, x.shape[3] - wide + 1, sw):
            window = x[:, :, i : i + tall : dh, j : j + wide : dw]
            columns.append(window.reshape(len(x), -1))
    return np.stack(columns, axis=-1)


def im2col_by_view(x, kernel_size, stride=1, padding=0, dilation=1):
    """NumPy's own sliding windows, thinned out."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    size = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    view = sliding_window_view(x, size, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kh * kw, -1)


def im2col_by_index(x, kernel_size, stride=1, padding=0, dilation=1):
    """Two arrays of indices, and one look-up."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    n, c, height, width = x.shape
    down = (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    across = (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    padded = np.zeros((n, c, height + 2 * ph, width + 2 * pw), x.dtype)
    padded[:, :, ph : ph + height, pw : pw + width] = x
    rows = np.repeat(np.arange(kh) * dh, kw)[:, None] + np.repeat(np.arange(down) * sh, across)
    columns = np.tile(np.arange(kw) * dw, kh)[:, None] + np.tile(np.arange(across) * sw, down)
    return padded[:, :, rows, columns].reshape(n, c * kh * kw, down * across)


def im2col_by_strides(x, kernel_size, stride=1, padding=0, dilation=1):
    """A view with six axes, made by hand."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, c, height, width = x.shape
    down = (height - dh * (kh - 1) - 1) // sh + 1
    across = (width - dw * (kw - 1) - 1) // sw + 1
    a, b, r, t = x.strides
    view = as_strided(x, (n, c, kh, kw, down, across), (a, b, r * dh, t * dw, r * sh, t * sw))
    return view.reshape(n, -1, down * across)


# -- col2im --------------------------------------------------------------------------------


def col2im_by_windows(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """One column after another, added to its window."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    tall, wide = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    height, width = output_size[0] + 2 * ph, output_size[1] + 2 * pw
    image = np.zeros((len(cols), cols.shape[1] // (kh * kw), height, width), cols.dtype)
    column = 0
    for i in range(0, height - tall + 1, sh):
        for j in range(0, width - wide + 1, sw):
            window = cols[:, :, column].reshape(*image.shape[:2], kh, kw)
            image[:, :, i : i + tall : dh, j : j + wide : dw] += window
            column += 1
    return image[:, :, ph : ph + output_size[0], pw : pw + output_size[1]]


def col2im_by_adding_at(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """Where each number goes comes from the columns of an image of pixel numbers."""
    (kh, kw), (ph, pw) = _pair(kernel_size), _pair(padding)
    height, width = output_size[0] + 2 * ph, output_size[1] + 2 * pw
    numbers = np.arange(height * width).reshape(1, 1, height, width)
    at = im2col_by_windows(numbers, kernel_size, stride, 0, dilation)[0]
    maps = cols.reshape(len(cols), -1, kh * kw, cols.shape[-1])
    image = np.zeros((*maps.shape[:2], height * width), cols.dtype)
    np.add.at(image, (slice(None), slice(None), at), maps)
    image = image.reshape(*maps.shape[:2], height, width)
    return image[:, :, ph : height - ph, pw : width - pw]


def col2im_by_matrix(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """im2col is a matrix of zeros and ones; its transpose is col2im."""
    kh, kw = _pair(kernel_size)
    pixels = output_size[0] * output_size[1]
    units = np.eye(pixels, dtype=cols.dtype).reshape(pixels, 1, *output_size)
    matrix = im2col_by_view(units, kernel_size, stride, padding, dilation).reshape(pixels, -1)
    maps = cols.reshape(len(cols), -1, kh * kw * cols.shape[-1])
    return (maps @ matrix.T).reshape(*maps.shape[:2], *output_size)


# -- conv_transpose2d_gemm -----------------------------------------------------------------


def _output_size(x, w, stride, padding, output_padding, dilation):
    settings = map(_pair, (stride, padding, output_padding, dilation))
    return [
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for n, k, s, p, e, d in zip(x.shape[2:], w.shape[2:], *settings)  # noqa: B905
    ]


def gemm_group_by_group(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """One product for each group, then one `col2im` of windows added one by one."""
    size = _output_size(x, w, stride, padding, output_padding, dilation)
    each, parts = len(w) // groups, []
    for g in range(groups):
        mine = slice(g * each, (g + 1) * each)
        pixels = x[:, mine].reshape(len(x), each, -1)
        cols = np.matmul(w[mine].reshape(each, -1).T, pixels)
        parts.append(col2im_by_windows(cols, size, w.shape[2:], stride, padding, dilation))
    z = np.concatenate(parts, axis=1)
    return z if bias is None else z + bias.reshape(1, -1, 1, 1)


def gemm_image_by_image(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Images in a loop, `tensordot` for the product, tap by tap into the full result."""
    (sh, sw), (ph, pw), (dh, dw) = map(_pair, (stride, padding, dilation))
    (out_h, out_w), (n, c, height, width) = (
        _output_size(x, w, stride, padding, output_padding, dilation),
        x.shape,
    )
    m, kh, kw = w.shape[1:]
    z = np.zeros((n, groups * m, out_h + 2 * ph, out_w + 2 * pw), x.dtype)
    for image in range(n):
        for g in range(groups):
            mine = slice(g * c // groups, (g + 1) * c // groups)
            copies = np.tensordot(w[mine], x[image, mine], axes=(0, 0))
            for u, v in np.ndindex(kh, kw):
                rows = slice(u * dh, u * dh + (height - 1) * sh + 1, sh)
                columns = slice(v * dw, v * dw + (width - 1) * sw + 1, sw)
                z[image, g * m : (g + 1) * m, rows, columns] += copies[:, u, v]
    z = z[:, :, ph : ph + out_h, pw : pw + out_w]
    return z if bias is None else z + bias[None, :, None, None]


def gemm_by_einsum(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """`einsum` finds the product; the columns go back all at once."""
    size = _output_size(x, w, stride, padding, output_padding, dilation)
    n, c, height, width = x.shape
    pixels = x.reshape(n, groups, c // groups, height, width)
    kernels = w.reshape(groups, c // groups, *w.shape[1:])
    copies = np.einsum("ngchw,gcmuv->ngmuvhw", pixels, kernels, optimize=True)
    cols = copies.reshape(n, -1, height * width)
    z = col2im_by_windows(cols, size, w.shape[2:], stride, padding, dilation)
    if bias is not None:
        z = z + bias[:, None, None]
    return z.astype(x.dtype)


ANSWERS = {
    "predict_column_numbers": [predict_number, predict_by_windows, predict_as_float],
    "im2col": [im2col_by_windows, im2col_by_view, im2col_by_index, im2col_by_strides],
    "col2im": [col2im_by_windows, col2im_by_adding_at, col2im_by_matrix],
    "conv_transpose2d_gemm": [gemm_group_by_group, gemm_image_by_image, gemm_by_einsum],
}
