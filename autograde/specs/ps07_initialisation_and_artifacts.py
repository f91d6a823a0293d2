"""ps07: kernels that interpolate, and the patterns that other kernels leave in images.

Sources: Long, Shelhamer & Darrell, *Fully Convolutional Networks for Semantic Segmentation* (2015);
Odena, Dumoulin & Olah, *Deconvolution and Checkerboard Artifacts* (2016); Aitken et al.,
*Checkerboard Artifact Free Sub-Pixel Convolution* (2017); Shi et al., *Is the Deconvolution Layer
the Same as a Convolutional Layer?* (2016); the API pages of `torch.nn.functional.interpolate`,
`conv_transpose2d` and `pixel_shuffle`, `tf.image.resize` and `tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import between, tensorflow, whole_numbers

BILINEAR = "book/bilinear-initialisation"
CHECKER = "book/checkerboards"
SUBPIXEL = "book/subpixel-is-transposed"


def _tensor(array):
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _size(factor):
    """Return how many taps the kernel has along one axis."""
    return 2 * factor - factor % 2


# -- the kernel ---------------------------------------------------------------------------


def torch_kernel(factor):
    """Return what `F.interpolate` makes of a single 1, without the zeros around it."""
    return torch_weight(1, factor)[0, 0]


def tf_kernel(factor):
    """Return what `tf.image.resize` makes of a single 1, without the zeros around it."""
    return tf_weight(1, factor)[0, 0]


def torch_weight(channels, factor):
    """Return what `F.interpolate` makes of images with a single 1, each in another channel."""
    import torch

    lit = _tensor(_lit(channels))
    z = torch.nn.functional.interpolate(lit, scale_factor=factor, mode="bilinear")
    return _around_the_lit(z.numpy(), factor)


def tf_weight(channels, factor):
    """Return what `tf.image.resize` makes of images with a single 1, each in another channel."""
    lit = np.moveaxis(_lit(channels), 1, -1)
    z = tensorflow().image.resize(lit, (3 * factor, 3 * factor), "bilinear").numpy()
    return _around_the_lit(np.moveaxis(z, -1, 1), factor)


def _lit(channels):
    lit = np.zeros((channels, channels, 3, 3))
    lit[range(channels), range(channels), 1, 1] = 1
    return lit


def _around_the_lit(z, factor):
    rim = (3 * factor - _size(factor)) // 2
    return z[:, :, rim : 3 * factor - rim, rim : 3 * factor - rim]


def _tent(k, centre, reach):
    """Return k weights that fall from 1 at `centre` to 0 at the distance `reach`."""
    return 1 - np.abs(np.arange(k) - centre) / reach


def _taps(factor):
    k = _size(factor)
    return _tent(k, (k - 1) / 2, factor)


def _square(taps):
    return np.outer(taps, taps)


def _kernel_cases(rng) -> Iterator[Case]:
    even, odd = "even factors", "odd factors"
    two = np.array([[1.0, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]]) / 16
    yield Case(even, (2,), visible=True, expected=two)
    three = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]) / 9
    yield Case(odd, (3,), visible=True, expected=three)
    yield Case(odd, (1,), visible=True, expected=[[1.0]])
    factors = rng.permutation(np.arange(4, 44))
    for factor in map(int, factors[:34]):
        yield Case(odd if factor % 2 else even, (factor,))
    for factor in (4, 6, 16):
        yield Case(even, (factor,))
    for factor in (5, 7, 9):
        yield Case(odd, (factor,))


def _kernel_explain(at, factor):
    k = _size(factor)
    d = [abs(i - (k - 1) / 2) for i in at]
    weights = [1 - x / factor for x in d]
    return (
        f"That tap lies {d[0]:g} rows and {d[1]:g} columns from the middle of the kernel, so its "
        f"weights along the two axes are {weights[0]:.4g} and {weights[1]:.4g}."
    )


def _wrong_kernel(name, title, message, label, fn):
    return Misconception(name, title, message, f"{BILINEAR}#{label}", fn)


def _cone(factor):
    k = _size(factor)
    i, j = np.indices((k, k)) - (k - 1) / 2
    return np.maximum(0, 1 - np.hypot(i, j) / factor)


BILINEAR_KERNEL = Spec(
    name="bilinear_kernel",
    title="The bilinear kernel",
    summary="Make the kernel with which a transposed convolution interpolates.",
    chapter=f"{BILINEAR}#bilinear-kernel",
    parameters="factor",
    minutes=15,
    difficulty="easy",
    aspects=(Aspect("even factors", 2), Aspect("odd factors", 2)),
    cases=_kernel_cases,
    oracles={"PyTorch": torch_kernel, "TensorFlow": tf_kernel},
    explain=_kernel_explain,
    size_formula=lambda factor: (
        f"Along each axis there are 2 · {factor} taps, and one fewer if the factor is odd."
    ),
    misconceptions=(
        _wrong_kernel(
            "sums-to-one",
            "The kernel adds up to 1",
            "All taps together add up to 1, as those of a blur do. Here every output meets only "
            "its own share of the taps, and each share has to add up to 1; the image would come "
            "out darker by factor².",
            "three-times-example",
            lambda factor: _square(_taps(factor)) / _square(_taps(factor)).sum(),
        ),
        _wrong_kernel(
            "radial",
            "The kernel is round",
            "The weight falls with the straight distance from the middle. Bilinear weights are "
            "products: one for the row times one for the column.",
            "bilinear-kernel",
            _cone,
        ),
        _wrong_kernel(
            "odd-centre-for-even",
            "The middle of an even kernel lies on a tap",
            "An even kernel is centred on one of its taps, so it comes out lopsided. Its middle "
            "lies between two taps.",
            "odd-even-factor",
            lambda factor: _square(_tent(_size(factor), factor - 1, factor)),
        ),
        _wrong_kernel(
            "centre-is-half-the-size",
            "The middle is half the number of taps",
            "The middle is counted as k // 2, so an even kernel comes out lopsided. Counted from "
            "0, that is the place behind its middle.",
            "odd-even-factor",
            lambda factor: _square(_tent(_size(factor), _size(factor) // 2, factor)),
        ),
        _wrong_kernel(
            "even-centre-for-odd",
            "The middle of an odd kernel lies between two taps",
            "An odd kernel is centred between two taps, so it comes out lopsided. Its middle lies "
            "on its middle tap.",
            "odd-even-factor",
            lambda factor: _square(_tent(_size(factor), factor - 0.5, factor)),
        ),
        _wrong_kernel(
            "size-always-even",
            "The size is 2 · factor, always",
            "An odd factor gets an even kernel. Its middle would lie between two outputs, and for "
            "an odd factor each input lies on one.",
            "odd-even-factor",
            lambda factor: _square(_tent(2 * factor, factor - 0.5, factor)),
        ),
        _wrong_kernel(
            "size-always-odd",
            "The size is 2 · factor − 1, always",
            "An even factor gets an odd kernel. Its middle would lie on an output, and for an even "
            "factor each input lies between two.",
            "odd-even-factor",
            lambda factor: _square(_tent(2 * factor - 1, factor - 1, factor)),
        ),
        _wrong_kernel(
            "reach-is-half-the-kernel",
            "The weight falls over half the kernel",
            "The weights fall to 0 over half the kernel's size. They fall to 0 at the next input, "
            "which is exactly factor outputs away.",
            "bilinear-kernel",
            lambda factor: _square(
                _tent(_size(factor), (_size(factor) - 1) / 2, _size(factor) / 2)
            ),
        ),
        _wrong_kernel(
            "zero-at-the-ends",
            "The outermost taps are 0",
            "The weights have reached 0 at the outermost taps. They reach it at the place after "
            "these, where the next input would lie.",
            "bilinear-kernel",
            lambda factor: _square(np.bartlett(_size(factor))),
        ),
        _wrong_kernel(
            "largest-is-one",
            "The largest tap is made 1",
            "The kernel is scaled until its largest tap is 1. In an even kernel no tap is: no "
            "output lies on an input.",
            "odd-even-factor",
            lambda factor: _square(_taps(factor) / _taps(factor).max()),
        ),
        _wrong_kernel(
            "weights-averaged",
            "The two axes are averaged",
            "The weights for the row and for the column are averaged. They multiply, as in every "
            "separable interpolation.",
            "bilinear-kernel",
            lambda factor: (_taps(factor)[:, None] + _taps(factor)) / 2,
        ),
        _wrong_kernel(
            "pyramid",
            "The kernel is a pyramid",
            "Only the axis on which the tap lies further out counts. Bilinear weights are "
            "products, so both axes count.",
            "bilinear-kernel",
            lambda factor: np.minimum(_taps(factor)[:, None], _taps(factor)),
        ),
        _wrong_kernel(
            "one-axis",
            "The kernel has one axis",
            "This is the row of taps along one axis. An image has two: each tap of the kernel is "
            "one of a row times one of a column.",
            "bilinear-kernel",
            _taps,
        ),
        _wrong_kernel(
            "all-ones",
            "All taps are 1",
            "With these taps each input is copied over a block: nearest interpolation. Bilinear "
            "weights fall with the distance.",
            "three-times-example",
            lambda factor: np.ones((factor, factor)),
        ),
    ),
)


# -- the weight of a layer ------------------------------------------------------------------


def _diagonal(kernel, channels):
    """Put a kernel on the diagonal of the two channel axes."""
    return np.eye(channels)[:, :, None, None] * kernel


def _given_kernel(factor):
    return _square(_taps(factor))


def _weight_cases(rng) -> Iterator[Case]:
    one, several = "one channel", "several channels"
    two = np.array([[1.0, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]]) / 16
    yield Case(one, (1, 2), visible=True, expected=two[None, None])
    yield Case(several, (2, 1), visible=True, expected=[[[[1]], [[0]]], [[[0]], [[1]]]])
    for factor in map(int, rng.permutation(np.arange(3, 20))[:12]):
        yield Case(one, (1, factor))
    yield Case(one, (1, 1))
    for channels in range(2, 7):
        for factor in map(int, rng.permutation(np.arange(1, 9))[:4]):
            yield Case(several, (channels, factor))
    yield Case(several, (3, 2))
    yield Case(several, (4, 4))
    yield Case(several, (21, 3))


def _weight_explain(at, channels, factor):
    if at[0] != at[1]:
        return f"Nothing may flow from channel {at[0]} into channel {at[1]}."
    return f"From channel {at[0]} into itself, this is tap [{at[2]}, {at[3]}] of the kernel."


def _wrong_weight(name, title, message, fn, label="bilinear-weight"):
    def wrong(channels, factor):
        return fn(_given_kernel(factor), channels)

    return Misconception(name, title, message, f"{BILINEAR}#{label}", wrong)


BILINEAR_WEIGHT = Spec(
    name="bilinear_weight",
    title="The weight of a layer",
    summary="Lay the kernel out for a layer with several channels.",
    chapter=f"{BILINEAR}#bilinear-weight",
    parameters="channels, factor",
    minutes=10,
    difficulty="easy",
    aspects=(Aspect("one channel", 1), Aspect("several channels", 2)),
    cases=_weight_cases,
    oracles={"PyTorch": torch_weight, "TensorFlow": tf_weight},
    explain=_weight_explain,
    size_formula=lambda channels, factor: (
        f"PyTorch's layout has two axes of {channels} channels, and then the kernel's two."
    ),
    rules=Rules(given={"bilinear_kernel": _given_kernel}),
    misconceptions=(
        _wrong_weight(
            "off-diagonal-filled",
            "Every channel flows into every other",
            "All pairs of channels have the kernel, so every output is the sum of all channels. "
            "To interpolate, each channel goes into itself only.",
            lambda kernel, c: np.ones((c, c, 1, 1)) * kernel,
        ),
        _wrong_weight(
            "channels-averaged",
            "Every output is the mean of all channels",
            "All pairs of channels have a share of the kernel, so the image comes out grey. To "
            "interpolate, each channel goes into itself only.",
            lambda kernel, c: np.ones((c, c, 1, 1)) * kernel / c,
        ),
        _wrong_weight(
            "divided-by-the-channels",
            "The kernel is divided by the number of channels",
            "Each channel goes into itself with only a part of its weight. Nothing else flows "
            "into an output, so there is nothing to average.",
            lambda kernel, c: _diagonal(kernel, c) / c,
        ),
        _wrong_weight(
            "one-for-each-group",
            "The layout is that of a layer with groups",
            "This is the weight of a layer that keeps its channels apart by `groups`. Without "
            "groups there is a kernel for each pair of channels, most of them zero.",
            lambda kernel, c: np.ones((c, 1, 1, 1)) * kernel,
        ),
        _wrong_weight(
            "channels-last",
            "The layout is TensorFlow's",
            "The kernel's axes stand in front and the channels behind them. That is TensorFlow's "
            "layout; asked is PyTorch's.",
            lambda kernel, c: _diagonal(kernel, c).transpose(2, 3, 0, 1),
        ),
        _wrong_weight(
            "first-channel-only",
            "Only the first channel has a kernel",
            "The kernel is laid down once. Every channel needs it, on its own place of the "
            "diagonal.",
            lambda kernel, c: _diagonal(kernel, c) * (np.arange(c) == 0)[:, None, None, None],
        ),
        _wrong_weight(
            "channels-reversed",
            "The channels come out in the reverse order",
            "The kernels stand on the other diagonal: red becomes blue. Channel 0 goes into "
            "channel 0.",
            lambda kernel, c: _diagonal(kernel, c)[::-1],
        ),
        _wrong_weight(
            "diagonal-of-the-taps",
            "The diagonal is taken of the wrong axes",
            "Taps off the kernel's own diagonal are 0. It is among the channels that everything "
            "off the diagonal is 0; the kernel stays whole.",
            lambda kernel, c: np.ones((c, c, 1, 1)) * kernel * np.eye(len(kernel)),
        ),
        _wrong_weight(
            "sums-to-one",
            "The kernel adds up to 1",
            "All taps together add up to 1. Every output meets only its own share of them, and "
            "each share has to add up to 1.",
            lambda kernel, c: _diagonal(kernel / kernel.sum(), c),
            "three-times-example",
        ),
    ),
)


# -- the layer in each framework --------------------------------------------------------------


def torch_layer(x, factor, under=None, last=False):
    """Return `F.interpolate` of the image with a rim of zeros, without what became of the rim."""
    import torch

    x = _tensor(x).requires_grad_()
    rim = torch.nn.functional.pad(x.permute(0, 3, 1, 2) if last else x, (1, 1, 1, 1))
    z = torch.nn.functional.interpolate(rim, scale_factor=factor, mode="bilinear")
    z = z[:, :, factor:-factor, factor:-factor]
    z = z.permute(0, 2, 3, 1) if last else z
    if under != "a gradient":
        return z.detach().numpy()
    weights = torch.arange(1, z.numel() + 1, dtype=z.dtype).reshape(z.shape)
    (z * weights).sum().backward()
    return x.grad.numpy()


def tf_layer(x, factor, under=None, last=False):
    """Return `tf.nn.conv2d_transpose`, SAME, with a kernel for each channel."""
    tf = tensorflow()
    x = tf.constant(np.ascontiguousarray(x))
    with tf.GradientTape() as tape:
        tape.watch(x)
        image = x if last else tf.transpose(x, [0, 2, 3, 1])
        n, h, w, c = image.shape
        kernel = _diagonal(_given_kernel(factor), c).transpose(2, 3, 1, 0)
        size = (n, factor * h, factor * w, c)
        z = tf.nn.conv2d_transpose(image, tf.cast(kernel, x.dtype), size, factor, "SAME")
        z = z if last else tf.transpose(z, [0, 3, 1, 2])
        weights = tf.reshape(tf.cast(tf.range(1, tf.size(z) + 1), z.dtype), z.shape)
        weighted = tf.reduce_sum(z * weights)
    return (tape.gradient(weighted, x) if under == "a gradient" else z).numpy()


def _torch_driver(fn, x, factor, under=None):
    """Call `fn` with a tensor of PyTorch's, plainly or for its gradient."""
    import numpy as np
    import torch

    from autograde.calling import NotAsked

    x = torch.tensor(np.ascontiguousarray(x)).requires_grad_(under == "a gradient")
    z = fn(x, factor)
    if not isinstance(z, torch.Tensor):
        raise NotAsked(f"returned {type(z).__name__}, not a PyTorch tensor.")
    if under is None:
        return z.detach().numpy()
    if not z.requires_grad:
        raise NotAsked("has no gradient: on the way the values left PyTorch.")
    weights = torch.arange(1, z.numel() + 1, dtype=z.dtype).reshape(z.shape)
    (z * weights).sum().backward()
    return x.grad.numpy()


def _tf_driver(fn, x, factor, under=None):
    """Call `fn` with a tensor of TensorFlow's, plainly or under what the case names.

    Meanwhile TensorFlow's native code may write to nowhere only: nbgrader gives a test cell with
    stderr no points.
    """
    import os

    from autograde.calling import NotAsked

    def layer(x):
        import tensorflow as tf

        z = fn(x, factor)
        if not isinstance(z, tf.Tensor):
            raise NotAsked(f"returned {type(z).__name__}, not a TensorFlow tensor.")
        return z

    def run():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tensor = tf.constant(x)
        if under == "a gradient":
            with tf.GradientTape() as tape:
                tape.watch(tensor)
                z = layer(tensor)
                weights = tf.cast(tf.range(1, tf.size(z) + 1), z.dtype)
                weighted = tf.reduce_sum(z * tf.reshape(weights, tf.shape(z)))
            gradient = tape.gradient(weighted, tensor)
            if gradient is None:
                raise NotAsked("has no gradient: on the way the values left TensorFlow.")
            return tf.convert_to_tensor(gradient).numpy()
        z = layer(tensor)  # an error here reads better than a traced one
        if under == "tf.function":
            unknown = [None, None, None, x.shape[3]]
            signature = [tf.TensorSpec(unknown, tensor.dtype)]
            z = tf.function(layer, input_signature=signature)(tensor)
        return z.numpy()

    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        return run()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _layer_cases(last, traced):
    """Return the cases, with the channels `last` or not, some of them `traced`."""

    def laid_out(x):
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x

    def case(aspect, x, factor, under=None, expected=None, **more):
        kwargs = {} if under is None else {"under": under}
        if expected is not None:
            more |= {"visible": True, "expected": laid_out(np.asarray(expected, x.dtype))}
        return Case(aspect, (laid_out(x), factor), kwargs, **more)

    def cases(rng) -> Iterator[Case]:
        even, odd, several, gradient = (
            "even factors", "odd factors", "channels and batch", "gradient"
        )  # fmt: skip
        pair = np.array([[[[16.0, 32]]]])
        yield case(even, pair, 2, expected=[[[[9, 15, 21, 18], [9, 15, 21, 18]]]])
        nine = np.array([[[[9.0]]]])
        yield case(odd, nine, 3, expected=[[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]])
        yield case(odd, pair, 1, expected=pair)
        two = np.array([[[[16.0]], [[32]]], [[[48]], [[-16]]]])
        grown = np.array([[9, 18], [27, -9]])[:, :, None, None] * np.ones((2, 2))
        yield case(several, two, 2, expected=grown)
        yield case(gradient, np.array([[[[16.0]]]]), 2, "a gradient", [[[[5.625]]]])
        if traced:
            yield case("in tf.function", two[:1], 2, "tf.function", grown[:1])
        single = np.float32([[[[16]]]])
        yield case("dtype", single, 2, expected=[[[[9, 9], [9, 9]]]], exact_dtype=True)
        for aspect, factors in ((even, (2, 4, 6)), (odd, (3, 5, 7))):
            for factor in factors:
                for _ in range(2):
                    shape = 1, 1, between(rng, 1, 5), between(rng, 2, 6)
                    yield case(aspect, whole_numbers(rng, *shape), factor)
            yield case(aspect, whole_numbers(rng, 1, 1, 4, 3), factors[0])
            yield case(aspect, whole_numbers(rng, 1, 1, 1, 1), factors[1])
        for factor in (2, 2, 3, 3, 4, 5):
            shape = between(rng, 1, 3), between(rng, 2, 4), between(rng, 1, 4), 3
            yield case(several, whole_numbers(rng, *shape), factor)
        yield case(several, whole_numbers(rng, 2, 3, 3, 4), 2)
        for factor in (2, 3, 4):
            yield case(
                gradient, whole_numbers(rng, 2, 2, between(rng, 2, 3), 4), factor, "a gradient"
            )
        if traced:
            for factor in (2, 3, 4):
                shape = 2, 2, between(rng, 2, 4), 3
                yield case("in tf.function", whole_numbers(rng, *shape), factor, "tf.function")
        for dtype in (np.float32, np.float64):
            for factor in (2, 3):
                x = whole_numbers(rng, 2, 2, 3, 4, dtype=dtype)
                yield case("dtype", x, factor, exact_dtype=True)

    return cases


def _layer_explain(last):
    def explain(at, x, factor, under=None):
        i, j = at[1:3] if last else at[2:]
        if under == "a gradient":
            return (
                f"What comes back to the pixel in row {i}, column {j} is weighted by the kernel. "
                "(Here 1, 2, 3, … comes back, from the first number of the result to the last.)"
            )
        places = [(a + 0.5) / factor - 0.5 for a in (i, j)]
        return (
            "The middle of that pixel lies at row {:.4g}, column {:.4g} of the input; each "
            "neighbour counts 1 minus its distance along both axes, and beyond the image there "
            "is nothing."
        ).format(*places)

    return explain


def _rows(n, factor, *, taps=None, front=None, size=None, clamp=False, corners=False):
    """Return the layer's matrix along one axis; the misconceptions bend it.

    `front` places are cropped in front, `size` are kept. With `clamp` the pixels at the border
    go on for ever, with `corners` the outputs are spread from the first pixel to the last.
    """
    size = factor * n if size is None else size
    if clamp or corners:
        ends = np.eye(n)
        places = (np.arange(size) + 0.5) / factor - 0.5
        if corners:
            places = np.arange(size) * ((n - 1) / max(size - 1, 1))
        return np.stack([np.interp(places, np.arange(n), e) for e in ends], axis=1)
    taps = _taps(factor) if taps is None else taps
    front = factor // 2 if front is None else front
    full = np.zeros((max((n - 1) * factor + len(taps), front + size), n))
    for i in range(n):
        full[i * factor : i * factor + len(taps), i] = taps
    return full[front : front + size]


def _layer_misconceptions(apply):
    """Return the misconceptions; `apply(rows, mix)` makes a layer of one axis' matrix.

    `rows(n, factor)` is that matrix, `mix(channels)` says what flows from channel to channel.
    """

    def wrong(name, title, message, label, rows=_rows, mix=np.eye):
        return Misconception(name, title, message, f"{BILINEAR}#{label}", apply(rows, mix))

    return (
        wrong(
            "border-repeated",
            "The border goes on for ever",
            "At the rim this is interpolation, where the pixels of the border are repeated. A "
            "transposed convolution knows of nothing beyond the image: there its sums have fewer "
            "terms.",
            "inside-and-border",
            lambda n, f: _rows(n, f, clamp=True),
        ),
        wrong(
            "corners-aligned",
            "The corners are aligned",
            "The outputs are spread from the middle of the first pixel to the middle of the last. "
            "Here they are factor outputs to a pixel, and the image keeps its edges.",
            "classic-filter",
            lambda n, f: _rows(n, f, corners=True),
        ),
        wrong(
            "not-cropped",
            "Nothing is cropped",
            "This is the full result. The kernels of the first and the last pixel reach beyond "
            "the image, and what lies there is to be cropped.",
            "inside-and-border",
            lambda n, f: _rows(n, f, front=0, size=(n - 1) * f + _size(f)),
        ),
        wrong(
            "classic-size",
            "The result ends with the last pixel's middle",
            "The result has (n − 1) · factor + 1 rows, so half a pixel is missing at each edge. "
            "Asked are factor rows for every row.",
            "classic-filter",
            lambda n, f: _rows(n, f, front=f - 1, size=(n - 1) * f + 1),
        ),
        wrong(
            "sums-to-one",
            "The kernel adds up to 1",
            "The image comes out darker by factor². Not all taps together have to add up to 1, "
            "but those that meet in one output.",
            "three-times-example",
            lambda n, f: _rows(n, f, taps=_taps(f) / f),
        ),
        wrong(
            "cropped-at-the-end",
            "Everything is cropped at the end",
            "The full result is cut off at the bottom and at the right only, so the image is "
            "shifted. As much has to go in front.",
            "inside-and-border",
            lambda n, f: _rows(n, f, front=0),
        ),
        wrong(
            "cropped-in-front",
            "Everything is cropped in front",
            "The full result is cut off at the top and at the left only, so the image is shifted. "
            "As much has to go at the end.",
            "inside-and-border",
            lambda n, f: _rows(n, f, front=_size(f) - f),
        ),
        wrong(
            "odd-centre-for-even",
            "The middle of an even kernel lies on a tap",
            "For an even factor the kernel is lopsided: it is centred on one of its taps. Its "
            "middle lies between two.",
            "odd-even-factor",
            lambda n, f: _rows(n, f, taps=_tent(_size(f), f - 1, f)),
        ),
        wrong(
            "padding-always-one",
            "One place is cropped, whatever the factor",
            "One row and one column are cropped at each side. That is right for the factors 2 and "
            "3 only: larger kernels reach further out.",
            "inside-and-border",
            lambda n, f: _rows(n, f, front=1, size=(n - 1) * f + _size(f) - 2),
        ),
        wrong(
            "crop-rounded-down",
            "Too little is cropped for even factors",
            "For odd factors the crop is right. For even ones a place too few goes at each end. "
            "Work it out again with an even size.",
            "inside-and-border",
            lambda n, f: _rows(
                n, f, front=(f - 1) // 2, size=(n - 1) * f + _size(f) - 2 * ((f - 1) // 2)
            ),
        ),
        wrong(
            "nearest",
            "Each pixel is copied over a block",
            "All taps are 1, so nothing lies between two pixels. Bilinear weights fall with the "
            "distance.",
            "three-times-example",
            lambda n, f: _rows(n, f, taps=np.ones(f), front=0),
        ),
        wrong(
            "channels-added",
            "All channels are added up",
            "Every channel flows into every other. To interpolate, each goes into itself only.",
            "bilinear-weight",
            mix=lambda c: np.ones((c, c)),
        ),
        wrong(
            "channels-averaged",
            "Every output is the mean of all channels",
            "Every channel gets the mean of all, so the image comes out grey. To interpolate, each "
            "goes into itself only.",
            "bilinear-weight",
            mix=lambda c: np.ones((c, c)) / c,
        ),
    )


def _by_torch(rows, mix):
    def wrong(x, factor):
        import torch

        (h, w), c = x.shape[2:], x.shape[1]
        matrices = [torch.tensor(m).to(x.dtype) for m in (rows(h, factor), rows(w, factor), mix(c))]
        return torch.einsum("ia,jb,cd,ncab->ndij", *matrices, x)

    return wrong


def _by_tf(rows, mix):
    def wrong(x, factor):
        tf = tensorflow()
        sizes = tf.unstack(tf.shape(x)[1:])
        made = (
            lambda n: rows(int(n), factor),
            lambda n: rows(int(n), factor),
            lambda n: mix(int(n)),
        )
        matrices = [
            tf.cast(tf.numpy_function(m, [n], tf.float64, stateful=False), x.dtype)
            for m, n in zip(made, sizes, strict=True)
        ]
        return tf.einsum("ia,jb,cd,nabc->nijd", *matrices, x)

    return wrong


LAYER_ASPECTS = (
    Aspect("even factors", 1),
    Aspect("odd factors", 1),
    Aspect("channels and batch", 1),
    Aspect("gradient", 1),
    Aspect("dtype", 1),
)


def _layer_size(last):
    def size(x, factor, under=None):
        if under == "a gradient":
            return "A gradient has the shape of what it belongs to."
        h, w = x.shape[1:3] if last else x.shape[2:]
        return f"Height and width are {factor} times {h} and {w}; nothing else changes."

    return size


UPSAMPLE_TORCH = Spec(
    name="upsample_layer_torch",
    title="An interpolating layer in PyTorch",
    summary="Interpolate by a transposed convolution, to exactly factor times the size.",
    chapter=f"{BILINEAR}#inside-and-border",
    parameters="x, factor",
    minutes=15,
    difficulty="medium",
    aspects=LAYER_ASPECTS,
    cases=_layer_cases(last=False, traced=False),
    oracles={"PyTorch": torch_layer, "TensorFlow": tf_layer},
    explain=_layer_explain(last=False),
    size_formula=_layer_size(last=False),
    rules=Rules(
        libraries=("numpy", "torch"), given={"bilinear_kernel": _given_kernel}, seconds=20.0
    ),
    driver=_torch_driver,
    misconceptions=_layer_misconceptions(_by_torch),
)

UPSAMPLE_TF = Spec(
    name="upsample_layer_tf",
    title="An interpolating layer in TensorFlow",
    summary="The same with TensorFlow's tensors, also where no size is known beforehand.",
    chapter=f"{BILINEAR}#inside-and-border",
    parameters="x, factor",
    minutes=20,
    difficulty="medium",
    aspects=(*LAYER_ASPECTS[:4], Aspect("in tf.function", 1), LAYER_ASPECTS[4]),
    cases=_layer_cases(last=True, traced=True),
    oracles={
        "TensorFlow": partial(tf_layer, last=True),
        "PyTorch": partial(torch_layer, last=True),
    },
    explain=_layer_explain(last=True),
    size_formula=_layer_size(last=True),
    rules=Rules(
        libraries=("numpy", "tensorflow"), given={"bilinear_kernel": _given_kernel}, seconds=20.0
    ),
    driver=_tf_driver,
    misconceptions=_layer_misconceptions(_by_tf),
)


# -- overlaps -------------------------------------------------------------------------------


def torch_overlap(n, k, s):
    """Return `F.conv_transpose1d` of ones with a kernel of ones."""
    import torch

    ones, taps = torch.ones(1, 1, n), torch.ones(1, 1, k)
    z = torch.nn.functional.conv_transpose1d(ones, taps, stride=s)
    return z[0, 0].to(torch.int64).numpy()


def tf_overlap(n, k, s):
    """Return `tf.nn.conv1d_transpose` of ones with a kernel of ones, VALID."""
    ones, taps = np.ones((1, n, 1), np.float32), np.ones((k, 1, 1), np.float32)
    size = [1, (n - 1) * s + k, 1]
    z = tensorflow().nn.conv1d_transpose(ones, taps, size, s, "VALID")
    return z.numpy()[0, :, 0].astype(np.int64)


def _overlaps(n, k, s, *, apart=None, dilation=1):
    """Count the copies on each place; the misconceptions bend it."""
    apart = s if apart is None else apart
    counts = np.zeros((n - 1) * apart + (k - 1) * dilation + 1, np.int64)
    for i in range(n):
        counts[i * apart : i * apart + (k - 1) * dilation + 1 : dilation] += 1
    return counts


def _overlap_cases(rng) -> Iterator[Case]:
    more, less = "kernel larger than the stride", "kernel up to the stride"
    yield Case(more, (3, 4, 2), visible=True, expected=[1, 1, 2, 2, 2, 2, 1, 1])
    yield Case(more, (3, 3, 2), visible=True, expected=[1, 1, 2, 1, 2, 1, 1])
    yield Case(more, (1, 3, 2), visible=True, expected=[1, 1, 1])
    yield Case(less, (3, 2, 3), visible=True, expected=[1, 1, 0, 1, 1, 0, 1, 1])
    for _ in range(20):
        s = between(rng, 1, 6)
        yield Case(more, (between(rng, 1, 12), s + between(rng, 1, 9), s))
    for k, s in ((5, 3), (7, 2), (9, 3), (5, 1), (6, 5)):
        yield Case(more, (7, k, s))
    for _ in range(10):
        s = between(rng, 1, 7)
        yield Case(less, (between(rng, 2, 10), between(rng, 1, s), s))
    yield Case(less, (6, 3, 3))
    yield Case(less, (5, 1, 4))
    yield Case(less, (1, 1, 1))


def _overlap_explain(at, n, k, s):
    first, last = max(0, -(-(at - k + 1) // s)), min(n - 1, at // s)
    reach = f"the inputs {first} to {last} reach" if last > first else f"input {first} reaches"
    reach = "no input reaches" if last < first else reach
    return f"Input i covers the places {s} · i to {s} · i + {k - 1}, so {reach} place {at}."


def _wrong_overlap(name, title, message, fn, label="overlap-counts"):
    return Misconception(name, title, message, f"{CHECKER}#{label}", fn)


def _windows_over(n, k, s):
    counts = np.zeros(n, np.int64)
    for start in range(0, n - k + 1, s):
        counts[start : start + k] += 1
    return counts


OVERLAP_COUNT = Spec(
    name="overlap_count",
    title="Counting overlaps",
    summary="Count for each place how many copies of the kernel reach it.",
    chapter=f"{CHECKER}#overlap-counts",
    parameters="n, k, s",
    minutes=10,
    difficulty="easy",
    aspects=(Aspect("kernel larger than the stride", 2), Aspect("kernel up to the stride", 1)),
    cases=_overlap_cases,
    oracles={"PyTorch": torch_overlap, "TensorFlow": tf_overlap},
    explain=_overlap_explain,
    size_formula=lambda n, k, s: (
        f"The last copy begins at place ({n} − 1) · {s} and is {k} long; nothing is cropped."
    ),
    misconceptions=(
        _wrong_overlap(
            "kernel-only",
            "Every place counts the whole kernel",
            "Each place is said to be reached by as many copies as the kernel has taps. That many "
            "it would be with stride 1, away from the ends.",
            lambda n, k, s: np.full((n - 1) * s + k, k),
        ),
        _wrong_overlap(
            "ends-like-the-middle",
            "The ends count like the middle",
            "Every place has the largest count. At the ends fewer copies arrive, and if the "
            "stride does not divide the kernel, at some places in between too.",
            lambda n, k, s: np.full((n - 1) * s + k, -(-k // s)),
        ),
        _wrong_overlap(
            "rounded-down",
            "The division is rounded down, everywhere",
            "Every place has the whole part of kernel by stride. Count copies for each place: "
            "some get one more, and the ends get fewer.",
            lambda n, k, s: np.full((n - 1) * s + k, k // s),
            "when-uniform",
        ),
        _wrong_overlap(
            "copies-one-apart",
            "The copies begin one place apart",
            "Each copy begins one place after the one before it. They begin a stride apart.",
            lambda n, k, s: _overlaps(n, k, s, apart=1),
        ),
        _wrong_overlap(
            "taps-a-stride-apart",
            "The taps stand a stride apart",
            "The stride is put between the taps of one copy; that is dilation. It lies between "
            "the beginnings of two copies.",
            lambda n, k, s: _overlaps(n, k, s, apart=1, dilation=s),
        ),
        _wrong_overlap(
            "cut-at-n-times-s",
            "The result is cut off",
            "The result is n · s long: what the last copy lays down further out is missing. Asked "
            "is the full result.",
            lambda n, k, s: np.pad(_overlaps(n, k, s), (0, n * s))[: n * s],
        ),
        _wrong_overlap(
            "covered-or-not",
            "Covered or not, but not how often",
            "A place that several copies reach counts once. Copies that meet are added, so count "
            "them all.",
            lambda n, k, s: np.minimum(_overlaps(n, k, s), 1),
        ),
        _wrong_overlap(
            "without-the-first",
            "The first copy does not count",
            "What is counted is how many copies overlap with another one. Asked is how many reach "
            "the place at all.",
            lambda n, k, s: np.maximum(_overlaps(n, k, s) - 1, 0),
        ),
        _wrong_overlap(
            "windows-of-the-convolution",
            "The windows of a convolution are counted",
            "The n is taken for the length of the long row, and the windows over it are counted. "
            "Here n numbers go in, and each lays down a copy.",
            _windows_over,
        ),
        _wrong_overlap(
            "inputs-in-between",
            "The inputs stand at their places",
            "Only the places where an input's copy begins are counted. A copy covers as many "
            "places as the kernel has taps.",
            lambda n, k, s: np.bincount(np.arange(n) * s, minlength=(n - 1) * s + k),
        ),
    ),
)


def torch_uniform(k, s):
    """Return whether `F.conv_transpose1d` counts the same everywhere in the middle."""
    return bool(np.ptp(torch_overlap(k + 2, k, s)[k - 1 : k - 1 + s]) == 0)


def tf_uniform(k, s):
    """Return whether `tf.nn.conv1d_transpose` counts the same everywhere in the middle."""
    return bool(np.ptp(tf_overlap(k + 2, k, s)[k - 1 : k - 1 + s]) == 0)


def _uniform_cases(rng) -> Iterator[Case]:
    small, large = "stride 1 and 2", "larger strides"
    yield Case(small, (4, 2), visible=True, expected=True)
    yield Case(small, (3, 2), visible=True, expected=False)
    yield Case(small, (5, 1), visible=True, expected=True)
    yield Case(large, (2, 3), visible=True, expected=False)
    yield Case(large, (3, 3), visible=True, expected=True)
    for k in map(int, rng.permutation(np.arange(1, 40))[:12]):
        yield Case(small, (k, 1 + k % 2 if k % 3 else 2))
    for k, s in ((6, 2), (7, 2), (1, 2), (2, 1), (1, 1), (3, 1)):
        yield Case(small, (k, s))
    for _ in range(14):
        s = between(rng, 3, 7)
        yield Case(large, (between(rng, 1, 4) * s + between(rng, 0, 1) * between(rng, 1, s), s))
    for k, s in ((6, 3), (9, 3), (8, 4), (6, 4), (5, 3), (4, 6), (2, 4), (3, 9), (7, 5), (9, 6)):
        yield Case(large, (k, s))


def _wrong_uniform(name, title, message, fn):
    return Misconception(name, title, message, f"{CHECKER}#when-uniform", fn)


IS_UNIFORM = Spec(
    name="is_uniform",
    title="Even or uneven?",
    summary="Say whether kernel and stride make all places in the middle equal.",
    chapter=f"{CHECKER}#when-uniform",
    parameters="k, s",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("stride 1 and 2", 1), Aspect("larger strides", 1)),
    cases=_uniform_cases,
    oracles={"PyTorch": torch_uniform, "TensorFlow": tf_uniform},
    misconceptions=(
        _wrong_uniform(
            "stride-by-kernel",
            "The division goes the wrong way round",
            "It is asked whether the kernel divides the stride. The places repeat after a stride, "
            "so ask how often the stride goes into the kernel.",
            lambda k, s: s % k == 0,
        ),
        _wrong_uniform(
            "gaps-are-uniform",
            "Without overlap it is called even",
            "A kernel smaller than the stride is called even because nothing overlaps. It leaves "
            "gaps: some places get one copy, others none.",
            lambda k, s: k <= s or k % s == 0,
        ),
        _wrong_uniform(
            "large-enough",
            "A large kernel is called even",
            "Every kernel that leaves no gaps is called even. Some places may still get one copy "
            "more than their neighbours.",
            lambda k, s: k >= s,
        ),
        _wrong_uniform(
            "side-by-side-only",
            "Only copies side by side are called even",
            "Overlaps are called uneven. They do no harm as long as every place has equally many.",
            lambda k, s: k == s,
        ),
        _wrong_uniform(
            "even-kernel",
            "Even kernels are called even",
            "The kernel is asked whether it is an even number. That is the answer for stride 2 "
            "only.",
            lambda k, s: k % 2 == 0,
        ),
        _wrong_uniform(
            "odd-kernel",
            "Odd kernels are called even",
            "Odd kernels have a middle, and that has nothing to do with how their copies overlap.",
            lambda k, s: k % 2 == 1,
        ),
        _wrong_uniform(
            "same-parity",
            "Kernel and stride are both odd or both even",
            "It is asked whether kernel minus stride is an even number: then the crop is the same "
            "at both ends. How copies overlap is another question.",
            lambda k, s: (k - s) % 2 == 0,
        ),
        _wrong_uniform(
            "no-common-divisor",
            "A common divisor is enough",
            "Any common divisor of kernel and stride is accepted. The places repeat after a whole "
            "stride, so the whole stride has to go into the kernel.",
            lambda k, s: s == 1 or np.gcd(k, s) > 1,
        ),
    ),
)


# -- ICNR -------------------------------------------------------------------------------------


def _icnr_driver(fn, shape, r, rng, about):
    """Look at one property of the weights that `fn` draws; `rng` is the generator's seed."""
    import numpy as np

    from autograde.calling import NotAsked, not_numbers

    def draw(seed):
        weights = fn(shape, r, np.random.default_rng(seed))
        if problem := not_numbers(weights):
            raise NotAsked(problem)
        return np.asarray(weights)

    weights = draw(rng)
    if about == "shape" or weights.ndim == 0:
        return np.array(weights.shape)
    if about == "equal kernels":
        kernels = weights.reshape(len(weights), -1)
        return np.array([int((kernels == kernel).all(axis=1).argmax()) for kernel in kernels])
    if about == "different taps":
        return np.array([len(np.unique(weights))])
    if about == "seeds":
        same = np.array_equal(draw(rng), weights), np.array_equal(draw(rng + 1), weights)
        return np.array(same, dtype=int)
    spread, root = weights.std(), np.sqrt(np.prod(shape[1:]))
    return np.round([spread * root, weights.mean() / (spread or 1.0)]) + 0.0  # 0.0 for a -0.0


def torch_icnr(shape, r, rng, about):
    """Let `F.pixel_shuffle` say which channels lie in one block; the rest is the definition."""
    import torch

    out = shape[0]
    blocks = torch.nn.functional.pixel_shuffle(torch.arange(out).reshape(1, out, 1, 1), r)
    blocks = blocks.reshape(-1, r * r).numpy()
    first = np.empty(out, int)
    first[blocks] = blocks.min(axis=1, keepdims=True)
    taps = len(blocks) * int(np.prod(shape[1:]))
    return {
        "shape": np.array(shape),
        "equal kernels": first,
        "different taps": np.array([taps]),
        "seeds": np.array([1, 0]),
        "scale": np.array([1.0, 0.0]),
    }[about]


def _icnr_cases(rng) -> Iterator[Case]:
    def case(aspect, shape, r, about, **more):
        return Case(aspect, (shape, r, between(rng, 0, 999)), {"about": about}, **more)

    kernels, drawn, scale = "which kernels are equal", "drawn from rng", "scale"
    shown = {"visible": True}
    labels = [0, 0, 0, 0, 4, 4, 4, 4]
    yield Case(kernels, ((8, 1, 1, 1), 2, 7), {"about": "equal kernels"}, expected=labels, **shown)
    yield Case(kernels, ((4, 3, 2, 2), 2, 7), {"about": "shape"}, expected=[4, 3, 2, 2], **shown)
    yield Case(drawn, ((4, 1, 2, 2), 2, 7), {"about": "different taps"}, expected=[4], **shown)
    yield Case(drawn, ((4, 1, 2, 2), 2, 7), {"about": "seeds"}, expected=[1, 0], **shown)
    yield Case(scale, ((64, 9, 3, 3), 2, 7), {"about": "scale"}, expected=[1, 0], **shown)
    for r in (1, 2, 2, 3, 3, 4):
        shape = (
            r * r * between(rng, 2, 4),
            r * r * between(rng, 1, 2),
            *(between(rng, 1, 3) for _ in "hw"),
        )
        for about in ("shape", "equal kernels"):
            yield case(kernels, shape, r, about)
        for about in ("different taps", "seeds"):
            yield case(drawn, shape, r, about)
    yield case(kernels, (12, 4, 3, 3), 2, "equal kernels")
    yield case(kernels, (12, 3, 3, 3), 2, "shape")
    yield case(kernels, (9, 2, 3, 1), 3, "equal kernels")
    yield case(drawn, (12, 4, 3, 3), 2, "different taps")
    for r, c, inputs in ((2, 16, 12), (3, 12, 16), (2, 12, 20), (4, 8, 24)):
        yield case(scale, (r * r * c, inputs, 3, 3), r, "scale")


def _icnr_explain(at, shape, r, rng, about):
    if about == "shape":
        return "`shape` is that of the result: (output channels, input channels, height, width)."
    if about == "seeds":
        return (
            "Here 1 means equal weights: first, drawn twice from the same seed; second, drawn "
            "from another seed."
        )
    if about == "different taps":
        return (
            f"So many numbers differ from each other. Drawn are {shape[0]} / {r}² kernels of "
            f"{' · '.join(map(str, shape[1:]))} taps, and the rest are copies."
        )
    if about == "scale":
        return (
            "The mean of the taps divided by their standard deviation, rounded, is not 0. Draw "
            "positive and negative taps alike."
            if at
            else "The standard deviation times √(in · kh · kw), rounded, is 1 if the taps are as "
            "large as they should be, 0 if they are too small, and more if they are too large."
        )
    return (
        "Each number is the first output channel that has the same kernel. In PyTorch's order "
        f"{r} · {r} channels in a row make one block of pixels."
    )


def _wrong_icnr(name, title, message, fn, label="icnr"):
    section = label if "#" in label else f"{CHECKER}#{label}"
    return Misconception(name, title, message, section, fn)


def _drawn(rng, *shape):
    return rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))


def _repeated(shape, r, rng):
    return np.repeat(_drawn(rng, shape[0] // r**2, *shape[1:]), r**2, axis=0)


def _stretched(shape, r, rng):
    """Repeat the taps of smaller kernels, cropped to size."""
    o, i, h, w = shape
    taps = _drawn(rng, o, i, -(-h // r), -(-w // r))
    return np.repeat(np.repeat(taps, r, axis=2), r, axis=3)[:, :, :h, :w]


ICNR = Spec(
    name="icnr",
    title="ICNR",
    summary="Draw the weights of a sub-pixel convolution so that it begins without a pattern.",
    chapter=f"{CHECKER}#icnr",
    parameters="shape, r, rng",
    minutes=15,
    difficulty="medium",
    aspects=(
        Aspect("which kernels are equal", 2),
        Aspect("drawn from rng", 1),
        Aspect("scale", 1),
    ),
    cases=_icnr_cases,
    oracles={"PyTorch": torch_icnr},
    explain=_icnr_explain,
    driver=_icnr_driver,
    misconceptions=(
        _wrong_icnr(
            "tiled",
            "The kernels come in turn",
            "The kernels follow each other as a whole, again and again. That suits TensorFlow's "
            "channel order. In PyTorch's, the channels of one block stand side by side.",
            lambda shape, r, rng: np.tile(
                _drawn(rng, shape[0] // r**2, *shape[1:]), (r**2, 1, 1, 1)
            ),
            "book/channels-into-space#channel-orders",
        ),
        _wrong_icnr(
            "input-channels-repeated",
            "The input channels are repeated",
            "The kernels agree along the second axis. That one belongs to the input; a block is "
            "made of output channels, and they stand in front.",
            lambda shape, r, rng: np.repeat(
                _drawn(rng, shape[0], shape[1] // r**2, *shape[2:]), r**2, axis=1
            ),
        ),
        _wrong_icnr(
            "all-drawn",
            "Every kernel is drawn by itself",
            "All kernels differ. The pixels of a block then come out different on a plain image: "
            "that is the pattern to be avoided.",
            lambda shape, r, rng: _drawn(rng, *shape),
        ),
        _wrong_icnr(
            "r-copies",
            "There are r copies instead of r²",
            "A kernel is repeated for one row of the block only. A block has r rows and r columns.",
            lambda shape, r, rng: np.repeat(_drawn(rng, shape[0] // r, *shape[1:]), r, axis=0),
        ),
        _wrong_icnr(
            "one-kernel-for-all",
            "All output channels have the same kernel",
            "One kernel serves all output channels, so they all come out alike. Only the channels "
            "of one block agree.",
            lambda shape, r, rng: np.repeat(_drawn(rng, 1, *shape[1:]), shape[0], axis=0),
        ),
        _wrong_icnr(
            "shape-of-the-small-one",
            "The result has r² times too many channels",
            "`shape` is taken for that of the kernels before they are repeated. It is the shape of "
            "the result.",
            lambda shape, r, rng: np.repeat(_drawn(rng, *shape), r**2, axis=0),
        ),
        _wrong_icnr(
            "taps-repeated",
            "The taps are repeated, not the kernels",
            "Each kernel is enlarged, tap by tap, as if it were an image. What is enlarged is the "
            "image that comes out: neighbouring channels agree.",
            _stretched,
        ),
        _wrong_icnr(
            "own-generator",
            "The numbers do not come from rng",
            "The weights are the same whatever generator is handed in. Draw from `rng`, so that "
            "whoever calls decides what is drawn.",
            lambda shape, r, rng: _repeated(shape, r, np.random.default_rng(0)),
        ),
        _wrong_icnr(
            "not-scaled",
            "The taps are not scaled",
            "The taps have the standard deviation 1, whatever meets in one output. The sums then "
            "grow with the number of taps.",
            lambda shape, r, rng: np.repeat(
                rng.standard_normal((shape[0] // r**2, *shape[1:])), r**2, axis=0
            ),
        ),
        _wrong_icnr(
            "divided-by-the-number",
            "The taps are divided by their number",
            "The taps are divided by how many meet in one output, not by the root of it. Random "
            "taps cancel out for the most part, so the sums come out far too small.",
            lambda shape, r, rng: _repeated(shape, r, rng) / np.sqrt(np.prod(shape[1:])),
        ),
        _wrong_icnr(
            "all-positive",
            "All taps are positive",
            "The numbers are drawn between 0 and 1. Nothing cancels out, so the sums come out too "
            "large: the taps need a mean of 0.",
            lambda shape, r, rng: np.repeat(
                rng.random((shape[0] // r**2, *shape[1:])) / np.sqrt(np.prod(shape[1:])),
                r**2,
                axis=0,
            ),
        ),
        _wrong_icnr(
            "constant-kernels",
            "Each kernel is one number",
            "All taps of a kernel are equal, so the layer begins as a blur. Draw every tap.",
            lambda shape, r, rng: (
                np.repeat(_drawn(rng, shape[0] // r**2, 1, 1, 1), r**2, axis=0)
                * np.ones(shape)
                / np.sqrt(np.prod(shape[1:]))
            ),
        ),
    ),
)


# -- from sub-pixel to transposed ---------------------------------------------------------------


def torch_to_transposed(w, r):
    """Return the stamp of each input channel: what a single 1 becomes, by `F.pixel_shuffle`."""
    import torch

    w = _tensor(w)
    lit = torch.eye(w.shape[1], dtype=w.dtype)[:, :, None, None]
    y = torch.nn.functional.conv2d(lit, w, padding=[k - 1 for k in w.shape[2:]])
    return torch.nn.functional.pixel_shuffle(y, r).numpy()


def tf_to_transposed(w, r):
    """Return the stamp of each input channel, by `tf.nn.depth_to_space` of reordered channels."""
    tf = tensorflow()
    out, channels, kh, kw = w.shape
    order = np.arange(out).reshape(-1, r, r).transpose(1, 2, 0).ravel()
    lit = np.eye(channels, dtype=w.dtype)[:, None, None, :]
    lit = tf.pad(lit, [[0, 0], [kh - 1] * 2, [kw - 1] * 2, [0, 0]])
    y = tf.nn.conv2d(lit, np.ascontiguousarray(w[order].transpose(2, 3, 1, 0)), 1, "VALID")
    z = tf.nn.depth_to_space(y, r) if r > 1 else y
    return np.moveaxis(z.numpy(), -1, 1)


def _to_transposed_cases(rng) -> Iterator[Case]:
    one, several, dtype = "one channel in and out", "several channels", "dtype and inputs"
    four = np.arange(1.0, 5).reshape(4, 1, 1, 1)
    yield Case(one, (four, 2), visible=True, expected=[[[[1, 2], [3, 4]]]])
    eight = np.arange(1.0, 9).reshape(4, 1, 1, 2)
    yield Case(one, (eight, 2), visible=True, expected=[[[[2, 4, 1, 3], [6, 8, 5, 7]]]])
    row = np.array([[[[1.0, 2, 3]]]])
    yield Case(one, (row, 1), visible=True, expected=[[[[3, 2, 1]]]])
    two = np.arange(1.0, 5).reshape(2, 2, 1, 1)
    grown = [[[[1]], [[3]]], [[[2]], [[4]]]]
    yield Case(several, (two, 1), visible=True, expected=grown)
    eight = np.arange(1.0, 9).reshape(8, 1, 1, 1)
    grown = [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]
    yield Case(several, (eight, 2), visible=True, expected=grown)
    half = np.float32([[[[0.5]]]])
    yield Case(dtype, (half, 1), visible=True, expected=half, exact_dtype=True)
    for r in (1, 2, 2, 3, 3, 4):
        for _ in range(2):
            kh, kw = between(rng, 1, 3), between(rng, 2, 4)
            yield Case(one, (whole_numbers(rng, r * r, 1, kh, kw), r))
    yield Case(one, (whole_numbers(rng, 4, 1, 3, 3), 2))
    yield Case(one, (whole_numbers(rng, 9, 1, 3, 2), 3))
    for r in (1, 2, 2, 3):
        for _ in range(3):
            shape = r * r * between(rng, 2, 3), between(rng, 2, 4)
            yield Case(
                several, (whole_numbers(rng, *shape, between(rng, 1, 3), between(rng, 1, 3)), r)
            )
    yield Case(several, (whole_numbers(rng, 12, 4, 3, 2), 2))
    yield Case(several, (whole_numbers(rng, 8, 2, 3, 3), 2))
    yield Case(several, (whole_numbers(rng, 18, 3, 2, 3), 3))
    for kind in (np.float32, np.float64):
        w = whole_numbers(rng, 8, 3, 3, 2, dtype=kind)
        yield Case(dtype, (w, 2), exact_dtype=True)
        fixed = w.copy()
        fixed.flags.writeable = False
        yield Case(dtype, (fixed, 2), exact_dtype=True)
        yield Case(dtype, (np.asfortranarray(w), 2), exact_dtype=True)


def _to_transposed_explain(at, w, r):
    m, c, i, j = at
    (u, a), (v, b) = divmod(i, r), divmod(j, r)
    return (
        f"Row {i} of the large kernel writes to row {a} of a block, column {j} to column {b}: that "
        f"pixel of output channel {c} comes from channel {(c * r + a) * r + b} of the convolution. "
        f"It meets input channel {m} by the tap [{w.shape[2] - 1 - u}, {w.shape[3] - 1 - v}]."
    )


def _mapped(w, r, *, flip=(True, True), order="cab", axes="icuavb"):
    """Return the weight map by its definition; the misconceptions bend it.

    `order` says how the first axis of w is read (c output channel, a row and b column of the
    block), `axes` how the axes of the result follow each other (i input channel, u row and v
    column of the small kernel); neighbours are joined in the end.
    """
    out, i, kh, kw = w.shape
    sizes = {"c": out // r**2, "a": r, "b": r, "i": i, "u": kh, "v": kw}
    split = w.reshape(*(sizes[x] for x in order), i, kh, kw)
    split = split[..., :: -1 if flip[0] else 1, :: -1 if flip[1] else 1]
    moved = np.einsum(f"{order}iuv->{axes}", split)
    n, m = sizes[axes[0]], sizes[axes[1]]
    return moved.reshape(n, m, kh * r, kw * r)


def _wrong_map(name, title, message, fn, section=None):
    return Misconception(name, title, message, section or f"{SUBPIXEL}#weight-map", fn)


TO_TRANSPOSED = Spec(
    name="subpixel_to_transposed",
    title="From sub-pixel to transposed",
    summary="Lay the weights of a sub-pixel convolution out as those of a transposed one.",
    chapter=f"{SUBPIXEL}#weight-map",
    parameters="w, r",
    minutes=25,
    difficulty="hard",
    aspects=(
        Aspect("one channel in and out", 2),
        Aspect("several channels", 2),
        Aspect("dtype and inputs", 1),
    ),
    cases=_to_transposed_cases,
    oracles={"PyTorch": torch_to_transposed, "TensorFlow": tf_to_transposed},
    explain=_to_transposed_explain,
    size_formula=lambda w, r: (
        f"PyTorch's layout is (in, out, height, width): {w.shape[1]} and {w.shape[0]} / {r}² "
        f"channels, and each small kernel of {w.shape[2]} × {w.shape[3]} becomes {r} times as high "
        "and as wide."
    ),
    misconceptions=(
        _wrong_map(
            "not-flipped",
            "The small kernels are not flipped",
            "The taps keep their order. A convolution looks at its neighbours, and a transposed "
            "one sends to them: what comes from the left goes to the right.",
            lambda w, r: _mapped(w, r, flip=(False, False)),
        ),
        _wrong_map(
            "one-axis-flipped",
            "Only one axis is flipped",
            "The small kernels are mirrored left to right, but not top to bottom. Both axes turn "
            "round.",
            lambda w, r: _mapped(w, r, flip=(False, True)),
        ),
        _wrong_map(
            "everything-flipped",
            "The blocks are flipped as well",
            "The whole large kernel is turned round, and with it the pixels within each block. "
            "Only the small kernels' taps change their order.",
            lambda w, r: _mapped(w, r, flip=(False, False))[:, :, ::-1, ::-1],
        ),
        _wrong_map(
            "block-axes-exchanged",
            "Rows and columns of the block are exchanged",
            "Each block of the large kernel comes out mirrored along its diagonal. The second "
            "channel of a block belongs to its top right.",
            lambda w, r: _mapped(w, r, axes="icubva"),
        ),
        _wrong_map(
            "tensorflow-order",
            "The channels are read in TensorFlow's order",
            "The output channels are taken from side by side. In PyTorch's order the channels of "
            "one block stand side by side.",
            lambda w, r: _mapped(w, r, order="abc"),
            "book/channels-into-space#channel-orders",
        ),
        _wrong_map(
            "phases-in-blocks",
            "The small kernels lie side by side",
            "The large kernel holds the small ones one next to the other. They have to be "
            "interleaved: neighbouring taps of the large kernel write to neighbouring pixels.",
            lambda w, r: _mapped(w, r, axes="icaubv"),
        ),
        _wrong_map(
            "channel-axes-kept",
            "The channel axes are not exchanged",
            "The output channels stand in front, as in a convolution. The kernel of a transposed "
            "convolution begins with the channels that go in.",
            lambda w, r: _mapped(w, r, axes="ciuavb"),
            "book/transposed-2d#kernel-layout",
        ),
        _wrong_map(
            "shuffle-forgotten",
            "The channels of the blocks are left apart",
            "This is the transposed form of the convolution alone, with as many channels and as "
            "few taps. The shuffle has to go into the kernel: channels become taps.",
            lambda w, r: w.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1],
        ),
        _wrong_map(
            "divided",
            "The weights are divided by r²",
            "The weights are divided among the pixels of a block. Every pixel gets all of its own "
            "sum; nothing is shared.",
            lambda w, r: _mapped(w, r) / w.dtype.type(r * r),
        ),
        _wrong_map(
            "taps-repeated",
            "Every block holds one tap, repeated",
            "Each tap of the first small kernel fills a whole block. That is right after ICNR, "
            "where the kernels of a block are equal.",
            lambda w, r: np.repeat(
                np.repeat(w[:: r * r].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], r, axis=2), r, axis=3
            ),
            f"{CHECKER}#icnr",
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, label, answer):
    return Misconception(name, title, message, f"{BILINEAR}#{label}", lambda: answer)


PREDICT_CORNER = Spec(
    name="predict_corner",
    title="Predict first: what becomes of a white corner?",
    summary="Compute on paper one pixel of a white image that such a layer has enlarged.",
    chapter=f"{BILINEAR}#inside-and-border",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: torch_layer(np.ones((1, 1, 3, 3)), 4)[0, 0, 0, 0],
        "TensorFlow": lambda: tf_layer(np.ones((1, 1, 3, 3)), 4)[0, 0, 0, 0],
    },
    misconceptions=(
        _guess(
            "white",
            "It stays white",
            "This is what interpolation gives, which repeats the border. The layer knows of no "
            "pixel beyond the image.",
            "inside-and-border",
            1,
        ),
        _guess(
            "one-axis",
            "Only one axis is counted",
            "This is what a pixel on an edge gets. In the corner something is missing along both "
            "axes.",
            "inside-and-border",
            0.625,
        ),
        _guess(
            "outermost-tap",
            "It is the kernel's outermost tap",
            "This is the corner of the kernel. It falls on a place that is cropped; what stays "
            "begins further in.",
            "inside-and-border",
            1 / 64,
        ),
        _guess(
            "factor-two",
            "This is the number for factor 2",
            "For the factor 2 this is right. The larger the factor, the further out lies the "
            "corner's middle.",
            "odd-even-factor",
            0.5625,
        ),
        _guess(
            "what-is-missing",
            "This is the weight of what is missing along one axis",
            "The neighbour beyond the image would have this weight along one axis. It is not "
            "there, so look at what is left.",
            "inside-and-border",
            0.375,
        ),
        _guess(
            "tap-too-far-in",
            "It is a tap further in",
            "The corner is taken to be met by the next tap inwards. Count again how many taps are "
            "cropped.",
            "inside-and-border",
            0.875**2,
        ),
        _guess(
            "tap-too-far-out",
            "It is a tap further out",
            "The corner is taken to be met by the next tap outwards. Count again how many taps are "
            "cropped.",
            "inside-and-border",
            0.375**2,
        ),
        _guess(
            "missing-twice",
            "What is missing is taken away twice",
            "What is missing along each axis is taken away from 1, one after the other. But the "
            "weights of the axes multiply, so what is left multiplies, too.",
            "inside-and-border",
            0.25,
        ),
        _guess(
            "diagonal-only",
            "Only the pixel beyond the corner is missing",
            "This takes away what the pixel diagonally beyond the corner would send. Those beside "
            "it, above and to the left, do not exist either.",
            "inside-and-border",
            1 - 0.375**2,
        ),
    ),
)


PREDICT_OVERLAP = Spec(
    name="predict_largest_overlap",
    title="Predict first: how bright is the brightest square?",
    summary="Count on paper how many copies reach the fullest place of a plane.",
    chapter=f"{CHECKER}#overlap-counts",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: int(np.max(np.outer(*2 * [torch_overlap(6, 5, 2)]))),
        "TensorFlow": lambda: int(np.max(np.outer(*2 * [tf_overlap(6, 5, 2)]))),
    },
    misconceptions=tuple(
        Misconception(name, title, message, f"{CHECKER}#{label}", partial(float, answer))
        for name, title, message, label, answer in (
            (
                "one-axis",
                "Only one axis is counted",
                "This is the largest count along a row. Along the columns it is as large, and each "
                "copy across meets each copy down.",
                "overlap-counts",
                3,
            ),
            (
                "axes-added",
                "The counts of the axes are added",
                "The counts along the two axes are added. Every copy across meets every copy down, "
                "so they multiply.",
                "overlap-counts",
                6,
            ),
            (
                "smallest",
                "This is the smallest count in the middle",
                "This is what the places with the fewest copies get. Asked is the largest count.",
                "when-uniform",
                4,
            ),
            (
                "all-taps",
                "All taps are counted",
                "This is the number of taps. With stride 2 about a quarter of them meet in one "
                "place.",
                "overlap-counts",
                25,
            ),
            (
                "one-more",
                "One copy too many along each axis",
                "This is 4 times 4. Five taps, two apart, cover a place three times at most.",
                "overlap-counts",
                16,
            ),
            (
                "kernel-by-stride",
                "Kernel by stride, squared",
                "This is the mean over the plane. The places differ from it, and that is the "
                "pattern.",
                "when-uniform",
                6.25,
            ),
        )
    ),
)

SPECS = (
    PREDICT_CORNER,
    BILINEAR_KERNEL,
    BILINEAR_WEIGHT,
    UPSAMPLE_TORCH,
    UPSAMPLE_TF,
    PREDICT_OVERLAP,
    OVERLAP_COUNT,
    IS_UNIFORM,
    ICNR,
    TO_TRANSPOSED,
)
