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
    return 4.1875


def predict_formula():
    return (7 + 0.5) * 5 / 8 - 0.5


def predict_by_symmetry():
    first = Fraction(1, 2) * Fraction(5, 8) - Fraction(1, 2)
    return np.float64(4 - first)


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


def nearest2d_by_coordinates(x, size):
    for axis, length in zip((2, 3), height_and_width(size), strict=True):
        at = source_coordinates(x.shape[axis], length, mode="asymmetric")
        x = np.take(x, np.floor(at).astype(int), axis)
    return x


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


# -- upsample_bicubic2d ----------------------------------------------------------------------


def keys(d, a):
    d = abs(d)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    if d < 2:
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return 0.0


def four_weights(t, a):
    """Return the four weights as polynomials in the fraction t, multiplied out."""
    return np.stack(
        [
            a * t * (1 - t) ** 2,
            1 - (a + 3) * t**2 + (a + 2) * t**3,
            -a * t + (2 * a + 3) * t**2 - (a + 2) * t**3,
            a * t**2 * (1 - t),
        ]
    )


def bicubic_loops(x, size, a=-0.75, align_corners=False):
    height, width = height_and_width(size)
    n, c, h, w = x.shape
    mode = "align_corners" if align_corners else "half_pixel"
    rows = np.array(coordinates_table(h, height, mode))
    columns = np.array(coordinates_table(w, width, mode))
    z = np.zeros((n, c, height, width))
    for i, y in enumerate(rows):
        for j, u in enumerate(columns):
            for p in range(math.floor(y) - 1, math.floor(y) + 3):
                for q in range(math.floor(u) - 1, math.floor(u) + 3):
                    pixel = x[:, :, min(max(p, 0), h - 1), min(max(q, 0), w - 1)]
                    z[:, :, i, j] += keys(y - p, a) * keys(u - q, a) * pixel
    return z.astype(x.dtype)


def bicubic_edge_padding(x, size, a=-0.75, align_corners=False):
    """Pad by repeating the border twice, then weigh four slices along each axis."""
    mode = "align_corners" if align_corners else "half_pixel"
    dtype = x.dtype
    for axis, length in zip((2, 3), height_and_width(size), strict=True):
        at = source_coordinates(x.shape[axis], length, mode) + 2
        x = np.pad(x, [(2, 2) if k == axis else (0, 0) for k in range(4)], mode="edge")
        left = np.floor(at).astype(int)
        weights = four_weights(at - left, a)
        x = np.moveaxis(x, axis, -1)
        x = np.moveaxis(sum(weights[k] * x[..., left + k - 1] for k in range(4)), -1, axis)
    return x.astype(dtype)


def bicubic_wide_matrix(x, size, a=-0.75, align_corners=False):
    """Weigh the pixels of a wider row, then add the weights outside to the border's."""
    mode = "align_corners" if align_corners else "half_pixel"
    weigh = np.vectorize(keys)

    def matrix(n_in, n_out):
        at = np.array(coordinates_linspace(n_in, n_out, mode))
        wide = weigh(np.subtract.outer(at, np.arange(-3, n_in + 3)), a)
        wide[:, 3] += wide[:, :3].sum(axis=1)
        wide[:, -4] += wide[:, -3:].sum(axis=1)
        return wide[:, 3:-3]

    height, width = height_and_width(size)
    rows, columns = matrix(x.shape[2], height), matrix(x.shape[3], width)
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns).astype(x.dtype)


def bicubic_indices(x, size, a=-0.75, align_corners=False):
    mode = "align_corners" if align_corners else "half_pixel"

    def along_last(x, length):
        n = x.shape[-1]
        at = source_coordinates(n, length, mode)
        print("coordinates", at)
        taps = np.floor(at).astype(int)[:, None] + np.arange(-1, 3)
        d = abs(at[:, None] - taps)
        near, far = np.polyval([a + 2, -(a + 3), 0, 1], d), a * np.polyval([1, -5, 8, -4], d)
        weights = np.where(d <= 1, near, far).astype(x.dtype)
        return (x[..., taps.clip(0, n - 1)] * weights).sum(axis=-1)

    height, width = height_and_width(size)
    return along_last(along_last(x, width).swapaxes(2, 3), height).swapaxes(2, 3)  # a view


def bicubic_four_points(x, size, a=-0.75, align_corners=False):
    """Draw the cubic with the given slopes: Hermite's form, which says the same."""
    mode = "align_corners" if align_corners else "half_pixel"

    def curve(v, at):
        left = int(np.floor(at))
        before, p, q, after = (v[min(max(left + k, 0), len(v) - 1)] for k in (-1, 0, 1, 2))
        t = at - left
        from_p, to_q = -a * (q - before), -a * (after - p)
        return (
            (2 * t**3 - 3 * t**2 + 1) * p
            + (t**3 - 2 * t**2 + t) * from_p
            + (3 * t**2 - 2 * t**3) * q
            + (t**3 - t**2) * to_q
        )

    def along(x, axis, length):
        places = source_coordinates(x.shape[axis], length, mode)
        return np.apply_along_axis(lambda v: [curve(v, at) for at in places], axis, x)

    height, width = height_and_width(size)
    return along(along(x, 2, height), 3, width).astype(x.dtype)


# -- predict_shuffled_channel ----------------------------------------------------------------


def predict_ten():
    return 10


def predict_group():
    return 2 * 2**2 + 1 * 2 + 0


def predict_lookup():
    return np.arange(20).reshape(5, 2, 2)[2, 1, 0]


# -- pixel_shuffle ---------------------------------------------------------------------------


def upsample_nearest2d(x, size):
    raise AssertionError("the learner's own upsample_nearest2d was called")


def pixel_shuffle(x, r):
    """Stand for a learner's wrong answer to an earlier exercise."""
    raise AssertionError("the learner's own pixel_shuffle was called")


def shuffle_loops(x, r):
    n, c, h, w = x.shape
    z = np.zeros((n, c // r**2, h * r, w * r), x.dtype)
    for k in range(c):
        out, place = divmod(k, r * r)
        for i in range(h):
            for j in range(w):
                z[:, out, i * r + place // r, j * r + place % r] = x[:, k, i, j]
    return z


def shuffle_slices(x, r):
    n, c, h, w = x.shape
    z = np.empty_like(x, shape=(n, c // r**2, h * r, w * r))
    for a in range(r):
        for b in range(r):
            z[:, :, a::r, b::r] = x[:, a * r + b :: r * r]
    return z


def shuffle_einsum(x, r):
    n, c, h, w = x.shape
    blocks = x.reshape(n, -1, r, r, h, w)
    return np.einsum("ncabhw->nchawb", blocks).reshape(n, c // r**2, r * h, r * w)


def shuffle_indices(x, r):
    c, h, w = x.shape[1:]
    i, j = np.arange(h * r)[:, None], np.arange(w * r)
    out = np.arange(c // r**2)[:, None, None]
    return x[:, out * r * r + i % r * r + j % r, i // r, j // r]


def shuffle_stacked(x, r):
    """Weave columns, then rows."""
    n, c, h, w = x.shape
    print("weaving")
    woven = np.stack([x[:, b::r] for b in range(r)], axis=-1).reshape(n, c // r, h, w * r)
    rows = np.stack([woven[:, a::r] for a in range(r)], axis=-2)
    return rows.reshape(n, c // r**2, h * r, w * r)


def shuffle_masked(x, r):
    """Enlarge every channel by copying, and keep of each what belongs to it."""
    n, c, h, w = x.shape
    z = np.zeros((n, c // r**2, h * r, w * r), x.dtype)
    for k in range(r * r):
        big = upsample_nearest2d(x[:, k :: r * r], (h * r, w * r))
        z[:, :, k // r :: r, k % r :: r] = big[:, :, k // r :: r, k % r :: r]
    return z


def shuffle_kron(x, r):
    """Spread each channel with a block that has a single 1, and add."""
    n, c, h, w = x.shape
    z = np.zeros((n, c // r**2, h * r, w * r), x.dtype)
    for k in range(r * r):
        block = np.zeros((1, 1, r, r), x.dtype)
        block.flat[k] = 1
        z += np.kron(x[:, k :: r * r], block)
    return z


# -- pixel_unshuffle -------------------------------------------------------------------------


def unshuffle_loops(x, r):
    n, c, h, w = x.shape
    z = np.zeros((n, c * r * r, h // r, w // r), x.dtype)
    for k in range(c):
        for i in range(h):
            for j in range(w):
                z[:, k * r * r + i % r * r + j % r, i // r, j // r] = x[:, k, i, j]
    return z


def unshuffle_slices(x, r):
    phases = [x[:, :, a::r, b::r] for a in range(r) for b in range(r)]
    return np.stack(phases, axis=2).reshape(len(x), -1, x.shape[2] // r, x.shape[3] // r)


def unshuffle_moveaxis(x, r):
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // r, r, w // r, r)
    return np.moveaxis(blocks, (3, 5), (2, 3)).reshape(n, c * r**2, h // r, w // r)


def unshuffle_list(x, r):
    return [[channel[a::r, b::r] for channel in m for a in range(r) for b in range(r)] for m in x]


def unshuffle_split(x, r):
    n, c, h, w = x.shape
    rows = np.stack(np.split(x, h // r, axis=2), axis=2)  # n, c, rows, r, w
    both = np.stack(np.split(rows, w // r, axis=4), axis=3)  # n, c, rows, columns, r, r
    return (
        both.reshape(n, c, h // r, w // r, r * r)
        .transpose(0, 1, 4, 2, 3)
        .reshape(n, -1, h // r, w // r)
    )


def unshuffle_by_shuffling_numbers(x, r):
    """Ask pixel_shuffle where each pixel comes from, and go back."""
    n, c, h, w = x.shape
    numbers = np.arange(c * h * w, dtype=float).reshape(1, c * r * r, h // r, w // r)
    source = pixel_shuffle(numbers, r).astype(int).ravel()
    z = np.empty((n, c * h * w), x.dtype)
    z[:, source] = x.reshape(n, -1)
    return z.reshape(n, c * r * r, h // r, w // r)


# -- depth_to_space_nhwc ---------------------------------------------------------------------


def depth_loops(x, r):
    n, h, w, c = x.shape
    c //= r * r
    z = np.zeros((n, h * r, w * r, c), x.dtype)
    for i in range(h * r):
        for j in range(w * r):
            start = (i % r * r + j % r) * c
            z[:, i, j] = x[:, i // r, j // r, start : start + c]
    return z


def depth_slices(x, r):
    n, h, w, c = x.shape
    z = np.empty((n, h * r, w * r, c // r**2), x.dtype)
    for k, piece in enumerate(np.split(x, r * r, axis=3)):
        z[:, k // r :: r, k % r :: r] = piece
    return z


def depth_two_reshapes(x, r):
    """Rows first: r pieces of a pixel lie one below the other; then each is cut along the row."""
    n, h, w, c = x.shape
    tall = x.reshape(n, h, w, r, c // r).swapaxes(2, 3).reshape(n, h * r, w, c // r)
    return tall.reshape(n, h * r, w * r, c // r**2)


def depth_through_pixel_shuffle(x, r):
    c = x.shape[3]
    order = np.arange(c).reshape(r * r, c // r**2).T.ravel()
    channels_first = np.ascontiguousarray(x[..., order].transpose(0, 3, 1, 2))
    return pixel_shuffle(channels_first, r).transpose(0, 2, 3, 1)  # a view


def depth_einsum(x, r):
    n, h, w, c = x.shape
    blocks = np.reshape(x, (n, h, w, r, r, c // r**2))
    return np.einsum("nhwabc->nhawbc", blocks).reshape(n, h * r, w * r, -1)


def depth_concatenate(x, r):
    rows = []
    for i in range(x.shape[1]):
        for a in range(r):
            pieces = [
                np.split(x[:, i, j], r * r, axis=-1)[a * r + b]
                for j in range(x.shape[2])
                for b in range(r)
            ]
            rows.append(np.stack(pieces, axis=1))
    return np.stack(rows, axis=1)


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
        nearest2d_by_coordinates,
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
    "upsample_bicubic2d": (
        bicubic_loops,
        bicubic_edge_padding,
        bicubic_wide_matrix,
        bicubic_indices,
        bicubic_four_points,
    ),
    "predict_shuffled_channel": (predict_ten, predict_group, predict_lookup),
    "pixel_shuffle": (
        shuffle_loops,
        shuffle_slices,
        shuffle_einsum,
        shuffle_indices,
        shuffle_stacked,
        shuffle_masked,
        shuffle_kron,
    ),
    "pixel_unshuffle": (
        unshuffle_loops,
        unshuffle_slices,
        unshuffle_moveaxis,
        unshuffle_list,
        unshuffle_split,
        unshuffle_by_shuffling_numbers,
    ),
    "depth_to_space_nhwc": (
        depth_loops,
        depth_slices,
        depth_two_reshapes,
        depth_through_pixel_shuffle,
        depth_einsum,
        depth_concatenate,
    ),
}
