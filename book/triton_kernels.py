"""Unpooling and transposed convolution as Triton kernels: the code of *Write the kernel*.

Each operation is written twice. *Scatter* stands at an input and sends its products out;
where two inputs reach one output, it has to add with atomics, into an output that was
filled with zeros before. *Gather* stands at an output and collects what belongs there. It
writes each output once and needs neither.

The module lies beside the chapter that explains it, like the drawings: the page shows these
functions and runs them, the tests and benchmarks/gpu.py import the very same ones.

Tensors are PyTorch's, contiguous, `(N, C, L)` or `(N, C, H, W)`. The convolutions are
*depthwise*: each channel has its own kernel, `w` has the shape `(C, 1, K)` or
`(C, 1, K, K)`, and the framework's name for it is `groups=C`. With one channel it is the
plain operation. The functions raise `ValueError` for other shapes.

Without a CUDA device the kernels run in Triton's interpreter, program by program in NumPy.
"""

import torch

from autograde.apart import import_triton

triton, tl = import_triton()

__all__ = [
    "conv_transpose1d_gather",
    "conv_transpose1d_scatter",
    "conv_transpose2d_gather",
    "conv_transpose2d_phases",
    "conv_transpose2d_scatter",
    "max_unpool2d_gather",
    "max_unpool2d_scatter",
]

BLOCK = 1024
"""Elements that one program works on."""


@triton.jit
def unpool_scatter(x, indices, z, total, size, size_out, BLOCK: tl.constexpr):
    """Send each of `total` inputs to its index in its plane of `size_out` outputs."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < total
    value = tl.load(x + i, mask=inside)
    index = tl.load(indices + i, mask=inside)
    plane = (i // size).to(tl.int64)
    tl.store(z + plane * size_out + index, value, mask=inside)


@triton.jit
def unpool_gather(
    x,
    indices,
    z,
    H,
    W,
    H_out,
    W_out,
    WINDOW: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_W: tl.constexpr,
):
    """Ask for each output whether the index of its window is its own."""
    plane, top, left = tile(H_out, W_out, BLOCK_H, BLOCK_W)
    row = top + tl.arange(0, BLOCK_H)
    column = left + tl.arange(0, BLOCK_W)
    i, j = row // WINDOW, column // WINDOW
    source = plane * H * W + i[:, None] * W + j[None, :]
    known = (i < H)[:, None] & (j < W)[None, :]
    value = tl.load(x + source, mask=known, other=0.0)
    index = tl.load(indices + source, mask=known, other=-1)
    own = row[:, None] * W_out + column[None, :]
    inside = (row < H_out)[:, None] & (column < W_out)[None, :]
    tl.store(z + plane * H_out * W_out + own, tl.where(index == own, value, 0.0), mask=inside)


@triton.jit
def tile(H, W, BLOCK_H: tl.constexpr, BLOCK_W: tl.constexpr):
    """Return this program's plane, and the first row and column of its tile in it."""
    down, across = tl.cdiv(H, BLOCK_H), tl.cdiv(W, BLOCK_W)
    program = tl.program_id(0)
    plane, rest = program // (down * across), program % (down * across)
    return plane.to(tl.int64), rest // across * BLOCK_H, rest % across * BLOCK_W


@triton.jit
def transposed1d_scatter(
    x,
    w,
    z,
    C,
    L,
    L_out,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Add each input, times each tap, to the output it reaches."""
    blocks = tl.cdiv(L, BLOCK)
    plane = (tl.program_id(0) // blocks).to(tl.int64)
    i = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + plane * L + i, mask=i < L, other=0.0)
    for k in tl.static_range(KERNEL):
        tap = tl.load(w + plane % C * KERNEL + k)
        o = i * STRIDE + k - PADDING
        reached = (i < L) & (o >= 0) & (o < L_out)
        tl.atomic_add(z + plane * L_out + o, value * tap, mask=reached, sem="relaxed")


@triton.jit
def transposed1d_gather(
    x,
    w,
    z,
    C,
    L,
    L_out,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Collect each output from the inputs that reach it: every STRIDE-th tap, from its phase on."""
    blocks = tl.cdiv(L_out, BLOCK)
    plane = (tl.program_id(0) // blocks).to(tl.int64)
    o = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], tl.float32)
    for t in tl.static_range((KERNEL + STRIDE - 1) // STRIDE):
        k = (o + PADDING) % STRIDE + t * STRIDE
        i = (o + PADDING) // STRIDE - t
        there = (k < KERNEL) & (i >= 0) & (i < L)
        value = tl.load(x + plane * L + i, mask=there, other=0.0)
        tap = tl.load(w + plane % C * KERNEL + k, mask=there, other=0.0)
        total += value.to(tl.float32) * tap.to(tl.float32)
    tl.store(z + plane * L_out + o, total.to(z.dtype.element_ty), mask=o < L_out)


@triton.jit
def transposed2d_scatter(
    x,
    w,
    z,
    C,
    H,
    W,
    H_out,
    W_out,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_W: tl.constexpr,
):
    """Add each input, times each of the KERNEL × KERNEL taps, to the output it reaches."""
    plane, top, left = tile(H, W, BLOCK_H, BLOCK_W)
    i = top + tl.arange(0, BLOCK_H)
    j = left + tl.arange(0, BLOCK_W)
    known = (i < H)[:, None] & (j < W)[None, :]
    value = tl.load(x + plane * H * W + i[:, None] * W + j[None, :], mask=known, other=0.0)
    for ky in tl.static_range(KERNEL):
        for kx in tl.static_range(KERNEL):
            tap = tl.load(w + (plane % C * KERNEL + ky) * KERNEL + kx)
            row, column = i * STRIDE + ky - PADDING, j * STRIDE + kx - PADDING
            down, across = (row >= 0) & (row < H_out), (column >= 0) & (column < W_out)
            o = plane * H_out * W_out + row[:, None] * W_out + column[None, :]
            reached = known & down[:, None] & across[None, :]
            tl.atomic_add(z + o, value * tap, mask=reached, sem="relaxed")


@triton.jit
def transposed2d_gather(
    x,
    w,
    z,
    C,
    H,
    W,
    H_out,
    W_out,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_W: tl.constexpr,
):
    """Collect each output from the inputs that reach it, at any stride."""
    plane, top, left = tile(H_out, W_out, BLOCK_H, BLOCK_W)
    row = top + tl.arange(0, BLOCK_H)
    column = left + tl.arange(0, BLOCK_W)
    total = tl.zeros([BLOCK_H, BLOCK_W], tl.float32)
    for ty in tl.static_range((KERNEL + STRIDE - 1) // STRIDE):
        ky = (row + PADDING) % STRIDE + ty * STRIDE
        i = (row + PADDING) // STRIDE - ty
        down = (ky < KERNEL) & (i >= 0) & (i < H)
        for tx in tl.static_range((KERNEL + STRIDE - 1) // STRIDE):
            kx = (column + PADDING) % STRIDE + tx * STRIDE
            j = (column + PADDING) // STRIDE - tx
            there = down[:, None] & ((kx < KERNEL) & (j >= 0) & (j < W))[None, :]
            source = plane * H * W + i[:, None] * W + j[None, :]
            place = plane % C * KERNEL * KERNEL + ky[:, None] * KERNEL + kx[None, :]
            value = tl.load(x + source, mask=there, other=0.0)
            tap = tl.load(w + place, mask=there, other=0.0)
            total += value.to(tl.float32) * tap.to(tl.float32)
    o = plane * H_out * W_out + row[:, None] * W_out + column[None, :]
    inside = (row < H_out)[:, None] & (column < W_out)[None, :]
    tl.store(z + o, total.to(z.dtype.element_ty), mask=inside)


@triton.jit
def transposed2d_phases(
    x,
    w,
    z,
    C,
    H,
    W,
    H_out,
    W_out,
    KERNEL: tl.constexpr,
    PADDING: tl.constexpr,
    FIRST: tl.constexpr,
    LAST: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_W: tl.constexpr,
):
    """Collect at stride 2, phase by phase: four outputs share the inputs around one place.

    Output row 2 i + phase meets input row i + d through the tap phase + PADDING - 2 d.
    FIRST and LAST are the smallest and the largest such d.
    """
    plane, top, left = tile(tl.cdiv(H_out, 2), tl.cdiv(W_out, 2), BLOCK_H, BLOCK_W)
    i = top + tl.arange(0, BLOCK_H)
    j = left + tl.arange(0, BLOCK_W)
    even_even = tl.zeros([BLOCK_H, BLOCK_W], tl.float32)
    even_odd = tl.zeros([BLOCK_H, BLOCK_W], tl.float32)
    odd_even = tl.zeros([BLOCK_H, BLOCK_W], tl.float32)
    odd_odd = tl.zeros([BLOCK_H, BLOCK_W], tl.float32)
    for dy in tl.static_range(FIRST, LAST + 1):
        for dx in tl.static_range(FIRST, LAST + 1):
            down = (i + dy >= 0) & (i + dy < H)
            across = (j + dx >= 0) & (j + dx < W)
            source = plane * H * W + (i + dy)[:, None] * W + (j + dx)[None, :]
            there = down[:, None] & across[None, :]
            value = tl.load(x + source, mask=there, other=0.0).to(tl.float32)
            taps = w + plane % C * KERNEL * KERNEL
            ky, kx = PADDING - 2 * dy, PADDING - 2 * dx
            if ky >= 0 and ky < KERNEL:
                if kx >= 0 and kx < KERNEL:
                    even_even += value * tl.load(taps + ky * KERNEL + kx).to(tl.float32)
                if kx + 1 >= 0 and kx + 1 < KERNEL:
                    even_odd += value * tl.load(taps + ky * KERNEL + kx + 1).to(tl.float32)
            if ky + 1 >= 0 and ky + 1 < KERNEL:
                if kx >= 0 and kx < KERNEL:
                    odd_even += value * tl.load(taps + (ky + 1) * KERNEL + kx).to(tl.float32)
                if kx + 1 >= 0 and kx + 1 < KERNEL:
                    odd_odd += value * tl.load(taps + (ky + 1) * KERNEL + kx + 1).to(tl.float32)
    # Interleaved, the two phases of a row are neighbours, and are written in one go.
    column = 2 * left + tl.arange(0, 2 * BLOCK_W)
    across = (column < W_out)[None, :]
    o = plane * H_out * W_out + 2 * i[:, None] * W_out + column[None, :]
    even = tl.interleave(even_even, even_odd).to(z.dtype.element_ty)
    odd = tl.interleave(odd_even, odd_odd).to(z.dtype.element_ty)
    tl.store(z + o, even, mask=(2 * i < H_out)[:, None] & across)
    tl.store(z + o + W_out, odd, mask=(2 * i + 1 < H_out)[:, None] & across)


def max_unpool2d_scatter(x, indices, output_hw, block=BLOCK):
    """Return `F.max_unpool2d`: zeros, and each input at its index.

    `x` and `indices` (int64) have the shape `(N, C, H, W)`. Of inputs with the same index one
    is kept, which one is not defined.
    """
    _check(x, indices.shape == x.shape, "indices must have the shape of x")
    z = x.new_zeros(*x.shape[:2], *output_hw)
    total, (height, width) = x.numel(), x.shape[2:]
    grid = (triton.cdiv(total, block),)
    unpool_scatter[grid](
        x, indices, z, total, height * width, output_hw[0] * output_hw[1], BLOCK=block
    )
    return z


def max_unpool2d_gather(x, indices, output_hw, window, block=BLOCK):
    """Return `F.max_unpool2d` for indices of `F.max_pool2d(…, window)`.

    The windows do not overlap: `window` is the kernel size and the stride, and there was no
    padding. Then an output has to look at one input only.
    """
    _check(x, indices.shape == x.shape, "indices must have the shape of x")
    z = x.new_empty(*x.shape[:2], *output_hw)
    grid, sides = _tiles(z, *output_hw, block)
    unpool_gather[grid](x, indices, z, *x.shape[2:], *output_hw, WINDOW=window, **sides)
    return z


def conv_transpose1d_scatter(x, w, stride, padding=0, block=BLOCK):
    """Return `F.conv_transpose1d(x, w, stride=stride, padding=padding, groups=C)`; float32."""
    _check(x, x.dtype == torch.float32, "atomics add in float32 here")
    z = _output(x, w, stride, padding).zero_()
    length, out = x.shape[-1], z.shape[-1]
    grid = (x.shape[0] * x.shape[1] * triton.cdiv(length, block),)
    sizes = {"KERNEL": w.shape[-1], "STRIDE": stride, "PADDING": padding}
    transposed1d_scatter[grid](x, w, z, x.shape[1], length, out, **sizes, BLOCK=block)
    return z


def conv_transpose1d_gather(x, w, stride, padding=0, block=BLOCK):
    """Return `F.conv_transpose1d(x, w, stride=stride, padding=padding, groups=C)`."""
    z = _output(x, w, stride, padding)
    length, out = x.shape[-1], z.shape[-1]
    grid = (x.shape[0] * x.shape[1] * triton.cdiv(out, block),)
    sizes = {"KERNEL": w.shape[-1], "STRIDE": stride, "PADDING": padding}
    transposed1d_gather[grid](x, w, z, x.shape[1], length, out, **sizes, BLOCK=block)
    return z


def conv_transpose2d_scatter(x, w, stride, padding=0, block=BLOCK):
    """Return `F.conv_transpose2d(x, w, stride=stride, padding=padding, groups=C)`; float32."""
    _check(x, x.dtype == torch.float32, "atomics add in float32 here")
    z = _output(x, w, stride, padding).zero_()
    grid, sides = _tiles(x, *x.shape[2:], block)
    sizes = {"KERNEL": w.shape[-1], "STRIDE": stride, "PADDING": padding}
    transposed2d_scatter[grid](x, w, z, *x.shape[1:], *z.shape[2:], **sizes, **sides)
    return z


def conv_transpose2d_gather(x, w, stride, padding=0, block=BLOCK):
    """Return `F.conv_transpose2d(x, w, stride=stride, padding=padding, groups=C)`."""
    z = _output(x, w, stride, padding)
    grid, sides = _tiles(z, *z.shape[2:], block)
    sizes = {"KERNEL": w.shape[-1], "STRIDE": stride, "PADDING": padding}
    transposed2d_gather[grid](x, w, z, *x.shape[1:], *z.shape[2:], **sizes, **sides)
    return z


def conv_transpose2d_phases(x, w, padding=0, block=BLOCK):
    """Return `F.conv_transpose2d(x, w, stride=2, padding=padding, groups=C)`."""
    z = _output(x, w, 2, padding)
    kernel = w.shape[-1]
    grid, sides = _tiles(z, triton.cdiv(z.shape[2], 2), triton.cdiv(z.shape[3], 2), block)
    reach = {"FIRST": -((kernel - 1 - padding) // 2), "LAST": (padding + 1) // 2}
    sizes = {"KERNEL": kernel, "PADDING": padding, **reach}
    transposed2d_phases[grid](x, w, z, *x.shape[1:], *z.shape[2:], **sizes, **sides)
    return z


def _check(x, condition, message):
    """Raise `ValueError` unless `x` can be read in order and the condition holds."""
    if not x.is_contiguous():
        raise ValueError("x must be contiguous")
    if not condition:
        raise ValueError(message)


def _output(x, w, stride, padding):
    """Return the output's tensor, not filled."""
    axes = x.ndim - 2
    shape = (x.shape[1], 1, *[w.shape[-1]] * axes)
    _check(x, w.shape == shape, f"w must have the shape {shape}, one kernel for each channel of x")
    sizes = [(n - 1) * stride + w.shape[-1] - 2 * padding for n in x.shape[2:]]
    return x.new_empty(*x.shape[:2], *sizes)


def _tiles(tensor, height, width, block):
    """Return the grid and the sides of tiles that cover each plane, `height` by `width`."""
    across = min(128, block, triton.next_power_of_2(width))
    down = block // across
    tiles = triton.cdiv(height, down) * triton.cdiv(width, across)
    sides = {"BLOCK_H": down, "BLOCK_W": across}
    return (tensor.shape[0] * tensor.shape[1] * tiles,), sides
