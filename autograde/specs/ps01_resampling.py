"""ps01: images made larger by looking up, by weighing neighbours, and by moving channels.

Sources: the API pages of `torch.nn.functional.interpolate`, `pixel_shuffle` and
`pixel_unshuffle`, `tf.image.resize`, `tf.compat.v1.image.resize_bilinear`,
`tf.raw_ops.ScaleAndTranslate` and `tf.nn.depth_to_space`; Keys, *Cubic convolution
interpolation for digital image processing* (1981); Shi et al., ESPCN (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from autograde.quiet import silent_stderr
from autograde.spec import Aspect, Case, Misconception, Spec

GRIDS = "book/sampling-grids"
WEIGHTS = "book/linear-bilinear-cubic"
CHANNELS = "book/channels-into-space"

MODES = ("half_pixel", "align_corners", "asymmetric")


# -- oracles: the frameworks' own operations ----------------------------------------------


@cache
def _tf():
    """Import TensorFlow without its start-up log: nbgrader gives a cell with stderr no points."""
    with silent_stderr():
        import tensorflow as tf

        tf.constant(0)  # the devices, too, are only announced at first use
    return tf


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
    resize = _tf().compat.v1.image.resize_nearest_neighbor
    return resize(ramp, (n_out, 1)).numpy().ravel().astype(int)


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
    seen = (
        _tf()
        .compat.v1.image.resize_bilinear(
            ramp,
            (times * n_out, 1),
            align_corners=mode == "align_corners",
            half_pixel_centers=mode == "half_pixel",
        )
        .numpy()
        .ravel()
    )
    return seen[n_out : 2 * n_out] - n_in if mode == "half_pixel" else seen[:n_out]


# -- inputs and words ---------------------------------------------------------------------


def _number(value):
    return f"{value:.4g}" if value >= 0 else f"−{-value:.4g}"


# -- nearest_indices ----------------------------------------------------------------------


def _unambiguous(n_in, n_out):
    """Return whether rounding leaves floor(i · n_in / n_out) alone, in float32 and float64.

    Both frameworks multiply i by a scale that is rounded to float32. From 26 to 22 this gives
    12 where the definition gives 13; up to 40 pixels, 39 to 33 is the only other such pair. In
    float64, learners meet 30 to 22 and 30 to 26.
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
        "PyTorch": lambda: torch_source_coordinates(3, 4, "half_pixel")[-1],
        "TensorFlow": lambda: tf_source_coordinates(3, 4, "half_pixel")[-1],
    },
    misconceptions=(
        _guess(
            "asymmetric",
            "Edges instead of centres",
            "This is where the left edge of output 3 lies. half_pixel asks for its centre, and "
            "counts from the centre of input 0.",
            "asymmetric",
            2.25,
        ),
        _guess(
            "align-corners",
            "The corners are tied together",
            "The last output falls on the last input in `align_corners`. With half_pixel, it is "
            "the edges of the two rows of pixels that coincide.",
            "align-corners",
            2,
        ),
        _guess(
            "half-not-taken-back",
            "The half is not taken back",
            "This is the distance from the left edge of the row. Coordinates count from the "
            "centre of input 0, half a pixel further right.",
            "half-pixel",
            2.625,
        ),
        _guess(
            "half-not-added",
            "The half is only taken away",
            "The half pixel is subtracted at the end, but the output's centre was not looked up "
            "at the start.",
            "half-pixel",
            1.75,
        ),
        _guess(
            "ratio-upside-down",
            "The ratio is upside down",
            "This lies outside the input. Going from the output back to the input, coordinates "
            "shrink.",
            "destination-to-source",
            3.5 * 4 / 3 - 0.5,
        ),
        _guess(
            "rounded",
            "A whole pixel",
            "This is a pixel that exists. A coordinate may lie between two pixels, or even beyond "
            "the last one.",
            "half-pixel",
            3,
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
    return (np.arange(n_out) + half) * (n_in / n_out) - half


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


SPECS = (NEAREST_INDICES, PREDICT, SOURCE_COORDINATES)
