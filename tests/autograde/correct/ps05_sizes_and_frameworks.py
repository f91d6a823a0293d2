"""Right answers to problem set 5, each written in a way of its own, as learners write them."""

import math
from itertools import count

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.functional import conv_transpose2d

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


# -- predict_first_number ------------------------------------------------------------------


def first_as_float():
    return 2.0


def first_number():
    return 2


def first_from_the_copies():
    copies = np.zeros((2, 7))
    copies[0, 0:5], copies[1, 2:7] = np.arange(1, 6), 10 * np.arange(1, 6)
    return copies.sum(axis=0)[(7 - 4) // 2]


# -- conv_transpose2d_tf -------------------------------------------------------------------


def _axis(n, k, s, out, padding):
    """Return how many places are cropped in front, or refuse."""
    windows = math.ceil(out / s) if padding == "SAME" else math.ceil((out - k + 1) / s)
    if windows != n:
        raise ValueError(f"{out} gives {windows}, not {n}")
    return max((n - 1) * s + k - out, 0) // 2


def tf_by_pixels(x, w, output_hw, strides, padding):
    """Scatter one copy of the kernel for each pixel, and drop what falls outside."""
    sh, sw = (strides, strides) if isinstance(strides, int) else strides
    top = _axis(x.shape[1], w.shape[0], sh, output_hw[0], padding)
    left = _axis(x.shape[2], w.shape[1], sw, output_hw[1], padding)
    z = np.zeros((len(x), *output_hw, w.shape[2]), x.dtype)
    for i, j in np.ndindex(x.shape[1:3]):
        for u, v in np.ndindex(w.shape[:2]):
            row, column = i * sh + u - top, j * sw + v - left
            if 0 <= row < output_hw[0] and 0 <= column < output_hw[1]:
                z[:, row, column] += x[:, i, j] @ w[u, v].T
    return z


def tf_by_gathering(x, w, output_hw, strides, padding):
    """Collect for each place of the result what reaches it."""
    sh, sw = np.broadcast_to(strides, 2).tolist()
    top = _axis(x.shape[1], w.shape[0], sh, output_hw[0], padding)
    left = _axis(x.shape[2], w.shape[1], sw, output_hw[1], padding)
    z = np.zeros((x.shape[0], output_hw[0], output_hw[1], w.shape[2]), dtype=x.dtype)
    for a in range(output_hw[0]):
        for u in range(w.shape[0]):
            i, left_over = divmod(a + top - u, sh)
            if left_over or not 0 <= i < x.shape[1]:
                continue
            for b in range(output_hw[1]):
                for v in range(w.shape[1]):
                    j, left_over = divmod(b + left - v, sw)
                    if not left_over and 0 <= j < x.shape[2]:
                        z[:, a, b] += np.tensordot(x[:, i, j], w[u, v], (1, 1))
    return z


def tf_by_matrices(x, w, output_hw, strides, padding):
    """Multiply by one placing matrix down and one across, for every pair of taps at once."""
    strides = [strides] * 2 if np.isscalar(strides) else strides
    place = []
    for n, k, s, out in zip(x.shape[1:3], w.shape[:2], strides, output_hw, strict=True):
        front = _axis(n, k, s, out, padding)
        at = np.arange(n)[:, None] * s + np.arange(k) - front
        place.append((at[..., None] == np.arange(out)).astype(x.dtype))
    return np.einsum("nijc,uvmc,iua,jvb->nabm", x, w, *place, optimize=True)


def tf_by_zero_insertion(x, w, output_hw, strides, padding):
    """Stretch the map with zeros, and slide the turned kernel over it."""
    sh, sw = (strides, strides) if np.ndim(strides) == 0 else strides
    (n, h, wide, c), (kh, kw, _, _), (a, b) = x.shape, w.shape, output_hw
    top, left = _axis(h, kh, sh, a, padding), _axis(wide, kw, sw, b, padding)
    stretched = np.zeros((n, a + 2 * kh + h * sh, b + 2 * kw + wide * sw, c), x.dtype)
    stretched[:, kh - 1 : kh - 1 + h * sh : sh, kw - 1 : kw - 1 + wide * sw : sw] = x
    windows = np.lib.stride_tricks.sliding_window_view(stretched, (kh, kw), axis=(1, 2))
    z = np.einsum("nabcuv,uvmc->nabm", windows, w[::-1, ::-1])
    return z[:, top : top + a, left : left + b]


# -- tf_kernel_to_torch and torch_kernel_to_tf ---------------------------------------------


def to_torch_by_moveaxis(w):
    return np.moveaxis(w, [3, 2], [0, 1])


def to_torch_by_swaps(w):
    return w.swapaxes(0, 3).swapaxes(1, 2).swapaxes(2, 3)


def to_torch_by_einsum(w):
    return np.einsum("uvmc->cmuv", w)


def to_torch_by_loops(w):
    kh, kw, m, c = w.shape
    kernel = np.empty((c, m, kh, kw), w.dtype)
    for i in range(c):
        for o in range(m):
            kernel[i, o] = w[:, :, o, i]
    return kernel


def to_tf_by_moveaxis(w):
    return np.moveaxis(w, (0, 1), (3, 2))


def to_tf_by_stacking(w):
    return np.stack([np.stack(list(each), axis=-1) for each in w], axis=-1)


def to_tf_by_undoing(w):
    order = (3, 2, 0, 1)
    return np.ascontiguousarray(np.transpose(w, np.argsort(order)))


def to_tf_by_einsum(w):
    return np.einsum("cmuv->uvmc", w)


# -- same_transposed_in_torch --------------------------------------------------------------


def _both_axes(x, w, output_hw, stride):
    """Return the strides, and for each axis by how much the full result is longer."""
    stride = (stride, stride) if isinstance(stride, int) else tuple(stride)
    longer = []
    for axis in (0, 1):
        n, k, s, out = x.shape[2 + axis], w.shape[2 + axis], stride[axis], output_hw[axis]
        if math.ceil(out / s) != n:
            raise ValueError(f"SAME makes {math.ceil(out / s)} of {out}, not {n}")
        longer.append((n - 1) * s + k - out)
    return stride, longer


def same_by_padding(x, w, output_hw, stride):
    """Let PyTorch crop the smaller half at both ends, and cut off what is left over."""
    stride, longer = _both_axes(x, w, output_hw, stride)
    z = conv_transpose2d(
        x,
        w,
        stride=stride,
        padding=[max(n, 0) // 2 for n in longer],
        output_padding=[max(-n, 0) for n in longer],
    )
    return z[:, :, : output_hw[0], : output_hw[1]]


def same_by_negative_padding(x, w, output_hw, stride):
    """Pad by negative numbers, which crops."""
    stride, longer = _both_axes(x, w, output_hw, stride)
    ends = []
    for n in reversed(longer):
        front = max(n, 0) // 2
        ends += [-front, front - n]
    return F.pad(torch.nn.functional.conv_transpose2d(x, w, None, stride), ends)


def same_by_hand(x, w, output_hw, stride):
    """Scatter tap by tap, without PyTorch's operation."""
    (sh, sw), longer = _both_axes(x, w, output_hw, stride)
    (n, _, h, wide), (_, m, kh, kw) = x.shape, w.shape
    size = [out + abs(more) for out, more in zip(output_hw, longer, strict=True)]
    full = x.new_zeros((n, m, *size))
    for u in range(kh):
        for v in range(kw):
            part = torch.einsum("nchw,cm->nmhw", x, w[:, :, u, v])
            full[:, :, u : u + (h - 1) * sh + 1 : sh, v : v + (wide - 1) * sw + 1 : sw] += part
    top, left = (max(more, 0) // 2 for more in longer)
    return full[:, :, top : top + output_hw[0], left : left + output_hw[1]]


def same_by_folding(x, w, output_hw, stride):
    """Multiply by the kernel as a matrix, and let `fold` add up what overlaps."""
    stride, longer = _both_axes(x, w, output_hw, stride)
    columns = torch.einsum("ncl,ck->nkl", x.flatten(2), w.flatten(1))
    size = [out + more for out, more in zip(output_hw, longer, strict=True)]
    full = F.fold(columns, size, tuple(w.shape[2:]), stride=stride)
    down, across = (max(-more, 0) for more in longer)
    top, left = (max(more, 0) // 2 for more in longer)
    full = F.pad(full, (0, across, 0, down))
    return full.narrow(2, top, output_hw[0]).narrow(3, left, output_hw[1])


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
    "predict_first_number": [first_number, first_as_float, first_from_the_copies],
    "conv_transpose2d_tf": [tf_by_pixels, tf_by_gathering, tf_by_matrices, tf_by_zero_insertion],
    "tf_kernel_to_torch": [
        to_torch_by_moveaxis,
        to_torch_by_swaps,
        to_torch_by_einsum,
        to_torch_by_loops,
    ],
    "torch_kernel_to_tf": [
        to_tf_by_moveaxis,
        to_tf_by_stacking,
        to_tf_by_undoing,
        to_tf_by_einsum,
    ],
    "same_transposed_in_torch": [
        same_by_padding,
        same_by_negative_padding,
        same_by_hand,
        same_by_folding,
    ],
}
