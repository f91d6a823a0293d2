"""Transposed convolution in 2-D, step by step faster: the code of *From loops to matrix products*.

The chapter shows these functions, benchmarks/upsampling.py measures them, and problem set 9
holds the learner's matrix product against `loops`. Each takes `x` of shape `(N, C, H, W)`, `w`
of shape `(C, M, K, K)` of the same floating type, a stride of 1 or more and a padding that leaves
something, and returns what `torch.nn.functional.conv_transpose2d` does.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["loops", "phases", "phases_as_product", "slices"]


def loops(x, w, stride=1, padding=0):
    """Every multiplication by itself: seven loops."""
    (n, c, height, width), (_, m, k, _) = x.shape, w.shape
    tall, wide = (height - 1) * stride + k, (width - 1) * stride + k
    z = np.zeros((n, m, tall, wide), x.dtype)
    for image in range(n):
        for a in range(c):
            for b in range(m):
                for i in range(height):
                    for j in range(width):
                        for u in range(k):
                            for v in range(k):
                                product = x[image, a, i, j] * w[a, b, u, v]
                                z[image, b, i * stride + u, j * stride + v] += product
    return z[:, :, padding : tall - padding, padding : wide - padding]


def slices(x, w, stride=1, padding=0):
    """A whole image times one tap, added to a slice with steps."""
    (n, c, height, width), (_, m, k, _) = x.shape, w.shape
    z = np.zeros((n, m, *_sizes(x, k, stride)), x.dtype)
    for u in range(k):
        down = slice(u, u + (height - 1) * stride + 1, stride)
        for v in range(k):
            across = slice(v, v + (width - 1) * stride + 1, stride)
            for a in range(c):
                for b in range(m):
                    z[:, b, down, across] += x[:, a] * w[a, b, u, v]
    return _cropped(z, padding)


def phases(x, w, stride=1, padding=0):
    """The same for each phase of the kernel, at stride 1; what the phases give is interleaved."""
    (n, c, height, width), (_, m, k, _) = x.shape, w.shape
    z = np.zeros((n, m, *_sizes(x, k, stride)), x.dtype)
    for r in range(min(stride, k)):
        for t in range(min(stride, k)):
            taps = w[:, :, r::stride, t::stride]
            down, across = taps.shape[2:]
            part = np.zeros((n, m, height + down - 1, width + across - 1), x.dtype)
            for u in range(down):
                for v in range(across):
                    for a in range(c):
                        for b in range(m):
                            product = x[:, a] * taps[a, b, u, v]
                            part[:, b, u : u + height, v : v + width] += product
            z[:, :, r::stride, t::stride] = part
    return _cropped(z, padding)


def phases_as_product(x, w, stride=1, padding=0):
    """All phases as one matrix, times the windows of the padded input as columns."""
    (n, c, height, width), (_, m, k, _) = x.shape, w.shape
    taps = -(-k // stride)  # of a phase, along each axis; short phases are filled with zeros
    filled = np.zeros((c, m, taps * stride, taps * stride), x.dtype)
    filled[:, :, :k, :k] = w
    split = filled.reshape(c, m, taps, stride, taps, stride)[:, :, ::-1, :, ::-1]
    matrix = split.transpose(3, 5, 1, 0, 2, 4).reshape(stride**2 * m, c * taps**2)

    edge = (taps - 1, taps - 1)
    windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), edge, edge)), (taps, taps), (2, 3))
    places = height + taps - 1, width + taps - 1
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * taps**2, -1)

    product = (matrix @ columns).reshape(n, stride, stride, m, *places)
    z = np.empty((n, m, places[0], stride, places[1], stride), x.dtype)
    z[...] = product.transpose(0, 3, 4, 1, 5, 2)
    z = z.reshape(n, m, places[0] * stride, places[1] * stride)
    down, across = _sizes(x, k, stride)
    return _cropped(z[:, :, :down, :across], padding)


def _sizes(x, k, stride):
    """Return height and width of the full result, before it is cropped."""
    return tuple((size - 1) * stride + k for size in x.shape[2:])


def _cropped(z, padding):
    """Return `z` without `padding` rows and columns at each side."""
    height, width = z.shape[2:]
    return z[:, :, padding : height - padding, padding : width - padding]
