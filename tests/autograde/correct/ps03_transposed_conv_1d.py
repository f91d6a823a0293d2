"""Right answers to problem set 3, each written in a way of its own, as learners write them.

`ANSWERS` lists them by exercise. Some print, some make NumPy warn, some return views or lists:
none of that is a mistake.
"""

import math
import warnings
from fractions import Fraction
from itertools import count

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

# -- conv1d --------------------------------------------------------------------------------


def conv1d_loops(x, w, stride=1, padding=0):
    n, k = len(x), len(w)
    print("input", n, "kernel", k)
    y = np.zeros((n + 2 * padding - k) // stride + 1, dtype=x.dtype)
    for i in range(len(y)):
        for j in range(k):
            at = i * stride + j - padding
            if 0 <= at < n:
                y[i] += x[at] * w[j]
        print("y", i, "=", y[i])
    return y


def conv1d_taps(x, w, stride=1, padding=0):
    x = np.concatenate([np.zeros(padding), x, np.zeros(padding)]).astype(x.dtype)
    room = len(x) - len(w) + 1
    return sum(w[j] * x[j : j + room : stride] for j in range(len(w)))


def conv1d_correlate(x, w, stride=1, padding=0):
    return np.correlate(np.pad(x, padding), w, mode="valid")[::stride]  # a view


def conv1d_convolve(x, w, stride=1, padding=0):
    full = np.convolve(np.pad(x, padding), np.flip(w))
    return full[len(w) - 1 : len(full) - len(w) + 1 : stride]


def conv1d_windows(x, w, stride=1, padding=0):
    return sliding_window_view(np.pad(x, padding), len(w))[::stride] @ w


def conv1d_einsum(x, w, stride=1, padding=0):
    x = np.ascontiguousarray(np.pad(x, padding))
    m = (len(x) - len(w)) // stride + 1
    windows = as_strided(x, (m, len(w)), (stride * x.itemsize, x.itemsize), writeable=False)
    return np.einsum("mk,k->m", windows, w)


def conv1d_indices(x, w, stride=1, padding=0):
    padded = np.zeros(x.size + 2 * padding, x.dtype)
    padded[padding : padding + x.size] = x
    starts = np.arange(0, padded.size - w.size + 1, stride)
    return (padded[starts[:, None] + np.arange(w.size)] * w).sum(axis=1)


def conv1d_fft(x, w, stride=1, padding=0):
    m = len(x) + 2 * padding
    spectrum = np.fft.rfft(np.pad(x, padding), m) * np.conj(np.fft.rfft(w, m))
    return np.fft.irfft(spectrum, m)[: m - len(w) + 1 : stride].astype(x.dtype)


def conv1d_recursion(x, w, stride=1, padding=0):
    if padding:
        zero = np.zeros(1, x.dtype)
        return conv1d_recursion(np.concatenate([zero, x, zero]), w, stride, padding - 1)
    if len(x) < len(w):
        return np.zeros(0, x.dtype)
    rest = conv1d_recursion(x[stride:], w, stride)
    return np.append(np.dot(x[: len(w)], w), rest)


def conv1d_matrix_product(x, w, stride=1, padding=0):
    rows = (len(x) + 2 * padding - len(w)) // stride + 1
    taps = np.arange(len(x)) + padding - stride * np.arange(rows)[:, None]
    known = (taps >= 0) & (taps < len(w))
    return np.where(known, w[np.clip(taps, 0, len(w) - 1)], 0).astype(x.dtype) @ x


def conv1d_list(x, w, stride=1, padding=0):
    x = [*[x.dtype.type(0)] * padding, *x, *[x.dtype.type(0)] * padding]
    return [
        sum((a * b for a, b in zip(x[i:], w, strict=False)), start=w.dtype.type(0))
        for i in range(0, len(x) - len(w) + 1, stride)
    ]


def conv1d_noisy(x, w, stride=1, padding=0):
    warnings.warn("this will take a while", UserWarning, stacklevel=2)
    np.array([1.0, -1.0]) / np.zeros(2)  # RuntimeWarning: divide by zero
    np.sqrt(np.array([-1.0]))  # RuntimeWarning: invalid value
    y = np.full((len(x) + 2 * padding - len(w)) // stride + 1, np.nan, dtype=x.dtype)
    x = np.pad(x, padding)
    for i, _ in enumerate(y):
        y[i] = np.linalg.multi_dot([x[i * stride : i * stride + len(w)], np.eye(len(w)), w])
    return y


# -- same_padding --------------------------------------------------------------------------


def same_padding_remainder(n, k, s):
    total = max(k - (n % s or s), 0)
    return total // 2, total - total // 2


def same_padding_ceil(n, k, s):
    total = max(0, (math.ceil(n / s) - 1) * s + k - n)
    return [math.floor(total / 2), math.ceil(total / 2)]


def same_padding_search(n, k, s):
    outputs = len(range(0, n, s))
    for total in count():
        if n + total >= k and (n + total - k) // s + 1 >= outputs:
            return total // 2, (total + 1) // 2


def same_padding_one_by_one(n, k, s):
    front = end = 0
    while n + front + end < (Fraction(n, s).__ceil__() - 1) * s + k:
        if end > front:
            front += 1
        else:
            end += 1
        print(front, end)
    return front, end


def same_padding_array(n, k, s):
    reach = np.arange(0, n, s)[-1] + k
    both = np.maximum(reach - n, 0) + np.array([0, 1])
    return both // 2


# -- conv1d_matrix -------------------------------------------------------------------------


def conv1d_matrix_loops(n, w, stride=1, padding=0):
    c = np.zeros(((n + 2 * padding - len(w)) // stride + 1, n), w.dtype)
    for i in range(c.shape[0]):
        for j in range(n):
            tap = j + padding - i * stride
            if tap in range(len(w)):
                c[i, j] = w[tap]
    return c


def conv1d_matrix_diagonals(n, w, stride=1, padding=0):
    every = sum(
        tap * np.eye(n + 2 * padding - len(w) + 1, n, j - padding, dtype=w.dtype)
        for j, tap in enumerate(w)
    )
    return every[::stride]


def conv1d_matrix_columns(n, w, stride=1, padding=0):
    columns = [
        np.correlate(np.pad(unit, padding), w, "valid")[::stride]
        for unit in np.eye(n, dtype=w.dtype)
    ]
    return np.array(columns).T  # a view, in Fortran order


def conv1d_matrix_rolled(n, w, stride=1, padding=0):
    width = n + 2 * padding
    row = np.pad(w, (0, width - len(w)))
    rows = [np.roll(row, start) for start in range(0, width - len(w) + 1, stride)]
    return np.stack(rows)[:, padding : width - padding]


def conv1d_matrix_product_of_three(n, w, stride=1, padding=0):
    width = n + 2 * padding
    put = np.eye(width, n, -padding)
    slide = sum(tap * np.eye(width - len(w) + 1, width, j) for j, tap in enumerate(w))
    keep = np.eye(width - len(w) + 1)[::stride]
    return (keep @ slide @ put).astype(w.dtype)


def conv1d_matrix_list(n, w, stride=1, padding=0):
    taps = dict(enumerate(w))
    return [
        [taps.get(j - start, w.dtype.type(0)) for j in range(n)]
        for start in range(-padding, n + padding - len(w) + 1, stride)
    ]


# -- predict_transposed_length -------------------------------------------------------------


def predict_number():
    return 16


def predict_formula():
    return (5 - 1) * 3 - 2 * 1 + 4 + 2


def predict_by_counting():
    ends = [3 * i + 4 for i in range(5)]
    return np.int64(max(ends) + 2 - 1 - 1)


# -- conv_transpose1d_scatter --------------------------------------------------------------


def scatter_loops(y, w, stride=1, padding=0, output_padding=0):
    length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    x = np.zeros(length, dtype=y.dtype)
    for i in range(len(y)):
        for j in range(len(w)):
            at = i * stride + j - padding
            if 0 <= at < length:
                x[at] = x[at] + y[i] * w[j]
    return x


def scatter_add_at(y, w, stride=1, padding=0, output_padding=0):
    places = stride * np.arange(len(y))[:, None] + np.arange(len(w))
    full = np.zeros(places.max() + 1 + output_padding, dtype=y.dtype)
    np.add.at(full, places, np.outer(y, w))
    return full[padding:-padding] if padding else full  # a view


def scatter_gather(y, w, stride=1, padding=0, output_padding=0):
    def one(j):
        reached = [i for i in range(len(y)) if 0 <= j + padding - i * stride < len(w)]
        return sum((y[i] * w[j + padding - i * stride] for i in reached), start=y.dtype.type(0))

    return [one(j) for j in range((len(y) - 1) * stride - 2 * padding + len(w) + output_padding)]


def scatter_matrix(y, w, stride=1, padding=0, output_padding=0):
    length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    return conv1d_matrix_loops(length, w, stride, padding)[: len(y)].T @ y


def scatter_convolve(y, w, stride=1, padding=0, output_padding=0):
    stretched = np.kron(y, np.eye(1, stride, dtype=y.dtype)[0])
    full = np.append(np.convolve(stretched, w), np.zeros(output_padding, y.dtype))
    length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    return full[padding : padding + length].astype(y.dtype)


def scatter_polyphase(y, w, stride=1, padding=0, output_padding=0):
    print("phases:", [w[phase::stride] for phase in range(stride)])
    full = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for phase in range(min(stride, len(w))):
        part = np.convolve(y, w[phase::stride])
        full[phase : phase + stride * len(part) : stride] = part
    return full[padding : full.size - padding]


def scatter_recursion(y, w, stride=1, padding=0, output_padding=0):
    if padding or output_padding:
        full = np.pad(scatter_recursion(y, w, stride), (0, output_padding))
        return full[padding : len(full) - padding]
    if len(y) == 1:
        return y[0] * w
    shift = np.zeros(stride, y.dtype)
    rest = np.concatenate([shift, scatter_recursion(y[1:], w, stride)])
    rest[: len(w)] += y[0] * w[: len(rest)]
    return rest


def scatter_fft(y, w, stride=1, padding=0, output_padding=0):
    full = (len(y) - 1) * stride + len(w) + output_padding
    stretched = np.zeros(full)
    stretched[: len(y) * stride : stride][: len(y)] = y
    x = np.fft.irfft(np.fft.rfft(stretched) * np.fft.rfft(w, full), full)
    return x[padding : full - padding].astype(y.dtype)


# -- conv_transpose1d_gather ---------------------------------------------------------------


def gather_loops(y, w, stride=1, padding=0, output_padding=0):
    z = []
    for o in range((len(y) - 1) * stride - 2 * padding + len(w) + output_padding):
        total = y.dtype.type(0)
        for k in range(len(w)):
            if (o + padding - k) % stride == 0 and 0 <= (o + padding - k) // stride < len(y):
                total += y[(o + padding - k) // stride] * w[k]
        z.append(total)
    return z


def gather_indices(y, w, stride=1, padding=0, output_padding=0):
    length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    taps = np.arange(length)[:, None] + padding - stride * np.arange(len(y))
    there = (taps >= 0) & (taps < len(w))
    return (np.where(there, w[np.clip(taps, 0, len(w) - 1)], 0) @ y).astype(y.dtype)


def gather_padded_kernel(y, w, stride=1, padding=0, output_padding=0):
    """Pad the kernel so far that every input finds a tap, if only a zero."""
    reach = len(y) * stride + padding + output_padding
    wide = np.pad(w, reach)
    length = (len(y) - 1) * stride - 2 * padding + len(w) + output_padding
    return np.array(
        [y @ wide[reach + o + padding - stride * np.arange(len(y))] for o in range(length)],
        dtype=y.dtype,
    )


def gather_nearest_inputs_only(y, w, stride=1, padding=0, output_padding=0):
    n, k = len(y), len(w)
    print("gathering")
    z = np.empty((n - 1) * stride - 2 * padding + k + output_padding, y.dtype)
    for o, place in enumerate(range(padding, padding + len(z))):
        first = max(0, -(-(place - k + 1) // stride))
        last = min(n - 1, place // stride)
        z[o] = sum(y[i] * w[place - i * stride] for i in range(first, last + 1))
    return z


# -- conv_transpose1d_zero_insert ----------------------------------------------------------


def conv1d(x, w, stride=1, padding=0):
    """Stand for a learner's wrong answer to exercise 1: the judge must put its own here."""
    raise AssertionError("the learner's own conv1d was called")


def insert_stretch(y, w, stride=1, padding=0, output_padding=0):
    between = np.repeat(np.arange(1, len(y)), stride - 1)
    stretched = np.append(np.insert(y, between, 0), np.zeros(output_padding, y.dtype))
    return conv1d(stretched, w[::-1], padding=len(w) - 1 - padding)


def insert_then_crop(y, w, stride=1, padding=0, output_padding=0):
    stretched = np.zeros(((len(y) - 1) * stride + 1 + output_padding,), y.dtype)
    for i, value in enumerate(y):
        stretched[i * stride] = value
    x = conv1d(stretched, np.flip(w), 1, len(w) - 1)
    return x[padding : len(x) - padding]


def insert_reshape(y, w, stride=1, padding=0, output_padding=0):
    table = np.zeros((len(y), stride), y.dtype)
    table[:, 0] = y
    edge = len(w) - 1 - padding
    zeros = np.zeros(edge, y.dtype)
    stretched = np.concatenate([zeros, table.ravel(), zeros])
    stretched = stretched[: len(stretched) - (stride - 1) + output_padding]
    missing = 2 * edge + (len(y) - 1) * stride + 1 + output_padding - len(stretched)
    return conv1d(np.pad(stretched, (0, max(missing, 0))), w[::-1])


def insert_flipped_input(y, w, stride=1, padding=0, output_padding=0):
    """Turn the input round instead of the kernel, and the result back."""
    length = 2 * (len(w) - 1 - padding) + (len(y) - 1) * stride + 1 + output_padding
    turned = np.zeros(length, y.dtype)
    start = len(w) - 1 - padding + output_padding
    turned[start : start + (len(y) - 1) * stride + 1 : stride] = y[::-1]
    return np.flip(conv1d(turned, w))


def insert_by_helper(y, w, stride=1, padding=0, output_padding=0):
    np.float64(1) / np.float64(0)  # RuntimeWarning
    print("stretching")
    numbers = []
    for value in y:
        numbers += [value] + [0] * (stride - 1)
    numbers = numbers[: len(numbers) - stride + 1] + [0] * output_padding
    return _slide(np.array(numbers, dtype=y.dtype), w[::-1], len(w) - 1 - padding)


def _slide(x, w, edge):
    return conv1d(x=x, w=w, padding=edge)


def insert_one_tap_at_a_time(y, w, stride=1, padding=0, output_padding=0):
    """Call conv1d once for each tap; slow, but it does go through conv1d."""
    stretched = np.zeros((len(y) - 1) * stride + 1, y.dtype)
    stretched[::stride] = y
    full = np.zeros(len(stretched) + len(w) - 1 + output_padding, y.dtype)
    for j in range(len(w)):
        full[j : j + len(stretched)] += conv1d(stretched, w[j : j + 1])
    return full[padding : len(full) - padding]


# -- polyphase_split -----------------------------------------------------------------------


def split_loops(w, stride):
    phases = [[] for _ in range(stride)]
    for j, tap in enumerate(w):
        phases[j % stride].append(tap)
    return [np.array(p, dtype=w.dtype) for p in phases]


def split_masks(w, stride):
    return tuple(w[np.arange(len(w)) % stride == r] for r in range(stride))


def split_reshape(w, stride):
    table = np.pad(w, (0, -len(w) % stride)).reshape(-1, stride)
    return [table[: (len(w) - r + stride - 1) // stride, r] for r in range(stride)]


def split_take(w, stride):
    return [np.take(w, range(r, len(w), stride)) for r in range(stride)]


# -- conv_transpose1d_polyphase ------------------------------------------------------------


def polyphase_split(w, stride):
    """Stand for a learner's wrong answer to exercise 8: the judge must put its own here."""
    raise AssertionError("the learner's own polyphase_split was called")


def polyphase_padded_input(y, w, stride=1, padding=0, output_padding=0):
    full = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for r in range(min(stride, len(w))):
        phase = w[r::stride]
        part = conv1d(np.pad(y, len(phase) - 1), phase[::-1])
        full[r::stride][: len(part)] = part
    return full[padding : len(full) - padding]


def polyphase_equal_phases(y, w, stride=1, padding=0, output_padding=0):
    """Fill the phases with zeros up to the same length and interleave by a transpose."""
    m = -(-len(w) // stride)
    phases = np.pad(w, (0, m * stride - len(w))).reshape(m, stride).T
    full = np.stack([conv1d(y, p[::-1], 1, m - 1) for p in phases], axis=1).ravel()
    size = (len(y) - 1) * stride + len(w) + output_padding
    full = np.append(full, np.zeros(stride, y.dtype))[:size]
    return full[padding : size - padding]


def polyphase_flipped_input(y, w, stride=1, padding=0, output_padding=0):
    """Turn the input round instead of each phase."""
    full = np.zeros(((len(y) - 1) * stride + len(w) + output_padding), y.dtype)
    for r, phase in enumerate(polyphase_split(w, stride)):
        if not phase.size:
            break
        full[r::stride][: len(y) + len(phase) - 1] = conv1d(
            x=np.flip(y), w=phase, padding=len(phase) - 1
        )[::-1]
    return full[padding : full.size - padding]


def polyphase_window_by_window(y, w, stride=1, padding=0, output_padding=0):
    """Call conv1d for each output, on no more inputs than reach it."""
    z = []
    for o in range((len(y) - 1) * stride - 2 * padding + len(w) + output_padding):
        place = o + padding
        phase = polyphase_split(w, stride)[place % stride]
        newest = place // stride
        taps = [j for j in range(len(phase)) if 0 <= newest - j < len(y)]
        if not taps:
            z.append(y.dtype.type(0))
            continue
        inputs = y[newest - taps[-1] : newest - taps[0] + 1]
        z.append(conv1d(inputs, phase[taps][::-1])[0])
    return np.array(z, dtype=y.dtype)


def polyphase_tap_by_tap(y, w, stride=1, padding=0, output_padding=0):
    full = np.zeros((len(y) - 1) * stride + len(w) + output_padding, dtype=y.dtype)
    for r, phase in enumerate(polyphase_split(w, stride)):
        for j in range(len(phase)):
            start = r + j * stride
            full[start : start + len(y) * stride : stride][: len(y)] += conv1d(y, phase[j : j + 1])
    return full[padding : len(full) - padding]


ANSWERS = {
    "conv1d": (
        conv1d_loops,
        conv1d_taps,
        conv1d_correlate,
        conv1d_convolve,
        conv1d_windows,
        conv1d_einsum,
        conv1d_indices,
        conv1d_fft,
        conv1d_recursion,
        conv1d_matrix_product,
        conv1d_list,
        conv1d_noisy,
    ),
    "same_padding": (
        same_padding_remainder,
        same_padding_ceil,
        same_padding_search,
        same_padding_one_by_one,
        same_padding_array,
    ),
    "conv1d_matrix": (
        conv1d_matrix_loops,
        conv1d_matrix_diagonals,
        conv1d_matrix_columns,
        conv1d_matrix_rolled,
        conv1d_matrix_product_of_three,
        conv1d_matrix_list,
    ),
    "predict_transposed_length": (predict_number, predict_formula, predict_by_counting),
    "conv_transpose1d_scatter": (
        scatter_loops,
        scatter_add_at,
        scatter_gather,
        scatter_matrix,
        scatter_convolve,
        scatter_polyphase,
        scatter_recursion,
        scatter_fft,
    ),
    "conv_transpose1d_gather": (
        gather_loops,
        gather_indices,
        gather_padded_kernel,
        gather_nearest_inputs_only,
        scatter_gather,
        scatter_matrix,
        scatter_convolve,
        scatter_polyphase,
    ),
    "conv_transpose1d_zero_insert": (
        insert_stretch,
        insert_then_crop,
        insert_reshape,
        insert_flipped_input,
        insert_by_helper,
        insert_one_tap_at_a_time,
    ),
    "polyphase_split": (split_loops, split_masks, split_reshape, split_take),
    "conv_transpose1d_polyphase": (
        polyphase_padded_input,
        polyphase_equal_phases,
        polyphase_flipped_input,
        polyphase_window_by_window,
        polyphase_tap_by_tap,
    ),
}
