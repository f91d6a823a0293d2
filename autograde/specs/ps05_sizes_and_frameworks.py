"""ps05: how large everything comes out, and the same numbers from both frameworks.

Sources: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016); Long,
Shelhamer & Darrell, *Fully Convolutional Networks for Semantic Segmentation* (2015); the API pages
of `torch.nn.ConvTranspose2d`, `torch.nn.functional.conv_transpose2d`, `tf.nn.convolution` and
`tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count

import numpy as np

from autograde.quiet import silent_stderr
from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import as_pair, between, tensorflow, two_between, whole_numbers

SIZES = "book/sizes"
TURN = "book/turning-it-round"
TWO = "book/transposed-2d"
BOTH = "book/tensorflow-pytorch"


# -- oracles: the frameworks' own operations ----------------------------------------------


def torch_conv_size(n, k, s=1, p=0, d=1):
    """Return how many elements `F.conv1d` gives."""
    import torch

    x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    y = torch.nn.functional.conv1d(x, w, stride=s, padding=p, dilation=d)
    return y.shape[-1]


def tf_conv_size(n, k, s=1, p=0, d=1):
    """Return how many elements `tf.nn.conv1d` gives, VALID over an explicitly padded input."""
    x, w = np.zeros((1, n + 2 * p, 1)), np.zeros((k, 1, 1))
    return tensorflow().nn.conv1d(x, w, stride=s, padding="VALID", dilations=d).shape[1]


def torch_transposed_size(n, k, s=1, p=0, output_padding=0, d=1):
    """Return how many elements `F.conv_transpose1d` gives."""
    import torch

    x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    z = torch.nn.functional.conv_transpose1d(
        x, w, stride=s, padding=p, output_padding=output_padding, dilation=d
    )
    return z.shape[-1]


def tf_transposed_size(n, k, s=1, p=0, output_padding=0, d=1):
    """Return the size that `tf.nn.conv1d_transpose` undoes, VALID, made longer and cropped.

    TensorFlow asks for the size instead of telling it: it is the smallest one of which
    `tf.nn.conv1d` makes n elements. On a CPU the transposed operation takes no dilation: the taps
    are spread out by zeros.
    """
    spread = np.zeros(d * (k - 1) + 1)
    spread[::d] = 1
    first = len(spread)
    full = next(m for m in count(first) if tf_conv_size(m, k, s, d=d) == n)
    z = tensorflow().nn.conv1d_transpose(
        np.zeros((1, n, 1)), spread[:, None, None], (1, full, 1), strides=s, padding="VALID"
    )
    return np.pad(z[0, :, 0], (0, output_padding))[p : full + output_padding - p].size


def torch_output_padding(n_in, n_out, k, s=1, p=0, d=1):
    """Return the `output_padding` with which `F.conv_transpose1d` gives `n_out`, by trying."""
    for extra in range(max(s, d)):
        try:
            size = torch_transposed_size(n_in, k, s, p, extra, d)
        except RuntimeError:  # nothing is left
            continue
        if size == n_out:
            return extra
    raise ValueError("no output_padding that PyTorch accepts gives this size")


@cache
def tf_sizes_accepted(n_in, k, s, padding):
    """Return the sizes that `tf.nn.conv1d_transpose` accepts, by trying.

    In float64: for float32 there are kernels in TensorFlow that let a single input pass with sizes
    for which the convolution has no output.
    """
    tf = tensorflow()
    accepted = []
    for size in range(1, n_in * s + k + s + 1):
        x, w = np.zeros((1, n_in, 1)), np.zeros((k, 1, 1))
        try:
            with silent_stderr():
                z = tf.nn.conv1d_transpose(x, w, (1, size, 1), strides=s, padding=padding)
        except tf.errors.OpError:
            continue
        accepted.append(z.shape[1])
    return tuple(accepted)


def tf_conv_transpose2d(x, w, output_hw, strides, padding):
    """Return `tf.nn.conv2d_transpose`."""
    x, w = (np.ascontiguousarray(a) for a in (x, w))
    shape = (len(x), *output_hw, w.shape[2])
    z = tensorflow().nn.conv2d_transpose(x, w, shape, strides=as_pair(strides), padding=padding)
    return z.numpy()


def torch_conv_transpose2d_tf(x, w, output_hw, strides, padding):
    """Compose the operation of `F.conv_transpose2d`, which knows no SAME: crop its full result."""
    import torch

    x, w = (
        torch.tensor(np.ascontiguousarray(a))
        for a in (np.moveaxis(x, 3, 1), w.transpose(3, 2, 0, 1))
    )
    full = torch.nn.functional.conv_transpose2d(x, w, stride=as_pair(strides)).numpy()
    return _cut(
        np.moveaxis(full, 1, 3),
        _starts(x.shape[2:], w.shape[2:], output_hw, strides, padding),
        output_hw,
    )


# -- the size of a convolution ------------------------------------------------------------


CHECKED = "what makes no sense"


def _reach(k, d):
    """Return over how many elements a kernel lies."""
    return d * (k - 1) + 1


def _conv_size(n, k, s=1, p=0, d=1):
    return (n + 2 * p - _reach(k, d)) // s + 1


def _conv_size_cases(rng) -> Iterator[Case]:
    stride = "stride > 1"

    def seen(aspect, expected, n, k, **kwargs):
        return Case(aspect, (n, k), kwargs, visible=True, expected=expected)

    yield seen("stride 1", 3, 5, 3)
    yield seen(stride, 3, 7, 3, s=2)
    yield seen(stride, 3, 8, 3, s=2)  # one element is left over
    yield seen("padding", 5, 5, 3, p=1)
    yield seen("padding", 3, 6, 3, s=2, p=1)
    yield seen("dilation", 3, 7, 3, d=2)
    no_room = "the kernel reaches further than the padded input"
    yield Case(CHECKED, (2, 3), visible=True, refused=no_room)

    def drawn(aspect, s=1, p=0, d=1):
        k = between(rng, 1, 7)
        n = max(1, _reach(k, d) - 2 * p) + between(rng, 0, 30)
        kwargs = {"s": s, "p": p, "d": d}
        return Case(aspect, (n, k), {a: v for a, v in kwargs.items() if v != (a != "p")})

    for _ in range(8):
        yield drawn("stride 1")
    yield Case("stride 1", (1, 1))
    yield Case("stride 1", (6, 6))
    for _ in range(10):
        yield drawn(stride, s=between(rng, 2, 6))
    yield Case(stride, (9, 1), {"s": 4})
    yield Case(stride, (16, 5), {"s": 4})
    for _ in range(10):
        yield drawn("padding", s=between(rng, 1, 4), p=between(rng, 1, 5))
    yield Case("padding", (2, 5), {"p": 2})  # the kernel reaches further than the bare input
    yield Case("padding", (224, 7), {"s": 2, "p": 3})
    yield Case("padding", (10, 4), {"s": 3, "p": 2})
    for _ in range(10):
        s, p = between(rng, 1, 4), between(rng, 0, 5)
        yield drawn("dilation", s=s, p=p, d=between(rng, 2, 5))
    yield Case("dilation", (8, 1), {"d": 4})  # a single tap cannot be spread out
    yield Case("dilation", (20, 3), {"s": 3, "p": 1, "d": 4})
    for _ in range(3):
        k, p, d = between(rng, 4, 7), between(rng, 0, 1), between(rng, 1, 3)
        n = between(rng, 1, _reach(k, d) - 2 * p - 1)
        yield Case(CHECKED, (n, k), {"s": between(rng, 1, 3), "p": p, "d": d}, refused=no_room)
    yield Case(CHECKED, (4, 3), {"d": 2}, refused=no_room)  # only as it is spread out


def _wrong_size(name, title, message, fn, section=f"{SIZES}#conv-size"):
    """Return a misconception that refuses what it should, and computes `fn(n, k, s, p, d)`."""

    def wrong(n, k, s=1, p=0, d=1):
        if n + 2 * p < _reach(k, d):
            raise ValueError("no window fits")
        return fn(n, k, s, p, d)

    return Misconception(name, title, message, section, wrong)


CONV_SIZE = Spec(
    name="conv_output_size",
    title="How large a convolution comes out",
    summary="Count the places where the kernel can stand.",
    chapter=f"{SIZES}#conv-size",
    parameters="n, k, s=1, p=0, d=1",
    minutes=10,
    difficulty="easy",
    aspects=(
        Aspect("stride 1", 1),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("dilation", 1),
        Aspect(CHECKED, 1),
    ),
    cases=_conv_size_cases,
    oracles={"PyTorch": torch_conv_size, "TensorFlow": tf_conv_size},
    size_formula=lambda n, k, s=1, p=0, d=1: "The answer is one whole number.",
    misconceptions=(
        _wrong_size(
            "first-place-not-counted",
            "The first place is not counted",
            "This is how many steps the kernel can take. It also stands somewhere before its first "
            "step.",
            lambda n, k, s, p, d: (n + 2 * p - _reach(k, d)) // s,
        ),
        _wrong_size(
            "rounded-up",
            "The steps are rounded up",
            "A last step that would take the kernel past the end is counted too. Only whole steps "
            "count; what is left over gets no window.",
            lambda n, k, s, p, d: -(-(n + 2 * p - _reach(k, d)) // s) + 1,
        ),
        _wrong_size(
            "not-rounded",
            "The steps are not rounded",
            "Where the stride does not divide the room that the kernel has, a fraction comes out. "
            "There is no part of a window.",
            lambda n, k, s, p, d: (n + 2 * p - _reach(k, d)) / s + 1,
        ),
        _wrong_size(
            "padding-counted-once",
            "The padding counts once only",
            "`p` zeros stand at each end, so the padded input is longer by twice as many.",
            lambda n, k, s, p, d: (n + p - _reach(k, d)) // s + 1,
        ),
        _wrong_size(
            "padding-ignored",
            "The padding is ignored",
            "The kernel is moved over the bare input. The zeros at both ends are places where it "
            "can stand, too.",
            lambda n, k, s, p, d: (n - _reach(k, d)) // s + 1,
        ),
        _wrong_size(
            "dilation-ignored",
            "The dilation is ignored",
            "The taps are taken to stand side by side. With a dilation they stand further apart, "
            "and the kernel needs more room.",
            lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
        ),
        _wrong_size(
            "room-behind-the-last-tap",
            "There is a gap behind the last tap, too",
            "Each tap is given as much room as the dilation says. The gaps lie between the taps: "
            "there is one fewer of them than there are taps.",
            lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1,
        ),
        _wrong_size(
            "only-the-stride-counts",
            "Only the stride counts",
            "This is the size that TensorFlow's SAME gives: the input's length over the stride. "
            "With a padding of your own choice, the kernel's length matters.",
            lambda n, k, s, p, d: -(-n // s),
            "book/convolution-1d#conv1d-same",
        ),
        _wrong_size(
            "kernel-left-out",
            "The kernel needs no room",
            "Here the kernel begins at every stride-th place of the padded input, also where it "
            "hangs over the end. It counts only if it fits.",
            lambda n, k, s, p, d: (n + 2 * p - 1) // s + 1,
        ),
        Misconception(
            "below-one-taken",
            "A size below 1 is taken for an answer",
            "Where the kernel does not fit, the formula gives 0 or less. There is no such output, "
            "and the function has to say so.",
            f"{SIZES}#conv-size",
            _conv_size,
        ),
        Misconception(
            "none-is-zero",
            "Where no window fits, the answer is 0",
            "An empty output hides the mistake until much later. PyTorch refuses such arguments, "
            "and so should this function.",
            f"{SIZES}#conv-size",
            lambda n, k, s=1, p=0, d=1: max(0, _conv_size(n, k, s, p, d)),
        ),
    ),
)


# -- the size of a transposed convolution -------------------------------------------------


def _transposed_size(n, k, s=1, p=0, output_padding=0, d=1):
    return (n - 1) * s - 2 * p + _reach(k, d) + output_padding


def _transposed_size_cases(rng) -> Iterator[Case]:
    stride = "stride > 1"

    def seen(aspect, expected, n, k, **kwargs):
        return Case(aspect, (n, k), kwargs, visible=True, expected=expected)

    yield seen("stride 1", 4, 3, 2)
    yield seen(stride, 8, 3, 4, s=2)
    yield seen(stride, 8, 3, 2, s=3)
    yield seen("padding", 6, 3, 4, s=2, p=1)
    yield seen("output_padding", 7, 3, 4, s=2, p=1, output_padding=1)
    yield seen("dilation", 6, 3, 2, d=3)
    too_much = "output_padding has to be smaller than the stride or the dilation"
    nothing = "the padding crops everything, and no output is left"
    yield Case(CHECKED, (3, 4), {"s": 2, "output_padding": 2}, visible=True, refused=too_much)
    yield Case(CHECKED, (2, 1), {"p": 1}, visible=True, refused=nothing)

    def drawn(aspect, s=1, p=0, extra=0, d=1, least=1):
        n, k = between(rng, 1, 12), between(rng, least, 7)
        while _transposed_size(n, k, s, p, extra, d) < 1:
            n += 1
        kwargs = {"s": s, "p": p, "output_padding": extra, "d": d}
        return Case(aspect, (n, k), {a: v for a, v in kwargs.items() if v != (a in "sd")})

    for _ in range(8):
        yield drawn("stride 1")
    yield Case("stride 1", (1, 1))
    yield Case("stride 1", (2, 6))
    for _ in range(10):
        yield drawn(stride, s=between(rng, 2, 6))
    yield Case(stride, (1, 3), {"s": 2})
    for _ in range(10):
        yield drawn("padding", s=between(rng, 1, 5), p=between(rng, 1, 4))
    yield Case("padding", (16, 64), {"s": 32, "p": 16})
    yield Case("padding", (7, 3), {"s": 2, "p": 1})
    for _ in range(10):
        s = between(rng, 2, 6)
        yield drawn("output_padding", s, between(rng, 0, 3), between(rng, 1, s - 1))
    yield Case("output_padding", (112, 3), {"s": 2, "p": 1, "output_padding": 1})
    for _ in range(10):
        s, d = between(rng, 1, 4), between(rng, 2, 5)
        extra = between(rng, 0, max(s, d) - 1)
        yield drawn("dilation", s, between(rng, 0, 3), extra, d, least=2)
    yield Case("dilation", (5, 1), {"s": 2, "d": 3})  # a single tap cannot be spread out
    yield Case("dilation", (3, 3), {"s": 1, "p": 2, "output_padding": 2, "d": 3})
    for s in (1, 3, between(rng, 2, 5)):
        n, k, extra = between(rng, 2, 9), between(rng, 2, 5), s + between(rng, 0, 2)
        yield Case(CHECKED, (n, k), {"s": s, "output_padding": extra}, refused=too_much)
    kwargs = {"s": 2, "output_padding": 3, "d": 3}
    yield Case(CHECKED, (between(rng, 2, 9), 3), kwargs, refused=too_much)
    for _ in range(2):
        n, s, k = between(rng, 1, 3), between(rng, 1, 2), between(rng, 1, 3)
        p = -(-_transposed_size(n, k, s) // 2) + between(rng, 0, 2)
        yield Case(CHECKED, (n, k), {"s": s, "p": p}, refused=nothing)


def _wrong_longer(name, title, message, fn, section=f"{TURN}#transposed-size"):
    """Return a misconception that refuses what it should; `fn(n, k, s, p, extra, d)`."""

    def wrong(n, k, s=1, p=0, output_padding=0, d=1):
        if output_padding >= max(s, d) or _transposed_size(n, k, s, p, output_padding, d) < 1:
            raise ValueError("these arguments make no sense")
        return fn(n, k, s, p, output_padding, d)

    return Misconception(name, title, message, section, wrong)


def _unchecked(name, title, message, fn):
    return Misconception(name, title, message, f"{SIZES}#output-padding-ambiguity", fn)


def _any_extra(n, k, s=1, p=0, output_padding=0, d=1):
    if _transposed_size(n, k, s, p, output_padding, d) < 1:
        raise ValueError("nothing is left")
    return _transposed_size(n, k, s, p, output_padding, d)


def _without_dilation(n, k, s=1, p=0, output_padding=0, d=1):
    if output_padding >= s or _transposed_size(n, k, s, p, output_padding, d) < 1:
        raise ValueError("these arguments make no sense")
    return _transposed_size(n, k, s, p, output_padding)


def _any_padding(n, k, s=1, p=0, output_padding=0, d=1):
    if output_padding >= max(s, d):
        raise ValueError("output_padding is too large")
    return _transposed_size(n, k, s, p, output_padding, d)


TRANSPOSED_SIZE = Spec(
    name="conv_transpose_output_size",
    title="How large a transposed convolution comes out",
    summary="Say where the last copy of the kernel ends, and crop.",
    chapter=f"{TURN}#transposed-size",
    parameters="n, k, s=1, p=0, output_padding=0, d=1",
    minutes=10,
    difficulty="easy",
    aspects=(
        Aspect("stride 1", 1),
        Aspect("stride > 1", 1),
        Aspect("padding", 1),
        Aspect("output_padding", 1),
        Aspect("dilation", 1),
        Aspect(CHECKED, 1),
    ),
    cases=_transposed_size_cases,
    oracles={"PyTorch": torch_transposed_size, "TensorFlow": tf_transposed_size},
    size_formula=lambda n, k, s=1, p=0, output_padding=0, d=1: "The answer is one whole number.",
    misconceptions=(
        _wrong_longer(
            "stride-times-the-input",
            "The input's length times the stride",
            "This is right only where kernel and padding are chosen to make it so. In general the "
            "last copy of the kernel hangs over, and the padding crops.",
            lambda n, k, s, p, extra, d: n * s,
        ),
        _wrong_longer(
            "one-stride-too-many",
            "One stride too many",
            "As many strides are counted as there are inputs. The first copy begins at place 0, so "
            "there is one step fewer than there are copies.",
            lambda n, k, s, p, extra, d: n * s - 2 * p + _reach(k, d) + extra,
        ),
        _wrong_longer(
            "size-of-the-convolution",
            "This is the convolution's own size",
            "The formula is that of the ordinary convolution, which makes things smaller. Here "
            "each input becomes a copy of the whole kernel.",
            lambda n, k, s, p, extra, d: max(0, (n + 2 * p - _reach(k, d)) // s + 1 + extra),
        ),
        _wrong_longer(
            "padding-added",
            "The padding is added",
            "The output is made longer by the padding. In a transposed convolution `p` places are "
            "cropped at each end.",
            lambda n, k, s, p, extra, d: (n - 1) * s + 2 * p + _reach(k, d) + extra,
        ),
        _wrong_longer(
            "padding-counted-once",
            "The padding counts once only",
            "`p` places are cropped at each end, so twice as many in all.",
            lambda n, k, s, p, extra, d: (n - 1) * s - p + _reach(k, d) + extra,
        ),
        _wrong_longer(
            "padding-ignored",
            "The padding is ignored",
            "This is the size before the crop. `p` places are cut off at each end.",
            lambda n, k, s, p, extra, d: (n - 1) * s + _reach(k, d) + extra,
        ),
        _wrong_longer(
            "output-padding-ignored",
            "output_padding is ignored",
            "This is the smallest of the sizes that fit. `output_padding` asks for that many "
            "places more.",
            lambda n, k, s, p, extra, d: (n - 1) * s - 2 * p + _reach(k, d),
            f"{SIZES}#output-padding-ambiguity",
        ),
        _wrong_longer(
            "output-padding-at-both-ends",
            "output_padding counts twice",
            "`output_padding` is added at both ends. Unlike `p` it counts at one end only.",
            lambda n, k, s, p, extra, d: (n - 1) * s - 2 * p + _reach(k, d) + 2 * extra,
            f"{SIZES}#output-padding-ambiguity",
        ),
        Misconception(
            "dilation-ignored",
            "The dilation is ignored",
            "The copies are taken to be as long as the kernel has taps. With a dilation the taps "
            "of a copy stand further apart.",
            f"{TWO}#dilation-2d",
            _without_dilation,
        ),
        _wrong_longer(
            "room-behind-the-last-tap",
            "There is a gap behind the last tap, too",
            "Each tap is given as much room as the dilation says. The gaps lie between the taps: "
            "there is one fewer of them than there are taps.",
            lambda n, k, s, p, extra, d: (n - 1) * s - 2 * p + d * k + extra,
            f"{TWO}#dilation-2d",
        ),
        _wrong_longer(
            "one-short",
            "The last place is not counted",
            "This is the number of the last place. Places are counted from 0, so there is one more "
            "of them.",
            lambda n, k, s, p, extra, d: (n - 1) * s - 2 * p + d * (k - 1) + extra,
        ),
        _unchecked(
            "any-output-padding-taken",
            "Any output_padding is taken",
            "An `output_padding` that reaches both the stride and the dilation is taken, and the "
            "frameworks refuse it. From such a size the convolution would not come back to n.",
            _any_extra,
        ),
        _unchecked(
            "below-one-taken",
            "A size below 1 is taken for an answer",
            "Where the padding crops everything, the formula gives 0 or less. There is no such "
            "output, and the function has to say so.",
            _any_padding,
        ),
        _unchecked(
            "nothing-refused",
            "Nothing is refused",
            "The formula is right, but it also gives a number where there is no such layer. Look "
            "at the arguments before anything else.",
            _transposed_size,
        ),
    ),
)


# -- which output padding -----------------------------------------------------------------


FITS = "sizes that do not fit"


def _extra(n_in, n_out, k, s=1, p=0, d=1):
    return n_out - _transposed_size(n_in, k, s, p, 0, d)


def _extra_cases(rng) -> Iterator[Case]:
    plain = "stride alone"

    def seen(aspect, expected, *args, **kwargs):
        return Case(aspect, args, kwargs, visible=True, expected=expected)

    yield seen(plain, 0, 3, 7, 3, s=2)
    yield seen(plain, 1, 3, 8, 3, s=2)
    yield seen(plain, 2, 2, 7, 2, s=3)
    yield seen("padding", 5, 2, 12, 3, s=6, p=1)
    yield seen("dilation", 1, 2, 12, 3, s=6, d=2)
    yield seen("dilation", 2, 3, 8, 2, d=3)
    below = "even without output_padding the result is larger"
    above = "no output_padding that is allowed makes the result as large"
    yield Case(FITS, (3, 6, 3), {"s": 2}, visible=True, refused=below)
    yield Case(FITS, (3, 9, 3), {"s": 2}, visible=True, refused=above)

    def drawn(aspect, s, p=0, d=1, least=1):
        n, k = between(rng, 1, 12), between(rng, least, 7)
        extra = between(rng, 0, max(s, d) - 1)
        while _transposed_size(n, k, s, p, extra, d) < 1:
            n += 1
        kwargs = {"s": s, "p": p, "d": d}
        kwargs = {a: v for a, v in kwargs.items() if v != (a != "p")}
        return Case(aspect, (n, _transposed_size(n, k, s, p, extra, d), k), kwargs)

    for _ in range(10):
        yield drawn(plain, between(rng, 1, 6))
    yield Case(plain, (1, 1, 1))
    yield Case(plain, (4, 36, 10), {"s": 8})  # 34 places without, two more
    for _ in range(10):
        yield drawn("padding", between(rng, 1, 6), p=between(rng, 1, 4))
    yield Case("padding", (4, 32, 5), {"s": 8, "p": 1})
    yield Case("padding", (112, 224, 3), {"s": 2, "p": 1})
    yield Case("padding", (5, 34, 4), {"s": 8, "p": 2})
    yield Case("padding", (2, 1, 1), {"s": 3, "p": 2})  # nothing would be left without it
    for _ in range(10):
        s, p, d = between(rng, 1, 4), between(rng, 0, 2), between(rng, 2, 5)
        yield drawn("dilation", s, p, d, least=2)
    yield Case("dilation", (4, 31, 3), {"s": 8, "d": 2})
    yield Case("dilation", (4, 36, 3), {"s": 8, "d": 3, "p": 1})
    yield Case("dilation", (3, 11, 3), {"s": 2, "d": 3})
    for p in (0, 1):
        for _ in range(2):
            k, s = between(rng, 4, 6), between(rng, 1, 6)
            size = _transposed_size(3, k, s, p)
            kwargs = {"s": s, "p": p}
            yield Case(FITS, (3, size - between(rng, 1, 3), k), kwargs, refused=below)
            yield Case(FITS, (3, size + s, k), kwargs, refused=above)
    yield Case(FITS, (3, 16, 3), {"s": 5, "p": 1}, refused=above)
    yield Case(FITS, (2, 10, 3), {"s": 6, "d": 2}, refused=below)
    yield Case(FITS, (3, 14, 3), {"s": 2, "d": 3}, refused=above)


def _wrong_extra(name, title, message, fn, section=f"{SIZES}#output-padding-ambiguity"):
    """Return a misconception about the size, who still checks that its answer is allowed."""

    def wrong(n_in, n_out, k, s=1, p=0, d=1):
        extra = fn(n_in, n_out, k, s, p, d)
        if not 0 <= extra < max(s, d):
            raise ValueError("no output_padding fits")
        return extra

    return Misconception(name, title, message, section, wrong)


def _extra_without_dilation(n_in, n_out, k, s=1, p=0, d=1):
    extra = _extra(n_in, n_out, k, s, p)
    if not 0 <= extra < s:
        raise ValueError("no output_padding fits")
    return extra


def _unchecked_extra(name, title, message, fn):
    def wrong(n_in, n_out, k, s=1, p=0, d=1):
        return fn(n_in, n_out, k, s, p, d)

    return Misconception(name, title, message, f"{SIZES}#output-padding-ambiguity", wrong)


OUTPUT_PADDING = Spec(
    name="output_padding_for",
    title="Which output_padding",
    summary="Find the `output_padding` that gives the size you want, if there is one.",
    chapter=f"{SIZES}#output-padding-ambiguity",
    parameters="n_in, n_out, k, s=1, p=0, d=1",
    minutes=10,
    difficulty="medium",
    aspects=(
        Aspect("stride alone", 1),
        Aspect("padding", 1),
        Aspect("dilation", 1),
        Aspect(FITS, 1),
    ),
    cases=_extra_cases,
    oracles={"PyTorch": torch_output_padding},
    size_formula=lambda n_in, n_out, k, s=1, p=0, d=1: "The answer is one whole number.",
    misconceptions=(
        _unchecked_extra(
            "input-size-not-looked-at",
            "The input's size is not looked at",
            "The remainder of the convolution's division is right where an answer exists. But it "
            "is the same for sizes that belong to another number of inputs.",
            lambda n_in, n_out, k, s, p, d: (n_out + 2 * p - _reach(k, d)) % s,
        ),
        _unchecked_extra(
            "not-checked",
            "The difference is not checked",
            "The difference of the two sizes is the right start. But there are sizes that no "
            "`output_padding` gives: it is never negative, and it has an upper limit.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p, d),
        ),
        _unchecked_extra(
            "nearest-allowed",
            "The nearest that is allowed is taken",
            "Where no `output_padding` gives the size, the nearest allowed one is returned. The "
            "result will then have another size than was asked for, without a word.",
            lambda n_in, n_out, k, s, p, d: min(
                max(_extra(n_in, n_out, k, s, p, d), 0), max(s, d) - 1
            ),
        ),
        _unchecked_extra(
            "stride-less-one",
            "Always the stride less one",
            "That is a rule of thumb for one family of layers. Which output padding is right "
            "depends on all the sizes.",
            lambda n_in, n_out, k, s, p, d: s - 1,
        ),
        _wrong_extra(
            "compared-with-the-stride-alone",
            "Compared with the input times the stride",
            "The wanted size is compared with the input's length times the stride. Without "
            "`output_padding` the result has another length, as kernel and padding say.",
            lambda n_in, n_out, k, s, p, d: n_out - n_in * s,
            f"{TURN}#transposed-size",
        ),
        _wrong_extra(
            "one-short",
            "The last place is not counted",
            "The result without `output_padding` is taken to be one place shorter than it is. The "
            "number of the last place is one less than the number of places.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p, d) + 1,
            f"{TURN}#transposed-size",
        ),
        _wrong_extra(
            "padding-counted-once",
            "The padding counts once only",
            "`p` places are cropped at each end, so twice as many in all.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p, d) - p,
            f"{TURN}#transposed-size",
        ),
        _wrong_extra(
            "padding-ignored",
            "The padding is ignored",
            "The wanted size is compared with that before the crop. `p` places are cut off at each "
            "end.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, 0, d),
            f"{TURN}#transposed-size",
        ),
        _wrong_extra(
            "padding-added",
            "The padding is added",
            "The padding is taken to make the result longer. In a transposed convolution it crops, "
            "so it has to be made up for.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, -p, d),
            f"{TURN}#transposed-size",
        ),
        Misconception(
            "dilation-ignored",
            "The dilation is ignored",
            "The copies are taken to be as long as the kernel has taps. With a dilation the taps "
            "of a copy stand further apart.",
            f"{TWO}#dilation-2d",
            _extra_without_dilation,
        ),
        _wrong_extra(
            "room-behind-the-last-tap",
            "There is a gap behind the last tap, too",
            "Each tap is given as much room as the dilation says. The gaps lie between the taps: "
            "there is one fewer of them than there are taps.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p, d) - (d - 1),
            f"{TWO}#dilation-2d",
        ),
        _wrong_extra(
            "shared-between-the-ends",
            "It is shared between the ends",
            "What is missing is divided between two ends, as for `padding`. `output_padding` "
            "counts at one end only.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p, d) / 2,
        ),
    ),
)


# -- the sizes that TensorFlow accepts ----------------------------------------------------


def _sizes_accepted(n_in, k, s, padding):
    least = (n_in - 1) * s + (1 if padding == "SAME" else k)
    return list(range(least, least + s))


def _tf_sizes_cases(rng) -> Iterator[Case]:
    wide = "stride > kernel"

    def seen(aspect, expected, *args):
        return Case(aspect, args, visible=True, expected=expected)

    yield seen("SAME", [4], 4, 3, 1, "SAME")
    yield seen("SAME", [5, 6], 3, 3, 2, "SAME")
    yield seen("SAME", [4, 5, 6], 2, 4, 3, "SAME")
    yield seen("VALID", [6], 3, 4, 1, "VALID")
    yield seen("VALID", [7, 8], 3, 3, 2, "VALID")
    yield seen(wide, [4, 5, 6], 2, 2, 3, "SAME")
    yield seen(wide, [5, 6, 7], 2, 2, 3, "VALID")
    for _ in range(12):
        s = between(rng, 1, 4)
        yield Case("SAME", (between(rng, 1, 9), s + between(rng, 0, 4), s, "SAME"))
    yield Case("SAME", (1, 1, 1, "SAME"))
    yield Case("SAME", (1, 5, 2, "SAME"))  # one input, and a kernel larger than the output
    yield Case("SAME", (5, 4, 2, "SAME"))
    for _ in range(12):
        s = between(rng, 1, 4)
        yield Case("VALID", (between(rng, 2, 9), s + between(rng, 0, 4), s, "VALID"))
    yield Case("VALID", (1, 3, 1, "VALID"))
    yield Case("VALID", (4, 5, 3, "VALID"))
    for padding in ("SAME", "VALID"):
        for _ in range(5):
            k = between(rng, 1, 4)
            yield Case(wide, (between(rng, 2, 9), k, k + between(rng, 1, 3), padding))
        yield Case(wide, (3, 1, 4, padding))
        yield Case(wide, (3, 2, 5, padding))
        yield Case(wide, (3, 4, 5, padding))


def _tf_sizes_explain(i, n_in, k, s, padding):
    size = _sizes_accepted(n_in, k, s, padding)[i]
    if padding == "SAME":
        return f"SAME makes ⌈{size}/{s}⌉ = {n_in} of {size}."
    return f"VALID makes ⌈({size} − {k} + 1)/{s}⌉ = {n_in} of {size}."


def _wrong_sizes(name, title, message, fn, section=f"{SIZES}#tf-output-shape"):
    return Misconception(name, title, message, section, fn)


def _where(makes):
    """Return the list of sizes of which `makes(size, k, s, padding)` is the given number."""

    def sizes(n_in, k, s, padding):
        tried = range(1, (n_in + 2) * s + 2 * k + 2)
        return [size for size in tried if makes(size, k, s, padding) == n_in]

    return sizes


def _only_as_far_as_the_copies(n_in, k, s, padding):
    return [m for m in _sizes_accepted(n_in, k, s, padding) if m <= (n_in - 1) * s + k]


def _half_the_kernel_cropped(n_in, k, s, padding):
    if padding == "VALID":
        return _sizes_accepted(n_in, k, s, padding)
    return [_transposed_size(n_in, k, s, k // 2, extra) for extra in range(s)]


TF_SIZES = Spec(
    name="tf_output_sizes",
    title="The sizes that TensorFlow accepts",
    summary="List every output size of which the convolution would make this input.",
    chapter=f"{SIZES}#tf-output-shape",
    parameters="n_in, k, s, padding",
    minutes=15,
    difficulty="medium",
    aspects=(Aspect("SAME", 2), Aspect("VALID", 1), Aspect("stride > kernel", 1)),
    cases=_tf_sizes_cases,
    oracles={"TensorFlow": tf_sizes_accepted},
    explain=_tf_sizes_explain,
    size_formula=lambda n_in, k, s, padding: (
        f"With stride {s}, as many sizes lead to the same number of outputs: {s}."
    ),
    misconceptions=(
        _wrong_sizes(
            "same-and-valid-exchanged",
            "SAME and VALID are exchanged",
            "SAME leaves the kernel's length out of the size; VALID counts only windows that lie "
            "inside.",
            lambda n_in, k, s, padding: _sizes_accepted(
                n_in, k, s, "VALID" if padding == "SAME" else "SAME"
            ),
            "book/convolution-1d#conv1d-same",
        ),
        _wrong_sizes(
            "one-size-only-as-keras",
            "Only the size that Keras takes",
            "This is the size that Keras's layer chooses if it is not told one. The convolution "
            "makes the same input of other sizes, too.",
            lambda n_in, k, s, padding: [n_in * s + (max(k - s, 0) if padding == "VALID" else 0)],
        ),
        _wrong_sizes(
            "smallest-size-only",
            "Only the smallest size",
            "This is the smallest size that fits. A stride above 1 leaves elements over at the "
            "end, so larger sizes lead to the same number of windows.",
            lambda n_in, k, s, padding: _sizes_accepted(n_in, k, s, padding)[:1],
        ),
        _wrong_sizes(
            "rounded-down",
            "Rounded down instead of up",
            "The division is rounded down. TensorFlow's formulas for SAME and for VALID round up.",
            _where(lambda size, k, s, padding: (size if padding == "SAME" else size - k + 1) // s),
            "book/convolution-1d#conv1d-same",
        ),
        _wrong_sizes(
            "first-window-not-counted",
            "The first window is not counted",
            "For VALID only the steps are counted. The window at the very front is one, too.",
            _where(
                lambda size, k, s, padding: (
                    -(-size // s) if padding == "SAME" else max(0, size - k) // s
                )
            ),
            f"{SIZES}#conv-size",
        ),
        _wrong_sizes(
            "largest-missing",
            "The largest size is missing",
            "The list stops one too early. Python's `range` leaves its end out.",
            lambda n_in, k, s, padding: _sizes_accepted(n_in, k, s, padding)[:-1],
        ),
        _wrong_sizes(
            "one-too-small",
            "All sizes are one too small",
            "The list is as long as it should be, but begins one too early: of its first size the "
            "convolution makes one output fewer.",
            lambda n_in, k, s, padding: [m - 1 for m in _sizes_accepted(n_in, k, s, padding)],
        ),
        _wrong_sizes(
            "largest-first",
            "The largest comes first",
            "All sizes are there, but in descending order. The smallest is asked for first.",
            lambda n_in, k, s, padding: _sizes_accepted(n_in, k, s, padding)[::-1],
        ),
        _wrong_sizes(
            "half-the-kernel-cropped",
            "SAME as PyTorch's users write it",
            "This takes SAME to be a padding of half the kernel on both sides. That is right for "
            "odd kernels; for even ones SAME's two sides differ.",
            _half_the_kernel_cropped,
            "book/tensorflow-pytorch#same-asymmetric",
        ),
        _wrong_sizes(
            "no-further-than-the-copies",
            "No further than the copies reach",
            "Sizes are left out in which no copy of the kernel reaches the last places. TensorFlow "
            "accepts them; these places are 0.",
            _only_as_far_as_the_copies,
        ),
        _wrong_sizes(
            "every-smaller-size",
            "Every smaller size, too",
            "All sizes from 1 up to the largest are listed. Of a size too small the convolution "
            "makes fewer outputs than there are inputs.",
            lambda n_in, k, s, padding: list(
                range(1, _sizes_accepted(n_in, k, s, padding)[-1] + 1)
            ),
        ),
    ),
)


# -- TensorFlow's transposed convolution --------------------------------------------------


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


def _too_much(k, s, out):
    """Return how many places SAME crops altogether."""
    return max((-(-out // s) - 1) * s + k - out, 0)


def _smaller_half_first(n, k, s, out, padding):
    """Return how many places are cropped in front, as TensorFlow does it."""
    return _too_much(k, s, out) // 2 if padding == "SAME" else 0


def _starts(n_hw, k_hw, output_hw, strides, padding, start=_smaller_half_first):
    """Return for each axis at which place of the full result the output begins."""
    axes = zip(n_hw, k_hw, as_pair(strides), output_hw, strict=True)
    return [start(*axis, padding) for axis in axes]


def _cut(full, starts, output_hw):
    """Cut `output_hw` out of axes 1 and 2 of `full`; beyond it, at either end, there are zeros."""
    ends = [(max(-a, 0), out) for a, out in zip(starts, output_hw, strict=True)]
    full = np.pad(full, [(0, 0), *ends, (0, 0)])
    (i, j), (h, w) = (max(a, 0) for a in starts), output_hw
    return full[:, i : i + h, j : j + w]


def _full(x, w, strides):
    """Add up the weighted copies of the kernel, uncropped."""
    (sh, sw), (n, h, wide, _), (kh, kw, o, _) = as_pair(strides), x.shape, w.shape
    full = np.zeros((n, (h - 1) * sh + kh, (wide - 1) * sw + kw, o), x.dtype)
    for u, v in np.ndindex(kh, kw):
        rows, columns = (slice(u, u + (h - 1) * sh + 1, sh), slice(v, v + (wide - 1) * sw + 1, sw))
        full[:, rows, columns] += np.einsum("nhwi,oi->nhwo", x, w[u, v])
    return full


def _overwritten(x, w, strides):
    (sh, sw), (kh, kw) = as_pair(strides), w.shape[:2]
    full = _full(x, w, strides) * 0
    for i, j in np.ndindex(x.shape[1:3]):
        copy = np.einsum("ni,uvoi->nuvo", x[:, i, j], w)
        full[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = copy
    return full


def _refused(n_hw, k_hw, output_hw, strides, padding):
    """Return why TensorFlow refuses the size, or nothing."""
    for axis, n, k, s, out in zip(
        ("rows", "columns"), n_hw, k_hw, as_pair(strides), output_hw, strict=True
    ):
        made = -(-out // s) if padding == "SAME" else max(0, -(-(out - k + 1) // s))
        if made != n:
            return f"of {out} {axis} the convolution makes {made}, and x has {n}"
    return ""


def _bent(full=_full, start=_smaller_half_first, *, checked=True, change=None, done=None):
    """Return the operation with something wrong: a learner's function, made of its parts.

    `change(x, w, output_hw, strides)` replaces the arguments, `done` works on the result.
    """

    def wrong(x, w, output_hw, strides, padding):
        if checked and _refused(x.shape[1:3], w.shape[:2], output_hw, strides, padding):
            raise ValueError("TensorFlow refuses this size")
        if change:
            x, w, output_hw, strides = change(x, w, output_hw, strides)
        n, k = x.shape[1:3], w.shape[:2]
        z = _cut(full(x, w, strides), _starts(n, k, output_hw, strides, padding, start), output_hw)
        return done(z) if done else z

    return wrong


def _channels_exchanged(x, w, output_hw, strides):
    return x, w.swapaxes(2, 3), output_hw, strides  # often it does not even fit


def _line(*values):
    """Return an image, or a kernel, of one row and one channel, with the axes (1, 1, n, 1)."""
    return np.array(values, float).reshape(1, 1, -1, 1)


def _taps(*values):
    """Return a kernel of one row, (1, k, 1, 1)."""
    return np.array(values, float).reshape(1, -1, 1, 1)


def _drawn_tf(rng, aspect, padding, *, s=None, k=None, n=None, spare=None, batch=1, i=1, o=1):
    """Draw a case whose size fits; `spare` says how much larger than the smallest it is."""
    s = s or two_between(rng, 1, 3)
    s_hw = as_pair(s)
    k = k or tuple(t + between(rng, 0, 2) for t in s_hw)
    n = n or two_between(rng, 2, 4)
    spare = spare or tuple(between(rng, 0, t - 1) for t in s_hw)
    out = tuple(
        (m - 1) * t + (1 if padding == "SAME" else l) + r
        for m, t, l, r in zip(n, s_hw, k, spare, strict=True)
    )
    args = (whole_numbers(rng, batch, *n, i), whole_numbers(rng, *k, o, i), out, s, padding)
    return Case(aspect, args)


def _conv_tf_cases(rng) -> Iterator[Case]:
    x, w, wide, several = (
        _line(1, 10, 100),
        _taps(1, 2, 3),
        "stride > kernel",
        "channels and batches",
    )

    def seen(aspect, expected, *args):
        return Case(aspect, args, visible=True, expected=_line(*expected))

    yield seen("VALID", [1, 2, 13, 20, 130, 200, 300], x, w, (1, 7), (1, 2), "VALID")
    yield seen("VALID", [1, 2, 13, 20, 130, 200, 300, 0], x, w, (1, 8), (1, 2), "VALID")
    yield seen("SAME", [12, 123, 230], x, w, (1, 3), 1, "SAME")
    yield seen("SAME", [2, 13, 20, 130, 200], x, w, (1, 5), (1, 2), "SAME")
    yield seen("SAME", [1, 2, 13, 20, 130, 200], x, w, (1, 6), (1, 2), "SAME")
    ten, two = _line(1, 10), _taps(1, 2)
    yield seen(wide, [1, 2, 0, 10], ten, two, (1, 4), (1, 3), "SAME")
    yield seen(wide, [1, 2, 0, 10, 20, 0], ten, two, (1, 6), (1, 3), "SAME")
    yield Case(
        several,
        (
            np.array([1.0, 10]).reshape(1, 1, 1, 2),
            np.array([[[[1.0, 2], [3, 4]]]]),
            (1, 1),
            1,
            "SAME",
        ),
        visible=True,
        expected=[[[[21, 43]]]],
    )
    yield Case(
        FITS,
        (x, w, (1, 4), (1, 2), "SAME"),
        visible=True,
        refused=_refused((1, 3), (1, 3), (1, 4), (1, 2), "SAME"),
    )
    yield Case(
        "dtype and inputs",
        (np.float32(_line(3)), np.float32(_taps(1, 2)), (1, 2), 1, "VALID"),
        visible=True,
        expected=np.float32(_line(3, 6)),
        exact_dtype=True,
    )

    def drawn(*args, **settings):
        return _drawn_tf(rng, *args, **settings)

    for _ in range(7):
        yield drawn("VALID", "VALID")
    yield drawn("VALID", "VALID", n=(1, 1), s=1, k=(1, 1))
    yield drawn("VALID", "VALID", n=(3, 2), s=(1, 2), k=(2, 3), spare=(0, 1))
    for _ in range(10):
        yield drawn("SAME", "SAME")
    yield drawn("SAME", "SAME", n=(3, 3), s=2, k=(3, 3), spare=(0, 0))
    yield drawn("SAME", "SAME", n=(3, 3), s=2, k=(3, 3), spare=(1, 1))
    yield drawn("SAME", "SAME", n=(2, 3), s=(1, 2), k=(4, 5), spare=(0, 1))
    yield drawn("SAME", "SAME", n=(3, 2), s=1, k=(2, 4))
    yield drawn("SAME", "SAME", n=(4, 4), s=4, k=(5, 6), spare=(0, 0))
    yield drawn("SAME", "SAME", n=(1, 2), s=2, k=(5, 6))  # kernel > output
    for padding in ("SAME", "VALID"):
        for _ in range(3):
            k = two_between(rng, 1, 2)
            s = tuple(m + between(rng, 1, 2) for m in k)
            yield drawn(wide, padding, s=s, k=k)
        yield drawn(wide, padding, s=(4, 3), k=(1, 2), n=(2, 3), spare=(3, 2))
        yield drawn(wide, padding, s=5, k=(4, 3), n=(2, 2), spare=(0, 1))
    for _ in range(5):  # nothing is cropped here: that has aspects of its own
        c, b = between(rng, 2, 3), between(rng, 2, 3)
        yield drawn(several, "VALID", batch=b, i=c, o=c, spare=(0, 0))
        yield drawn(several, "VALID", batch=b, i=c, o=5 - c, spare=(0, 0))
    yield drawn(several, "VALID", n=(3, 2), s=(1, 2), k=(2, 3), batch=2, i=2, o=3, spare=(0, 0))
    for padding, n, k, s, out in (
        ("SAME", (3, 3), (3, 3), 2, (4, 4)),
        ("SAME", (3, 3), (3, 3), 2, (6, 7)),
        ("SAME", (2, 3), (2, 2), (2, 3), (3, 10)),
        ("VALID", (3, 3), (3, 3), 2, (6, 7)),
        ("VALID", (3, 3), (3, 3), 2, (7, 9)),
        ("VALID", (2, 2), (4, 4), 1, (2, 2)),
    ):
        why = _refused(n, k, out, s, padding)
        yield Case(
            FITS,
            (whole_numbers(rng, 1, *n, 1), whole_numbers(rng, *k, 1, 1), out, s, padding),
            refused=why,
        )
    for x, w in _kinds(rng, (2, 3, 4, 2), (3, 2, 3, 2)):
        yield Case("dtype and inputs", (x, w, (7, 8), 2, "VALID"), exact_dtype=True)


def _gathered(n_hw, k_hw, starts, strides, at):
    """Yield which place of x reaches place `at` of the result, and by which tap."""
    (sh, sw) = as_pair(strides)
    for i, j in np.ndindex(*n_hw):
        u, v = at[0] + starts[0] - i * sh, at[1] + starts[1] - j * sw
        if 0 <= u < k_hw[0] and 0 <= v < k_hw[1]:
            yield i, j, u, v


def _sum(terms):
    """Write out a sum of products, shortened."""
    if len(terms) > 6:
        terms = [*terms[:6], f"{len(terms) - 6} more products"]
    return " + ".join(terms) or "0: no copy of the kernel reaches it"


def _conv_tf_explain(at, x, w, output_hw, strides, padding):
    n, row, column, o = at
    starts = _starts(x.shape[1:3], w.shape[:2], output_hw, strides, padding)
    terms = [
        f"x[{n}, {i}, {j}, {c}]·w[{u}, {v}, {o}, {c}]"
        for i, j, u, v in _gathered(x.shape[1:3], w.shape[:2], starts, strides, (row, column))
        for c in range(x.shape[3])
    ]
    crop = f"{starts[0]} rows and {starts[1]} columns are cropped in front. "
    return f"{crop}z[{n}, {row}, {column}, {o}] is {_sum(terms)}."


def _wrong_tf(name, title, message, section, fn):
    return Misconception(name, title, message, section, fn)


CONV_TRANSPOSE2D_TF = Spec(
    name="conv_transpose2d_tf",
    title="TensorFlow's transposed convolution",
    summary="Write `tf.nn.conv2d_transpose` by hand: channels last, its own kernel, SAME or VALID.",
    chapter=f"{SIZES}#same-extra-row",
    parameters="x, w, output_hw, strides, padding",
    minutes=40,
    difficulty="hard",
    aspects=(
        Aspect("VALID", 1),
        Aspect("SAME", 2),
        Aspect("stride > kernel", 1),
        Aspect("channels and batches", 1),
        Aspect(FITS, 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_conv_tf_cases,
    oracles={"TensorFlow": tf_conv_transpose2d, "PyTorch": torch_conv_transpose2d_tf},
    explain=_conv_tf_explain,
    size_formula=lambda x, w, output_hw, strides, padding: (
        f"The result has the axes (image, row, column, channel): {len(x)} images of "
        f"{output_hw[0]} × {output_hw[1]} with {w.shape[2]} channels."
    ),
    rules=Rules(seconds=4.0),
    misconceptions=(
        _wrong_tf(
            "larger-half-in-front",
            "The larger half is cropped in front",
            "Where an odd number of rows or columns is too much, one more is cut off in front. "
            "TensorFlow cuts it off at the end.",
            f"{SIZES}#same-extra-row",
            _bent(start=lambda n, k, s, out, p: -(-_too_much(k, s, out) // 2) * (p == "SAME")),
        ),
        _wrong_tf(
            "cropped-at-the-end",
            "Everything is cropped at the end",
            "The first rows and columns of the full result are kept. SAME crops at both ends, as "
            "evenly as it goes.",
            f"{SIZES}#same-extra-row",
            _bent(start=lambda n, k, s, out, p: 0),
        ),
        _wrong_tf(
            "cropped-in-front",
            "Everything is cropped in front",
            "The last rows and columns of the full result are kept. SAME crops at both ends, as "
            "evenly as it goes.",
            f"{SIZES}#same-extra-row",
            _bent(start=lambda n, k, s, out, p: _too_much(k, s, out) * (p == "SAME")),
        ),
        _wrong_tf(
            "cropped-as-for-stride-one",
            "Cropped as for stride 1",
            "Half of the kernel less one is cut off in front, whatever the stride and the size. "
            "How much SAME crops depends on these, too.",
            f"{SIZES}#same-extra-row",
            _bent(start=lambda n, k, s, out, p: (k - 1) // 2 * (p == "SAME")),
        ),
        _wrong_tf(
            "padding-of-the-small-map",
            "The padding is worked out for the small map",
            "SAME's padding is computed from the size of `x`. It belongs to the convolution that "
            "is turned round, and its input is the large map.",
            f"{SIZES}#same-extra-row",
            _bent(start=lambda n, k, s, out, p: _too_much(k, s, n) // 2 * (p == "SAME")),
        ),
        _wrong_tf(
            "empty-places-in-front",
            "The places that nothing reaches come first",
            "Where the output is larger than the copies of the kernel reach, the zeros are put in "
            "front. The first copy begins at the front; what it leaves over lies at the end.",
            f"{SIZES}#tf-output-shape",
            _bent(
                start=lambda n, k, s, out, p: (
                    _smaller_half_first(n, k, s, out, p) - max(out - (n - 1) * s - k, 0)
                )
            ),
        ),
        _wrong_tf(
            "kernel-axes-exchanged",
            "The kernel's channel axes are exchanged",
            "The kernel is read as that of an ordinary convolution, (height, width, in, out). For "
            "the transposed one TensorFlow has (height, width, out, in).",
            f"{BOTH}#kernel-axes",
            _bent(change=_channels_exchanged),
        ),
        _wrong_tf(
            "kernel-rotated",
            "The kernel is turned round",
            "The copies of the kernel lie turned by 180°. Scattering lays them down as they are.",
            f"{TWO}#scatter-2d",
            _bent(change=lambda x, w, out, s: (x, w[::-1, ::-1], out, s)),
        ),
        _wrong_tf(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            f"{TWO}#scatter-2d",
            _bent(full=_overwritten),
        ),
        _wrong_tf(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            f"{TWO}#scatter-2d",
            _bent(change=lambda x, w, out, s: (x, w, out, as_pair(s)[::-1])),
        ),
        _wrong_tf(
            "size-axes-exchanged",
            "Height and width are exchanged",
            "`output_hw` is (height, width), rows first.",
            f"{BOTH}#layouts",
            _bent(change=lambda x, w, out, s: (x, w, out[::-1], s)),
        ),
        _wrong_tf(
            "channels-first",
            "The channels come out first",
            "The result has PyTorch's axes, (image, channel, row, column). Here the channels stay "
            "last, as in `x`.",
            f"{BOTH}#layouts",
            _bent(done=lambda z: np.moveaxis(z, 3, 1)),
        ),
        _wrong_tf(
            "any-size-taken",
            "Any size is taken",
            "The result is cropped or filled up to any size. TensorFlow accepts only sizes of "
            "which the convolution would make a map as large as `x`.",
            f"{SIZES}#tf-output-shape",
            _bent(checked=False),
        ),
    ),
)


# -- kernels of the one framework and the other -------------------------------------------


def _tf_responses(w):
    """Return what `tf.nn.conv2d_transpose` makes of a single 1 in each of its input channels.

    The result has the axes (input channel, row, column, output channel): for each input channel
    the copies of the kernel that it sends.
    """
    ones = np.eye(w.shape[3], dtype=w.dtype)[:, None, None]
    return tf_conv_transpose2d(ones, w, w.shape[:2], 1, "VALID")


def _torch_responses(w):
    """Return what `F.conv_transpose2d` makes of a single 1 in each of its input channels."""
    import torch

    ones = torch.eye(len(w), dtype=w.dtype)[:, :, None, None]
    return torch.nn.functional.conv_transpose2d(ones, w).numpy()


def tf_tf_kernel_to_torch(w):
    """Return the copies that TensorFlow's kernel sends, laid out as PyTorch lays out images."""
    return np.moveaxis(_tf_responses(w), 3, 1)


def torch_tf_kernel_to_torch(w):
    """Return the copies that PyTorch sends with the kernel that `permute` makes."""
    import torch

    return _torch_responses(torch.tensor(np.ascontiguousarray(w)).permute(3, 2, 0, 1))


def torch_torch_kernel_to_tf(w):
    """Return the copies that PyTorch's kernel sends, with the input channels put last."""
    import torch

    copies = _torch_responses(torch.tensor(np.ascontiguousarray(w)))
    return copies.transpose(2, 3, 1, 0)


def tf_torch_kernel_to_tf(w):
    """Return the copies that TensorFlow sends with the kernel that `tf.transpose` makes."""
    kernel = tensorflow().transpose(np.ascontiguousarray(w), (2, 3, 1, 0)).numpy()
    return np.moveaxis(_tf_responses(kernel), 0, 3)


def _kernel_cases(order):
    """Return `cases` for kernels whose axes (height, width, out, in) stand in this order."""

    def cases(rng) -> Iterator[Case]:
        def seen(aspect, kernel, back, **more):
            w = np.array(kernel).transpose(order)
            expected = w.transpose(np.argsort(order)).transpose(back)
            return Case(aspect, (w,), visible=True, expected=expected, **more)

        back = (3, 2, 0, 1) if order == (0, 1, 2, 3) else (0, 1, 2, 3)
        square = np.array([1.0, 2, 3, 4]).reshape(2, 2, 1, 1)
        yield seen("one channel", square, back)
        yield seen("one channel", np.array([1.0, 2, 3]).reshape(1, 3, 1, 1), back)
        yield seen("channels", np.array([1.0, 2, 3, 4, 5, 6]).reshape(1, 1, 2, 3), back)
        yield seen("channels", np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1), back)
        small = np.float32([5, 6]).reshape(1, 1, 1, 2)
        yield seen("dtype and inputs", small, back, exact_dtype=True)

        def drawn(aspect, *shape):
            return Case(aspect, (whole_numbers(rng, *(shape[a] for a in order)),))

        for _ in range(8):
            yield drawn("one channel", *two_between(rng, 1, 4), 1, 1)
        yield drawn("one channel", 2, 2, 1, 1)
        yield drawn("one channel", 3, 2, 1, 1)
        yield drawn("one channel", 1, 1, 1, 1)
        for _ in range(12):
            yield drawn("channels", *two_between(rng, 1, 4), *two_between(rng, 1, 4))
        yield drawn("channels", 3, 3, 3, 3)  # no shape tells the axes apart here
        yield drawn("channels", 2, 3, 4, 5)
        yield drawn("channels", 2, 2, 3, 3)
        yield drawn("channels", 3, 2, 2, 2)
        for (w,) in _kinds(rng, tuple((3, 2, 4, 3)[a] for a in order)):
            yield Case("dtype and inputs", (w,), exact_dtype=True)

    return cases


TF_ORDER, TORCH_ORDER = (0, 1, 2, 3), (3, 2, 0, 1)


def _moved(name, title, message, label, fn):
    return Misconception(name, title, message, f"{BOTH}#{label}", fn)


KERNEL_ASPECTS = (
    Aspect("one channel", 1),
    Aspect("channels", 1),
    Aspect("dtype and inputs", 1),
)


def _moved_either_way(reshaped, *, turned, order):
    """Return what goes wrong in the same way from TensorFlow and from PyTorch.

    `reshaped` gives a kernel the right shape, `turned` turns its taps by 180°; `order` is right.
    """
    return (
        _moved(
            "all-axes-reversed",
            "Height and width are exchanged, too",
            "All four axes are reversed. The taps' rows and columns keep their order; only the "
            "channels move.",
            "reversed-axes",
            lambda w: w.transpose(3, 2, 1, 0),
        ),
        _moved(
            "reshaped",
            "The numbers keep their order in memory",
            "The shape is right, but `reshape` reads the numbers in the order in which they lie. "
            "To carry an axis to another place, the numbers have to move.",
            "layouts",
            reshaped,
        ),
        _moved(
            "rotated",
            "The taps are turned round",
            "The kernel is turned by 180°. Both frameworks lay the copies down as they are, so "
            "nothing is turned on the way.",
            "kernel-axes",
            lambda w: turned(w).transpose(order),
        ),
        _moved(
            "made-into-a-convolution",
            "This is the kernel of an ordinary convolution",
            "Turned by 180° and with exchanged channels it would be right for an ordinary "
            "convolution over the stretched map. Here the layer stays a transposed one.",
            "kernel-axes",
            lambda w: turned(w).transpose(2, 3, 0, 1),
        ),
    )


TF_TO_TORCH = Spec(
    name="tf_kernel_to_torch",
    title="A kernel from TensorFlow to PyTorch",
    summary="Put the axes of a transposed convolution's kernel into PyTorch's order.",
    chapter=f"{BOTH}#kernel-axes",
    parameters="w",
    minutes=10,
    difficulty="easy",
    aspects=KERNEL_ASPECTS,
    cases=_kernel_cases(TF_ORDER),
    oracles={"TensorFlow": tf_tf_kernel_to_torch, "PyTorch": torch_tf_kernel_to_torch},
    explain=lambda at, w: (
        f"Place {list(at)} is input channel {at[0]}, output channel {at[1]}, row {at[2]}, column "
        f"{at[3]}. TensorFlow keeps it at [{at[2]}, {at[3]}, {at[1]}, {at[0]}]."
    ),
    size_formula=lambda w: (
        f"Input channels: {w.shape[3]}, output channels: {w.shape[2]}, rows of taps: "
        f"{w.shape[0]}, columns of taps: {w.shape[1]}."
    ),
    misconceptions=(
        _moved(
            "channel-axes-exchanged",
            "Output channels before input channels",
            "The output channels come first, as in the kernel of an ordinary convolution in "
            "PyTorch. In a transposed one the input channels do.",
            "kernel-axes",
            lambda w: w.transpose(2, 3, 0, 1),
        ),
        *_moved_either_way(
            lambda w: w.reshape(w.shape[3], w.shape[2], w.shape[0], w.shape[1]),
            turned=lambda w: w[::-1, ::-1],
            order=(3, 2, 0, 1),
        ),
        _moved(
            "unchanged",
            "Nothing is changed",
            "The kernel still has TensorFlow's axes. PyTorch would take the rows of the taps for "
            "input channels.",
            "kernel-axes",
            lambda w: w.copy(),
        ),
        _moved(
            "treated-as-an-image",
            "Treated as a batch of images",
            "This is the way from NHWC to NCHW, which is for images. A kernel has other axes, and "
            "they are in another order.",
            "layouts",
            lambda w: w.transpose(0, 3, 1, 2),
        ),
        _moved(
            "input-channels-moved-only",
            "Only the input channels are moved",
            "The input channels have come to the front, and the output channels are still last. "
            "They belong behind the input channels.",
            "kernel-axes",
            lambda w: w.transpose(3, 0, 1, 2),
        ),
        _moved(
            "other-direction",
            "This is the way back",
            "These axes would be right for a kernel that comes from PyTorch. From TensorFlow they "
            "start in another order, so another permutation is needed.",
            "kernel-axes",
            lambda w: w.transpose(2, 3, 1, 0),
        ),
    ),
)


TORCH_TO_TF = Spec(
    name="torch_kernel_to_tf",
    title="A kernel from PyTorch to TensorFlow",
    summary="Put the axes of a transposed convolution's kernel into TensorFlow's order.",
    chapter=f"{BOTH}#kernel-axes",
    parameters="w",
    minutes=5,
    difficulty="easy",
    aspects=KERNEL_ASPECTS,
    cases=_kernel_cases(TORCH_ORDER),
    oracles={"PyTorch": torch_torch_kernel_to_tf, "TensorFlow": tf_torch_kernel_to_tf},
    explain=lambda at, w: (
        f"Place {list(at)} is row {at[0]}, column {at[1]}, output channel {at[2]}, input channel "
        f"{at[3]}. PyTorch keeps it at [{at[3]}, {at[2]}, {at[0]}, {at[1]}]."
    ),
    size_formula=lambda w: (
        f"Input channels: {w.shape[0]}, output channels: {w.shape[1]}, rows of taps: "
        f"{w.shape[2]}, columns of taps: {w.shape[3]}."
    ),
    misconceptions=(
        _moved(
            "channel-axes-exchanged",
            "Input channels before output channels",
            "The output channels come last, as in the kernel of an ordinary convolution in "
            "TensorFlow. In a transposed one the input channels do.",
            "kernel-axes",
            lambda w: w.transpose(2, 3, 0, 1),
        ),
        *_moved_either_way(
            lambda w: w.reshape(w.shape[2], w.shape[3], w.shape[1], w.shape[0]),
            turned=lambda w: w[:, :, ::-1, ::-1],
            order=(2, 3, 1, 0),
        ),
        _moved(
            "unchanged",
            "Nothing is changed",
            "The kernel still has PyTorch's axes. TensorFlow would take the input channels for the "
            "rows of the taps.",
            "kernel-axes",
            lambda w: w.copy(),
        ),
        _moved(
            "treated-as-an-image",
            "Treated as a batch of images",
            "This is the way from NCHW to NHWC, which is for images. A kernel has other axes, and "
            "they are in another order.",
            "layouts",
            lambda w: w.transpose(0, 2, 3, 1),
        ),
        _moved(
            "input-channels-moved-only",
            "Only the input channels are moved",
            "The input channels have gone to the end, and the output channels still come before "
            "the taps. They belong between the taps' columns and the input channels.",
            "kernel-axes",
            lambda w: w.transpose(1, 2, 3, 0),
        ),
        _moved(
            "other-direction",
            "This is the way there",
            "These axes would be right for a kernel that comes from TensorFlow. From PyTorch they "
            "start in another order, so another permutation is needed.",
            "kernel-axes",
            lambda w: w.transpose(3, 2, 0, 1),
        ),
    ),
)


# -- the same numbers from PyTorch --------------------------------------------------------


def tf_same_transposed(x, w, output_hw, stride, under=None):
    """Return `tf.nn.conv2d_transpose` with SAME of PyTorch's images and kernel, or its gradient.

    The gradient is that of the sum of the result's numbers, the first counted once, the second
    twice, and so on.
    """
    tf = tensorflow()
    image = tf.constant(np.ascontiguousarray(np.moveaxis(x, 1, 3)))
    kernel = np.ascontiguousarray(w.transpose(2, 3, 1, 0))
    shape = (len(x), *output_hw, w.shape[1])
    with tf.GradientTape() as tape:
        tape.watch(image)
        z = tf.nn.conv2d_transpose(image, kernel, shape, strides=as_pair(stride), padding="SAME")
        z = tf.transpose(z, (0, 3, 1, 2))
        weights = np.arange(1, np.prod(z.shape) + 1, dtype=x.dtype).reshape(z.shape)
        weighted = tf.reduce_sum(z * weights)
    if under is None:
        return z.numpy()
    return np.moveaxis(tape.gradient(weighted, image).numpy(), 3, 1)


def torch_same_transposed(x, w, output_hw, stride, under=None):
    """Compose the operation of `F.conv_transpose2d`: crop its full result."""
    import torch

    x, w = (torch.tensor(np.ascontiguousarray(a)) for a in (x, w))
    z = _same_in_torch()(x.requires_grad_(), w, output_hw, stride)
    if under is None:
        return z.detach().numpy()
    weights = torch.arange(1, z.numel() + 1, dtype=z.dtype).reshape(z.shape)
    (z * weights).sum().backward()
    return x.grad.numpy()


def _torch_driver(fn, x, w, output_hw, stride, under=None):
    """Call `fn` with PyTorch's tensors; `under` asks for the gradient that comes back to `x`."""
    import torch

    from autograde.calling import NotAsked

    def tensor(array):  # of the same memory where it may be written to
        return torch.from_numpy(array) if array.flags.writeable else torch.tensor(array)

    x, w = tensor(x), tensor(w)
    if under:
        x = x.clone().requires_grad_()
    z = fn(x, w, output_hw, stride)
    if not isinstance(z, torch.Tensor):
        raise NotAsked(f"returned {type(z).__name__}, not a PyTorch tensor.")
    if not under:
        return z.detach().numpy()
    if not z.requires_grad:
        raise NotAsked("has no gradient: on the way the values left PyTorch.")
    weights = torch.arange(1, z.numel() + 1, dtype=z.dtype).reshape(z.shape)
    (z * weights).sum().backward()
    return x.grad.numpy()


def _cut_in_torch(full, starts, output_hw):
    """Cut `output_hw` out of the last two axes; beyond `full`, at either end, there are zeros."""
    import torch

    (i, j), (h, w) = starts, output_hw
    full = torch.nn.functional.pad(full, (max(-j, 0), w, max(-i, 0), h))
    i, j = max(i, 0), max(j, 0)
    return full[:, :, i : i + h, j : j + w]


def _full_in_torch(x, w, stride):
    import torch

    return torch.nn.functional.conv_transpose2d(x, w, stride=as_pair(stride))


def _overwritten_in_torch(x, w, stride):
    import torch

    (sh, sw), (kh, kw) = as_pair(stride), w.shape[2:]
    full = torch.zeros_like(_full_in_torch(x, w, stride))
    for i, j in np.ndindex(*x.shape[2:]):
        copy = torch.einsum("nc,cmuv->nmuv", x[:, :, i, j], w)
        full[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] = copy
    return full


def _same_in_torch(
    start=_smaller_half_first, *, full=_full_in_torch, cut=_cut_in_torch, checked=True, change=None
):
    """Return the function, or with something wrong in it: a learner's, made of its parts."""

    def same(x, w, output_hw, stride):
        if checked and _refused(x.shape[2:], w.shape[2:], output_hw, stride, "SAME"):
            raise ValueError("TensorFlow refuses this size")
        if change:
            x, w, output_hw, stride = change(x, w, output_hw, stride)
        starts = _starts(x.shape[2:], w.shape[2:], output_hw, stride, "SAME", start)
        return cut(full(x, w, stride), starts, output_hw)

    return same


def _first_axes_exchanged(x, w, output_hw, stride):
    return x, w.transpose(0, 1) if w.shape[0] == w.shape[1] else w, output_hw, stride


def _larger_half(n, k, s, out, padding):
    return -(-_too_much(k, s, out) // 2)


def _by_output_padding(x, w, output_hw, stride):
    """Crop by `padding` and make up for it by `output_padding`, which PyTorch may refuse."""
    import torch

    if _refused(x.shape[2:], w.shape[2:], output_hw, stride, "SAME"):
        raise ValueError("TensorFlow refuses this size")
    n_hw, k_hw = x.shape[2:], w.shape[2:]
    crop = _starts(n_hw, k_hw, output_hw, stride, "SAME", _larger_half)
    axes = zip(n_hw, k_hw, output_hw, as_pair(stride), crop, strict=True)
    extra = [out - _transposed_size(n, k, s, p) for n, k, out, s, p in axes]
    return torch.nn.functional.conv_transpose2d(
        x, w, stride=as_pair(stride), padding=crop, output_padding=extra
    )


def _filled_up_with_zeros(full, starts, output_hw):
    """Crop the larger half at both ends, as `padding` would, and append zeros for what is lost."""
    import torch

    sizes = zip(full.shape[2:], starts, output_hw, strict=True)
    h, w = (min(out, size - 2 * start) for size, start, out in sizes)
    kept = _cut_in_torch(full, starts, (h, w))
    return torch.nn.functional.pad(kept, (0, output_hw[1] - w, 0, output_hw[0] - h))


def _resized(full, starts, output_hw):
    import torch

    return torch.nn.functional.interpolate(full, size=tuple(output_hw))


HALVES, ODD = "as much at both ends", "one row or column more"


def _same_torch_cases(rng) -> Iterator[Case]:
    wide, several, gradient = "stride > kernel", "channels and batches", "gradient"

    def row(*values):
        return np.array(values, float).reshape(1, 1, 1, -1)

    x, w, two = row(1, 10, 100), row(1, 2, 3), row(1, 10)

    def seen(aspect, expected, *args, **kwargs):
        return Case(aspect, args, kwargs, visible=True, expected=row(*expected))

    yield seen(HALVES, [12, 123, 230], x, w, (1, 3), 1)
    yield seen(HALVES, [2, 13, 20, 130, 200], x, w, (1, 5), (1, 2))
    yield seen(ODD, [1, 2, 13, 20, 130, 200], x, w, (1, 6), (1, 2))
    yield seen(ODD, [2, 13, 24, 35], two, row(1, 2, 3, 4, 5), (1, 4), (1, 2))
    yield seen(wide, [1, 2, 0, 10, 20, 0], two, row(1, 2), (1, 6), (1, 3))
    yield Case(
        several,
        (np.array([1.0, 10]).reshape(1, 2, 1, 1), np.array([1.0, 2, 3, 4]).reshape(2, 2, 1, 1)),
        {"output_hw": (1, 1), "stride": 1},
        visible=True,
        expected=[[[[31]], [[42]]]],
    )
    why = _refused((1, 3), (1, 3), (1, 4), (1, 2), "SAME")
    yield Case(FITS, (x, w, (1, 4), (1, 2)), visible=True, refused=why)
    yield seen(gradient, [5, 11], two, row(1, 2), (1, 4), (1, 2), under="backward")
    small = np.float32(row(3)), np.float32(row(1, 2))
    yield Case(
        "dtype and inputs",
        (*small, (1, 2), (1, 2)),
        visible=True,
        expected=np.float32(row(3, 6)),
        exact_dtype=True,
    )

    def drawn(aspect, odd=None, under=None, **settings):
        """Draw a case; with `odd`, say for each axis whether what is too much is odd."""
        while True:
            args = _drawn_tf(rng, aspect, "SAME", **settings).args
            x, w = np.moveaxis(args[0], 3, 1), args[1].transpose(3, 2, 0, 1)
            sizes = zip(w.shape[2:], as_pair(args[3]), args[2], strict=True)
            if odd is None or odd == tuple(_too_much(*size) % 2 == 1 for size in sizes):
                break
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        return Case(aspect, (x, w, *args[2:4]), {"under": under} if under else {})

    even = (False, False)
    for _ in range(7):
        yield drawn(HALVES, even)
    yield drawn(HALVES, n=(3, 3), s=2, k=(3, 3), spare=(0, 0))
    yield drawn(HALVES, n=(2, 3), s=(2, 1), k=(4, 5), spare=(1, 0))
    yield drawn(HALVES, n=(2, 2), s=(1, 2), k=(5, 6), spare=(0, 1))
    yield drawn(HALVES, n=(1, 1), s=1, k=(1, 1))
    yield drawn(HALVES, n=(4, 4), s=4, k=(5, 5), spare=(0, 0))
    for _ in range(3):
        yield drawn(ODD, (True, False))
        yield drawn(ODD, (False, True))
        yield drawn(ODD, (True, True))
    yield drawn(ODD, n=(3, 3), s=2, k=(3, 3), spare=(1, 1))
    yield drawn(ODD, n=(2, 3), s=(2, 1), k=(5, 4), spare=(1, 0))
    yield drawn(ODD, n=(4, 4), s=4, k=(6, 6), spare=(0, 0))
    yield drawn(ODD, n=(1, 2), s=2, k=(6, 6), spare=(0, 0))  # kernel > output
    for _ in range(4):
        k = two_between(rng, 1, 2)
        s = tuple(m + between(rng, 1, 2) for m in k)
        yield drawn(wide, s=s, k=k)
    yield drawn(wide, s=(4, 3), k=(1, 2), n=(2, 3), spare=(3, 2))
    yield drawn(wide, s=5, k=(4, 3), n=(2, 2), spare=(0, 1))
    for _ in range(4):  # nothing is cropped here: that has aspects of its own
        c, b = between(rng, 2, 3), between(rng, 2, 3)
        s = two_between(rng, 1, 2)
        largest = tuple(t - 1 for t in s)
        yield drawn(several, s=s, k=s, spare=largest, batch=b, i=c, o=c)
        yield drawn(several, s=s, k=s, spare=largest, batch=b, i=c, o=5 - c)
    yield drawn(several, s=(1, 2), k=(1, 2), n=(3, 2), spare=(0, 1), batch=2, i=2, o=2)
    for n, k, s, out in (
        ((3, 3), (3, 3), 2, (4, 4)),
        ((3, 3), (3, 3), 2, (6, 7)),
        ((3, 3), (3, 3), 2, (7, 5)),
        ((2, 3), (2, 2), (2, 3), (3, 10)),
        ((2, 2), (4, 4), 1, (5, 5)),
    ):
        args = whole_numbers(rng, 1, 1, *n), whole_numbers(rng, 1, 1, *k), out, s
        yield Case(FITS, args, refused=_refused(n, k, out, s, "SAME"))
    for _ in range(3):
        yield drawn(gradient, s=2, k=(2, 2), spare=(1, 1), batch=2, i=2, o=3, under="backward")
    for x, w in _kinds(rng, (2, 2, 3, 4), (2, 3, 2, 2)):
        yield Case("dtype and inputs", (x, w, (6, 8), 2), exact_dtype=True)


def _same_torch_explain(at, x, w, output_hw, stride, under=None):
    n, channel, row, column = at
    if under:
        return (
            f"That is how much the sum over the result changes with x[{n}, {channel}, {row}, "
            f"{column}]. (In the sum the first number counts once, the second twice, and so on.)"
        )
    starts = _starts(x.shape[2:], w.shape[2:], output_hw, stride, "SAME")
    terms = [
        f"x[{n}, {c}, {i}, {j}]·w[{c}, {channel}, {u}, {v}]"
        for i, j, u, v in _gathered(x.shape[2:], w.shape[2:], starts, stride, (row, column))
        for c in range(x.shape[1])
    ]
    crop = f"SAME crops {starts[0]} rows and {starts[1]} columns in front. "
    return f"{crop}z[{n}, {channel}, {row}, {column}] is {_sum(terms)}."


SAME_IN_TORCH = Spec(
    name="same_transposed_in_torch",
    title="TensorFlow's SAME in PyTorch",
    summary="Make PyTorch's transposed convolution give what TensorFlow's SAME gives.",
    chapter=f"{BOTH}#same-asymmetric",
    parameters="x, w, output_hw, stride",
    minutes=30,
    difficulty="hard",
    aspects=(
        Aspect(HALVES, 1),
        Aspect(ODD, 2),
        Aspect("stride > kernel", 1),
        Aspect("channels and batches", 1),
        Aspect(FITS, 1),
        Aspect("gradient", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_same_torch_cases,
    oracles={"TensorFlow": tf_same_transposed, "PyTorch": torch_same_transposed},
    explain=_same_torch_explain,
    size_formula=lambda x, w, output_hw, stride, under=None: (
        "A gradient has the shape of what it belongs to."
        if under
        else f"The result has the axes (image, channel, row, column): {len(x)} images with "
        f"{w.shape[1]} channels of {output_hw[0]} × {output_hw[1]}."
    ),
    rules=Rules(libraries=("numpy", "torch"), seconds=10.0),
    driver=_torch_driver,
    misconceptions=(
        Misconception(
            "output-padding-makes-up-for-it",
            "The odd row is taken off in front",
            "`padding` crops as much at both ends, and `output_padding` gives the last row back: "
            "then the odd row is missing in front. TensorFlow's SAME takes it off at the end.",
            f"{BOTH}#same-asymmetric",
            _by_output_padding,
        ),
        Misconception(
            "filled-up-with-zeros",
            "What is missing is filled up with zeros",
            "So much is cropped at both ends that a row or column is missing, and zeros are put in "
            "its place. There are numbers that belong there.",
            f"{BOTH}#same-asymmetric",
            _same_in_torch(_larger_half, cut=_filled_up_with_zeros),
        ),
        Misconception(
            "resized",
            "The full result is resized",
            "The full result is interpolated to the size. SAME crops; no number of the full result "
            "changes its place among the others.",
            f"{SIZES}#same-extra-row",
            _same_in_torch(cut=_resized),
        ),
        Misconception(
            "half-the-kernel",
            "Half the kernel is cropped",
            "Half the kernel is cut off in front, as one pads a convolution of stride 1 in "
            "PyTorch. How much SAME crops depends on the stride and the size, too.",
            f"{BOTH}#same-asymmetric",
            _same_in_torch(lambda n, k, s, out, padding: k // 2),
        ),
        Misconception(
            "cropped-at-the-end",
            "Everything is cropped at the end",
            "The first rows and columns of the full result are kept. SAME crops at both ends, as "
            "evenly as it goes.",
            f"{SIZES}#same-extra-row",
            _same_in_torch(lambda n, k, s, out, padding: 0),
        ),
        Misconception(
            "cropped-in-front",
            "Everything is cropped in front",
            "The last rows and columns of the full result are kept. SAME crops at both ends, as "
            "evenly as it goes.",
            f"{SIZES}#same-extra-row",
            _same_in_torch(lambda n, k, s, out, padding: _too_much(k, s, out)),
        ),
        Misconception(
            "padding-of-the-small-map",
            "The padding is worked out for the small map",
            "SAME's padding is computed from the size of `x`. It belongs to the convolution that "
            "is turned round, and its input is the large map.",
            f"{SIZES}#same-extra-row",
            _same_in_torch(lambda n, k, s, out, padding: _too_much(k, s, n) // 2),
        ),
        Misconception(
            "empty-places-in-front",
            "The places that nothing reaches come first",
            "Where the output is larger than the copies of the kernel reach, the zeros are put in "
            "front. The first copy begins at the front; what it leaves over lies at the end.",
            f"{SIZES}#tf-output-shape",
            _same_in_torch(
                lambda n, k, s, out, padding: (
                    _smaller_half_first(n, k, s, out, padding) - max(out - (n - 1) * s - k, 0)
                )
            ),
        ),
        Misconception(
            "kernel-axes-exchanged",
            "The kernel's channel axes are exchanged",
            "The kernel is converted, but it comes in PyTorch's layout already: (input channels, "
            "output channels, height, width).",
            f"{BOTH}#kernel-axes",
            _same_in_torch(change=_first_axes_exchanged),
        ),
        Misconception(
            "kernel-rotated",
            "The kernel is turned round",
            "The copies of the kernel lie turned by 180°. Both frameworks lay them down as they "
            "are, so nothing is turned.",
            f"{BOTH}#kernel-axes",
            _same_in_torch(change=lambda x, w, out, s: (x, w.flip(2, 3), out, s)),
        ),
        Misconception(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            f"{TWO}#scatter-2d",
            _same_in_torch(full=_overwritten_in_torch),
        ),
        Misconception(
            "stride-axes-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            f"{TWO}#scatter-2d",
            _same_in_torch(change=lambda x, w, out, s: (x, w, out, as_pair(s)[::-1])),
        ),
        Misconception(
            "size-axes-exchanged",
            "Height and width are exchanged",
            "`output_hw` is (height, width), rows first.",
            f"{BOTH}#layouts",
            _same_in_torch(change=lambda x, w, out, s: (x, w, out[::-1], s)),
        ),
        Misconception(
            "channels-last",
            "The channels come out last",
            "The result has TensorFlow's axes, (image, row, column, channel). Here the channels "
            "stay behind the image, as in `x`.",
            f"{BOTH}#layouts",
            lambda x, w, output_hw, stride: _same_in_torch()(x, w, output_hw, stride).permute(
                0, 2, 3, 1
            ),
        ),
        Misconception(
            "any-size-taken",
            "Any size is taken",
            "The result is cropped or filled up to any size. TensorFlow accepts only sizes of "
            "which the convolution would make a map as large as `x`.",
            f"{SIZES}#tf-output-shape",
            _same_in_torch(checked=False),
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, section, answer):
    return Misconception(name, title, message, section, lambda: answer)


def _padding_that_gives(size_of):
    """Return the padding with which a kernel of 20 and stride 8 makes 80 of 10, by trying."""
    return next(p for p in count() if size_of(10, 20, s=8, p=p) == 80)


PREDICT = Spec(
    name="predict_padding",
    title="Predict first: which padding?",
    summary="Find on paper the padding that makes a map exactly eight times as large.",
    chapter=f"{SIZES}#fcn-numbers",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _padding_that_gives(torch_transposed_size),
        "TensorFlow": lambda: _padding_that_gives(tf_transposed_size),
    },
    misconceptions=(
        _guess(
            "counted-once",
            "What is too much is taken for the padding",
            "Twelve places are too many, but `padding` crops at both ends.",
            f"{SIZES}#fcn-numbers",
            12,
        ),
        _guess(
            "one-stride-too-many",
            "One stride too many",
            "This comes out if ten strides are counted, or if half the kernel is taken. There are "
            "only nine steps between ten copies.",
            f"{SIZES}#fcn-numbers",
            10,
        ),
        _guess(
            "as-for-stride-one",
            "The padding for stride 1",
            "Half of the kernel less one keeps the size of a convolution with stride 1. Here the "
            "stride has a say.",
            f"{SIZES}#fcn-numbers",
            9,
        ),
        _guess(
            "the-stride",
            "The stride is taken for the padding",
            "This is the stride. How much is to be cropped depends on how far the kernel hangs "
            "over the stride.",
            f"{SIZES}#fcn-numbers",
            8,
        ),
        _guess(
            "nothing-to-crop",
            "Nothing is cropped",
            "Without a crop the size is eighty only where the kernel is as long as the stride. "
            "This kernel is longer.",
            f"{SIZES}#fcn-numbers",
            0,
        ),
        _guess(
            "halved-twice",
            "What is too much is halved twice",
            "Twelve places are too many. Shared out between two ends, that is more than three.",
            f"{SIZES}#fcn-numbers",
            3,
        ),
    ),
)


def _first_number(conv):
    x, w = _line(1, 10), _taps(1, 2, 3, 4, 5)
    return float(conv(x, w, (1, 4), (1, 2), "SAME")[0, 0, 0, 0])


PREDICT_FIRST_NUMBER = Spec(
    name="predict_first_number",
    title="Predict first: what does SAME leave in front?",
    summary="Find on paper the first number of a transposed convolution with SAME.",
    chapter=f"{SIZES}#same-extra-row",
    parameters="",
    minutes=5,
    difficulty="medium",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "TensorFlow": lambda: _first_number(tf_conv_transpose2d),
        "PyTorch": lambda: _first_number(torch_conv_transpose2d_tf),
    },
    misconceptions=(
        _guess(
            "larger-half-in-front",
            "The larger half is cropped in front",
            "Three places are too many. Two of them were cropped in front, but TensorFlow crops "
            "the larger half at the end.",
            f"{SIZES}#same-extra-row",
            13,
        ),
        _guess(
            "nothing-cropped-in-front",
            "Nothing is cropped in front",
            "This is the first number of the full result. Three places are too many, and SAME "
            "crops at both ends.",
            f"{SIZES}#same-extra-row",
            1,
        ),
        _guess(
            "all-cropped-in-front",
            "Everything is cropped in front",
            "All three places that are too many were cropped in front. SAME shares them out "
            "between the ends.",
            f"{SIZES}#same-extra-row",
            24,
        ),
        _guess(
            "kernel-turned-round",
            "The kernel is turned round",
            "The crop is right, but the copies of the kernel lie the wrong way round. They are "
            "laid down as they are.",
            f"{TURN}#scatter-view",
            4,
        ),
        _guess(
            "turned-round-and-uncropped",
            "The last tap comes first",
            "The copies lie the wrong way round, and nothing was cropped in front of them.",
            f"{TURN}#scatter-view",
            5,
        ),
        _guess(
            "zeros-in-front",
            "A zero stands in front",
            "SAME's padding belongs to the ordinary convolution. Turned round, it is no zeros that "
            "are added, but places that are cropped.",
            f"{TURN}#transposed-padding",
            0,
        ),
    ),
)


SPECS = (
    PREDICT,
    CONV_SIZE,
    TRANSPOSED_SIZE,
    OUTPUT_PADDING,
    TF_SIZES,
    PREDICT_FIRST_NUMBER,
    CONV_TRANSPOSE2D_TF,
    TF_TO_TORCH,
    TORCH_TO_TF,
    SAME_IN_TORCH,
)
