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


# -- what earlier exercises give -------------------------------------------------------------


def nearest_indices(n_in, n_out):
    """Stand for a learner's wrong answer to an earlier exercise: the judge puts its own here."""
    raise AssertionError("the learner's own nearest_indices was called")


def source_coordinates(n_in, n_out, mode):
    raise AssertionError("the learner's own source_coordinates was called")


def linear_matrix(n_in, n_out, align_corners=False):
    raise AssertionError("the learner's own linear_matrix was called")


def height_and_width(size):
    try:
        height, width = size
    except TypeError:
        height = width = size
    return height, width


# -- upsample_nearest2d ----------------------------------------------------------------------


def nearest2d_given(x, size):
    height, width = height_and_width(size)
    rows, columns = nearest_indices(x.shape[-2], height), nearest_indices(x.shape[-1], width)
    return x[..., rows[:, None], columns]


def nearest2d_loops(x, size):
    height, width = height_and_width(size)
    n, c, h, w = x.shape
    z = np.empty((n, c, height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            z[:, :, i, j] = x[:, :, int(i * h / height), int(j * w / width)]
    return z


def nearest2d_take(x, size):
    height, width = height_and_width(size)
    rows = np.arange(height) * x.shape[2] // height
    columns = np.arange(width) * x.shape[3] // width
    print(rows, columns)
    return x.take(columns, axis=3).take(rows, axis=2)


def nearest2d_matrices(x, size):
    height, width = height_and_width(size)
    rows = np.eye(x.shape[2], dtype=x.dtype)[nearest_indices(x.shape[2], height)]
    columns = np.eye(x.shape[3], dtype=x.dtype)[nearest_indices(x.shape[3], width)]
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns)


def nearest2d_repeat_and_thin(x, size):
    height, width = height_and_width(size)
    big = np.repeat(np.repeat(x, height, axis=2), width, axis=3)
    return big[:, :, :: x.shape[2], :: x.shape[3]]  # a view


def nearest2d_list(x, size):
    height, width = height_and_width(size)
    rows = [i * x.shape[2] // height for i in range(height)]
    columns = [j * x.shape[3] // width for j in range(width)]
    return [[[[m[i][j] for j in columns] for i in rows] for m in image] for image in x]


# -- linear_matrix ---------------------------------------------------------------------------


def matrix_given_and_added(n_in, n_out, align_corners=False):
    at = source_coordinates(n_in, n_out, "align_corners" if align_corners else "half_pixel")
    left = np.floor(at)
    t = at - left
    matrix = np.zeros((n_out, n_in))
    for i in range(n_out):
        matrix[i, int(np.clip(left[i], 0, n_in - 1))] += 1 - t[i]
        matrix[i, int(np.clip(left[i] + 1, 0, n_in - 1))] += t[i]
    return matrix


def matrix_clamped_loops(n_in, n_out, align_corners=False):
    rows = []
    for i in range(n_out):
        if align_corners:
            at = i * (n_in - 1) / (n_out - 1) if n_out > 1 else 0
        else:
            at = (i + 0.5) * n_in / n_out - 0.5
        at = min(max(at, 0), n_in - 1)
        row = [0.0] * n_in
        left = math.floor(at)
        row[left] = 1 - (at - left)
        if left + 1 < n_in:
            row[left + 1] = at - left
        rows.append(row)
    return rows


def matrix_by_interp(n_in, n_out, align_corners=False):
    at = coordinates_table(n_in, n_out, "align_corners" if align_corners else "half_pixel")
    return np.stack([np.interp(at, np.arange(n_in), unit) for unit in np.eye(n_in)], axis=1)


def matrix_blended_units(n_in, n_out, align_corners=False):
    at = source_coordinates(n_in, n_out, "align_corners" if align_corners else "half_pixel")
    at = np.maximum(at, 0)
    left = np.minimum(at.astype(int), n_in - 1)
    right = np.minimum(left + 1, n_in - 1)
    t = (at - left)[:, None]
    unit = np.eye(n_in)
    return (1 - t) * unit[left] + t * unit[right]


def matrix_padded_and_folded(n_in, n_out, align_corners=False):
    """Interpolate with a pixel more at either end, then give its weights to the border's."""
    at = coordinates_linspace(n_in, n_out, "align_corners" if align_corners else "half_pixel")
    wide = np.clip(1 - abs(np.subtract.outer(at, np.arange(-1, n_in + 1))), 0, None)
    wide[:, 1] += wide[:, 0]
    wide[:, -2] += wide[:, -1]
    return wide[:, 1:-1]  # a view


def matrix_fractions(n_in, n_out, align_corners=False):
    scale, shift = Fraction(n_in, n_out), (Fraction(n_in, n_out) - 1) / 2
    if align_corners:
        scale, shift = (Fraction(n_in - 1, n_out - 1) if n_out > 1 else 0), 0
    places = [min(max(i * scale + shift, 0), n_in - 1) for i in range(n_out)]
    return np.array([[float(max(0, 1 - abs(p - j))) for j in range(n_in)] for p in places])


# -- upsample_bilinear2d ---------------------------------------------------------------------


def bilinear_given(x, size, align_corners=False):
    height, width = height_and_width(size)
    rows = linear_matrix(x.shape[2], height, align_corners).astype(x.dtype)
    columns = linear_matrix(x.shape[3], width, align_corners).astype(x.dtype)
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns)


def bilinear_loops(x, size, align_corners=False):
    height, width = height_and_width(size)
    z = np.zeros((*x.shape[:2], height, width), dtype=x.dtype)
    rows = matrix_clamped_loops(x.shape[2], height, align_corners)
    columns = matrix_clamped_loops(x.shape[3], width, align_corners)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            for a, p in enumerate(row):
                for b, q in enumerate(column):
                    if p and q:
                        z[:, :, i, j] += x.dtype.type(p * q) * x[:, :, a, b]
    return z


def bilinear_four_corners(x, size, align_corners=False):
    height, width = height_and_width(size)
    mode = "align_corners" if align_corners else "half_pixel"
    y = source_coordinates(x.shape[2], height, mode).clip(0, x.shape[2] - 1)
    u = source_coordinates(x.shape[3], width, mode).clip(0, x.shape[3] - 1)
    top, left = y.astype(int), u.astype(int)
    bottom, right = np.minimum(top + 1, x.shape[2] - 1), np.minimum(left + 1, x.shape[3] - 1)
    s, t = (y - top).astype(x.dtype)[:, None], (u - left).astype(x.dtype)
    return (
        x[:, :, top][..., left] * (1 - s) * (1 - t)
        + x[:, :, top][..., right] * (1 - s) * t
        + x[:, :, bottom][..., left] * s * (1 - t)
        + x[:, :, bottom][..., right] * s * t
    )


def bilinear_kron(x, size, align_corners=False):
    height, width = height_and_width(size)
    n, c, h, w = x.shape
    both = np.kron(linear_matrix(h, height, align_corners), linear_matrix(w, width, align_corners))
    print("a matrix of", both.shape)
    return (x.reshape(n * c, h * w) @ both.T).reshape(n, c, height, width).astype(x.dtype)


def bilinear_interp(x, size, align_corners=False):
    height, width = height_and_width(size)
    mode = "align_corners" if align_corners else "half_pixel"
    y = source_coordinates(x.shape[2], height, mode)
    u = source_coordinates(x.shape[3], width, mode)
    tall = np.apply_along_axis(lambda v: np.interp(y, np.arange(len(v)), v), 2, x)
    full = np.apply_along_axis(lambda v: np.interp(u, np.arange(len(v)), v), 3, tall)
    return full.astype(x.dtype)


def bilinear_edge_padding(x, size, align_corners=False):
    """Pad by repeating the border, so that there is always a neighbour."""
    height, width = height_and_width(size)
    mode = "align_corners" if align_corners else "half_pixel"
    for axis, length in ((2, height), (3, width)):
        at = np.array(coordinates_table(x.shape[axis], length, mode)) + 1
        x = np.moveaxis(np.pad(x, [(int(a == axis),) * 2 for a in range(4)], "edge"), axis, -1)
        left = np.floor(at).astype(int)
        t = (at - left).astype(x.dtype)
        x = np.moveaxis(x[..., left] * (1 - t) + x[..., left + 1] * t, -1, axis)
    return x


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
    "upsample_nearest2d": (
        nearest2d_given,
        nearest2d_loops,
        nearest2d_take,
        nearest2d_matrices,
        nearest2d_repeat_and_thin,
        nearest2d_list,
    ),
    "linear_matrix": (
        matrix_given_and_added,
        matrix_clamped_loops,
        matrix_by_interp,
        matrix_blended_units,
        matrix_padded_and_folded,
        matrix_fractions,
    ),
    "upsample_bilinear2d": (
        bilinear_given,
        bilinear_loops,
        bilinear_four_corners,
        bilinear_kron,
        bilinear_interp,
        bilinear_edge_padding,
    ),
}
