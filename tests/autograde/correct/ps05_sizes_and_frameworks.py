"""Right answers to problem set 5, each written in a way of its own, as learners write them."""

import math
from itertools import count

import numpy as np

# -- predict_padding -----------------------------------------------------------------------


def predict_number():
    return 6


def predict_as_float():
    return 6.0


def predict_by_formula():
    return ((10 - 1) * 8 + 20 - 80) / 2


# -- conv_output_size ----------------------------------------------------------------------


def size_by_starts(n, k, s=1, p=0, d=1):
    """Count the starts from which the last tap still lies inside."""
    last = d * (k - 1)
    starts = range(-p, n + p - last, s)
    if not starts:
        raise ValueError("no window fits")
    return len(starts)


def size_rounded_up(n, k, s=1, p=0, d=1):
    """TensorFlow's form for VALID, over the padded input."""
    size = math.ceil((n + 2 * p - (k - 1) * d) / s)
    if size < 1:
        raise ValueError("no window fits")
    return size


def size_as_pytorch_writes_it(n, k, s=1, p=0, d=1):
    size = np.floor((n + 2 * p - d * (k - 1) - 1) / s + 1)
    if size <= 0:
        raise ValueError(f"a kernel of {k} does not fit")
    return int(size)


def size_by_spreading(n, k, s=1, p=0, d=1):
    """Lay out the taps, and let NumPy slide them."""
    taps = np.zeros((k, d))
    taps = taps.ravel()[: taps.size - d + 1]
    padded = np.pad(np.zeros(n), p)
    if len(taps) > len(padded):
        raise ValueError("no window fits")
    return np.lib.stride_tricks.sliding_window_view(padded, len(taps))[::s].shape[0]


# -- conv_transpose_output_size ------------------------------------------------------------


def longer_by_formula(n, k, s=1, p=0, output_padding=0, d=1):
    if output_padding >= s and output_padding >= d:
        raise ValueError("too much output padding")
    size = (n - 1) * s - 2 * p + d * (k - 1) + output_padding + 1
    if size <= 0:
        raise ValueError("nothing is left")
    return np.int64(size)


def longer_by_marking(n, k, s=1, p=0, output_padding=0, d=1):
    """Write down every place that a tap reaches."""
    if not (output_padding < s or output_padding < d):
        raise ValueError("too much output padding")
    places = [i * s + j * d for i in range(n) for j in range(k)]
    kept = range(max(places) + 1 + output_padding)[p:]
    kept = kept[: len(kept) - p] if p < len(kept) else []
    if len(kept) == 0:
        raise ValueError("nothing is left")
    return len(kept)


def longer_by_undoing(n, k, s=1, p=0, output_padding=0, d=1):
    """Look for the smallest size of which the convolution makes n."""
    if output_padding not in range(max(s, d)):
        raise ValueError("too much output padding")
    least = d * (k - 1) + 1
    size = next(m for m in count(least) if (m - least) // s + 1 == n) + output_padding - 2 * p
    if size < 1:
        raise ValueError("nothing is left")
    return size


# -- output_padding_for --------------------------------------------------------------------


def extra_by_difference(n_in, n_out, k, s=1, p=0, d=1):
    extra = n_out + 2 * p - d * (k - 1) - (n_in - 1) * s - 1
    if extra < 0 or (extra >= s and extra >= d):
        raise ValueError(f"{extra} would be needed")
    return extra


def extra_by_trying(n_in, n_out, k, s=1, p=0, d=1):
    for extra in range(max(s, d)):
        if (n_in - 1) * s - 2 * p + d * (k - 1) + 1 + extra == n_out:
            return np.int64(extra)
    raise ValueError("none of them fits")


def extra_by_reach(n_in, n_out, k, s=1, p=0, d=1):
    """Look for the last place of the wanted result behind the last tap."""
    last_tap = max(i * s + j * d for i in range(n_in) for j in range(k))
    last_place = n_out - 1 + 2 * p
    allowed = set(range(s)) | set(range(d))
    if last_place - last_tap not in allowed:
        raise ValueError("no output padding does it")
    return last_place - last_tap


# -- tf_output_sizes -----------------------------------------------------------------------


def sizes_by_trying(n_in, k, s, padding):
    def windows(size):
        return math.ceil((size if padding == "SAME" else size - k + 1) / s)

    return [size for size in range(1, (n_in + 1) * s + k) if windows(size) == n_in]


def sizes_as_an_array(n_in, k, s, padding):
    first = 1 if padding.upper() == "SAME" else k
    return np.arange(s) + (n_in - 1) * s + first


def sizes_as_a_tuple(n_in, k, s, padding):
    """Begin with the largest, and go down."""
    largest = n_in * s if padding == "SAME" else n_in * s + k - 1
    return tuple(sorted(largest - i for i in range(s)))


def sizes_by_counting_starts(n_in, k, s, padding):
    """Count windows one by one; SAME has one for every stride begun."""
    fitting = []
    for size in range(1, (n_in + 1) * (s + k)):
        starts = range(0, size, s) if padding == "SAME" else range(0, size - k + 1, s)
        if len(starts) == n_in:
            fitting.append(size)
    return fitting


ANSWERS = {
    "predict_padding": [predict_number, predict_as_float, predict_by_formula],
    "conv_output_size": [
        size_by_starts,
        size_rounded_up,
        size_as_pytorch_writes_it,
        size_by_spreading,
    ],
    "conv_transpose_output_size": [longer_by_formula, longer_by_marking, longer_by_undoing],
    "output_padding_for": [extra_by_difference, extra_by_trying, extra_by_reach],
    "tf_output_sizes": [
        sizes_by_trying,
        sizes_as_an_array,
        sizes_as_a_tuple,
        sizes_by_counting_starts,
    ],
}
