"""Measure what the GPU chapters show, on this machine's GPU.

    python -m benchmarks.gpu [--only TOPIC…] [--samples N] [--to FILE] [--try]

One run measures everything, so that every ratio compares two times of the same device on the
same day. Each case is checked before it is timed, against the same operation in float64; one
that is wrong, or cannot run, is recorded as failed and never timed. Topics:

ceilings    copying memory and multiplying matrices: what the device can do at best
transposed  `conv_transpose2d` over channels, strides, sizes, layouts and number types, and
            the two operations of cuDNN that it is made of
doubling    five layers that double an image's sides
moving      nearest, bilinear, pixel shuffle, unpooling: operations that only move numbers
compile     a few lines of PyTorch, as written and through `torch.compile`
training    a step of training a small decoder
launch      what a call costs when there is next to nothing to compute
triton      the kernels of book/triton_kernels.py beside PyTorch's operation
tensorflow  TensorFlow's operations, eagerly and through XLA, if it sees the GPU

A sample is the time between two CUDA events around one call, in microseconds. Before each call
the level-2 cache is overwritten, so that the inputs come from memory as they would in a network.
*launch* and *tensorflow* instead divide the time of many calls on the host's clock by their
number.

float32 means float32: tf32, which PyTorch allows in convolutions unless told otherwise, is a
case of its own. cuDNN's choice of algorithm is PyTorch's default, a guess, unless a row says
`"search": true`, where it tried them (`torch.backends.cudnn.benchmark`).

The record goes to benchmarks/gpu/DEVICE.json. With `--try`, every case runs once on tiny
inputs, on the CPU too, and nothing is timed or written.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import math
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.records import write

ROOT = Path(__file__).parents[1]
RECORDS = Path(__file__).with_suffix("")
sys.path.insert(0, str(ROOT / "book"))

import triton_kernels as kernels  # noqa: E402

DTYPES = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
TOLERANCE = {"float32": 1e-5, "tf32": 2e-3, "bfloat16": 2e-2, "float16": 3e-3}
"""Largest norm of the error allowed, as a share of the result's norm."""
LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
CALLS = 100
"""Calls that one sample on the host's clock is the mean of."""


@dataclass
class Case:
    """One operation, to be checked and timed.

    `prepare` takes the device and returns a function without parameters that does the work,
    and one that gives the same result from float64 numbers, or None if there is nothing to
    compare. `row` says in the record what was measured.
    """

    topic: str
    op: str
    prepare: Callable
    dtype: str = "float32"
    layout: str = "NCHW"
    search: bool = False
    on_host: bool = False
    row: dict = field(default_factory=dict)

    def describe(self) -> dict:
        """Return what the record says about the case, without its samples."""
        said = {"topic": self.topic, "op": self.op, "dtype": self.dtype, "layout": self.layout}
        return said | ({"search": True} if self.search else {}) | self.row


def draw(device, *shape, dtype="float32", layout="NCHW", seed=0):
    """Return normally distributed numbers, the same for every case of a shape."""
    generator = torch.Generator(device).manual_seed(seed)
    numbers = torch.randn(*shape, device=device, generator=generator)
    numbers = numbers.to(DTYPES[dtype])
    if len(shape) == 4:
        numbers = numbers.to(memory_format=LAYOUTS[layout])
    return numbers


def on_tensors(function: Callable, *shapes, dtype, layout, reference=None) -> Callable:
    """Return a `prepare` for a function of tensors of these shapes."""

    def prepare(device):
        shaped = {"dtype": dtype, "layout": layout}
        tensors = [draw(device, *s, **shaped, seed=i) for i, s in enumerate(shapes)]

        def truth():
            return (reference or function)(*(t.double().contiguous() for t in tensors))

        return lambda: function(*tensors), truth

    return prepare


def numbers_of(shape) -> int:
    """Return how many numbers an array of this shape holds."""
    return math.prod(shape)


def width(dtype: str) -> int:
    """Return the bytes of one number."""
    return torch.empty(0, dtype=DTYPES[dtype]).element_size()


# ---------------------------------------------------------------- the topics


def ceilings(small: bool) -> Iterator[Case]:
    """Copying and multiplying, as much as the device can."""
    length = 1 << (10 if small else 30)
    copied = {"bytes": 2 * 4 * length}

    def copy(device):
        source = draw(device, length)
        target = torch.empty_like(source)
        return lambda: target.copy_(source), None

    yield Case("ceilings", "copy", copy, row=copied)
    n = 32 if small else 8192
    for dtype in DTYPES:
        prepare = on_tensors(torch.matmul, (n, n), (n, n), dtype=dtype, layout="NCHW")
        # In float64, a product of this size would take longer than all else here.
        first = lambda device, prepare=prepare: (prepare(device)[0], None)
        yield Case("ceilings", "matmul", first, dtype, row={"operations": 2 * n**3, "side": n})


def transposed_case(topic, op, n, c_in, c_out, side, kernel, stride, padding, dtype, layout):
    """Return a transposed convolution as PyTorch's op, as backward-data, or its convolution."""
    out = (side - 1) * stride + kernel - 2 * padding
    small, large = (n, c_in, side, side), (n, c_out, out, out)
    weight = (c_in, c_out, kernel, kernel)
    how = {"stride": stride, "padding": padding}
    given = small
    if op == "conv_transpose2d":
        function = lambda x, w: F.conv_transpose2d(x, w, **how)
    elif op == "conv2d_input":
        function = lambda x, w: torch.nn.grad.conv2d_input(large, w, x, **how)
    else:
        function, given = lambda x, w: F.conv2d(x, w, **how), large
    row = {
        "shape": list(given),
        "kernel": kernel,
        "stride": stride,
        "operations": 2 * numbers_of(small) * c_out * kernel**2,
        "bytes": width(dtype) * (numbers_of(small) + numbers_of(large) + numbers_of(weight)),
    }
    prepare = on_tensors(function, given, weight, dtype=dtype, layout=layout)
    return Case(topic, op, prepare, dtype, layout, row=row)


def transposed(small: bool) -> Iterator[Case]:
    """`conv_transpose2d` over channels, strides and sizes, and the operations behind it."""
    n, side = (1, 4) if small else (16, 64)
    for dtype in DTYPES:
        for layout in LAYOUTS:
            for op in ("conv_transpose2d", "conv2d_input", "conv2d"):
                for channels in (16, 64, 256) if op == "conv_transpose2d" else (64,):
                    c = min(channels, 4) if small else channels
                    sizes = (n, c, c, side, 4, 2, 1)
                    case = transposed_case("transposed", op, *sizes, dtype, layout)
                    case.row["sweep"] = "channels"
                    yield case
    for dtype in ("float32", "tf32", "bfloat16"):
        for layout in LAYOUTS:
            for stride in (2, 4, 8):
                sizes = (n, 4 if small else 64, 4 if small else 64, side * 4 // stride)
                sizes = (*sizes, 2 * stride, stride, stride // 2)
                case = transposed_case("transposed", "conv_transpose2d", *sizes, dtype, layout)
                case.row["sweep"] = "stride"
                yield case
    for dtype in ("float32", "tf32", "bfloat16"):
        for edge in (4,) if small else (4, 8, 16, 32, 64, 128, 256):
            sizes = (n, 4 if small else 64, 4 if small else 64, edge, 4, 2, 1)
            case = transposed_case("transposed", "conv_transpose2d", *sizes, dtype, "channels_last")
            case.row["sweep"] = "side"
            yield case
    for dtype in DTYPES:
        shape, weight = ((2, 4, 16), (4, 4, 4)) if small else ((16, 64, 16384), (64, 64, 4))
        function = lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1)
        row = {"shape": list(shape), "kernel": 4, "stride": 2, "sweep": "1-D"}
        row["operations"] = 2 * numbers_of(shape) * weight[1] * 4
        row["bytes"] = width(dtype) * (3 * numbers_of(shape) + numbers_of(weight))
        prepare = on_tensors(function, shape, weight, dtype=dtype, layout="NCHW")
        yield Case("transposed", "conv_transpose1d", prepare, dtype, row=row)


DOUBLING = {
    "nearest, then convolve 3": (3, 1, lambda x, w: _resized("nearest", x, w)),
    "bilinear, then convolve 3": (3, 1, lambda x, w: _resized("bilinear", x, w)),
    "convolve 3, then pixel shuffle": (
        3,
        4,
        lambda x, w: F.pixel_shuffle(F.conv2d(x, w, padding=1), 2),
    ),
    "transposed, kernel 4": (
        4,
        1,
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1),
    ),
    "transposed, kernel 2": (2, 1, lambda x, w: F.conv_transpose2d(x, w, stride=2)),
}
"""Kernel size K, how many times the channels a weight of `(times · C, C, K, K)` has, the layer."""


def _resized(mode, x, w):
    return F.conv2d(F.interpolate(x, scale_factor=2.0, mode=mode), w, padding=1)


def doubling(small: bool) -> Iterator[Case]:
    """Five layers from (N, C, H, W) to (N, C, 2 H, 2 W)."""
    n, c, side = (1, 4, 4) if small else (16, 64, 64)
    shape = (n, c, side, side)
    for name, (kernel, times, function) in DOUBLING.items():
        weight = (times * c, c, kernel, kernel)
        # A convolution after resizing works on four times the places.
        places = side**2 * (4 if "then convolve" in name else 1)
        row = {"shape": list(shape), "kernel": kernel, "weights": numbers_of(weight)}
        row["operations"] = 2 * n * places * numbers_of(weight)
        for dtype in DTYPES:
            for layout in LAYOUTS:
                prepare = on_tensors(function, shape, weight, dtype=dtype, layout=layout)
                yield Case("doubling", name, prepare, dtype, layout, row=dict(row))


def unpool_case(topic, op, shape, window, dtype, layout="NCHW", function=None):
    """Return an unpooling of `shape`, which is the pooled one, as PyTorch's op or another's."""
    size = (shape[2] * window, shape[3] * window)

    def prepare(device):
        image = draw(device, *shape[:2], *size, dtype=dtype, layout=layout)
        x, indices = F.max_pool2d(image, window, return_indices=True)
        plain = lambda: F.max_unpool2d(x, indices, window, output_size=size)
        if function is None:
            return plain, lambda: _put_back(x, indices, size)
        return (lambda: function(x, indices, size)), plain

    out = numbers_of(shape) * window**2
    moved = numbers_of(shape) * (width(dtype) + 8) + out * width(dtype)
    row = {"shape": list(shape), "kernel": window, "stride": window, "bytes": moved}
    return Case(topic, op, prepare, dtype, layout, row=row)


def _put_back(x, indices, size):
    flat = torch.zeros(*x.shape[:2], size[0] * size[1], dtype=torch.float64, device=x.device)
    return flat.scatter_(2, indices.flatten(2), x.double().flatten(2)).unflatten(2, size)


def moving(small: bool) -> Iterator[Case]:
    """Operations without a weight: what they cost is what they read and write."""
    shape = (2, 4, 4, 4) if small else (16, 64, 128, 128)
    operations = {
        "nearest": lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"),
        "bilinear": lambda x: F.interpolate(x, scale_factor=2.0, mode="bilinear"),
        "pixel shuffle": lambda x: F.pixel_shuffle(x, 2),
    }
    for dtype in ("float32", "bfloat16", "float16"):
        for layout in LAYOUTS:
            for name, function in operations.items():
                grown = 1 if name == "pixel shuffle" else 4
                row = {"shape": list(shape)}
                row["bytes"] = width(dtype) * numbers_of(shape) * (1 + grown)
                prepare = on_tensors(function, shape, dtype=dtype, layout=layout)
                yield Case("moving", name, prepare, dtype, layout, row=row)
            yield unpool_case("moving", "max_unpool2d", shape, 2, dtype, layout)


def bilinear_weight(channels: int, factor: int) -> torch.Tensor:
    """Return `(C, 1, K, K)` of weights that interpolate bilinearly, K = 2 f - f mod 2."""
    size = 2 * factor - factor % 2
    middle = (size - 1) / 2
    ramp = 1 - (torch.arange(size, dtype=torch.float64) - middle).abs() / factor
    return (ramp[:, None] * ramp).expand(channels, 1, size, size).contiguous()


def compiled(small: bool) -> Iterator[Case]:
    """A few lines as written, and the same through torch.compile."""
    n, c, side = (1, 4, 4) if small else (16, 64, 64)
    shape = (n, c, side, side)

    def shuffle(x, w, b):
        return torch.relu(F.pixel_shuffle(x, 2) + b[: c // 4])

    def resize(x, w, b):
        return torch.relu(F.interpolate(x, scale_factor=2.0, mode="bilinear") * b + b)

    def resize_convolve(x, w, b):
        return torch.relu(_resized("nearest", x, w) + b)

    def transpose(x, w, b):
        return torch.relu(F.conv_transpose2d(x, w, stride=2, padding=1) + b)

    lines = {
        "pixel shuffle, bias, ReLU": (shuffle, 1),
        "bilinear, scale, bias, ReLU": (resize, 1),
        "nearest, convolve 3, bias, ReLU": (resize_convolve, 3),
        "transposed, bias, ReLU": (transpose, 4),
    }
    for name, (function, kernel) in lines.items():
        shapes = (shape, (c, c, kernel, kernel), (c, 1, 1))
        for dtype in ("tf32", "bfloat16"):
            for how in ("eager", "compiled"):
                prepare = on_tensors(function, *shapes, dtype=dtype, layout="channels_last")
                if how == "compiled" and not small:
                    prepare = on_tensors(
                        torch.compile(function, fullgraph=True),
                        *shapes,
                        dtype=dtype,
                        layout="channels_last",
                        reference=function,
                    )
                row = {"shape": list(shape), "how": how}
                yield Case("compile", name, prepare, dtype, "channels_last", row=row)


def training(small: bool) -> Iterator[Case]:
    """A step of training: a decoder from 512 × 4 × 4 to 3 × 64 × 64, forward and back."""
    batch, widths = (2, (8, 4)) if small else (256, (512, 256, 128, 64))

    def decoder(device, layout):
        torch.manual_seed(0)
        layers = []
        for c_in, c_out in pairwise(widths):
            layers += [nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(c_out), nn.ReLU()]
        layers += [nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh()]
        return nn.Sequential(*layers).to(device).to(memory_format=LAYOUTS[layout])

    def step(autocast, layout, compile_it):
        def prepare(device):
            model = decoder(device, layout)
            optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
            x = draw(device, batch, widths[0], 4, 4, layout=layout)
            side = 4 * 2 ** len(widths)
            target = draw(device, batch, 3, side, side, layout=layout, seed=1)
            forward = torch.compile(model) if compile_it and not small else model

            def run():
                optimiser.zero_grad()
                with torch.autocast(device, dtype=torch.bfloat16, enabled=autocast):
                    loss = F.mse_loss(forward(x), target)
                loss.backward()
                optimiser.step()
                return loss

            return run, None

        return prepare

    for dtype in ("float32", "tf32", "bfloat16"):
        for layout in LAYOUTS:
            for how in ("eager", "compiled"):
                prepare = step(dtype == "bfloat16", layout, how == "compiled")
                row = {"how": how, "batch": batch, "widths": list(widths)}
                yield Case("training", "decoder step", prepare, dtype, layout, row=row)


def launch(small: bool) -> Iterator[Case]:
    """One tiny call after another: the host has more to do than the device."""
    x, w = (1, 16, 8, 8), (16, 1, 4, 4)
    how = {"stride": 2, "padding": 1}
    operations = {
        "conv_transpose2d": lambda x, w: F.conv_transpose2d(x, w, **how, groups=16),
        "Triton, gather": lambda x, w: kernels.conv_transpose2d_gather(x, w, **how),
    }
    for name, function in operations.items():
        prepare = on_tensors(
            function, x, w, dtype="float32", layout="NCHW", reference=operations["conv_transpose2d"]
        )
        for graph in (False, True):
            if graph and small:
                continue
            ready = in_a_graph(prepare) if graph else prepare
            row = {"shape": list(x), "kernel": 4, "stride": 2, "graph": graph}
            yield Case("launch", name, ready, on_host=True, row=row)


def in_a_graph(prepare: Callable) -> Callable:
    """Return a `prepare` whose work was recorded once as a CUDA graph and is replayed."""

    def recorded(device):
        run, truth = prepare(device)
        run()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = run()

        def replay():
            graph.replay()
            return result

        return replay, truth

    return recorded


def triton_kernels(small: bool) -> Iterator[Case]:
    """Our kernels beside PyTorch's operation, on the same numbers."""
    for shape in [(2, 3, 4, 4)] if small else [(16, 64, 112, 112), (16, 64, 256, 256)]:
        for dtype in ("float32", "bfloat16"):
            for op, function in {
                "PyTorch": None,
                "scatter": kernels.max_unpool2d_scatter,
                "gather": lambda *args: kernels.max_unpool2d_gather(*args, 2),
            }.items():
                case = unpool_case("triton", op, shape, 2, dtype, function=function)
                case.row["task"] = "max_unpool2d"
                yield case
    for shape in [(2, 3, 10)] if small else [(16, 1, 1 << 20), (16, 64, 1 << 16)]:
        for dtype in ("float32", "bfloat16"):
            yield from depthwise_cases("conv_transpose1d", shape, 4, 2, 1, dtype)
    sizes = {2: [(8, 3, 256), (8, 21, 256), (8, 64, 256)], 3: [(8, 21, 160)]}
    sizes |= {4: [(8, 21, 128)], 8: [(8, 21, 64)]}
    for factor, shapes in sizes.items():
        for n, c, side in [(1, 2, 5)] if small else shapes:
            kernel, padding = 2 * factor - factor % 2, factor // 2
            for dtype in ("float32", "bfloat16"):
                yield from depthwise_cases(
                    "conv_transpose2d", (n, c, side, side), kernel, factor, padding, dtype
                )


def depthwise_cases(task, shape, kernel, stride, padding, dtype) -> Iterator[Case]:
    """All ways to do one depthwise transposed convolution, bilinear in 2-D."""
    channels, axes = shape[1], len(shape) - 2
    how = {"stride": stride, "padding": padding}
    plain = F.conv_transpose1d if axes == 1 else F.conv_transpose2d
    out = [(n - 1) * stride + kernel - 2 * padding for n in shape[2:]]
    moved = numbers_of(shape) + numbers_of((*shape[:2], *out)) + channels * kernel**axes

    def case(op, function, layout="NCHW", search=False, full=False):
        def prepare(device):
            x = draw(device, *shape, dtype=dtype, layout=layout)
            weight = draw("cpu", channels, 1, kernel, seed=1).double()
            if axes == 2:
                weight = bilinear_weight(channels, stride)
            weight = weight.to(device, DTYPES[dtype])
            used = weight
            if full:
                used = torch.zeros(channels, channels, *weight.shape[2:]).to(weight)
                used[range(channels), range(channels)] = weight[:, 0]
            if layout == "channels_last":
                used = used.to(memory_format=torch.channels_last)
            wide = x.double().contiguous(), weight.double()
            return (lambda: function(x, used)), lambda: plain(*wide, **how, groups=channels)

        row = {"task": task, "shape": list(shape), "kernel": kernel, "stride": stride}
        row["bytes"] = width(dtype) * moved
        return Case("triton", op, prepare, dtype, layout, search, row=row)

    grouped = lambda x, w: plain(x, w, **how, groups=channels)
    yield case("PyTorch", grouped)
    yield case("PyTorch", grouped, search=True)
    if axes == 2:
        yield case("PyTorch", grouped, "channels_last")
        yield case("PyTorch", grouped, "channels_last", search=True)
        if channels > 1:
            # What the first networks did: all C × C kernels, zeros off the diagonal.
            dense = lambda x, w: plain(x, w, **how)
            yield case("PyTorch, C × C kernels", dense, full=True)
            yield case("PyTorch, C × C kernels", dense, "channels_last", search=True, full=True)
    scatter = getattr(kernels, f"{task}_scatter")
    gather = getattr(kernels, f"{task}_gather")
    if dtype == "float32":
        yield case("scatter", lambda x, w: scatter(x, w, **how))
    yield case("gather", lambda x, w: gather(x, w, **how))
    if axes == 2 and stride == 2:
        yield case("phases", lambda x, w: kernels.conv_transpose2d_phases(x, w, padding))


def tensorflow(small: bool) -> Iterator[Case]:
    """TensorFlow's operations, eagerly and compiled by XLA."""
    try:
        import tensorflow as tf
    except ImportError:
        return
    if not small and not tf.config.list_physical_devices("GPU"):
        return
    n, c, side = (1, 4, 4) if small else (16, 64, 64)
    shape = (n, side, side, c)
    large = (n, 2 * side, 2 * side, c)
    weight = (4, 4, c, c)
    operations = {
        "tf.nn.conv2d_transpose": lambda x, w: tf.nn.conv2d_transpose(x, w, large, 2, "SAME"),
        "tf.image.resize, bilinear": lambda x, w: tf.image.resize(x, large[1:3]),
        "tf.image.resize, nearest": lambda x, w: tf.image.resize(x, large[1:3], "nearest"),
        "tf.nn.depth_to_space": lambda x, w: tf.nn.depth_to_space(x, 2),
    }
    truths = {
        "tf.nn.conv2d_transpose": lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1),
        "tf.image.resize, bilinear": lambda x, w: F.interpolate(
            x, scale_factor=2.0, mode="bilinear"
        ),
        "tf.image.resize, nearest": lambda x, w: F.interpolate(x, scale_factor=2.0),
        "tf.nn.depth_to_space": lambda x, w: _depth_to_space(x),
    }
    for name, function in operations.items():
        for dtype in ("float32", "tf32", "bfloat16"):
            for how in ("eager", "XLA"):

                def prepare(device, name=name, function=function, dtype=dtype, how=how):
                    tf.config.experimental.enable_tensor_float_32_execution(dtype == "tf32")
                    arrays = [draw("cpu", *s, seed=i) for i, s in enumerate((shape, weight))]
                    as_dtype = tf.bfloat16 if dtype == "bfloat16" else tf.float32
                    x, w = (tf.cast(a.numpy(), as_dtype) for a in arrays)
                    x64, w64 = (a.to(DTYPES[dtype]).double() for a in arrays)
                    x64, w64 = x64.permute(0, 3, 1, 2), w64.permute(3, 2, 0, 1)
                    run = tf.function(function, jit_compile=True) if how == "XLA" else function
                    truth = lambda: truths[name](x64, w64).permute(0, 2, 3, 1)
                    return (lambda: run(x, w)), truth

                row = {"shape": list(shape), "how": how}
                yield Case("tensorflow", name, prepare, dtype, "NHWC", on_host=True, row=row)


def _depth_to_space(x):
    n, c, h, w = x.shape
    blocks = x.reshape(n, 2, 2, c // 4, h, w)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


TOPICS = {
    "ceilings": ceilings,
    "triton": triton_kernels,
    "transposed": transposed,
    "doubling": doubling,
    "moving": moving,
    "launch": launch,
    "compile": compiled,
    "training": training,
    "tensorflow": tensorflow,
}


# ------------------------------------------------------- checking and timing


@contextlib.contextmanager
def precision(dtype: str, search: bool):
    """Allow tf32 for the case "tf32" only, and let cuDNN search if asked."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    matmul.allow_tf32 = dtype == "tf32"
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=search, deterministic=False, allow_tf32=dtype == "tf32"
        ):
            yield
    finally:
        matmul.allow_tf32 = before


def as_double(result) -> torch.Tensor:
    """Return a framework's result as a float64 tensor."""
    if not isinstance(result, torch.Tensor):  # TensorFlow's bfloat16 is not NumPy's
        import tensorflow as tf

        result = torch.from_numpy(tf.cast(result, tf.float64).numpy())
    return result.detach().double()


def error(result, truth) -> float:
    """Return the norm of the error as a share of the truth's norm; NaN counts as infinite."""
    result, truth = as_double(result), as_double(truth)
    if result.shape != truth.shape:
        raise AssertionError(f"shape {tuple(result.shape)}, not {tuple(truth.shape)}")
    found = ((result - truth.to(result.device)).norm() / truth.norm().to(result.device)).item()
    return found if math.isfinite(found) else math.inf


def check(case: Case, run: Callable, truth: Callable | None) -> float | None:
    """Return the case's error; raises `AssertionError` where it is too large."""
    if truth is None:
        run()
        return None
    expected = truth()
    # Freed, these NaN are what a kernel finds where it does not write.
    if isinstance(expected, torch.Tensor):
        poison = torch.full_like(expected, math.nan)
        del poison
    found = error(run(), expected)
    if found > TOLERANCE[case.dtype]:
        raise AssertionError(f"wrong by {found:.1e} of the result's norm")
    return found


class Cuda:
    """Times calls on the current CUDA device."""

    def __init__(self, samples: int):
        self.samples = samples
        self.cache = torch.empty(1 << 28, dtype=torch.int8, device="cuda")

    def events(self, run: Callable) -> list[float]:
        """Return microseconds between two events around each call, the cache overwritten."""
        for _ in range(5):
            run()
        pairs = []
        for _ in range(self.samples):
            self.cache.zero_()
            pair = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
            pair[0].record()
            run()
            pair[1].record()
            pairs.append(pair)
        torch.cuda.synchronize()
        return [1000 * start.elapsed_time(end) for start, end in pairs]

    def host(self, run: Callable) -> list[float]:
        """Return microseconds a call on the host's clock, the mean of `CALLS` calls each."""
        found = []
        for _ in range(self.samples + 1):
            self.wait(run())
            start = time.perf_counter()
            for _ in range(CALLS):
                last = run()
            self.wait(last)
            found.append(1e6 * (time.perf_counter() - start) / CALLS)
        return found[1:]

    @staticmethod
    def wait(result):
        """Wait until the device has computed the result."""
        torch.cuda.synchronize()
        if not isinstance(result, torch.Tensor):  # TensorFlow's: ask for one number of it
            result[(0,) * len(result.shape)].numpy()


def measure(cases: Iterator[Case], device: str, timer: Cuda | None) -> list[dict]:
    """Check each case and time it; return the record's rows.

    Without a timer, cases are checked only.
    """
    rows = []
    for case in cases:
        row = case.describe()
        try:
            with precision(case.dtype, case.search):
                run, truth = case.prepare(device)
                found = check(case, run, truth)
                if found is not None:
                    row["error"] = float(f"{found:.2g}")
                if timer:
                    samples = (timer.host if case.on_host else timer.events)(run)
                    row["samples"] = [float(f"{sample:.4g}") for sample in samples]
        except Exception as problem:
            row["failed"] = f"{type(problem).__name__}: {problem}".split("\n")[0][:200]
        rows.append(row)
        print(line(row), flush=True)
        if device == "cuda":
            torch.cuda.empty_cache()
    return rows


def line(row: dict) -> str:
    """Return one row as a line to read."""
    parts = [row["topic"], row.get("task", ""), row["op"], row["dtype"], row["layout"]]
    parts += [f"{key}={row[key]}" for key in ("shape", "kernel", "stride", "how") if key in row]
    parts += [key for key in ("search", "graph") if row.get(key)]
    if "failed" in row:
        return " | ".join([*filter(None, parts), f"FAILED {row['failed']}"])
    if "samples" not in row:
        return " | ".join([*filter(None, parts), "right"])
    middle = statistics.median(row["samples"])
    parts.append(f"{middle:.1f} µs")
    if "bytes" in row:
        parts.append(f"{row['bytes'] / middle / 1e6:.2f} TB/s")
    if "operations" in row:
        parts.append(f"{row['operations'] / middle / 1e6:.1f} TFLOP/s")
    return " | ".join(filter(None, parts))


def machine() -> dict:
    """Return the device, its driver and the versions of what ran on it."""
    asked = "name,driver_version,memory.total,clocks.max.sm,power.limit"
    command = ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = [part.strip() for part in done.stdout.splitlines()[0].split(",")]
    properties = torch.cuda.get_device_properties(0)
    versions = {"python": platform.python_version(), "cuda": torch.version.cuda}
    versions["cudnn"] = torch.backends.cudnn.version()
    for package in ("torch", "triton", "tensorflow"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "device": said[0],
        "driver": said[1],
        "memory": said[2],
        "largest clock": said[3],
        "power limit": said[4],
        "multiprocessors": properties.multi_processor_count,
        "level-2 cache": properties.L2_cache_size,
        "versions": versions,
    }


def save(path: Path | None, rows: list[dict], arguments: list[str]) -> None:
    """Write what this run has measured to `path`, or to the record of this device."""
    about = machine()
    slug = re.sub(r"[^a-z0-9]+", "-", about["device"].lower()).strip("-")
    record = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": " ".join(["python -m benchmarks.gpu", *arguments]),
        "machine": about,
        "unit": "microseconds",
    }
    path = path or RECORDS / f"{slug}.json"
    write(path, record, rows)
    print(f"{len(rows)} rows written to {path}", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the record; return 1 if a case failed or there is no GPU."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="TOPIC", nargs="+", choices=TOPICS, default=[*TOPICS])
    parser.add_argument("--samples", metavar="N", type=int, default=20, help="default: 20")
    parser.add_argument("--to", metavar="FILE", type=Path, help="where to write the record")
    parser.add_argument(
        "--try", dest="small", action="store_true", help="only check every case, on tiny inputs"
    )
    arguments = parser.parse_args(argv)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not arguments.small:
        print("No GPU that PyTorch can use is in this machine, so there is nothing to measure.")
        print("`python -m benchmarks.gpu --try` checks every case on the CPU.")
        return 1
    timer = None if arguments.small else Cuda(arguments.samples)
    rows = []
    for topic in arguments.only:
        rows += measure(TOPICS[topic](arguments.small), device, timer)
        if timer:  # after each topic, so that a run cut short leaves a record
            save(arguments.to, rows, argv or sys.argv[1:])
    failed = sum("failed" in row for row in rows)
    print(f"{len(rows)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
