"""ps01: images made larger by looking up, by weighing neighbours, and by moving channels.

Sources: the API pages of `torch.nn.functional.interpolate`, `pixel_shuffle`, `pixel_unshuffle`,
`tf.image.resize`, `tf.nn.depth_to_space` and, under `tf.raw_ops`, `ResizeNearestNeighbor`,
`ResizeBilinear`, `ResizeBicubic` and `ScaleAndTranslate`; Keys, *Cubic convolution interpolation
for digital image processing* (1981); Shi et al., ESPCN (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import tensorflow

GRIDS = "book/sampling-grids"
WEIGHTS = "book/linear-bilinear-cubic"
CHANNELS = "book/channels-into-space"

MODES = ("half_pixel", "align_corners", "asymmetric")


# -- oracles: the frameworks' own operations ----------------------------------------------


def _torch_interpolate(x, size, mode, align_corners=None, antialias=False):
    """Return `F.interpolate` of an array."""
    import torch

    return torch.nn.functional.interpolate(
        torch.tensor(np.ascontiguousarray(x)),
        size=size,
        mode=mode,
        align_corners=align_corners,
        antialias=antialias,
    ).numpy()


def _torch_ramp(n, n_out, mode, align_corners=None):
    """Resize 0, 1, 2, …, n - 1: what comes out is where each output looked."""
    return _torch_interpolate(np.arange(float(n))[None, None], n_out, mode, align_corners)[0, 0]


def torch_nearest_indices(n_in, n_out):
    """Read the indices off a resized ramp."""
    return _torch_ramp(n_in, n_out, "nearest").astype(int)


def tf_nearest_indices(n_in, n_out):
    """Read the indices off a ramp that TensorFlow 1's `resize_nearest_neighbor` has resized."""
    ramp = np.arange(n_in, dtype=np.float32)[None, :, None, None]
    seen = tensorflow().raw_ops.ResizeNearestNeighbor(images=ramp, size=(n_out, 1))
    return seen.numpy().ravel().astype(int)


def _known(mode):
    if mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}")


def torch_source_coordinates(n_in, n_out, mode):
    """Read the coordinates off resized ramps.

    PyTorch clamps at the border. So for half_pixel the ramp is three times as long, at the same
    scale, and the middle third counts. Asymmetric there is only with `nearest`: a ramp that cuts
    each pixel into `n_out` pieces leaves it nothing to round.
    """
    _known(mode)
    if mode == "asymmetric":
        return _torch_ramp(n_in * n_out, n_out, "nearest") / n_out
    if mode == "align_corners":
        return _torch_ramp(n_in, n_out, "linear", True)
    return _torch_ramp(3 * n_in, 3 * n_out, "linear", False)[n_out : 2 * n_out] - n_in


def tf_source_coordinates(n_in, n_out, mode):
    """Read the coordinates off ramps long enough not to be clamped, see `torch_…`."""
    _known(mode)
    times = {"half_pixel": 3, "align_corners": 1, "asymmetric": 2}[mode]
    ramp = np.arange(times * n_in, dtype=np.float32)[None, :, None, None]
    seen = tensorflow().raw_ops.ResizeBilinear(
        images=ramp,
        size=(times * n_out, 1),
        align_corners=mode == "align_corners",
        half_pixel_centers=mode == "half_pixel",
    )
    seen = seen.numpy().ravel()
    return seen[n_out : 2 * n_out] - n_in if mode == "half_pixel" else seen[:n_out]


def torch_upsample_nearest2d(x, size):
    """Return `F.interpolate(mode="nearest")`."""
    return _torch_interpolate(x, _pair(size), "nearest")


def tf_upsample_nearest2d(x, size):
    """Return TensorFlow 1's `resize_nearest_neighbor`, which is asymmetric and rounds down."""
    images = x.transpose(0, 2, 3, 1)
    y = tensorflow().raw_ops.ResizeNearestNeighbor(images=images, size=_pair(size))
    return y.numpy().transpose(0, 3, 1, 2)


def torch_linear_matrix(n_in, n_out, align_corners=False):
    """Return the matrix whose columns are `F.interpolate(mode="linear")` of the unit vectors."""
    return _torch_interpolate(np.eye(n_in)[None], n_out, "linear", align_corners)[0].T


def tf_linear_matrix(n_in, n_out, align_corners=False):
    """Return the matrix whose columns are TensorFlow's bilinear resizing of the unit vectors."""
    images = np.eye(n_in, dtype=np.float32)[:, None, :, None]  # n_in of them, one column each
    return tf_upsample_bilinear2d(images, (n_out, 1), align_corners)[:, 0, :, 0].T


def torch_upsample_bilinear2d(x, size, align_corners=False):
    """Return `F.interpolate(mode="bilinear")`."""
    return _torch_interpolate(x, _pair(size), "bilinear", align_corners)


def tf_upsample_bilinear2d(x, size, align_corners=False):
    """Return `tf.image.resize`; with `align_corners`, TensorFlow 1's `resize_bilinear`.

    Both compute in float32 whatever they are given. The float64 cases are such that this is
    exact.
    """
    images, size = x.transpose(0, 2, 3, 1), _pair(size)
    if align_corners:
        y = tensorflow().raw_ops.ResizeBilinear(images=images, size=size, align_corners=True)
    else:
        y = tensorflow().image.resize(images, size, "bilinear", antialias=False)
    return y.numpy().transpose(0, 3, 1, 2).astype(x.dtype)


def torch_upsample_bicubic2d(x, size, a=-0.75, align_corners=False):
    """Return `F.interpolate(mode="bicubic")`, whose a is -0.75; for another a, see `_composed`."""
    if a == -0.75:
        return _torch_interpolate(x, _pair(size), "bicubic", align_corners)
    return _composed(x, size, a, align_corners, _torch_pieces(), torch_source_coordinates)


def tf_upsample_bicubic2d(x, size, a=-0.75, align_corners=False):
    """Return TensorFlow's cubic resizing, whose a is -0.5; for another a, see `_composed`.

    TensorFlow leaves out taps beyond the border and makes the others sum to 1. On images whose
    border is repeated three times, there are no taps beyond it that count.
    """
    if a != -0.5:
        return _composed(x, size, a, align_corners, _tf_pieces(), tf_source_coordinates)
    h, w = _pair(size)
    margin, scale, shift = 3, [], []
    for n_in, n_out in ((x.shape[2], h), (x.shape[3], w)):
        at = tf_source_coordinates(n_in, n_out, _grid(align_corners))
        # Where all outputs fall on one input, its copies are as good.
        step = float(at[1] - at[0]) if n_out > 1 and n_in > 1 else 1 / n_out
        scale.append(1 / step)
        shift.append(0.5 - (float(at[0]) + margin + 0.5) / step)
    edges = ((0, 0), (0, 0), (margin, margin), (margin, margin))
    y = tensorflow().raw_ops.ScaleAndTranslate(
        images=np.pad(x, edges, mode="edge").transpose(0, 2, 3, 1),
        size=(h, w),
        scale=scale,
        translation=shift,
        kernel_type="keyscubic",
        antialias=False,
    )
    return y.numpy().transpose(0, 3, 1, 2).astype(x.dtype)


def _composed(x, size, a, align_corners, pieces, coordinates):
    """Return cubic resizing with any a, from a framework's weights at two values of a.

    `pieces` maps -0.75 and -0.5 to the coefficients of the four taps' weights. The weights are
    linear in a, so two values give all others.
    """
    slope = (pieces[-0.75] - pieces[-0.5]) / -0.25
    taps = pieces[-0.5] + (a + 0.5) * slope

    def matrix(n_in, n_out):
        at = np.asarray(coordinates(n_in, n_out, _grid(align_corners)), float)
        left = np.floor(at)
        weights = np.vander(at - left, 4, increasing=True) @ taps
        return _placed(n_in, *((_inside(left + k - 1, n_in), weights[:, k]) for k in range(4)))

    return _resized(x, size, matrix).astype(x.dtype)


def _pieces(resized):
    """Return the coefficients of four taps' weights in the fraction t, lowest power first.

    `resized` holds unit vectors of length 8, as columns, resized to the places 3 + t for t = 1/8,
    3/8, 5/8 and 7/8. Each weight is a cubic in t, which four places determine.
    """
    t = np.arange(1, 8, 2) / 8
    return np.linalg.solve(np.vander(t, 4, increasing=True), resized[:, 2:6].astype(float))


@cache
def _torch_pieces():
    """Read the weights off PyTorch; those at -0.5 off its antialiasing, which enlarges plainly."""
    unit = np.eye(8)[:, None, None]
    seen = {
        a: _torch_interpolate(unit, (1, 32), "bicubic", False, antialias)[:, 0, 0].T
        for a, antialias in ((-0.75, False), (-0.5, True))
    }
    return {a: _pieces(resized[14:18]) for a, resized in seen.items()}


@cache
def _tf_pieces():
    """Read the weights off TensorFlow; those at -0.75 off its older grid.

    It looks weights up in a table of 1024 fractions, in which eighths are exact.
    """
    unit = np.eye(8, dtype=np.float32)[:, :, None, None]
    older = tensorflow().raw_ops.ResizeBicubic(images=unit, size=(64, 1))[:, :, 0, 0].numpy().T
    newer = tensorflow().image.resize(unit, (32, 1), "bicubic")[:, :, 0, 0].numpy().T
    return {-0.75: _pieces(older[25:32:2]), -0.5: _pieces(newer[14:18])}


def torch_pixel_shuffle(x, r):
    """Return `F.pixel_shuffle`."""
    import torch

    return torch.nn.functional.pixel_shuffle(torch.tensor(np.ascontiguousarray(x)), r).numpy()


def tf_pixel_shuffle(x, r):
    """Return `tf.nn.depth_to_space` of channels put into TensorFlow's order."""
    n, c, h, w = x.shape
    grouped = x.reshape(n, c // r**2, r**2, h, w).transpose(0, 3, 4, 2, 1).reshape(n, h, w, c)
    return tf_depth_to_space(grouped, r).transpose(0, 3, 1, 2)


def torch_pixel_unshuffle(x, r):
    """Return `F.pixel_unshuffle`."""
    import torch

    return torch.nn.functional.pixel_unshuffle(torch.tensor(np.ascontiguousarray(x)), r).numpy()


def tf_pixel_unshuffle(x, r):
    """Return `tf.nn.space_to_depth` with the channels put into PyTorch's order."""
    if r == 1:  # TensorFlow's blocks have 2 pixels a side or more
        return x
    y = tensorflow().nn.space_to_depth(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), r).numpy()
    n, h, w, c = y.shape
    return y.reshape(n, h, w, r**2, -1).transpose(0, 4, 3, 1, 2).reshape(n, c, h, w)


def tf_depth_to_space(x, r):
    """Return `tf.nn.depth_to_space`."""
    if r == 1:
        return x
    return tensorflow().nn.depth_to_space(np.ascontiguousarray(x), r).numpy()


def torch_depth_to_space(x, r):
    """Return `F.pixel_shuffle` of channels put into PyTorch's order."""
    n, h, w, c = x.shape
    grouped = x.reshape(n, h, w, r**2, c // r**2).transpose(0, 4, 3, 1, 2).reshape(n, c, h, w)
    return torch_pixel_shuffle(grouped, r).transpose(0, 2, 3, 1)


# -- inputs and words ---------------------------------------------------------------------


def _pair(size):
    return (size, size) if np.ndim(size) == 0 else tuple(size)


def _images(rng, *shape):
    """Draw small whole numbers without zeros, in float32.

    TensorFlow interpolates in float32, so that is what is asked for wherever the type is not
    what is tested; the judge allows for its rounding, and for answers in float64.
    """
    return (rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)).astype(np.float32)


def _layouts(rng, n, c, h, w):
    """Yield images in float32 and float64: as usual, read-only, transposed and strided."""
    for dtype in (np.float32, np.float64):
        yield _images(rng, n, c, h, w).astype(dtype)
        x = _images(rng, n, c, h, w).astype(dtype)
        x.flags.writeable = False
        yield x
        yield _images(rng, n, c, w, h).astype(dtype).swapaxes(2, 3)
        yield _images(rng, n, c, 2 * h, w).astype(dtype)[:, ::-1, ::2]


def _number(value):
    return f"{value:.4g}" if value >= 0 else f"−{-value:.4g}"


# -- nearest_indices ----------------------------------------------------------------------


def _unambiguous(n_in, n_out):
    """Return whether rounding leaves floor(i · n_in / n_out) alone, in float32 and float64.

    TensorFlow multiplies i by a scale that is rounded to float32, and so does PyTorch, in 2-D
    whatever the images' type. From 26 to 22 this gives 12 where the definition gives 13; up to 40
    pixels, 39 to 33 is the only other such pair. In float64, learners meet 30 to 22 and 30 to 26.
    """
    exact = np.arange(n_out) * n_in // n_out
    return all(
        np.array_equal(np.floor(np.arange(n_out, dtype=t) * (t(n_in) / t(n_out))), exact)
        for t in (np.float32, np.float64)
    )


def _nearest_cases(rng) -> Iterator[Case]:
    yield Case("whole factors", (3, 6), visible=True, expected=[0, 0, 1, 1, 2, 2])
    yield Case("whole factors", (1, 3), visible=True, expected=[0, 0, 0])
    yield Case("any growth", (3, 4), visible=True, expected=[0, 0, 1, 2])
    yield Case("any growth", (3, 5), visible=True, expected=[0, 0, 1, 1, 2])
    yield Case("shrinking", (5, 2), visible=True, expected=[0, 2])
    yield Case("shrinking", (3, 1), visible=True, expected=[0])
    for _ in range(11):
        n = int(rng.integers(1, 11))
        yield Case("whole factors", (n, n * int(rng.integers(1, 6))))
    drawn = 0
    while drawn < 28:
        few, many = sorted(int(v) for v in rng.integers(1, 41, 2))
        sizes = (many, few) if drawn % 2 else (few, many)
        if few < many and _unambiguous(*sizes):
            drawn += 1
            yield Case("shrinking" if few == sizes[1] else "any growth", sizes)
    yield Case("shrinking", (40, 1))
    yield Case("any growth", (4, 6))


def _nearest_explain(i, n_in, n_out):
    return (
        f"Output {i} looks at {i}·{n_in}/{n_out} = {_number(i * n_in / n_out)}, which is cut "
        f"down to {i * n_in // n_out}."
    )


def _inside(index, n):
    """Return indices as whole numbers, with those beyond either end moved to it."""
    return np.clip(index, 0, n - 1).astype(int)


def _places(n_in, n_out):
    """Return i · n_in / n_out for every output i, the asymmetric coordinates."""
    return np.arange(n_out) * n_in / n_out


def _cornered(n_in, n_out):
    """Return the align_corners coordinates."""
    return np.arange(n_out) * ((n_in - 1) / max(n_out - 1, 1))


NEAREST_INDICES = Spec(
    name="nearest_indices",
    title="Which pixel is the nearest?",
    summary="For every output, say which input pixel it is a copy of.",
    chapter=f"{GRIDS}#floor-or-round",
    parameters="n_in, n_out",
    minutes=15,
    difficulty="easy",
    aspects=(Aspect("whole factors", 1), Aspect("any growth", 1), Aspect("shrinking", 1)),
    cases=_nearest_cases,
    oracles={"PyTorch": torch_nearest_indices, "TensorFlow": tf_nearest_indices},
    explain=_nearest_explain,
    size_formula=lambda n_in, n_out: f"There is one index for each of the {n_out} outputs.",
    misconceptions=(
        Misconception(
            "rounded",
            "The source is rounded",
            "The place in the input is rounded to the nearest whole number. PyTorch's `nearest` "
            "cuts the fraction off.",
            f"{GRIDS}#floor-or-round",
            lambda n_in, n_out: _inside(np.round(_places(n_in, n_out)), n_in),
        ),
        Misconception(
            "rounded-half-up",
            "The source is rounded, halves upwards",
            "The place in the input is rounded, and halves go up. PyTorch's `nearest` cuts the "
            "fraction off, however large it is.",
            f"{GRIDS}#floor-or-round",
            lambda n_in, n_out: _inside(np.floor(_places(n_in, n_out) + 0.5), n_in),
        ),
        Misconception(
            "index-beyond-the-end",
            "The last index is beyond the end",
            "The place in the input is rounded, and the last outputs then ask for a pixel that "
            "does not exist. PyTorch's `nearest` cuts the fraction off, which never leaves the "
            "input.",
            f"{GRIDS}#floor-or-round",
            lambda n_in, n_out: np.round(_places(n_in, n_out)).astype(int),
        ),
        Misconception(
            "rounded-up",
            "The fraction is rounded up",
            "Any fraction is rounded up to the next pixel. It is cut off.",
            f"{GRIDS}#floor-or-round",
            lambda n_in, n_out: _inside(np.ceil(_places(n_in, n_out)), n_in),
        ),
        Misconception(
            "nearest-exact",
            "This is nearest-exact",
            "The centres of the output's pixels are looked up. That is `nearest-exact`, and what "
            "TensorFlow 2 does; PyTorch's `nearest` looks up their left edges.",
            f"{GRIDS}#nearest-exact",
            lambda n_in, n_out: _inside((2 * np.arange(n_out) + 1) * n_in // (2 * n_out), n_in),
        ),
        Misconception(
            "corners-aligned",
            "The last output is tied to the last input",
            "The steps are stretched so that the last output falls on the last input. That is "
            "`align_corners`; here the step is the ratio of the two sizes.",
            f"{GRIDS}#align-corners",
            lambda n_in, n_out: np.floor(_cornered(n_in, n_out) + 1e-9).astype(int),
        ),
        Misconception(
            "corners-aligned-and-rounded",
            "The last output is tied to the last input, then rounded",
            "The steps are stretched so that the last output falls on the last input, and then "
            "rounded. That is `align_corners`; here the step is the ratio of the two sizes and "
            "its fraction is cut off.",
            f"{GRIDS}#align-corners",
            lambda n_in, n_out: np.round(_cornered(n_in, n_out)).astype(int),
        ),
        Misconception(
            "whole-number-factor",
            "The factor is rounded to a whole number",
            "The ratio of the sizes is rounded down to a whole number first, so it is right only "
            "where one size is a multiple of the other. From 3 to 4 pixels the factor is 4/3.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out: _inside(np.arange(n_out) // max(n_out // n_in, 1), n_in),
        ),
        Misconception(
            "whole-number-step",
            "The step is rounded to a whole number",
            "The step through the input is rounded down to a whole number, which is 0 as soon as "
            "the output is longer than the input. A step may be a fraction.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out: np.arange(n_out) * (n_in // n_out),
        ),
        Misconception(
            "ratio-upside-down",
            "The ratio is upside down",
            "An index of the output is multiplied by how much the image grows. Going from the "
            "output back to the input, it has to shrink by that.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out: _inside(np.arange(n_out) * n_out // n_in, n_in),
        ),
        Misconception(
            "tiled",
            "The input is repeated as a whole",
            "The indices start again from 0 when the input ends. Each pixel is repeated on the "
            "spot, so the indices never go back.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out: np.arange(n_out) % n_in,
        ),
        Misconception(
            "counted-from-one",
            "Counted from 1",
            "The first pixel is called 1. In Python, and here, it is 0.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out: np.arange(n_out) * n_in // n_out + 1,
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, label, answer):
    return Misconception(name, title, message, f"{GRIDS}#{label}", lambda: answer)


PREDICT = Spec(
    name="predict_source_coordinate",
    title="Predict first: where does the last output look?",
    summary="Work out one source coordinate on paper.",
    chapter=f"{GRIDS}#half-pixel",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: torch_source_coordinates(5, 8, "half_pixel")[-1],
        "TensorFlow": lambda: tf_source_coordinates(5, 8, "half_pixel")[-1],
    },
    misconceptions=(
        _guess(
            "asymmetric",
            "Edges instead of centres",
            "This is where the left edge of output 7 lies. half_pixel asks for its centre, and "
            "counts from the centre of input 0.",
            "asymmetric",
            4.375,
        ),
        _guess(
            "align-corners",
            "The corners are tied together",
            "The last output falls on the last input in `align_corners`. With half_pixel, it is "
            "the edges of the two rows of pixels that coincide.",
            "align-corners",
            4,
        ),
        _guess(
            "half-not-taken-back",
            "The half is not taken back",
            "This is the distance from the left edge of the row. Coordinates count from the "
            "centre of input 0, half a pixel further right.",
            "half-pixel",
            4.6875,
        ),
        _guess(
            "half-not-added",
            "The half is only taken away",
            "The half pixel is subtracted at the end, but the output's centre was not looked up "
            "at the start.",
            "half-pixel",
            3.875,
        ),
        _guess(
            "ratio-upside-down",
            "The ratio is upside down",
            "This lies outside the input. Going from the output back to the input, coordinates "
            "shrink.",
            "destination-to-source",
            7.5 * 8 / 5 - 0.5,
        ),
        _guess(
            "end-of-the-row",
            "The end of the row",
            "This is how far the row of 5 pixels reaches, counted from its left edge. Coordinates "
            "count from the centre of input 0, and asked is for the centre of output 7.",
            "half-pixel",
            5,
        ),
    ),
)


# -- source_coordinates -------------------------------------------------------------------


def _coordinates(n_in, n_out, mode):
    """Return the coordinates by their definition."""
    _known(mode)
    if mode == "align_corners":
        return _cornered(n_in, n_out)
    half = 0.5 if mode == "half_pixel" else 0.0
    return (np.arange(n_out) + half) * n_in / n_out - half


def _coordinate_cases(rng) -> Iterator[Case]:
    half, corners, asymmetric = MODES
    yield Case(half, (2, 4, half), visible=True, expected=[-0.25, 0.25, 0.75, 1.25])
    yield Case(half, (4, 2, half), visible=True, expected=[0.5, 2.5])
    yield Case(corners, (3, 5, corners), visible=True, expected=[0, 0.5, 1, 1.5, 2])
    yield Case(corners, (4, 1, corners), visible=True, expected=[0])
    yield Case(asymmetric, (2, 4, asymmetric), visible=True, expected=[0, 0.5, 1, 1.5])
    wrong = 'the mode is "half_pixel", "align_corners" or "asymmetric"'
    yield Case("other modes", (2, 4, "half-pixel"), visible=True, refused=wrong)
    for mode in MODES:
        for _ in range(11):
            n_in, n_out = int(rng.integers(1, 13)), int(rng.integers(1, 17))
            yield Case(mode, (n_in, n_out, mode))
        yield Case(mode, (int(rng.integers(3, 9)), 1, mode))
        yield Case(mode, (1, int(rng.integers(2, 9)), mode))
    for mode in ("corners", "bilinear", "nearest", "align-corners", ""):
        yield Case("other modes", (3, int(rng.integers(2, 9)), mode), refused=wrong)


def _coordinate_explain(i, n_in, n_out, mode):
    if mode == "half_pixel":
        return (
            f"The centre of output {i} lies {_number(i + 0.5)} output pixels from the left edge, "
            f"which is {_number((i + 0.5) * n_in / n_out)} input pixels; input 0 has its centre "
            "half a pixel from that edge."
        )
    if mode == "align_corners" and n_out > 1:
        return (
            f"Output 0 falls on input 0 and output {n_out - 1} on input {n_in - 1}; in between "
            f"the steps are {_number((n_in - 1) / (n_out - 1))} long."
        )
    if mode == "align_corners":
        return "A single output falls on input 0."
    return f"Each step is {n_in}/{n_out} = {_number(n_in / n_out)} long and output 0 looks at 0."


def _bent(**bends):
    """Return coordinates in which some modes are computed otherwise; others are right."""

    def coordinates(n_in, n_out, mode):
        return bends.get(mode, lambda a, b: _coordinates(a, b, mode))(n_in, n_out)

    return coordinates


SOURCE_COORDINATES = Spec(
    name="source_coordinates",
    title="Where in the input does an output lie?",
    summary="Give the source coordinate of every output on each of the three grids.",
    chapter=f"{GRIDS}#half-pixel",
    parameters="n_in, n_out, mode",
    minutes=20,
    difficulty="medium",
    aspects=(
        Aspect("half_pixel", 2),
        Aspect("align_corners", 2),
        Aspect("asymmetric", 1),
        Aspect("other modes", 1),
    ),
    cases=_coordinate_cases,
    oracles={"PyTorch": torch_source_coordinates, "TensorFlow": tf_source_coordinates},
    explain=_coordinate_explain,
    size_formula=lambda n_in, n_out, mode: f"There is one for each of the {n_out} outputs.",
    misconceptions=(
        Misconception(
            "half-not-added",
            "The output's half pixel is missing",
            "In half_pixel the half is subtracted at the end, but an output's centre lies half a "
            "pixel after its left edge, and that half has to be scaled too.",
            f"{GRIDS}#half-pixel",
            _bent(half_pixel=lambda n_in, n_out: _places(n_in, n_out) - 0.5),
        ),
        Misconception(
            "half-not-taken-back",
            "The input's half pixel is missing",
            "In half_pixel the distance is measured from the left edge of the input. Coordinates "
            "count from the centre of input 0.",
            f"{GRIDS}#half-pixel",
            _bent(half_pixel=lambda n_in, n_out: (np.arange(n_out) + 0.5) * n_in / n_out),
        ),
        Misconception(
            "half-the-wrong-way",
            "The half pixels have the wrong sign",
            "In half_pixel the half is subtracted first and added at the end. A centre lies to "
            "the right of its pixel's left edge.",
            f"{GRIDS}#half-pixel",
            _bent(half_pixel=lambda n_in, n_out: (np.arange(n_out) - 0.5) * n_in / n_out + 0.5),
        ),
        Misconception(
            "clamped",
            "The coordinates are clamped",
            "Coordinates outside the input have been moved to its border. Where an output lies "
            "is one thing, which pixels are then read another: the clamping comes later.",
            f"{GRIDS}#clamp-at-border",
            lambda n_in, n_out, mode: np.clip(_coordinates(n_in, n_out, mode), 0, n_in - 1),
        ),
        Misconception(
            "negative-clamped",
            "Negative coordinates are set to 0",
            "Coordinates below 0 have been moved to 0. Where an output lies is one thing, which "
            "pixels are then read another: the clamping comes later.",
            f"{GRIDS}#clamp-at-border",
            lambda n_in, n_out, mode: np.maximum(_coordinates(n_in, n_out, mode), 0),
        ),
        Misconception(
            "rounded-down",
            "The fraction is cut off",
            "The coordinates have been turned into whole indices. The fraction is what the "
            "weights of an interpolation are made of.",
            f"{GRIDS}#destination-to-source",
            lambda n_in, n_out, mode: np.floor(_coordinates(n_in, n_out, mode)),
        ),
        Misconception(
            "ratio-upside-down",
            "The ratio is upside down",
            "The coordinates are multiplied by how much the image grows. Going from the output "
            "back to the input, they have to shrink by that.",
            f"{GRIDS}#destination-to-source",
            _bent(
                half_pixel=lambda n_in, n_out: (np.arange(n_out) + 0.5) * n_out / n_in - 0.5,
                asymmetric=lambda n_in, n_out: np.arange(n_out) * n_out / n_in,
                align_corners=lambda n_in, n_out: (
                    np.arange(n_out) * ((n_out - 1) / max(n_in - 1, 1))
                ),
            ),
        ),
        Misconception(
            "pixels-counted-not-gaps",
            "Pixels are counted, not the gaps between them",
            "In align_corners the step is the ratio of the sizes. Between n pixels there are "
            "n − 1 gaps, and here it is the gaps that are stretched.",
            f"{GRIDS}#align-corners",
            _bent(align_corners=_places),
        ),
        Misconception(
            "gaps-of-the-input-only",
            "The output's gaps are miscounted",
            "In align_corners the input's gaps are spread over as many steps as there are "
            "outputs, so that the last output falls short of the last input. It takes one step "
            "fewer.",
            f"{GRIDS}#align-corners",
            _bent(align_corners=lambda n_in, n_out: np.arange(n_out) * (n_in - 1) / n_out),
        ),
        Misconception(
            "single-output-in-the-middle",
            "A single output is put in the middle",
            "With align_corners and one output only, the middle of the input seems fair. Both "
            "frameworks take input 0.",
            f"{GRIDS}#align-corners",
            _bent(
                align_corners=lambda n_in, n_out: (
                    np.array([(n_in - 1) / 2]) if n_out == 1 else _cornered(n_in, n_out)
                )
            ),
        ),
        Misconception(
            "half-pixel-and-asymmetric-exchanged",
            "half_pixel and asymmetric are exchanged",
            "Each of the two gives what the other should. asymmetric lays the first output on "
            "the first input; half_pixel is the one that treats both ends alike.",
            f"{GRIDS}#asymmetric",
            _bent(
                half_pixel=_places,
                asymmetric=lambda n_in, n_out: _coordinates(n_in, n_out, "half_pixel"),
            ),
        ),
        Misconception(
            "half-pixel-and-align-corners-exchanged",
            "half_pixel and align_corners are exchanged",
            "Each of the two gives what the other should. align_corners ties the centres of the "
            "corner pixels together; half_pixel ties the edges of the image.",
            f"{GRIDS}#align-corners",
            _bent(
                half_pixel=_cornered,
                align_corners=lambda n_in, n_out: _coordinates(n_in, n_out, "half_pixel"),
            ),
        ),
        Misconception(
            "any-other-mode-taken",
            "A mistyped mode is taken for asymmetric",
            "Whatever is neither half_pixel nor align_corners is treated as asymmetric. Who "
            "mistypes a mode would never learn of it.",
            f"{GRIDS}#asymmetric",
            lambda n_in, n_out, mode: (
                _coordinates(n_in, n_out, mode) if mode in MODES else _places(n_in, n_out)
            ),
        ),
        Misconception(
            "any-other-mode-is-half-pixel",
            "A mistyped mode is taken for half_pixel",
            "Whatever is neither align_corners nor asymmetric is treated as half_pixel. Who "
            "mistypes a mode would never learn of it.",
            f"{GRIDS}#half-pixel",
            lambda n_in, n_out, mode: _coordinates(
                n_in, n_out, mode if mode in MODES else "half_pixel"
            ),
        ),
    ),
)


# -- upsample_nearest2d -------------------------------------------------------------------


def _floored(n_in, n_out):
    """Return the indices by their definition."""
    return np.arange(n_out) * n_in // n_out


def _pick(x, size, rule=_floored):
    """Copy pixels along both axes from where `rule(n_in, n_out)` says."""
    h, w = _pair(size)
    return x[:, :, rule(x.shape[2], h)][:, :, :, rule(x.shape[3], w)]


def _image(*rows, dtype=np.float32):
    """Return one channel of one image."""
    return np.array([[rows]], dtype=dtype)


def _nearest2d_cases(rng) -> Iterator[Case]:
    square = _image([1, 2], [3, 4])
    four = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    yield Case("whole factors", (square, (4, 4)), visible=True, expected=[[four]])
    yield Case(
        "any size",
        (_image([1, 2, 3]), (2, 4)),
        visible=True,
        expected=[[[[1, 1, 2, 3], [1, 1, 2, 3]]]],
    )
    yield Case(
        "batch and channels",
        (np.float32([[[[1, 2]], [[3, 4]]]]), (1, 4)),
        visible=True,
        expected=[[[[1, 1, 2, 2]], [[3, 3, 4, 4]]]],
    )
    yield Case(
        "dtype and inputs",
        (_image([1.5], [2.5]), (3, 1)),
        visible=True,
        expected=_image([1.5], [1.5], [2.5]),
        exact_dtype=True,
    )
    yield Case(  # one number for both
        "dtype and inputs",
        (square, 3),
        visible=True,
        expected=[[[[1, 1, 2], [1, 1, 2], [3, 3, 4]]]],
    )
    for _ in range(10):
        h, w, fh, fw = (int(v) for v in rng.integers(1, 5, 4))
        yield Case("whole factors", (_images(rng, 1, 1, h, w), (h * fh, w * fw)))
    for _ in range(14):
        h, w = (int(v) for v in rng.integers(1, 8, 2))
        size = tuple(int(v) for v in rng.integers(1, 13, 2))
        yield Case("any size", (_images(rng, 1, 1, h, w), size))
    yield Case("dtype and inputs", (_images(rng, 1, 1, 3, 5), 7))
    yield Case("any size", (_images(rng, 1, 1, 4, 3), (3, 10)))
    yield Case("any size", (_images(rng, 1, 1, 8, 7), (1, 1)))
    for _ in range(6):
        n, c = int(rng.integers(1, 3)), int(rng.integers(2, 4))
        h, w, ho, wo = (int(v) for v in rng.integers(2, 7, 4))
        yield Case("batch and channels", (_images(rng, n, c, h, w), (ho, wo)))
    yield Case("batch and channels", (_images(rng, 2, 3, 3, 4), (6, 5)))
    for x in _layouts(rng, 2, 2, 3, 4):
        yield Case("dtype and inputs", (x, (5, 8)), exact_dtype=True)


def _nearest2d_explain(at, x, size):
    n, c, i, j = at
    h, w = _pair(size)
    row, column = i * x.shape[2] // h, j * x.shape[3] // w
    return f"z[{n}, {c}, {i}, {j}] is a copy of x[{n}, {c}, {row}, {column}]."


def _image_size(x, size, **_):
    h, w = _pair(size)
    return f"The output keeps N and C, and has {h} rows and {w} columns."


def _first_only(x, size):
    """Place each pixel at the first of its copies, zeros at the others."""
    h, w = _pair(size)
    rows, columns = _floored(x.shape[2], h), _floored(x.shape[3], w)
    new = np.outer(np.diff(rows, prepend=-1) > 0, np.diff(columns, prepend=-1) > 0)
    return _pick(x, size) * new


def _one_ratio(x, size):
    h, w = _pair(size)
    rows, columns = _floored(x.shape[2], h), np.arange(w) * x.shape[2] // h
    return x[:, :, rows][:, :, :, _inside(columns, x.shape[3])]


def _repeated(x, size):
    h, w = _pair(size)
    return x.repeat(h // x.shape[2], axis=2).repeat(w // x.shape[3], axis=3)


def _channels_last(x, size):
    h, w = _pair(size)
    return x[:, _floored(x.shape[1], h)][:, :, _floored(x.shape[2], w)]


UPSAMPLE_NEAREST2D = Spec(
    name="upsample_nearest2d",
    title="Nearest neighbours in 2-D",
    summary="Resize a batch of images by copying pixels.",
    chapter=f"{GRIDS}#floor-or-round",
    parameters="x, size",
    minutes=15,
    difficulty="easy",
    aspects=(
        Aspect("whole factors", 1),
        Aspect("any size", 2),
        Aspect("batch and channels", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_nearest2d_cases,
    oracles={"PyTorch": torch_upsample_nearest2d, "TensorFlow": tf_upsample_nearest2d},
    explain=_nearest2d_explain,
    size_formula=_image_size,
    misconceptions=(
        Misconception(
            "rounded",
            "The source is rounded",
            "The places in the input are rounded to the nearest pixel. PyTorch's `nearest` cuts "
            "the fraction off.",
            f"{GRIDS}#floor-or-round",
            lambda x, size: _pick(
                x, size, lambda a, b: _inside(np.round(np.arange(b) * (a / b)), a)
            ),
        ),
        Misconception(
            "nearest-exact",
            "This is nearest-exact",
            "The centres of the output's pixels are looked up, as in `nearest-exact` and in "
            "TensorFlow 2. PyTorch's `nearest` looks up their top left corners.",
            f"{GRIDS}#nearest-exact",
            lambda x, size: _pick(x, size, lambda a, b: (2 * np.arange(b) + 1) * a // (2 * b)),
        ),
        Misconception(
            "corners-aligned",
            "The corners are tied together",
            "The steps are stretched so that the last output falls on the last input. That is "
            "`align_corners`; here the step is the ratio of the two sizes.",
            f"{GRIDS}#align-corners",
            lambda x, size: _pick(x, size, lambda a, b: np.round(_cornered(a, b)).astype(int)),
        ),
        Misconception(
            "size-is-width-first",
            "The size is read as (width, height)",
            "The output's height and width are exchanged. Arrays are indexed row first, so the "
            "height comes first; image libraries often say it the other way round.",
            f"{GRIDS}#destination-to-source",
            lambda x, size: _pick(x, _pair(size)[::-1]),
        ),
        Misconception(
            "x-and-y-exchanged",
            "x and y are exchanged",
            "Rows are looked up with the column's index and columns with the row's, which lays "
            "the picture on its side. x runs along a row, so it is the second index.",
            f"{GRIDS}#destination-to-source",
            lambda x, size: _pick(x.swapaxes(2, 3), size),
        ),
        Misconception(
            "diagonal-only",
            "Only a diagonal is picked",
            "Two index arrays side by side are paired off by NumPy: the first row with the first "
            "column, the second with the second. Every row has to meet every column.",
            f"{GRIDS}#destination-to-source",
            lambda x, size: x[
                :,
                :,
                _floored(x.shape[2], _pair(size)[0]),
                _floored(x.shape[3], _pair(size)[1]),
            ],
        ),
        Misconception(
            "tiled",
            "The picture is repeated as a whole",
            "The picture starts again where it ends, like tiles on a wall. Each pixel is repeated "
            "on the spot.",
            f"{GRIDS}#destination-to-source",
            lambda x, size: _pick(x, size, lambda a, b: np.arange(b) % a),
        ),
        Misconception(
            "whole-number-factor",
            "The factor is rounded to a whole number",
            "Every pixel is repeated equally often, so the output is too small where the size is "
            "no multiple of the input's. Some pixels may have more copies than others.",
            f"{GRIDS}#destination-to-source",
            _repeated,
        ),
        Misconception(
            "zeros-between",
            "Zeros stand between the pixels",
            "Each pixel is placed once and the rest is 0. That is a way of unpooling; `nearest` "
            "leaves no output without a copy.",
            f"{GRIDS}#destination-to-source",
            _first_only,
        ),
        Misconception(
            "interpolated",
            "Neighbours are mixed",
            "New values appear between those of the input. `nearest` only copies values that are "
            "there.",
            f"{GRIDS}#floor-or-round",
            lambda x, size: _resized(x, size, _bilinear),
        ),
        Misconception(
            "one-ratio-for-both",
            "One ratio for both axes",
            "The columns are looked up with the ratio of the heights. Each axis has a ratio of "
            "its own.",
            f"{GRIDS}#destination-to-source",
            _one_ratio,
        ),
        Misconception(
            "batch-lost",
            "Only the first image is resized",
            "The result has lost the axis of the batch. Every image of the batch is resized, and "
            "the output has as many axes as the input.",
            f"{GRIDS}#destination-to-source",
            lambda x, size: _pick(x, size)[0],
        ),
        Misconception(
            "channels-last",
            "The channels are taken for rows",
            "The image is read as (N, H, W, C), so channels and rows are resized instead of rows "
            "and columns. Here the channels come second, as in PyTorch.",
            f"{GRIDS}#destination-to-source",
            _channels_last,
        ),
    ),
)


# -- linear_matrix ------------------------------------------------------------------------


def _hat(n_in, coordinates):
    """Return the linear weights at the coordinates, none for what lies beyond the border."""
    return np.maximum(0, 1 - np.abs(np.asarray(coordinates)[:, None] - np.arange(n_in)))


def _linear(n_in, coordinates):
    """Return the linear weights at the coordinates, clamped at the border."""
    return _hat(n_in, np.clip(coordinates, 0, n_in - 1))


def _grid(align_corners):
    return "align_corners" if align_corners else "half_pixel"


def _bilinear(n_in, n_out, align_corners=False):
    """Return the interpolation matrix by its definition."""
    return _linear(n_in, _coordinates(n_in, n_out, _grid(align_corners)))


def _resized(x, size, matrix, *more, columns=None):
    """Resize rows with `matrix(n_in, n_out, *more)`, and columns with it or with `columns`."""
    h, w = _pair(size)
    rows, columns = matrix(x.shape[2], h, *more), (columns or matrix)(x.shape[3], w, *more)
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns)


def _on_grid(mode):
    """Return a matrix function that uses one grid whatever it is told."""
    return lambda n_in, n_out, *_: _linear(n_in, _coordinates(n_in, n_out, mode))


def _neighbours(n_in, n_out, align_corners):
    """Return each output's two neighbours, clamped, and how far it is from the left one."""
    at = _coordinates(n_in, n_out, _grid(align_corners))
    left = np.floor(at).astype(int)
    return _inside(left, n_in), _inside(left + 1, n_in), at - left


def _weights_exchanged(n_in, n_out, align_corners=False):
    left, right, t = _neighbours(n_in, n_out, align_corners)
    return _placed(n_in, (left, t), (right, 1 - t))


def _placed(n_in, *weighted):
    """Add up weights at the indices given for each row."""
    matrix = np.zeros((len(weighted[0][0]), n_in))
    for index, weight in weighted:
        np.add.at(matrix, (np.arange(len(index)), index), weight)
    return matrix


def _border_overwritten(n_in, n_out, align_corners=False):
    left, right, t = _neighbours(n_in, n_out, align_corners)
    matrix, rows = np.zeros((n_out, n_in)), np.arange(n_out)
    matrix[rows, left] = 1 - t
    matrix[rows, right] = t
    return matrix


def _extrapolated(n_in, n_out, align_corners=False):
    """Clamp the left neighbour, but measure the fraction from where it then is."""
    at = _coordinates(n_in, n_out, _grid(align_corners))
    left = np.clip(np.floor(at), 0, max(n_in - 2, 0)).astype(int)
    return _placed(n_in, (left, 1 - (at - left)), (_inside(left + 1, n_in), at - left))


def _border_dark(n_in, n_out, align_corners=False):
    return _hat(n_in, _coordinates(n_in, n_out, _grid(align_corners)))


def _wrapped(n_in, n_out, align_corners=False):
    """Index without clamping: -1 is the last pixel, and one past the end starts again."""
    at = _coordinates(n_in, n_out, _grid(align_corners))
    left = np.floor(at).astype(int)
    return _placed(n_in, (left % n_in, 1 - (at - left)), ((left + 1) % n_in, at - left))


def _to_nearest(n_in, n_out, align_corners=False):
    at = _coordinates(n_in, n_out, _grid(align_corners))
    return np.eye(n_in)[_inside(np.floor(at + 0.5), n_in)]


def _antialiased(n_in, n_out, align_corners=False):
    """Widen the hat when shrinking, cut it off at the border and make the rows sum to 1."""
    at = _coordinates(n_in, n_out, _grid(align_corners))
    scale = (n_in - 1) / max(n_out - 1, 1) if align_corners else n_in / n_out
    scale = max(scale, 1)
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n_in)) / scale)
    return weights / weights.sum(axis=1, keepdims=True)


def _matrix_cases(rng) -> Iterator[Case]:
    aligned = {"align_corners": True}
    yield Case(
        "half_pixel",
        (2, 4),
        visible=True,
        expected=[[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]],
    )
    yield Case("half_pixel", (2, 2), visible=True, expected=[[1, 0], [0, 1]])
    yield Case(
        "align_corners",
        (3, 5),
        aligned,
        visible=True,
        expected=[[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]],
    )
    yield Case("shrinking", (4, 2), visible=True, expected=[[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    yield Case("single pixels", (1, 2), visible=True, expected=[[1], [1]])
    yield Case("single pixels", (3, 1), aligned, visible=True, expected=[[1, 0, 0]])
    for name, more in (("half_pixel", {}), ("align_corners", aligned)):
        for _ in range(12):
            n_in = int(rng.integers(2, 8))
            yield Case(name, (n_in, n_in + int(rng.integers(0, 9))), more)
        yield Case(name, (4, 9), more)
    for more in ({}, aligned):
        for _ in range(6):
            n_out = int(rng.integers(2, 7))
            yield Case("shrinking", (n_out + int(rng.integers(1, 9)), n_out), more)
        yield Case("shrinking", (9, 4), more)
        for n_in, n_out in ((1, 1), (1, int(rng.integers(2, 7))), (int(rng.integers(3, 9)), 1)):
            yield Case("single pixels", (n_in, n_out), more)
    yield Case("single pixels", (2, 1), {"align_corners": False})


def _weights_in_words(name, row):
    """Say how much of each pixel goes into an output."""
    terms = [f"{_number(v)}·{name}[{j}]" for j, v in enumerate(row) if abs(v) > 1e-9]
    return " + ".join(terms)


def _linear_explain(at, n_in, n_out, align_corners=False):
    i = at[0]
    place = _coordinates(n_in, n_out, _grid(align_corners))[i]
    return (
        f"Output {i} lies at {_number(place)} in the input; clamped to it, it is "
        f"{_weights_in_words('x', _bilinear(n_in, n_out, align_corners)[i])}."
    )


LINEAR_MATRIX = Spec(
    name="linear_matrix",
    title="Linear interpolation as a matrix",
    summary="Build the matrix that interpolates linearly from one length to another.",
    chapter=f"{WEIGHTS}#resize-matrix",
    parameters="n_in, n_out, align_corners=False",
    minutes=30,
    difficulty="medium",
    aspects=(
        Aspect("half_pixel", 2),
        Aspect("align_corners", 1),
        Aspect("shrinking", 1),
        Aspect("single pixels", 1),
    ),
    cases=_matrix_cases,
    oracles={"PyTorch": torch_linear_matrix, "TensorFlow": tf_linear_matrix},
    explain=_linear_explain,
    size_formula=lambda n_in, n_out, align_corners=False: (
        f"It has one row for each of the {n_out} outputs and one column for each of the {n_in} "
        "inputs."
    ),
    misconceptions=(
        Misconception(
            "weights-exchanged",
            "The two weights are exchanged",
            "Each neighbour is weighed by its own distance, so the farther one counts more. The "
            "nearer a pixel is, the more it counts.",
            f"{WEIGHTS}#linear-weights",
            _weights_exchanged,
        ),
        Misconception(
            "border-weights-lost",
            "Weights are lost at the border",
            "Where a neighbour does not exist its weight is left out, so the row does not sum to "
            "1 and the border darkens. The border's own pixel stands in for it.",
            f"{WEIGHTS}#border-weights",
            _border_dark,
        ),
        Misconception(
            "border-overwritten",
            "A border weight is overwritten",
            "At the border both neighbours are the same pixel, and the second weight replaces the "
            "first. They add up.",
            f"{WEIGHTS}#border-weights",
            _border_overwritten,
        ),
        Misconception(
            "border-extrapolated",
            "The border is extrapolated",
            "Beyond the last centre the line through the two outermost pixels is drawn on, with "
            "a weight above 1 and one below 0. The coordinate is clamped there: the border's "
            "value stays.",
            f"{GRIDS}#clamp-at-border",
            _extrapolated,
        ),
        Misconception(
            "border-wraps-around",
            "The border wraps round to the other end",
            "A neighbour before the first pixel is looked up at the other end: in Python, index "
            "-1 is the last one. The border's own pixel stands in for it.",
            f"{GRIDS}#clamp-at-border",
            _wrapped,
        ),
        Misconception(
            "asymmetric-grid",
            "The half pixels are missing",
            "Without `align_corners`, outputs are placed by their left edges. The weights are "
            "made for centres: half_pixel is the grid here.",
            f"{GRIDS}#half-pixel",
            lambda n_in, n_out, align_corners=False: _on_grid(
                "align_corners" if align_corners else "asymmetric"
            )(n_in, n_out),
        ),
        Misconception(
            "align-corners-ignored",
            "align_corners is ignored",
            "The half_pixel grid is used whether or not `align_corners` is asked for.",
            f"{GRIDS}#align-corners",
            lambda n_in, n_out, align_corners=False: _bilinear(n_in, n_out),
        ),
        Misconception(
            "corners-always-aligned",
            "The corners are always aligned",
            "The first and last outputs fall on the first and last inputs even without "
            "`align_corners`. Then the half_pixel grid is the one to use.",
            f"{GRIDS}#align-corners",
            lambda n_in, n_out, align_corners=False: _bilinear(n_in, n_out, True),
        ),
        Misconception(
            "align-corners-inverted",
            "align_corners is the wrong way round",
            "The corners are aligned exactly when they should not be.",
            f"{GRIDS}#align-corners",
            lambda n_in, n_out, align_corners=False: _bilinear(n_in, n_out, not align_corners),
        ),
        Misconception(
            "nearest-only",
            "Only the nearest pixel counts",
            "Each row has a single 1, so pixels are copied and not mixed. An output between two "
            "centres takes something of both.",
            f"{WEIGHTS}#linear-weights",
            _to_nearest,
        ),
        Misconception(
            "equal-weights",
            "Both neighbours count the same",
            "An output between two pixels is their plain mean, wherever between them it lies. "
            "The nearer one counts more.",
            f"{WEIGHTS}#linear-weights",
            lambda n_in, n_out, align_corners=False: _halved(n_in, n_out, align_corners),
        ),
        Misconception(
            "antialiased",
            "This smooths when it shrinks",
            "When the output is the smaller one, more than two pixels are averaged. That is "
            "antialiasing, which has to be asked for; plain interpolation looks at two.",
            f"{WEIGHTS}#antialias",
            _antialiased,
        ),
        Misconception(
            "transposed",
            "Rows and columns are exchanged",
            "The matrix has a row for each input. It turns inputs into outputs, so it has a row "
            "for each output.",
            f"{WEIGHTS}#resize-matrix",
            lambda n_in, n_out, align_corners=False: _bilinear(n_in, n_out, align_corners).T,
        ),
    ),
)


def _halved(n_in, n_out, align_corners):
    at = np.clip(_coordinates(n_in, n_out, _grid(align_corners)), 0, n_in - 1)
    return _placed(n_in, *((_inside(f(at), n_in), 0.5) for f in (np.floor, np.ceil)))


# -- upsample_bilinear2d ------------------------------------------------------------------


def _aligned(flag):
    return {"align_corners": True} if flag else {}


def _bilinear_cases(rng) -> Iterator[Case]:
    square = _image([0, 8], [16, 24])
    yield Case("half_pixel", (_image([0, 4]), (1, 4)), visible=True, expected=[[[[0, 1, 3, 4]]]])
    yield Case(
        "half_pixel",
        (square, (4, 4)),
        visible=True,
        expected=[[[[0, 2, 6, 8], [4, 6, 10, 12], [12, 14, 18, 20], [16, 18, 22, 24]]]],
    )
    yield Case(
        "align_corners",
        (_image([0, 3], [6, 9]), (4, 4)),
        _aligned(True),
        visible=True,
        expected=[[[[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]]],
    )
    yield Case("shrinking", (_image([1, 3, 5, 9]), (1, 2)), visible=True, expected=[[[[2, 7]]]])
    yield Case(
        "batch and channels",
        (np.float32([[[[0], [4]], [[4], [8]]]]), (4, 1)),
        visible=True,
        expected=[[[[0], [1], [3], [4]], [[4], [5], [7], [8]]]],
    )
    yield Case(
        "dtype and inputs",
        (_image([1], [2]), (3, 1)),
        {},
        visible=True,
        expected=_image([1], [1.5], [2]),
        exact_dtype=True,
    )
    yield Case(  # one number for both
        "dtype and inputs",
        (_image([2], [6]), 2),
        visible=True,
        expected=[[[[2, 2], [6, 6]]]],
    )
    for flag in (False, True):
        name = _grid(flag)
        for _ in range(10):
            h, w = (int(v) for v in rng.integers(1, 6, 2))
            size = (h + int(rng.integers(0, 5)), w + int(rng.integers(0, 5)))
            yield Case(name, (_images(rng, 1, 1, h, w), size), _aligned(flag))
        yield Case("dtype and inputs", (_images(rng, 1, 1, 2, 3), 5), _aligned(flag))
        yield Case(name, (_images(rng, 1, 1, 3, 2), (4, 7)), _aligned(flag))
        yield Case(name, (_images(rng, 1, 1, 1, 1), (2, 3)), _aligned(flag))
        for _ in range(5):
            ho, wo = (int(v) for v in rng.integers(1, 5, 2))
            h, w = ho + int(rng.integers(1, 6)), wo + int(rng.integers(0, 6))
            yield Case("shrinking", (_images(rng, 1, 1, h, w), (ho, wo)), _aligned(flag))
        yield Case("shrinking", (_images(rng, 1, 1, 7, 5), (3, 2)), _aligned(flag))
        for _ in range(3):
            n, c = int(rng.integers(1, 3)), int(rng.integers(2, 4))
            h, w, ho, wo = (int(v) for v in rng.integers(2, 7, 4))
            images = _images(rng, n, c, h, w)
            yield Case("batch and channels", (images, (ho, wo)), _aligned(flag))
    yield Case("batch and channels", (_images(rng, 2, 3, 2, 3), (3, 5)))
    for x in _layouts(rng, 2, 2, 3, 2):
        yield Case("dtype and inputs", (x, (6, 4)), exact_dtype=True)
        yield Case("dtype and inputs", (x, (5, 5)), _aligned(True), exact_dtype=True)


def _bilinear_explain(at, x, size, align_corners=False):
    n, c, i, j = at
    places = [
        np.clip(_coordinates(a, b, _grid(align_corners))[k], 0, a - 1)
        for a, b, k in zip(x.shape[2:], _pair(size), (i, j), strict=True)
    ]
    row, column = map(_number, places)
    return (
        f"z[{n}, {c}, {i}, {j}] lies at row {row}, column {column} of the input, clamped to it: "
        "the pixels around that place, each weighed by how near it is."
    )


def _sum_of_both(x, size, align_corners=False):
    """Average an interpolation along rows with one along columns, nearest the other way."""
    rows = _resized(x, size, _bilinear, align_corners, columns=_to_nearest)
    columns = _resized(x, size, _to_nearest, align_corners, columns=_bilinear)
    return (rows + columns) / 2


def _fractions_crossed(x, size, align_corners=False):
    """Weigh rows by the column's fraction and columns by the row's."""
    h, w = _pair(size)
    top, bottom, s = _neighbours(x.shape[2], h, align_corners)
    left, right, t = _neighbours(x.shape[3], w, align_corners)
    down, along = t[None, :], s[:, None]  # exchanged
    corner = lambda rows, columns: x[:, :, rows][:, :, :, columns]
    upper = corner(top, left) * (1 - along) + corner(top, right) * along
    lower = corner(bottom, left) * (1 - along) + corner(bottom, right) * along
    return upper * (1 - down) + lower * down


def _with(matrix):
    """Return the misconception of an image resized with this matrix along both axes."""
    return lambda x, size, align_corners=False: _resized(x, size, matrix, align_corners)


UPSAMPLE_BILINEAR2D = Spec(
    name="upsample_bilinear2d",
    title="Bilinear interpolation",
    summary="Resize a batch of images by weighing the four pixels around each output.",
    chapter=f"{WEIGHTS}#separable",
    parameters="x, size, align_corners=False",
    minutes=25,
    difficulty="medium",
    aspects=(
        Aspect("half_pixel", 2),
        Aspect("align_corners", 1),
        Aspect("shrinking", 1),
        Aspect("batch and channels", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_bilinear_cases,
    oracles={"PyTorch": torch_upsample_bilinear2d, "TensorFlow": tf_upsample_bilinear2d},
    explain=_bilinear_explain,
    size_formula=_image_size,
    misconceptions=(
        Misconception(
            "weights-exchanged",
            "The weights go to the wrong neighbours",
            "Each corner is weighed by the distance to itself, so the farthest counts most. A "
            "corner's weight is the area on the opposite side.",
            f"{WEIGHTS}#linear-weights",
            _with(_weights_exchanged),
        ),
        Misconception(
            "fractions-crossed",
            "The fractions of x and y are exchanged",
            "Rows are mixed by how far the output lies between two columns, and columns by how "
            "far it lies between two rows.",
            f"{WEIGHTS}#separable",
            _fractions_crossed,
        ),
        Misconception(
            "x-and-y-exchanged",
            "x and y are exchanged",
            "Rows are looked up with the column's coordinate and columns with the row's, which "
            "lays the picture on its side.",
            f"{WEIGHTS}#separable",
            lambda x, size, align_corners=False: _resized(
                x.swapaxes(2, 3), size, _bilinear, align_corners
            ),
        ),
        Misconception(
            "size-is-width-first",
            "The size is read as (width, height)",
            "The output's height and width are exchanged. Arrays are indexed row first, so the "
            "height comes first; image libraries often say it the other way round.",
            f"{GRIDS}#destination-to-source",
            lambda x, size, align_corners=False: _resized(
                x, _pair(size)[::-1], _bilinear, align_corners
            ),
        ),
        Misconception(
            "one-axis-only",
            "Only one axis is interpolated",
            "Rows are mixed, but columns are only copied. Bilinear means linear along one axis "
            "and then along the other.",
            f"{WEIGHTS}#separable",
            lambda x, size, align_corners=False: _resized(
                x, size, _bilinear, align_corners, columns=_to_nearest
            ),
        ),
        Misconception(
            "averaged-not-multiplied",
            "The two axes are averaged",
            "An interpolation along the rows and one along the columns are averaged. The weights "
            "of the two axes multiply.",
            f"{WEIGHTS}#separable",
            _sum_of_both,
        ),
        Misconception(
            "border-darkens",
            "The border darkens",
            "Neighbours outside the image count as 0, so the border loses brightness. The "
            "border's own pixels stand in for them.",
            f"{WEIGHTS}#border-weights",
            _with(_border_dark),
        ),
        Misconception(
            "border-extrapolated",
            "The border is extrapolated",
            "Beyond the last centres the slope is carried on, out of the range of the input. The "
            "coordinate is clamped there: the border's value stays.",
            f"{GRIDS}#clamp-at-border",
            _with(_extrapolated),
        ),
        Misconception(
            "border-wraps-around",
            "The border wraps round to the other side",
            "A neighbour before the first row or column is looked up on the other side: in "
            "Python, index -1 is the last one.",
            f"{GRIDS}#clamp-at-border",
            _with(_wrapped),
        ),
        Misconception(
            "asymmetric-grid",
            "The half pixels are missing",
            "Without `align_corners`, outputs are placed by their top left corners, which shifts "
            "the picture. The weights are made for centres: half_pixel is the grid here.",
            f"{GRIDS}#half-pixel",
            lambda x, size, align_corners=False: _resized(
                x, size, _on_grid("align_corners" if align_corners else "asymmetric")
            ),
        ),
        Misconception(
            "align-corners-ignored",
            "align_corners is ignored",
            "The half_pixel grid is used whether or not `align_corners` is asked for.",
            f"{GRIDS}#align-corners",
            lambda x, size, align_corners=False: _resized(x, size, _bilinear),
        ),
        Misconception(
            "corners-always-aligned",
            "The corners are always aligned",
            "The corners of the output fall on those of the input even without `align_corners`. "
            "Then the half_pixel grid is the one to use.",
            f"{GRIDS}#align-corners",
            lambda x, size, align_corners=False: _resized(x, size, _bilinear, True),
        ),
        Misconception(
            "nearest-only",
            "Only the nearest pixel counts",
            "Pixels are copied and not mixed. An output between four centres takes something of "
            "each.",
            f"{WEIGHTS}#linear-weights",
            _with(_to_nearest),
        ),
        Misconception(
            "antialiased",
            "This smooths when it shrinks",
            "When the output is the smaller one, more than two pixels along an axis are averaged. "
            "That is antialiasing, which has to be asked for.",
            f"{WEIGHTS}#antialias",
            _with(_antialiased),
        ),
    ),
)


# -- upsample_bicubic2d -------------------------------------------------------------------


def _keys(distance, a):
    """Return the cubic weight of a pixel at a distance."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _cubic_at(n_in, at, a, border=_inside, *, late=0):
    """Return the cubic weights at coordinates; `border(index, n)` moves taps into the image."""
    left = np.floor(at)
    taps = [(left + k, _keys(at - left - k, a)) for k in (-1, 0, 1, 2)]
    return _placed(n_in, *((border(index + late, n_in), weight) for index, weight in taps))


def _bicubic(n_in, n_out, a=-0.75, align_corners=False):
    """Return the cubic interpolation matrix by its definition."""
    return _cubic_at(n_in, _coordinates(n_in, n_out, _grid(align_corners)), a)


def _reflected(index, n):
    """Mirror indices at the centres of the border's pixels."""
    period = max(2 * (n - 1), 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index).astype(int) if n > 1 else index.astype(int) * 0


def _around(index, n):
    return (index % n).astype(int)


def _cubic_lost(n_in, n_out, a, align_corners):
    at = _coordinates(n_in, n_out, _grid(align_corners))
    return _keys(at[:, None] - np.arange(n_in), a)


def _cubic_renormalised(n_in, n_out, a, align_corners):
    weights = _cubic_lost(n_in, n_out, a, align_corners)
    return weights / weights.sum(axis=1, keepdims=True)


def _cubic_antialiased(n_in, n_out, a, align_corners):
    at = _coordinates(n_in, n_out, _grid(align_corners))
    scale = (n_in - 1) / max(n_out - 1, 1) if align_corners else n_in / n_out
    weights = _keys((at[:, None] - np.arange(n_in)) / max(scale, 1), a)
    return (
        weights / weights.sum(axis=1, keepdims=True)
        if scale > 1
        else _bicubic(n_in, n_out, a, align_corners)
    )


def _cubic_reversed(n_in, n_out, a, align_corners):
    at = _coordinates(n_in, n_out, _grid(align_corners))
    left = np.floor(at)
    taps = ((_inside(left + k, n_in), _keys(1 - (at - left) - k, a)) for k in (-1, 0, 1, 2))
    return _placed(n_in, *taps)


def _inner_taps(n_in, n_out, a, align_corners):
    at = _coordinates(n_in, n_out, _grid(align_corners))
    left = np.floor(at)
    return _placed(n_in, *((_inside(left + k, n_in), _keys(at - left - k, a)) for k in (0, 1)))


def _with_cubic(matrix):
    """Return the misconception of an image resized with this cubic matrix along both axes."""
    return lambda x, size, a=-0.75, align_corners=False: _resized(x, size, matrix, a, align_corners)


def _on_border(border):
    return _with_cubic(
        lambda n_in, n_out, a, align_corners: _cubic_at(
            n_in, _coordinates(n_in, n_out, _grid(align_corners)), a, border
        )
    )


def _bicubic_cases(rng) -> Iterator[Case]:
    step = _image([0, 256])
    other = {"a": -0.5}
    yield Case("a = -0.75", (step, (1, 4)), visible=True, expected=[[[[-27, 58, 198, 283]]]])
    yield Case("another a", (step, (1, 4)), other, visible=True, expected=[[[[-18, 52, 204, 274]]]])
    yield Case(
        "align_corners",
        (_image([32, 0, 0]), (1, 5)),
        _aligned(True),
        visible=True,
        expected=[[[[32, 16, 0, -3, 0]]]],
    )
    yield Case("shrinking", (_image([0, 32, 0, 0]), (1, 2)), visible=True, expected=[[[[19, -3]]]])
    yield Case(
        "dtype and inputs",
        (_image([0], [128]), (4, 1)),
        visible=True,
        expected=_image([-13.5], [29], [99], [141.5]),
        exact_dtype=True,
    )
    yield Case(  # one number for both
        "dtype and inputs",
        (_image([2], [6]), 2),
        visible=True,
        expected=[[[[2, 2], [6, 6]]]],
    )

    def drawn(grow, n=1, c=1):
        h, w = (int(v) for v in rng.integers(1, 7, 2))
        more = rng.integers(0 if grow else 1, 6, 2)
        big = (h + int(more[0]), w + int(more[1]))
        return (_images(rng, n, c, h, w), big) if grow else (_images(rng, n, c, *big), (h, w))

    def another():
        return {"a": float(rng.choice([-0.5, -0.5, -0.6, -1.0, -0.25]))}

    for _ in range(10):
        yield Case("a = -0.75", drawn(True, *rng.integers(1, 3, 2)))
        yield Case("another a", drawn(True), another())
    for _ in range(6):
        yield Case("align_corners", drawn(True), _aligned(True))
        yield Case("shrinking", drawn(False))
    for _ in range(3):
        yield Case("align_corners", drawn(True), _aligned(True) | another())
        yield Case("shrinking", drawn(False), another())
        yield Case("shrinking", drawn(False), _aligned(True))
    yield Case("a = -0.75", (_images(rng, 1, 1, 4, 5), (9, 7)))
    yield Case("dtype and inputs", (_images(rng, 1, 1, 5, 3), 8))
    yield Case("a = -0.75", (_images(rng, 1, 1, 1, 2), (2, 3)))
    yield Case("another a", (_images(rng, 1, 2, 5, 4), (7, 9)), other)
    yield Case("align_corners", (_images(rng, 2, 1, 4, 5), (1, 7)), _aligned(True))
    yield Case("shrinking", (_images(rng, 1, 1, 9, 8), (4, 3)))
    for x in _layouts(rng, 2, 2, 4, 2):
        yield Case("dtype and inputs", (x, (8, 8)), exact_dtype=True)
        yield Case("dtype and inputs", (x, (4, 4)), other, exact_dtype=True)


def _bicubic_explain(at, x, size, a=-0.75, align_corners=False):
    n, c, i, j = at
    row, column = (
        _number(_coordinates(n_in, n_out, _grid(align_corners))[k])
        for n_in, n_out, k in zip(x.shape[2:], _pair(size), (i, j), strict=True)
    )
    return (
        f"z[{n}, {c}, {i}, {j}] lies at row {row}, column {column} of the input. Along each axis "
        "four pixels count, two on either side; beyond the border, the border's own pixel stands "
        "in."
    )


UPSAMPLE_BICUBIC2D = Spec(
    name="upsample_bicubic2d",
    title="Bicubic interpolation",
    summary="Resize a batch of images with four cubic weights along each axis.",
    chapter=f"{WEIGHTS}#cubic-kernel",
    parameters="x, size, a=-0.75, align_corners=False",
    minutes=40,
    difficulty="hard",
    aspects=(
        Aspect("a = -0.75", 2),
        Aspect("another a", 1),
        Aspect("align_corners", 1),
        Aspect("shrinking", 1),
        Aspect("dtype and inputs", 1),
    ),
    cases=_bicubic_cases,
    oracles={"PyTorch": torch_upsample_bicubic2d, "TensorFlow": tf_upsample_bicubic2d},
    explain=_bicubic_explain,
    size_formula=_image_size,
    misconceptions=(
        Misconception(
            "a-ignored",
            "a is always −0.75",
            "The kernel is PyTorch's whatever `a` says.",
            f"{WEIGHTS}#cubic-a",
            lambda x, size, a=-0.75, align_corners=False: _resized(
                x, size, _bicubic, -0.75, align_corners
            ),
        ),
        Misconception(
            "a-is-tensorflows",
            "a is always −0.5",
            "The kernel is TensorFlow's (and Keys' own) whatever `a` says.",
            f"{WEIGHTS}#cubic-a",
            lambda x, size, a=-0.75, align_corners=False: _resized(
                x, size, _bicubic, -0.5, align_corners
            ),
        ),
        Misconception(
            "a-of-the-wrong-sign",
            "a has the wrong sign",
            "The outer pixels are added where they should be taken away. `a` is the slope of the "
            "kernel at distance 1, and there it falls.",
            f"{WEIGHTS}#cubic-a",
            lambda x, size, a=-0.75, align_corners=False: _resized(
                x, size, _bicubic, -a, align_corners
            ),
        ),
        Misconception(
            "border-weights-lost",
            "Weights are lost at the border",
            "Pixels beyond the border are left out, so the weights no longer sum to 1. The "
            "border's own pixel stands in for each of them.",
            f"{WEIGHTS}#border-weights",
            _with_cubic(_cubic_lost),
        ),
        Misconception(
            "border-renormalised",
            "The border is TensorFlow's",
            "Pixels beyond the border are left out and the other weights are divided by their "
            "sum. TensorFlow does that; here, as in PyTorch, the border's own pixel stands in.",
            f"{WEIGHTS}#border-weights",
            _with_cubic(_cubic_renormalised),
        ),
        Misconception(
            "border-reflected",
            "The border is a mirror",
            "Beyond the border the image comes back in reverse. Here the border's own pixel "
            "stands in for all that lies beyond it.",
            f"{GRIDS}#clamp-at-border",
            _on_border(_reflected),
        ),
        Misconception(
            "border-wraps-around",
            "The border wraps round to the other side",
            "Beyond the border the image starts again at its other side: in Python, index -1 is "
            "the last one. The border's own pixel stands in.",
            f"{GRIDS}#clamp-at-border",
            _on_border(_around),
        ),
        Misconception(
            "coordinate-clamped",
            "The coordinate is clamped, not the pixels",
            "Coordinates are clamped to the image before the weights are worked out. That is "
            "right for two neighbours; with four, each neighbour's index is clamped and the "
            "weights stay as they are.",
            f"{WEIGHTS}#border-weights",
            _with_cubic(
                lambda n_in, n_out, a, align_corners: _cubic_at(
                    n_in,
                    np.clip(_coordinates(n_in, n_out, _grid(align_corners)), 0, n_in - 1),
                    a,
                )
            ),
        ),
        Misconception(
            "taps-one-late",
            "The four pixels start one too late",
            "The first of the four weights belongs to the pixel before the left neighbour, not to "
            "the left neighbour itself. Two pixels count on either side.",
            f"{WEIGHTS}#cubic-kernel",
            _with_cubic(
                lambda n_in, n_out, a, align_corners: _cubic_at(
                    n_in, _coordinates(n_in, n_out, _grid(align_corners)), a, late=1
                )
            ),
        ),
        Misconception(
            "weights-reversed",
            "The weights are in reverse",
            "The four weights are those of a place as far from the right neighbour as the output "
            "is from the left one. The nearer a pixel is, the more it counts.",
            f"{WEIGHTS}#cubic-kernel",
            _with_cubic(_cubic_reversed),
        ),
        Misconception(
            "outer-pixels-forgotten",
            "Only two pixels count",
            "The kernel is cut off at distance 1, and the weights do not sum to 1. It reaches as "
            "far as distance 2, with another formula beyond 1.",
            f"{WEIGHTS}#cubic-kernel",
            _with_cubic(_inner_taps),
        ),
        Misconception(
            "overshoot-clipped",
            "The overshoot is clipped",
            "Results are kept within the range of the input. Cubic weights may be negative, so "
            "results beside an edge may lie outside it; an image for the screen is clipped later.",
            f"{WEIGHTS}#cubic-kernel",
            lambda x, size, a=-0.75, align_corners=False: np.clip(
                _resized(x, size, _bicubic, a, align_corners), x.min(), x.max()
            ),
        ),
        Misconception(
            "linear-weights",
            "The weights are linear",
            "This is bilinear interpolation. The cubic kernel weighs four pixels along each axis.",
            f"{WEIGHTS}#cubic-kernel",
            lambda x, size, a=-0.75, align_corners=False: _resized(
                x, size, _bilinear, align_corners
            ),
        ),
        Misconception(
            "asymmetric-grid",
            "The half pixels are missing",
            "Without `align_corners`, outputs are placed by their top left corners, which shifts "
            "the picture. half_pixel is the grid here.",
            f"{GRIDS}#half-pixel",
            _with_cubic(
                lambda n_in, n_out, a, align_corners: _cubic_at(
                    n_in,
                    _coordinates(n_in, n_out, "align_corners" if align_corners else "asymmetric"),
                    a,
                )
            ),
        ),
        Misconception(
            "align-corners-ignored",
            "align_corners is ignored",
            "The half_pixel grid is used whether or not `align_corners` is asked for.",
            f"{GRIDS}#align-corners",
            lambda x, size, a=-0.75, align_corners=False: _resized(x, size, _bicubic, a),
        ),
        Misconception(
            "corners-always-aligned",
            "The corners are always aligned",
            "The corners of the output fall on those of the input even without `align_corners`. "
            "Then the half_pixel grid is the one to use.",
            f"{GRIDS}#align-corners",
            lambda x, size, a=-0.75, align_corners=False: _resized(x, size, _bicubic, a, True),
        ),
        Misconception(
            "size-is-width-first",
            "The size is read as (width, height)",
            "The output's height and width are exchanged. Arrays are indexed row first, so the "
            "height comes first.",
            f"{GRIDS}#destination-to-source",
            lambda x, size, a=-0.75, align_corners=False: _resized(
                x, _pair(size)[::-1], _bicubic, a, align_corners
            ),
        ),
        Misconception(
            "antialiased",
            "This smooths when it shrinks",
            "When the output is the smaller one, the kernel is widened to average more pixels. "
            "That is antialiasing, which has to be asked for; here four pixels count always.",
            f"{WEIGHTS}#antialias",
            _with_cubic(_cubic_antialiased),
        ),
    ),
)


# -- moving channels into space and back --------------------------------------------------


def _move(x, shape, axes, into):
    """Reshape, exchange axes and reshape again."""
    return x.reshape(shape).transpose(axes).reshape(into)


def _shuffle_by(axes, *, depth_first=False):
    """Return a pixel shuffle whose axes (image, channel, block row, block column, row, column)
    are read in this order; with `depth_first` the channel comes after the block's two.
    """

    def shuffle(x, r):
        n, c, h, w = x.shape
        c //= r * r
        shape = (n, r, r, c, h, w) if depth_first else (n, c, r, r, h, w)
        turned = axes[2:4] == (5, 3)
        return _move(x, shape, axes, (n, c, w * r, h * r) if turned else (n, c, h * r, w * r))

    return shuffle


_pixel_shuffle = _shuffle_by((0, 1, 4, 2, 5, 3))


def _rows_only(x, r):
    n, c, h, w = x.shape
    return _move(x, (n, c // r, r, h, w), (0, 1, 3, 2, 4), (n, c // r, h * r, w))


def _planes(rng, *shape):
    """Draw different whole numbers, so that each one's place can be told."""
    return (rng.permutation(int(np.prod(shape))) + 1.0).reshape(shape)


def _plane_layouts(rng, n, c, h, w):
    """Yield arrays in float32 and float64: as usual, read-only, transposed and strided."""
    for dtype in (np.float32, np.float64):
        yield _planes(rng, n, c, h, w).astype(dtype)
        x = _planes(rng, n, c, h, w).astype(dtype)
        x.flags.writeable = False
        yield x
        yield _planes(rng, n, c, w, h).astype(dtype).swapaxes(2, 3)
        yield _planes(rng, n, c, 2 * h, w).astype(dtype)[:, :, ::2]


def _shuffle_cases(rng) -> Iterator[Case]:
    one = np.arange(1.0, 9).reshape(1, 4, 1, 2)
    yield Case("one channel", (one, 2), visible=True, expected=[[[[1, 3, 2, 4], [5, 7, 6, 8]]]])
    two = np.arange(1.0, 9).reshape(1, 8, 1, 1)
    yield Case(
        "several channels",
        (two, 2),
        visible=True,
        expected=[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]],
    )
    yield Case(
        "dtype and inputs",
        (np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1), 2),
        visible=True,
        expected=_image([1, 2], [3, 4]),
        exact_dtype=True,
    )
    for c, name in ((1, "one channel"), (2, "several channels")):
        for _ in range(12):
            n, h, w, r = (int(rng.integers(lo, hi)) for lo, hi in ((1, 3), (1, 5), (1, 5), (2, 4)))
            channels = c if c == 1 else int(rng.integers(2, 5))
            yield Case(name, (_planes(rng, n, channels * r * r, h, w), r))
        yield Case(name, (_planes(rng, 2, 4 * c, 3, 2), 2))
        yield Case(name, (_planes(rng, 1, 9 * c, 2, 3), 3))
        yield Case(name, (_planes(rng, 1, c, 2, 3), 1))
    yield Case("one channel", (_planes(rng, 1, 16, 2, 1), 4))
    for x in _plane_layouts(rng, 2, 8, 3, 2):
        yield Case("dtype and inputs", (x, 2), exact_dtype=True)


def _shuffle_explain(at, x, r):
    n, c, i, j = at
    return (
        f"z[{n}, {c}, {i}, {j}] comes from x[{n}, {c * r * r + i % r * r + j % r}, {i // r}, "
        f"{j // r}]."
    )


SHUFFLE_ASPECTS = (
    Aspect("one channel", 1),
    Aspect("several channels", 2),
    Aspect("dtype and inputs", 1),
)

PIXEL_SHUFFLE = Spec(
    name="pixel_shuffle",
    title="Pixel shuffle",
    summary="Turn groups of channels into blocks of pixels, in PyTorch's order.",
    chapter=f"{CHANNELS}#pixel-shuffle",
    parameters="x, r",
    minutes=25,
    difficulty="medium",
    aspects=SHUFFLE_ASPECTS,
    cases=_shuffle_cases,
    oracles={"PyTorch": torch_pixel_shuffle, "TensorFlow": tf_pixel_shuffle},
    explain=_shuffle_explain,
    size_formula=lambda x, r: (
        f"{x.shape[1]} channels are {x.shape[1] // r**2} groups of {r}·{r}; height and width grow "
        f"{r} times."
    ),
    misconceptions=(
        Misconception(
            "tensorflows-order",
            "The channels are in TensorFlow's order",
            "Channels that lie side by side go to different output channels, as in TensorFlow's "
            "`depth_to_space`. In PyTorch's order they are one block of one output channel.",
            f"{CHANNELS}#channel-orders",
            _shuffle_by((0, 3, 4, 1, 5, 2), depth_first=True),
        ),
        Misconception(
            "block-transposed",
            "Rows and columns of the block are exchanged",
            "Within a block the channels run down the columns. They fill it row by row.",
            f"{CHANNELS}#pixel-shuffle",
            _shuffle_by((0, 1, 4, 3, 5, 2)),
        ),
        Misconception(
            "laid-side-by-side",
            "The channels are laid side by side",
            "Each channel stays in one piece, and the pieces are put together like tiles. Pixels "
            "of the channels have to alternate.",
            f"{CHANNELS}#pixel-shuffle",
            _shuffle_by((0, 1, 2, 4, 3, 5)),
        ),
        Misconception(
            "columns-side-by-side",
            "Rows alternate, columns do not",
            "The rows of the channels alternate, but along a row their pixels stay in one piece. "
            "They alternate along both axes.",
            f"{CHANNELS}#pixel-shuffle",
            _shuffle_by((0, 1, 4, 2, 3, 5)),
        ),
        Misconception(
            "rows-side-by-side",
            "Columns alternate, rows do not",
            "The columns of the channels alternate, but their rows stay in one piece. They "
            "alternate along both axes.",
            f"{CHANNELS}#pixel-shuffle",
            _shuffle_by((0, 1, 2, 4, 5, 3)),
        ),
        Misconception(
            "only-reshaped",
            "The array is only reshaped",
            "The numbers keep their order in memory and are read with other sizes. Channels have "
            "to be taken apart and their axes moved before the last reshape.",
            f"{CHANNELS}#pixel-shuffle",
            lambda x, r: x.reshape(x.shape[0], x.shape[1] // r**2, x.shape[2] * r, x.shape[3] * r),
        ),
        Misconception(
            "block-reversed",
            "The block is filled from its end",
            "The first channel of a group lands in the bottom right of each block. It belongs in "
            "the top left.",
            f"{CHANNELS}#pixel-shuffle",
            lambda x, r: _pixel_shuffle(_blocks_reversed(x, r), r),
        ),
        Misconception(
            "picture-on-its-side",
            "Height and width are exchanged",
            "The picture lies on its side: the input's columns have become rows.",
            f"{CHANNELS}#pixel-shuffle",
            _shuffle_by((0, 1, 5, 3, 4, 2)),
        ),
        Misconception(
            "first-channel-repeated",
            "One channel is repeated",
            "Each block holds one value again and again, as in nearest-neighbour upsampling. A "
            "block is made of as many different channels as it has pixels.",
            f"{CHANNELS}#pixel-shuffle",
            lambda x, r: x[:, :: r * r].repeat(r, axis=2).repeat(r, axis=3),
        ),
        Misconception(
            "rows-only",
            "Only the rows grow",
            "The groups have r channels and the picture grows in height alone. For a block of r "
            "by r pixels, r² channels are needed.",
            f"{CHANNELS}#pixel-shuffle",
            _rows_only,
        ),
    ),
)


def _blocks_reversed(x, r):
    n, c, h, w = x.shape
    return x.reshape(n, c // r**2, r**2, h, w)[:, :, ::-1].reshape(x.shape)


# -- pixel_unshuffle ----------------------------------------------------------------------


def _unshuffle_by(axes, *, tiles=False):
    """Return an inverse pixel shuffle that reads the axes (image, channel, row, block row,
    column, block column) in this order; with `tiles` each block is a stretch of the image.
    """

    def unshuffle(x, r):
        n, c, h, w = x.shape[0], x.shape[1], x.shape[2] // r, x.shape[3] // r
        shape = (n, c, r, h, r, w) if tiles else (n, c, h, r, w, r)
        turned = axes[-2:] == (4, 2)
        return _move(x, shape, axes, (n, c * r * r, w, h) if turned else (n, c * r * r, h, w))

    return unshuffle


_pixel_unshuffle = _unshuffle_by((0, 1, 3, 5, 2, 4))


def _unshuffle_rows_only(x, r):
    n, c, h, w = x.shape
    return _move(x, (n, c, h // r, r, w), (0, 1, 3, 2, 4), (n, c * r, h // r, w))


def _unshuffle_mixed(x, r):
    n, c, h, w = x.shape[0], x.shape[1], x.shape[2] // r, x.shape[3] // r
    return _move(x, (n, c, h, r, r, w), (0, 1, 3, 4, 2, 5), (n, c * r * r, h, w))


def _unshuffle_cases(rng) -> Iterator[Case]:
    one = np.array([[[[1.0, 3, 2, 4], [5, 7, 6, 8]]]])
    yield Case(
        "one channel",
        (one, 2),
        visible=True,
        expected=[[[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]]],
    )
    yield Case(
        "several channels",
        (np.arange(1.0, 9).reshape(1, 2, 2, 2), 2),
        visible=True,
        expected=np.arange(1.0, 9).reshape(1, 8, 1, 1),
    )
    yield Case(
        "dtype and inputs",
        (_image([1, 2], [3, 4]), 2),
        visible=True,
        expected=np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1),
        exact_dtype=True,
    )
    for c, name in ((1, "one channel"), (2, "several channels")):
        for _ in range(12):
            n, h, w, r = (int(rng.integers(lo, hi)) for lo, hi in ((1, 3), (1, 5), (1, 5), (2, 4)))
            channels = c if c == 1 else int(rng.integers(2, 5))
            yield Case(name, (_planes(rng, n, channels, h * r, w * r), r))
        yield Case(name, (_planes(rng, 2, c, 6, 4), 2))
        yield Case(name, (_planes(rng, 1, c, 6, 9), 3))
        yield Case(name, (_planes(rng, 1, c, 2, 3), 1))
    yield Case("one channel", (_planes(rng, 1, 1, 8, 4), 4))
    for x in _plane_layouts(rng, 2, 2, 6, 4):
        yield Case("dtype and inputs", (x, 2), exact_dtype=True)


def _unshuffle_explain(at, x, r):
    n, k, i, j = at
    c, inside = divmod(k, r * r)
    return (
        f"z[{n}, {k}, {i}, {j}] comes from x[{n}, {c}, {i * r + inside // r}, "
        f"{j * r + inside % r}]."
    )


PIXEL_UNSHUFFLE = Spec(
    name="pixel_unshuffle",
    title="Pixel unshuffle",
    summary="Turn blocks of pixels back into groups of channels.",
    chapter=f"{CHANNELS}#pixel-unshuffle",
    parameters="x, r",
    minutes=15,
    difficulty="medium",
    aspects=SHUFFLE_ASPECTS,
    cases=_unshuffle_cases,
    oracles={"PyTorch": torch_pixel_unshuffle, "TensorFlow": tf_pixel_unshuffle},
    explain=_unshuffle_explain,
    size_formula=lambda x, r: (
        f"Height and width shrink {r} times, and there are {r}·{r} times as many channels: "
        f"{x.shape[1] * r**2}."
    ),
    misconceptions=(
        Misconception(
            "tensorflows-order",
            "The channels come out in TensorFlow's order",
            "All channels' first pixels come first, then all second ones, as in TensorFlow's "
            "`space_to_depth`. In PyTorch's order the pixels of one channel stay together.",
            f"{CHANNELS}#channel-orders",
            _unshuffle_by((0, 3, 5, 1, 2, 4)),
        ),
        Misconception(
            "block-transposed",
            "Rows and columns of the block are exchanged",
            "The block is read down its columns. It is read row by row.",
            f"{CHANNELS}#pixel-unshuffle",
            _unshuffle_by((0, 1, 5, 3, 2, 4)),
        ),
        Misconception(
            "cut-into-tiles",
            "The picture is cut into tiles",
            "Each new channel is one corner of the picture. It is the whole picture seen coarsely: "
            "every r-th pixel along both axes.",
            f"{CHANNELS}#pixel-unshuffle",
            _unshuffle_by((0, 1, 2, 4, 3, 5), tiles=True),
        ),
        Misconception(
            "columns-cut-into-tiles",
            "Rows are thinned out, columns are cut",
            "Along the rows of a new channel lie neighbours of the old one. Every r-th pixel is "
            "taken along both axes.",
            f"{CHANNELS}#pixel-unshuffle",
            _unshuffle_mixed,
        ),
        Misconception(
            "only-reshaped",
            "The array is only reshaped",
            "The numbers keep their order in memory and are read with other sizes. Rows and "
            "columns have to be taken apart and their axes moved before the last reshape.",
            f"{CHANNELS}#pixel-unshuffle",
            lambda x, r: x.reshape(x.shape[0], x.shape[1] * r**2, x.shape[2] // r, x.shape[3] // r),
        ),
        Misconception(
            "only-the-top-left",
            "Only one pixel of each block is kept",
            "This thins the picture out. Nothing is lost here: the other pixels of each block go "
            "to channels of their own.",
            f"{CHANNELS}#pixel-unshuffle",
            lambda x, r: x[:, :, ::r, ::r],
        ),
        Misconception(
            "averaged",
            "Each block is averaged",
            "This is average pooling. Nothing is lost here: each pixel of a block goes to a "
            "channel of its own.",
            f"{CHANNELS}#pixel-unshuffle",
            lambda x, r: x.reshape(*x.shape[:2], x.shape[2] // r, r, x.shape[3] // r, r).mean(
                axis=(3, 5)
            ),
        ),
        Misconception(
            "block-reversed",
            "The block is read from its end",
            "The first new channel holds the bottom right of each block. It holds the top left.",
            f"{CHANNELS}#pixel-unshuffle",
            lambda x, r: _blocks_reversed(_pixel_unshuffle(x, r), r),
        ),
        Misconception(
            "picture-on-its-side",
            "Height and width are exchanged",
            "The pictures lie on their sides: the input's columns have become rows.",
            f"{CHANNELS}#pixel-unshuffle",
            _unshuffle_by((0, 1, 3, 5, 4, 2)),
        ),
        Misconception(
            "rows-only",
            "Only the rows are taken apart",
            "The picture shrinks in height alone. A block has r rows and r columns.",
            f"{CHANNELS}#pixel-unshuffle",
            _unshuffle_rows_only,
        ),
    ),
)


# -- depth_to_space_nhwc ------------------------------------------------------------------


def _depth_by(axes, *, channel_first=False):
    """Return a depth to space whose axes (image, row, column, block row, block column, channel)
    are read in this order; with `channel_first` the channel comes before the block's two.
    """

    def depth_to_space(x, r):
        n, h, w, c = x.shape
        c //= r * r
        shape = (n, h, w, c, r, r) if channel_first else (n, h, w, r, r, c)
        turned = axes[1:3] == (2, 3)
        return _move(x, shape, axes, (n, w * r, h * r, c) if turned else (n, h * r, w * r, c))

    return depth_to_space


_depth_to_space = _depth_by((0, 1, 3, 2, 4, 5))


def _depth_rows_only(x, r):
    n, h, w, c = x.shape
    return _move(x, (n, h, w, r, c // r), (0, 1, 3, 2, 4), (n, h * r, w, c // r))


def _depth_reversed(x, r):
    n, h, w, c = x.shape
    flipped = x.reshape(n, h, w, r * r, c // r**2)[:, :, :, ::-1]
    return _depth_to_space(flipped.reshape(x.shape), r)


def _depth_cases(rng) -> Iterator[Case]:
    yield Case(
        "one channel",
        (np.array([[[[1.0, 3, 5, 7], [2, 4, 6, 8]]]]), 2),
        visible=True,
        expected=[[[[1], [3], [2], [4]], [[5], [7], [6], [8]]]],
    )
    yield Case(
        "several channels",
        (np.arange(1.0, 9).reshape(1, 1, 1, 8), 2),
        visible=True,
        expected=[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]],
    )
    yield Case(
        "dtype and inputs",
        (np.arange(1, 5, dtype=np.float32).reshape(1, 1, 1, 4), 2),
        visible=True,
        expected=np.float32([[[[1], [2]], [[3], [4]]]]),
        exact_dtype=True,
    )
    for c, name in ((1, "one channel"), (2, "several channels")):
        for _ in range(12):
            n, h, w, r = (int(rng.integers(lo, hi)) for lo, hi in ((1, 3), (1, 5), (1, 5), (2, 4)))
            channels = c if c == 1 else int(rng.integers(2, 5))
            yield Case(name, (_planes(rng, n, h, w, channels * r * r), r))
        yield Case(name, (_planes(rng, 2, 3, 2, 4 * c), 2))
        yield Case(name, (_planes(rng, 1, 2, 3, 9 * c), 3))
    yield Case("one channel", (_planes(rng, 1, 2, 1, 16), 4))
    for x in _plane_layouts(rng, 2, 2, 3, 8):
        yield Case("dtype and inputs", (x, 2), exact_dtype=True)


def _depth_explain(at, x, r):
    n, i, j, c = at
    channel = (i % r * r + j % r) * (x.shape[3] // r**2) + c
    return f"z[{n}, {i}, {j}, {c}] comes from x[{n}, {i // r}, {j // r}, {channel}]."


DEPTH_TO_SPACE = Spec(
    name="depth_to_space_nhwc",
    title="Depth to space",
    summary="Do the same with the channels last, in TensorFlow's order.",
    chapter=f"{CHANNELS}#depth-to-space",
    parameters="x, r",
    minutes=20,
    difficulty="medium",
    aspects=SHUFFLE_ASPECTS,
    cases=_depth_cases,
    oracles={"TensorFlow": tf_depth_to_space, "PyTorch": torch_depth_to_space},
    explain=_depth_explain,
    size_formula=lambda x, r: (
        f"{x.shape[3]} channels become {x.shape[3] // r**2}; height and width grow {r} times, and "
        "the channels stay last."
    ),
    misconceptions=(
        Misconception(
            "pytorchs-order",
            "The channels are in PyTorch's order",
            "The r² channels of an output channel are looked for side by side, as in "
            "`pixel_shuffle`. In TensorFlow's order the output channel runs fastest.",
            f"{CHANNELS}#channel-orders",
            _depth_by((0, 1, 4, 2, 5, 3), channel_first=True),
        ),
        Misconception(
            "block-transposed",
            "Rows and columns of the block are exchanged",
            "Within a block the channels run down the columns. They fill it row by row.",
            f"{CHANNELS}#depth-to-space",
            _depth_by((0, 1, 4, 2, 3, 5)),
        ),
        Misconception(
            "laid-side-by-side",
            "The pieces are laid side by side",
            "Each group of channels stays in one piece, and the pieces are put together like "
            "tiles. Their pixels have to alternate.",
            f"{CHANNELS}#depth-to-space",
            _depth_by((0, 3, 1, 4, 2, 5)),
        ),
        Misconception(
            "columns-side-by-side",
            "Rows alternate, columns do not",
            "The rows alternate, but along a row the pixels of a piece stay together. They "
            "alternate along both axes.",
            f"{CHANNELS}#depth-to-space",
            _depth_by((0, 1, 3, 4, 2, 5)),
        ),
        Misconception(
            "only-reshaped",
            "The array is only reshaped",
            "The numbers keep their order in memory and are read with other sizes. A block has "
            "two rows or more, and between them in the output lies the rest of the row.",
            f"{CHANNELS}#depth-to-space",
            lambda x, r: x.reshape(x.shape[0], x.shape[1] * r, x.shape[2] * r, x.shape[3] // r**2),
        ),
        Misconception(
            "block-reversed",
            "The block is filled from its end",
            "The first channels land in the bottom right of each block. They belong in the top "
            "left.",
            f"{CHANNELS}#depth-to-space",
            _depth_reversed,
        ),
        Misconception(
            "picture-on-its-side",
            "Height and width are exchanged",
            "The picture lies on its side: the input's columns have become rows.",
            f"{CHANNELS}#depth-to-space",
            _depth_by((0, 2, 3, 1, 4, 5)),
        ),
        Misconception(
            "first-channels-repeated",
            "The first channels are repeated",
            "Each block holds the same values again and again, as in nearest-neighbour "
            "upsampling. A block is made of different channels, one set for each pixel.",
            f"{CHANNELS}#depth-to-space",
            lambda x, r: x[..., : x.shape[3] // r**2].repeat(r, axis=1).repeat(r, axis=2),
        ),
        Misconception(
            "rows-only",
            "Only the rows grow",
            "The picture grows in height alone. A block has r rows and r columns, and takes r² "
            "times as many channels.",
            f"{CHANNELS}#depth-to-space",
            _depth_rows_only,
        ),
        Misconception(
            "channels-come-out-second",
            "The channels come out second",
            "The values are right, but the result is laid out as (N, C, H, W). TensorFlow keeps "
            "the channels last.",
            f"{CHANNELS}#depth-to-space",
            lambda x, r: _depth_to_space(x, r).transpose(0, 3, 1, 2),
        ),
    ),
)


# -- predict first, again -----------------------------------------------------------------


def _channel(name, title, message, label, answer):
    return Misconception(name, title, message, f"{CHANNELS}#{label}", lambda: answer)


PREDICT_CHANNEL = Spec(
    name="predict_shuffled_channel",
    title="Predict first: which channel lands here?",
    summary="Find the channel that a pixel comes from, on paper.",
    chapter=f"{CHANNELS}#pixel-shuffle",
    parameters="",
    minutes=3,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: torch_pixel_shuffle(_numbered(), 2)[0, 2, 1, 0],
        "TensorFlow": lambda: tf_pixel_shuffle(_numbered(), 2)[0, 2, 1, 0],
    },
    misconceptions=(
        _channel(
            "tensorflows-order",
            "TensorFlow's order",
            "In TensorFlow's order this would be right: there the output channel runs fastest. "
            "PyTorch keeps the four channels of an output channel together.",
            "channel-orders",
            12,
        ),
        _channel(
            "block-transposed",
            "Row and column are exchanged",
            "This channel lands in row 0, column 1 of the block. A block is filled row by row.",
            "pixel-shuffle",
            9,
        ),
        _channel(
            "last-of-the-group",
            "The last of the group",
            "The group is right, but its last channel lands in the bottom right of the block.",
            "pixel-shuffle",
            11,
        ),
        _channel(
            "groups-of-two",
            "Groups of r instead of r²",
            "A block of 2 by 2 pixels is made of four channels, so output channel 2 begins after "
            "two groups of four.",
            "pixel-shuffle",
            6,
        ),
        _channel(
            "first-of-the-group",
            "The first of the group",
            "The group is right, but its first channel lands in the top left of the block.",
            "pixel-shuffle",
            8,
        ),
        _channel(
            "the-output-channel",
            "The channel's own number",
            "Twenty channels become five, so output channel 2 is not input channel 2.",
            "pixel-shuffle",
            2,
        ),
    ),
)


def _numbered():
    """Return an image of 20 channels, each filled with its own number."""
    return np.arange(20.0).reshape(1, 20, 1, 1)


# -- what earlier exercises give ----------------------------------------------------------

_OURS = {
    "nearest_indices": _floored,
    "source_coordinates": _coordinates,
    "upsample_nearest2d": lambda x, size: _pick(x, size),
    "linear_matrix": _bilinear,
    "upsample_bilinear2d": lambda x, size, align_corners=False: _resized(
        x, size, _bilinear, align_corners
    ).astype(x.dtype),
    "upsample_bicubic2d": lambda x, size, a=-0.75, align_corners=False: _resized(
        x, size, _bicubic, a, align_corners
    ).astype(x.dtype),
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
}


def _with_earlier(specs):
    """Yield the specs, each given the functions of those before it."""
    given = {}
    for spec in specs:
        yield replace(spec, rules=Rules(given=dict(given)))
        if spec.name in _OURS:
            given[spec.name] = _OURS[spec.name]


SPECS = tuple(
    _with_earlier(
        (
            NEAREST_INDICES,
            PREDICT,
            SOURCE_COORDINATES,
            UPSAMPLE_NEAREST2D,
            LINEAR_MATRIX,
            UPSAMPLE_BILINEAR2D,
            UPSAMPLE_BICUBIC2D,
            PREDICT_CHANNEL,
            PIXEL_SHUFFLE,
            PIXEL_UNSHUFFLE,
            DEPTH_TO_SPACE,
        )
    )
)
