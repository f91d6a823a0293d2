"""Right answers to problem set 7, each written in a way of its own, as learners write them."""

import numpy as np


def torch_():
    import torch

    return torch


def tensorflow():
    import tensorflow as tf

    return tf


# -- predict_corner ------------------------------------------------------------------------


def corner_fraction():
    return 25 / 64


def corner_decimal():
    return 0.390625


def corner_squared():
    return np.float32(5 / 8) ** 2


# -- bilinear_kernel -----------------------------------------------------------------------


def kernel_loops(factor):
    k = 2 * factor - factor % 2
    middle = factor - 1 if factor % 2 else factor - 0.5
    return [
        [(1 - abs(i - middle) / factor) * (1 - abs(j - middle) / factor) for j in range(k)]
        for i in range(k)
    ]


def kernel_ogrid(factor):
    """As many programs do it: two open grids."""
    k = 2 * factor - factor % 2
    i, j = np.ogrid[:k, :k]
    centre = (k - 1) / 2
    return (1 - abs(i - centre) / factor) * (1 - abs(j - centre) / factor)


def kernel_boxes(factor):
    """Two boxes convolved make a tent; for an even factor it has to be shifted by half a place."""
    if factor % 2:
        taps = np.convolve(np.ones(factor), np.ones(factor)) / factor
    else:
        fine = np.convolve(np.ones(2 * factor), np.ones(2 * factor)) / (2 * factor)
        taps = fine[::2]
    return taps[:, None] * taps[None, :]


def kernel_interp(factor):
    k = 2 * factor - factor % 2
    places = np.arange(k) - (k - 1) / 2
    taps = np.interp(places, [-factor, 0, factor], [0, 1, 0])
    return np.einsum("i,j->ij", taps, taps)


def kernel_counting(factor):
    """Count up and down in halves."""
    up = np.arange(1 if factor % 2 == 0 else 2, 2 * factor + 1, 2) / (2 * factor)
    taps = np.r_[up, up[::-1]] if factor % 2 == 0 else np.r_[up, up[-2::-1]]
    return np.kron(taps[:, None], taps)


# -- bilinear_weight -----------------------------------------------------------------------


def weight_eye(channels, factor):
    return np.eye(channels).reshape(channels, channels, 1, 1) * kernel_ogrid(factor)


def weight_einsum(channels, factor):
    return np.einsum("cd,ij->cdij", np.identity(channels), kernel_interp(factor))


def weight_index(channels, factor):
    k = 2 * factor - factor % 2
    weight = np.zeros((channels, channels, k, k), np.float32)
    each = np.arange(channels)
    weight[each, each] = kernel_boxes(factor)
    return weight


def weight_kron(channels, factor):
    kernel = np.array(kernel_loops(factor))
    k = len(kernel)
    blocks = np.kron(np.eye(channels), kernel)
    return blocks.reshape(channels, k, channels, k).transpose(0, 2, 1, 3)


def weight_list(channels, factor):
    kernel = kernel_ogrid(factor)
    return [[kernel if a == b else 0 * kernel for b in range(channels)] for a in range(channels)]


# -- upsample_layer_torch ------------------------------------------------------------------


def torch_full_weight(x, factor):
    torch = torch_()
    weight = torch.tensor(weight_eye(x.shape[1], factor), dtype=x.dtype)
    k = weight.shape[-1]
    return torch.nn.functional.conv_transpose2d(x, weight, stride=factor, padding=(k - factor) // 2)


def torch_cropped_by_hand(x, factor):
    torch = torch_()
    n, c, h, w = x.shape
    kernel = torch.as_tensor(kernel_ogrid(factor)).type_as(x)[None, None]
    full = torch.conv_transpose2d(x.reshape(n * c, 1, h, w), kernel, stride=factor)
    p = factor // 2
    return full[..., p : p + h * factor, p : p + w * factor].reshape(n, c, h * factor, w * factor)


def torch_module(x, factor):
    torch = torch_()
    c, k = x.shape[1], 2 * factor - factor % 2
    layer = torch.nn.ConvTranspose2d(
        c, c, k, factor, padding=factor // 2, groups=c, bias=False, dtype=x.dtype
    )
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(kernel_boxes(factor)))
    return layer(x)


def torch_one_axis_at_a_time(x, factor):
    torch = torch_()
    n, c, h, w = x.shape
    k, p = 2 * factor - factor % 2, factor // 2
    taps = 1 - (torch.arange(k, dtype=x.dtype) - (k - 1) / 2).abs() / factor
    x = x.reshape(n * c, 1, h, w)
    x = torch.nn.functional.conv_transpose2d(
        x, taps.reshape(1, 1, k, 1), stride=(factor, 1), padding=(p, 0)
    )
    x = torch.nn.functional.conv_transpose2d(
        x, taps.reshape(1, 1, 1, k), stride=(1, factor), padding=(0, p)
    )
    return x.reshape(n, c, factor * h, factor * w)


def torch_channel_by_channel(x, factor):
    torch = torch_()
    kernel = torch.from_numpy(np.array(kernel_loops(factor)))[None, None].to(x.dtype)
    planes = [
        torch.nn.functional.conv_transpose2d(x[:, c : c + 1], kernel, None, factor, factor // 2)
        for c in range(x.shape[1])
    ]
    return torch.cat(planes, dim=1)


# -- upsample_layer_tf ---------------------------------------------------------------------


def tf_full_weight(x, factor):
    tf = tensorflow()
    kernel = weight_kron(x.shape[-1], factor).transpose(2, 3, 1, 0)
    n, h, w, c = tf.unstack(tf.shape(x))
    size = tf.stack([n, h * factor, w * factor, c])
    kernel = tf.constant(kernel, x.dtype)
    return tf.nn.conv2d_transpose(x, kernel, size, strides=[1, factor, factor, 1], padding="SAME")


def tf_cropped_by_hand(x, factor):
    tf = tensorflow()
    n, h, w, c = (tf.shape(x)[a] for a in range(4))
    planes = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [n * c, h, w, 1])
    k, p = 2 * factor - factor % 2, factor // 2
    kernel = tf.cast(kernel_interp(factor), x.dtype)[:, :, None, None]
    size = [n * c, (h - 1) * factor + k, (w - 1) * factor + k, 1]
    full = tf.nn.conv2d_transpose(planes, kernel, size, factor, "VALID")
    cropped = full[:, p : p + h * factor, p : p + w * factor, 0]
    z = tf.reshape(cropped, [n, c, h * factor, w * factor])
    return tf.transpose(z, [0, 2, 3, 1])


def tf_channel_by_channel(x, factor):
    tf = tensorflow()
    kernel = tf.cast(tf.constant(kernel_ogrid(factor)), x.dtype)[:, :, tf.newaxis, tf.newaxis]
    shape = tf.shape(x)
    size = [shape[0], shape[1] * factor, shape[2] * factor, 1]
    planes = [
        tf.nn.conv2d_transpose(x[..., c : c + 1], kernel, size, factor, "SAME")
        for c in range(x.shape[-1])
    ]
    return tf.concat(planes, axis=-1)


def tf_backprop_input(x, factor):
    """A transposed convolution is the way back of a depthwise convolution."""
    tf = tensorflow()
    c = x.shape[3]
    kernel = tf.tile(tf.cast(kernel_boxes(factor), x.dtype)[:, :, None, None], [1, 1, c, 1])
    size = tf.shape(x) * tf.constant([1, factor, factor, 1])
    return tf.nn.depthwise_conv2d_backprop_input(
        size, kernel, x, strides=[1, factor, factor, 1], padding="SAME"
    )


# -- predict_largest_overlap ---------------------------------------------------------------


def largest_number():
    return 9


def largest_by_axes():
    return 3**2


def largest_by_counting():
    counts = overlap_sum(6, 5, 2)
    return np.outer(counts, counts).max()


# -- overlap_count -------------------------------------------------------------------------


def overlap_loops(n, k, s):
    counts = [0] * ((n - 1) * s + k)
    for i in range(n):
        for j in range(k):
            counts[i * s + j] += 1
    return counts


def overlap_sum(n, k, s):
    """Each place asks every input whether it reaches it."""
    o = np.arange((n - 1) * s + k)[:, None] - s * np.arange(n)
    return ((o >= 0) & (o < k)).sum(axis=1)


def overlap_stretched(n, k, s):
    stretched = np.zeros((n - 1) * s + 1)
    stretched[::s] = 1
    return np.convolve(stretched, np.ones(k)).astype(np.int32)


def overlap_steps(n, k, s):
    """A copy begins: one more. A copy ends: one fewer."""
    length = (n - 1) * s + k
    change = np.zeros(length + 1, int)
    change[np.arange(n) * s] += 1
    np.subtract.at(change, np.arange(n) * s + k, 1)
    return np.cumsum(change)[:length]


def overlap_bincount(n, k, s):
    return np.bincount(np.add.outer(s * np.arange(n), np.arange(k)).ravel())[: (n - 1) * s + k]


# -- is_uniform ----------------------------------------------------------------------------


def uniform_remainder(k, s):
    return not k % s


def uniform_whole(k, s):
    return k // s * s == k


def uniform_counted(k, s):
    middle = overlap_sum(2 * k + 2, k, s)[k + s : k + 2 * s]
    return np.all(middle == middle[0])


def uniform_divmod(k, s):
    return divmod(k, s)[1] == 0


# -- icnr ----------------------------------------------------------------------------------


def icnr_loop(shape, r, rng):
    weights = np.empty(shape)
    deviation = (shape[1] * shape[2] * shape[3]) ** -0.5
    for first in range(0, shape[0], r * r):
        weights[first : first + r * r] = rng.normal(0, deviation, shape[1:])
    return weights


def icnr_he(shape, r, rng):
    """With the factor that is usual before a ReLU."""
    out, inputs, kh, kw = shape
    kernels = rng.normal(scale=np.sqrt(2 / (inputs * kh * kw)), size=(out // r**2, inputs, kh, kw))
    return kernels.repeat(r * r, axis=0)


def icnr_uniform(shape, r, rng):
    out, *rest = shape
    bound = np.sqrt(3 / np.prod(rest))
    kernels = rng.uniform(-bound, bound, (out // (r * r), 1, *rest)).astype(np.float32)
    return np.broadcast_to(kernels, (out // (r * r), r * r, *rest)).reshape(shape)


def icnr_index(shape, r, rng):
    kernels = rng.standard_normal(shape) * np.prod(shape[1:]) ** -0.5
    return kernels[np.arange(shape[0]) // r**2 * r**2]


def icnr_enlarged(shape, r, rng):
    """As the paper says it: nearest interpolation of the kernels' images, then unshuffled."""
    out, *rest = shape
    small = rng.standard_normal((out // r**2, np.prod(rest))) / np.sqrt(np.prod(rest))
    blocks = np.kron(small[:, :, None, None], np.ones((1, 1, r, r)))
    return blocks.reshape(out // r**2, -1, r * r).swapaxes(1, 2).reshape(shape)


# -- subpixel_to_transposed ----------------------------------------------------------------


def transposed_loops(w, r):
    out, channels, kh, kw = w.shape
    large = np.zeros((channels, out // (r * r), r * kh, r * kw), w.dtype)
    for o in range(out):
        c, a, b = o // (r * r), o // r % r, o % r
        for u in range(kh):
            for v in range(kw):
                large[:, c, (kh - 1 - u) * r + a, (kw - 1 - v) * r + b] = w[o, :, u, v]
    return large


def transposed_slices(w, r):
    out, channels, kh, kw = w.shape
    large = np.empty((channels, out // r**2, r * kh, r * kw), w.dtype)
    for a in range(r):
        for b in range(r):
            mine = w[a * r + b :: r * r, :, ::-1, ::-1]
            large[:, :, a::r, b::r] = np.swapaxes(mine, 0, 1)
    return large


def transposed_einsum(w, r):
    _, channels, kh, kw = w.shape
    split = np.flip(w, (2, 3)).reshape(-1, r, r, channels, kh, kw)
    return np.einsum("cabiuv->icuavb", split).reshape(channels, -1, kh * r, kw * r)


def transposed_by_shuffling(w, r):
    """Shuffle the flipped kernels as if they were a batch of images."""
    out, channels, kh, kw = w.shape
    images = np.rot90(w, 2, (2, 3)).swapaxes(0, 1)
    images = images.reshape(channels, out // r**2, r, r, kh, kw)
    images = np.moveaxis(images, (2, 3), (3, 5))
    return np.ascontiguousarray(images).reshape(channels, out // r**2, kh * r, kw * r)


def transposed_by_stamps(w, r):
    """Put single ones through a convolution and a shuffle written by hand."""
    _, channels, kh, kw = w.shape
    stamps = []
    for m in range(channels):
        lit = np.zeros((2 * kh - 1, 2 * kw - 1), w.dtype)
        lit[kh - 1, kw - 1] = 1
        windows = np.lib.stride_tricks.sliding_window_view(lit, (kh, kw))
        y = np.einsum("ijuv,ouv->oij", windows, w[:, m])
        y = y.reshape(-1, r, r, kh, kw).transpose(0, 3, 1, 4, 2)
        stamps.append(y.reshape(-1, kh * r, kw * r))
    return np.stack(stamps)


ANSWERS = {
    "predict_corner": (corner_fraction, corner_decimal, corner_squared),
    "bilinear_kernel": (
        kernel_loops,
        kernel_ogrid,
        kernel_boxes,
        kernel_interp,
        kernel_counting,
    ),
    "bilinear_weight": (weight_eye, weight_einsum, weight_index, weight_kron, weight_list),
    "upsample_layer_torch": (
        torch_full_weight,
        torch_cropped_by_hand,
        torch_module,
        torch_one_axis_at_a_time,
        torch_channel_by_channel,
    ),
    "upsample_layer_tf": (
        tf_full_weight,
        tf_cropped_by_hand,
        tf_channel_by_channel,
        tf_backprop_input,
    ),
    "predict_largest_overlap": (largest_number, largest_by_axes, largest_by_counting),
    "overlap_count": (
        overlap_loops,
        overlap_sum,
        overlap_stretched,
        overlap_steps,
        overlap_bincount,
    ),
    "is_uniform": (uniform_remainder, uniform_whole, uniform_counted, uniform_divmod),
    "icnr": (icnr_loop, icnr_he, icnr_uniform, icnr_index, icnr_enlarged),
    "subpixel_to_transposed": (
        transposed_loops,
        transposed_slices,
        transposed_einsum,
        transposed_by_shuffling,
        transposed_by_stamps,
    ),
}
