"""ps09: windows as columns, columns back into images, and transposed convolution as a product.

Sources: Chellapilla, Puri & Simard, *High performance convolutional neural networks for document
processing* (2006); the API pages of `torch.nn.functional.unfold`, `fold` and `conv_transpose2d`,
`tf.image.extract_patches` and `tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import as_pair, between, tensorflow, two_between, whole_numbers
from autograde.specs.ps04_transposed_conv_2d import CONV_TRANSPOSE2D

PAGE = "book/loops-to-matrix-products"
FAST = "20 times as fast as loops"
KINDS = ("stride 1", "stride > 1", "padding", "dilation", "channels and batches")


def _tensor(array):
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _pairs(stride, padding, dilation):
    """Return the settings as `F.unfold` and `F.fold` take them."""
    return {"stride": as_pair(stride), "padding": as_pair(padding), "dilation": as_pair(dilation)}


def _size(n, k, s, p, d):
    """Return how many windows there are along one axis."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _windows(size, kernel_size, stride, padding, dilation):
    """Return how many windows there are down and across."""
    settings = map(as_pair, (kernel_size, stride, padding, dilation))
    return tuple(map(_size, size, *settings))


# -- oracles: the frameworks' own operations ----------------------------------------------


def torch_im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """Return `F.unfold`."""
    import torch

    settings = _pairs(stride, padding, dilation)
    return torch.nn.functional.unfold(_tensor(x), as_pair(kernel_size), **settings).numpy()


def tf_im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """Return `tf.image.extract_patches`, whose columns have the channels last, in this order."""
    (kh, kw), (ph, pw), (n, c) = as_pair(kernel_size), as_pair(padding), x.shape[:2]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    patches = tensorflow().image.extract_patches(
        np.ascontiguousarray(np.moveaxis(padded, 1, -1)),
        (1, kh, kw, 1),
        (1, *as_pair(stride), 1),
        (1, *as_pair(dilation), 1),
        "VALID",
    )
    patches = patches.numpy().reshape(n, -1, kh * kw, c)
    return patches.transpose(0, 3, 2, 1).reshape(n, c * kh * kw, -1)


def torch_col2im(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """Return `F.fold`."""
    import torch

    settings = _pairs(stride, padding, dilation)
    images = torch.nn.functional.fold(
        _tensor(cols), tuple(output_size), as_pair(kernel_size), **settings
    )
    return images.numpy()


def tf_col2im(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """Compose the operation of `tf.nn.conv2d_transpose`: each row of the columns is a channel.

    The kernel of the channel that belongs to a tap is 1 at this tap and 0 elsewhere. What lies
    beyond the last window are zeros.
    """
    (kh, kw), (dh, dw), (ph, pw) = map(as_pair, (kernel_size, dilation, padding))
    places = _windows(output_size, kernel_size, stride, padding, dilation)
    n, c = len(cols), cols.shape[1] // (kh * kw)
    kernel = np.zeros(((kh - 1) * dh + 1, (kw - 1) * dw + 1, c, c, kh, kw), cols.dtype)
    for a, u, v in np.ndindex(c, kh, kw):
        kernel[u * dh, v * dw, a, a, u, v] = 1
    maps = np.moveaxis(cols.reshape(n, -1, *places), 1, -1)
    sizes = zip(places, as_pair(stride), kernel.shape, strict=False)
    reached = [(m - 1) * s + k for m, s, k in sizes]
    images = tensorflow().nn.conv2d_transpose(
        np.ascontiguousarray(maps),
        kernel.reshape(*kernel.shape[:3], -1),
        (n, *reached, c),
        strides=as_pair(stride),
        padding="VALID",
    )
    full = np.zeros((n, c, output_size[0] + 2 * ph, output_size[1] + 2 * pw), cols.dtype)
    full[:, :, : reached[0], : reached[1]] = np.moveaxis(images.numpy(), -1, 1)
    return full[:, :, ph : ph + output_size[0], pw : pw + output_size[1]]


# -- the definition, which the misconceptions bend ----------------------------------------


def _taken(x, kernel_size, stride=1, padding=0, dilation=1, *, mode="constant"):
    """Return the windows, of shape (N, C, kh, kw, down, across)."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(as_pair, (kernel_size, stride, padding, dilation))
    down, across = _windows(x.shape[2:], kernel_size, stride, padding, dilation)
    if min(down, across) < 1:
        raise ValueError("no window fits")
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), mode=mode)
    out = np.empty((*x.shape[:2], kh, kw, down, across), x.dtype)
    for u, v in np.ndindex(kh, kw):
        rows = slice(u * dh, u * dh + (down - 1) * sh + 1, sh)
        out[:, :, u, v] = x[:, :, rows, v * dw : v * dw + (across - 1) * sw + 1 : sw]
    return out


def _as_matrix(windows):
    n, c, kh, kw, down, across = windows.shape
    return windows.reshape(n, c * kh * kw, down * across)


def _bent(arrange=lambda t: t, change=lambda **a: a, **how):
    """Return `im2col` with its windows arranged another way, or with arguments changed."""

    def wrong(x, kernel_size, stride=1, padding=0, dilation=1):
        settings = {"stride": stride, "padding": padding, "dilation": dilation}
        settings = change(kernel_size=kernel_size, **settings)
        return _as_matrix(arrange(_taken(x, **settings, **how)))

    return wrong


def _put_back(maps, output_size, kernel_size, stride, padding, dilation, *, crop=True, add=True):
    """Return the images for windows of shape (N, C, kh, kw, down, across)."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(as_pair, (kernel_size, stride, padding, dilation))
    down, across = maps.shape[-2:]
    size = output_size[0] + 2 * ph, output_size[1] + 2 * pw
    out = np.zeros((*maps.shape[:2], *size), maps.dtype)
    for u, v in np.ndindex(kh, kw):
        rows = slice(u * dh, u * dh + (down - 1) * sh + 1, sh)
        place = (..., rows, slice(v * dw, v * dw + (across - 1) * sw + 1, sw))
        out[place] = out[place] + maps[:, :, u, v] if add else maps[:, :, u, v]
    return out[:, :, ph : size[0] - ph, pw : size[1] - pw] if crop else out


def _folded(arrange=lambda t: t, change=lambda **a: a, *, split=None, **how):
    """Return `col2im` with its windows rearranged, or with arguments changed."""

    def wrong(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
        settings = {"stride": stride, "padding": padding, "dilation": dilation}
        places = _windows(output_size, kernel_size, **settings)
        kh, kw = as_pair(kernel_size)
        shape = (len(cols), -1, kh, kw, *places)
        maps = split(cols, shape) if split else cols.reshape(shape)
        settings = change(kernel_size=kernel_size, **settings)
        return _put_back(arrange(maps), output_size, **settings, **how)

    return wrong


def _with(name, value):
    """Return a change of one argument."""
    return lambda **a: {**a, name: value(a[name])}


def _exchanged(value):
    return as_pair(value)[::-1]


# -- inputs -------------------------------------------------------------------------------


def _drawn(rng, *, stride=1, padding=0, dilation=1):
    """Draw an image's size and a kernel's for which one window fits at least."""
    k = two_between(rng, 1, 3)
    size = []
    for m, p, d in zip(k, as_pair(padding), as_pair(dilation), strict=True):
        size.append(max(1, d * (m - 1) + 1 - 2 * p) + between(rng, 0, 4))
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    usual = {"stride": 1, "padding": 0, "dilation": 1}
    return tuple(size), k, {n: v for n, v in settings.items() if v != usual[n]}


def _kinds_of(array):
    """Yield an array in float32 and float64: plain, read-only and as a view."""
    for dtype in (np.float32, np.float64):
        plain = array.astype(dtype)
        yield plain
        fixed = plain.copy()
        fixed.flags.writeable = False
        yield fixed
        yield np.asfortranarray(plain)


def _settings(rng):
    """Yield (aspect, images, channels, size, kernel size, settings) of the hidden cases."""
    for _ in range(5):
        yield "stride 1", 1, 1, *_drawn(rng)
    yield "stride 1", 1, 1, (1, 1), (1, 1), {}
    yield "stride 1", 1, 1, (3, 5), (3, 2), {}
    for _ in range(4):
        yield "stride > 1", 1, 1, *_drawn(rng, stride=between(rng, 2, 4))
        yield "stride > 1", 1, 1, *_drawn(rng, stride=two_between(rng, 1, 4))
    yield "stride > 1", 1, 1, (6, 7), (2, 3), {"stride": (1, 2)}
    yield "stride > 1", 1, 1, (7, 6), (2, 3), {"stride": (3, 2)}
    for _ in range(4):
        yield (
            "padding",
            1,
            1,
            *_drawn(rng, padding=between(rng, 1, 2), stride=two_between(rng, 1, 3)),
        )
        yield "padding", 1, 1, *_drawn(rng, padding=two_between(rng, 0, 2))
    yield "padding", 1, 1, (2, 1), (3, 3), {"padding": 1}  # the kernel is larger than the image
    yield "padding", 1, 1, (4, 5), (3, 2), {"padding": (2, 1), "stride": 2}
    for _ in range(4):
        yield "dilation", 1, 1, *_drawn(rng, dilation=between(rng, 2, 3))
        yield "dilation", 1, 1, *_drawn(rng, dilation=two_between(rng, 1, 3), stride=2, padding=1)
    yield "dilation", 1, 1, (6, 8), (2, 3), {"dilation": (3, 2)}
    for _ in range(4):
        many = two_between(rng, 2, 3)
        yield "channels and batches", *many, *_drawn(rng, stride=2, padding=between(rng, 0, 1))
    yield "channels and batches", 2, 3, (4, 5), (2, 3), {"stride": (2, 1)}


def _im2col_cases(rng) -> Iterator[Case]:
    six = np.array([[[[1.0, 2, 3], [4, 5, 6]]]])
    line = np.array([[[[1.0, 2, 3, 4, 5]]]])

    def seen(aspect, x, k, expected, **kwargs):
        return Case(aspect, (x, k), kwargs, visible=True, expected=np.array([expected], float))

    yield seen("stride 1", six, 2, [[1, 2], [2, 3], [4, 5], [5, 6]])
    yield seen("stride 1", six, (2, 1), [[1, 2, 3], [4, 5, 6]])
    yield seen("stride > 1", line, (1, 2), [[1, 4], [2, 5]], stride=(1, 3))
    yield seen("padding", line[..., :2], (1, 2), [[0, 1, 2], [1, 2, 0]], padding=(0, 1))
    yield seen("dilation", line, (1, 2), [[1, 2, 3], [3, 4, 5]], dilation=(1, 2))
    two = np.array([[[[1.0, 2]], [[3, 4]]]])
    yield seen("channels and batches", two, (1, 2), [[1], [2], [3], [4]])
    yield Case(
        "dtype and inputs",
        (np.float32([[[[1, 2]]]]), (1, 2)),
        visible=True,
        expected=np.float32([[[1], [2]]]),
        exact_dtype=True,
    )
    for aspect, n, c, size, k, settings in _settings(rng):
        yield Case(aspect, (whole_numbers(rng, n, c, *size), k), settings)
    for x in _kinds_of(rng.standard_normal((2, 2, 4, 5))):
        settings = {"stride": 2, "padding": 1}
        yield Case("dtype and inputs", (x, (3, 2)), settings, exact_dtype=True)


def _im2col_explain(at, x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(as_pair, (kernel_size, stride, padding, dilation))
    across = _windows(x.shape[2:], kernel_size, stride, padding, dilation)[1]
    c, u, v = np.unravel_index(at[1], (x.shape[1], kh, kw))
    i, j = divmod(at[2], across)
    row, column = i * sh + u * dh - ph, j * sw + v * dw - pw
    what = f"Row {at[1]} holds tap ({u}, {v}) of channel {c}; column {at[2]} is the window ({i}, "
    what += f"{j}). That is the pixel in row {row}, column {column}"
    inside = 0 <= row < x.shape[2] and 0 <= column < x.shape[3]
    return f"{what}." if inside else f"{what}, which lies in the padding."


def _im2col_size(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), places = (
        as_pair(kernel_size),
        _windows(x.shape[2:], kernel_size, stride, padding, dilation),
    )
    return (
        f"There is one row for each of {x.shape[1]} · {kh} · {kw} taps, and one column for each of "
        f"{places[0]} · {places[1]} windows."
    )


def _wrong(name, title, message, label, fn):
    return Misconception(name, title, message, f"{PAGE}#{label}", fn)


def _flipped(t):
    return t[:, :, ::-1, ::-1]


def _taps_down(t):
    return t.swapaxes(2, 3).reshape(t.shape)


def _places_down(t):
    return t.swapaxes(4, 5).reshape(t.shape)


def _channels_within(t):
    return t.transpose(0, 2, 3, 1, 4, 5).reshape(t.shape)


def _rows_are_windows(x, kernel_size, stride=1, padding=0, dilation=1):
    return _bent()(x, kernel_size, stride, padding, dilation).swapaxes(1, 2)


def _side_by_side(x, kernel_size, stride=1, padding=0, dilation=1):
    return _bent()(x, kernel_size, as_pair(kernel_size), padding, dilation)


IM2COL = Spec(
    name="im2col",
    title="Windows as columns",
    summary="Write every window of every image as a column of a matrix.",
    chapter=f"{PAGE}#im2col",
    parameters="x, kernel_size, stride=1, padding=0, dilation=1",
    minutes=30,
    difficulty="medium",
    aspects=(*(Aspect(kind, 1) for kind in KINDS), Aspect("dtype and inputs", 1)),
    cases=_im2col_cases,
    oracles={"PyTorch": torch_im2col, "TensorFlow": tf_im2col},
    explain=_im2col_explain,
    size_formula=_im2col_size,
    misconceptions=(
        _wrong(
            "windows-are-rows",
            "The windows are rows",
            "The matrix is transposed: each window is a row of it. Here a window is a column, so "
            "that the kernel can be multiplied from the left.",
            "im2col",
            _rows_are_windows,
        ),
        _wrong(
            "channels-within-taps",
            "The channels stand inside each tap",
            "A column goes through the taps first and through the channels for each tap. It holds "
            "the whole window of channel 0 first, as the kernel's own numbers are ordered.",
            "im2col",
            _bent(_channels_within),
        ),
        _wrong(
            "kernel-flipped",
            "The windows are turned round",
            "Each window is written from its last pixel to its first. It is written as it stands: "
            "frameworks do not flip.",
            "im2col",
            _bent(_flipped),
        ),
        _wrong(
            "taps-column-by-column",
            "A window is read column by column",
            "The taps of a window go down its columns. They go along its rows, as `reshape` does.",
            "im2col",
            _bent(_taps_down),
        ),
        _wrong(
            "windows-column-by-column",
            "The windows go down first",
            "The windows are numbered down the columns of the image. They are numbered along its "
            "rows, so that `reshape` makes a map of them.",
            "im2col",
            _bent(_places_down),
        ),
        _wrong(
            "stride-ignored",
            "The stride is ignored",
            "There is a window at every pixel. With a stride of s the next window begins s pixels "
            "further on.",
            "im2col",
            _bent(change=_with("stride", lambda _: 1)),
        ),
        _wrong(
            "windows-side-by-side",
            "The windows do not overlap",
            "Each window begins where the last one ends, whatever the stride says.",
            "im2col",
            _side_by_side,
        ),
        _wrong(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            "im2col",
            _bent(change=_with("stride", _exchanged)),
        ),
        _wrong(
            "padding-ignored",
            "The padding is ignored",
            "The windows begin at the first pixel. With padding, the first ones hang over the edge "
            "and see zeros there.",
            "im2col",
            _bent(change=_with("padding", lambda _: 0)),
        ),
        _wrong(
            "padding-repeats-the-edge",
            "The padding repeats the edge",
            "Pixels of the edge are repeated beyond it. A convolution's padding is zeros.",
            "im2col",
            _bent(mode="edge"),
        ),
        _wrong(
            "dilation-ignored",
            "The dilation is ignored",
            "The taps of a window stand side by side. With a dilation of d they stand d pixels "
            "apart.",
            "im2col",
            _bent(change=_with("dilation", lambda _: 1)),
        ),
    ),
)


# -- columns back into images -------------------------------------------------------------


def _col2im_cases(rng) -> Iterator[Case]:
    def seen(aspect, cols, size, k, expected, **kwargs):
        args = (np.array([cols], float), size, k)
        expected = np.array([expected], float)
        return Case(aspect, args, kwargs, visible=True, expected=expected)

    yield seen(
        "stride 1",
        [[1, 10], [2, 20], [3, 30], [4, 40]],
        (2, 3),
        2,
        [[[1, 12, 20], [3, 34, 40]]],
    )
    yield seen("stride 1", [[1, 10, 100], [2, 20, 200]], (1, 4), (1, 2), [[[1, 12, 120, 200]]])
    yield seen(
        "stride > 1", [[1, 10], [2, 20]], (1, 5), (1, 2), [[[1, 2, 0, 10, 20]]], stride=(1, 3)
    )
    yield seen(
        "padding", [[1, 10, 100], [2, 20, 200]], (1, 2), (1, 2), [[[12, 120]]], padding=(0, 1)
    )
    yield seen("dilation", [[1, 10], [2, 20]], (1, 4), (1, 2), [[[1, 10, 2, 20]]], dilation=(1, 2))
    yield seen("channels and batches", [[1], [2], [3], [4]], (1, 2), (1, 2), [[[1, 2]], [[3, 4]]])
    yield Case(
        "dtype and inputs",
        (np.float32([[[1], [2]]]), (1, 2), (1, 2)),
        visible=True,
        expected=np.float32([[[[1, 2]]]]),
        exact_dtype=True,
    )
    for aspect, n, c, size, k, settings in _settings(rng):
        full = {"stride": 1, "padding": 0, "dilation": 1, **settings}
        places = _windows(size, k, **full)
        cols = whole_numbers(rng, n, c * k[0] * k[1], places[0] * places[1])
        yield Case(aspect, (cols, size, k), settings)
    for cols in _kinds_of(rng.standard_normal((2, 12, 6))):
        settings = {"stride": 2, "padding": 1}
        yield Case("dtype and inputs", (cols, (4, 5), (3, 2)), settings, exact_dtype=True)


def _col2im_explain(at, cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(as_pair, (kernel_size, stride, padding, dilation))
    down, across = _windows(output_size, kernel_size, stride, padding, dilation)
    n, c, row, column = at
    terms = []
    for u, v in np.ndindex(kh, kw):
        (i, left), (j, over) = divmod(row + ph - u * dh, sh), divmod(column + pw - v * dw, sw)
        if not left and not over and 0 <= i < down and 0 <= j < across:
            terms.append(f"cols[{n}, {(c * kh + u) * kw + v}, {i * across + j}]")
    if len(terms) > 6:
        terms = [*terms[:6], f"{len(terms) - 6} more"]
    return f"The pixel [{n}, {c}, {row}, {column}] gets {' + '.join(terms) or 0}."


def _col2im_size(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    kh, kw = as_pair(kernel_size)
    return (
        f"There are {cols.shape[1]} / ({kh} · {kw}) channels, and `output_size` is the size of the "
        "image without its padding."
    )


def _averaged(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    settings = (output_size, kernel_size, stride, padding, dilation)
    added, counts = _folded()(cols, *settings), _folded()(np.ones_like(cols), *settings)
    return added / np.maximum(counts, 1)


def _cropped_in_front(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    full = _folded(crop=False)(cols, output_size, kernel_size, stride, padding, dilation)
    return full[:, :, : output_size[0], : output_size[1]]


def _packed(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """Put the copies one pixel apart, into an image of the right size."""
    return _folded(change=_with("stride", lambda _: 1))(
        cols, output_size, kernel_size, stride, padding, dilation
    )


def _split_channels_last(cols, shape):
    n, _, kh, kw, down, across = shape
    return cols.reshape(n, kh, kw, -1, down, across).transpose(0, 3, 1, 2, 4, 5)


def _split_taps_down(cols, shape):
    n, _, kh, kw, down, across = shape
    return cols.reshape(n, -1, kw, kh, down, across).swapaxes(2, 3)


def _split_places_down(cols, shape):
    n, _, kh, kw, down, across = shape
    return cols.reshape(n, -1, kh, kw, across, down).swapaxes(4, 5)


COL2IM = Spec(
    name="col2im",
    title="Columns back into an image",
    summary="Add every number of every column to the pixel that it belongs to.",
    chapter=f"{PAGE}#col2im",
    parameters="cols, output_size, kernel_size, stride=1, padding=0, dilation=1",
    minutes=30,
    difficulty="medium",
    aspects=(*(Aspect(kind, 1) for kind in KINDS), Aspect("dtype and inputs", 1)),
    cases=_col2im_cases,
    oracles={"PyTorch": torch_col2im, "TensorFlow": tf_col2im},
    explain=_col2im_explain,
    size_formula=_col2im_size,
    misconceptions=(
        _wrong(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two windows overlap, the later number replaces the earlier one. They add up.",
            "col2im",
            _folded(add=False),
        ),
        _wrong(
            "overlap-averaged",
            "Overlaps are averaged",
            "Each pixel is divided by the number of windows it lies in. That would undo `im2col`; "
            "`col2im` is its transpose, which adds.",
            "col2im",
            _averaged,
        ),
        _wrong(
            "padding-not-removed",
            "The padding is still there",
            "The image is larger than `output_size`, by the padding at all four sides. What "
            "belongs to the padding is thrown away.",
            "col2im",
            _folded(crop=False),
        ),
        _wrong(
            "padding-cut-off-at-the-end",
            "The padding is cut off at the end only",
            "The image begins with the padding's first row, and what was cut off is at the bottom "
            "and at the right. The padding is at all four sides.",
            "col2im",
            _cropped_in_front,
        ),
        _wrong(
            "channels-within-taps",
            "The channels stand inside each tap",
            "The rows of the columns are read as taps first, with all channels for each. They hold "
            "all taps of channel 0 first.",
            "im2col",
            _folded(split=_split_channels_last),
        ),
        _wrong(
            "kernel-flipped",
            "The windows are turned round",
            "The first number of a column goes to the last pixel of its window. It belongs to the "
            "first.",
            "im2col",
            _folded(_flipped),
        ),
        _wrong(
            "taps-column-by-column",
            "A window is filled column by column",
            "The numbers of a column go down the columns of the window. They go along its rows.",
            "im2col",
            _folded(split=_split_taps_down),
        ),
        _wrong(
            "windows-column-by-column",
            "The windows go down first",
            "The windows are taken to be numbered down the image. They are numbered along its "
            "rows.",
            "im2col",
            _folded(split=_split_places_down),
        ),
        _wrong(
            "stride-ignored",
            "The stride is ignored",
            "The windows are put down one pixel apart. With a stride of s the next one begins s "
            "pixels further on.",
            "col2im",
            _packed,
        ),
        _wrong(
            "dilation-ignored",
            "The dilation is ignored",
            "The numbers of a window are put side by side. With a dilation of d they belong d "
            "pixels apart.",
            "col2im",
            _folded(change=_with("dilation", lambda _: 1)),
        ),
    ),
)


# -- the whole operation ------------------------------------------------------------------


def held_against_loops(fn, x, w, *args, **kwargs):
    """Call the function; where there is much to multiply, hold its time against the loops'.

    Both take turns, and the best run of each counts, measured by the clock or by the processor's
    time, whichever is shorter: neither other programs nor waiting threads make a function seem
    slow, and a slow computer slows both. A matrix product is some hundreds of times as fast as
    the loops, so that there is room for a factor of ten. The turns end with the first that shows
    enough, and a slow function has no more calls than it needs to show itself: so all stays
    within the seconds that a call is allowed, on a machine of a tenth of the speed, too.

    `loops` is that of autograde/steps.py, which is not at hand where a learner's code runs: there
    are answers in it.
    """
    import time

    import numpy as np

    from autograde.calling import NotAsked

    def loops(x, w, stride=1, padding=0):
        """Every multiplication by itself: seven loops."""
        (n, c, height, width), (_, m, k, _) = x.shape, w.shape
        tall, wide = (height - 1) * stride + k, (width - 1) * stride + k
        z = np.zeros((n, m, tall, wide), x.dtype)
        for image in range(n):
            for a in range(c):
                for b in range(m):
                    for i in range(height):
                        for j in range(width):
                            for u in range(k):
                                for v in range(k):
                                    product = x[image, a, i, j] * w[a, b, u, v]
                                    z[image, b, i * stride + u, j * stride + v] += product
        return z[:, :, padding : tall - padding, padding : wide - padding]

    if x.size * w[0].size < 60_000:
        return fn(x, w, *args, **kwargs)

    def timed(function, *args, **kwargs):
        clock, processor = time.perf_counter(), time.process_time()
        result = function(*args, **kwargs)
        return min(time.perf_counter() - clock, time.process_time() - processor), result

    theirs = own = float("inf")
    for _ in range(3):
        theirs = min(theirs, timed(loops, x, w, kwargs["stride"], kwargs["padding"])[0])
        for _ in range(5):
            taken, result = timed(fn, x, w, *args, **kwargs)
            own = min(own, taken)
            if theirs >= 20 * own:
                return result
            if taken > theirs / 4:
                break
    raise NotAsked(
        f"was {theirs / own:.2g} times as fast as `loops`. It has to be at least 20 times as fast: "
        "let one matrix product do all the multiplications of an image."
    )


def _gemm_cases(rng) -> Iterator[Case]:
    for case in CONV_TRANSPOSE2D.cases(rng):
        extra, stride = (
            as_pair(case.kwargs.get(n, d)) for n, d in (("output_padding", 0), ("stride", 1))
        )
        # As much as a stride is one window more: `col2im` would ask for its column.
        if not case.refused and extra[0] < stride[0] and extra[1] < stride[1]:
            yield case
    for c, m, size, k in ((10, 8, (8, 8), 4), (8, 12, (9, 7), 4)):
        x, w = rng.standard_normal((1, c, *size)), rng.standard_normal((c, m, k, k))
        settings = {"stride": 2, "padding": 1}
        yield Case(FAST, (x.astype(np.float32), w.astype(np.float32)), settings)


def _product(x, w, bias, stride, padding, output_padding, groups, dilation, *, mixed=False, **how):
    """Return the operation by a product and `_put_back`; the misconceptions bend it."""
    (n, c, *size), (_, m, *k) = x.shape, w.shape
    pairs = map(as_pair, (stride, padding, output_padding, dilation))
    out = [
        (a - 1) * s - 2 * p + d * (q - 1) + 1 + e
        for a, q, s, p, e, d in zip(size, k, *pairs, strict=True)
    ]
    matrices = w.reshape(groups, c // groups, -1).swapaxes(1, 2)
    if mixed and groups == 1:
        cols = (matrices[0] @ x.reshape(c, -1)).reshape(-1, n, *size).swapaxes(0, 1)
    else:
        cols = matrices @ x.reshape(n, groups, c // groups, -1)
    maps = cols.reshape(n, groups * m, *k, *size)
    if how.pop("biased", False) and bias is not None:
        maps, bias = maps + bias[:, None, None, None, None], None
    z = _put_back(maps, out, k, stride, padding, dilation, **how)
    return z if bias is None else z + bias[:, None, None]


def _by_product(**how):
    def wrong(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return _product(x, w, bias, stride, padding, output_padding, groups, dilation, **how)

    return wrong


def _read_the_other_way(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    c, m, *k = w.shape
    w = w.reshape(groups, -1)
    w = w.reshape(groups, m, *k, c // groups).transpose(0, 4, 1, 2, 3).reshape(c, m, *k)
    return _product(x, w, bias, stride, padding, output_padding, groups, dilation)


_SAME = {
    "kernel-rotated",
    "stride-axes-exchanged",
    "padding-ignored",
    "padding-cropped-once",
    "output-padding-ignored",
    "output-padding-filled-with-zeros",
    "groups-take-turns",
    "dilation-ignored",
    "bias-ignored",
}
"""Misconceptions about the operation itself, which problem set 4 has asked for already."""

CONV_TRANSPOSE2D_GEMM = Spec(
    name="conv_transpose2d_gemm",
    title="Transposed convolution as a matrix product",
    summary="One matrix product and `col2im`: right, and at least 20 times as fast as loops.",
    chapter=f"{PAGE}#gemm",
    parameters=CONV_TRANSPOSE2D.parameters,
    minutes=45,
    difficulty="hard",
    aspects=(
        Aspect("stride and padding", 2),
        Aspect("output_padding", 1),
        Aspect("channels and batches", 2),
        Aspect("bias", 1),
        Aspect("groups", 1),
        Aspect("dilation", 1),
        Aspect("dtype and inputs", 1),
        Aspect(FAST, 3),
    ),
    cases=_gemm_cases,
    oracles=CONV_TRANSPOSE2D.oracles,
    explain=CONV_TRANSPOSE2D.explain,
    size_formula=CONV_TRANSPOSE2D.size_formula,
    rules=Rules(seconds=10.0),
    driver=held_against_loops,
    misconceptions=(
        *(m for m in CONV_TRANSPOSE2D.misconceptions if m.name in _SAME),
        _wrong(
            "images-and-channels-mixed",
            "Images and channels are mixed up",
            "The batch is reshaped to one row for each channel, but its images come first in "
            "memory. So a row holds pieces of several channels; move the axes before you reshape, "
            "or multiply image by image.",
            "gemm",
            _by_product(mixed=True),
        ),
        _wrong(
            "kernel-reshaped-not-transposed",
            "The kernel is reshaped where it has to be transposed",
            "The matrix has the right shape, but its numbers stand in the wrong places: reshaping "
            "never exchanges two axes. In memory, the kernel's input channels come first.",
            "gemm",
            _read_the_other_way,
        ),
        _wrong(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            "col2im",
            _by_product(add=False),
        ),
        _wrong(
            "bias-in-the-columns",
            "The bias is added to the columns",
            "There it counts for each copy of the kernel, so several times where copies overlap, "
            "and not at all where none lies. It is added once to every place of the result.",
            "col2im",
            _by_product(biased=True),
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, answer):
    return Misconception(name, title, message, f"{PAGE}#im2col", lambda: answer)


def _numbers(fn):
    return fn(np.zeros((1, 1, 8, 8)), 3, 2, 1).size


PREDICT = Spec(
    name="predict_column_numbers",
    title="Predict first: how much does it grow?",
    summary="Count on paper the numbers in the matrix of an image's windows.",
    chapter=f"{PAGE}#im2col",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _numbers(torch_im2col),
        "TensorFlow": lambda: _numbers(tf_im2col),
    },
    misconceptions=(
        _guess(
            "stride-ignored",
            "The stride is left out",
            "This counts a window at every pixel. With stride 2 there is one at every second row "
            "and column.",
            576,
        ),
        _guess(
            "padding-ignored",
            "The padding is left out",
            "This counts the windows that lie inside the image. With padding, more of them fit.",
            81,
        ),
        _guess(
            "windows-only",
            "The windows are counted, not their pixels",
            "This is the number of windows. Each is a column of several numbers.",
            16,
        ),
        _guess(
            "pixels-only",
            "Each pixel is counted once",
            "This is the number of pixels. A pixel that lies in several windows stands in several "
            "columns.",
            64,
        ),
    ),
)

SPECS = (PREDICT, IM2COL, COL2IM, CONV_TRANSPOSE2D_GEMM)
