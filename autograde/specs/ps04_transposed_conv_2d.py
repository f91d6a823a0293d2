"""ps04: convolution in 2-D as a sparse matrix, its transpose, and its two gradients.

Sources: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016); the API
pages of `torch.nn.functional.conv2d` and `conv_transpose2d`, `tf.nn.conv2d` and
`tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import as_pair, between, tensorflow, two_between, whole_numbers

MATRIX = "book/sparse-matrix-view"
TWO = "book/transposed-2d"


# -- oracles: the frameworks' own operations ----------------------------------------------


def _tensor(array):
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _nhwc(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _padded(x, padding):
    """Put zeros round the last two axes."""
    (ph, pw) = as_pair(padding)
    return np.pad(x, [(0, 0)] * (np.ndim(x) - 2) + [(ph, ph), (pw, pw)])


def _cropped(full, padding, output_padding=0):
    """Make the last two axes longer at the end, then cut `padding` off both ends."""
    (ph, pw), (oh, ow) = as_pair(padding), as_pair(output_padding)
    full = np.pad(full, [(0, 0)] * (np.ndim(full) - 2) + [(0, oh), (0, ow)])
    return full[..., ph : full.shape[-2] - ph, pw : full.shape[-1] - pw]


def _units(h, w, dtype):
    """Return every image of h × w with a single 1, as a batch with one channel."""
    return np.eye(h * w, dtype=dtype).reshape(h * w, 1, h, w)


def torch_conv2d_matrix(h, w, kernel, stride=1, padding=0):
    """Return the matrix whose columns are `F.conv2d` of the images with a single 1."""
    import torch

    x, kernel = _tensor(_units(h, w, kernel.dtype)), _tensor(kernel[None, None])
    y = torch.nn.functional.conv2d(x, kernel, stride=as_pair(stride), padding=as_pair(padding))
    return y.reshape(h * w, -1).T.numpy()


def tf_conv2d_matrix(h, w, kernel, stride=1, padding=0):
    """Return the matrix whose columns are `tf.nn.conv2d` of the images with a single 1."""
    x = _nhwc(_padded(_units(h, w, kernel.dtype), padding))
    kernel = np.ascontiguousarray(kernel)[:, :, None, None]
    y = tensorflow().nn.conv2d(x, kernel, strides=as_pair(stride), padding="VALID").numpy()
    return y.reshape(h * w, -1).T


def torch_by_matrix(y, kernel, out_hw, stride=1, padding=0):
    """Return `F.conv_transpose2d` of one channel, with the output padding that fits."""
    import torch

    sizes = zip(y.shape, kernel.shape, as_pair(stride), as_pair(padding), out_hw, strict=True)
    extra = [o - ((n - 1) * s + k - 2 * p) for n, k, s, p, o in sizes]
    z = torch.nn.functional.conv_transpose2d(
        _tensor(y[None, None]),
        _tensor(kernel[None, None]),
        stride=as_pair(stride),
        padding=as_pair(padding),
        output_padding=extra,
    )
    return z[0, 0].numpy()


def tf_by_matrix(y, kernel, out_hw, stride=1, padding=0):
    """Return `tf.nn.conv2d_transpose` of one channel, VALID, cropped by `padding`."""
    (ph, pw), (h, w) = as_pair(padding), out_hw
    z = tensorflow().nn.conv2d_transpose(
        np.ascontiguousarray(y)[None, :, :, None],
        np.ascontiguousarray(kernel)[:, :, None, None],
        (1, h + 2 * ph, w + 2 * pw, 1),
        strides=as_pair(stride),
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
        stride=as_pair(stride),
        padding=as_pair(padding),
        output_padding=as_pair(output_padding),
        groups=groups,
        dilation=as_pair(dilation),
    )
    return z.numpy()


def tf_conv_transpose2d(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Compose the operation of `tf.nn.conv2d_transpose`, VALID, group by group.

    On a CPU it takes neither groups nor dilation: the taps are spread out by zeros. It has no
    `output_padding` either: the places that no copy reaches are zeros.
    """
    (sh, sw), (dh, dw) = as_pair(stride), as_pair(dilation)
    (kh, kw), n, c = w.shape[2:], len(x), x.shape[1] // groups
    spread = np.zeros((*w.shape[:2], (kh - 1) * dh + 1, (kw - 1) * dw + 1), w.dtype)
    spread[:, :, ::dh, ::dw] = w
    size = [
        (m - 1) * s + k for m, s, k in zip(x.shape[2:], (sh, sw), spread.shape[2:], strict=True)
    ]
    parts = []
    for g in range(groups):
        z = tensorflow().nn.conv2d_transpose(
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
    y = torch.nn.functional.conv2d(x, w, stride=as_pair(stride), padding=as_pair(padding))
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
    tf, (ph, pw) = tensorflow(), as_pair(padding)
    if x is None:
        x = np.zeros((len(grad_output), w.shape[1], *input_hw), w.dtype)
    x, w = tf.constant(_nhwc(x)), tf.constant(np.ascontiguousarray(w.transpose(2, 3, 1, 0)))
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        padded = tf.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)])
        y = tf.nn.conv2d(padded, w, strides=as_pair(stride), padding="VALID")
    dx, dw = tape.gradient(y, [x, w], tf.constant(_nhwc(grad_output)))
    return np.moveaxis(dx.numpy(), -1, 1), dw.numpy().transpose(3, 2, 0, 1)


# -- inputs -------------------------------------------------------------------------------


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


def _size(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def _sizes(n, k, s, p):
    """Return the size of a convolution's output along both axes."""
    return tuple(map(_size, n, k, as_pair(s), as_pair(p)))


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
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
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
    return as_pair(value)[::-1]


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
        k = two_between(rng, 1, 3)
        h, w = (n + between(rng, 0, 3) for n in k)
        yield Case("stride 1", (h, w, whole_numbers(rng, *k)))
    yield Case("stride 1", (1, 1, whole_numbers(rng, 1, 1)))
    yield Case("stride 1", (4, 6, whole_numbers(rng, 3, 2)))
    for each in (False, True):
        for _ in range(6):
            k = two_between(rng, 1, 3)
            h, w = (n + between(rng, 0, 5) for n in k)
            s = two_between(rng, 1, 4) if each else between(rng, 2, 4)
            yield Case("stride > 1", (h, w, whole_numbers(rng, *k)), {"stride": s})
    yield Case("stride > 1", (5, 7, whole_numbers(rng, 2, 3)), {"stride": (2, 3)})
    yield Case("stride > 1", (6, 5, whole_numbers(rng, 2, 2)), {"stride": (1, 2)})
    for each in (False, True):
        for _ in range(6):
            k, s = two_between(rng, 1, 4), between(rng, 1, 3)
            p = two_between(rng, 0, 2) if each else between(rng, 1, 2)
            h, w = (
                max(1, n - 2 * q) + between(rng, 0, 4) for n, q in zip(k, as_pair(p), strict=True)
            )
            yield Case("padding", (h, w, whole_numbers(rng, *k)), {"stride": s, "padding": p})
    yield Case("padding", (2, 1, whole_numbers(rng, 3, 3)), {"padding": 1})  # kernel > input
    yield Case("padding", (4, 4, whole_numbers(rng, 3, 3)), {"padding": (2, 1), "stride": (1, 2)})
    for (kernel,) in _kinds(rng, (3, 2)):
        yield Case(
            "dtype and inputs", (5, 4, kernel), {"stride": 2, "padding": 1}, exact_dtype=True
        )


def _matrix_explain(at, h, w, kernel, stride=1, padding=0):
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
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
                h + 2 * as_pair(p)[0], w + 2 * as_pair(p)[1], kernel, s, 0
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
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
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
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
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
        y = whole_numbers(rng, *_sizes(out_hw, k, s, p))
        more = {"stride": s} if s != 1 else {}
        return Case(
            aspect, (y, whole_numbers(rng, *k), out_hw), {**more, **({"padding": p} if p else {})}
        )

    for _ in range(10):
        k = two_between(rng, 1, 3)
        yield case("stride 1", tuple(n + between(rng, 0, 3) for n in k), k)
    yield case("stride 1", (1, 1), (1, 1))
    yield case("stride 1", (4, 6), (3, 2))
    for each in (False, True):
        for _ in range(6):
            k, s = two_between(rng, 1, 3), two_between(rng, 1, 4) if each else between(rng, 2, 4)
            yield case("stride > 1", tuple(n + between(rng, 0, 5) for n in k), k, s)
    yield case("stride > 1", (5, 8), (2, 3), (2, 3))
    yield case("stride > 1", (6, 5), (2, 2), (1, 2))
    for each in (False, True):
        for _ in range(6):
            k, s = two_between(rng, 1, 4), between(rng, 1, 3)
            p = two_between(rng, 0, 2) if each else between(rng, 1, 2)
            out = zip(k, as_pair(p), strict=True)
            yield case(
                "padding", tuple(max(1, n - 2 * q) + between(rng, 0, 4) for n, q in out), k, s, p
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
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
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


# -- the whole operation ------------------------------------------------------------------


def _full(x, w, stride=1, groups=1, dilation=1, *, spread=None, interleaved=False):
    """Add up the weighted copies of the kernel, uncropped; the misconceptions bend it."""
    (sh, sw), (dh, dw) = as_pair(stride), as_pair(dilation)
    (n, c, h, wide), (o, kh, kw) = x.shape, w.shape[1:]
    out = np.zeros(
        (n, groups * o, (h - 1) * sh + (kh - 1) * dh + 1, (wide - 1) * sw + (kw - 1) * dw + 1),
        x.dtype,
    )
    dh, dw = spread or (dh, dw)
    each = c // groups
    for g in range(groups):
        mine = slice(g, None, groups) if interleaved else slice(g * each, (g + 1) * each)
        for u in range(kh):
            for v in range(kw):
                rows = slice(u * dh, u * dh + (h - 1) * sh + 1, sh)
                columns = slice(v * dw, v * dw + (wide - 1) * sw + 1, sw)
                out[:, g * o : (g + 1) * o, rows, columns] += np.einsum(
                    "nchw,co->nohw", x[:, mine], w[g * each : (g + 1) * each, :, u, v]
                )
    return out


def _amiss(x, w, bias, stride, padding, output_padding, groups, dilation):
    """Return whether PyTorch refuses these arguments."""
    triples = zip(as_pair(output_padding), as_pair(stride), as_pair(dilation), strict=True)
    return (
        min(as_pair(stride)) < 1
        or min(as_pair(dilation)) < 1
        or min(as_pair(padding)) < 0
        or min(as_pair(output_padding)) < 0
        or any(extra >= max(s, d) for extra, s, d in triples)
        or groups < 1
        or x.shape[1] != w.shape[0]
        or x.shape[1] % groups != 0
        or (bias is not None and bias.shape != (groups * w.shape[1],))
    )


def _bent(change=None, *, full=_full, crop=_cropped, add=None, checked=True):
    """Return the operation with something wrong: a learner's function, made of its parts.

    `change` replaces arguments, `full` and `crop` the steps, `add` how the bias is added.
    """

    def wrong(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        if checked and _amiss(x, w, bias, stride, padding, output_padding, groups, dilation):
            raise ValueError("these arguments make no sense")
        a = {
            **{"x": x, "w": w, "bias": bias, "stride": stride, "padding": padding},
            **{"output_padding": output_padding, "groups": groups, "dilation": dilation},
        }
        a.update(change(**a) if change else {})
        z = full(a["x"], a["w"], a["stride"], a["groups"], a["dilation"])
        z = crop(z, a["padding"], a["output_padding"])
        if min(z.shape) < 1:
            raise ValueError("no output is left")
        if a["bias"] is None:
            return z
        return add(z, **a) if add else z + a["bias"][:, None, None]

    return wrong


def _replace(name, value):
    """Return a change of one argument, computed from all of them."""
    return lambda **a: {name: value(a)}


def _overwritten(x, w, stride, groups, dilation):
    (sh, sw), (dh, dw) = as_pair(stride), as_pair(dilation)
    out, each, o = _full(x, w, stride, groups, dilation) * 0, len(w) // groups, w.shape[1]
    rows, columns = (w.shape[2] - 1) * dh + 1, (w.shape[3] - 1) * dw + 1
    for g in range(groups):
        mine = slice(g * each, (g + 1) * each)
        for i, j in np.ndindex(x.shape[2:]):
            out[
                :,
                g * o : (g + 1) * o,
                i * sh : i * sh + rows : dh,
                j * sw : j * sw + columns : dw,
            ] = np.einsum("nc,couv->nouv", x[:, mine, i, j], w[mine])
    return out


def _without_groups(x, w, stride, groups, dilation):
    return _full(x, w, stride, 1, dilation)


def _blocks_interleaved(x, w, stride, groups, dilation):
    return _full(x, w, stride, groups, dilation, interleaved=True)


def _taps_adjacent(x, w, stride, groups, dilation):
    return _full(x, w, stride, groups, dilation, spread=(1, 1))


def _cropped_in_front(full, padding, output_padding):
    (ph, pw) = as_pair(padding)
    return _cropped(full, 0, output_padding)[..., ph:, pw:]


def _longer_in_front(full, padding, output_padding):
    (ph, pw), (oh, ow) = as_pair(padding), as_pair(output_padding)
    full = np.pad(full, [(0, 0), (0, 0), (oh, 0), (ow, 0)])
    return full[..., ph : full.shape[-2] - ph, pw : full.shape[-1] - pw]


def _zeros_after_the_crop(full, padding, output_padding):
    return _cropped(_cropped(full, padding), 0, output_padding)


def _padding_added(full, padding, output_padding):
    return _padded(_cropped(full, 0, output_padding), padding)


def _bias_for_each_copy(z, x, w, bias, stride, padding, output_padding, groups, dilation):
    ones = np.ones((1, 1, *x.shape[2:]), x.dtype), np.ones((1, 1, *w.shape[2:]), x.dtype)
    copies = _cropped(_full(*ones, stride, 1, dilation), padding, output_padding)
    return z + bias[:, None, None] * copies[0]


def _bias_for_each_input_channel(z, x, w, bias, groups, **_):
    return z + bias[:, None, None] * (x.shape[1] // groups)


def _channels_exchanged(x, w, groups, **_):
    if groups == 1 and w.shape[0] == w.shape[1]:
        return {"w": w.swapaxes(0, 1)}
    return {}


def _draw(rng, *, stride=None, padding=0, output_padding=0, dilation=1, bias=False, **sizes):
    """Draw arguments of a given kind; there is always something left of the result."""
    groups = sizes.get("groups", 1)
    n, each, out = sizes.get("batch", 1), sizes.get("each", 1), sizes.get("out", 1)
    stride = stride or between(rng, 1, 3)
    h, w = two_between(rng, 2, 4)
    k = two_between(rng, 1, 3)
    k = tuple(
        max(m, 2 * p + 1 - (s * (a - 1)))
        for m, p, s, a in zip(k, as_pair(padding), as_pair(stride), (h, w), strict=True)
    )
    args = (whole_numbers(rng, n, each * groups, h, w), whole_numbers(rng, each * groups, out, *k))
    if bias:
        args = (*args, whole_numbers(rng, out * groups))
    kwargs = {"stride": stride}
    for name, value, usual in (
        ("padding", padding, 0),
        ("output_padding", output_padding, 0),
        ("groups", groups, 1),
        ("dilation", dilation, 1),
    ):
        if value != usual:
            kwargs[name] = value
    return args, kwargs


def _image(rows):
    return np.array(rows, float)[None, None]


CHECKED = "what makes no sense"


def _whole_cases(rng) -> Iterator[Case]:
    x, w = _image([[1, 10], [100, 1000]]), _image([[1, 2], [3, 4]])
    line, two = _image([[1, 10]]), _image([[1, 2]])

    def seen(aspect, args, expected, **kwargs):
        return Case(aspect, args, kwargs, visible=True, expected=np.array(expected, float))

    yield seen(
        "stride and padding",
        (x, w),
        [[[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]],
    )
    yield seen(
        "stride and padding",
        (x, w),
        [[[[1, 12, 20], [3, 34, 40], [100, 1200, 2000], [300, 3400, 4000]]]],
        stride=(2, 1),
    )
    yield seen("stride and padding", (x, w), [[[[12], [1234], [3400]]]], padding=(0, 1))
    yield seen(
        "output_padding",
        (line, two),
        [[[[2, 10, 20]]]],
        stride=2,
        padding=(0, 1),
        output_padding=(0, 1),
    )
    yield seen(
        "channels and batches",
        (np.array([1.0, 10]).reshape(1, 2, 1, 1), np.array([1.0, 2, 3, 4]).reshape(2, 2, 1, 1)),
        [[[[31]], [[42]]]],
    )
    yield Case(
        "bias",
        (line, two, np.array([100.0])),
        visible=True,
        expected=[[[[101, 112, 120]]]],
    )
    yield seen(
        "groups",
        (np.array([1.0, 10]).reshape(1, 2, 1, 1), np.array([3.0, 5]).reshape(2, 1, 1, 1)),
        [[[[3]], [[50]]]],
        groups=2,
    )
    yield seen("dilation", (line, two), [[[[1, 10, 2, 20]]]], dilation=(1, 2))
    yield Case(
        CHECKED,
        (line, two),
        {"output_padding": 1},
        visible=True,
        refused="output_padding has to be smaller than the stride or the dilation",
    )
    yield Case(
        "dtype and inputs",
        (np.float32([[[[3]]]]), np.float32([[[[1, 2]]]])),
        visible=True,
        expected=np.float32([[[[3, 6]]]]),
        exact_dtype=True,
    )

    def drawn(aspect, **settings):
        return Case(aspect, *_draw(rng, **settings))

    for _ in range(4):
        yield drawn("stride and padding")
        yield drawn("stride and padding", padding=between(rng, 1, 2))
        yield drawn(
            "stride and padding", stride=two_between(rng, 1, 4), padding=two_between(rng, 0, 2)
        )
    yield drawn("stride and padding", stride=(1, 3), padding=(2, 0))
    yield Case(
        "stride and padding", (whole_numbers(rng, 1, 1, 1, 1), whole_numbers(rng, 1, 1, 1, 1))
    )
    for _ in range(4):
        p = two_between(rng, 0, 2)
        yield drawn("output_padding", stride=(3, 2), padding=p, output_padding=(2, 1))
        yield drawn("output_padding", stride=(2, 4), padding=p, output_padding=(0, 3))
        yield drawn("output_padding", stride=2, padding=1, output_padding=1)
    yield drawn("output_padding", stride=1, dilation=(2, 3), output_padding=(1, 2), padding=1)
    for _ in range(4):
        c, n = between(rng, 2, 3), between(rng, 2, 3)
        yield drawn("channels and batches", batch=n, each=c, out=c)
        yield drawn("channels and batches", batch=n, each=c, out=5 - c, padding=1)
    for _ in range(3):
        yield drawn("bias", bias=True, each=2, out=3, batch=2)
        yield drawn("bias", bias=True, each=3, out=2, stride=(2, 1), padding=1)
    for _ in range(3):
        yield drawn("groups", groups=2, each=2, out=between(rng, 1, 3))
        yield drawn("groups", groups=3, each=between(rng, 2, 3), out=2, batch=2, bias=True)
        yield drawn("groups", groups=4, each=1, out=1, padding=1)
    for _ in range(4):
        yield drawn("dilation", dilation=between(rng, 2, 3), padding=between(rng, 0, 1))
        yield drawn("dilation", dilation=two_between(rng, 1, 3), stride=2, each=2, out=2)
    yield drawn("dilation", dilation=(1, 3), stride=2)
    x, w = whole_numbers(rng, 1, 4, 3, 3), whole_numbers(rng, 4, 2, 3, 3)
    for refused, args, kwargs in (
        (
            "output_padding has to be smaller than the stride or the dilation",
            (x, w),
            {"stride": 2, "output_padding": (0, 2)},
        ),
        ("x has 4 channels, and w is for 3", (x, w[:3]), {}),
        ("4 channels cannot be shared out among 3 groups", (x, w), {"groups": 3}),
        ("there are 2 output channels, and the bias has 3 elements", (x, w, np.ones(3)), {}),
        ("there are 2 output channels, and the bias has 1 element", (x, w, np.ones(1)), {}),
        ("a stride is 1 or more", (x, w), {"stride": (0, 1)}),
        ("a dilation is 1 or more", (x, w), {"dilation": 0}),
        ("a padding is 0 or more", (x, w), {"padding": (0, -1)}),
        ("an output_padding is 0 or more", (x, w), {"stride": 2, "output_padding": -1}),
        ("the padding crops everything, and no output is left", (x, w), {"padding": 3}),
    ):
        yield Case(CHECKED, args, kwargs, refused=refused)
    for x, w in _kinds(rng, (2, 2, 3, 4), (2, 2, 3, 2)):
        bias = rng.standard_normal(2).astype(x.dtype)
        settings = {"stride": 2, "padding": 1}
        yield Case("dtype and inputs", (x, w, bias), settings, exact_dtype=True)


def _whole_explain(
    at, x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    (sh, sw), (ph, pw), (dh, dw) = as_pair(stride), as_pair(padding), as_pair(dilation)
    n, o, row, column = at
    each = x.shape[1] // groups
    group, inner = divmod(o, w.shape[1])
    terms = []
    for c in range(group * each, (group + 1) * each):
        for i, j in np.ndindex(x.shape[2:]):
            (u, left), (v, over) = divmod(row + ph - i * sh, dh), divmod(column + pw - j * sw, dw)
            if not left and not over and 0 <= u < w.shape[2] and 0 <= v < w.shape[3]:
                terms.append(f"x[{n}, {c}, {i}, {j}]·w[{c}, {inner}, {u}, {v}]")
    more = [] if bias is None else [f"bias[{o}]"]
    if len(terms) > 6:
        terms = [*terms[:6], f"{len(terms) - 6} more products"]
    return f"z[{n}, {o}, {row}, {column}] is {' + '.join(terms + more) or 0}."


def _whole_size(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    lines = []
    names = zip(
        ("height", "width"),
        *(x.shape[2:], w.shape[2:], as_pair(stride), as_pair(padding), as_pair(output_padding)),
        as_pair(dilation),
        strict=True,
    )
    for name, n, k, s, p, extra, d in names:
        size = (n - 1) * s - 2 * p + d * (k - 1) + 1 + extra
        lines.append(f"{name} ({n} − 1)·{s} − {2 * p} + {d}·({k} − 1) + 1 + {extra} = {size}")
    m = w.shape[1]
    channels = f"groups·M = {groups}·{m} = {groups * m}" if groups > 1 else f"M = {m}"
    return (
        f"N = {len(x)} and {channels}. Each axis has (n − 1)·s − 2p + "
        f"d·(k − 1) + 1 + output_padding: {', '.join(lines)}."
    )


def _wrong(name, title, message, label, fn):
    return Misconception(name, title, message, f"{TWO}#{label}", fn)


CONV_TRANSPOSE2D = Spec(
    name="conv_transpose2d",
    title="Transposed convolution in 2-D, in full",
    summary="Batches, channels, groups, bias, dilation, and a `ValueError` where nothing fits.",
    chapter=f"{TWO}#scatter-2d",
    parameters="x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1",
    minutes=60,
    difficulty="hard",
    aspects=(
        Aspect("stride and padding", 2),
        Aspect("output_padding", 1),
        Aspect("channels and batches", 2),
        Aspect("bias", 1),
        Aspect("groups", 1),
        Aspect("dilation", 1),
        Aspect(CHECKED, 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_whole_cases,
    oracles={"PyTorch": torch_conv_transpose2d, "TensorFlow": tf_conv_transpose2d},
    explain=_whole_explain,
    size_formula=_whole_size,
    rules=Rules(libraries=("numpy", "scipy"), seconds=4.0),
    misconceptions=(
        _wrong(
            "kernel-rotated",
            "The kernel is turned round",
            "The copies of the kernel lie turned by 180°. Scattering lays them down as they are.",
            "scatter-2d",
            _bent(_replace("w", lambda a: a["w"][:, :, ::-1, ::-1])),
        ),
        _wrong(
            "channel-axes-exchanged",
            "The kernel's channel axes are exchanged",
            "The first axis of `w` is read as output channels. In a transposed convolution it "
            "belongs to the input channels, and the second to the output channels.",
            "kernel-layout",
            _bent(_channels_exchanged),
        ),
        _wrong(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            "scatter-2d",
            _bent(full=_overwritten),
        ),
        _wrong(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            "scatter-2d",
            _bent(_replace("stride", lambda a: _swap(a["stride"]))),
        ),
        _wrong(
            "padding-axes-exchanged",
            "The two paddings are exchanged",
            "A pair of paddings is (above and below, left and right): the first crops rows.",
            "padding-2d",
            _bent(_replace("padding", lambda a: _swap(a["padding"]))),
        ),
        _wrong(
            "padding-ignored",
            "The padding is ignored",
            "The output is not cropped. In a transposed convolution `padding` takes rows and "
            "columns away, at all four sides.",
            "padding-2d",
            _bent(_replace("padding", lambda a: 0)),
        ),
        _wrong(
            "padding-added",
            "Padding is added, not taken away",
            "The output is made larger by `padding` all round. It undoes the padding of the "
            "convolution that it belongs to, so it crops.",
            "padding-2d",
            _bent(crop=_padding_added),
        ),
        _wrong(
            "padding-cropped-once",
            "Only the top and the left are cropped",
            "`padding` rows and columns are cut off at the top and at the left only. It is the "
            "number at each side.",
            "padding-2d",
            _bent(crop=_cropped_in_front),
        ),
        _wrong(
            "output-padding-ignored",
            "output_padding is ignored",
            "The output has the smallest size that fits. `output_padding` asks for that many rows "
            "and columns more.",
            "output-padding-2d",
            _bent(_replace("output_padding", lambda a: 0)),
        ),
        _wrong(
            "output-padding-in-front",
            "output_padding at the top and the left",
            "The extra rows and columns come first. They belong at the bottom and at the right.",
            "output-padding-2d",
            _bent(crop=_longer_in_front),
        ),
        _wrong(
            "output-padding-filled-with-zeros",
            "output_padding filled with zeros",
            "Zeros are appended after the crop. `output_padding` makes the full result larger "
            "before the crop, so that values which `padding` would have cut off stay.",
            "output-padding-2d",
            _bent(crop=_zeros_after_the_crop),
        ),
        _wrong(
            "groups-ignored",
            "The groups are ignored",
            "All input channels go into the same few outputs. Each group of input channels has "
            "output channels of its own, which follow each other.",
            "groups-2d",
            _bent(
                full=_without_groups, add=lambda z, bias, **_: z + bias[: z.shape[1], None, None]
            ),
        ),
        _wrong(
            "groups-take-turns",
            "The channels are dealt out in turns",
            "Channel c goes to group c mod groups. The groups are blocks of neighbouring channels: "
            "the first ones belong to group 0.",
            "groups-2d",
            _bent(full=_blocks_interleaved),
        ),
        _wrong(
            "dilation-ignored",
            "The dilation is ignored",
            "The taps of a copy stand side by side. With a dilation of d they stand d apart, and "
            "the result is larger.",
            "dilation-2d",
            _bent(_replace("dilation", lambda a: 1)),
        ),
        _wrong(
            "dilation-in-the-size-only",
            "The dilation counts for the size only",
            "The result is large enough for taps that stand apart, but they still stand side by "
            "side.",
            "dilation-2d",
            _bent(full=_taps_adjacent),
        ),
        _wrong(
            "bias-ignored",
            "The bias is ignored",
            "Nothing is added at the end. The bias of an output channel is added to every one of "
            "its places.",
            "bias-2d",
            _bent(_replace("bias", lambda a: None)),
        ),
        _wrong(
            "bias-with-every-copy",
            "The bias comes with every copy",
            "The bias is added to each copy of the kernel, so it counts as often as copies "
            "overlap, and not at all where none lies. It is added once to every place.",
            "bias-2d",
            _bent(add=_bias_for_each_copy),
        ),
        _wrong(
            "bias-for-each-input-channel",
            "The bias counts once for each input channel",
            "The bias is added to the part that each input channel sends. It belongs to the output "
            "channel and is added once, after the sum.",
            "bias-2d",
            _bent(add=_bias_for_each_input_channel),
        ),
        _wrong(
            "arguments-not-checked",
            "Arguments that make no sense are taken",
            "The function computes something where PyTorch refuses. Look at the arguments before "
            "anything else.",
            "refused-2d",
            _bent(checked=False),
        ),
    ),
)


# -- the two gradients of a convolution ---------------------------------------------------


def _sent_back(grad_output, w, input_hw, stride=1, padding=0, *, reach=None):
    """Return the gradient of a convolution's input; `reach` bends the size before the crop."""
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _full(grad_output, w, stride)
    room = reach or (h + 2 * ph, wide + 2 * pw)
    full = _cropped(full, 0, [max(0, r - n) for r, n in zip(room, full.shape[2:], strict=True)])
    return full[:, :, ph : room[0] - ph, pw : room[1] - pw]


def _kernel_gradient(x, grad_output, kernel_hw, stride=1, padding=0, *, apart=None):
    """Return the gradient of a convolution's kernel; `apart` bends the step between windows."""
    (sh, sw), (h, w) = apart or as_pair(stride), grad_output.shape[2:]
    x = _padded(x, padding)
    out = np.zeros((grad_output.shape[1], x.shape[1], *kernel_hw), x.dtype)
    for u, v in np.ndindex(*kernel_hw):
        window = x[:, :, u : u + (h - 1) * sh + 1 : sh, v : v + (w - 1) * sw + 1 : sw]
        out[:, :, u, v] = np.einsum("nohw,nchw->oc", grad_output, window)
    return out


def _conv_sizes(rng, *, stride=1, padding=0, left=(0, 0)):
    """Draw the sizes of a convolution: (input, kernel, output); `left` pixels lie in no window."""
    k, out = two_between(rng, 1, 3), two_between(rng, 1, 3)
    s, p = as_pair(stride), as_pair(padding)
    k = tuple(max(m, 2 * q + 1) for m, q in zip(k, p, strict=True))
    n = tuple(
        (o - 1) * t + m - 2 * q + more for o, t, m, q, more in zip(out, s, k, p, left, strict=True)
    )
    return n, k, out


def _gradient_cases(order):
    """Return `cases` for one of the gradients; `order` puts (x, w, grad, ...) into its order."""

    def cases(rng) -> Iterator[Case]:
        grad, two, four = _image([[1, 10]]), _image([[1, 2]]), _image([[1, 2], [3, 4]])
        line = _image([[1, 2, 3]])
        square = _image([[1, 2, 3], [4, 5, 6]])

        def seen(aspect, x, w, grad, **kwargs):
            args = order(x, w, grad)
            expected = _by_definition(order, x, w, grad, **kwargs)
            return Case(aspect, args, kwargs, visible=True, expected=expected)

        yield seen("stride 1", line, two, grad)
        yield seen("stride 1", square, four, grad)
        yield seen("stride > 1", _image([[1, 2, 3, 4]]), two, grad, stride=2)
        yield seen("stride > 1", _image([[1, 2, 3, 4, 5]]), two, grad, stride=(1, 2))
        yield seen("padding", line[..., :2], two, _image([[1, 10, 100]]), padding=(0, 1))
        yield seen(
            "channels and batches",
            np.array([1.0, 2, 3, 4]).reshape(2, 2, 1, 1),
            np.array([5.0, 6]).reshape(1, 2, 1, 1),
            np.array([1.0, 10]).reshape(2, 1, 1, 1),
        )
        small = [np.float32(a).reshape(1, 1, 1, -1) for a in ([1, 2], [3, 4], [5])]
        yield Case(
            "dtype and inputs",
            order(*small),
            visible=True,
            expected=_by_definition(order, *small),
            exact_dtype=True,
        )

        def case(aspect, *, n=1, c=1, o=1, **kwargs):
            left = kwargs.pop("left", (0, 0))
            size, k, out = _conv_sizes(rng, left=left, **kwargs)
            x, w, grad = (
                whole_numbers(rng, n, c, *size),
                whole_numbers(rng, o, c, *k),
                whole_numbers(rng, n, o, *out),
            )
            return Case(aspect, order(x, w, grad), kwargs)

        for _ in range(10):
            yield case("stride 1")
        for _ in range(5):
            yield case("stride > 1", stride=between(rng, 2, 3))
            yield case("stride > 1", stride=(3, 2), left=(between(rng, 0, 2), 1))
            yield case("stride > 1", stride=(1, 2), left=(0, between(rng, 0, 1)))
        for _ in range(4):
            yield case("padding", padding=between(rng, 1, 2))
            yield case("padding", padding=(0, 2), stride=2)
            yield case("padding", padding=(1, 0), stride=(2, 3), left=(1, 2))
        for _ in range(5):
            c, n = between(rng, 2, 3), between(rng, 2, 3)
            yield case("channels and batches", n=n, c=c, o=c)
            yield case("channels and batches", n=n, c=c, o=5 - c, stride=2, padding=1)
        for x, w, grad in _kinds(rng, (2, 2, 6, 5), (3, 2, 3, 2), (2, 3, 3, 3)):
            kwargs = {"stride": 2, "padding": 1}
            yield Case("dtype and inputs", order(x, w, grad), kwargs, exact_dtype=True)

    return cases


def _by_definition(order, x, w, grad, stride=1, padding=0):
    if order is _for_input:
        return _sent_back(grad, w, x.shape[2:], stride, padding)
    return _kernel_gradient(x, grad, w.shape[2:], stride, padding)


def _for_input(x, w, grad):
    return grad, w, x.shape[2:]


def _for_weight(x, w, grad):
    return x, grad, w.shape[2:]


GRADIENT_ASPECTS = (
    Aspect("stride 1", 1),
    Aspect("stride > 1", 1),
    Aspect("padding", 1),
    Aspect("channels and batches", 1),
    Aspect("dtype and inputs", 1),
)


def _input_explain(at, grad_output, w, input_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
    n, c, row, column = at
    terms = []
    for o in range(len(w)):
        for i, j in np.ndindex(grad_output.shape[2:]):
            u, v = row + ph - i * sh, column + pw - j * sw
            if 0 <= u < w.shape[2] and 0 <= v < w.shape[3]:
                terms.append(f"grad_output[{n}, {o}, {i}, {j}]·w[{o}, {c}, {u}, {v}]")
    if len(terms) > 6:
        terms = [*terms[:6], f"{len(terms) - 6} more products"]
    return f"The pixel [{n}, {c}, {row}, {column}] gets {' + '.join(terms) or 'nothing'}."


def _weight_explain(at, x, grad_output, kernel_hw, stride=1, padding=0):
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
    o, c, u, v = at
    return (
        f"The tap [{o}, {c}, {u}, {v}] meets, in the window of each output [n, {o}, i, j], the "
        f"pixel [n, {c}, i·{sh} + {u} − {ph}, j·{sw} + {v} − {pw}] (0 on the padding): add up "
        "pixel times grad_output over n, i and j."
    )


def _clear(label):
    return f"book/forward-is-backward#{label}"


def _wrong_input(name, title, message, fn, section=None):
    return Misconception(name, title, message, section or _clear("input-gradient"), fn)


def _wrong_weight(name, title, message, fn):
    return Misconception(name, title, message, _clear("weight-gradient"), fn)


def _exchanged(grad_output, w, input_hw, stride=1, padding=0):
    if w.shape[0] == w.shape[1]:
        w = w.swapaxes(0, 1)
    return _sent_back(grad_output, w, input_hw, stride, padding)


def _left_over_lost(grad_output, w, input_hw, stride=1, padding=0):
    (sh, sw), (h, wide) = as_pair(stride), grad_output.shape[2:]
    reach = (h - 1) * sh + w.shape[2], (wide - 1) * sw + w.shape[3]
    return _sent_back(grad_output, w, input_hw, stride, padding, reach=reach)


def _left_over_in_front(grad_output, w, input_hw, stride=1, padding=0):
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _full(grad_output, w, stride)
    more = [
        (max(0, n + 2 * p - m), 0)
        for n, p, m in zip((h, wide), (ph, pw), full.shape[2:], strict=True)
    ]
    full = np.pad(full, [(0, 0), (0, 0), *more])
    return full[:, :, ph : ph + h, pw : pw + wide]


def _back_without_padding(grad_output, w, input_hw, stride=1, padding=0):
    z = _sent_back(grad_output, w, input_hw, stride, padding)
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _full(grad_output, w, stride)
    full = _cropped(full, 0, (h, wide))
    return full[:, :, : z.shape[2], : z.shape[3]] if ph or pw else z


def _back_overwritten(grad_output, w, input_hw, stride=1, padding=0):
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _overwritten(grad_output, w, stride, 1, 1)
    full = _cropped(full, 0, (h + 2 * ph, wide + 2 * pw))
    return full[:, :, ph : ph + h, pw : pw + wide]


def _windows_one_apart(grad_output, w, input_hw, stride=1, padding=0):
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _cropped(_full(grad_output, w, 1), 0, (h + 2 * ph, wide + 2 * pw))
    return full[:, :, ph : ph + h, pw : pw + wide]


def _strides_exchanged(grad_output, w, input_hw, stride=1, padding=0):
    (ph, pw), (h, wide) = as_pair(padding), input_hw
    full = _cropped(_full(grad_output, w, _swap(stride)), 0, (h + 2 * ph, wide + 2 * pw))
    return full[:, :, ph : ph + h, pw : pw + wide]


BACKWARD_INPUT = Spec(
    name="conv2d_backward_input",
    title="The gradient of a convolution's input",
    summary="Send the gradient of the outputs back to the pixels.",
    chapter=_clear("input-gradient"),
    parameters="grad_output, w, input_hw, stride=1, padding=0",
    minutes=25,
    difficulty="medium",
    aspects=GRADIENT_ASPECTS,
    cases=_gradient_cases(_for_input),
    oracles={"PyTorch": torch_backward_input, "TensorFlow": tf_backward_input},
    explain=_input_explain,
    size_formula=lambda grad_output, w, input_hw, stride=1, padding=0: (
        "There is a number for each number of the input: one image for each of grad_output, one "
        f"channel for each of w's {w.shape[1]}, and {input_hw[0]} × {input_hw[1]} pixels."
    ),
    rules=Rules(libraries=("numpy", "scipy"), seconds=4.0),
    misconceptions=(
        _wrong_input(
            "kernel-rotated",
            "The kernel is turned round",
            "Each output sends through the kernel turned by 180°. It sends to each pixel by the "
            "tap that looked at it. Only a kernel that slides over a stretched map is turned.",
            lambda grad_output, w, input_hw, stride=1, padding=0: _sent_back(
                grad_output, w[:, :, ::-1, ::-1], input_hw, stride, padding
            ),
        ),
        _wrong_input(
            "channel-axes-exchanged",
            "The kernel's channel axes are exchanged",
            "The second axis of `w` is taken for the outputs. This `w` is the kernel of the "
            "convolution: (output channels, input channels, height, width).",
            _exchanged,
            f"{TWO}#kernel-layout",
        ),
        _wrong_input(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "A pixel that lies in several windows keeps what the last one sent. All of them count: "
            "gradients add up.",
            _back_overwritten,
        ),
        _wrong_input(
            "left-over-pixels-lost",
            "The pixels that lie in no window are missing",
            "The result is only as large as the windows reach. The input had more rows or columns "
            "at its end; their gradient is 0, and it belongs to the result.",
            _left_over_lost,
        ),
        _wrong_input(
            "left-over-pixels-in-front",
            "The pixels that lie in no window come first",
            "The rows and columns that no window reaches are put in front. The windows start at "
            "the front, so what they do not reach lies at the end.",
            _left_over_in_front,
        ),
        _wrong_input(
            "padding-ignored",
            "The padding is not cropped",
            "The first window is laid over the first pixel. With padding it began outside the "
            "image: what is sent to the padding is cut off.",
            _back_without_padding,
        ),
        _wrong_input(
            "windows-one-apart",
            "The windows lie one apart",
            "The outputs send to windows that begin one pixel apart. They began a stride apart.",
            _windows_one_apart,
        ),
        _wrong_input(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            _strides_exchanged,
            f"{TWO}#scatter-2d",
        ),
        _wrong_input(
            "averaged-over-the-outputs",
            "The output channels are averaged",
            "What comes back from the output channels is averaged. Gradients that meet at a pixel "
            "are added up.",
            lambda grad_output, w, input_hw, stride=1, padding=0: (
                _sent_back(grad_output, w, input_hw, stride, padding) / len(w)
            ),
        ),
        _wrong_input(
            "summed-over-the-batch",
            "The images of the batch are added up",
            "All images get the sum of what belongs to each. The batch is only summed for the "
            "kernel, which they share; each image has pixels of its own.",
            lambda grad_output, w, input_hw, stride=1, padding=0: np.repeat(
                _sent_back(grad_output, w, input_hw, stride, padding).sum(0, keepdims=True),
                len(grad_output),
                axis=0,
            ),
        ),
    ),
)


def _thinned(x, grad_output, kernel_hw, stride=1, padding=0):
    (sh, sw) = as_pair(stride)
    x = _padded(x, padding)[:, :, ::sh, ::sw]
    (h, w), (kh, kw) = grad_output.shape[2:], kernel_hw
    x = _cropped(x, 0, (h + kh, w + kw))
    return _kernel_gradient(x, grad_output, kernel_hw)


def _kernel_unpadded(x, grad_output, kernel_hw, stride=1, padding=0):
    (ph, pw) = as_pair(padding)
    x = _cropped(x, 0, (2 * ph, 2 * pw))
    return _kernel_gradient(x, grad_output, kernel_hw, stride)


def _kernel_strides_exchanged(x, grad_output, kernel_hw, stride=1, padding=0):
    x = _cropped(_padded(x, padding), 0, [4 * m for m in grad_output.shape[2:]])
    return _kernel_gradient(x, grad_output, kernel_hw, _swap(stride))


def _size_from_the_shapes(x, grad_output, kernel_hw, stride=1, padding=0):
    (sh, sw), (ph, pw), (h, w) = as_pair(stride), as_pair(padding), grad_output.shape[2:]
    room = x.shape[2] + 2 * ph - (h - 1) * sh, x.shape[3] + 2 * pw - (w - 1) * sw
    return _kernel_gradient(x, grad_output, room, stride, padding)


BACKWARD_WEIGHT = Spec(
    name="conv2d_backward_weight",
    title="The gradient of a convolution's kernel",
    summary="Collect for each tap what it met, weighted by the gradient of the outputs.",
    chapter=_clear("weight-gradient"),
    parameters="x, grad_output, kernel_hw, stride=1, padding=0",
    minutes=25,
    difficulty="hard",
    aspects=GRADIENT_ASPECTS,
    cases=_gradient_cases(_for_weight),
    oracles={"PyTorch": torch_backward_weight, "TensorFlow": tf_backward_weight},
    explain=_weight_explain,
    size_formula=lambda x, grad_output, kernel_hw, stride=1, padding=0: (
        "There is a number for each tap: (output channels, input channels, height, width) = "
        f"({grad_output.shape[1]}, {x.shape[1]}, {kernel_hw[0]}, {kernel_hw[1]})."
    ),
    rules=Rules(libraries=("numpy", "scipy"), seconds=4.0),
    misconceptions=(
        _wrong_weight(
            "taps-rotated",
            "The taps come out turned round",
            "The result is turned by 180°. The frameworks' convolution does not flip, so tap "
            "[0, 0] met the top left pixel of each window.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: _kernel_gradient(
                x, grad_output, kernel_hw, stride, padding
            )[:, :, ::-1, ::-1],
        ),
        _wrong_weight(
            "gradient-rotated",
            "The gradient is turned round",
            "`grad_output` is turned by 180° before it meets the pixels. Each output goes with its "
            "own window.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: _kernel_gradient(
                x, grad_output[:, :, ::-1, ::-1], kernel_hw, stride, padding
            ),
        ),
        _wrong_weight(
            "channel-axes-exchanged",
            "The channel axes of the result are exchanged",
            "The result is laid out as (input channels, output channels, …). A convolution's "
            "kernel has its output channels first.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: _kernel_gradient(
                x, grad_output, kernel_hw, stride, padding
            ).swapaxes(0, 1),
        ),
        _wrong_weight(
            "averaged-over-the-batch",
            "The batch is averaged",
            "The images' contributions are averaged. The kernel is shared by all of them, so their "
            "gradients add up; a mean would have to come from the loss.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: (
                _kernel_gradient(x, grad_output, kernel_hw, stride, padding) / len(x)
            ),
        ),
        _wrong_weight(
            "first-image-only",
            "Only the first image counts",
            "The sum over the batch is missing. Every image has used the same kernel.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: _kernel_gradient(
                x[:1], grad_output[:1], kernel_hw, stride, padding
            ),
        ),
        _wrong_weight(
            "windows-one-apart",
            "The windows lie one apart",
            "Each output is paired with a window one pixel further on. The windows began a stride "
            "apart.",
            lambda x, grad_output, kernel_hw, stride=1, padding=0: _kernel_gradient(
                x, grad_output, kernel_hw, stride, padding, apart=(1, 1)
            ),
        ),
        _wrong_weight(
            "stride-thins-the-input",
            "The stride thins out the input",
            "Every stride-th pixel is kept, and the others never meet a tap. The stride spaces the "
            "windows; from tap to tap the pixels are neighbours.",
            _thinned,
        ),
        _wrong_weight(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            _kernel_strides_exchanged,
        ),
        _wrong_weight(
            "padding-ignored",
            "The padding is left out",
            "The first window is taken from the first pixel. It began on the padding, so the taps "
            "are paired with the wrong pixels.",
            _kernel_unpadded,
        ),
        _wrong_weight(
            "size-from-the-shapes",
            "The kernel comes out too large",
            "The size is worked out from the shapes of `x` and `grad_output`. Where the stride "
            "leaves pixels over that lie in no window, that gives taps which do not exist.",
            _size_from_the_shapes,
        ),
    ),
)


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
    rules=Rules(libraries=("numpy", "scipy")),
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


SPECS = (
    PREDICT,
    CONV2D_MATRIX,
    BY_MATRIX,
    CONV_TRANSPOSE2D,
    BACKWARD_INPUT,
    BACKWARD_WEIGHT,
)
