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
from autograde.spec import Aspect, Case, Misconception, Spec

SIZES = "book/sizes"
TURN = "book/turning-it-round"
TWO = "book/transposed-2d"


# -- oracles: the frameworks' own operations ----------------------------------------------


@cache
def _tf():
    """Import TensorFlow without its start-up log: nbgrader gives a cell with stderr no points."""
    with silent_stderr():
        import tensorflow as tf

        tf.constant(0)  # the devices, too, are only announced at first use
    return tf


def torch_conv_size(n, k, s=1, p=0, d=1):
    """Return how many elements `F.conv1d` gives."""
    import torch

    x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    y = torch.nn.functional.conv1d(x, w, stride=s, padding=p, dilation=d)
    return y.shape[-1]


def tf_conv_size(n, k, s=1, p=0, d=1):
    """Return how many elements `tf.nn.conv1d` gives, VALID over an explicitly padded input."""
    x, w = np.zeros((1, n + 2 * p, 1)), np.zeros((k, 1, 1))
    return _tf().nn.conv1d(x, w, stride=s, padding="VALID", dilations=d).shape[1]


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
    z = _tf().nn.conv1d_transpose(
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
    tf = _tf()
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


# -- the size of a convolution ------------------------------------------------------------


CHECKED = "what makes no sense"


def _between(rng, low, high):
    return int(rng.integers(low, high + 1))


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
        k = _between(rng, 1, 7)
        n = max(1, _reach(k, d) - 2 * p) + _between(rng, 0, 30)
        kwargs = {"s": s, "p": p, "d": d}
        return Case(aspect, (n, k), {a: v for a, v in kwargs.items() if v != (a != "p")})

    for _ in range(8):
        yield drawn("stride 1")
    yield Case("stride 1", (1, 1))
    yield Case("stride 1", (6, 6))
    for _ in range(10):
        yield drawn(stride, s=_between(rng, 2, 6))
    yield Case(stride, (9, 1), {"s": 4})
    yield Case(stride, (16, 5), {"s": 4})
    for _ in range(10):
        yield drawn("padding", s=_between(rng, 1, 4), p=_between(rng, 1, 5))
    yield Case("padding", (2, 5), {"p": 2})  # the kernel reaches further than the bare input
    yield Case("padding", (224, 7), {"s": 2, "p": 3})
    yield Case("padding", (10, 4), {"s": 3, "p": 2})
    for _ in range(10):
        s, p = _between(rng, 1, 4), _between(rng, 0, 5)
        yield drawn("dilation", s=s, p=p, d=_between(rng, 2, 5))
    yield Case("dilation", (8, 1), {"d": 4})  # a single tap cannot be spread out
    yield Case("dilation", (20, 3), {"s": 3, "p": 1, "d": 4})
    for _ in range(3):
        k, p, d = _between(rng, 4, 7), _between(rng, 0, 1), _between(rng, 1, 3)
        n = _between(rng, 1, _reach(k, d) - 2 * p - 1)
        yield Case(CHECKED, (n, k), {"s": _between(rng, 1, 3), "p": p, "d": d}, refused=no_room)
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

    def drawn(aspect, s=1, p=0, extra=0, d=1):
        n, k = _between(rng, 1, 12), _between(rng, 1, 7)
        while _transposed_size(n, k, s, p, extra, d) < 1:
            n += 1
        kwargs = {"s": s, "p": p, "output_padding": extra, "d": d}
        return Case(aspect, (n, k), {a: v for a, v in kwargs.items() if v != (a in "sd")})

    for _ in range(8):
        yield drawn("stride 1")
    yield Case("stride 1", (1, 1))
    yield Case("stride 1", (2, 6))
    for _ in range(10):
        yield drawn(stride, s=_between(rng, 2, 6))
    yield Case(stride, (1, 3), {"s": 2})
    for _ in range(10):
        yield drawn("padding", s=_between(rng, 1, 5), p=_between(rng, 1, 4))
    yield Case("padding", (16, 64), {"s": 32, "p": 16})
    yield Case("padding", (7, 3), {"s": 2, "p": 1})
    for _ in range(10):
        s = _between(rng, 2, 6)
        yield drawn("output_padding", s, _between(rng, 0, 3), _between(rng, 1, s - 1))
    yield Case("output_padding", (112, 3), {"s": 2, "p": 1, "output_padding": 1})
    for _ in range(10):
        s, d = _between(rng, 1, 4), _between(rng, 2, 5)
        yield drawn("dilation", s, _between(rng, 0, 3), _between(rng, 0, max(s, d) - 1), d)
    yield Case("dilation", (5, 1), {"s": 2, "d": 3})  # a single tap cannot be spread out
    yield Case("dilation", (3, 3), {"s": 1, "p": 2, "output_padding": 2, "d": 3})
    for s in (1, 3, _between(rng, 2, 5)):
        n, k, extra = _between(rng, 2, 9), _between(rng, 2, 5), s + _between(rng, 0, 2)
        yield Case(CHECKED, (n, k), {"s": s, "output_padding": extra}, refused=too_much)
    kwargs = {"s": 2, "output_padding": 3, "d": 3}
    yield Case(CHECKED, (_between(rng, 2, 9), 3), kwargs, refused=too_much)
    for _ in range(2):
        n, s, k = _between(rng, 1, 3), _between(rng, 1, 2), _between(rng, 1, 3)
        p = -(-_transposed_size(n, k, s) // 2) + _between(rng, 0, 2)
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
        _wrong_longer(
            "dilation-ignored",
            "The dilation is ignored",
            "The copies are taken to be as long as the kernel has taps. With a dilation the taps "
            "of a copy stand further apart.",
            lambda n, k, s, p, extra, d: (n - 1) * s - 2 * p + k + extra,
            f"{TWO}#dilation-2d",
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

    def drawn(aspect, s, p=0, d=1, extra=None, **more):
        n, k = _between(rng, 1, 12), _between(rng, 1, 7)
        if extra is None:
            extra = _between(rng, 0, max(s, d) - 1)
        while _transposed_size(n, k, s, p, extra, d) < 1:
            n += 1
        kwargs = {"s": s, "p": p, "d": d}
        kwargs = {a: v for a, v in kwargs.items() if v != (a != "p")}
        return Case(aspect, (n, _transposed_size(n, k, s, p, extra, d), k), kwargs, **more)

    for _ in range(10):
        yield drawn(plain, _between(rng, 1, 6))
    yield Case(plain, (1, 1, 1))
    yield Case(plain, (4, 36, 10), {"s": 8})  # 34 places without, two more
    for _ in range(10):
        yield drawn("padding", _between(rng, 1, 6), p=_between(rng, 1, 4))
    yield Case("padding", (4, 32, 5), {"s": 8, "p": 1})
    yield Case("padding", (112, 224, 3), {"s": 2, "p": 1})
    yield Case("padding", (5, 34, 4), {"s": 8, "p": 2})
    yield Case("padding", (2, 1, 1), {"s": 3, "p": 2})  # nothing would be left without it
    for _ in range(10):
        yield drawn("dilation", _between(rng, 1, 4), _between(rng, 0, 2), _between(rng, 2, 5))
    yield Case("dilation", (4, 31, 3), {"s": 8, "d": 2})
    yield Case("dilation", (4, 36, 3), {"s": 8, "d": 3, "p": 1})
    yield Case("dilation", (3, 11, 3), {"s": 2, "d": 3})
    for p in (0, 1):
        for _ in range(2):
            k, s = _between(rng, 4, 6), _between(rng, 1, 6)
            size = _transposed_size(3, k, s, p)
            kwargs = {"s": s, "p": p}
            yield Case(FITS, (3, size - _between(rng, 1, 3), k), kwargs, refused=below)
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
        _wrong_extra(
            "dilation-ignored",
            "The dilation is ignored",
            "The copies are taken to be as long as the kernel has taps. With a dilation the taps "
            "of a copy stand further apart.",
            lambda n_in, n_out, k, s, p, d: _extra(n_in, n_out, k, s, p),
            f"{TWO}#dilation-2d",
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
        s = _between(rng, 1, 4)
        yield Case("SAME", (_between(rng, 1, 9), s + _between(rng, 0, 4), s, "SAME"))
    yield Case("SAME", (1, 1, 1, "SAME"))
    yield Case("SAME", (1, 5, 2, "SAME"))  # one input, and a kernel larger than the output
    yield Case("SAME", (5, 4, 2, "SAME"))
    for _ in range(12):
        s = _between(rng, 1, 4)
        yield Case("VALID", (_between(rng, 2, 9), s + _between(rng, 0, 4), s, "VALID"))
    yield Case("VALID", (1, 3, 1, "VALID"))
    yield Case("VALID", (4, 5, 3, "VALID"))
    for padding in ("SAME", "VALID"):
        for _ in range(5):
            k = _between(rng, 1, 4)
            yield Case(wide, (_between(rng, 2, 9), k, k + _between(rng, 1, 3), padding))
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
        f"The convolution makes {n_in} of {s} different size{'s' * (s > 1)}."
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


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, label, answer):
    return Misconception(name, title, message, f"{SIZES}#{label}", lambda: answer)


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
            "fcn-numbers",
            12,
        ),
        _guess(
            "one-stride-too-many",
            "One stride too many",
            "This comes out if ten strides are counted, or if half the kernel is taken. There are "
            "only nine steps between ten copies.",
            "fcn-numbers",
            10,
        ),
        _guess(
            "as-for-stride-one",
            "The padding for stride 1",
            "Half of the kernel less one keeps the size of a convolution with stride 1. Here the "
            "stride has a say.",
            "fcn-numbers",
            9,
        ),
        _guess(
            "the-stride",
            "The stride is taken for the padding",
            "This is the stride. How much is to be cropped depends on how far the kernel hangs "
            "over the stride.",
            "fcn-numbers",
            8,
        ),
        _guess(
            "nothing-to-crop",
            "Nothing is cropped",
            "Without a crop the size is eighty only where the kernel is as long as the stride. "
            "This kernel is longer.",
            "fcn-numbers",
            0,
        ),
        _guess(
            "halved-twice",
            "What is too much is halved twice",
            "Twelve places are too many. Shared out between two ends, that is more than three.",
            "fcn-numbers",
            3,
        ),
    ),
)


SPECS = (
    PREDICT,
    CONV_SIZE,
    TRANSPOSED_SIZE,
    OUTPUT_PADDING,
    TF_SIZES,
)
