"""ps02: max pooling that remembers where its maxima stood, and the ways back up.

Sources: Zeiler & Fergus, *Visualizing and Understanding Convolutional Networks* (2014); the API
pages of `torch.nn.functional.max_pool2d` and `max_unpool2d`, `tf.nn.max_pool_with_argmax`,
`tf.scatter_nd` and `tf.tensor_scatter_nd_update`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import tensorflow, whole_numbers

POOL = "book/max-pooling-remembers"
BACK = "book/unpooling"


# -- oracles: the frameworks' own operations ----------------------------------------------


def _torch(array):
    """Return a PyTorch tensor with the values of an array, whatever its layout."""
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def torch_max_pool2d(x, kernel_size, stride=None, padding=0):
    """Return `F.max_pool2d` and its indices."""
    import torch

    y, indices = torch.nn.functional.max_pool2d(
        _torch(x), kernel_size, stride, padding, return_indices=True
    )
    return y.numpy(), indices.numpy()


def tf_max_pool2d(x, kernel_size, stride=None, padding=0):
    """Return `tf.nn.max_pool_with_argmax`, VALID over an input padded with −∞.

    Its index counts over the padded image and its channels. TensorFlow's own `unravel_index`
    turns it into places, which are then counted as PyTorch counts them.
    """
    tf = tensorflow()
    kernel, (ph, pw) = _pair(kernel_size), _pair(padding)
    stride = kernel if stride is None else _pair(stride)
    w = x.shape[3]
    padded = tf.pad(
        np.moveaxis(x, 1, 3), [[0, 0], [ph, ph], [pw, pw], [0, 0]], constant_values=-np.inf
    )
    y, argmax = tf.nn.max_pool_with_argmax(padded, kernel, stride, "VALID")
    rows, columns, _ = tf.unravel_index(tf.reshape(argmax, [-1]), tf.shape(padded, tf.int64)[1:])
    indices = tf.reshape((rows - ph) * w + columns - pw, argmax.shape)
    return tuple(np.moveaxis(a.numpy(), 3, 1) for a in (y, indices))


def torch_argmax_to_indices(argmax, input_shape, include_batch_in_index=False):
    """Let `F.max_pool2d` find the place each argmax stands for: a single 1 in an empty plane."""
    import torch

    n, h, w, c = input_shape
    found = np.empty_like(argmax)
    for at in np.ndindex(argmax.shape):
        inputs = np.zeros((n, h * w * c))
        place = argmax[at] - (at[0] * h * w * c if include_batch_in_index else 0)
        inputs[at[0], place] = 1
        inputs = torch.tensor(inputs.reshape(input_shape)).permute(0, 3, 1, 2)
        _, indices = torch.nn.functional.max_pool2d(inputs, (h, w), return_indices=True)
        found[at] = indices[at[0], at[3]].item()
    return np.moveaxis(found, 3, 1)


def tf_argmax_to_indices(argmax, input_shape, include_batch_in_index=False):
    """Look each argmax up, with TensorFlow, in a tensor that holds PyTorch's index everywhere."""
    tf = tensorflow()
    n, h, w, c = input_shape
    planes = np.arange(h * w, dtype=np.int64).reshape(h, w)[None, :, :, None]
    table = tf.reshape(tf.broadcast_to(planes, input_shape), [-1])
    if not include_batch_in_index:
        argmax = argmax + np.arange(n).reshape(-1, 1, 1, 1) * (h * w * c)
    return tf.transpose(tf.gather(table, argmax), [0, 3, 1, 2]).numpy()


def torch_repeat(x, k):
    """Return `F.interpolate(mode="nearest")` by whole factors."""
    import torch

    return torch.nn.functional.interpolate(_torch(x), scale_factor=_pair(k), mode="nearest").numpy()


def tf_repeat(x, k):
    """Return `tf.image.resize(method="nearest")` by whole factors."""
    kh, kw = _pair(k)
    size = x.shape[2] * kh, x.shape[3] * kw
    resized = tensorflow().image.resize(np.moveaxis(x, 1, 3), size, "nearest")
    return np.moveaxis(resized.numpy(), 3, 1)


def torch_bed_of_nails(x, k):
    """Return `F.conv_transpose2d` with a kernel that has a single 1, in its top-left."""
    import torch

    kh, kw = _pair(k)
    c = x.shape[1]
    kernel = np.zeros((c, 1, kh, kw), x.dtype)
    kernel[:, :, 0, 0] = 1
    return torch.nn.functional.conv_transpose2d(
        _torch(x), _torch(kernel), stride=(kh, kw), groups=c
    ).numpy()


def tf_bed_of_nails(x, k):
    """Return `tf.nn.conv2d_transpose` with a kernel that has a single 1 for each channel."""
    kh, kw = _pair(k)
    n, c, h, w = x.shape
    kernel = np.zeros((kh, kw, c, c), x.dtype)
    kernel[0, 0] = np.eye(c)
    nails = tensorflow().nn.conv2d_transpose(
        np.moveaxis(x, 1, 3), kernel, (n, h * kh, w * kw, c), (kh, kw), "VALID"
    )
    return np.moveaxis(nails.numpy(), 3, 1)


def torch_max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Return `F.max_unpool2d`."""
    import torch

    return torch.nn.functional.max_unpool2d(
        _torch(x), _torch(indices), kernel_size, stride, padding, output_size
    ).numpy()


def tf_max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Return what `tf.tensor_scatter_nd_update` writes into planes of zeros.

    TensorFlow has no such operation; it has the writing. The size comes from the definition.
    """
    tf = tensorflow()
    n, c = x.shape[:2]
    h, w = _back_size(x, kernel_size, stride, padding) if output_size is None else output_size
    planes = np.broadcast_to(np.arange(n * c).reshape(n, c, 1, 1), indices.shape)
    where = np.stack([planes.ravel(), indices.ravel()], axis=-1)
    written = tf.tensor_scatter_nd_update(tf.zeros((n * c, h * w), x.dtype), where, x.ravel())
    return tf.reshape(written, (n, c, h, w)).numpy()


def torch_unpool_nhwc(pooled, argmax, output_shape, under=None):
    """Return PyTorch's `max_unpool2d` of these, with the channels last, or its gradient."""
    import torch

    n, h, w, c = output_shape
    x = _torch(np.moveaxis(pooled, 3, 1)).requires_grad_()
    indices = _torch(np.moveaxis(argmax, 3, 1) // c)
    y = torch.ops.aten.max_unpool2d(x, indices, [h, w]).permute(0, 2, 3, 1)
    if under != "tf.GradientTape":
        return y.detach().numpy()
    y.backward(torch.arange(1, n * h * w * c + 1, dtype=y.dtype).reshape(y.shape))
    return np.moveaxis(x.grad.numpy(), 1, 3)


def tf_unpool_nhwc(pooled, argmax, output_shape, under=None):
    """Return the greatest value that points at each place, by `tf.math.unsorted_segment_max`.

    Values that point at the same place are equal, so the greatest of them is the one. The
    gradient is looked up where each value was written.
    """
    tf = tensorflow()
    n, h, w, c = (int(size) for size in output_shape)
    places = (argmax + np.arange(n).reshape(-1, 1, 1, 1) * (h * w * c)).ravel()
    if under == "tf.GradientTape":
        gradient = tf.range(1, n * h * w * c + 1)
        return tf.reshape(tf.cast(tf.gather(gradient, places), pooled.dtype), pooled.shape).numpy()
    total = n * h * w * c
    greatest = tf.math.unsorted_segment_max(pooled.ravel(), places, total)
    named = tf.math.unsorted_segment_max(tf.ones(places.size), places, total) > 0
    return tf.reshape(tf.where(named, greatest, 0), (n, h, w, c)).numpy()


def torch_unpool_backward(grad_output, indices):
    """Return autograd's gradient through PyTorch's unpooling."""
    import torch

    x = torch.zeros(indices.shape, dtype=_torch(grad_output).dtype, requires_grad=True)
    y = torch.ops.aten.max_unpool2d(x, _torch(indices), list(grad_output.shape[2:]))
    y.backward(_torch(grad_output))
    return x.grad.numpy()


def tf_unpool_backward(grad_output, indices):
    """Return `tf.GradientTape`'s gradient through `tf.tensor_scatter_nd_update`."""
    tf = tensorflow()
    n, c, h, w = grad_output.shape
    planes = np.broadcast_to(np.arange(n * c).reshape(n, c, 1, 1), indices.shape)
    where = np.stack([planes.ravel(), indices.ravel()], axis=-1)
    x = tf.zeros(indices.size, grad_output.dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.tensor_scatter_nd_update(tf.zeros((n * c, h * w), x.dtype), where, x)
    gradient = tape.gradient(y, x, tf.constant(grad_output.reshape(n * c, h * w)))
    return tf.reshape(gradient, indices.shape).numpy()


# -- pooling in NumPy: the tool that cases and misconceptions are made with -----------------


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _pool(x, kernel_size, stride=None, padding=0, *, fill=-np.inf, last=False, index=None):
    """Return the maxima and where they stand, counted by `index(place)` or as PyTorch does.

    A `place` has the sizes of the input (n, c, h, w) and, as arrays, the image, channel, row and
    column of each maximum, its number in the window (`inside`), and the output's row and column.
    """
    (kh, kw), (ph, pw) = _pair(kernel_size), _pair(padding)
    sh, sw = (kh, kw) if stride is None else _pair(stride)
    n, c, h, w = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    flat = windows.reshape(*windows.shape[:4], -1)
    inside = kh * kw - 1 - flat[..., ::-1].argmax(-1) if last else flat.argmax(-1)
    values = np.take_along_axis(flat, inside[..., None], -1)[..., 0]
    image, channel, i, j = np.indices(inside.shape)
    row, column = i * sh - ph + inside // kw, j * sw - pw + inside % kw
    place = SimpleNamespace(
        n=n, c=c, h=h, w=w, kh=kh, kw=kw, ph=ph, pw=pw, sh=sh, sw=sw, i=i, j=j, inside=inside,
        image=image, channel=channel, row=row, column=column,
    )  # fmt: skip
    return values, (index or _plane_index)(place)


def _plane_index(p):
    return p.row * p.w + p.column


def _distinct(rng, *shape, dtype=np.float64):
    """Draw whole numbers that differ from each other, about half of them negative."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2).reshape(shape).astype(dtype)


def _variants(rng, *shape):
    """Yield arrays in float32 and float64: plain, read-only, and two kinds of views."""
    n, c, h, w = shape
    for dtype in (np.float32, np.float64):
        yield _distinct(rng, *shape, dtype=dtype)
        sealed = _distinct(rng, *shape, dtype=dtype)
        sealed.flags.writeable = False
        yield sealed
        yield _distinct(rng, n, c, h, 2 * w, dtype=dtype)[..., ::2]
        yield np.moveaxis(_distinct(rng, n, h, w, c, dtype=dtype), 3, 1)


def _int(rng, low, high):
    """Draw a whole number from `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


# -- max_pool2d_with_indices ----------------------------------------------------------------


def _max_pool_cases(rng) -> Iterator[Case]:
    side, overlap, ties = "windows side by side", "windows that overlap or leave gaps", "ties"
    small = np.array([[[[1.0, 5, 2, 0], [3, 4, 9, 8]]]])
    yield Case(side, (small, 2), visible=True, expected=([[[[5, 9]]]], [[[[1, 6]]]]))
    two = np.array([[[[1.0, 2], [3, 4]], [[8, 7], [6, 5]]]])
    expected = ([[[[4]], [[8]]]], [[[[3]], [[0]]]])
    yield Case(side, (two, 2), visible=True, expected=expected)
    pair = np.array([[[[1.0, 2, 9], [4, 3, 5]]], [[[6, 1, 2], [3, 8, 4]]]])
    expected = ([[[[4, 3, 9]]], [[[6, 8, 4]]]], [[[[3, 4, 2]]], [[[0, 4, 5]]]])
    yield Case(side, (pair, (2, 1)), visible=True, expected=expected)
    nine = np.array([[[[0.0, 1, 2], [3, 9, 4], [5, 6, 7]]]])
    expected = ([[[[9, 9], [9, 9]]]], [[[[4, 4], [4, 4]]]])
    yield Case(overlap, (nine, 2), {"stride": 1}, visible=True, expected=expected)
    negative = np.array([[[[-3.0, -1, -4], [-2, -5, -6]]]])
    expected = ([[[[-3, -1], [-2, -5]]]], [[[[0, 1], [3, 4]]]])
    yield Case("padding", (negative, 2), {"padding": 1}, visible=True, expected=expected)
    equal = np.array([[[[7.0, 7], [7, 7]]]])
    yield Case(ties, (equal, 2), visible=True, expected=([[[[7]]]], [[[[0]]]]))
    single = np.array([[[[1, 2], [4, 3]]]], np.float32)
    expected = (np.array([[[[4]]]], np.float32), np.array([[[[2]]]], np.int64))
    yield Case("dtype and inputs", (single, 2), visible=True, expected=expected, exact_dtype=True)
    for _ in range(8):
        kh, kw = _int(rng, 1, 3), _int(rng, 1, 4)
        h, w = kh * _int(rng, 1, 3) + _int(rng, 0, kh - 1), kw * _int(rng, 1, 3)
        shape = _int(rng, 1, 3), _int(rng, 1, 3), h, w
        yield Case(side, (_distinct(rng, *shape), kh if kh == kw else (kh, kw)))
    yield Case(side, (_distinct(rng, 2, 3, 6, 4), 2))
    yield Case(side, (_distinct(rng, 2, 2, 6, 8), (3, 2)))
    yield Case(side, (_distinct(rng, 1, 1, 1, 1), 1))
    yield Case(side, (_distinct(rng, 2, 3, 4, 3), (4, 3)))  # one window
    for _ in range(8):
        k, s = (_int(rng, 1, 3), _int(rng, 1, 3)), (_int(rng, 1, 3), _int(rng, 1, 4))
        shape = _int(rng, 1, 2), _int(rng, 1, 3), k[0] + _int(rng, 0, 5), k[1] + _int(rng, 0, 6)
        yield Case(overlap, (_distinct(rng, *shape), k), {"stride": s})
    yield Case(overlap, (_distinct(rng, 2, 2, 5, 4), 2), {"stride": 1})
    yield Case(overlap, (_distinct(rng, 2, 2, 7, 9), 2), {"stride": (3, 4)})
    yield Case(overlap, (_distinct(rng, 1, 2, 6, 6), 3), {"stride": 2})
    for _ in range(8):
        kh, kw = _int(rng, 2, 4), _int(rng, 2, 4)
        p, s = (_int(rng, 0, kh // 2), _int(rng, 0, kw // 2)), (_int(rng, 1, 3), _int(rng, 1, 3))
        shape = _int(rng, 1, 2), _int(rng, 1, 2), kh + _int(rng, 0, 4), kw + _int(rng, 0, 4)
        yield Case("padding", (_distinct(rng, *shape), (kh, kw)), {"stride": s, "padding": p})
    yield Case("padding", (-1 - abs(_distinct(rng, 2, 2, 5, 6)), 3), {"stride": 2, "padding": 1})
    yield Case("padding", (_distinct(rng, 2, 2, 4, 7), (2, 4)), {"padding": (1, 2)})
    yield Case("padding", (_distinct(rng, 1, 2, 2, 3), 4), {"padding": 1})  # kernel > input
    yield Case("padding", (_distinct(rng, 1, 1, 1, 1), 2), {"stride": 1, "padding": 1})
    for _ in range(6):
        shape = _int(rng, 1, 2), _int(rng, 1, 2), 4, _int(rng, 4, 6)
        x = rng.integers(-2, 2, shape).astype(float)
        yield Case(ties, (x, 2), {"stride": _int(rng, 1, 2)})
    yield Case(ties, (np.zeros((2, 2, 4, 6)), (2, 3)))
    for x in _variants(rng, 2, 3, 5, 6):
        yield Case("dtype and inputs", (x, (3, 2)), {"stride": 2, "padding": 1}, exact_dtype=True)


def _pool_size(x, kernel_size, stride=None, padding=0):
    k, p = _pair(kernel_size), _pair(padding)
    s = k if stride is None else _pair(stride)
    sizes = ((x.shape[2 + a] + 2 * p[a] - k[a]) // s[a] + 1 for a in (0, 1))
    return (
        "Each side has ⌊(n + 2·padding − k) / stride⌋ + 1 windows: {} rows and {} columns.".format(
            *sizes
        )
    )


def _swapped(value):
    return value if value is None or isinstance(value, int) else tuple(value)[::-1]


def _pooling(name, title, message, section, **changes):
    return Misconception(
        name,
        title,
        message,
        f"{POOL}#{section}",
        lambda x, kernel_size, stride=None, padding=0: _pool(
            x, kernel_size, stride, padding, **changes
        ),
    )


MAX_POOL = Spec(
    name="max_pool2d_with_indices",
    title="Max pooling that remembers",
    summary="Pool by the maximum, and say where in its plane each maximum stood.",
    chapter=f"{POOL}#flat-index",
    parameters="x, kernel_size, stride=None, padding=0",
    minutes=30,
    difficulty="medium",
    aspects=(
        Aspect("windows side by side", 2),
        Aspect("windows that overlap or leave gaps", 1),
        Aspect("padding", 1),
        Aspect("ties", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_max_pool_cases,
    oracles={"PyTorch": torch_max_pool2d, "TensorFlow": tf_max_pool2d},
    parts=("y", "indices"),
    size_formula=_pool_size,
    misconceptions=(
        _pooling(
            "index-within-the-window",
            "The index counts within the window",
            "Each index says where the maximum stands in its own window. Without knowing the "
            "window nobody can find it again: the index counts over the whole plane.",
            "flat-index",
            index=lambda p: p.inside,
        ),
        _pooling(
            "index-over-all-channels",
            "The index runs on from channel to channel",
            "The index goes on counting where the channel before ended. PyTorch starts again at 0 "
            "in every plane.",
            "torch-index",
            index=lambda p: (p.channel * p.h + p.row) * p.w + p.column,
        ),
        _pooling(
            "index-over-the-batch",
            "The index runs through the whole batch",
            "The index is the place in the whole array, flattened. PyTorch starts again at 0 in "
            "every plane of every image.",
            "torch-index",
            index=lambda p: ((p.image * p.c + p.channel) * p.h + p.row) * p.w + p.column,
        ),
        _pooling(
            "channels-counted-in",
            "The index is TensorFlow's",
            "Channels are counted between one column and the next, as TensorFlow does with its "
            "channels last. PyTorch's index knows of one plane only.",
            "tf-argmax",
            index=lambda p: (p.row * p.w + p.column) * p.c + p.channel,
        ),
        _pooling(
            "columns-first",
            "The index counts down the columns",
            "The index runs down the first column, then the second. It runs along the rows, as "
            "we read.",
            "flat-index",
            index=lambda p: p.column * p.h + p.row,
        ),
        _pooling(
            "row-times-height",
            "A row is taken to be as long as a column",
            "The row is multiplied by the number of rows. To come to row r the count passes r "
            "whole rows, and a row is as long as the plane is wide.",
            "flat-index",
            index=lambda p: p.row * p.h + p.column,
        ),
        _pooling(
            "index-in-the-pooled-map",
            "The index is the output's own place",
            "The indices number the outputs. They have to say where in the input each maximum "
            "came from.",
            "flat-index",
            index=lambda p: p.i * (p.j.max() + 1) + p.j,
        ),
        _pooling(
            "index-of-the-padded-plane",
            "The index counts the padding",
            "The index counts over the padded plane. The padding is gone when the index is used, "
            "so it counts over the input without it.",
            "pooling-padding",
            index=lambda p: (p.row + p.ph) * (p.w + 2 * p.pw) + p.column + p.pw,
        ),
        _pooling(
            "index-of-the-window",
            "The index is that of the window's corner",
            "The index is that of the window's first element, wherever the maximum stands in it.",
            "flat-index",
            index=lambda p: (p.i * p.sh - p.ph) * p.w + p.j * p.sw - p.pw,
        ),
        _pooling(
            "last-of-equals",
            "Of equal maxima the last is taken",
            "Where the maximum occurs more than once in a window, the last one is reported. Both "
            "frameworks report the first they meet, row by row.",
            "ties",
            last=True,
        ),
        _pooling(
            "zeros-win",
            "Zeros in the padding win",
            "The padding is made of zeros, and they beat negative values. Padding must never "
            "win: no number in it may be greater than a real one.",
            "pooling-padding",
            fill=0,
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The windows begin at the input's own corner. With padding they begin that far "
            "outside it, and there may be more of them.",
            f"{POOL}#pooling-padding",
            lambda x, kernel_size, stride=None, padding=0: _pool(x, kernel_size, stride),
        ),
        Misconception(
            "stride-defaults-to-one",
            "Without a stride the windows move by one",
            "Where no stride is given, the windows move by one place. In pooling they then move "
            "by their own size, and lie side by side.",
            f"{POOL}#pooling-windows",
            lambda x, kernel_size, stride=None, padding=0: _pool(
                x, kernel_size, 1 if stride is None else stride, padding
            ),
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "The windows always lie side by side. Where a stride is given, they move by it, "
            "whatever their size.",
            f"{POOL}#pooling-windows",
            lambda x, kernel_size, stride=None, padding=0: _pool(x, kernel_size, None, padding),
        ),
        Misconception(
            "pairs-read-as-width-height",
            "Pairs are read as (width, height)",
            "The first number of a pair is taken for the width. In arrays, the height comes first.",
            f"{POOL}#pooling-windows",
            lambda x, kernel_size, stride=None, padding=0: _pool(
                x, *map(_swapped, (kernel_size, stride, padding))
            ),
        ),
    ),
)


# -- predict first: a flat index ------------------------------------------------------------


def _index_in_torch():
    x = np.zeros((2, 3, 4, 6))
    x[1, 2, 2, 5] = 1
    return torch_max_pool2d(x, 2)[1][1, 2, 1, 2]


def _index_by_tf():
    x = np.zeros((2, 3, 4, 6))
    x[1, 2, 2, 5] = 1
    return tf_max_pool2d(x, 2)[1][1, 2, 1, 2]


def _guess(name, title, message, section, answer):
    return Misconception(name, title, message, f"{POOL}#{section}", lambda: answer)


PREDICT_INDEX = Spec(
    name="predict_flat_index",
    title="Predict first: which index?",
    summary="Work out on paper which index PyTorch gives a maximum.",
    chapter=f"{POOL}#torch-index",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={"PyTorch": _index_in_torch, "TensorFlow": _index_by_tf},
    misconceptions=(
        _guess(
            "channels-counted-in",
            "TensorFlow's index",
            "This is the index that TensorFlow gives: between one column and the next it counts "
            "all the channels.",
            "tf-argmax",
            53,
        ),
        _guess(
            "index-over-all-channels",
            "Counted through the channels",
            "This counts the channels before it too. PyTorch starts again at 0 in every plane.",
            "torch-index",
            65,
        ),
        _guess(
            "index-over-the-batch",
            "Counted through the whole batch",
            "This counts the image before it too. PyTorch starts again at 0 in every plane.",
            "torch-index",
            137,
        ),
        _guess(
            "index-within-the-window",
            "Counted within the window",
            "This is the place in the window. The index counts over the whole plane.",
            "flat-index",
            1,
        ),
        _guess(
            "index-in-the-pooled-map",
            "The output's own place",
            "This is where the maximum stands in the pooled plane. The index says where it came "
            "from.",
            "flat-index",
            5,
        ),
        _guess(
            "columns-first",
            "Counted down the columns",
            "This counts down the columns. The index runs along the rows.",
            "flat-index",
            22,
        ),
        _guess(
            "row-times-height",
            "A row as long as a column",
            "This passes two columns to come to row 2. A row is as long as the plane is wide.",
            "flat-index",
            13,
        ),
        _guess(
            "counted-from-one",
            "Counted from one",
            "The first element of the plane has the index 0.",
            "flat-index",
            18,
        ),
    ),
)


# -- tf_argmax_to_indices -------------------------------------------------------------------


def _argmax(rng, shape, kernel, with_batch):
    """Draw an argmax as `tf.nn.max_pool_with_argmax` would give it, windows side by side."""
    x = np.moveaxis(_distinct(rng, *shape), 3, 1)

    def count(p):
        index = (p.row * p.w + p.column) * p.c + p.channel
        return index + p.image * p.h * p.w * p.c if with_batch else index

    return np.ascontiguousarray(np.moveaxis(_pool(x, kernel, index=count)[1], 1, 3))


def _argmax_cases(rng) -> Iterator[Case]:
    one, channels, batch, inside = (
        "one channel", "channels", "several images", "batch in the index"
    )  # fmt: skip
    yield Case(
        one,
        (np.array([[[[1], [6]]]]), (1, 2, 4, 1)),
        visible=True,
        expected=[[[[1, 6]]]],
    )
    yield Case(
        channels,
        (np.array([[[[8, 1], [14, 5]]]]), (1, 2, 4, 2)),
        visible=True,
        expected=[[[[4, 7]], [[0, 2]]]],
    )
    yield Case(
        batch,
        (np.array([[[[8, 1]]], [[[2, 7]]]]), (2, 2, 3, 2)),
        visible=True,
        expected=[[[[4]], [[0]]], [[[1]], [[3]]]],
    )
    yield Case(
        inside,
        (np.array([[[[8, 1]]], [[[14, 19]]]]), (2, 2, 3, 2), True),
        visible=True,
        expected=[[[[4]], [[0]]], [[[1]], [[3]]]],
    )
    sizes = (
        (one, lambda: (1, 1), False),
        (channels, lambda: (1, _int(rng, 2, 4)), False),
        (batch, lambda: (_int(rng, 2, 3), _int(rng, 1, 3)), False),
        (inside, lambda: (_int(rng, 2, 3), _int(rng, 1, 3)), True),
    )
    for aspect, draw, with_batch in sizes:
        for _ in range(7):
            kernel = _int(rng, 1, 3), _int(rng, 1, 3)
            h, w = kernel[0] * _int(rng, 1, 3) + _int(rng, 0, 1), kernel[1] * _int(rng, 1, 4)
            n, c = draw()
            argmax = _argmax(rng, (n, h, w, c), kernel, with_batch)
            yield Case(aspect, (argmax, (n, h, w, c), *([True] if with_batch else [])))
    yield Case(one, (np.array([[[[0]]]]), (1, 1, 1, 1)))
    yield Case(one, (_argmax(rng, (1, 5, 8, 1), 2, False), (1, 5, 8, 1)))
    yield Case(channels, (_argmax(rng, (1, 4, 6, 3), 2, False), (1, 4, 6, 3)))
    yield Case(batch, (_argmax(rng, (3, 4, 6, 2), 2, False), (3, 4, 6, 2)))
    yield Case(inside, (_argmax(rng, (3, 4, 6, 2), 2, True), (3, 4, 6, 2), True))
    for with_batch in (False, True):
        shape = (2, 6, 4, 3)
        argmax = _argmax(rng, shape, 2, with_batch)
        kept = {"include_batch_in_index": with_batch}
        yield Case("dtype and inputs", (argmax, shape), kept, exact_dtype=True)
        argmax = argmax.copy()
        argmax.flags.writeable = False
        yield Case("dtype and inputs", (argmax, shape), kept, exact_dtype=True)
        view = np.moveaxis(np.ascontiguousarray(np.moveaxis(argmax, 3, 1)), 1, 3)
        yield Case("dtype and inputs", (view, shape), kept, exact_dtype=True)


def _argmax_explain(at, argmax, input_shape, include_batch_in_index=False):
    image, channel, i, j = at
    _, h, w, c = input_shape
    value = int(argmax[image, i, j, channel])
    place = value - image * h * w * c if include_batch_in_index else value
    row, column = divmod(place // c, w)
    return (
        f"TensorFlow's {value} stands for row {row}, column {column}, channel {channel}"
        f"{f' of image {image}' if include_batch_in_index else ''} "
        f"of an input with {h} rows, {w} columns and {c} channel{'s' * (c > 1)}."
    )


def _decoded(decode, *, move=lambda a: np.moveaxis(a, 3, 1)):
    """Return a wrong `tf_argmax_to_indices` from what it makes of the flat numbers.

    `decode(a, s)` gets the argmax and the sizes: n, h, w, c, the pooled h_out and w_out, whether
    the batch is counted, and `image` and `channel`, the number of each.
    """

    def fn(argmax, input_shape, include_batch_in_index=False):
        n, h, w, c = input_shape
        image, i, j, channel = np.indices(argmax.shape)
        s = SimpleNamespace(
            n=n, h=h, w=w, c=c, h_out=argmax.shape[1], w_out=argmax.shape[2], i=i, j=j,
            batch=include_batch_in_index, image=image, channel=channel,
        )  # fmt: skip
        return move(decode(argmax, s))

    return fn


def _in_image(a, s):
    return a % (s.h * s.w * s.c)


ARGMAX = Spec(
    name="tf_argmax_to_indices",
    title="From TensorFlow's argmax to PyTorch's indices",
    summary="Turn the argmax of `tf.nn.max_pool_with_argmax` into the indices PyTorch would give.",
    chapter=f"{POOL}#tf-argmax",
    parameters="argmax, input_shape, include_batch_in_index=False",
    minutes=20,
    difficulty="medium",
    aspects=(
        Aspect("one channel", 1),
        Aspect("channels", 1),
        Aspect("several images", 1),
        Aspect("batch in the index", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_argmax_cases,
    oracles={"PyTorch": torch_argmax_to_indices, "TensorFlow": tf_argmax_to_indices},
    explain=_argmax_explain,
    size_formula=lambda argmax, input_shape, include_batch_in_index=False: (
        "The result has the axes image, channel, row, column."
    ),
    misconceptions=(
        Misconception(
            "channels-forgotten",
            "The channels are left in the index",
            "The axes are moved, but the numbers stay as they are. TensorFlow counts every "
            "channel of a column before it goes on to the next column.",
            f"{POOL}#tf-argmax",
            _decoded(lambda a, s: _in_image(a, s) if s.batch else a),
        ),
        Misconception(
            "channels-read-first",
            "The index is read as if channels came first",
            "Whole planes are taken out of the index, as if it counted one channel after the "
            "other. In TensorFlow the channel is what changes fastest.",
            f"{POOL}#tf-argmax",
            _decoded(lambda a, s: _in_image(a, s) % (s.h * s.w)),
        ),
        Misconception(
            "remainder-for-quotient",
            "The channel is kept and the place thrown away",
            "What is left over after counting whole groups of channels is the channel's number. "
            "The place in the plane is how many such groups there were.",
            f"{POOL}#tf-argmax",
            _decoded(lambda a, s: a % s.c),
        ),
        Misconception(
            "batch-left-in",
            "The batch is left in the index",
            "With `include_batch_in_index` the index has counted all the images before this one. "
            "They have to go.",
            f"{POOL}#batch-in-index",
            _decoded(lambda a, s: a // s.c),
        ),
        Misconception(
            "batch-always-removed",
            "The batch is taken out though it is not in",
            "The images before are subtracted from every index. Unless `include_batch_in_index` "
            "says so, TensorFlow starts again at 0 in each image.",
            f"{POOL}#batch-in-index",
            _decoded(lambda a, s: (a - s.image * s.h * s.w * s.c) // s.c),
        ),
        Misconception(
            "batch-by-plane",
            "An image counts as one plane",
            "For each image before, the size of one plane is subtracted. An image has as many "
            "planes as channels.",
            f"{POOL}#batch-in-index",
            _decoded(lambda a, s: a // s.c - s.image * s.h * s.w // s.c if s.batch else a // s.c),
        ),
        Misconception(
            "axes-not-moved",
            "The channels still stand last",
            "The numbers are right, but in TensorFlow's order of axes. PyTorch's channels come "
            "right after the batch.",
            f"{POOL}#tf-argmax",
            _decoded(lambda a, s: _in_image(a, s) // s.c, move=lambda a: a),
        ),
        Misconception(
            "axes-reshaped",
            "The axes are reshaped instead of moved",
            "The shape is right, but the numbers have not moved along with their axes. Reshaping "
            "only cuts the same row of numbers elsewhere.",
            f"{POOL}#tf-argmax",
            _decoded(
                lambda a, s: _in_image(a, s) // s.c,
                move=lambda a: a.reshape(a.shape[0], a.shape[3], *a.shape[1:3]),
            ),
        ),
        Misconception(
            "height-and-width-moved",
            "Height and width have changed places",
            "The channels come second, but the last two axes are width and height. The order of "
            "rows and columns stays as it was.",
            f"{POOL}#tf-argmax",
            _decoded(
                lambda a, s: _in_image(a, s) // s.c, move=lambda a: np.transpose(a, (0, 3, 2, 1))
            ),
        ),
        Misconception(
            "columns-first",
            "The new index counts down the columns",
            "Row and column are right, but put together the wrong way round: the index runs along "
            "the rows.",
            f"{POOL}#flat-index",
            _decoded(
                lambda a, s: (_in_image(a, s) // s.c % s.w) * s.h + _in_image(a, s) // s.c // s.w
            ),
        ),
        Misconception(
            "row-times-height",
            "A row is taken to be as long as a column",
            "Row and column are right, but the row is multiplied by the number of rows. A row is "
            "as long as the plane is wide.",
            f"{POOL}#flat-index",
            _decoded(
                lambda a, s: (_in_image(a, s) // s.c // s.w) * s.h + _in_image(a, s) // s.c % s.w
            ),
        ),
        Misconception(
            "width-of-the-pooled-map",
            "Rows of the pooled map are counted",
            "Row and column are put together with the width of the pooled map. The index counts "
            "over the input, which is what the shape was given for.",
            f"{POOL}#flat-index",
            _decoded(
                lambda a, s: (
                    (_in_image(a, s) // s.c // s.w) * s.w_out + _in_image(a, s) // s.c % s.w
                )
            ),
        ),
        Misconception(
            "channel-counted-again",
            "The index runs on from channel to channel",
            "The index goes on counting where the channel before ended. PyTorch starts again at 0 "
            "in every plane.",
            f"{POOL}#torch-index",
            _decoded(lambda a, s: s.channel * s.h * s.w + _in_image(a, s) // s.c),
        ),
    ),
)


# -- unpool_repeat and unpool_bed_of_nails ---------------------------------------------------


def _grow_cases(*, nails):
    """Return the cases of the two unpoolings without indices; `nails` chooses the answers."""

    def answer(*rows, zeros):
        return [[[list(row) for row in (zeros if nails else rows)]]]

    def cases(rng) -> Iterator[Case]:
        x = np.array([[[[1.0, 2], [3, 4]]]])
        grown = answer(
            *((1, 1, 2, 2), (1, 1, 2, 2), (3, 3, 4, 4), (3, 3, 4, 4)),
            zeros=((1, 0, 2, 0), (0, 0, 0, 0), (3, 0, 4, 0), (0, 0, 0, 0)),
        )
        yield Case("square windows", (x, 2), visible=True, expected=grown)
        row = np.array([[[[5.0, -7]]]])
        grown = answer(
            *((5, 5, 5, -7, -7, -7), (5, 5, 5, -7, -7, -7)),
            zeros=((5, 0, 0, -7, 0, 0), (0, 0, 0, 0, 0, 0)),
        )
        yield Case("height and width differ", (row, (2, 3)), visible=True, expected=grown)
        both = np.array([[[[1.0]], [[2]]], [[[3]], [[4]]]])
        grown = [
            [[[value, 0 if nails else value]] for value in image] for image in ((1, 2), (3, 4))
        ]
        yield Case("channels and batch", (both, (1, 2)), visible=True, expected=grown)
        single = np.float32([[[[6, 8]]]])
        grown = [[[[6, 0, 8, 0]]]] if nails else [[[[6, 6, 8, 8]]]]
        yield Case(
            "dtype and inputs",
            (single, (1, 2)),
            visible=True,
            expected=np.float32(grown),
            exact_dtype=True,
        )
        for _ in range(9):
            shape = 1, 1, _int(rng, 1, 4), _int(rng, 1, 4)
            yield Case("square windows", (whole_numbers(rng, *shape), _int(rng, 1, 4)))
        yield Case("square windows", (whole_numbers(rng, 1, 1, 1, 1), 3))
        yield Case("square windows", (whole_numbers(rng, 1, 1, 3, 4), 1))
        yield Case("square windows", (whole_numbers(rng, 1, 1, 2, 3), 3))
        for _ in range(9):
            shape = 1, 1, _int(rng, 1, 4), _int(rng, 1, 4)
            k = _int(rng, 1, 4)
            yield Case(
                "height and width differ",
                (whole_numbers(rng, *shape), (k, k % 4 + 1)),
            )
        yield Case("height and width differ", (whole_numbers(rng, 1, 1, 3, 2), (2, 3)))
        yield Case("height and width differ", (whole_numbers(rng, 1, 1, 2, 2), (1, 3)))
        yield Case("height and width differ", (whole_numbers(rng, 1, 1, 2, 2), (3, 1)))
        for _ in range(9):
            shape = _int(rng, 1, 3), _int(rng, 2, 3), _int(rng, 1, 4), _int(rng, 1, 4)
            yield Case("channels and batch", (whole_numbers(rng, *shape), (_int(rng, 1, 3), 2)))
        yield Case("channels and batch", (whole_numbers(rng, 3, 2, 2, 3), 2))
        for x in _variants(rng, 2, 2, 3, 4):
            yield Case("dtype and inputs", (x, (2, 3)), exact_dtype=True)

    return cases


GROW_ASPECTS = (
    Aspect("square windows", 1),
    Aspect("height and width differ", 1),
    Aspect("channels and batch", 1),
    Aspect("dtype and inputs", 1),
)


def _grown_size(x, k):
    (kh, kw), (h, w) = _pair(k), x.shape[2:]
    return f"Every element gets a window of {kh}×{kw}: {h}·{kh} rows and {w}·{kw} columns."


def _window_of(at, x, k):
    kh, kw = _pair(k)
    image, channel, i, j = at
    return image, channel, i // kh, j // kw


def _repeat_explain(at, x, k):
    source = _window_of(at, x, k)
    return f"It lies in the window of x[{', '.join(map(str, source))}]."


def _nails_explain(at, x, k):
    kh, kw = _pair(k)
    source = _window_of(at, x, k)
    corner = not (at[2] % kh or at[3] % kw)
    which = "the top-left" if corner else "not the top-left"
    return f"It is {which} of the window of x[{', '.join(map(str, source))}]."


def _repeated(x, kh, kw):
    return np.asarray(x).repeat(kh, axis=2).repeat(kw, axis=3)


def _nails(x, kh, kw, row=0, column=0):
    """Return zeros with each value at (row, column) of its window."""
    n, c, h, w = x.shape
    out = np.zeros((n, c, h * kh, w * kw), x.dtype)
    out[:, :, row::kh, column::kw] = x
    return out


def _in_blocks(x, k, block):
    """Lay `block` times each value into that value's window."""
    kh, kw = _pair(k)
    return _repeated(x, kh, kw) * np.tile(block(kh, kw), x.shape[2:])


def _growing(name, title, message, section, fn):
    return Misconception(
        name, title, message, f"{BACK}#{section}", lambda x, k: fn(np.asarray(x), *_pair(k))
    )


REPEAT = Spec(
    name="unpool_repeat",
    title="Unpooling by repeating",
    summary="Fill each window with copies of its value.",
    chapter=f"{BACK}#repeat",
    parameters="x, k",
    minutes=10,
    difficulty="easy",
    aspects=GROW_ASPECTS,
    cases=_grow_cases(nails=False),
    oracles={"PyTorch": torch_repeat, "TensorFlow": tf_repeat},
    explain=_repeat_explain,
    size_formula=_grown_size,
    misconceptions=(
        _growing(
            "tiled",
            "The whole map is repeated",
            "Copies of the whole map stand side by side. Each value is to be repeated on the spot, "
            "next to itself.",
            "repeat",
            lambda x, kh, kw: np.tile(x, (1, 1, kh, kw)),
        ),
        _growing(
            "pair-read-as-width-height",
            "The pair is read as (width, height)",
            "The first number of the pair is taken for the width. In arrays, the height comes "
            "first.",
            "repeat",
            lambda x, kh, kw: _repeated(x, kw, kh),
        ),
        _growing(
            "columns-only",
            "Only the columns are repeated",
            "Each row has grown, but there are as many rows as before. The window has a height "
            "too.",
            "repeat",
            lambda x, kh, kw: x.repeat(kw, axis=3),
        ),
        _growing(
            "rows-only",
            "Only the rows are repeated",
            "There are more rows, but each is as long as before. The window has a width too.",
            "repeat",
            lambda x, kh, kw: x.repeat(kh, axis=2),
        ),
        _growing(
            "in-one-long-row",
            "The copies run on in one row",
            "Each value stands there as many times as its window is large, but one after the other "
            "along the row. A window spreads over several rows.",
            "repeat",
            lambda x, kh, kw: x.repeat(kh * kw).reshape(
                *x.shape[:2], x.shape[2] * kh, x.shape[3] * kw
            ),
        ),
        _growing(
            "channels-grow",
            "Other axes are repeated",
            "The axes of channels and rows are repeated, as if channels came last. Here they come "
            "second: image, channel, row, column.",
            "repeat",
            lambda x, kh, kw: x.repeat(kh, axis=1).repeat(kw, axis=2),
        ),
        _growing(
            "shared-out",
            "The value is shared out",
            "The value is divided among the places of its window. That would undo a sum; here "
            "every place gets the whole value.",
            "repeat",
            lambda x, kh, kw: _repeated(x, kh, kw) / (kh * kw),
        ),
        _growing(
            "placed-not-repeated",
            "Zeros instead of copies",
            "Each value stands once in its window, with zeros around it. That is the bed of nails; "
            "here the whole window is filled.",
            "bed-of-nails",
            _nails,
        ),
        _growing(
            "one-copy-too-many",
            "One copy too many",
            "k copies are added to the value that is there already. There are k of them in all.",
            "repeat",
            lambda x, kh, kw: _repeated(x, kh + 1, kw + 1),
        ),
        _growing(
            "twice-whatever-k",
            "The window is always 2 × 2",
            "Everything is doubled, whatever k says.",
            "repeat",
            lambda x, kh, kw: _repeated(x, 2, 2),
        ),
        _growing(
            "interpolated",
            "The values fade into each other",
            "Between two values there is a slope. Repeating makes steps: all the places of a "
            "window have the same value.",
            "repeat",
            lambda x, kh, kw: _faded(_faded(x, kh, 2), kw, 3),
        ),
    ),
)


def _faded(x, k, axis):
    """Interpolate linearly along one axis, between the middles of the pixels."""
    n = x.shape[axis]
    at = np.clip((np.arange(n * k) + 0.5) / k - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
    high = np.minimum(low + 1, n - 1)
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


NAILS = Spec(
    name="unpool_bed_of_nails",
    title="Unpooling on a bed of nails",
    summary="Put each value at the top-left of its window, and zeros around it.",
    chapter=f"{BACK}#bed-of-nails",
    parameters="x, k",
    minutes=12,
    difficulty="easy",
    aspects=GROW_ASPECTS,
    cases=_grow_cases(nails=True),
    oracles={"PyTorch": torch_bed_of_nails, "TensorFlow": tf_bed_of_nails},
    explain=_nails_explain,
    size_formula=_grown_size,
    misconceptions=(
        _growing(
            "repeated-not-placed",
            "Copies instead of zeros",
            "The whole window is filled. On a bed of nails the value stands once, and the rest of "
            "its window is zero.",
            "repeat",
            _repeated,
        ),
        _growing(
            "bottom-right",
            "The value stands at the bottom right",
            "The value stands in the last place of its window. It belongs in the first, the "
            "top-left.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kh, kw, kh - 1, kw - 1),
        ),
        _growing(
            "in-the-middle",
            "The value stands in the middle",
            "The value stands in the middle of its window. It belongs in the first place, the "
            "top-left.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kh, kw, (kh - 1) // 2, (kw - 1) // 2),
        ),
        _growing(
            "on-the-diagonal",
            "The value stands on the diagonal",
            "The value is repeated down the diagonal of its window. It stands there once.",
            "bed-of-nails",
            lambda x, kh, kw: _in_blocks(x, (kh, kw), np.eye),
        ),
        _growing(
            "nothing-after-the-last",
            "No zeros after the last value",
            "There are zeros between the values, but none after the last ones. The last window is "
            "as large as the others.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kh, kw)[
                :, :, : kh * (x.shape[2] - 1) + 1, : kw * (x.shape[3] - 1) + 1
            ],
        ),
        _growing(
            "k-zeros-between",
            "One zero too many in each gap",
            "Between two values there are k zeros. Neighbours have to come to stand k places "
            "apart, which takes one zero fewer.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kh + 1, kw + 1),
        ),
        _growing(
            "all-in-one-corner",
            "The zeros stand at the end",
            "The values stay side by side in one corner, and the zeros are put after them. Every "
            "value has a window of its own.",
            "bed-of-nails",
            lambda x, kh, kw: np.pad(
                x, ((0, 0), (0, 0), (0, (kh - 1) * x.shape[2]), (0, (kw - 1) * x.shape[3]))
            ),
        ),
        _growing(
            "pair-read-as-width-height",
            "The pair is read as (width, height)",
            "The first number of the pair is taken for the width. In arrays, the height comes "
            "first.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kw, kh),
        ),
        _growing(
            "multiplied-by-the-window",
            "The value is multiplied by the window's size",
            "Each value is as many times larger as its window has places, which keeps the mean. "
            "Here the value stays what it is.",
            "bed-of-nails",
            lambda x, kh, kw: _nails(x, kh, kw) * kh * kw,
        ),
        _growing(
            "first-row-filled",
            "The first row of the window is filled",
            "Zeros stand between the rows, but along a row the value is repeated. There is one "
            "value in each window.",
            "bed-of-nails",
            lambda x, kh, kw: _repeated(_nails(x, kh, 1), 1, kw),
        ),
        _growing(
            "first-column-filled",
            "The first column of the window is filled",
            "Zeros stand between the columns, but down a column the value is repeated. There is "
            "one value in each window.",
            "bed-of-nails",
            lambda x, kh, kw: _repeated(_nails(x, 1, kw), kh, 1),
        ),
    ),
)


# -- max_unpool2d ----------------------------------------------------------------------------


def _back_size(x, kernel_size, stride=None, padding=0):
    """Return the size that `max_unpool2d` gives unless it is told one."""
    k, p = _pair(kernel_size), _pair(padding)
    s = k if stride is None else _pair(stride)
    return tuple((x.shape[2 + a] - 1) * s[a] - 2 * p[a] + k[a] for a in (0, 1))


def _unpool_case(rng, aspect, shape, kernel, stride=None, padding=0, *, sized=False, **more):
    """Pool an input of this shape and ask for the way back, told its size if `sized`."""
    y, indices = _pool(_distinct(rng, *shape), kernel, stride, padding)
    kwargs = {"stride": stride} if stride is not None else {}
    kwargs |= {"padding": padding} if padding else {}
    kwargs |= {"output_size": shape[2:]} if sized else {}
    return Case(aspect, (y, indices, kernel), kwargs, **more)


def _fitting(rng, rows, kernel, stride, padding):
    """Return the size of an input that `rows` windows cover to the last place."""
    return tuple((rows[a] - 1) * stride[a] + kernel[a] - 2 * padding[a] for a in (0, 1))


def _unpool_cases(rng) -> Iterator[Case]:
    side, overlap, lost = "windows side by side", "windows that overlap", "lost sizes"
    y, at = np.array([[[[5.0, 9]]]]), np.array([[[[1, 6]]]])
    grown = [[[[0, 5, 0, 0], [0, 0, 9, 0]]]]
    yield Case(side, (y, at, 2), visible=True, expected=grown)
    y, at = np.array([[[[4.0]], [[8]]]]), np.array([[[[3]], [[0]]]])
    grown = [[[[0, 0], [0, 4]], [[8, 0], [0, 0]]]]
    yield Case(side, (y, at, 2), visible=True, expected=grown)
    y, at = np.full((1, 1, 2, 2), 9.0), np.full((1, 1, 2, 2), 4)
    grown = [[[[0, 0, 0], [0, 9, 0], [0, 0, 0]]]]
    yield Case(overlap, (y, at, 2), {"stride": 1}, visible=True, expected=grown)
    y, at = np.array([[[[-3.0, -1]]]]), np.array([[[[0, 1]]]])
    grown = [[[[-3, -1]]]]
    yield Case("padding", (y, at, (1, 2)), {"padding": (0, 1)}, visible=True, expected=grown)
    y, at = np.array([[[[6.0, 8]]]]), np.array([[[[0, 8]]]])
    grown = [[[[6, 0, 0, 0, 0], [0, 0, 0, 8, 0]]]]
    yield Case(lost, (y, at, 2), {"output_size": (2, 5)}, visible=True, expected=grown)
    for size, why in (
        ((2, 6), "a row of 6 has three windows of 2, not two"),
        ((2, 2), "a row of 2 has only one window of 2"),
    ):
        yield Case("refusals", (y, at % 4, 2), {"output_size": size}, visible=True, refused=why)
    yield Case(
        "refusals",
        (y, np.array([[[[0, 8]]]]), 2),
        visible=True,
        refused="a plane of 2×4 has no place 8",
    )
    y, at = np.array([[[[4]]]], np.float32), np.array([[[[2]]]])
    grown = np.float32([[[[0, 0], [4, 0]]]])
    yield Case("dtype and inputs", (y, at, 2), visible=True, expected=grown, exact_dtype=True)
    for _ in range(8):
        k = _int(rng, 1, 3), _int(rng, 1, 3)
        shape = (
            _int(rng, 1, 3),
            _int(rng, 1, 3),
            *_fitting(rng, (_int(rng, 1, 3), _int(rng, 1, 4)), k, k, (0, 0)),
        )
        yield _unpool_case(rng, side, shape, k)
    yield _unpool_case(rng, side, (2, 3, 4, 6), 2)
    yield _unpool_case(rng, side, (1, 1, 1, 1), 1)
    yield _unpool_case(rng, side, (2, 2, 6, 4), (3, 2))
    for _ in range(8):
        k = _int(rng, 2, 3), _int(rng, 2, 4)
        s = _int(rng, 1, k[0]), _int(rng, 1, k[1] - 1)
        shape = (
            _int(rng, 1, 2),
            _int(rng, 1, 2),
            *_fitting(rng, (_int(rng, 1, 4), _int(rng, 2, 4)), k, s, (0, 0)),
        )
        yield _unpool_case(rng, overlap, shape, k, s)
    yield _unpool_case(rng, overlap, (2, 2, 5, 4), 2, 1)
    yield _unpool_case(rng, overlap, (1, 2, 5, 7), 3, 2)
    for _ in range(8):
        k = _int(rng, 2, 4), _int(rng, 2, 4)
        s = _int(rng, 1, 4), _int(rng, 2, 4)
        p = _int(rng, 0, k[0] // 2), _int(rng, 1, k[1] // 2)
        shape = (
            _int(rng, 1, 2),
            _int(rng, 1, 2),
            *_fitting(rng, (_int(rng, 2, 3), _int(rng, 2, 4)), k, s, p),
        )
        yield _unpool_case(rng, "padding", shape, k, s, p)
    yield _unpool_case(rng, "padding", (2, 2, 5, 7), 3, 2, 1)
    yield _unpool_case(rng, "padding", (1, 2, 4, 6), 2, 2, 1, sized=True)
    for _ in range(8):
        k = _int(rng, 2, 3), _int(rng, 2, 4)
        fit = _fitting(rng, (_int(rng, 1, 3), _int(rng, 1, 3)), k, k, (0, 0))
        shape = (
            _int(rng, 1, 2),
            _int(rng, 1, 2),
            fit[0] + _int(rng, 0, k[0] - 1),
            fit[1] + _int(rng, 1, k[1] - 1),
        )
        yield _unpool_case(rng, lost, shape, k, sized=True)
    yield _unpool_case(rng, lost, (2, 2, 7, 5), 2, sized=True)
    yield _unpool_case(rng, lost, (2, 1, 7, 8), 2, 3, sized=True)  # gaps between the windows
    for _ in range(4):
        k, (h, w) = _int(rng, 2, 3), (_int(rng, 1, 3), _int(rng, 2, 3))
        y, at = _pool(_distinct(rng, 1, 2, h * k, w * k), k)
        for size, which in (((h * k + k, w * k), "rows"), ((h * k, w * k - k), "columns")):
            kwargs = {"output_size": size}
            why = f"a plane of {size[0]}×{size[1]} does not have that many {which} of windows"
            yield Case("refusals", (y, at % 2, k), kwargs, refused=why)
        wild = at.copy()
        wild.flat[_int(rng, 0, at.size - 1)] = h * w * k * k + _int(rng, 0, 5)
        yield Case("refusals", (y, wild, k), refused=f"no place {wild.max()} in {h * k}×{w * k}")
        wild = at.copy()
        wild.flat[_int(rng, 0, at.size - 1)] = -_int(rng, 1, h * w)
        yield Case("refusals", (y, wild, k), refused=f"an index of {wild.min()} is no place")
    for x in _variants(rng, 2, 3, 2, 3):
        at = _pool(_distinct(rng, 2, 3, 5, 7), (3, 3), (2, 2))[1]
        at.flags.writeable = x.flags.writeable
        yield Case("dtype and inputs", (_valued(x, at), at, 3), {"stride": 2}, exact_dtype=True)


def _valued(x, indices):
    """Return `x` with equal values where indices repeat, in the same layout and as writeable."""
    values = {}
    equal = x.copy(order="K")
    if not x.flags.c_contiguous and equal.flags.c_contiguous:
        equal = np.repeat(equal, 2, axis=-1)[..., ::2]
    for at in np.ndindex(x.shape):
        equal[at] = values.setdefault((*at[:2], indices[at]), x[at])
    equal.flags.writeable = x.flags.writeable
    return equal


def _unpool_size(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    if output_size is not None:
        return f"output_size says {tuple(output_size)}."
    h, w = _back_size(x, kernel_size, stride, padding)
    return (
        "Each side is (n − 1)·stride − 2·padding + k long, as many places as the windows reach: "
        f"{h} rows and {w} columns."
    )


def _unpool_explain(at, x, indices, kernel_size, stride=None, padding=0, output_size=None):
    _, w = _back_size(x, kernel_size, stride, padding) if output_size is None else output_size
    image, channel, i, j = at
    place = i * w + j
    found = np.argwhere(indices[image, channel] == place)
    if not len(found):
        return f"That is place {place} of its plane, and no index names it: it stays 0."
    return (
        f"That is place {place} of its plane, which indices[{image}, {channel}, "
        f"{found[0][0]}, {found[0][1]}] names."
    )


def _asked_size(x, kernel_size, stride, padding, output_size):
    """Return the plane's size. Raises `ValueError` where PyTorch does."""
    size = _back_size(x, kernel_size, stride, padding)
    if output_size is None:
        return size
    strides = _pair(kernel_size if stride is None else stride)
    if any(abs(a - b) >= s for a, b, s in zip(output_size, size, strides, strict=True)):
        raise ValueError
    return tuple(output_size)


def _refuse(indices, size, *, negative=True, beyond=True):
    """Raise `ValueError` where an index is no place in a plane of this size."""
    if negative and indices.min(initial=0) < 0:
        raise ValueError
    if beyond and indices.max(initial=0) >= size[0] * size[1]:
        raise ValueError


def _write(x, indices, size):
    """Write each value where its index says, whatever stood there before."""
    n, c = x.shape[:2]
    out = np.zeros((n * c, size[0] * size[1]), x.dtype)
    out[np.arange(n * c)[:, None], indices.reshape(n * c, -1)] = x.reshape(n * c, -1)
    return out.reshape(n, c, *size)


def _written(fn):
    """Return a wrong `max_unpool2d`, which refuses what it should: `fn(x, at, size, a)`.

    `a` holds k, s and p as pairs, and `default`, the size where none is asked for.
    """

    def unpool(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        x, indices = np.asarray(x), np.asarray(indices)
        size = _asked_size(x, kernel_size, stride, padding, output_size)
        _refuse(indices, size)
        k = _pair(kernel_size)
        a = SimpleNamespace(
            k=k,
            s=k if stride is None else _pair(stride),
            p=_pair(padding),
            default=_back_size(x, kernel_size, stride, padding),
            sized=output_size is not None,
        )
        return fn(x, indices, size, a)

    return unpool


def _to_size(out, size):
    """Crop or fill with zeros, at the bottom and the right."""
    out = out[:, :, : size[0], : size[1]]
    more = ((0, 0), (0, 0), *((0, size[a] - out.shape[2 + a]) for a in (0, 1)))
    return np.pad(out, more)


def _add(x, indices, size):
    n, c = x.shape[:2]
    out = np.zeros((n * c, size[0] * size[1]), x.dtype)
    np.add.at(out, (np.arange(n * c)[:, None], indices.reshape(n * c, -1)), x.reshape(n * c, -1))
    return out.reshape(n, c, *size)


def _through(x, at, size, remap):
    """Write with each index changed by `remap(row, column)`; what falls outside is lost."""
    place = remap(*np.divmod(at, size[1]))
    inside = (place >= 0) & (place < size[0] * size[1])
    n, c = x.shape[:2]
    out = np.zeros((n, c, size[0] * size[1]), x.dtype)
    image, channel = np.indices(x.shape)[:2]
    out[image[inside], channel[inside], place[inside]] = x[inside]
    return out.reshape(n, c, *size)


def _cornered(x, at, size, a):
    i, j = np.indices(x.shape)[2:]
    row, column = np.maximum(i * a.s[0] - a.p[0], 0), np.maximum(j * a.s[1] - a.p[1], 0)
    return _write(x, row * size[1] + column, size)


def _filled(x, at, size, a):
    """Fill each window with its value; where windows overlap, the later one wins."""
    out = np.zeros((*x.shape[:2], *size), x.dtype)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            top, left = i * a.s[0] - a.p[0], j * a.s[1] - a.p[1]
            rows = slice(max(top, 0), max(top + a.k[0], 0))
            columns = slice(max(left, 0), max(left + a.k[1], 0))
            out[:, :, rows, columns] = x[:, :, i, j, None, None]
    return out


def _other_default(size_of):
    """Return a wrong `max_unpool2d` whose size, where none is asked for, is `size_of(x, a)`."""

    def fn(x, at, size, a):
        if a.sized:
            return _write(x, at, size)
        other = size_of(x, a)
        if min(other) < 1:
            raise IndexError
        return _drop(x, at, other)

    return _written(fn)


def _drop(x, indices, size):
    """Write each value where its index says; what is beyond the plane is lost."""
    return _through(x, indices, size, lambda row, column: row * size[1] + column)


def _any_size_taken(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    size = output_size or _back_size(x, kernel_size, stride, padding)
    _refuse(indices, size)
    return _write(x, indices, size)


def _nothing_refused(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    return _write(x, indices, output_size or _back_size(x, kernel_size, stride, padding))


def _negative_taken(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    size = _asked_size(x, kernel_size, stride, padding, output_size)
    _refuse(indices, size, negative=False)
    return _write(x, indices, size)


def _wild_dropped(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    size = _asked_size(x, kernel_size, stride, padding, output_size)
    _refuse(indices, size, beyond=False)
    return _drop(x, indices, size)


UNPOOL = Spec(
    name="max_unpool2d",
    title="Unpooling with switches",
    summary="Put each maximum back where it was, and zeros everywhere else.",
    chapter=f"{BACK}#with-switches",
    parameters="x, indices, kernel_size, stride=None, padding=0, output_size=None",
    minutes=35,
    difficulty="hard",
    aspects=(
        Aspect("windows side by side", 2),
        Aspect("windows that overlap", 1),
        Aspect("padding", 1),
        Aspect("lost sizes", 1),
        Aspect("refusals", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_unpool_cases,
    oracles={"PyTorch": torch_max_unpool2d, "TensorFlow": tf_max_unpool2d},
    explain=_unpool_explain,
    size_formula=_unpool_size,
    misconceptions=(
        Misconception(
            "duplicates-add",
            "Values that meet are added",
            "Where two windows share their maximum, it is counted twice. It is one and the same "
            "value, and it is put back once.",
            f"{BACK}#overlap-duplicates",
            _written(lambda x, at, size, a: _add(x, at, size)),
        ),
        Misconception(
            "repeated",
            "The window is filled",
            "Every place of the window gets the value. Unpooling puts it back in one place, the "
            "one that the index names.",
            f"{BACK}#with-switches",
            _written(_filled),
        ),
        Misconception(
            "always-top-left",
            "The value stands at the window's top-left",
            "The value is put at the first place of its window, whatever the index says.",
            f"{BACK}#with-switches",
            _written(_cornered),
        ),
        Misconception(
            "width-of-the-pooled-map",
            "The index is read with the pooled width",
            "The index is taken apart with the width of the small map. It counts along the rows "
            "of the large one.",
            f"{BACK}#with-switches",
            _written(
                lambda x, at, size, a: _through(
                    x,
                    at,
                    size,
                    lambda row, column: (
                        (row * size[1] + column) // x.shape[3] * size[1]
                        + (row * size[1] + column) % x.shape[3]
                    ),
                )
            ),
        ),
        Misconception(
            "all-into-the-first-plane",
            "Everything lands in the first plane",
            "The values of all planes are written into the first one. Each index counts from 0 "
            "in its own plane.",
            f"{BACK}#with-switches",
            _written(
                lambda x, at, size, a: _write(
                    x.reshape(1, 1, 1, -1),
                    at.reshape(1, 1, 1, -1),
                    (x[..., 0, 0].size, size[0] * size[1]),
                ).reshape(*x.shape[:2], *size)
            ),
        ),
        Misconception(
            "columns-first",
            "The index is read down the columns",
            "The index is taken to run down the first column, then the second. It runs along the "
            "rows.",
            f"{BACK}#with-switches",
            _written(
                lambda x, at, size, a: _through(
                    x,
                    at,
                    size,
                    lambda row, column: (
                        (row * size[1] + column) % size[0] * size[1]
                        + (row * size[1] + column) // size[0]
                    ),
                )
            ),
        ),
        Misconception(
            "output-size-ignored",
            "output_size is ignored",
            "The result has the smallest size that the windows fill. `output_size` says how large "
            "the input really was.",
            f"{BACK}#lost-sizes",
            _written(lambda x, at, size, a: _drop(x, at, a.default)),
        ),
        Misconception(
            "resized-afterwards",
            "output_size is applied too late",
            "The values are put into a plane of the usual size, and that is then made to fit. The "
            "indices were counted in a plane of `output_size`, whose rows have another length.",
            f"{BACK}#lost-sizes",
            _written(lambda x, at, size, a: _to_size(_drop(x, at, a.default), size)),
        ),
        Misconception(
            "output-size-swapped",
            "output_size is read as (width, height)",
            "The first number of `output_size` is taken for the width. In arrays, the height "
            "comes first.",
            f"{BACK}#lost-sizes",
            _written(lambda x, at, size, a: _write(x, at, size[::-1] if a.sized else size)),
        ),
        Misconception(
            "size-is-n-times-stride",
            "The size is n · stride",
            "Each side is n·stride long. That holds only where the windows are as long as the "
            "stride and nothing was padded.",
            f"{BACK}#lost-sizes",
            _other_default(lambda x, a: tuple(x.shape[2 + i] * a.s[i] for i in (0, 1))),
        ),
        Misconception(
            "size-is-n-times-kernel",
            "The size is n · k",
            "Each side is n·k long, as if the windows never overlapped. They lie a stride apart.",
            f"{BACK}#lost-sizes",
            _other_default(lambda x, a: tuple(x.shape[2 + i] * a.k[i] for i in (0, 1))),
        ),
        Misconception(
            "padding-ignored",
            "The padding is kept",
            "The result is as large as the padded input was. The padding belonged to nobody and "
            "does not come back.",
            f"{BACK}#lost-sizes",
            _other_default(
                lambda x, a: tuple((x.shape[2 + i] - 1) * a.s[i] + a.k[i] for i in (0, 1))
            ),
        ),
        Misconception(
            "padding-added",
            "The padding is added",
            "The result grows by the padding. In pooling the padding made the input larger; on "
            "the way back it goes.",
            f"{BACK}#lost-sizes",
            _other_default(
                lambda x, a: tuple(
                    (x.shape[2 + i] - 1) * a.s[i] + a.k[i] + 2 * a.p[i] for i in (0, 1)
                )
            ),
        ),
        Misconception(
            "nothing-refused",
            "Nothing is refused",
            "Any size and any index is taken as it comes. A size from which pooling could not have "
            "made this map, or an index that is no place in the plane, is somebody's mistake: say "
            "so.",
            f"{BACK}#lost-sizes",
            _nothing_refused,
        ),
        Misconception(
            "any-size-taken",
            "Any output_size is taken",
            "A size is accepted that lies too far from the usual one. The difference has to be "
            "less than a stride in each direction.",
            f"{BACK}#lost-sizes",
            _any_size_taken,
        ),
        Misconception(
            "negative-index-taken",
            "A negative index counts from the end",
            "NumPy takes a negative index to count from the end, so nothing stops it. It is no "
            "place in the plane.",
            f"{BACK}#with-switches",
            _negative_taken,
        ),
        Misconception(
            "wild-index-dropped",
            "An index beyond the plane is passed over",
            "A value whose index lies beyond the plane is lost without a word. Somebody has mixed "
            "up two maps and should be told.",
            f"{BACK}#with-switches",
            _wild_dropped,
        ),
    ),
)


# -- predict first: what scattering makes of an overlap --------------------------------------


def _scattered_by_torch():
    import torch

    places, values = torch.full((9,), 12), torch.full((9,), 7.0)
    return torch.zeros(25).index_add(0, places, values)[12].item()


def _scattered_by_tf():
    tf = tensorflow()
    return tf.scatter_nd(tf.fill([9, 1], 12), tf.fill([9], 7.0), [25])[12].numpy()


def _guess_overlap(name, title, message, answer):
    section = f"{BACK}#overlap-duplicates"
    return Misconception(name, title, message, section, lambda: answer)


PREDICT_OVERLAP = Spec(
    name="predict_scattered_centre",
    title="Predict first: what does scattering make of an overlap?",
    summary="Work out on paper what `tf.scatter_nd` writes where all windows share a maximum.",
    chapter=f"{BACK}#overlap-duplicates",
    parameters="",
    minutes=3,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={"PyTorch": _scattered_by_torch, "TensorFlow": _scattered_by_tf},
    misconceptions=(
        _guess_overlap(
            "written-once",
            "Written once",
            "This is what unpooling should give. `tf.scatter_nd` does not overwrite: values that "
            "meet are added.",
            7,
        ),
        _guess_overlap(
            "one-axis",
            "Windows along one side only",
            "This counts the windows along one side. They move down as well as across.",
            21,
        ),
        _guess_overlap(
            "four-windows",
            "Four windows counted",
            "Four windows would share the maximum if they were 2 × 2. These are 3 × 3: count the "
            "rows and the columns in which such a window may begin.",
            28,
        ),
        _guess_overlap(
            "counts",
            "The number of windows",
            "This is how many windows have their maximum there. Each of them brings its value.",
            9,
        ),
        _guess_overlap(
            "shared-out",
            "Shared out",
            "The value is not shared among the windows. Each has the whole maximum.",
            7 / 9,
        ),
        _guess_overlap(
            "multiplied",
            "Multiplied",
            "Values that meet are added, not multiplied.",
            7**9,
        ),
    ),
)


# -- max_unpool_nhwc -------------------------------------------------------------------------


def _nhwc_driver(fn, pooled, argmax, output_shape, under=None):
    """Call `fn` with TensorFlow's tensors, plainly or under what the case names.

    Meanwhile TensorFlow's native code may write to nowhere only: nbgrader gives a test cell with
    stderr no points.
    """
    import os

    from autograde.calling import NotAsked

    def unpool(pooled, argmax, output_shape):
        import tensorflow as tf

        y = fn(pooled, argmax, output_shape)
        if not isinstance(y, tf.Tensor):
            raise NotAsked(f"returned {type(y).__name__}, not a TensorFlow tensor.")
        return y

    def run(pooled, argmax):
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        pooled, argmax = tf.constant(pooled), tf.constant(argmax)
        if under == "tf.GradientTape":
            with tf.GradientTape() as tape:
                tape.watch(pooled)
                y = unpool(pooled, argmax, output_shape)
                weights = tf.range(1, tf.size(y) + 1)
                weighted = tf.reduce_sum(y * tf.reshape(tf.cast(weights, y.dtype), tf.shape(y)))
            gradient = tape.gradient(weighted, pooled)
            if gradient is None:
                raise NotAsked("has no gradient: on the way the values left TensorFlow.")
            return tf.convert_to_tensor(gradient).numpy()
        y = unpool(pooled, argmax, output_shape)  # an error here reads better than a traced one
        if under == "tf.function":
            unknown = [None] * 4
            signature = [
                tf.TensorSpec(unknown, pooled.dtype),
                tf.TensorSpec(unknown, argmax.dtype),
                tf.TensorSpec([4], tf.int32),
            ]
            traced = tf.function(unpool, input_signature=signature)
            y = traced(pooled, argmax, tf.constant(output_shape, tf.int32))
        return y.numpy()

    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        return run(pooled, argmax)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _nhwc_case(rng, aspect, shape, kernel, stride=None, *, dtype=np.float64, **more):
    """Pool an input of shape (n, h, w, c) as TensorFlow does, SAME, and ask for the way back."""
    n, h, w, c = shape
    (kh, kw), (sh, sw) = _pair(kernel), _pair(kernel if stride is None else stride)
    x = np.moveaxis(_distinct(rng, n, h, w, c, dtype=dtype), 3, 1)
    short = [max((-(-a // s) - 1) * s + k - a, 0) for a, k, s in ((h, kh, sh), (w, kw, sw))]
    front = [a // 2 for a in short]
    ends = [(f, a - f) for f, a in zip(front, short, strict=True)]
    x = np.pad(x, ((0, 0), (0, 0), *ends), constant_values=-np.inf)
    pooled, argmax = _pool(
        x,
        (kh, kw),
        (sh, sw),
        index=lambda p: ((p.row - front[0]) * w + p.column - front[1]) * c + p.channel,
    )
    pooled, argmax = (np.ascontiguousarray(np.moveaxis(a, 1, 3)) for a in (pooled, argmax))
    return Case(aspect, (pooled, argmax, shape), **more)


def _nhwc_cases(rng) -> Iterator[Case]:
    one, several, overlap, traced, gradient = (
        "one plane", "channels and batch", "windows that overlap", "in tf.function", "gradient"
    )  # fmt: skip
    y, at = np.array([[[[5.0], [9]]]]), np.array([[[[1], [6]]]])
    grown = [[[[0], [5], [0], [0]], [[0], [0], [9], [0]]]]
    yield Case(one, (y, at, (1, 2, 4, 1)), visible=True, expected=grown)
    y, at = np.array([[[[5.0, 7]]], [[[9, 3]]]]), np.array([[[[2, 1]]], [[[0, 3]]]])
    grown = [[[[0, 7], [5, 0]]], [[[9, 0], [0, 3]]]]
    yield Case(several, (y, at, (2, 1, 2, 2)), visible=True, expected=grown)
    y, at = np.full((1, 2, 2, 1), 9.0), np.full((1, 2, 2, 1), 4)
    grown = [[[[0], [0], [0]], [[0], [9], [0]], [[0], [0], [0]]]]
    yield Case(overlap, (y, at, (1, 3, 3, 1)), visible=True, expected=grown)
    y, at = np.array([[[[5.0]]], [[[9]]]]), np.array([[[[1]]], [[[0]]]])
    grown = [[[[0], [5]]], [[[9], [0]]]]
    kwargs = {"under": "tf.function"}
    yield Case(traced, (y, at, (2, 1, 2, 1)), kwargs, visible=True, expected=grown)
    kwargs = {"under": "tf.GradientTape"}
    grown = [[[[2]]], [[[3]]]]
    yield Case(gradient, (y, at, (2, 1, 2, 1)), kwargs, visible=True, expected=grown)
    y, at = np.float32([[[[5.0]]]]), np.array([[[[1]]]])
    grown = np.float32([[[[0], [5]]]])
    yield Case("dtype", (y, at, (1, 1, 2, 1)), visible=True, expected=grown, exact_dtype=True)
    for _ in range(7):
        shape = 1, _int(rng, 1, 7), _int(rng, 2, 7), 1
        yield _nhwc_case(rng, one, shape, (_int(rng, 1, 3), _int(rng, 1, 3)))
    yield _nhwc_case(rng, one, (1, 1, 1, 1), 1)
    yield _nhwc_case(rng, one, (1, 5, 7, 1), 2)
    yield _nhwc_case(rng, one, (1, 6, 4, 1), 2)
    for _ in range(8):
        shape = _int(rng, 1, 3), _int(rng, 2, 6), _int(rng, 2, 6), _int(rng, 1, 4)
        yield _nhwc_case(rng, several, shape, (_int(rng, 1, 2), _int(rng, 1, 3)))
    yield _nhwc_case(rng, several, (3, 4, 6, 2), 2)
    yield _nhwc_case(rng, several, (2, 5, 3, 3), 2)
    for _ in range(6):
        shape = _int(rng, 1, 2), _int(rng, 3, 6), _int(rng, 3, 6), _int(rng, 1, 3)
        yield _nhwc_case(rng, overlap, shape, (_int(rng, 2, 3), 3), (_int(rng, 1, 2), 1))
    yield _nhwc_case(rng, overlap, (2, 5, 6, 2), 3, 2)
    for _ in range(3):
        shape = 2, _int(rng, 2, 5), _int(rng, 3, 5), 2
        yield _nhwc_case(rng, traced, shape, 2, kwargs={"under": "tf.function"})
    yield _nhwc_case(rng, traced, (2, 4, 5, 3), 2, kwargs={"under": "tf.function"})
    for _ in range(4):
        shape = 2, _int(rng, 2, 5), _int(rng, 3, 5), 2
        yield _nhwc_case(rng, gradient, shape, 2, kwargs={"under": "tf.GradientTape"})
    for dtype in (np.float32, np.float64):
        yield _nhwc_case(rng, "dtype", (2, 4, 5, 2), 2, dtype=dtype, exact_dtype=True)


def _nhwc_explain(at, pooled, argmax, output_shape, under=None):
    image, i, j, channel = at
    if under == "tf.GradientTape":
        return (
            f"pooled[{image}, {i}, {j}, {channel}] was written to place {argmax[at]} of image "
            f"{image}, and gets what comes back from there. (Here 1, 2, 3, … comes back, place "
            "by place, from the first image to the last.)"
        )
    _, _, w, c = output_shape
    place = (i * w + j) * c + channel
    named = (argmax[image] == place).any()
    what = "which argmax names" if named else "which argmax does not name: it stays 0"
    return f"That is place {place} of image {image}, {what}."


def _flat_places(tf, argmax, output_shape):
    """Return where each value belongs in the whole output, flattened."""
    _, h, w, c = tf.unstack(tf.cast(output_shape, tf.int64))
    images = tf.reshape(tf.range(tf.shape(argmax, tf.int64)[0]), (-1, 1, 1, 1))
    return argmax + images * h * w * c


def _update(tf, pooled, places, output_shape):
    """Write each value to its place, as long as it is one."""
    total = tf.reduce_prod(output_shape)
    kept = tf.boolean_mask(
        tf.stack([tf.reshape(places, [-1]), tf.range(tf.size(pooled, tf.int64))], axis=1),
        tf.reshape((places >= 0) & (places < tf.cast(total, tf.int64)), [-1]),
    )
    values = tf.gather(tf.reshape(pooled, [-1]), kept[:, 1])
    flat = tf.tensor_scatter_nd_update(tf.zeros([total], pooled.dtype), kept[:, :1], values)
    return tf.reshape(flat, output_shape)


def _nhwc(name, title, message, section, fn):
    """Return a misconception from `fn(tf, pooled, argmax, output_shape)`."""
    return Misconception(
        name,
        title,
        message,
        section,
        lambda pooled, argmax, output_shape: fn(tensorflow(), pooled, argmax, output_shape),
    )


def _nhwc_added(tf, pooled, argmax, output_shape):
    places = tf.reshape(_flat_places(tf, argmax, output_shape), (-1, 1))
    total = tf.cast(tf.reduce_prod(output_shape), tf.int64)
    flat = tf.scatter_nd(places, tf.reshape(pooled, [-1]), [total])
    return tf.reshape(flat, output_shape)


def _nhwc_moved(tf, pooled, argmax, output_shape, order, back):
    """Write into an output whose axes stand in another `order`, and move them `back`."""
    shape = tf.gather(tf.convert_to_tensor(output_shape), order)
    written = _update(tf, pooled, _flat_places(tf, argmax, output_shape), shape)
    return tf.transpose(written, back)


def _nhwc_offset(tf, pooled, argmax, output_shape, each):
    """Write with `each(n, h, w, c)` places taken up by every image."""
    images = tf.reshape(tf.range(tf.shape(argmax, tf.int64)[0]), (-1, 1, 1, 1))
    sizes = tf.unstack(tf.cast(output_shape, tf.int64))
    return _update(tf, pooled, argmax + images * each(*sizes), output_shape)


def _nhwc_filled(tf, pooled, argmax, output_shape):
    """Repeat each value over its share of the output, cropped to size."""
    _, h, w, _ = tf.unstack(tf.cast(output_shape, tf.int32))
    rows, columns = tf.shape(pooled)[1], tf.shape(pooled)[2]
    y = tf.repeat(tf.repeat(pooled, -(-h // rows), axis=1), -(-w // columns), axis=2)
    return y[:, :h, :w]


def _nhwc_cornered(tf, pooled, argmax, output_shape):
    """Put each value at the top-left of its share of the output."""
    _, h, w, c = tf.unstack(tf.cast(output_shape, tf.int64))
    _, rows, columns, _ = tf.unstack(tf.shape(pooled, tf.int64))
    i = tf.reshape(tf.range(rows) * -(-h // rows), (-1, 1, 1))
    j = tf.reshape(tf.range(columns) * -(-w // columns), (-1, 1))
    places = tf.zeros_like(argmax) + (i * w + j) * c + tf.range(c)
    return _update(tf, pooled, _flat_places(tf, places, output_shape), output_shape)


def _nhwc_doubled(tf, pooled, argmax, output_shape):
    size = tf.shape(pooled) * [1, 2, 2, 1]
    return _update(tf, pooled, _flat_places(tf, argmax, size), size)


def _nhwc_unfilled(tf, pooled, argmax, output_shape):
    places = tf.reshape(_flat_places(tf, argmax, output_shape), [-1])
    greatest = tf.math.unsorted_segment_max(
        tf.reshape(pooled, [-1]), places, tf.reduce_prod(output_shape)
    )
    return tf.reshape(greatest, output_shape)


UNPOOL_NHWC = Spec(
    name="max_unpool_nhwc",
    title="Unpooling in TensorFlow",
    summary="Write the operation that TensorFlow does not have, with TensorFlow's own tools.",
    chapter=f"{BACK}#tf-unpooling",
    parameters="pooled, argmax, output_shape",
    minutes=30,
    difficulty="hard",
    aspects=(
        Aspect("one plane", 1),
        Aspect("channels and batch", 2),
        Aspect("windows that overlap", 1),
        Aspect("in tf.function", 1),
        Aspect("gradient", 1),
        Aspect("dtype", 1),
    ),
    cases=_nhwc_cases,
    oracles={"PyTorch": torch_unpool_nhwc, "TensorFlow": tf_unpool_nhwc},
    explain=_nhwc_explain,
    size_formula=lambda pooled, argmax, output_shape, under=None: (
        "`output_shape` says how large the result is."
        if under != "tf.GradientTape"
        else "A gradient has the shape of what it belongs to."
    ),
    rules=Rules(libraries=("numpy", "tensorflow"), seconds=20.0),
    driver=_nhwc_driver,
    misconceptions=(
        _nhwc(
            "duplicates-add",
            "Values that meet are added",
            "`tf.scatter_nd` adds what arrives at the same place. Where windows share their "
            "maximum, it is one value and stands there once.",
            f"{BACK}#overlap-duplicates",
            _nhwc_added,
        ),
        _nhwc(
            "all-into-the-first-image",
            "Everything lands in the first image",
            "In every image TensorFlow's argmax starts again at 0. Taken as places in the whole "
            "output, all of them lie in the first image.",
            f"{POOL}#batch-in-index",
            lambda tf, pooled, argmax, output_shape: _update(tf, pooled, argmax, output_shape),
        ),
        _nhwc(
            "image-counts-as-one-plane",
            "An image counts as one plane",
            "For each image the places move on by one plane. An image takes up as many places as "
            "it has planes, times their size.",
            f"{POOL}#batch-in-index",
            lambda tf, pooled, argmax, output_shape: _nhwc_offset(
                tf, pooled, argmax, output_shape, lambda n, h, w, c: h * w
            ),
        ),
        _nhwc(
            "image-as-large-as-pooled",
            "An image is as large as the pooled one",
            "For each image the places move on by the size of a pooled image. They are places in "
            "the output, which is larger.",
            f"{POOL}#batch-in-index",
            lambda tf, pooled, argmax, output_shape: _nhwc_offset(
                tf,
                pooled,
                argmax,
                output_shape,
                lambda n, h, w, c: tf.reduce_prod(tf.shape(pooled, tf.int64)[1:]),
            ),
        ),
        _nhwc(
            "channels-read-first",
            "The index is read as if channels came first",
            "The values are written as into planes that follow each other. In TensorFlow's index "
            "the channel is what changes fastest.",
            f"{POOL}#tf-argmax",
            lambda tf, pooled, argmax, output_shape: _nhwc_moved(
                tf, pooled, argmax, output_shape, [0, 3, 1, 2], [0, 2, 3, 1]
            ),
        ),
        _nhwc(
            "columns-first",
            "The index is read down the columns",
            "The index is taken to run down the first column, then the second. It runs along the "
            "rows.",
            f"{POOL}#flat-index",
            lambda tf, pooled, argmax, output_shape: _nhwc_moved(
                tf, pooled, argmax, output_shape, [0, 2, 1, 3], [0, 2, 1, 3]
            ),
        ),
        _nhwc(
            "repeated",
            "The window is filled",
            "Every place of the window gets the value. Unpooling puts it back in one place, the "
            "one that the argmax names.",
            f"{BACK}#with-switches",
            _nhwc_filled,
        ),
        _nhwc(
            "always-top-left",
            "The value stands at the window's top-left",
            "The value is put at the first place of its window, whatever the argmax says.",
            f"{BACK}#with-switches",
            _nhwc_cornered,
        ),
        _nhwc(
            "always-doubled",
            "The output is twice as large, always",
            "Height and width are doubled, whatever `output_shape` says. Windows may be larger "
            "than 2, overlap, or hang over the edge.",
            f"{BACK}#lost-sizes",
            _nhwc_doubled,
        ),
        _nhwc(
            "empty-places-not-zero",
            "The empty places are not zero",
            "Where no value arrives, the smallest number there is was left behind. Those places "
            "are to be 0.",
            f"{BACK}#tf-unpooling",
            _nhwc_unfilled,
        ),
    ),
)


# -- max_unpool2d_backward --------------------------------------------------------------------


def _backward_case(rng, aspect, shape, kernel, stride=None, **more):
    """Pool an input of this shape; a gradient of its size comes back to the unpooled map."""
    indices = _pool(_distinct(rng, *shape), kernel, stride)[1]
    return Case(aspect, (_distinct(rng, *shape), indices), **more)


def _backward_cases(rng) -> Iterator[Case]:
    one, several, overlap = "one plane", "channels and batch", "windows that overlap"
    g = np.array([[[[1.0, 2, 3, 4], [5, 6, 7, 8]]]])
    yield Case(one, (g, np.array([[[[1, 6]]]])), visible=True, expected=[[[[2, 7]]]])
    g = np.array([[[[1.0, 2]], [[3, 4]]], [[[5, 6]], [[7, 8]]]])
    at = np.array([[[[1]], [[0]]], [[[1]], [[1]]]])
    grown = [[[[2]], [[3]]], [[[6]], [[8]]]]
    yield Case(several, (g, at), visible=True, expected=grown)
    g, at = np.array([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]]]), np.full((1, 1, 2, 2), 4)
    yield Case(overlap, (g, at), visible=True, expected=[[[[5, 5], [5, 5]]]])
    g, at = np.float32([[[[1, 2], [3, 4]]]]), np.array([[[[2]]]])
    yield Case(
        "dtype and inputs",
        (g, at),
        visible=True,
        expected=np.float32([[[[3]]]]),
        exact_dtype=True,
    )
    for _ in range(8):
        kernel = _int(rng, 1, 3), _int(rng, 2, 3)
        shape = 1, 1, kernel[0] * _int(rng, 1, 3), kernel[1] * _int(rng, 1, 4)
        yield _backward_case(rng, one, shape, kernel)
    yield _backward_case(rng, one, (1, 1, 1, 1), 1)
    yield _backward_case(rng, one, (1, 1, 4, 6), 2)
    yield _backward_case(rng, one, (1, 1, 5, 7), 2)  # a size that was lost
    for _ in range(8):
        kernel = _int(rng, 1, 3), _int(rng, 2, 3)
        shape = _int(rng, 1, 3), _int(rng, 2, 3), kernel[0] * 2, kernel[1] * _int(rng, 1, 3)
        yield _backward_case(rng, several, shape, kernel)
    yield _backward_case(rng, several, (2, 3, 4, 6), 2)
    for _ in range(8):
        kernel = _int(rng, 2, 3), _int(rng, 2, 3)
        shape = _int(rng, 1, 2), _int(rng, 1, 2), 4 + _int(rng, 0, 2), 5 + _int(rng, 0, 2)
        yield _backward_case(rng, overlap, shape, kernel, 1)
    yield _backward_case(rng, overlap, (2, 2, 5, 7), 3, 2)
    for g in _variants(rng, 2, 3, 4, 6):
        at = _pool(_distinct(rng, 2, 3, 4, 6), 2)[1]
        at.flags.writeable = g.flags.writeable
        yield Case("dtype and inputs", (g, at), exact_dtype=True)


def _backward_explain(at, grad_output, indices):
    image, channel, i, j = at
    row, column = divmod(int(indices[at]), grad_output.shape[3])
    return (
        f"x[{image}, {channel}, {i}, {j}] was written to place {indices[at]} of its plane, which "
        f"is row {row}, column {column}."
    )


def _take(grad_output, indices, places=None):
    """Collect from each plane what stands at `places`, the indices unless given."""
    n, c = grad_output.shape[:2]
    flat = np.asarray(grad_output).reshape(n * c, -1)
    places = (indices if places is None else places).reshape(n * c, -1)
    return np.take_along_axis(flat, places, 1).reshape(indices.shape)


def _shares(grad_output, indices):
    """Return the window's height and width where the pooled map divides the plane."""
    return tuple(grad_output.shape[2 + a] // indices.shape[2 + a] for a in (0, 1))


def _windows(grad_output, indices):
    """Return the plane cut into windows: n, c, rows, kh, columns, kw."""
    (kh, kw), (n, c, rows, columns) = _shares(grad_output, indices), indices.shape
    cut = np.asarray(grad_output)[:, :, : rows * kh, : columns * kw]
    return cut.reshape(n, c, rows, kh, columns, kw)


def _earlier(indices):
    """Return where an index repeats one further on in its plane, and how often each occurs."""
    n, c = indices.shape[:2]
    flat = indices.reshape(n * c, -1)
    same = flat[:, :, None] == flat[:, None, :]
    again = np.triu(same, 1).any(-1).reshape(indices.shape)
    return again, same.sum(-1).reshape(indices.shape)


def _place_of(grad_output, indices, place):
    """Collect from `place(row, column)`, as far as that is in the plane."""
    h, w = grad_output.shape[2:]
    return _take(grad_output, indices, place(*np.divmod(indices, w)) % (h * w))


def _backward(name, title, message, section, fn):
    return Misconception(name, title, message, f"{BACK}#{section}", fn)


BACKWARD = Spec(
    name="max_unpool2d_backward",
    title="The gradient of unpooling",
    summary="Send the gradient of an unpooled map back to the pooled one.",
    chapter=f"{BACK}#unpool-gradient",
    parameters="grad_output, indices",
    minutes=20,
    difficulty="medium",
    aspects=(
        Aspect("one plane", 1),
        Aspect("channels and batch", 1),
        Aspect("windows that overlap", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_backward_cases,
    oracles={"PyTorch": torch_unpool_backward, "TensorFlow": tf_unpool_backward},
    explain=_backward_explain,
    size_formula=lambda grad_output, indices: (
        "A gradient has the shape of what it belongs to, here the pooled map, as the indices do."
    ),
    misconceptions=(
        _backward(
            "whole-window-summed",
            "The whole window is added up",
            "All the gradients in the window are added up. Only one place of the window depends "
            "on the value; the zeros around it do not.",
            "unpool-gradient",
            lambda g, at: _windows(g, at).sum((3, 5)),
        ),
        _backward(
            "whole-window-averaged",
            "The window is averaged",
            "The mean of the window's gradients comes back, as in average pooling. Only one place "
            "of the window depends on the value.",
            "unpool-gradient",
            lambda g, at: _windows(g, at).mean((3, 5)),
        ),
        _backward(
            "largest-gradient",
            "The largest gradient wins",
            "The gradient is max-pooled. Which place counts was decided on the way forward; the "
            "gradient there may be small, or negative.",
            "unpool-gradient",
            lambda g, at: _windows(g, at).max((3, 5)),
        ),
        _backward(
            "always-top-left",
            "The window's top-left is taken",
            "The gradient is taken from the first place of each window, whatever the index says.",
            "unpool-gradient",
            lambda g, at: _windows(g, at)[:, :, :, 0, :, 0],
        ),
        _backward(
            "all-from-the-first-plane",
            "Everything comes from the first plane",
            "All the indices are looked up in the first plane. Each counts from 0 in its own.",
            "unpool-gradient",
            lambda g, at: np.asarray(g).reshape(-1)[at],
        ),
        _backward(
            "columns-first",
            "The index is read down the columns",
            "The index is taken to run down the first column, then the second. It runs along the "
            "rows.",
            "with-switches",
            lambda g, at: _take(np.swapaxes(g, 2, 3), at),
        ),
        _backward(
            "width-of-the-pooled-map",
            "The index is read with the pooled width",
            "The index is taken apart with the width of the small map. It counts along the rows "
            "of the large one.",
            "with-switches",
            lambda g, at: _place_of(
                g,
                at,
                lambda row, column: (
                    (row * g.shape[3] + column) // at.shape[3] * g.shape[3]
                    + (row * g.shape[3] + column) % at.shape[3]
                ),
            ),
        ),
        _backward(
            "zeros-elsewhere",
            "The gradient is masked, not collected",
            "The result is still as large as the unpooled map, with zeros where nothing was "
            "written. What is asked for is one number for each value of the pooled map.",
            "unpool-gradient",
            lambda g, at: _masked(g, at),
        ),
        _backward(
            "scattered-again",
            "The gradient is unpooled again",
            "The first gradients are put where the indices say, as on the way forward. On the way "
            "back they are collected from there.",
            "unpool-gradient",
            lambda g, at: _write(g[:, :, : at.shape[2], : at.shape[3]], at, g.shape[2:]),
        ),
        _backward(
            "shared-by-duplicates",
            "Values at the same place share the gradient",
            "Where several values were written to one place, the gradient is divided among them. "
            "The frameworks give each of them the whole.",
            "unpool-gradient",
            lambda g, at: _take(g, at) / _earlier(at)[1],
        ),
        _backward(
            "only-the-last-of-duplicates",
            "Only the last of equals gets the gradient",
            "Where several values were written to one place, only the last gets a gradient. The "
            "frameworks give it to each of them.",
            "unpool-gradient",
            lambda g, at: np.where(_earlier(at)[0], 0, _take(g, at)),
        ),
    ),
)


def _masked(grad_output, indices):
    n, c, h, w = grad_output.shape
    written = np.zeros((n * c, h * w), bool)
    np.put_along_axis(written, indices.reshape(n * c, -1), True, 1)
    return np.where(written.reshape(n, c, h, w), grad_output, 0)


SPECS = (
    PREDICT_INDEX,
    MAX_POOL,
    ARGMAX,
    REPEAT,
    NAILS,
    UNPOOL,
    PREDICT_OVERLAP,
    UNPOOL_NHWC,
    BACKWARD,
)
