"""ps04: convolution in 2-D as a sparse matrix, its transpose, and its two gradients.

Sources: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016); the API
pages of `torch.nn.functional.conv2d` and `conv_transpose2d`, `tf.nn.conv2d` and
`tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from numbers import Integral

import numpy as np

from autograde.quiet import silent_stderr
from autograde.spec import Aspect, Case, Misconception, Rules, Spec

MATRIX = "book/sparse-matrix-view"
TWO = "book/transposed-2d"


def _pair(value):
    """Return an int or an (h, w) pair as a pair."""
    return (value, value) if isinstance(value, Integral) else tuple(value)


# -- oracles: the frameworks' own operations ----------------------------------------------


@cache
def _tf():
    """Import TensorFlow without its start-up log: nbgrader gives a cell with stderr no points."""
    with silent_stderr():
        import tensorflow as tf

        tf.constant(0)  # the devices, too, are only announced at first use
    return tf


def _tensor(array):
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _nhwc(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _padded(x, padding):
    """Put zeros round the last two axes."""
    (ph, pw) = _pair(padding)
    return np.pad(x, [(0, 0)] * (np.ndim(x) - 2) + [(ph, ph), (pw, pw)])


def _cropped(full, padding, output_padding=0):
    """Make the last two axes longer at the end, then cut `padding` off both ends."""
    (ph, pw), (oh, ow) = _pair(padding), _pair(output_padding)
    full = np.pad(full, [(0, 0)] * (np.ndim(full) - 2) + [(0, oh), (0, ow)])
    return full[..., ph : full.shape[-2] - ph, pw : full.shape[-1] - pw]


def _units(h, w, dtype):
    """Return every image of h × w with a single 1, as a batch with one channel."""
    return np.eye(h * w, dtype=dtype).reshape(h * w, 1, h, w)


def torch_conv2d_matrix(h, w, kernel, stride=1, padding=0):
    """Return the matrix whose columns are `F.conv2d` of the images with a single 1."""
    import torch

    x, kernel = _tensor(_units(h, w, kernel.dtype)), _tensor(kernel[None, None])
    y = torch.nn.functional.conv2d(x, kernel, stride=_pair(stride), padding=_pair(padding))
    return y.reshape(h * w, -1).T.numpy()


def tf_conv2d_matrix(h, w, kernel, stride=1, padding=0):
    """Return the matrix whose columns are `tf.nn.conv2d` of the images with a single 1."""
    x = _nhwc(_padded(_units(h, w, kernel.dtype), padding))
    kernel = np.ascontiguousarray(kernel)[:, :, None, None]
    y = _tf().nn.conv2d(x, kernel, strides=_pair(stride), padding="VALID").numpy()
    return y.reshape(h * w, -1).T


def torch_by_matrix(y, kernel, out_hw, stride=1, padding=0):
    """Return `F.conv_transpose2d` of one channel, with the output padding that fits."""
    import torch

    sizes = zip(y.shape, kernel.shape, _pair(stride), _pair(padding), out_hw, strict=True)
    extra = [o - ((n - 1) * s + k - 2 * p) for n, k, s, p, o in sizes]
    z = torch.nn.functional.conv_transpose2d(
        _tensor(y[None, None]),
        _tensor(kernel[None, None]),
        stride=_pair(stride),
        padding=_pair(padding),
        output_padding=extra,
    )
    return z[0, 0].numpy()


def tf_by_matrix(y, kernel, out_hw, stride=1, padding=0):
    """Return `tf.nn.conv2d_transpose` of one channel, VALID, cropped by `padding`."""
    (ph, pw), (h, w) = _pair(padding), out_hw
    z = _tf().nn.conv2d_transpose(
        np.ascontiguousarray(y)[None, :, :, None],
        np.ascontiguousarray(kernel)[:, :, None, None],
        (1, h + 2 * ph, w + 2 * pw, 1),
        strides=_pair(stride),
        padding="VALID",
    )
    return z.numpy()[0, ph : ph + h, pw : pw + w, 0]


def torch_conv_transpose2d(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Return `F.conv_transpose2d`."""
    import torch

    z = torch.nn.functional.conv_transpose2d(
        _tensor(x),
        _tensor(w),
        None if bias is None else _tensor(bias),
        stride=_pair(stride),
        padding=_pair(padding),
        output_padding=_pair(output_padding),
        groups=groups,
        dilation=_pair(dilation),
    )
    return z.numpy()


def tf_conv_transpose2d(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Compose the operation of `tf.nn.conv2d_transpose`, VALID, group by group.

    On a CPU it takes neither groups nor dilation: the taps are spread out by zeros. It has no
    `output_padding` either: the places that no copy reaches are zeros.
    """
    (sh, sw), (dh, dw) = _pair(stride), _pair(dilation)
    (kh, kw), n, c = w.shape[2:], len(x), x.shape[1] // groups
    spread = np.zeros((*w.shape[:2], (kh - 1) * dh + 1, (kw - 1) * dw + 1), w.dtype)
    spread[:, :, ::dh, ::dw] = w
    size = [
        (m - 1) * s + k for m, s, k in zip(x.shape[2:], (sh, sw), spread.shape[2:], strict=True)
    ]
    parts = []
    for g in range(groups):
        z = _tf().nn.conv2d_transpose(
            _nhwc(x[:, g * c : (g + 1) * c]),
            np.ascontiguousarray(spread[g * c : (g + 1) * c].transpose(2, 3, 1, 0)),
            (n, *size, w.shape[1]),
            strides=(sh, sw),
            padding="VALID",
        )
        parts.append(np.moveaxis(z.numpy(), -1, 1))
    z = _cropped(np.concatenate(parts, axis=1), padding, output_padding)
    return z if bias is None else z + bias[:, None, None]


def torch_backward_input(grad_output, w, input_hw, stride=1, padding=0):
    """Return what autograd sends back through `F.conv2d` to its input."""
    return _torch_backward(grad_output, w, None, input_hw, stride, padding)[0]


def torch_backward_weight(x, grad_output, kernel_hw, stride=1, padding=0):
    """Return what autograd sends back through `F.conv2d` to its kernel."""
    w = np.zeros((grad_output.shape[1], x.shape[1], *kernel_hw), x.dtype)
    return _torch_backward(grad_output, w, x, x.shape[2:], stride, padding)[1]


def _torch_backward(grad_output, w, x, input_hw, stride, padding):
    import torch

    if x is None:
        x = np.zeros((len(grad_output), w.shape[1], *input_hw), w.dtype)
    x, w = _tensor(x).requires_grad_(), _tensor(w).requires_grad_()
    y = torch.nn.functional.conv2d(x, w, stride=_pair(stride), padding=_pair(padding))
    y.backward(_tensor(grad_output))
    return x.grad.numpy(), w.grad.numpy()


def tf_backward_input(grad_output, w, input_hw, stride=1, padding=0):
    """Return what `GradientTape` sends back through `tf.nn.conv2d` to its input."""
    return _tf_backward(grad_output, w, None, input_hw, stride, padding)[0]


def tf_backward_weight(x, grad_output, kernel_hw, stride=1, padding=0):
    """Return what `GradientTape` sends back through `tf.nn.conv2d` to its kernel."""
    w = np.zeros((grad_output.shape[1], x.shape[1], *kernel_hw), x.dtype)
    return _tf_backward(grad_output, w, x, x.shape[2:], stride, padding)[1]


def _tf_backward(grad_output, w, x, input_hw, stride, padding):
    tf, (ph, pw) = _tf(), _pair(padding)
    if x is None:
        x = np.zeros((len(grad_output), w.shape[1], *input_hw), w.dtype)
    x, w = tf.constant(_nhwc(x)), tf.constant(np.ascontiguousarray(w.transpose(2, 3, 1, 0)))
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        padded = tf.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)])
        y = tf.nn.conv2d(padded, w, strides=_pair(stride), padding="VALID")
    dx, dw = tape.gradient(y, [x, w], tf.constant(_nhwc(grad_output)))
    return np.moveaxis(dx.numpy(), -1, 1), dw.numpy().transpose(3, 2, 0, 1)


# -- inputs -------------------------------------------------------------------------------


def _whole(rng, *shape):
    """Draw small whole numbers without zeros: easy to read, and every one leaves a trace."""
    return rng.integers(1, 10, shape) * rng.choice([-1.0, 1.0], shape)


def _kinds(rng, *shapes):
    """Yield arrays of these shapes in float32 and float64, read-only, and as views."""
    for dtype in (np.float32, np.float64):
        arrays = [rng.standard_normal(s).astype(dtype) for s in shapes]
        yield arrays
        fixed = [a.copy() for a in arrays]
        for a in fixed:
            a.flags.writeable = False
        yield fixed
        yield [np.asfortranarray(a) for a in arrays]


def _between(rng, low, high):
    return int(rng.integers(low, high + 1))


def _two(rng, low, high):
    """Draw a pair of whole numbers."""
    return _between(rng, low, high), _between(rng, low, high)


def _size(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def _sizes(n, k, s, p):
    """Return the size of a convolution's output along both axes."""
    return tuple(map(_size, n, k, _pair(s), _pair(p)))


def _signed(value):
    return f"{value:.4g}" if value >= 0 else f"(−{-value:.4g})"


# -- the matrix ---------------------------------------------------------------------------


def dense(fn, *args, **kwargs):
    """Have the matrix built and return it with all its zeros."""
    import scipy.sparse

    from autograde.calling import NotAsked

    matrix = fn(*args, **kwargs)
    if not scipy.sparse.issparse(matrix):
        raise NotAsked(f"returned {type(matrix).__name__}, not a sparse matrix of scipy.sparse.")
    return matrix.toarray()


def _rows(h, w, kernel, stride=1, padding=0, *, column=None, rows=None, dilated=False):
    """Return C by its definition, zeros and all; the misconceptions bend it."""
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    kh, kw = kernel.shape
    column = column or (lambda i, j: i * w + j)
    a, b = rows or _sizes((h, w), kernel.shape, stride, padding)
    out = np.zeros((a * b, h * w), kernel.dtype)
    for i in range(a):
        for j in range(b):
            for u in range(kh):
                for v in range(kw):
                    at = (i * sh + u - ph, j * sw + v - pw)
                    if dilated:
                        at = (i + u * sh - ph, j + v * sw - pw)
                    if 0 <= at[0] < h and 0 <= at[1] < w:
                        out[i * b + j, column(*at)] += kernel[u, v]
    return out


def _sparse(matrix):
    import scipy.sparse

    return scipy.sparse.csr_array(matrix)


def _as_sparse(fn):
    def wrong(h, w, kernel, stride=1, padding=0):
        return _sparse(fn(h, w, kernel, stride, padding))

    return wrong


def _swap(value):
    return _pair(value)[::-1]


def _matrix_cases(rng) -> Iterator[Case]:
    two, four = np.array([[1.0, 2]]), np.array([[1.0, 2], [3, 4]])
    yield Case(
        "stride 1",
        (2, 3, two),
        visible=True,
        expected=[[1, 2, 0, 0, 0, 0], [0, 1, 2, 0, 0, 0], [0, 0, 0, 1, 2, 0], [0, 0, 0, 0, 1, 2]],
    )
    yield Case(
        "stride 1",
        (2, 3, four),
        visible=True,
        expected=[[1, 2, 0, 3, 4, 0], [0, 1, 2, 0, 3, 4]],
    )
    yield Case(
        "stride > 1",
        (2, 4, four),
        {"stride": 2},
        visible=True,
        expected=[[1, 2, 0, 0, 3, 4, 0, 0], [0, 0, 1, 2, 0, 0, 3, 4]],
    )
    yield Case(
        "padding",
        (1, 2, two),
        {"padding": (0, 1)},
        visible=True,
        expected=[[2, 0], [1, 2], [0, 1]],
    )
    yield Case(
        "dtype and inputs",
        (1, 2, np.float32([[3, 4]])),
        visible=True,
        expected=np.float32([[3, 4]]),
        exact_dtype=True,
    )
    for _ in range(10):
        k = _two(rng, 1, 3)
        h, w = (n + _between(rng, 0, 3) for n in k)
        yield Case("stride 1", (h, w, _whole(rng, *k)))
    yield Case("stride 1", (1, 1, _whole(rng, 1, 1)))
    yield Case("stride 1", (4, 6, _whole(rng, 3, 2)))
    for each in (False, True):
        for _ in range(6):
            k = _two(rng, 1, 3)
            h, w = (n + _between(rng, 0, 5) for n in k)
            s = _two(rng, 1, 4) if each else _between(rng, 2, 4)
            yield Case("stride > 1", (h, w, _whole(rng, *k)), {"stride": s})
    yield Case("stride > 1", (5, 7, _whole(rng, 2, 3)), {"stride": (2, 3)})
    yield Case("stride > 1", (6, 5, _whole(rng, 2, 2)), {"stride": (1, 2)})
    for each in (False, True):
        for _ in range(6):
            k, s = _two(rng, 1, 4), _between(rng, 1, 3)
            p = _two(rng, 0, 2) if each else _between(rng, 1, 2)
            h, w = (
                max(1, n - 2 * q) + _between(rng, 0, 4) for n, q in zip(k, _pair(p), strict=True)
            )
            yield Case("padding", (h, w, _whole(rng, *k)), {"stride": s, "padding": p})
    yield Case("padding", (2, 1, _whole(rng, 3, 3)), {"padding": 1})  # kernel > input
    yield Case("padding", (4, 4, _whole(rng, 3, 3)), {"padding": (2, 1), "stride": (1, 2)})
    for (kernel,) in _kinds(rng, (3, 2)):
        yield Case(
            "dtype and inputs", (5, 4, kernel), {"stride": 2, "padding": 1}, exact_dtype=True
        )


def _matrix_explain(at, h, w, kernel, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    wide = _size(w, kernel.shape[1], sw, pw)
    (a, b), (i, j) = divmod(at[0], wide), divmod(at[1], w)
    u, v = i + ph - a * sh, j + pw - b * sw
    what = f"C[{at[0]}, {at[1]}] says how the output in row {a}, column {b} depends on the pixel "
    what += f"in row {i}, column {j}: "
    if 0 <= u < kernel.shape[0] and 0 <= v < kernel.shape[1]:
        return f"{what}by the tap [{u}, {v}]."
    return f"{what}not at all."


def _matrix_size(h, w, kernel, stride=1, padding=0):
    a, b = _sizes((h, w), kernel.shape, stride, padding)
    return f"C has one row for each of the {a} × {b} outputs and one column for each pixel."


def _wrong_matrix(name, title, message, label, fn):
    return Misconception(name, title, message, f"{MATRIX}#{label}", _as_sparse(fn))


CONV2D_MATRIX = Spec(
    name="conv2d_matrix",
    title="Convolution in 2-D as a sparse matrix",
    summary="Build the sparse matrix `C` with `C @ x.ravel()` the convolution of the image `x`.",
    chapter=f"{MATRIX}#matrix-2d",
    parameters="h, w, kernel, stride=1, padding=0",
    minutes=30,
    difficulty="medium",
    aspects=(
        Aspect("stride 1", 2),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_matrix_cases,
    oracles={"PyTorch": torch_conv2d_matrix, "TensorFlow": tf_conv2d_matrix},
    explain=_matrix_explain,
    size_formula=_matrix_size,
    rules=Rules(libraries=("numpy", "scipy"), seconds=4.0),
    driver=dense,
    misconceptions=(
        _wrong_matrix(
            "kernel-rotated",
            "The kernel is turned round",
            "Each row holds the kernel turned by 180°. A row is the window as it lies over the "
            "image, tap [0, 0] first.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _rows(h, w, kernel[::-1, ::-1], s, p),
        ),
        _wrong_matrix(
            "transposed",
            "Rows and columns are exchanged",
            "This is Cᵀ: its rows belong to pixels. C turns pixels into outputs, so it has one "
            "row for each output.",
            "matrix-1d",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, s, p).T,
        ),
        _wrong_matrix(
            "column-by-column",
            "The pixels are numbered column by column",
            "The columns of C count down the image first. NumPy's `ravel` goes along a row first, "
            "so the pixel below stands `w` further on.",
            "matrix-2d",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, s, p, column=lambda i, j: j * h + i),
        ),
        _wrong_matrix(
            "kernel-rows-side-by-side",
            "The kernel lies in one piece in the row",
            "The taps of all the kernel's rows follow each other without a gap. The kernel's next "
            "row lies over the next row of the image, which begins `w` columns further on.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _in_one_piece(h, w, kernel, s, p),
        ),
        _wrong_matrix(
            "stride-ignored",
            "The stride is ignored",
            "Every window has a row. With a stride, only every stride-th window counts, in both "
            "directions.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, 1, p),
        ),
        _wrong_matrix(
            "windows-one-apart",
            "The windows start one apart",
            "There are as many rows as the stride allows, but their windows begin one pixel apart. "
            "They begin a stride apart.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _rows(
                h, w, kernel, 1, p, rows=_sizes((h, w), kernel.shape, s, p)
            ),
        ),
        _wrong_matrix(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the rows of the image.",
            "matrix-2d",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, _swap(s), p),
        ),
        _wrong_matrix(
            "padding-axes-exchanged",
            "The two paddings are exchanged",
            "A pair of paddings is (above and below, left and right): the first belongs to the "
            "rows of the image.",
            "matrix-2d",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, s, _swap(p)),
        ),
        _wrong_matrix(
            "padding-ignored",
            "The padding is ignored",
            "The first window begins at the first pixel. With padding it begins that far outside "
            "the image, and there are more windows.",
            "matrix-2d",
            lambda h, w, kernel, s, p: _rows(h, w, kernel, s, 0),
        ),
        _wrong_matrix(
            "padding-kept-as-columns",
            "The padding has columns of its own",
            "C acts on the image, not on the padded one. Taps that lie on the padding have no "
            "column.",
            "matrix-1d",
            lambda h, w, kernel, s, p: _rows(
                h + 2 * _pair(p)[0], w + 2 * _pair(p)[1], kernel, s, 0
            ),
        ),
        _wrong_matrix(
            "taps-spill-into-the-next-row",
            "Taps spill into the next row of the image",
            "A tap that hangs over the right edge lands on the next row's first pixel: only its "
            "place in the long vector is looked at, not the pixel's row and column.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _spilled(h, w, kernel, s, p),
        ),
        _wrong_matrix(
            "taps-stride-apart",
            "The taps stand a stride apart",
            "The taps are spread out by the stride. The stride moves the windows; inside a window "
            "the taps are neighbours.",
            "row-of-the-matrix",
            lambda h, w, kernel, s, p: _rows(
                h, w, kernel, s, p, rows=_sizes((h, w), kernel.shape, s, p), dilated=True
            ),
        ),
    ),
)


def _in_one_piece(h, w, kernel, stride, padding):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    a, b = _sizes((h, w), kernel.shape, stride, padding)
    out = np.zeros((a * b, h * w), kernel.dtype)
    for i in range(a):
        for j in range(b):
            start = (i * sh - ph) * w + j * sw - pw
            for at, tap in enumerate(kernel.ravel(), start):
                if 0 <= at < h * w:
                    out[i * b + j, at] = tap
    return out


def _spilled(h, w, kernel, stride, padding):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    a, b = _sizes((h, w), kernel.shape, stride, padding)
    out = np.zeros((a * b, h * w), kernel.dtype)
    for i in range(a):
        for j in range(b):
            for (u, v), tap in np.ndenumerate(kernel):
                at = (i * sh + u - ph) * w + j * sw + v - pw
                if 0 <= at < h * w:
                    out[i * b + j, at] += tap
    return out


# -- the transpose of the matrix ----------------------------------------------------------


def _by_matrix(y, kernel, out_hw, stride=1, padding=0, **bent):
    return (_rows(*out_hw, kernel, stride, padding, **bent).T @ np.ravel(y)).reshape(out_hw)


def _by_matrix_cases(rng) -> Iterator[Case]:
    two, four = np.array([[1.0, 2]]), np.array([[1.0, 2], [3, 4]])
    y = np.array([[1.0, 10]])
    yield Case("stride 1", (y, two, (1, 3)), visible=True, expected=[[1, 12, 20]])
    yield Case("stride 1", (y, four, (2, 3)), visible=True, expected=[[1, 12, 20], [3, 34, 40]])
    yield Case(
        "stride > 1",
        (y, four, (2, 4)),
        {"stride": 2},
        visible=True,
        expected=[[1, 2, 10, 20], [3, 4, 30, 40]],
    )
    yield Case(
        "stride > 1",
        (y, two, (1, 5)),
        {"stride": 2},
        visible=True,
        expected=[[1, 2, 10, 20, 0]],
    )
    yield Case(
        "padding",
        (np.array([[1.0, 10, 100]]), two, (1, 2)),
        {"padding": (0, 1)},
        visible=True,
        expected=[[12, 120]],
    )
    yield Case(
        "dtype and inputs",
        (np.float32([[3]]), np.float32([[1, 2]]), (1, 2)),
        visible=True,
        expected=np.float32([[3, 6]]),
        exact_dtype=True,
    )

    def case(aspect, out_hw, k, s=1, p=0):
        y = _whole(rng, *_sizes(out_hw, k, s, p))
        more = {"stride": s} if s != 1 else {}
        return Case(aspect, (y, _whole(rng, *k), out_hw), {**more, **({"padding": p} if p else {})})

    for _ in range(10):
        k = _two(rng, 1, 3)
        yield case("stride 1", tuple(n + _between(rng, 0, 3) for n in k), k)
    yield case("stride 1", (1, 1), (1, 1))
    yield case("stride 1", (4, 6), (3, 2))
    for each in (False, True):
        for _ in range(6):
            k, s = _two(rng, 1, 3), _two(rng, 1, 4) if each else _between(rng, 2, 4)
            yield case("stride > 1", tuple(n + _between(rng, 0, 5) for n in k), k, s)
    yield case("stride > 1", (5, 8), (2, 3), (2, 3))
    yield case("stride > 1", (6, 5), (2, 2), (1, 2))
    for each in (False, True):
        for _ in range(6):
            k, s = _two(rng, 1, 4), _between(rng, 1, 3)
            p = _two(rng, 0, 2) if each else _between(rng, 1, 2)
            out = zip(k, _pair(p), strict=True)
            yield case(
                "padding", tuple(max(1, n - 2 * q) + _between(rng, 0, 4) for n, q in out), k, s, p
            )
    yield case("padding", (2, 1), (3, 3), 1, 1)
    yield case("padding", (4, 4), (3, 3), (1, 2), (2, 1))
    for y, kernel in _kinds(rng, (3, 2), (3, 2)):
        settings = {"stride": 2, "padding": 1}
        yield Case("dtype and inputs", (y, kernel, (6, 3)), settings, exact_dtype=True)


def _gathered(x_name, terms):
    """Write out a sum of products, first with the names and then with the numbers."""
    if not terms:
        return "nothing: no copy of the kernel reaches it"
    names = " + ".join(f"{x_name}[{i}, {j}]·kernel[{u}, {v}]" for (i, j), (u, v), *_ in terms)
    return f"{names} = " + " + ".join(f"{_signed(a)}·{_signed(b)}" for *_, a, b in terms)


def _by_matrix_explain(at, y, kernel, out_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = _pair(stride), _pair(padding)
    terms = []
    for (i, j), value in np.ndenumerate(y):
        u, v = at[0] + ph - i * sh, at[1] + pw - j * sw
        if 0 <= u < kernel.shape[0] and 0 <= v < kernel.shape[1]:
            terms.append(((i, j), (u, v), value, kernel[u, v]))
    return f"z[{at[0]}, {at[1]}] adds up {_gathered('y', terms)}."


def _by_inverse(y, kernel, out_hw, stride=1, padding=0):
    c = _rows(*out_hw, kernel, stride, padding)
    return (np.linalg.pinv(c) @ np.ravel(y)).reshape(out_hw)


def _wrong_transpose(name, title, message, label, fn):
    return Misconception(name, title, message, f"{MATRIX}#{label}", fn)


BY_MATRIX = Spec(
    name="conv_transpose2d_by_matrix",
    title="Transposed convolution by the matrix",
    summary="Multiply a map by the transpose of the convolution's matrix.",
    chapter=f"{MATRIX}#transpose-2d",
    parameters="y, kernel, out_hw, stride=1, padding=0",
    minutes=15,
    difficulty="easy",
    aspects=(
        Aspect("stride 1", 1),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_by_matrix_cases,
    oracles={"PyTorch": torch_by_matrix, "TensorFlow": tf_by_matrix},
    explain=_by_matrix_explain,
    size_formula=lambda y, kernel, out_hw, stride=1, padding=0: (
        f"The result has the shape that was asked for, {tuple(out_hw)}."
    ),
    rules=Rules(libraries=("numpy", "scipy"), seconds=4.0),
    misconceptions=(
        _wrong_transpose(
            "pseudo-inverse",
            "The matrix is inverted",
            "This is the pseudo-inverse of C at work: it looks for an image whose convolution is "
            "`y`. The transposed convolution multiplies by Cᵀ, and undoes nothing.",
            "transpose-not-inverse",
            _by_inverse,
        ),
        _wrong_transpose(
            "kernel-rotated",
            "The kernel is turned round",
            "The copies of the kernel lie turned by 180°. The transpose exchanges rows and columns "
            "of C; nothing is turned round inside a window.",
            "transpose-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                y, kernel[::-1, ::-1], out_hw, stride, padding
            ),
        ),
        _wrong_transpose(
            "kernel-transposed",
            "The kernel is transposed",
            "The rows and columns of the kernel are exchanged. It is the large matrix C that is "
            "transposed, not the small kernel.",
            "transpose-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _transposed_kernel(
                y, kernel, out_hw, stride, padding
            ),
        ),
        _wrong_transpose(
            "column-by-column",
            "The map is read column by column",
            "The numbers of `y` are taken column by column. NumPy's `ravel` goes along a row "
            "first, and so do the rows of C.",
            "matrix-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                np.ravel(y, order="F"), kernel, out_hw, stride, padding
            ),
        ),
        _wrong_transpose(
            "result-column-by-column",
            "The result is filled column by column",
            "The vector Cᵀy is right, but it is laid out column by column. Pixel (i, j) is number "
            "i·w + j of it.",
            "matrix-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: np.reshape(
                _by_matrix(y, kernel, out_hw, stride, padding).ravel(), out_hw, order="F"
            ),
        ),
        _wrong_transpose(
            "not-an-image",
            "The result is still one long vector",
            "The numbers are right, but they are not laid out as an image of `out_hw`.",
            "transpose-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                y, kernel, out_hw, stride, padding
            ).ravel(),
        ),
        _wrong_transpose(
            "out-hw-exchanged",
            "Height and width are exchanged",
            "`out_hw` is (height, width), rows first.",
            "matrix-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                y.T, kernel.T, out_hw[::-1], _swap(stride), _swap(padding)
            ),
        ),
        _wrong_transpose(
            "padding-ignored",
            "The padding is ignored",
            "The copies of the kernel begin at the first pixel. C is to be built with the same "
            "padding, so that the first windows begin outside the image.",
            "matrix-2d",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                y, kernel, out_hw, stride, 0, rows=y.shape
            ),
        ),
        _wrong_transpose(
            "stride-ignored",
            "The stride is ignored",
            "The copies of the kernel begin one pixel apart. C is to be built with the same "
            "stride.",
            "row-of-the-matrix",
            lambda y, kernel, out_hw, stride=1, padding=0: _by_matrix(
                y, kernel, out_hw, 1, padding, rows=y.shape
            ),
        ),
    ),
)


def _transposed_kernel(y, kernel, out_hw, stride, padding):
    return _by_matrix(y, kernel.T, out_hw, stride, padding, rows=y.shape)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, label, answer):
    return Misconception(name, title, message, f"{MATRIX}#{label}", lambda: answer)


def _entries(matrix):
    return int(np.count_nonzero(matrix(4, 4, np.ones((3, 3)), 1, 1)))


PREDICT = Spec(
    name="predict_matrix_entries",
    title="Predict first: how much of the matrix is not zero?",
    summary="Count on paper the entries of a convolution's matrix that are not zero.",
    chapter=f"{MATRIX}#matrix-2d",
    parameters="",
    minutes=5,
    difficulty="medium",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _entries(torch_conv2d_matrix),
        "TensorFlow": lambda: _entries(tf_conv2d_matrix),
    },
    misconceptions=(
        _guess(
            "padding-counted",
            "Taps on the padding are counted",
            "This counts nine taps for each of the sixteen outputs. Taps that lie on the padding "
            "have no column.",
            "matrix-2d",
            144,
        ),
        _guess(
            "padding-ignored",
            "The padding is left out",
            "This is the number without padding, where only four windows fit.",
            "matrix-2d",
            36,
        ),
        _guess(
            "every-entry",
            "All entries are counted",
            "This is the size of the matrix. Most of it is zero: a window covers nine pixels at "
            "most.",
            "matrix-2d",
            256,
        ),
        _guess(
            "one-window",
            "Only one window is counted",
            "This is the number of taps. Each output has a row of its own in the matrix.",
            "row-of-the-matrix",
            9,
        ),
        _guess(
            "one-for-each-output",
            "One for each output",
            "This is the number of outputs. Each depends on several pixels.",
            "row-of-the-matrix",
            16,
        ),
        _guess(
            "one-axis",
            "Only one axis is counted",
            "This is the number for a row of four with three taps. In two dimensions each tap of "
            "the rows meets each tap of the columns.",
            "matrix-2d",
            10,
        ),
    ),
)


SPECS = (PREDICT, CONV2D_MATRIX, BY_MATRIX)
