"""Right answers to problem set 1, each written in a way of its own, as learners write them.

`ANSWERS` lists them by exercise. Some print, some make NumPy warn, some return views or lists:
none of that is a mistake.
"""

import math
from fractions import Fraction

import numpy as np

# -- nearest_indices -----------------------------------------------------------------------


def nearest_list(n_in, n_out):
    return [i * n_in // n_out for i in range(n_out)]


def nearest_by_scale(n_in, n_out):
    scale = n_in / n_out
    print("scale", scale)
    return np.array([min(int(i * scale), n_in - 1) for i in range(n_out)])


def nearest_float32(n_in, n_out):
    scale = np.float32(n_in) / np.float32(n_out)
    return np.floor(np.arange(n_out, dtype=np.float32) * scale).astype(np.int64)


def nearest_fractions(n_in, n_out):
    return np.array([math.floor(Fraction(i * n_in, n_out)) for i in range(n_out)])


def nearest_search(n_in, n_out):
    starts = np.arange(n_in) * n_out  # where each input begins, on a ruler both rows divide
    return np.searchsorted(starts, np.arange(n_out) * n_in, side="right") - 1


def nearest_repeat_and_pick(n_in, n_out):
    return np.repeat(np.arange(n_in), n_out)[::n_in]  # a view


# -- predict_source_coordinate ---------------------------------------------------------------


def predict_number():
    return 2.125


def predict_formula():
    return (3 + 0.5) * 3 / 4 - 0.5


def predict_by_symmetry():
    first = Fraction(1, 2) * Fraction(3, 4) - Fraction(1, 2)
    return np.float64(2 - first)


# -- source_coordinates ----------------------------------------------------------------------


def coordinates_table(n_in, n_out, mode):
    offsets = {"half_pixel": 0.5, "asymmetric": 0.0}
    if mode == "align_corners":
        return np.linspace(0, n_in - 1, n_out)
    if mode not in offsets:
        raise ValueError(mode)
    half = offsets[mode]
    return [(i + half) * n_in / n_out - half for i in range(n_out)]


def coordinates_linspace(n_in, n_out, mode):
    match mode:
        case "half_pixel":
            edge = n_in / n_out / 2
            return np.linspace(edge, n_in - edge, n_out) - 0.5
        case "align_corners":
            return np.linspace(0, n_in - 1, n_out)
        case "asymmetric":
            return np.linspace(0, n_in, n_out, endpoint=False)
        case _:
            raise ValueError("no such mode")


def coordinates_steps(n_in, n_out, mode):
    if mode not in ("half_pixel", "align_corners", "asymmetric"):
        raise ValueError(f"what is {mode}?")
    step = n_in / n_out
    at = 0.0
    if mode == "half_pixel":
        at = (step - 1) / 2
    if mode == "align_corners" and n_out > 1:
        step = (n_in - 1) / (n_out - 1)
    out = []
    while len(out) < n_out:
        out.append(at)
        at += step
    return tuple(out)


def coordinates_matrix(n_in, n_out, mode):
    scale = np.divide(n_in - 1, n_out - 1)  # warns where n_out is 1
    rows = {
        "half_pixel": (n_in / n_out, (n_in / n_out - 1) / 2),
        "align_corners": (scale if n_out > 1 else 0, 0),
        "asymmetric": (n_in / n_out, 0),
    }
    try:
        return np.vander(np.arange(n_out), 2) @ rows[mode]
    except KeyError:
        raise ValueError("unknown mode") from None


def coordinates_of_edges(n_in, n_out, mode):
    edges = np.arange(n_out + 1) * n_in / n_out
    if mode == "half_pixel":
        return (edges[1:] + edges[:-1]) / 2 - 0.5
    if mode == "asymmetric":
        return edges[:-1]
    if mode != "align_corners":
        raise ValueError
    return np.arange(n_out) * (n_in - 1) / max(1, n_out - 1)


ANSWERS = {
    "nearest_indices": (
        nearest_list,
        nearest_by_scale,
        nearest_float32,
        nearest_fractions,
        nearest_search,
        nearest_repeat_and_pick,
    ),
    "predict_source_coordinate": (predict_number, predict_formula, predict_by_symmetry),
    "source_coordinates": (
        coordinates_table,
        coordinates_linspace,
        coordinates_steps,
        coordinates_matrix,
        coordinates_of_edges,
    ),
}
