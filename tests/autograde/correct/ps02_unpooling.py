"""Right answers to problem set 2, each written in a way of its own, as learners write them.

`ANSWERS` lists them by exercise. Some print, some make NumPy warn, some return views or lists:
none of that is a mistake.
"""

from functools import cache
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from autograde.quiet import silent_stderr


@cache
def tensorflow():
    with silent_stderr():
        import tensorflow as tf
    return tf


def two(value):
    return (value, value) if isinstance(value, int) else tuple(value)


# -- predict_flat_index ---------------------------------------------------------------------


def index_number():
    return 17


def index_formula():
    row, column, width = 2, 5, 6
    return row * width + column


def index_by_numpy():
    return np.ravel_multi_index((2, 5), (4, 6))


def index_by_looking():
    plane = np.zeros((4, 6))
    plane[2, 5] = 1
    return float(plane.argmax())


# -- max_pool2d_with_indices ----------------------------------------------------------------


def pool_loops(x, kernel_size, stride=None, padding=0):
    kh, kw = two(kernel_size)
    sh, sw = two(kernel_size if stride is None else stride)
    ph, pw = two(padding)
    n, c, h, w = x.shape
    rows, columns = (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
    y = np.zeros((n, c, rows, columns), x.dtype)
    where = np.zeros((n, c, rows, columns), dtype=np.int64)
    for b, ch, i, j in product(range(n), range(c), range(rows), range(columns)):
        best, place = None, -1
        for r in range(i * sh - ph, i * sh - ph + kh):
            for q in range(j * sw - pw, j * sw - pw + kw):
                if 0 <= r < h and 0 <= q < w and (best is None or x[b, ch, r, q] > best):
                    best, place = x[b, ch, r, q], r * w + q
        y[b, ch, i, j], where[b, ch, i, j] = best, place
    print("pooled", y.shape)
    return y, where


def pool_windows(x, kernel_size, stride=None, padding=0):
    k, s, p = two(kernel_size), two(stride or kernel_size), two(padding)
    w = x.shape[3]
    edges = ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1]))
    padded = np.pad(x, edges, constant_values=x.min() - 1)
    numbers = np.pad(np.arange(x[0, 0].size).reshape(x.shape[2:]), edges[2:])
    windows = sliding_window_view(padded, k, axis=(2, 3))[:, :, :: s[0], :: s[1]]
    windows = windows.reshape(*windows.shape[:4], k[0] * k[1])
    places = sliding_window_view(numbers, k)[:: s[0], :: s[1]].reshape(*windows.shape[2:])
    best = windows.argmax(-1)[..., None]
    places = np.broadcast_to(places, windows.shape)
    assert w == x.shape[-1]
    return [
        np.take_along_axis(windows, best, -1)[..., 0],
        np.take_along_axis(places, best, -1)[..., 0],
    ]


def pool_offsets(x, kernel_size, stride=None, padding=0):
    """Hold one shifted copy after the other against the best so far."""
    (kh, kw), (ph, pw) = two(kernel_size), two(padding)
    sh, sw = two(kernel_size if stride is None else stride)
    n, c, h, w = x.shape
    rows, columns = (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
    padded = np.full((n, c, h + 2 * ph, w + 2 * pw), -np.inf, x.dtype)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    i, j = np.arange(rows)[:, None], np.arange(columns)
    y = np.full((n, c, rows, columns), -np.inf, x.dtype)
    where = np.full(y.shape, -1, np.int64)
    for a in range(kh):
        for b in range(kw):
            seen = padded[:, :, i * sh + a, j * sw + b]
            better = seen > y
            y = np.where(better, seen, y)
            where = np.where(better, (i * sh + a - ph) * w + j * sw + b - pw, where)
    return y, where


def pool_by_sorting(x, kernel_size, stride=None, padding=0):
    k, s, p = (np.array(two(v)) for v in (kernel_size, stride or kernel_size, padding))
    size = (np.array(x.shape[2:]) + 2 * p - k) // s + 1
    y = np.empty((*x.shape[:2], *size), x.dtype)
    where = np.empty(y.shape, np.int64)
    for at in np.ndindex(y.shape):
        first = np.array(at[2:]) * s - p
        top, left = np.maximum(first, 0)
        end = first + k
        window = x[at[0], at[1], top : end[0], left : end[1]]
        order = np.argsort(-window, axis=None, kind="stable")
        row, column = np.unravel_index(order[0], window.shape)
        y[at], where[at] = window[row, column], (top + row) * x.shape[3] + left + column
    return y, where


def pool_strided(x, kernel_size, stride=None, padding=0):
    (kh, kw), (ph, pw) = two(kernel_size), two(padding)
    sh, sw = two(kernel_size if stride is None else stride)
    n, c, h, w = x.shape
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)], constant_values=-np.inf)
    x = np.ascontiguousarray(x)
    rows, columns = (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
    a, b, d, e = x.strides
    shape, steps = (n, c, rows, columns, kh, kw), (a, b, d * sh, e * sw, d, e)
    windows = as_strided(x, shape, steps, writeable=False)
    y = windows.max(axis=(4, 5))
    hit = (windows == y[..., None, None]).reshape(*y.shape, kh * kw).argmax(-1)
    row = hit // kw + np.arange(rows)[:, None] * sh - ph
    column = hit % kw + np.arange(columns) * sw - pw
    return y, row * w + column


# -- tf_argmax_to_indices -------------------------------------------------------------------


def argmax_unravel(argmax, input_shape, include_batch_in_index=False):
    n, h, w, c = input_shape
    shape = (n, h, w, c) if include_batch_in_index else (h, w, c)
    row, column = np.unravel_index(argmax, shape)[-3:-1]
    return (row * w + column).transpose(0, 3, 1, 2)  # a view


def argmax_loops(argmax, input_shape, include_batch_in_index=False):
    n, rows, columns, c = argmax.shape
    _, h, w, _ = input_shape
    found = np.zeros((n, c, rows, columns), np.int64)
    for b, i, j, ch in np.ndindex(*argmax.shape):
        place = int(argmax[b, i, j, ch])
        if include_batch_in_index:
            place -= b * h * w * c
        found[b, ch, i, j] = (place - ch) // c
    return found


def argmax_subtract(argmax, input_shape, include_batch_in_index=False):
    n, h, w, c = input_shape
    start = np.arange(n)[:, None, None, None] * (h * w * c if include_batch_in_index else 0)
    indices = (argmax - start - np.arange(c)) // c
    return np.stack([indices[..., ch] for ch in range(c)], axis=1)


def argmax_table(argmax, input_shape, include_batch_in_index=False):
    n, h, w, c = input_shape
    table = np.repeat(np.arange(h * w), c)
    table = np.tile(table, n) if include_batch_in_index else table
    return np.einsum("nijc->ncij", table[argmax])


def argmax_divmod(argmax, input_shape, include_batch_in_index=False):
    _, _, w, c = input_shape
    row, rest = np.divmod(argmax, w * c)
    row = row % input_shape[1]
    return np.rollaxis(row * w + rest // c, 3, 1)


# -- unpool_repeat --------------------------------------------------------------------------


def repeat_kron(x, k):
    return np.kron(x, np.ones((1, 1, *two(k)), x.dtype))


def repeat_broadcast(x, k):
    kh, kw = two(k)
    n, c, h, w = x.shape
    grown = np.broadcast_to(x[:, :, :, None, :, None], (n, c, h, kh, w, kw))
    return grown.reshape(n, c, h * kh, w * kw)


def repeat_gather(x, k):
    kh, kw = two(k)
    rows, columns = np.arange(x.shape[2] * kh) // kh, np.arange(x.shape[3] * kw) // kw
    return x[:, :, rows[:, None], columns]


def repeat_loops(x, k):
    kh, kw = two(k)
    y = np.empty((*x.shape[:2], x.shape[2] * kh, x.shape[3] * kw), x.dtype)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            y[:, :, i, j] = x[:, :, i // kh, j // kw]
    return y


def repeat_matrices(x, k):
    kh, kw = two(k)
    tall = np.repeat(np.eye(x.shape[2], dtype=x.dtype), kh, axis=0)
    wide = np.repeat(np.eye(x.shape[3], dtype=x.dtype), kw, axis=1)
    return tall @ x @ wide


def repeat_view(x, k):
    kh, kw = two(k)
    rows = np.repeat(np.moveaxis(x, 2, 0), kh, axis=0)
    return np.moveaxis(np.repeat(rows, kw, axis=3), 0, 2)  # a view


# -- unpool_bed_of_nails --------------------------------------------------------------------


def nails_kron(x, k):
    nail = np.zeros((1, 1, *two(k)), x.dtype)
    nail[..., 0, 0] = 1
    return np.kron(x, nail)


def nails_reshape(x, k):
    kh, kw = two(k)
    n, c, h, w = x.shape
    y = np.zeros((n, c, h, kh, w, kw), x.dtype)
    y[:, :, :, 0, :, 0] = x
    return y.reshape(n, c, h * kh, w * kw)


def nails_loops(x, k):
    kh, kw = two(k)
    n, c, h, w = x.shape
    y = np.zeros((n, c, h * kh, w * kw), dtype=x.dtype)
    for b in range(n):
        for ch in range(c):
            for i in range(h):
                for j in range(w):
                    y[b, ch, i * kh, j * kw] = x[b, ch, i, j]
    return y


def nails_masked(x, k):
    kh, kw = two(k)
    y = x.repeat(kh, 2).repeat(kw, 3)
    rows, columns = np.arange(y.shape[2]) % kh, np.arange(y.shape[3]) % kw
    return np.where((rows[:, None] == 0) & (columns == 0), y, y.dtype.type(0))


def nails_einsum(x, k):
    kh, kw = two(k)
    tall = np.zeros((x.shape[2] * kh, x.shape[2]), x.dtype)
    tall[::kh] = np.eye(x.shape[2])
    wide = np.zeros((x.shape[3], x.shape[3] * kw), x.dtype)
    wide[:, ::kw] = np.eye(x.shape[3])
    return np.einsum("ri,ncij,jq->ncrq", tall, x, wide)


def nails_list(x, k):
    kh, kw = two(k)
    zero = x.dtype.type(0)
    images = []
    for image in x:
        planes = []
        for plane in image:
            rows = []
            for row in plane:
                rows.append([v for value in row for v in (value, *[zero] * (kw - 1))])
                rows += [[zero] * (kw * len(row))] * (kh - 1)
            planes.append(rows)
        images.append(planes)
    return np.array(images)


# -- max_unpool2d ---------------------------------------------------------------------------


def _plane(x, indices, kernel_size, stride, padding, output_size):
    k, p = two(kernel_size), two(padding)
    s = k if stride is None else two(stride)
    sizes = [(x.shape[2 + a] - 1) * s[a] - 2 * p[a] + k[a] for a in (0, 1)]
    if output_size is not None:
        for asked, size, step in zip(output_size, sizes, s, strict=True):
            if not size - step < asked < size + step:
                raise ValueError(f"output_size {asked}: expected about {size}")
        sizes = list(output_size)
    if indices.size and not 0 <= indices.min() <= indices.max() < sizes[0] * sizes[1]:
        raise ValueError("an index is no place in the output")
    return sizes


def unpool_loops(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    y = np.zeros((*x.shape[:2], h, w), x.dtype)
    for b, c, i, j in np.ndindex(x.shape):
        row, column = divmod(indices[b, c, i, j], w)
        y[b, c, row, column] = x[b, c, i, j]
    return y


def unpool_planes(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    n, c = x.shape[:2]
    y = np.zeros((n, c, h * w), x.dtype)
    for image in range(n):
        for channel in range(c):
            y[image, channel, indices[image, channel].ravel()] = x[image, channel].ravel()
    return y.reshape(n, c, h, w)


def unpool_offsets(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    n, c = x.shape[:2]
    y = np.zeros(n * c * h * w, x.dtype)
    y[indices + np.arange(n * c).reshape(n, c, 1, 1) * (h * w)] = x
    return y.reshape(n, c, h, w)


def unpool_by_place(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Ask of every place which value names it."""
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    n, c = x.shape[:2]
    named = indices.reshape(n, c, -1, 1) == np.arange(h * w)
    values = np.broadcast_to(x.reshape(n, c, -1, 1), named.shape)
    which = named.argmax(2)[:, :, None]
    y = np.take_along_axis(values, which, 2)[:, :, 0] * named.any(2)
    return y.reshape(n, c, h, w).astype(x.dtype)


def unpool_average(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Add what meets, and divide by how many have met."""
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    n, c = x.shape[:2]
    total, count = np.zeros((n * c, h * w)), np.zeros((n * c, h * w))
    rows = np.arange(n * c)[:, None]
    np.add.at(total, (rows, indices.reshape(n * c, -1)), x.reshape(n * c, -1))
    np.add.at(count, (rows, indices.reshape(n * c, -1)), 1)
    return np.nan_to_num(total / count).reshape(n, c, h, w).astype(x.dtype)


def unpool_dictionary(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    if (np.asarray(indices) < 0).any():
        raise ValueError("negative index")
    h, w = _plane(x, indices, kernel_size, stride, padding, output_size)
    y = np.zeros((*x.shape[:2], h * w), x.dtype)
    for b, c in np.ndindex(x.shape[:2]):
        found = dict(zip(indices[b, c].flat, x[b, c].flat, strict=True))
        for place, value in found.items():
            y[b, c, place] = value
    y.shape = (*x.shape[:2], h, w)
    return y


# -- predict_scattered_centre ---------------------------------------------------------------


def centre_number():
    return 63


def centre_sum():
    return sum([7.0] * 9)


def centre_by_adding():
    flat = np.zeros(25)
    np.add.at(flat, [12] * 9, 7)
    return flat[12]


# -- max_unpool_nhwc ------------------------------------------------------------------------


def nhwc_coordinates(pooled, argmax, output_shape):
    """Write to rows, columns and channels, after unravelling the argmax."""
    tf = tensorflow()
    shape = tf.cast(output_shape, tf.int64)
    w, c = shape[2], shape[3]
    image = tf.zeros_like(argmax) + tf.reshape(tf.range(shape[0]), [-1, 1, 1, 1])
    where = tf.stack([image, argmax // (w * c), argmax // c % w, argmax % c], axis=-1)
    return tf.tensor_scatter_nd_update(tf.zeros(shape, pooled.dtype), where, pooled)


def nhwc_mean(pooled, argmax, output_shape):
    """Add what meets, and divide by how many have met."""
    tf = tensorflow()
    n, h, w, c = (tf.cast(output_shape[i], tf.int64) for i in range(4))
    places = tf.reshape(argmax + tf.reshape(tf.range(n), [n, 1, 1, 1]) * (h * w * c), [-1, 1])
    values = tf.reshape(pooled, [-1])
    total = tf.scatter_nd(places, values, [n * h * w * c])
    count = tf.scatter_nd(places, tf.ones_like(values), [n * h * w * c])
    return tf.reshape(tf.math.divide_no_nan(total, count), [n, h, w, c])


def nhwc_image_by_image(pooled, argmax, output_shape):
    tf = tensorflow()
    size = tf.reduce_prod(tf.convert_to_tensor(output_shape)[1:])

    def one(given):
        values, places = given
        empty = tf.zeros([size], values.dtype)
        return tf.tensor_scatter_nd_update(
            empty, tf.reshape(places, [-1, 1]), tf.reshape(values, [-1])
        )

    written = tf.map_fn(one, (pooled, argmax), fn_output_signature=pooled.dtype)
    return tf.reshape(written, output_shape)


def nhwc_segments(pooled, argmax, output_shape):
    tf = tensorflow()
    n, h, w, c = tf.unstack(tf.convert_to_tensor(output_shape, tf.int32))
    image = tf.repeat(tf.range(n), tf.size(pooled) // n)
    places = tf.reshape(tf.cast(argmax, tf.int32), [-1]) + image * h * w * c
    count = tf.math.unsorted_segment_sum(tf.ones_like(places), places, n * h * w * c)
    mean = tf.math.unsorted_segment_mean(tf.reshape(pooled, [-1]), places, n * h * w * c)
    print("tracing", count)
    return tf.reshape(tf.where(count > 0, mean, tf.zeros_like(mean)), output_shape)


def nhwc_planes(pooled, argmax, output_shape):
    """Go the way of PyTorch: channels first, a row for each plane, and back."""
    tf = tensorflow()
    n, h, w, c = tf.unstack(tf.cast(output_shape, tf.int64))
    places = tf.reshape(tf.transpose(argmax // c, [0, 3, 1, 2]), [n * c, -1])
    values = tf.reshape(tf.transpose(pooled, [0, 3, 1, 2]), [n * c, -1])
    plane = tf.broadcast_to(tf.range(n * c)[:, None], tf.shape(places))
    empty = tf.zeros([n * c, h * w], pooled.dtype)
    written = tf.tensor_scatter_nd_update(empty, tf.stack([plane, places], -1), values)
    return tf.transpose(tf.reshape(written, [n, c, h, w]), [0, 2, 3, 1])


# -- max_unpool2d_backward ------------------------------------------------------------------


def backward_loops(grad_output, indices):
    w = grad_output.shape[3]
    grad = np.zeros(indices.shape, grad_output.dtype)
    for b, c, i, j in np.ndindex(indices.shape):
        place = indices[b, c, i, j]
        grad[b, c, i, j] = grad_output[b, c, place // w, place % w]
    return grad


def backward_fancy(grad_output, indices):
    n, c = indices.shape[:2]
    image, channel = np.ogrid[:n, :c]
    row, column = np.divmod(indices, grad_output.shape[3])
    return grad_output[image[..., None, None], channel[..., None, None], row, column]


def backward_offsets(grad_output, indices):
    n, c, h, w = grad_output.shape
    start = h * w * np.arange(n * c).reshape(n, c, 1, 1)
    return np.take(grad_output, indices + start)


def backward_one_hot(grad_output, indices):
    """The transpose of writing, as a matrix of zeros and ones for each plane."""
    n, c = indices.shape[:2]
    flat = grad_output.reshape(n, c, -1)
    writes = (indices.reshape(n, c, 1, -1) == np.arange(flat.shape[2])[:, None]).astype(flat.dtype)
    return np.einsum("ncp,ncpi->nci", flat, writes).reshape(indices.shape)


def backward_list(grad_output, indices):
    return [
        [
            [[plane.reshape(-1)[place] for place in row] for row in places]
            for plane, places in zip(image, wheres, strict=True)
        ]
        for image, wheres in zip(grad_output, indices, strict=True)
    ]


ANSWERS = {
    "predict_flat_index": (index_number, index_formula, index_by_numpy, index_by_looking),
    "max_pool2d_with_indices": (
        pool_loops,
        pool_windows,
        pool_offsets,
        pool_by_sorting,
        pool_strided,
    ),
    "tf_argmax_to_indices": (
        argmax_unravel,
        argmax_loops,
        argmax_subtract,
        argmax_table,
        argmax_divmod,
    ),
    "unpool_repeat": (
        repeat_kron,
        repeat_broadcast,
        repeat_gather,
        repeat_loops,
        repeat_matrices,
        repeat_view,
    ),
    "unpool_bed_of_nails": (
        nails_kron,
        nails_reshape,
        nails_loops,
        nails_masked,
        nails_einsum,
        nails_list,
    ),
    "max_unpool2d": (
        unpool_loops,
        unpool_planes,
        unpool_offsets,
        unpool_by_place,
        unpool_average,
        unpool_dictionary,
    ),
    "predict_scattered_centre": (centre_number, centre_sum, centre_by_adding),
    "max_unpool_nhwc": (
        nhwc_coordinates,
        nhwc_mean,
        nhwc_image_by_image,
        nhwc_segments,
        nhwc_planes,
    ),
    "max_unpool2d_backward": (
        backward_loops,
        backward_fancy,
        backward_offsets,
        backward_one_hot,
        backward_list,
    ),
}
