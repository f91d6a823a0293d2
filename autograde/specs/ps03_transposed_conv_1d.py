"""ps03: convolution in 1-D, and the same operation turned round.

Sources: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016);
the API pages of `torch.nn.functional.conv1d` and `conv_transpose1d`, `tf.nn.convolution`,
`tf.nn.conv1d` and `tf.nn.conv1d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import tensorflow, whole_numbers

CONV = "book/convolution-1d"
TURN = "book/turning-it-round"
EFFICIENT = "book/efficient-form"


# -- oracles: the frameworks' own operations ----------------------------------------------


def torch_conv1d(x, w, stride=1, padding=0):
    """Return `F.conv1d` of 1-D arrays."""
    import torch

    x, w = (torch.tensor(np.ascontiguousarray(a)) for a in (x, w))
    y = torch.nn.functional.conv1d(x[None, None], w[None, None], stride=stride, padding=padding)
    return y[0, 0].numpy()


def tf_conv1d(x, w, stride=1, padding=0):
    """Return `tf.nn.conv1d` of 1-D arrays, VALID over an explicitly padded input."""
    tf = tensorflow()
    x = np.pad(x, padding)
    y = tf.nn.conv1d(x[None, :, None], w[:, None, None], stride=stride, padding="VALID")
    return y[0, :, 0].numpy()


def tf_same_padding(n, k, s):
    """Read the padding off `tf.nn.conv1d(padding="SAME")`.

    A kernel with a single 1 at tap j copies out the element that tap j meets. In the first
    window the first element meets tap `before`; in the last window the last element meets
    tap `k - 1 - after`, unless the window ends before it.
    """
    tf = tensorflow()
    x = np.arange(1.0, n + 1)
    taps = np.eye(k)  # as (K, 1, K): output channel j looks through tap j
    seen = tf.nn.conv1d(x[None, :, None], taps[:, None, :], stride=s, padding="SAME")[0].numpy()
    before = int(np.flatnonzero(seen[0] == 1)[0])
    last = np.flatnonzero(seen[-1] == n)
    return before, k - 1 - int(last[0]) if last.size else 0


def torch_conv1d_matrix(n, w, stride=1, padding=0):
    """Return the matrix whose columns are `F.conv1d` of the unit vectors."""
    columns = [torch_conv1d(e, w, stride, padding) for e in np.eye(n, dtype=w.dtype)]
    return np.stack(columns, axis=1)


def tf_conv1d_matrix(n, w, stride=1, padding=0):
    """Return the matrix whose columns are `tf.nn.conv1d` of the unit vectors."""
    return np.stack([tf_conv1d(e, w, stride, padding) for e in np.eye(n, dtype=w.dtype)], axis=1)


def torch_conv_transpose1d(y, w, stride=1, padding=0, output_padding=0):
    """Return `F.conv_transpose1d` of 1-D arrays."""
    import torch

    y, w = (torch.tensor(np.ascontiguousarray(a)) for a in (y, w))
    x = torch.nn.functional.conv_transpose1d(
        y[None, None],
        w[None, None],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
    )
    return x[0, 0].numpy()


def tf_conv_transpose1d(y, w, stride=1, padding=0, output_padding=0):
    """Return `tf.nn.conv1d_transpose` of 1-D arrays, VALID, cropped by `padding`.

    TensorFlow has no `output_padding`: the output's length is given instead.
    """
    tf = tensorflow()
    full = (len(y) - 1) * stride + len(w) + output_padding
    x = tf.nn.conv1d_transpose(
        y[None, :, None], w[:, None, None], (1, full, 1), strides=stride, padding="VALID"
    )
    return x[0, padding : full - padding, 0].numpy()


def torch_polyphase_split(w, stride):
    """Return every stride-th tap by `F.conv1d` with a kernel that holds a single 1."""
    padded = np.pad(w, (0, -len(w) % stride))
    phases = [torch_conv1d(padded, e, stride) for e in np.eye(stride, dtype=w.dtype)]
    return [p[: -(-(len(w) - r) // stride)] for r, p in enumerate(phases)]


def tf_polyphase_split(w, stride):
    """Return every stride-th tap by `tf.nn.conv1d` with a kernel that holds a single 1."""
    padded = np.pad(w, (0, -len(w) % stride))
    phases = [tf_conv1d(padded, e, stride) for e in np.eye(stride, dtype=w.dtype)]
    return [p[: -(-(len(w) - r) // stride)] for r, p in enumerate(phases)]


# -- inputs -------------------------------------------------------------------------------


def _variants(rng, n, k):
    """Yield (input, kernel) in float32 and float64, read-only, reversed and strided."""
    for dtype in (np.float32, np.float64):
        a, w = (rng.standard_normal(m).astype(dtype) for m in (n, k))
        yield a, w
        a, w = a.copy(), w.copy()
        a.flags.writeable = w.flags.writeable = False
        yield a, w
        yield rng.standard_normal(2 * n).astype(dtype)[::2], w[::-1]
        yield rng.standard_normal(n).astype(dtype)[::-1], w


# -- conv1d -------------------------------------------------------------------------------


def _slide(x, w, stride=1):
    """Cross-correlate without padding; the tool the misconceptions below are made with."""
    if len(x) < len(w):
        return np.zeros(0)
    return np.correlate(np.asarray(x, float), np.asarray(w, float), "valid")[::stride]


def _conv1d_cases(rng) -> Iterator[Case]:
    x, w = np.array([1.0, 2, 3, 4]), np.array([1.0, 2])
    yield Case("stride 1", (x, w), visible=True, expected=[5, 8, 11])
    yield Case(
        "stride 1",
        (np.array([1.0, 0, 2]), np.array([3.0])),
        visible=True,
        expected=[3, 0, 6],
    )
    six, four = np.arange(1.0, 7), np.array([1.0, 2, 3, 4])
    yield Case("stride > 1", (six, four), {"stride": 2}, visible=True, expected=[30, 50])
    yield Case("padding", (x, w), {"padding": 1}, visible=True, expected=[2, 5, 8, 11, 4])
    yield Case(
        "padding",
        (six, four),
        {"stride": 2, "padding": 2},
        visible=True,
        expected=[11, 30, 50, 17],
    )
    seven = np.arange(1.0, 8)  # one element is left over: no window of its own
    yield Case("stride > 1", (seven, four), {"stride": 2}, visible=True, expected=[30, 50])
    x32, w32 = np.float32([1, 2, 3]), np.float32([1, 1])
    yield Case(
        "dtype and inputs", (x32, w32), visible=True, expected=np.float32([3, 5]), exact_dtype=True
    )
    for _ in range(10):
        k = int(rng.integers(1, 7))
        n = k + int(rng.integers(0, 9))
        yield Case("stride 1", (whole_numbers(rng, n), whole_numbers(rng, k)))
    yield Case("stride 1", (whole_numbers(rng, 1), whole_numbers(rng, 1)))
    yield Case("stride 1", (whole_numbers(rng, 5), whole_numbers(rng, 5)))
    for _ in range(12):
        k, s = int(rng.integers(1, 6)), int(rng.integers(2, 6))
        n = k + int(rng.integers(0, 14))
        yield Case("stride > 1", (whole_numbers(rng, n), whole_numbers(rng, k)), {"stride": s})
    yield Case("stride > 1", (whole_numbers(rng, 13), whole_numbers(rng, 2)), {"stride": 5})
    for _ in range(14):
        k, s, p = (int(rng.integers(lo, hi)) for lo, hi in ((1, 6), (1, 4), (1, 6)))
        n = max(1, k - 2 * p) + int(rng.integers(0, 9))
        yield Case(
            "padding", (whole_numbers(rng, n), whole_numbers(rng, k)), {"stride": s, "padding": p}
        )
    yield Case(
        "padding", (whole_numbers(rng, 2), whole_numbers(rng, 5)), {"padding": 2}
    )  # kernel > input
    for a, w in _variants(rng, 11, 4):
        yield Case("dtype and inputs", (a, w), {"stride": 2, "padding": 1}, exact_dtype=True)


def _conv1d_explain(i, x, w, stride=1, padding=0):
    terms = [
        (i * stride + j - padding, j)
        for j in range(len(w))
        if 0 <= i * stride + j - padding < len(x)
    ]
    return f"y[{i}] adds up {_products('x', 'w', x, w, terms)}."


def _products(a_name, b_name, a, b, terms):
    """Write out a sum of products, first with the names and then with the numbers."""
    if not terms:
        return "nothing but zeros"
    names = " + ".join(f"{a_name}[{i}]·{b_name}[{j}]" for i, j in terms)
    numbers = " + ".join(f"{_number(a[i])}·{_number(b[j])}" for i, j in terms)
    return f"{names} = {numbers}"


def _number(value):
    return f"{value:.4g}" if value >= 0 else f"(−{-value:.4g})"


def _conv_size(n, k, stride, padding):
    return (
        f"The output has ⌊(n + 2·padding − k) / stride⌋ + 1 = "
        f"⌊({n} + {2 * padding} − {k}) / {stride}⌋ + 1 = "
        f"{(n + 2 * padding - k) // stride + 1} elements."
    )


def _off_the_end(x, w, stride=1, padding=0):
    x = np.pad(np.asarray(x, float), padding)
    n = -(-len(x) // stride)
    return _slide(np.pad(x, (0, len(w) + stride)), w, stride)[:n]


CONV1D = Spec(
    name="conv1d",
    title="Convolution in 1-D",
    summary="Slide a kernel over an input, with a stride and zero padding.",
    chapter=f"{CONV}#conv1d-window",
    parameters="x, w, stride=1, padding=0",
    minutes=20,
    difficulty="easy",
    aspects=(
        Aspect("stride 1", 2),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_conv1d_cases,
    oracles={"PyTorch": torch_conv1d, "TensorFlow": tf_conv1d},
    explain=_conv1d_explain,
    size_formula=lambda x, w, stride=1, padding=0: _conv_size(len(x), len(w), stride, padding),
    misconceptions=(
        Misconception(
            "flipped-kernel",
            "The kernel is flipped",
            "Signal processing flips the kernel before it slides; deep-learning frameworks do "
            "not. Tap 0 meets the first element of the window.",
            f"{CONV}#conv1d-flip",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding), w[::-1], stride),
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "Every window is kept, as if the kernel always moved by one. A stride of s moves it "
            "by s elements from one output to the next.",
            f"{CONV}#conv1d-stride",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding), w),
        ),
        Misconception(
            "stride-thins-the-input",
            "The stride thins out the input",
            "The input is thinned out before the kernel slides, so the kernel never meets the "
            "elements in between. The stride spaces the windows; inside a window the elements "
            "are neighbours.",
            f"{CONV}#conv1d-stride",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding)[::stride], w),
        ),
        Misconception(
            "stride-is-kernel-length",
            "The windows never overlap",
            "The kernel moves by its own length, as in pooling. It moves by the stride, whatever "
            "its length.",
            f"{CONV}#conv1d-stride",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding), w, len(w)),
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The kernel slides over the bare input. Padding adds zeros at both ends first, which "
            "also gives more windows.",
            f"{CONV}#conv1d-padding",
            lambda x, w, stride=1, padding=0: _slide(x, w, stride),
        ),
        Misconception(
            "padding-in-front-only",
            "Zeros only in front",
            "The zeros stand in front of the input only. `padding` counts the zeros at each end.",
            f"{CONV}#conv1d-padding",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, (padding, 0)), w, stride),
        ),
        Misconception(
            "padding-is-the-total",
            "The padding is split between the ends",
            "`padding` zeros are shared out between the two ends. It is the number at each end, "
            "so there are twice as many in all.",
            f"{CONV}#conv1d-padding",
            lambda x, w, stride=1, padding=0: _slide(
                np.pad(x, (padding // 2, padding - padding // 2)), w, stride
            ),
        ),
        Misconception(
            "last-window-lost",
            "The last window is missing",
            "The output is one short. The kernel's last position counts too: that is the + 1 in "
            "the size formula.",
            f"{CONV}#conv1d-size",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding), w, stride)[:-1],
        ),
        Misconception(
            "last-start-left-out",
            "The last start is left out",
            "The windows stop one start too early. The last place where a window fits counts: "
            "that is the + 1 in the size formula.",
            f"{CONV}#conv1d-size",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding)[:-1], w, stride),
        ),
        Misconception(
            "windows-side-by-side",
            "The windows start one apart",
            "There are as many outputs as the stride allows, but their windows start at 0, 1, 2, "
            "… Output i starts at i · stride.",
            f"{CONV}#conv1d-stride",
            lambda x, w, stride=1, padding=0: _slide(np.pad(x, padding), w)[
                : _slide(np.pad(x, padding), w, stride).size
            ],
        ),
        Misconception(
            "window-runs-off-the-end",
            "Windows run off the end",
            "The size comes from the input's length alone, so the last windows reach past the "
            "(padded) input and meet zeros that nobody asked for. A window counts only if it "
            "fits.",
            f"{CONV}#conv1d-size",
            _off_the_end,
        ),
    ),
)


# -- same_padding -------------------------------------------------------------------------


def _same_cases(rng) -> Iterator[Case]:
    yield Case("stride 1", (5, 3, 1), visible=True, expected=(1, 1))
    yield Case("stride 1", (5, 4, 1), visible=True, expected=(1, 2))
    yield Case("stride > 1", (6, 3, 2), visible=True, expected=(0, 1))
    yield Case("stride > 1", (5, 3, 2), visible=True, expected=(1, 1))
    yield Case("stride > kernel", (6, 1, 2), visible=True, expected=(0, 0))
    for _ in range(12):
        yield Case("stride 1", (int(rng.integers(1, 20)), int(rng.integers(1, 9)), 1))
    for _ in range(24):
        s = int(rng.integers(2, 6))
        k = int(rng.integers(s, 10))
        yield Case("stride > 1", (int(rng.integers(1, 25)), k, s))
    yield Case("stride > 1", (1, 6, 2))
    yield Case("stride > 1", (7, 4, 2))
    # Totals of 3 and 1, whatever is drawn: so that no wrong half is right by luck.
    yield Case("stride > kernel", (6, 4, 5))
    yield Case("stride > kernel", (8, 4, 5))
    for _ in range(12):
        k = int(rng.integers(1, 5))
        yield Case("stride > kernel", (int(rng.integers(1, 25)), k, k + int(rng.integers(1, 5))))


def _same_total(n, k, s):
    return max((-(-n // s) - 1) * s + k - n, 0)


def _same_explain(_, n, k, s):
    out = -(-n // s)
    return (
        f"SAME gives ⌈{n}/{s}⌉ = {out} outputs; their windows reach over "
        f"({out} − 1)·{s} + {k} = {(out - 1) * s + k} elements, and there are {n}."
    )


SAME_PADDING = Spec(
    name="same_padding",
    title="TensorFlow's SAME padding",
    summary="Work out how many zeros TensorFlow's `SAME` puts at either end.",
    chapter=f"{CONV}#conv1d-same",
    parameters="n, k, s",
    minutes=15,
    difficulty="medium",
    aspects=(Aspect("stride 1", 1), Aspect("stride > 1", 2), Aspect("stride > kernel", 1)),
    cases=_same_cases,
    oracles={"TensorFlow": tf_same_padding},
    explain=_same_explain,
    size_formula=lambda n, k, s: "Return the pair (before, after).",
    misconceptions=(
        Misconception(
            "larger-half-in-front",
            "The larger half stands in front",
            "The total is right, but when it is odd the extra zero goes at the end, not in front.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: (
                _same_total(n, k, s) - _same_total(n, k, s) // 2,
                _same_total(n, k, s) // 2,
            ),
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "k − 1 zeros are right only for stride 1. With a larger stride the last window may "
            "end earlier, so fewer zeros are needed.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: ((k - 1) // 2, k - 1 - (k - 1) // 2),
        ),
        Misconception(
            "half-the-kernel-each-side",
            "Half the kernel on each side",
            "⌊k/2⌋ zeros at both ends is PyTorch's habit for odd kernels. SAME depends on the "
            "input's length and the stride too, and need not be symmetric.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: (k // 2, k // 2),
        ),
        Misconception(
            "negative-not-clipped",
            "Negative padding",
            "When the stride is larger than the kernel the windows may not need the whole input. "
            "Then nothing is padded; padding is never negative.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: _halves((-(-n // s) - 1) * s + k - n),
        ),
        Misconception(
            "all-at-the-end",
            "All zeros at the end",
            "The total is right, but it is shared out between both ends as evenly as it goes.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: (0, _same_total(n, k, s)),
        ),
        Misconception(
            "valid-for-same",
            "No padding at all",
            "No zeros is what VALID does. SAME pads until there are ⌈n/s⌉ outputs.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: (0, 0),
        ),
        Misconception(
            "output-length-rounded-down",
            "The output length is rounded down",
            "SAME has ⌈n/s⌉ outputs, rounded up: the elements left over at the end get a window "
            "of their own.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: _halves(max((n // s - 1) * s + k - n, 0)),
        ),
        Misconception(
            "same-means-same-length",
            "The output is kept as long as the input",
            "With a stride of s, SAME does not mean n outputs. It means ⌈n/s⌉: the same as the "
            "input only for stride 1.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: _halves((n - 1) * s + k - n),
        ),
        Misconception(
            "one-window-too-many",
            "One window too many",
            "The last of L windows starts at (L − 1)·s, not at L·s: the first one starts at 0.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: _halves(max(-(-n // s) * s + k - n, 0)),
        ),
        Misconception(
            "remainder-ignored",
            "The input's length is left out",
            "k − s zeros are right only where the stride divides n. Otherwise the last window "
            "starts nearer to the end of the input, and hangs over further.",
            f"{CONV}#conv1d-same",
            lambda n, k, s: _halves(max(k - s, 0)),
        ),
    ),
)


def _halves(total):
    return total // 2, total - total // 2


# -- conv1d_matrix ------------------------------------------------------------------------


def _matrix(n, w, stride=1, padding=0):
    """Return C by its definition; the misconceptions below bend it."""
    return _slide_rows(np.pad(np.eye(n), ((padding, padding), (0, 0))), w, stride)


def _slide_rows(rows, w, stride):
    starts = range(0, len(rows) - len(w) + 1, stride)
    return np.array([np.asarray(w, float) @ rows[a : a + len(w)] for a in starts])


def _matrix_cases(rng) -> Iterator[Case]:
    two = np.array([1.0, 2])
    yield Case("stride 1", (3, two), visible=True, expected=[[1, 2, 0], [0, 1, 2]])
    yield Case(
        "stride > 1",
        (5, np.array([1.0, 2, 3])),
        {"stride": 2},
        visible=True,
        expected=[[1, 2, 3, 0, 0], [0, 0, 1, 2, 3]],
    )
    yield Case(
        "padding",
        (2, two),
        {"padding": 1},
        visible=True,
        expected=[[2, 0], [1, 2], [0, 1]],
    )
    yield Case(
        "stride > 1",
        (4, two),
        {"stride": 3},  # two columns are left over: no row of their own
        visible=True,
        expected=[[1, 2, 0, 0]],
    )
    yield Case(
        "dtype and inputs",
        (2, np.float32([3, 4])),
        visible=True,
        expected=np.float32([[3, 4]]),
        exact_dtype=True,
    )
    for _ in range(10):
        k = int(rng.integers(1, 6))
        yield Case("stride 1", (k + int(rng.integers(0, 6)), whole_numbers(rng, k)))
    yield Case("stride 1", (1, whole_numbers(rng, 1)))
    for _ in range(12):
        k, s = int(rng.integers(1, 6)), int(rng.integers(2, 5))
        yield Case(
            "stride > 1", (k + int(rng.integers(0, 10)), whole_numbers(rng, k)), {"stride": s}
        )
    for _ in range(12):
        k, s, p = (int(rng.integers(lo, hi)) for lo, hi in ((1, 6), (1, 4), (1, 4)))
        n = max(1, k - 2 * p) + int(rng.integers(0, 7))
        yield Case("padding", (n, whole_numbers(rng, k)), {"stride": s, "padding": p})
    yield Case("padding", (2, whole_numbers(rng, 5)), {"padding": 2})
    for dtype in (np.float32, np.float64):
        w = rng.standard_normal(3).astype(dtype)
        yield Case("dtype and inputs", (7, w), {"stride": 2, "padding": 1}, exact_dtype=True)
        w = w[::-1]
        w.flags.writeable = False
        yield Case("dtype and inputs", (6, w), {"padding": 2}, exact_dtype=True)


def _matrix_explain(at, n, w, stride=1, padding=0):
    i, j = at
    tap = j + padding - i * stride
    if 0 <= tap < len(w):
        return f"C[{i}, {j}] is the tap through which y[{i}] sees x[{j}]: w[{tap}]."
    return f"C[{i}, {j}] is 0: the window of y[{i}] does not reach x[{j}]."


CONV1D_MATRIX = Spec(
    name="conv1d_matrix",
    title="Convolution as a matrix",
    summary="Build the matrix `C` with `C @ x == conv1d(x, w)`.",
    chapter=f"{CONV}#conv1d-matrix",
    parameters="n, w, stride=1, padding=0",
    minutes=20,
    difficulty="medium",
    aspects=(
        Aspect("stride 1", 2),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_matrix_cases,
    oracles={"PyTorch": torch_conv1d_matrix, "TensorFlow": tf_conv1d_matrix},
    explain=_matrix_explain,
    size_formula=lambda n, w, stride=1, padding=0: (
        "C has one row for each output and one column for each input. "
        + _conv_size(n, len(w), stride, padding)
    ),
    misconceptions=(
        Misconception(
            "flipped-kernel",
            "The kernel is flipped in the rows",
            "Each row holds the kernel backwards. A row is the window as it stands over the "
            "input, tap 0 first.",
            f"{CONV}#conv1d-flip",
            lambda n, w, stride=1, padding=0: _matrix(n, w[::-1], stride, padding),
        ),
        Misconception(
            "transposed",
            "Rows and columns are exchanged",
            "This is Cᵀ: its rows belong to inputs. C turns n inputs into outputs, so it has one "
            "row for each output.",
            f"{CONV}#conv1d-matrix",
            lambda n, w, stride=1, padding=0: _matrix(n, w, stride, padding).T,
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "The kernel moves by one column from row to row. It moves by the stride, and there "
            "are fewer rows.",
            f"{CONV}#conv1d-stride",
            lambda n, w, stride=1, padding=0: _matrix(n, w, 1, padding),
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The first row starts in the first column. With padding p the first window starts p "
            "elements before the input, and there are more rows.",
            f"{CONV}#conv1d-padding",
            lambda n, w, stride=1, padding=0: _matrix(n, w, stride),
        ),
        Misconception(
            "padding-kept-as-columns",
            "The padding has columns of its own",
            "C acts on x, which has n elements, not on the padded input. The taps that meet a "
            "padding zero have no column.",
            f"{CONV}#conv1d-matrix",
            lambda n, w, stride=1, padding=0: _matrix(n + 2 * padding, w, stride),
        ),
        Misconception(
            "taps-wrap-around",
            "Taps wrap round to the other end",
            "The taps that hang over one end come back at the other, as in a circular "
            "convolution. With zero padding they meet zeros and are lost.",
            f"{CONV}#conv1d-padding",
            lambda n, w, stride=1, padding=0: _wrapped(n, w, stride, padding),
        ),
        Misconception(
            "rows-one-apart",
            "Each row is shifted by one",
            "There are as many rows as the stride allows, but each is the one above shifted by "
            "one. It is shifted by the stride.",
            f"{CONV}#conv1d-stride",
            lambda n, w, stride=1, padding=0: _matrix(n, w, 1, padding)[
                : len(_matrix(n, w, stride, padding))
            ],
        ),
        Misconception(
            "taps-counted-from-the-end",
            "A tap index runs below zero",
            "Where the kernel does not reach, the matrix is not 0 but holds taps from the other "
            "end: in Python, w[-1] is the last tap. Check that the index is 0 or more.",
            f"{CONV}#conv1d-matrix",
            lambda n, w, stride=1, padding=0: _negative_taps(n, w, stride, padding),
        ),
        Misconception(
            "taps-stride-apart",
            "The taps stand a stride apart",
            "Inside a row the taps are spread out by the stride. The stride shifts each row "
            "against the one above; in a row the taps are neighbours.",
            f"{CONV}#conv1d-matrix",
            lambda n, w, stride=1, padding=0: _spread_taps(n, w, stride, padding),
        ),
        Misconception(
            "padding-in-front-only",
            "Zeros only in front",
            "The rows at the end are missing: `padding` counts the zeros at each end.",
            f"{CONV}#conv1d-padding",
            lambda n, w, stride=1, padding=0: _slide_rows(
                np.pad(np.eye(n), ((padding, 0), (0, 0))), w, stride
            ),
        ),
    ),
)


def _negative_taps(n, w, stride, padding):
    rows = (n + 2 * padding - len(w)) // stride + 1
    tap = np.arange(n)[None, :] + padding - stride * np.arange(rows)[:, None]
    inside = (tap >= -len(w)) & (tap < len(w))
    return np.where(inside, np.asarray(w, float)[np.where(inside, tap, 0)], 0.0)


def _spread_taps(n, w, stride, padding):
    out = np.zeros(((n + 2 * padding - len(w)) // stride + 1, n))
    for i in range(len(out)):
        for j, tap in enumerate(w):
            if 0 <= (at := i + j * stride - padding) < n:
                out[i, at] = tap
    return out


def _wrapped(n, w, stride, padding):
    out = np.zeros(((n + 2 * padding - len(w)) // stride + 1, n))
    for i in range(len(out)):
        for j, tap in enumerate(w):
            out[i, (i * stride + j - padding) % n] += tap
    return out


# -- transposed convolution, scattered ----------------------------------------------------


def _scatter(y, w, stride=1):
    """Add up the weighted copies of the kernel, uncropped."""
    out = np.zeros((len(y) - 1) * stride + len(w))
    for i, value in enumerate(y):
        out[i * stride : i * stride + len(w)] += value * np.asarray(w, float)
    return out


def _crop(full, padding, output_padding=0):
    """Cut `padding` off both ends of `full`, after making the end longer."""
    full = np.pad(full, (0, output_padding))
    return full[padding : len(full) - padding]


def _transposed(y, w, stride=1, padding=0, output_padding=0):
    return _crop(_scatter(y, w, stride), padding, output_padding)


def _transposed_cases(most_padding, *, called=False, counted=False):
    """Return `cases` for a transposed convolution; padding stays below `most_padding(k)`."""

    def cases(rng) -> Iterator[Case]:
        y3, w2, w4 = np.array([1.0, 2, 3]), np.array([1.0, 10]), np.array([1.0, 2, 3, 4])
        yield Case("stride 1", (y3, w2), visible=True, expected=[1, 12, 23, 30])
        yield Case(
            "stride > 1",
            (y3, w4),
            {"stride": 2},
            visible=True,
            expected=[1, 2, 5, 8, 9, 14, 9, 12],
        )
        yield Case(
            "stride > 1",
            (y3, w2),
            {"stride": 3},
            visible=True,
            expected=[1, 10, 0, 2, 20, 0, 3, 30],
        )
        yield Case(
            "padding",
            (y3, w4),
            {"stride": 2, "padding": 1},
            visible=True,
            expected=[2, 5, 8, 9, 14, 9],
        )
        yield Case(
            "output_padding",
            (y3, w4),
            {"stride": 2, "padding": 1, "output_padding": 1},
            visible=True,
            expected=[2, 5, 8, 9, 14, 9, 12],
        )
        yield Case(  # one more place, which no copy of the kernel reaches
            "output_padding",
            (np.array([1.0, 2]), w2),
            {"stride": 2, "output_padding": 1},
            visible=True,
            expected=[1, 10, 2, 20, 0],
        )
        yield Case(
            "dtype and inputs",
            (np.float32([1, 2]), np.float32([3, 4])),
            {"stride": 2},
            visible=True,
            expected=np.float32([3, 4, 6, 8]),
            exact_dtype=True,
        )
        if counted:
            yield Case(
                COUNTED,
                (y3, w4),
                {"stride": 2},
                visible=True,
                expected=[1, 2, 5, 8, 9, 14, 9, 12],
            )
        for _ in range(10):
            n, k = int(rng.integers(1, 9)), int(rng.integers(1, 6))
            yield Case("stride 1", (whole_numbers(rng, n), whole_numbers(rng, k)))
        yield Case("stride 1", (whole_numbers(rng, 1), whole_numbers(rng, 1)))
        for _ in range(12):
            n, k, s = (int(rng.integers(lo, hi)) for lo, hi in ((1, 8), (1, 6), (2, 6)))
            yield Case("stride > 1", (whole_numbers(rng, n), whole_numbers(rng, k)), {"stride": s})
        for op in (0, 1):
            for _ in range(12):
                k, s = int(rng.integers(1 + (op == 0), 6)), int(rng.integers(1 + op, 5))
                p = int(rng.integers(1 - op, most_padding(k)))
                n = int(rng.integers(2, 9)) + 2 * p // s
                more = {"output_padding": int(rng.integers(1, s))} if op else {}
                yield Case(
                    "output_padding" if op else "padding",
                    (whole_numbers(rng, n), whole_numbers(rng, k)),
                    {"stride": s, "padding": p, **more},
                )
        for a, w in _variants(rng, 7, 4):
            settings = {"stride": 3, "padding": 1, "output_padding": 2}
            yield Case("dtype and inputs", (a, w), settings, exact_dtype=True)
        if called:
            for s in (1, 2, 3):
                yield Case(
                    "goes through conv1d",
                    (whole_numbers(rng, 4), whole_numbers(rng, 3)),
                    {"stride": s},
                )
        if counted:  # no two numbers alike, so that each tells where it comes from
            for k, s in ((4, 2), (5, 2), (6, 3), (4, 3), (7, 3), (3, 3), (2, 3), (9, 4), (5, 1)):
                y, w = rng.standard_normal(int(rng.integers(5, 9))), rng.standard_normal(k)
                more = {"output_padding": int(rng.integers(0, s))}
                yield Case(COUNTED, (y, w), {"stride": s, **more})

    return cases


def _transposed_explain(j, y, w, stride=1, padding=0, output_padding=0):
    terms = [
        (i, j + padding - i * stride)
        for i in range(len(y))
        if 0 <= j + padding - i * stride < len(w)
    ]
    return f"z[{j}] adds up {_products('y', 'w', y, w, terms)}."


def _transposed_size(y, w, stride=1, padding=0, output_padding=0):
    n, k = len(y), len(w)
    return (
        "The output has (n − 1)·stride − 2·padding + k + output_padding = "
        f"({n} − 1)·{stride} − {2 * padding} + {k} + {output_padding} = "
        f"{(n - 1) * stride - 2 * padding + k + output_padding} elements."
    )


def _overwrite(y, w, stride=1, padding=0, output_padding=0):
    out = np.zeros((len(y) - 1) * stride + len(w))
    for i, value in enumerate(y):
        out[i * stride : i * stride + len(w)] = value * np.asarray(w, float)
    return _crop(out, padding, output_padding)


def _zeros_at_the_end(y, w, stride=1, padding=0, output_padding=0):
    return np.pad(_crop(_scatter(y, w, stride), padding), (0, output_padding))


COUNTED = "no more multiplications than needed"

TRANSPOSED_ASPECTS = (
    Aspect("stride 1", 1),
    Aspect("stride > 1", 2),
    Aspect("padding", 1),
    Aspect("output_padding", 1),
    Aspect("dtype and inputs", 1),
)

SCATTER = Spec(
    name="conv_transpose1d_scatter",
    title="Transposed convolution, scattered",
    summary="Let each input add its weighted copy of the kernel to the output.",
    chapter=f"{TURN}#scatter-view",
    parameters="y, w, stride=1, padding=0, output_padding=0",
    minutes=25,
    difficulty="medium",
    aspects=TRANSPOSED_ASPECTS,
    cases=_transposed_cases(lambda k: k + 2),
    oracles={"PyTorch": torch_conv_transpose1d, "TensorFlow": tf_conv_transpose1d},
    explain=_transposed_explain,
    size_formula=_transposed_size,
    misconceptions=(
        Misconception(
            "flipped-kernel",
            "The taps are reversed",
            "Each input leaves its copy of the kernel backwards. Scattering does not flip: "
            "tap 0 lands first. The flip belongs to the zero-insertion view.",
            f"{TURN}#scatter-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w[::-1], stride, padding, output_padding
            ),
        ),
        Misconception(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            f"{TURN}#overlap-add",
            _overwrite,
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "The copies lie one element apart. In the output they lie `stride` elements apart: "
            "the stride makes the output longer.",
            f"{TURN}#scatter-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, 1, padding, output_padding
            ),
        ),
        Misconception(
            "copies-one-apart",
            "The copies start one apart",
            "The output has the right length, but the copies of the kernel start at 0, 1, 2, … "
            "Copy i starts at i · stride.",
            f"{TURN}#scatter-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _crop(
                _to_length(_scatter(y, w), (len(y) - 1) * stride + len(w)), padding, output_padding
            ),
        ),
        Misconception(
            "slice-to-minus-zero",
            "A slice that ends at -0",
            "Without padding the result is empty: in Python, `a[0:-0]` is `a[0:0]`. Count where "
            "the crop ends from the front.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: np.pad(
                _scatter(y, w, stride), (0, output_padding)
            )[padding:-padding],
        ),
        Misconception(
            "output-padding-after-the-crop",
            "output_padding only crops less",
            "The end is cropped by `padding` less `output_padding`. Where `output_padding` is the "
            "larger, there is nothing left to give back: the result is made longer first.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _scatter(y, w, stride)[
                padding : (len(y) - 1) * stride + len(w) - padding + output_padding
            ],
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The output is not cropped. In a transposed convolution `padding` takes elements "
            "away, at both ends.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride, 0, output_padding
            ),
        ),
        Misconception(
            "padding-added",
            "Padding is added, not taken away",
            "The output is made longer by `padding` at both ends. `padding` undoes the padding "
            "of the convolution it belongs to, so it crops.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: np.pad(
                _scatter(y, w, stride), (padding, padding + output_padding)
            ),
        ),
        Misconception(
            "padding-cropped-in-front-only",
            "Only the front is cropped",
            "`padding` elements are cut off in front and none at the end. It is the number at "
            "each end.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: np.pad(
                _scatter(y, w, stride), (0, output_padding)
            )[padding:],
        ),
        Misconception(
            "output-padding-ignored",
            "output_padding is ignored",
            "The output has the shortest length that fits. `output_padding` asks for that many "
            "elements more.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(y, w, stride, padding),
        ),
        Misconception(
            "output-padding-in-front",
            "output_padding in front",
            "The extra elements stand in front. They come at the end only.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _front(
                y, w, stride, padding, output_padding
            ),
        ),
        Misconception(
            "output-padding-filled-with-zeros",
            "output_padding filled with zeros",
            "Zeros are appended after the crop. `output_padding` makes the result longer at its "
            "end before the crop, so that values which `padding` would have cut off stay.",
            f"{TURN}#output-padding",
            _zeros_at_the_end,
        ),
        Misconception(
            "length-is-n-times-stride",
            "The output is cut to n·stride",
            "The output has the length n·stride. That holds only where k + output_padding = "
            "stride + 2·padding; in general the kernel reaches further, or less far.",
            f"{TURN}#transposed-size",
            lambda y, w, stride=1, padding=0, output_padding=0: _to_length(
                _scatter(y, w, stride)[padding:], len(y) * stride
            ),
        ),
    ),
)


def _front(y, w, stride, padding, output_padding):
    full = np.pad(_scatter(y, w, stride), (output_padding, 0))
    return full[padding : len(full) - padding]


def _to_length(values, length):
    return np.pad(values[:length], (0, max(0, length - len(values))))


# -- transposed convolution, gathered -----------------------------------------------------


def _collected(y, w, stride, padding, output_padding, tap, length=None):
    """Return what each output collects: from each input by the tap of index `tap(o, i)`.

    `tap` returns None where nothing is sent; no tap stands at k or beyond.
    """
    if length is None:
        length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    out = np.zeros(length)
    for o in range(length):
        for i, value in enumerate(y):
            k = tap(o, i)
            if k is not None and k < len(w):
                out[o] += value * w[k]
    return out


def _floored_inputs(y, w, stride=1, padding=0, output_padding=0):
    out = np.zeros((len(y) - 1) * stride - 2 * padding + len(w) + output_padding)
    for o in range(len(out)):
        for k, tap in enumerate(w):
            if 0 <= (i := (o + padding - k) // stride) < len(y):
                out[o] += y[i] * tap
    return out


def _negative_inputs(y, w, stride=1, padding=0, output_padding=0):
    out = np.zeros((len(y) - 1) * stride - 2 * padding + len(w) + output_padding)
    for o in range(len(out)):
        for k, tap in enumerate(w):
            i, rest = divmod(o + padding - k, stride)
            if rest == 0 and i < len(y):
                out[o] += y[i] * tap
    return out


def _not_negative(k):
    return k if k >= 0 else None


GATHER = Spec(
    name="conv_transpose1d_gather",
    title="Transposed convolution, gathered",
    summary="Let each output collect what the inputs send it.",
    chapter=f"{TURN}#gather-view",
    parameters="y, w, stride=1, padding=0, output_padding=0",
    minutes=20,
    difficulty="medium",
    aspects=TRANSPOSED_ASPECTS,
    cases=_transposed_cases(lambda k: k + 2),
    oracles={"PyTorch": torch_conv_transpose1d, "TensorFlow": tf_conv_transpose1d},
    explain=_transposed_explain,
    size_formula=_transposed_size,
    misconceptions=(
        Misconception(
            "flipped-kernel",
            "The taps are reversed",
            "Each input meets the taps from the wrong end. An output that lies further to the "
            "right of where an input's copy begins meets a tap of larger index.",
            f"{TURN}#gather-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w[::-1], stride, padding, output_padding
            ),
        ),
        Misconception(
            "remainder-ignored",
            "Every tap finds an input",
            "The division by the stride is rounded down, so that each tap meets some input at "
            "every output. Only where the stride divides evenly does a copy begin: the other taps "
            "meet nothing.",
            f"{TURN}#gather-view",
            _floored_inputs,
        ),
        Misconception(
            "tap-index-below-zero",
            "A tap index runs below zero",
            "Inputs that begin further to the right send something too: in Python, w[-1] is the "
            "last tap. Check that the index of the tap is 0 or more.",
            f"{TURN}#gather-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y, w, stride, padding, output_padding, lambda o, i: o + padding - i * stride
            ),
        ),
        Misconception(
            "input-index-below-zero",
            "An input index runs below zero",
            "The first outputs collect from the last inputs too: in Python, y[-1] is the last "
            "one. Check that the index of the input is 0 or more.",
            f"{TURN}#gather-view",
            _negative_inputs,
        ),
        Misconception(
            "one-input-for-each-output",
            "Only one input for each output",
            "Each output listens to the one input whose copy began last. Where copies overlap, "
            "several inputs reach it, and all of them count.",
            f"{TURN}#overlap-add",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y,
                w,
                stride,
                padding,
                output_padding,
                lambda o, i: (
                    o + padding - i * stride
                    if i == min((o + padding) // stride, len(y) - 1)
                    else None
                ),
            ),
        ),
        Misconception(
            "convolution-instead",
            "An ordinary convolution",
            "Each output collects the inputs of a window that moves on by the stride. That is the "
            "convolution. Turned round, it is the input's copy that moves on by the stride.",
            f"{TURN}#turn-round",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y,
                w,
                stride,
                padding,
                output_padding,
                lambda o, i: _not_negative(i + padding - o * stride),
            ),
        ),
        Misconception(
            "copies-one-apart",
            "The copies start one apart",
            "The output has the right length, but input i sends as if its copy began at place i. "
            "It begins at i · stride.",
            f"{TURN}#gather-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y, w, stride, padding, output_padding, lambda o, i: _not_negative(o + padding - i)
            ),
        ),
        Misconception(
            "stride-ignored",
            "The stride is ignored",
            "The output is as long as with stride 1, and so are the places where the copies begin. "
            "The stride moves them apart and makes the output longer.",
            f"{TURN}#gather-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, 1, padding, output_padding
            ),
        ),
        Misconception(
            "crop-at-the-end-only",
            "Only the end is cropped",
            "The length is right, but output 0 is still place 0 of the full result. `padding` "
            "places are cut off in front, so every output stands `padding` further on.",
            f"{TURN}#gather-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y, w, stride, padding, output_padding, lambda o, i: _not_negative(o - i * stride)
            ),
        ),
        Misconception(
            "padding-shifts-the-wrong-way",
            "The padding shifts the wrong way",
            "The length is right, but the outputs have moved to the right by `padding`. Places are "
            "cropped in front, so output 0 is place `padding` of the full result.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _collected(
                y,
                w,
                stride,
                padding,
                output_padding,
                lambda o, i: _not_negative(o - padding - i * stride),
            ),
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The output is not cropped. In a transposed convolution `padding` takes elements "
            "away, at both ends.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride, 0, output_padding
            ),
        ),
        Misconception(
            "output-padding-ignored",
            "output_padding is ignored",
            "The output has the shortest length that fits. `output_padding` asks for that many "
            "elements more.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(y, w, stride, padding),
        ),
        Misconception(
            "output-padding-in-front",
            "output_padding in front",
            "The extra elements stand in front. They come at the end only.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _front(
                y, w, stride, padding, output_padding
            ),
        ),
        Misconception(
            "output-padding-filled-with-zeros",
            "output_padding filled with zeros",
            "Zeros are appended after the crop. The extra outputs collect like all the others: "
            "inputs may still reach them.",
            f"{TURN}#output-padding",
            _zeros_at_the_end,
        ),
        Misconception(
            "length-is-n-times-stride",
            "The output is cut to n·stride",
            "The output has the length n·stride. That holds only where k + output_padding = "
            "stride + 2·padding; in general the kernel reaches further, or less far.",
            f"{TURN}#transposed-size",
            lambda y, w, stride=1, padding=0, output_padding=0: _to_length(
                _scatter(y, w, stride)[padding:], len(y) * stride
            ),
        ),
    ),
)


# -- transposed convolution by zero insertion ---------------------------------------------


def _stretch(y, gap, *, after_last=False):
    """Put `gap` zeros between the elements, and after the last one too if asked."""
    out = np.zeros(len(y) * (gap + 1))
    out[:: gap + 1] = y
    return out if after_last or gap == 0 else out[:-gap]


def _given_conv1d(x, w, stride=1, padding=0):
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), len(w))[::stride] @ w


def _slide_over(stretched, w, before, after, stride=1):
    return _slide(np.pad(stretched, (max(before, 0), max(after, 0))), w, stride)


ZERO_INSERT = Spec(
    name="conv_transpose1d_zero_insert",
    title="Transposed convolution by zero insertion",
    summary="Stretch the input with zeros and run an ordinary convolution over it.",
    chapter=f"{TURN}#zero-insertion-view",
    parameters="y, w, stride=1, padding=0, output_padding=0",
    minutes=25,
    difficulty="hard",
    aspects=(*TRANSPOSED_ASPECTS, Aspect("goes through conv1d", 1)),
    cases=_transposed_cases(lambda k: max(k, 1), called=True),
    oracles={"PyTorch": torch_conv_transpose1d, "TensorFlow": tf_conv_transpose1d},
    explain=_transposed_explain,
    size_formula=_transposed_size,
    rules=Rules(
        given={"conv1d": _given_conv1d},
        must_call="conv1d",
        must_call_aspect="goes through conv1d",
    ),
    misconceptions=(
        Misconception(
            "flip-forgotten",
            "The flip is forgotten",
            "The kernel slides as it is. Scattering lays tap 0 down first; to meet the same "
            "numbers, a kernel that slides has to be turned round.",
            f"{TURN}#zero-insertion-flip",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w[::-1], stride, padding, output_padding
            ),
        ),
        Misconception(
            "zeros-after-the-last",
            "Zeros after the last element too",
            "Zeros stand between the elements. After the last one there are none, beyond the "
            "padding at the edge.",
            f"{TURN}#zero-insertion-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _slide_over(
                _stretch(y, stride - 1, after_last=True),
                w[::-1],
                len(w) - 1 - padding,
                len(w) - 1 - padding + output_padding,
            ),
        ),
        Misconception(
            "stride-many-zeros",
            "One zero too many in each gap",
            "There are `stride` zeros between two elements. Neighbours have to end up `stride` "
            "places apart, which takes one zero fewer.",
            f"{TURN}#zero-insertion-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride + 1, padding, output_padding
            ),
        ),
        Misconception(
            "elements-repeated",
            "Elements are repeated instead of spaced by zeros",
            "Each element fills its gap with copies of itself, as in nearest-neighbour "
            "upsampling. The places between are zero.",
            f"{TURN}#zero-insertion-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _slide_over(
                np.repeat(y, stride)[: (len(y) - 1) * stride + 1],
                w[::-1],
                len(w) - 1 - padding,
                len(w) - 1 - padding + output_padding,
            ),
        ),
        Misconception(
            "no-zeros-inserted",
            "No zeros are inserted",
            "The input is not stretched. Without zeros between its elements the stride has no "
            "effect.",
            f"{TURN}#zero-insertion-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, 1, padding, output_padding
            ),
        ),
        Misconception(
            "edge-padded-by-padding",
            "The edge is padded by `padding`",
            "`padding` zeros are put at the edges. A transposed convolution with padding 0 "
            "reaches furthest, so it needs the most zeros at the edge, k − 1 of them; each "
            "`padding` takes one away.",
            f"{TURN}#zero-insertion-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _slide_over(
                _stretch(y, stride - 1), w[::-1], padding, padding + output_padding
            ),
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "k − 1 zeros stand at each edge whatever `padding` says. Each `padding` takes one "
            "of them away, at both ends.",
            f"{TURN}#zero-insertion-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride, 0, output_padding
            ),
        ),
        Misconception(
            "stride-used-twice",
            "The stride is used twice",
            "The stretched input is then convolved with the same stride. The stride is used up "
            "by the zeros: the kernel slides by one.",
            f"{TURN}#zero-insertion-view",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride, padding, output_padding
            )[::stride],
        ),
        Misconception(
            "output-padding-ignored",
            "output_padding is ignored",
            "The output has the shortest length that fits. `output_padding` asks for that many "
            "elements more.",
            f"{TURN}#zero-insertion-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(y, w, stride, padding),
        ),
        Misconception(
            "output-padding-in-front",
            "output_padding in front",
            "The extra zeros stand in front of the stretched input. They belong at the end only.",
            f"{TURN}#zero-insertion-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _front(
                y, w, stride, padding, output_padding
            ),
        ),
        Misconception(
            "output-padding-filled-with-zeros",
            "output_padding filled with zeros",
            "Zeros are appended to the result. `output_padding` lengthens the stretched input, "
            "so that the kernel computes the extra elements.",
            f"{TURN}#zero-insertion-padding",
            _zeros_at_the_end,
        ),
    ),
)


# -- the polyphase form -------------------------------------------------------------------


def _split(w, stride):
    return [w[r::stride] for r in range(stride)]


def _split_cases(rng) -> Iterator[Case]:
    def case(aspect, w, stride, expected=None, **more):
        if expected is not None:
            expected = [np.asarray(e, w.dtype) for e in expected]
        visible = expected is not None
        return Case(aspect, (w, stride), visible=visible, expected=expected, **more)

    six = np.arange(1.0, 7)
    yield case("equal phases", six[:4], 2, [[1, 3], [2, 4]])
    yield case("equal phases", six, 2, [[1, 3, 5], [2, 4, 6]])
    yield case("unequal phases", six[:5], 2, [[1, 3, 5], [2, 4]])
    yield case("unequal phases", six[:5], 3, [[1, 4], [2, 5], [3]])
    yield case("empty phases", six[:2], 3, [[1], [2], []])
    yield case("dtype and inputs", np.float32([3, 4]), 2, [[3], [4]], exact_dtype=True)
    for _ in range(12):
        s = int(rng.integers(1, 5))
        yield case("equal phases", whole_numbers(rng, s * int(rng.integers(1, 5))), s)
    yield case("equal phases", whole_numbers(rng, 1), 1)
    yield case("equal phases", whole_numbers(rng, 6), 1)
    for _ in range(12):
        s = int(rng.integers(2, 6))
        k = s * int(rng.integers(1, 4)) + int(rng.integers(1, s))
        yield case("unequal phases", whole_numbers(rng, k), s)
    for _ in range(8):
        k = int(rng.integers(1, 5))
        yield case("empty phases", whole_numbers(rng, k), k + int(rng.integers(1, 4)))
    for w, _ in _variants(rng, 8, 3):
        yield case("dtype and inputs", w, 3, exact_dtype=True)


POLYPHASE_SPLIT = Spec(
    name="polyphase_split",
    title="The phases of a kernel",
    summary="Split a kernel into the sub-kernels that meet at the same outputs.",
    chapter=f"{EFFICIENT}#polyphase",
    parameters="w, stride",
    minutes=10,
    difficulty="easy",
    aspects=(
        Aspect("equal phases", 1),
        Aspect("unequal phases", 1),
        Aspect("empty phases", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_split_cases,
    oracles={"PyTorch": torch_polyphase_split, "TensorFlow": tf_polyphase_split},
    parts=(),
    misconceptions=(
        Misconception(
            "consecutive-pieces",
            "The kernel is cut into consecutive pieces",
            "Each phase is a stretch of neighbouring taps. Taps of one phase lie `stride` apart in "
            "the kernel: those are the ones that meet at the same outputs.",
            f"{EFFICIENT}#polyphase",
            lambda w, stride: np.array_split(w, stride),
        ),
        Misconception(
            "pieces-as-long-as-the-stride",
            "Pieces as long as the stride",
            "The kernel is cut into stretches of `stride` taps. There are `stride` phases, and the "
            "taps of each lie `stride` apart.",
            f"{EFFICIENT}#polyphase",
            lambda w, stride: [w[i : i + stride] for i in range(0, len(w), stride)],
        ),
        Misconception(
            "phases-in-reverse-order",
            "The phases are in reverse order",
            "The phase that holds tap 0 comes last. Phase r begins with tap r.",
            f"{EFFICIENT}#phases-order",
            lambda w, stride: _split(w, stride)[::-1],
        ),
        Misconception(
            "taps-reversed-in-each-phase",
            "The taps of each phase are reversed",
            "The taps stand in the order in which they meet `y` in the gather view. Here a phase "
            "keeps the kernel's order; the flip comes when it slides.",
            f"{EFFICIENT}#phases-order",
            lambda w, stride: [p[::-1] for p in _split(w, stride)],
        ),
        Misconception(
            "kernel-flipped-first",
            "The kernel is flipped first",
            "The kernel is reversed before it is split. That turns the taps of each phase round, "
            "and phases may change places too. Phase 0 begins with tap 0.",
            f"{EFFICIENT}#phases-order",
            lambda w, stride: _split(w[::-1], stride),
        ),
        Misconception(
            "filled-with-zeros",
            "Short phases are filled with zeros",
            "All phases are made equally long. The zeros would only be multiplied for nothing: a "
            "phase has the taps that there are.",
            f"{EFFICIENT}#polyphase-edges",
            lambda w, stride: list(np.pad(w, (0, -len(w) % stride)).reshape(-1, stride).T),
        ),
        Misconception(
            "zeros-kept-between-the-taps",
            "The other taps are set to zero",
            "Each phase is as long as the kernel, with zeros for the taps of the other phases. "
            "These zeros are what the polyphase form gets rid of.",
            f"{EFFICIENT}#polyphase",
            lambda w, stride: [
                np.where(np.arange(len(w)) % stride == r, w, 0) for r in range(stride)
            ],
        ),
        Misconception(
            "empty-phases-left-out",
            "Empty phases are left out",
            "There are fewer phases than the stride says. Outputs that no tap reaches need a phase "
            "too, even if it has nothing in it.",
            f"{EFFICIENT}#polyphase-edges",
            lambda w, stride: [p for p in _split(w, stride) if len(p)],
        ),
        Misconception(
            "left-over-taps-dropped",
            "The taps left over are dropped",
            "Where the stride does not divide the kernel's length, the last taps are lost. The "
            "first phases are then one tap longer than the others.",
            f"{EFFICIENT}#polyphase-edges",
            lambda w, stride: _split(w[: len(w) // stride * stride], stride),
        ),
        Misconception(
            "counted-from-one",
            "The phases are counted from one",
            "The first phase begins with tap 1, and tap 0 comes last, or nowhere. Phase r begins "
            "with tap r, and r starts from 0.",
            f"{EFFICIENT}#phases-order",
            lambda w, stride: [w[r + 1 :: stride] for r in range(stride)],
        ),
        Misconception(
            "number-and-length-exchanged",
            "Number and length are exchanged",
            "There are as many phases as a phase should have taps. There are `stride` phases, and "
            "their taps lie `stride` apart.",
            f"{EFFICIENT}#polyphase",
            lambda w, stride: _split(w, -(-len(w) // stride)),
        ),
    ),
)


def _woven(parts, length):
    """Lay part r down at the places r, r + s, r + 2s, ..., s being how many parts there are."""
    out = np.zeros(len(parts) * max(map(len, parts)))
    for r, part in enumerate(parts):
        out[r :: len(parts)][: len(part)] = part
    return _to_length(out, length)


def _parts(y, phases):
    """Return the full (flipping) convolution of `y` with each phase, empty for an empty one."""
    return [np.convolve(y, p) if len(p) else np.zeros(0) for p in phases]


def _by_phases(y, w, stride, padding, output_padding, parts):
    full = (len(y) - 1) * stride + len(w) + output_padding
    return _woven(parts, full)[padding : full - padding]


def _flip_forgotten(y, w, stride=1, padding=0, output_padding=0):
    parts = _parts(y, [p[::-1] for p in _split(w, stride)])
    return _by_phases(y, w, stride, padding, output_padding, parts)


def _phases_exchanged(y, w, stride=1, padding=0, output_padding=0):
    parts = _parts(y, _split(w, stride)[::-1])
    return _by_phases(y, w, stride, padding, output_padding, parts)


def _put_end_to_end(y, w, stride=1, padding=0, output_padding=0):
    return _crop(np.concatenate(_parts(y, _split(w, stride))), padding, output_padding)


def _no_edges(y, w, stride=1, padding=0, output_padding=0):
    parts = [p[: len(y)] for p in _parts(y, _split(w, stride))]
    return _by_phases(y, w, stride, padding, output_padding, parts)


def _cropped_phases(y, w, stride=1, padding=0, output_padding=0):
    parts = [p[padding : len(p) - padding] for p in _parts(y, _split(w, stride))]
    full = sum(map(len, parts)) + output_padding
    return _woven(parts, full)


def _roles_not_shifted(y, w, stride=1, padding=0, output_padding=0):
    full = _scatter(y, w, stride)
    full = np.pad(full, (0, 2 * stride + output_padding))
    o = np.arange(len(full) - 2 * stride - 2 * padding)
    return full[np.minimum((o + padding) // stride * stride + o % stride, len(full) - 1)]


def _left_over_taps_dropped(y, w, stride=1, padding=0, output_padding=0):
    w = np.where(np.arange(len(w)) < len(w) // stride * stride, w, 0)
    return _transposed(y, w, stride, padding, output_padding)


def _consecutive_pieces(y, w, stride=1, padding=0, output_padding=0):
    parts = _parts(y, np.array_split(w, stride))
    return _by_phases(y, w, stride, padding, output_padding, parts)


def _too_much_work(calls, y, w, stride=1, padding=0, output_padding=0):
    """Say whether the calls of `conv1d` multiply too often, or other numbers than y's and w's.

    Each place of the full result, rounded up to whole rounds of the phases, has ⌈k/s⌉
    multiplications. Only zeros may be put round y, or round a stretch of it.
    """
    n, k = len(y), len(w)
    most = -(-k // stride)
    limit = most * stride * -(-((n - 1) * stride + k + output_padding) // stride)
    calls = [_bound(*args, **kwargs) for args, kwargs in calls]
    done = sum(max(0, (len(x) + 2 * p - len(v)) // s + 1) * len(v) for x, v, s, p in calls)
    if done > limit:
        return (
            f"`conv1d` multiplied {done} times. {limit} times is enough: at most ⌈{k}/{stride}⌉ = "
            f"{most} for each place. Are there zeros among the taps, or between the inputs?"
        )
    if not all(
        _is_stretch(np.trim_zeros(x), y) and np.isin(v, [0, *w]).all() for x, v, *_ in calls
    ):
        return (
            "`conv1d` was called with numbers that do not stand in `y`, or not side by side, "
            "or that do not stand in `w`. Slide each phase over `y`, with zeros at its ends."
        )
    if done < n * k:
        return (
            f"`conv1d` multiplied only {done} times, and {n} inputs with {k} taps each make "
            f"{n * k} products. Let `conv1d` do all of them: they are counted there."
        )
    return None


def _is_stretch(part, whole):
    """Return whether `part` stands in `whole`, forwards or backwards."""
    starts = range(len(whole) - len(part) + 1)
    both = whole, whole[::-1]
    return any(np.array_equal(a[i : i + len(part)], part) for a in both for i in starts)


def _bound(x, w, stride=1, padding=0):
    return np.asarray(x, float), np.asarray(w, float), stride, padding


POLYPHASE = Spec(
    name="conv_transpose1d_polyphase",
    title="Transposed convolution in polyphase form",
    summary="Slide each phase of the kernel over the input and interleave what comes out.",
    chapter=f"{EFFICIENT}#interleave",
    parameters="y, w, stride=1, padding=0, output_padding=0",
    minutes=35,
    difficulty="hard",
    aspects=(*TRANSPOSED_ASPECTS, Aspect(COUNTED, 2)),
    cases=_transposed_cases(lambda k: k + 2, counted=True),
    oracles={"PyTorch": torch_conv_transpose1d, "TensorFlow": tf_conv_transpose1d},
    explain=_transposed_explain,
    size_formula=_transposed_size,
    rules=Rules(
        given={"conv1d": _given_conv1d, "polyphase_split": _split},
        must_call="conv1d",
        must_call_aspect=COUNTED,
        calls_amiss=_too_much_work,
    ),
    misconceptions=(
        Misconception(
            "flip-forgotten",
            "The phases are not flipped",
            "Each phase slides as it is. As in the zero-insertion view, a kernel that slides has "
            "to be turned round, each phase in itself.",
            f"{EFFICIENT}#phases-order",
            _flip_forgotten,
        ),
        Misconception(
            "whole-kernel-flipped",
            "The whole kernel is flipped",
            "The taps arrive from the other end. Each phase is flipped in itself; which phase an "
            "output belongs to stays as it is.",
            f"{EFFICIENT}#phases-order",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w[::-1], stride, padding, output_padding
            ),
        ),
        Misconception(
            "phases-exchanged",
            "The phases are interleaved in reverse",
            "The outputs of phase 0 stand where those of the last phase belong. Phase r makes the "
            "full result's places r, r + stride, r + 2·stride and so on.",
            f"{EFFICIENT}#interleave",
            _phases_exchanged,
        ),
        Misconception(
            "put-end-to-end",
            "The phases are put end to end",
            "What the phases give is joined one after the other. It has to be interleaved: one "
            "output of each phase in turn.",
            f"{EFFICIENT}#interleave",
            _put_end_to_end,
        ),
        Misconception(
            "consecutive-pieces",
            "The kernel is cut into consecutive pieces",
            "Each phase is a stretch of neighbouring taps. Taps of one phase lie `stride` apart in "
            "the kernel.",
            f"{EFFICIENT}#polyphase",
            _consecutive_pieces,
        ),
        Misconception(
            "left-over-taps-dropped",
            "The taps left over are dropped",
            "Where the stride does not divide the kernel's length, the last taps have no effect. "
            "The first phases are then one tap longer than the others.",
            f"{EFFICIENT}#polyphase-edges",
            _left_over_taps_dropped,
        ),
        Misconception(
            "edge-windows-missing",
            "The windows over the end are missing",
            "Each phase gives as many outputs as there are inputs. A phase of m taps gives m − 1 "
            "more: some of its windows hang over the ends.",
            f"{EFFICIENT}#polyphase-edges",
            _no_edges,
        ),
        Misconception(
            "padding-cropped-from-each-phase",
            "Each phase is cropped by the padding",
            "`padding` elements are cut off what each phase gives, which makes stride times too "
            "many. The crop belongs to the interleaved result.",
            f"{EFFICIENT}#interleave",
            _cropped_phases,
        ),
        Misconception(
            "roles-not-shifted",
            "The first output always belongs to phase 0",
            "After the crop, output 0 is given to phase 0. It is place `padding` of the full "
            "result, and belongs to that place's phase.",
            f"{EFFICIENT}#interleave",
            _roles_not_shifted,
        ),
        Misconception(
            "padding-ignored",
            "The padding is ignored",
            "The output is not cropped. In a transposed convolution `padding` takes elements "
            "away, at both ends.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(
                y, w, stride, 0, output_padding
            ),
        ),
        Misconception(
            "padding-cropped-in-front-only",
            "Only the front is cropped",
            "`padding` elements are cut off in front and none at the end. It is the number at "
            "each end.",
            f"{TURN}#transposed-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: np.pad(
                _scatter(y, w, stride), (0, output_padding)
            )[padding:],
        ),
        Misconception(
            "output-padding-ignored",
            "output_padding is ignored",
            "The output has the shortest length that fits. `output_padding` asks for that many "
            "elements more.",
            f"{TURN}#output-padding",
            lambda y, w, stride=1, padding=0, output_padding=0: _transposed(y, w, stride, padding),
        ),
        Misconception(
            "output-padding-filled-with-zeros",
            "output_padding filled with zeros",
            "Zeros are appended after the crop. `output_padding` makes the full result longer "
            "before the crop, so that values which `padding` would have cut off stay.",
            f"{TURN}#output-padding",
            _zeros_at_the_end,
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, section, answer):
    return Misconception(name, title, message, f"{TURN}#{section}", lambda: answer)


PREDICT = Spec(
    name="predict_transposed_length",
    title="Predict first: how long is the output?",
    summary="Work out the length of a transposed convolution's output on paper.",
    chapter=f"{TURN}#transposed-size",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: torch_conv_transpose1d(np.ones(5), np.ones(4), 3, 1, 2).size,
        "TensorFlow": lambda: tf_conv_transpose1d(np.ones(5), np.ones(4), 3, 1, 2).size,
    },
    misconceptions=(
        _guess(
            "length-is-n-times-stride",
            "n · stride",
            "The length is not simply n·stride. The copies start (n − 1)·stride apart, and the "
            "last one is as long as the kernel.",
            "transposed-size",
            15,
        ),
        _guess(
            "output-padding-ignored",
            "output_padding is left out",
            "This is the length without `output_padding`, which asks for that many elements more.",
            "output-padding",
            14,
        ),
        _guess(
            "padding-ignored",
            "The padding is left out",
            "This is the length before `padding` crops both ends.",
            "transposed-padding",
            18,
        ),
        _guess(
            "padding-added",
            "The padding is added",
            "In a transposed convolution `padding` takes elements away at both ends.",
            "transposed-padding",
            20,
        ),
        _guess(
            "padding-counted-once",
            "The padding is counted once",
            "`padding` crops at both ends, so it counts twice.",
            "transposed-padding",
            17,
        ),
        _guess(
            "convolution-formula",
            "The convolution's formula",
            "This is how long the output of a convolution would be. Turned round, 5 is the length "
            "of its output and the input is asked for.",
            "transposed-size",
            2,
        ),
    ),
)


SPECS = (
    CONV1D,
    SAME_PADDING,
    CONV1D_MATRIX,
    PREDICT,
    SCATTER,
    GATHER,
    ZERO_INSERT,
    POLYPHASE_SPLIT,
    POLYPHASE,
)
