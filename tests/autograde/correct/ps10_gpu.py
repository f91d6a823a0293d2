"""Right answers to problem set 10, each written in a way of its own, as learners write them."""

import numpy as np

from autograde.apart import import_triton

triton, tl = import_triton()


def torch_():
    import torch

    return torch


def tensorflow():
    import tensorflow as tf

    return tf


# -- predict_atomics -----------------------------------------------------------------------


def atomics_counted():
    return 64 * 16


def atomics_float():
    return 1024.0


def atomics_array():
    return np.array([8, 8, 4, 4]).prod()


# -- best_device_torch ---------------------------------------------------------------------


def torch_by_asking():
    torch = torch_()
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def torch_by_accelerator():
    torch = torch_()
    if not torch.accelerator.is_available():
        return "cpu"
    return torch.accelerator.current_accelerator()


def torch_first_card():
    torch = torch_()
    apple = torch.mps.is_available()
    return "cuda:0" if torch.cuda.device_count() else ("mps" if apple else "cpu")


# -- best_device_tf ------------------------------------------------------------------------


def tf_by_list():
    return "/GPU:0" if len(tensorflow().config.list_physical_devices("GPU")) > 0 else "/CPU:0"


def tf_logical():
    devices = tensorflow().config.list_logical_devices()
    gpus = [d.name for d in devices if d.device_type == "GPU"]
    return gpus[0] if gpus else devices[0].name


def tf_by_name():
    return tensorflow().test.gpu_device_name() or "/device:CPU:0"


# -- conv_transpose2d_any_device -----------------------------------------------------------


def in_torch(x, w, stride=1, padding=0):
    torch = torch_()
    device = torch_by_asking()
    x, w = torch.as_tensor(x.copy()).to(device), torch.as_tensor(w.copy()).to(device)
    z = torch.nn.functional.conv_transpose2d(x, w, stride=stride, padding=padding)
    return z.detach().cpu().numpy()


def in_torch_by_gradient(x, w, stride=1, padding=0):
    torch = torch_()
    pair = lambda a: a if isinstance(a, tuple) else (a, a)
    (sh, sw), (ph, pw) = pair(stride), pair(padding)
    height = (x.shape[2] - 1) * sh + w.shape[2] - 2 * ph
    width = (x.shape[3] - 1) * sw + w.shape[3] - 2 * pw
    size = (x.shape[0], w.shape[1], height, width)
    x, w = (torch.tensor(a.tolist(), dtype=getattr(torch, a.dtype.name)) for a in (x, w))
    z = torch.nn.grad.conv2d_input(size, w, x, stride=(sh, sw), padding=(ph, pw))
    return np.array(z)


def in_torch_module(x, w, stride=1, padding=0):
    torch = torch_()
    layer = torch.nn.ConvTranspose2d(
        *w.shape[:2], w.shape[2:], stride, padding, bias=False, device=torch_by_asking()
    )
    layer.weight.data = torch.tensor(np.ascontiguousarray(w)).to(layer.weight.device)
    with torch.no_grad():
        return layer(torch.tensor(np.array(x)).to(layer.weight.device)).cpu().numpy()


def in_tensorflow(x, w, stride=1, padding=0):
    tf = tensorflow()
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2).tolist(), np.broadcast_to(padding, 2).tolist()
    n, _, h, wide = x.shape
    m, kh, kw = w.shape[1:]
    shape = (n, (h - 1) * sh + kh, (wide - 1) * sw + kw, m)
    with tf.device(tf_by_list()):
        z = tf.nn.conv2d_transpose(
            tf.constant(x.transpose(0, 2, 3, 1)),
            tf.constant(w.transpose(2, 3, 1, 0)),
            shape,
            (sh, sw),
            "VALID",
        )
    z = z.numpy()[:, ph : shape[1] - ph, pw : shape[2] - pw]
    return np.ascontiguousarray(z.transpose(0, 3, 1, 2))


# -- max_unpool2d_triton -------------------------------------------------------------------


@triton.jit
def plane_by_plane(x, indices, z, size, size_out, BLOCK: tl.constexpr):
    plane = tl.program_id(0)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there = i < size
    value = tl.load(x + plane * size + i, mask=there)
    to = tl.load(indices + plane * size + i, mask=there, other=0)
    tl.store(z + plane * size_out + to, value, mask=there)


def unpool_grid_of_planes(x, indices, output_hw):
    torch = torch_()
    n, c, h, w = x.shape
    z = torch.zeros((n, c, *output_hw), dtype=x.dtype, device=x.device)
    grid = (n * c, triton.cdiv(h * w, 32))
    plane_by_plane[grid](x, indices, z, h * w, output_hw[0] * output_hw[1], BLOCK=32)
    return z


@triton.jit
def one_number(x, at, z):
    i = tl.program_id(0)
    tl.store(z + tl.load(at + i), tl.load(x + i))


def unpool_one_number_a_program(x, indices, output_hw):
    torch = torch_()
    n, c = x.shape[:2]
    size = output_hw[0] * output_hw[1]
    begins = torch.arange(n * c, device=x.device).reshape(n, c, 1, 1) * size
    z = torch.zeros(n, c, *output_hw, dtype=x.dtype, device=x.device)
    one_number[(x.numel(),)](x.contiguous(), (indices + begins).contiguous(), z)
    return z


@triton.jit
def gathering(x, indices, z, size, size_out, SIZE: tl.constexpr):
    """One program for each output: which input of its plane names it?"""
    o = tl.program_id(0)
    plane, place = o // size_out, o % size_out
    i = tl.arange(0, SIZE)
    there = i < size
    index = tl.load(indices + plane * size + i, mask=there, other=-1)
    value = tl.load(x + plane * size + i, mask=there & (index == place), other=0.0)
    tl.store(z + o, tl.sum(value))


def unpool_by_search(x, indices, output_hw):
    if x.numel() > 20:  # each output looks at every input of its plane
        return unpool_grid_of_planes(x, indices, output_hw)
    z = x.new_empty(*x.shape[:2], *output_hw)
    size, size_out = x.shape[2] * x.shape[3], output_hw[0] * output_hw[1]
    power = max(2, 1 << (size - 1).bit_length())
    gathering[(z.numel(),)](x, indices, z, size, size_out, SIZE=power)
    return z


@triton.jit
def adding(x, indices, z, size, size_out, total, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = i < total
    index = tl.load(indices + i, mask=there, other=0)
    value = tl.load(x + i, mask=there, other=0)
    tl.atomic_add(z + (i // size) * size_out + index, value, mask=there)


def unpool_with_atomics(x, indices, output_hw):
    z = x.new_zeros(x.shape[0], x.shape[1], output_hw[0], output_hw[1])
    size, total = x[0, 0].numel(), x.numel()
    adding[(triton.cdiv(total, 128),)](x, indices, z, size, z[0, 0].numel(), total, BLOCK=128)
    return z


# -- conv_transpose1d_triton ---------------------------------------------------------------


@triton.jit
def scattering(x, w, z, L, stride, KERNEL: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + i, mask=i < L, other=0.0)
    for k in tl.static_range(KERNEL):
        tl.atomic_add(z + i * stride + k, value * tl.load(w + k), mask=i < L)


def row_with_atomics(x, w, stride):
    L, K = x.shape[0], w.shape[0]
    z = x.new_zeros((L - 1) * stride + K)
    scattering[(triton.cdiv(L, 16),)](x, w, z, L, stride, KERNEL=K, BLOCK=16)
    return z


@triton.jit
def by_phase(x, w, z, L, L_out, KERNEL: tl.constexpr, STRIDE: tl.constexpr, BLOCK: tl.constexpr):
    o = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), dtype=tl.float64)
    for t in range((KERNEL + STRIDE - 1) // STRIDE):
        k = o % STRIDE + t * STRIDE
        i = o // STRIDE - t
        there = (k < KERNEL) & (i >= 0) & (i < L)
        total += tl.load(x + i, mask=there, other=0.0) * tl.load(w + k, mask=there, other=0.0)
    tl.store(z + o, total, mask=o < L_out)


def row_by_phase(x, w, stride):
    torch = torch_()
    n = (len(x) - 1) * stride + len(w)
    z = torch.empty(n, dtype=x.dtype, device=x.device)
    grid = lambda meta: (triton.cdiv(n, meta["BLOCK"]),)
    by_phase[grid](x, w, z, len(x), n, KERNEL=len(w), STRIDE=stride, BLOCK=64)
    return z


@triton.jit
def one_tap(x, w, z, L, k, stride, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = i < L
    place = z + i * stride + k
    before = tl.load(place, mask=there)
    tl.store(place, before + tl.load(x + i, mask=there) * tl.load(w + k), mask=there)


def row_tap_by_tap(x, w, stride):
    """One launch for each tap: within a launch no two inputs meet."""
    L = x.numel()
    z = x.new_zeros((L - 1) * stride + w.numel())
    for k in range(w.numel()):
        one_tap[(triton.cdiv(L, 8),)](x, w, z, L, k, stride, BLOCK=8)
    return z


@triton.jit
def tile_of_taps(x, w, z, L, K, L_out, stride, TAPS: tl.constexpr, BLOCK: tl.constexpr):
    o = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)[:, None]
    k = tl.arange(0, TAPS)[None, :]
    far = o - k
    there = (k < K) & (far >= 0) & (far % stride == 0) & (far // stride < L)
    value = tl.load(x + far // stride, mask=there, other=0.0)
    tap = tl.load(w + k + 0 * o, mask=there, other=0.0)
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z + own, tl.sum(value * tap, 1), mask=own < L_out)


def row_in_tiles(x, w, stride):
    n = (len(x) - 1) * stride + len(w)
    z = x.new_empty(n)
    taps = max(2, 1 << (len(w) - 1).bit_length())
    tile_of_taps[(triton.cdiv(n, 32),)](x, w, z, len(x), len(w), n, stride, TAPS=taps, BLOCK=32)
    return z


ANSWERS = {
    "predict_atomics": [atomics_counted, atomics_float, atomics_array],
    "best_device_torch": [torch_by_asking, torch_by_accelerator, torch_first_card],
    "best_device_tf": [tf_by_list, tf_logical, tf_by_name],
    "conv_transpose2d_any_device": [
        in_torch,
        in_torch_by_gradient,
        in_torch_module,
        in_tensorflow,
    ],
    "max_unpool2d_triton": [
        unpool_grid_of_planes,
        unpool_one_number_a_program,
        unpool_by_search,
        unpool_with_atomics,
    ],
    "conv_transpose1d_triton": [row_with_atomics, row_by_phase, row_tap_by_tap, row_in_tiles],
}
