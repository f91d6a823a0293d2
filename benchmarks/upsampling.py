"""Measure transposed convolution on one core: our versions in NumPy beside the frameworks.

    python -m benchmarks.upsampling [--samples N] [--to FILE] [--try]

The versions are those of autograde/steps.py, and problem set 9's matrix product. The frameworks
are PyTorch, in both layouts, and TensorFlow. All compute in float32, with one thread each, on the
same numbers, and every result is checked against PyTorch in float64 before anything is timed.
What takes long is measured on the smaller layers only.

A sample is the processor's time of one call, in milliseconds, of all threads: waiting for other
programs does not count. Short calls are repeated within a sample until it takes 5 ms. All versions
of a layer take turns, so that a slower minute of the machine is everybody's. Nothing is asserted
about any of it.

The record says how busy the machine was (its load average), and keeps all samples.
`multiplications` and `bytes` of a row are counted by formula, see `work`; `steps`, in PyTorch's
rows, are what its library oneDNN says that it does, see `steps_of`. The record goes to
benchmarks/upsampling.json; the chapter *From loops to matrix products* is computed from it. With
`--try`, every version is only checked, on tiny layers, and nothing is written.
"""

from __future__ import annotations

import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
if __name__ == "__main__":  # the libraries read it when they are imported
    os.environ.update(dict.fromkeys(THREADS, "1"), TF_CPP_MIN_LOG_LEVEL="3")

import argparse  # noqa: E402
import datetime  # noqa: E402
import math  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from importlib.metadata import version  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from autograde import specs, steps  # noqa: E402
from benchmarks.records import write  # noqa: E402

RECORD = Path(__file__).with_suffix(".json")
SHORTEST = 5e-3
"""Seconds that a sample takes at least."""


@dataclass(frozen=True)
class Layer:
    """A transposed convolution of one image, `c` channels of `side` × `side` to `m` channels."""

    name: str
    c: int
    m: int
    side: int
    kernel: int = 4
    stride: int = 2
    padding: int = 1

    @property
    def multiplications(self) -> int:
        """How many are of use: each pixel meets each tap of each output channel."""
        return self.c * self.m * self.side**2 * self.kernel**2


LAYERS = (
    Layer("tiny", 8, 8, 16),
    Layer("decoder", 64, 32, 32),
    Layer("wide", 128, 64, 64),
    Layer("deep", 512, 256, 8),
    Layer("to colours", 16, 3, 128),
    Layer("FCN-8s", 21, 21, 32, 16, 8, 4),
)
SMALL = (Layer("tiny", 2, 3, 3), Layer("short phases", 3, 2, 4, 3, 2, 0))


def gemm(x, w, stride, padding):
    """Problem set 9's matrix product."""
    solution = specs.get("conv_transpose2d_gemm").solution
    return solution(x, w, stride=stride, padding=padding)


PRODUCT, COL2IM = "product alone", "col2im alone"
STEPS = {
    "loops": steps.loops,
    "slices": steps.slices,
    "phases": steps.phases,
    "product, col2im": gemm,
    "phases as product": steps.phases_as_product,
}


def affordable(name: str, layer: Layer) -> bool:
    """Return whether a version takes seconds on a layer and not minutes."""
    if name == "loops":
        return layer.multiplications <= 40e6
    if name in {"slices", "phases"}:
        return layer.c * layer.m * layer.kernel**2 <= 200e3
    return True


def work(name: str, layer: Layer) -> tuple[int, int] | None:
    """Return the multiplications of a version and the bytes that it reads and writes.

    Every NumPy operation reads its operands once and writes its result once, each number four
    bytes; each of the loops' products does so too. What a matrix product does in between is its
    own affair. Zeros that an array is filled with count as written. None for a framework.
    """
    c, m, k, s, pixels = layer.c, layer.m, layer.kernel, layer.stride, layer.side**2
    full = ((layer.side - 1) * s + k) ** 2
    products = layer.multiplications
    kernels = c * m * k**2
    if name == "loops":
        # read x, w and z, write z
        return products, 4 * (m * full + 4 * products)
    if name == "slices":
        # read x and write the product; read it and z, write z
        return products, 4 * (m * full + kernels + 5 * products)
    if name == "phases":
        # the same; the parts are filled, read and put into z
        return products, 4 * (m * full + kernels + 5 * products + 3 * m * full)
    columns = m * k**2 * pixels
    if name == PRODUCT:
        return products, 4 * (kernels + c * pixels + columns)
    if name == COL2IM:
        # fill z, read the columns and z, write z
        return 0, 4 * (m * full + 3 * columns)
    if name == "product, col2im":
        return products, work(PRODUCT, layer)[1] + work(COL2IM, layer)[1]
    if name == "phases as product":
        taps = -(-k // s)
        places = (layer.side + taps - 1) ** 2
        padded = c * (layer.side + 2 * (taps - 1)) ** 2
        columns, rows = c * taps**2, s**2 * m
        moved = c * pixels + padded  # pad
        moved += 2 * columns * places  # copy the windows
        moved += kernels + 3 * rows * columns  # fill the kernel up and split it
        moved += rows * columns + columns * places + rows * places  # multiply
        moved += 2 * rows * places  # interleave
        return rows * columns * places, 4 * moved
    return None


def versions(layer: Layer, seed: int = 0) -> dict[str, tuple[Callable, np.ndarray]]:
    """Return a function without parameters for each version, with what it has to return.

    The matrix product and `col2im` are there once more, each alone.
    """
    import tensorflow as tf
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, layer.c, layer.side, layer.side), np.float32)
    w = rng.standard_normal((layer.c, layer.m, layer.kernel, layer.kernel), np.float32)
    stride, padding = layer.stride, layer.padding
    how = {"stride": stride, "padding": padding}
    found = {
        name: lambda step=step: step(x, w, stride, padding)
        for name, step in STEPS.items()
        if affordable(name, layer)
    }
    matrix, pixels = w.reshape(layer.c, -1).T, x.reshape(1, layer.c, -1)
    columns = matrix.astype(float) @ pixels
    copies = columns.astype(x.dtype)
    col2im = specs.get("col2im").solution
    size = ((layer.side - 1) * stride + layer.kernel - 2 * padding,) * 2
    found[PRODUCT] = lambda: matrix @ pixels
    found[COL2IM] = lambda: col2im(copies, size, layer.kernel, stride, padding)

    plain = torch.tensor(x), torch.tensor(w)
    last = [t.to(memory_format=torch.channels_last) for t in plain]
    found["PyTorch"] = lambda: F.conv_transpose2d(*plain, **how).numpy()
    found["PyTorch, channels last"] = lambda: F.conv_transpose2d(*last, **how).numpy()

    nhwc = tf.constant(np.moveaxis(x, 1, -1))
    kernel = tf.constant(w.transpose(2, 3, 1, 0))
    same = layer.kernel - stride == 2 * padding
    crop = 0 if same else padding
    full = (1, size[0] + 2 * crop, size[1] + 2 * crop, layer.m)
    inside = slice(crop, crop + size[0])

    def tensorflow():
        z = tf.nn.conv2d_transpose(nhwc, kernel, full, stride, "SAME" if same else "VALID")
        return z.numpy()[:, inside, inside].transpose(0, 3, 1, 2)

    found["TensorFlow"] = tensorflow
    truth = F.conv_transpose2d(*(t.double() for t in plain), **how).numpy()
    return {name: (run, columns if name == PRODUCT else truth) for name, run in found.items()}


def error(result: np.ndarray, truth: np.ndarray) -> float:
    """Return the norm of the error as a share of the truth's norm; raises on a wrong result."""
    if result.shape != truth.shape:
        raise AssertionError(f"shape {result.shape}, not {truth.shape}")
    found = float(np.linalg.norm(result - truth) / np.linalg.norm(truth))
    if not found < 1e-5:
        raise AssertionError(f"wrong by {found:.1e} of the result's norm")
    return found


def sample(run: Callable, calls: int) -> float:
    """Return the processor's time of one call, in milliseconds."""
    start = time.process_time()
    for _ in range(calls):
        run()
    return 1e3 * (time.process_time() - start) / calls


def calls_for(run: Callable) -> int:
    """Return how often a sample repeats a call."""
    return max(1, math.ceil(1e3 * SHORTEST / max(sample(run, 1), 1e-3)))


def steps_of(run: Callable, calls: int = 10) -> list[dict]:
    """Return what oneDNN does for one call of PyTorch, in order; nothing where it is not used.

    Each is a `kind` (of a reorder or a computation), the implementation that it is done `by`, the
    `shape` of what it works on, and `ms`: the least time of all calls, by the library's clock. On
    a busy machine what takes longer than a few milliseconds is always interrupted, and seems slow.
    """
    from torch.backends import mkldnn

    run()  # what is done only once stays out
    found: list[dict] = []
    for _ in range(calls):
        with tempfile.TemporaryFile("w+") as log:
            sys.stdout.flush()
            stdout = os.dup(1)
            os.dup2(log.fileno(), 1)  # the library writes past Python's `sys.stdout`
            try:
                with mkldnn.verbose(mkldnn.VERBOSE_ON):
                    run()
            finally:
                os.dup2(stdout, 1)
                os.close(stdout)
            log.seek(0)
            lines = [line.strip().split(",") for line in log if ",primitive,exec," in line]
        said = [
            {
                "kind": line[5],
                "by": line[6],
                "shape": line[-2],
                "ms": float(f"{float(line[-1]):.3g}"),
            }
            for line in lines
        ]
        for earlier, now in zip(found, said, strict=bool(found)):
            now["ms"] = min(now["ms"], earlier["ms"])
        found = said
    return found


def measure(layer: Layer, samples: int) -> list[dict]:
    """Check all versions of a layer, time them in turns, and return the record's rows."""
    found = versions(layer)
    errors = {name: error(run(), truth) for name, (run, truth) in found.items()}
    calls = {name: calls_for(run) for name, (run, _) in found.items()}
    times: dict[str, list[float]] = {name: [] for name in found}
    for number in range(samples):
        for name, (run, _) in found.items():
            if name != "loops" or number < 3:
                times[name].append(float(f"{sample(run, calls[name]):.4g}"))
    rows = []
    for name, mine in times.items():
        row = {"layer": layer.name, "version": name, "error": float(f"{errors[name]:.2g}")}
        if counted := work(name, layer):
            row["multiplications"], row["bytes"] = counted
        if name.startswith("PyTorch"):
            row["steps"] = steps_of(found[name][0])
        row["samples"] = mine
        rows.append(row)
        print(f"{layer.name} | {name} | {statistics.median(mine):.3f} ms", flush=True)
    return rows


def ceilings(samples: int) -> dict[str, float]:
    """Return what this core can do at best, multiplications and bytes a second, as medians.

    Bytes are copied, from and to main memory or within the caches, or added by NumPy: 32 maps of
    32 × 32 to as many numbers in one piece, to a part of larger maps, to every second row and
    column of maps larger still.
    """
    rng = np.random.default_rng(0)
    n = 1024
    a, b = rng.standard_normal((2, n, n), np.float32)
    out = np.empty_like(a)
    work: dict[str, tuple[int, int, Callable]] = {
        "multiplications a second": (1, n**3, lambda: np.matmul(a, b, out=out))
    }
    for name, size in (("memory", 1 << 26), ("cache", 1 << 17)):
        source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
        copy = lambda s=source, t=target: np.copyto(t, s)
        work[f"bytes a second, {name}"] = ((1 << 27) // size, 2 * size, copy)
    maps = np.ones((32, 32, 32), np.float32)
    for name, side, step in (
        ("added in one piece", 32, 1),
        ("added to a part", 34, 1),
        ("added to every second", 66, 2),
    ):
        inside = np.zeros((32, side, side), np.float32)[:, : 32 * step : step, : 32 * step : step]
        add = lambda z=inside: np.add(z, maps, out=z)
        work[f"bytes a second, {name}"] = (300, 3 * maps.nbytes, add)
    times = {name: [] for name in work}
    for _ in range(samples):
        for name, (calls, _, run) in work.items():
            times[name].append(sample(run, calls))
    rates = {name: 1e3 * work[name][1] / statistics.median(mine) for name, mine in times.items()}
    return {name: float(f"{rate:.4g}") for name, rate in rates.items()}


def processor() -> str:
    """Return the processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
        return re.search(r"^model name\s*:\s*(.+)$", text, re.M)[1].strip()
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


def one_thread() -> None:
    """Keep the frameworks to one thread; NumPy's BLAS has been told by the environment."""
    import tensorflow as tf
    import torch

    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(prog="benchmarks.upsampling", description="See the module.")
    parser.add_argument("--samples", metavar="N", type=int, default=15, help="default: 15")
    parser.add_argument("--to", metavar="FILE", type=Path, default=RECORD)
    parser.add_argument("--try", dest="small", action="store_true", help="only check, tiny layers")
    arguments = parser.parse_args(argv)
    if arguments.small:
        for layer in SMALL:
            for name, (run, truth) in versions(layer).items():
                error(run(), truth)
                print(f"{layer.name} | {name} | right")
        return 0
    one_thread()
    load = [os.getloadavg()[0]]
    rows = [row for layer in LAYERS for row in measure(layer, arguments.samples)]
    load.append(os.getloadavg()[0])
    blas = np.show_config("dicts")["Build Dependencies"]["blas"]
    record = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": " ".join(["python -m benchmarks.upsampling", *(argv or sys.argv[1:])]).strip(),
        "machine": {
            "processor": processor(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "torch", "tensorflow")},
            "blas": f"{blas['name']} {blas['version']}",
            "cores": os.cpu_count(),
        },
        "load before and after": [round(value, 2) for value in load],
        "ceilings": ceilings(arguments.samples),
        "layers": {layer.name: asdict(layer) for layer in LAYERS},
        "unit": "milliseconds of the processor's time",
    }
    write(arguments.to, record, rows)
    print(f"{len(rows)} rows written to {arguments.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
