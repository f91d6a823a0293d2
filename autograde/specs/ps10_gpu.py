"""ps10: one program for every device, and the kernels of unpooling and transposed convolution.

Sources: the API pages of `torch.cuda`, `torch.accelerator`, `torch.backends.mps`,
`tf.config.list_physical_devices`, `torch.nn.functional.conv_transpose2d` and `max_unpool2d`; the
reference of `triton.language`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import as_pair, between, tensorflow, two_between, whole_numbers
from autograde.specs.ps03_transposed_conv_1d import GATHER, SCATTER
from autograde.specs.ps04_transposed_conv_2d import CONV_TRANSPOSE2D

GPU = "book/on-the-gpu"
KERNEL = "book/write-the-kernel"
FRAMEWORKS = ("numpy", "tensorflow", "torch")


# -- the best device ----------------------------------------------------------------------


def _on_a_torch_machine(fn, cuda, mps, built):
    """Call `fn` where PyTorch says what the case says; return which of three devices it names."""
    from contextlib import ExitStack
    from unittest.mock import patch

    import numpy as np
    import torch

    from autograde.calling import NotAsked

    kind = "cuda" if cuda else "mps" if mps else None
    pretended = {
        "torch.cuda.is_available": lambda: bool(cuda),
        "torch.cuda.device_count": lambda: int(cuda),
        "torch.backends.cuda.is_built": lambda: bool(built),
        "torch.backends.mps.is_available": lambda: bool(mps),
        "torch.mps.is_available": lambda: bool(mps),
        "torch.accelerator.is_available": lambda: kind is not None,
        "torch.accelerator.device_count": lambda: int(kind is not None),
        "torch.accelerator.current_accelerator": lambda *_, **__: kind and torch.device(kind),
        "torch.version.cuda": "12.8" if built else None,
    }
    with ExitStack() as machine:
        for name, value in pretended.items():
            machine.enter_context(patch(name, value))
        found = fn()
    try:
        named = torch.device(found).type
    except (RuntimeError, TypeError):
        raise NotAsked(f"returned {found!r}, which names no device of PyTorch.") from None
    return np.array([int(named == kind) for kind in ("cuda", "mps", "cpu")])


def _torch_machines(rng) -> Iterator[Case]:
    for aspect, cuda, mps, built, expected in (
        ("a CUDA GPU", 1, 0, 1, [1, 0, 0]),
        ("an Apple GPU", 0, 1, 0, [0, 1, 0]),
        ("no GPU", 0, 0, 0, [0, 0, 1]),
        ("no GPU", 0, 0, 1, [0, 0, 1]),
    ):
        machine = {"cuda": cuda, "mps": mps, "built": built}
        yield Case(aspect, (), machine, visible=True, expected=np.array(expected))


def _torch_explain(at, cuda, mps, built):
    has = "a CUDA GPU" if cuda else "an Apple GPU" if mps else "no GPU"
    build = "with" if built else "without"
    return (
        f"The check pretends that this machine has {has} and a build of PyTorch {build} CUDA. The "
        "three numbers say whether cuda, mps or cpu was named."
    )


def _torch_choice(cuda, mps, built):
    """Return what PyTorch reads in the name of the device that there is."""
    kind = _torch().device("cuda" if cuda else "mps" if mps else "cpu").type
    return np.array([int(kind == name) for name in ("cuda", "mps", "cpu")])


def _device(name, title, message, fn):
    return Misconception(name, title, message, f"{GPU}#device-agnostic", fn)


def _torch():
    import torch

    return torch


BEST_TORCH = Spec(
    name="best_device_torch",
    title="The best device for PyTorch",
    summary="CUDA where there is a GPU for it, else Apple's, else the CPU.",
    chapter=f"{GPU}#device-agnostic",
    parameters="",
    minutes=10,
    difficulty="easy",
    aspects=(Aspect("a CUDA GPU", 1), Aspect("an Apple GPU", 1), Aspect("no GPU", 1)),
    cases=_torch_machines,
    oracles={"PyTorch": _torch_choice},
    explain=_torch_explain,
    rules=Rules(libraries=FRAMEWORKS, seconds=20.0),
    driver=_on_a_torch_machine,
    misconceptions=(
        _device(
            "always-cuda",
            "Nobody is asked",
            "This names the GPU on every machine. Where there is none, the first tensor fails.",
            lambda: "cuda",
        ),
        _device(
            "always-cpu",
            "The CPU on every machine",
            "This names the CPU even where PyTorch can use a GPU.",
            lambda: "cpu",
        ),
        _device(
            "build-for-machine",
            "A build with CUDA is taken for a GPU",
            "That PyTorch was built for CUDA does not mean that this machine has a GPU: ask what "
            "is available.",
            lambda: (
                "cuda"
                if _torch().version.cuda
                else "mps"
                if _torch().backends.mps.is_available()
                else "cpu"
            ),
        ),
        _device(
            "apple-forgotten",
            "Apple's GPU is forgotten",
            "Where there is no CUDA, there may still be a GPU: Apple's are called mps.",
            lambda: "cuda" if _torch().cuda.is_available() else "cpu",
        ),
    ),
)


def _on_a_tf_machine(fn, gpus, built):
    """Call `fn` where TensorFlow says what the case says; return [is it a GPU, its number]."""
    from unittest.mock import patch

    import numpy as np
    import tensorflow as tf

    from autograde.calling import NotAsked

    kinds = ["CPU", *["GPU"] * gpus]
    numbered = [(kind, max(0, i - 1)) for i, kind in enumerate(kinds)]
    physical = [
        tf.config.PhysicalDevice(name=f"/physical_device:{k}:{i}", device_type=k)
        for k, i in numbered
    ]
    logical = [tf.config.LogicalDevice(name=f"/device:{k}:{i}", device_type=k) for k, i in numbered]

    def listing(devices):
        return lambda kind=None: [d for d in devices if kind in (None, d.device_type)]

    named_gpu = "/device:GPU:0" if gpus else ""
    with (
        patch.object(tf.config, "list_physical_devices", listing(physical)),
        patch.object(tf.config.experimental, "list_physical_devices", listing(physical)),
        patch.object(tf.config, "list_logical_devices", listing(logical)),
        patch.object(tf.config.experimental, "list_logical_devices", listing(logical)),
        patch.object(tf.test, "is_gpu_available", lambda *_, **__: bool(gpus)),
        patch.object(tf.test, "gpu_device_name", lambda: named_gpu),
        patch.object(tf.test, "is_built_with_cuda", lambda: bool(built)),
        patch.object(tf.test, "is_built_with_gpu_support", lambda: bool(built)),
    ):
        found = fn()
    try:
        device = tf.DeviceSpec.from_string(getattr(found, "name", found))
    except (ValueError, TypeError, AttributeError):
        raise NotAsked(f"returned {found!r}, which names no device of TensorFlow.") from None
    if device.device_type not in ("CPU", "GPU"):
        raise NotAsked(f"returned {found!r}, which names neither a CPU nor a GPU.")
    return np.array([int(device.device_type == "GPU"), device.device_index or 0])


def _tf_machines(rng) -> Iterator[Case]:
    for aspect, gpus, built in (
        ("one GPU", 1, 1),
        ("several GPUs", 2, 1),
        ("no GPU", 0, 0),
        ("no GPU", 0, 1),
    ):
        expected = _tf_choice(gpus, built)
        yield Case(aspect, (), {"gpus": gpus, "built": built}, visible=True, expected=expected)


def _tf_explain(at, gpus, built):
    build = "with" if built else "without"
    return (
        f"The check pretends that this machine has {gpus} GPUs and a build of TensorFlow {build} "
        "CUDA. The two numbers say whether a GPU was named, and which."
    )


def _tf_choice(gpus, built):
    """Return what TensorFlow reads in the name of the device that there is."""
    device = tensorflow().DeviceSpec.from_string("/GPU:0" if gpus else "/CPU:0")
    return np.array([int(device.device_type == "GPU"), device.device_index])


def _tf_gpus():
    return tensorflow().config.list_physical_devices("GPU")


BEST_TF = Spec(
    name="best_device_tf",
    title="The best device for TensorFlow",
    summary="The first GPU where there is one, else the CPU.",
    chapter=f"{GPU}#device-agnostic",
    parameters="",
    minutes=10,
    difficulty="easy",
    aspects=(Aspect("one GPU", 1), Aspect("several GPUs", 1), Aspect("no GPU", 1)),
    cases=_tf_machines,
    oracles={"TensorFlow": _tf_choice},
    explain=_tf_explain,
    rules=Rules(libraries=FRAMEWORKS, seconds=20.0),
    driver=_on_a_tf_machine,
    misconceptions=(
        _device(
            "always-gpu",
            "Nobody is asked",
            "This names the GPU on every machine, also where there is none.",
            lambda: "/GPU:0",
        ),
        _device(
            "always-cpu",
            "The CPU on every machine",
            "This names the CPU even where TensorFlow can use a GPU.",
            lambda: "/CPU:0",
        ),
        _device(
            "build-for-machine",
            "A build with CUDA is taken for a GPU",
            "That TensorFlow was built for CUDA does not mean that this machine has a GPU: ask "
            "for the list of its devices.",
            lambda: "/GPU:0" if tensorflow().test.is_built_with_cuda() else "/CPU:0",
        ),
        _device(
            "number-for-index",
            "The number of GPUs is taken for an index",
            "Devices are counted from 0. Two GPUs are /GPU:0 and /GPU:1, and the last one's "
            "number is less than how many there are.",
            lambda: f"/GPU:{len(_tf_gpus())}" if _tf_gpus() else "/CPU:0",
        ),
        _device(
            "last-for-first",
            "The last GPU, not the first",
            "With several GPUs this names the last of them. The first is asked for.",
            lambda: f"/GPU:{len(_tf_gpus()) - 1}" if _tf_gpus() else "/CPU:0",
        ),
    ),
)


# -- a transposed convolution on whichever device -----------------------------------------


def _arrays_in_and_out(fn, x, w, stride=1, padding=0):
    """Call `fn`; what comes back has to be a NumPy array."""
    import numpy as np

    from autograde.calling import NotAsked

    z = fn(x, w, stride=stride, padding=padding)
    if not isinstance(z, np.ndarray):
        raise NotAsked(
            f"returned {type(z).__name__}, not a NumPy array. On a GPU, what reads it as an array "
            "would fail."
        )
    return z


def _any_device_cases(rng) -> Iterator[Case]:
    plain, cropped, several = "stride", "padding", "channels and batches"
    square = np.array([[[[1.0, 10], [100, 1000]]]])
    taps = np.array([[[[1.0, 2], [3, 4]]]])

    def case(aspect, x, w, stride=1, padding=0, expected=None, **more):
        how = {"stride": stride, "padding": padding}
        if expected is not None:
            more |= {"visible": True, "expected": np.asarray(expected, x.dtype)}
        return Case(aspect, (x, w), how, **more)

    full = [[[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]]
    yield case(plain, square, taps, expected=full)
    row = np.array([[[[1.0, 10]]]])
    yield case(plain, row, taps[:, :, :1], (1, 2), expected=[[[[1, 2, 10, 20]]]])
    yield case(cropped, square, taps, 1, 1, expected=[[[[1234]]]])
    two = np.array([[[[1.0]], [[10]]], [[[100]], [[1000]]]])
    mixing = np.array([[[[1.0]], [[2]], [[3]]], [[[4]], [[5]], [[6]]]])
    mixed = np.array([[41.0, 52, 63], [4100, 5200, 6300]])[:, :, None, None]
    yield case(several, two, mixing, expected=mixed)
    single = square.astype(np.float32)
    yield case("dtype and inputs", single, np.float32(taps), expected=full, exact_dtype=True)

    def drawn(n, c, m, kernel):
        size = two_between(rng, 2, 5)
        return whole_numbers(rng, n, c, *size), whole_numbers(rng, c, m, *kernel)

    for stride in (1, 2, 3, (2, 1), (1, 3), (3, 2), 2):
        yield case(plain, *drawn(1, 1, 1, two_between(rng, 2, 4)), stride)
    yield case(plain, whole_numbers(rng, 1, 1, 1, 1), whole_numbers(rng, 1, 1, 3, 2), 2)
    yield case(plain, whole_numbers(rng, 1, 1, 3, 2), whole_numbers(rng, 1, 1, 1, 1), 3)
    yield case(plain, whole_numbers(rng, 1, 1, 2, 2), whole_numbers(rng, 1, 1, 5, 4), (1, 2))
    for stride, padding in ((2, 1), (2, (0, 1)), (1, (1, 0)), ((2, 3), 1), (3, (1, 2)), (2, 1)):
        yield case(cropped, *drawn(1, 1, 1, (4, 4)), stride, padding)
    for _ in range(7):
        n, c, m = between(rng, 1, 3), between(rng, 2, 4), between(rng, 1, 4)
        kernel = two_between(rng, 2, 4)
        yield case(several, *drawn(n, c, m, kernel), between(rng, 1, 3), between(rng, 0, 1))
    yield case(several, *drawn(2, 3, 3, (3, 3)), 2, 1)
    for dtype in (np.float32, np.float64) * 3:
        x, w = (a.astype(dtype) for a in drawn(2, 2, 3, (3, 4)))
        layout = between(rng, 0, 2)
        if layout == 0:
            x.flags.writeable = False
        elif layout == 1:
            x = x[..., ::-1]
        else:
            w = w[..., ::-1]
        yield case("dtype and inputs", x, w, 2, 1, exact_dtype=True)
    for dtype in (np.float32, np.float64):
        x, w = (a.astype(dtype) for a in drawn(1, 2, 2, (2, 3)))
        x, w = x[..., ::-1], w[..., ::-1]
        x.flags.writeable = w.flags.writeable = False
        yield case("dtype and inputs", x, w, (1, 2), exact_dtype=True)


def _laid_out_by_reshape(x, w, stride=1, padding=0):
    n, c, height, width = x.shape
    laid = np.moveaxis(x.reshape(n, height, width, c), -1, 1)
    return _by_numpy(laid, w, stride, padding)


def _by_numpy(x, w, stride=1, padding=0):
    """Return the transposed convolution, by scattering."""
    (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
    (n, _, h, wide), (m, kh, kw) = x.shape, w.shape[1:]
    full = np.zeros((n, m, (h - 1) * sh + kh, (wide - 1) * sw + kw), x.dtype)
    for u in range(kh):
        for v in range(kw):
            rows = slice(u, u + (h - 1) * sh + 1, sh)
            columns = slice(v, v + (wide - 1) * sw + 1, sw)
            full[:, :, rows, columns] += np.einsum("nchw,cm->nmhw", x, w[:, :, u, v])
    return full[:, :, ph : full.shape[2] - ph, pw : full.shape[3] - pw]


def _same_size(x, w, stride=1, padding=0):
    """Return what TensorFlow's SAME leaves: stride times the size, zeros where nothing came."""
    (sh, sw), full = as_pair(stride), _by_numpy(x, w, stride)
    out = np.zeros((*full.shape[:2], x.shape[2] * sh, x.shape[3] * sw), x.dtype)
    top, left = (max(k - s, 0) // 2 for k, s in zip(w.shape[2:], (sh, sw), strict=True))
    part = full[:, :, top : top + out.shape[2], left : left + out.shape[3]]
    out[:, :, : part.shape[2], : part.shape[3]] = part
    return out


_TAKEN = {
    *("kernel-rotated", "channel-axes-exchanged", "overlap-overwritten"),
    *("stride-axes-exchanged", "padding-axes-exchanged"),
    *("padding-ignored", "padding-added", "padding-cropped-once"),
}

ANY_DEVICE = Spec(
    name="conv_transpose2d_any_device",
    title="A transposed convolution on whichever device",
    summary="Arrays in, arrays out, computed by a framework on the best device there is.",
    chapter=f"{GPU}#device-agnostic",
    parameters="x, w, stride=1, padding=0",
    minutes=30,
    difficulty="medium",
    aspects=(
        Aspect("stride", 1),
        Aspect("padding", 1),
        Aspect("channels and batches", 1),
        Aspect("dtype and inputs", 2),
    ),
    cases=_any_device_cases,
    oracles=CONV_TRANSPOSE2D.oracles,
    explain=CONV_TRANSPOSE2D.explain,
    size_formula=CONV_TRANSPOSE2D.size_formula,
    rules=Rules(libraries=FRAMEWORKS, seconds=20.0),
    driver=_arrays_in_and_out,
    misconceptions=(
        *(m for m in CONV_TRANSPOSE2D.misconceptions if m.name in _TAKEN),
        Misconception(
            "reshaped-to-channels-last",
            "Reshaped where axes have to change places",
            "The image has the right shape for TensorFlow, but its numbers lie in the wrong "
            "places: reshaping leaves all numbers where they are, and never exchanges two axes.",
            "book/tensorflow-pytorch#layouts",
            _laid_out_by_reshape,
        ),
        Misconception(
            "same-for-padding",
            "SAME instead of the padding",
            "The output has the stride times the input's size, whatever `padding` says. That is "
            "SAME; here `padding` rows and columns are cropped at each side, and no others.",
            "book/tensorflow-pytorch#same-asymmetric",
            _same_size,
        ),
    ),
)


# -- kernels ------------------------------------------------------------------------------


def _by_a_kernel(fn, *arguments):
    """Call `fn` with tensors, on a GPU where there is one, and watch what its kernels do.

    Fresh memory is filled with NaN meanwhile. What stands for a learner's mistake is excused
    from being a kernel.
    """
    import numpy as np
    import torch

    from autograde.calling import NotAsked
    from autograde.watched import watch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tensors = [
        torch.tensor(np.ascontiguousarray(a), device=device) if isinstance(a, np.ndarray) else a
        for a in arguments
    ]
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        torch.use_deterministic_algorithms(True, warn_only=True)
        with watch() as seen:
            z = fn(*tensors)
    finally:
        # A call that ran out of time may never have come here, and left it switched on.
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
    if not isinstance(z, torch.Tensor):
        raise NotAsked(f"returned {type(z).__name__}, not a PyTorch tensor.")
    if not seen.launched and not getattr(fn, "__module__", "").startswith("autograde.specs"):
        raise NotAsked("launched no Triton kernel. The work is to be done by one.")
    if seen.problems:
        problem, shape = seen.problems[0], np.shape(arguments[0])
        if "race" in problem and len(shape) == 4 and shape[0] * shape[1] > 1:  # several planes
            problem += " No index comes twice in a plane: where does each plane's output begin?"
        raise NotAsked(f"launched a kernel that {problem}")
    return z.cpu().numpy()


def _unpool_cases(rng) -> Iterator[Case]:
    plane, several, large = "one plane", "channels and batches", "many programs"

    def case(aspect, x, indices, output_hw, expected=None, **more):
        if expected is not None:
            more |= {"visible": True, "expected": np.asarray(expected, x.dtype)}
        return Case(aspect, (x, np.asarray(indices), tuple(output_hw)), **more)

    def placed(shape, output_hw, dtype=np.float32):
        size = output_hw[0] * output_hw[1]
        chosen = [rng.permutation(size)[: shape[2] * shape[3]] for _ in range(shape[0] * shape[1])]
        return whole_numbers(rng, *shape, dtype=dtype), np.array(chosen).reshape(shape), output_hw

    def pooled(shape, window, more=(0, 0)):
        """Indices as max pooling gives them, of an image that its windows need not fill."""
        n, c, h, w = shape
        height, width = h * window + more[0], w * window + more[1]
        at = rng.integers(0, window, (2, n, c, h, w))
        rows = np.arange(h)[:, None] * window + at[0]
        columns = np.arange(w) * window + at[1]
        return whole_numbers(rng, *shape, dtype=np.float32), rows * width + columns, (height, width)

    small = np.float32([[[[5, 6], [7, 8]]]])
    spread = [[[[5, 0, 0, 6], [0, 0, 0, 0], [0, 7, 0, 0], [0, 0, 8, 0]]]]
    yield case(plane, small, [[[[0, 3], [9, 14]]]], (4, 4), spread)
    yield case(plane, small[:, :, :1], [[[[5, 1]]]], (2, 3), [[[[0, 6, 0], [0, 0, 5]]]])
    two = np.float32([[[[5]], [[6]]], [[[7]], [[8]]]])
    apart = [[[[0, 5]], [[6, 0]]], [[[7, 0]], [[0, 8]]]]
    yield case(several, two, [[[[1]], [[0]]], [[[0]], [[1]]]], (1, 2), apart)
    double = np.array([[[[5.0]]]])
    yield case("dtype", double, [[[[1]]]], (1, 2), [[[[0, 5]]]], exact_dtype=True)
    for window in (2, 2, 3):
        for more in ((0, 0), (1, 0), (1, 2)):
            size = two_between(rng, 2, 4)
            yield case(plane, *pooled((1, 1, *size), window, more))
    for _ in range(4):
        size = two_between(rng, 1, 3)
        yield case(plane, *placed((1, 1, *size), (between(rng, 3, 6), between(rng, 4, 7))))
    yield case(plane, *placed((1, 1, 1, 1), (1, 1)))
    yield case(plane, *placed((1, 1, 1, 5), (7, 1)))
    yield case(plane, *placed((1, 1, 4, 1), (1, 6)))
    yield case(plane, *pooled((1, 1, 2, 3), 2, (1, 0)))
    for _ in range(4):
        n, c = between(rng, 1, 3), between(rng, 2, 3)
        yield case(several, *pooled((n, c, *two_between(rng, 1, 3)), 2, (1, 0)))
    for _ in range(3):
        n, c = between(rng, 2, 3), between(rng, 1, 3)
        yield case(several, *placed((n, c, 2, 3), two_between(rng, 4, 6)))
    yield case(several, *pooled((2, 3, 2, 3), 2, (0, 1)))
    for shape in ((1, 1, 41, 29), (2, 3, 17, 13)):
        yield case(large, *pooled(shape, 2, (1, 0)))
    for dtype in (np.float64, np.float32) * 2:
        yield case("dtype", *placed((1, 2, 2, 3), (4, 5), dtype), exact_dtype=True)


def torch_unpool(x, indices, output_hw):
    """Return PyTorch's own operation, which asks for no window."""
    import torch

    x, indices = (torch.tensor(np.ascontiguousarray(a)) for a in (x, indices))
    return torch.ops.aten.max_unpool2d(x, indices, list(output_hw)).numpy()


def tf_scatter(x, indices, output_hw):
    """Return `tf.scatter_nd`, one row for each plane; no index comes twice in a plane."""
    tf, planes, size = tensorflow(), x.shape[0] * x.shape[1], output_hw[0] * output_hw[1]
    rows = np.arange(planes)[:, None] * np.ones(x.shape[2] * x.shape[3], int)
    at = np.stack([rows, indices.reshape(planes, -1)], -1)
    z = tf.scatter_nd(at, x.reshape(planes, -1), (planes, size))
    return z.numpy().reshape(*x.shape[:2], *output_hw)


def _unpool_explain(at, x, indices, output_hw):
    n, c, row, column = at
    place = row * output_hw[1] + column
    found = np.argwhere(indices[n, c] == place)
    if not len(found):
        return f"No index of this plane is {place}, so 0 stands there."
    i, j = map(int, found[0])
    return f"indices[{n}, {c}, {i}, {j}] is {place}, so x[{n}, {c}, {i}, {j}] belongs there."


def _in_torch(fn):
    """Return a NumPy function as one of tensors."""

    def wrapped(*args):
        torch = _torch()
        arrays = [a.cpu().numpy() if isinstance(a, torch.Tensor) else a for a in args]
        return torch.tensor(np.ascontiguousarray(fn(*arrays)))

    return wrapped


def _sent(x, indices, output_hw, place=None, size=None):
    """Send every value to `place(plane, index)` in the whole output; what lies beyond is lost."""
    height, width = output_hw
    size = height * width if size is None else size
    z = np.zeros((*x.shape[:2], height, width), x.dtype)
    flat = z.reshape(-1)
    for plane, (values, at) in enumerate(
        zip(x.reshape(-1, *x.shape[2:]), indices.reshape(-1, *x.shape[2:]), strict=True)
    ):
        for value, index in zip(values.ravel(), at.ravel(), strict=True):
            to = plane * size + index if place is None else place(plane, int(index))
            if 0 <= to < flat.size:
                flat[to] = value
    return z


def _planes_share(x, indices, output_hw):
    return _sent(x, indices, output_hw, size=0)


def _planes_of_the_input(x, indices, output_hw):
    return _sent(x, indices, output_hw, size=x.shape[2] * x.shape[3])


def _rows_of_the_input(x, indices, output_hw):
    (height, width), own = output_hw, x.shape[3]
    to = lambda plane, i: plane * height * width + i // own * width + i % own
    return _sent(x, indices, output_hw, to)


def _column_by_column(x, indices, output_hw):
    height, width = output_hw
    to = lambda plane, i: plane * height * width + i % height * width + i // height
    return _sent(x, indices, output_hw, to)


def _sizes_exchanged(x, indices, output_hw):
    return _sent(x, indices, tuple(output_hw)[::-1])


def _top_left(x, indices, output_hw):
    z = np.zeros((*x.shape[:2], *output_hw), x.dtype)
    down, across = (max(1, o // n) for o, n in zip(output_hw, x.shape[2:], strict=True))
    part = x[:, :, : -(-output_hw[0] // down), : -(-output_hw[1] // across)]
    h, w = part.shape[2:]
    z[:, :, : h * down : down, : w * across : across][:, :, :h, :w] = part
    return z


def _index_from_one(x, indices, output_hw):
    return _sent(x, indices - 1, output_hw)


def _wrong_unpool(name, title, message, label, fn):
    return Misconception(name, title, message, label, _in_torch(fn))


UNPOOL = Spec(
    name="max_unpool2d_triton",
    title="Max-unpooling as a kernel",
    summary="Zeros, and every value at its index, by a Triton kernel of yours.",
    chapter=f"{KERNEL}#scatter-unpool",
    parameters="x, indices, output_hw",
    minutes=45,
    difficulty="hard",
    aspects=(
        Aspect("one plane", 2),
        Aspect("channels and batches", 2),
        Aspect("many programs", 1),
        Aspect("dtype", 1),
    ),
    cases=_unpool_cases,
    oracles={"PyTorch": torch_unpool, "TensorFlow": tf_scatter},
    explain=_unpool_explain,
    rules=Rules(libraries=(*FRAMEWORKS, "triton"), seconds=20.0),
    driver=_by_a_kernel,
    misconceptions=(
        _wrong_unpool(
            "planes-share-one-output",
            "All planes go into the first",
            "Every index is taken as a place in the first plane. It counts from the beginning of "
            "its own image and channel.",
            f"{KERNEL}#scatter-unpool",
            _planes_share,
        ),
        _wrong_unpool(
            "planes-as-large-as-the-input",
            "Planes begin where the input's would",
            "The planes of the output are taken to be as large as those of the input. They are "
            "larger, so the next one begins later.",
            f"{KERNEL}#scatter-unpool",
            _planes_of_the_input,
        ),
        _wrong_unpool(
            "rows-as-wide-as-the-input",
            "Rows and columns by the input's width",
            "The index is taken apart by the width of the input. It was counted along the rows of "
            "the output, which are wider.",
            "book/max-pooling-remembers#flat-index",
            _rows_of_the_input,
        ),
        _wrong_unpool(
            "index-down-the-columns",
            "The index runs down the columns",
            "The index is read as if it counted down each column. It counts along the rows.",
            "book/max-pooling-remembers#flat-index",
            _column_by_column,
        ),
        _wrong_unpool(
            "height-and-width-exchanged",
            "Height and width are exchanged",
            "`output_hw` holds the height first. A row is as long as the width.",
            f"{KERNEL}#scatter-unpool",
            _sizes_exchanged,
        ),
        _wrong_unpool(
            "top-left-of-the-window",
            "The indices are not used",
            "Every value stands at the top left of its window. Max pooling has noted where it "
            "was: read the index.",
            "book/unpooling#with-switches",
            _top_left,
        ),
        _wrong_unpool(
            "index-counted-from-one",
            "The index is taken to begin at 1",
            "Every value stands one place too far to the left. Indices count from 0.",
            "book/max-pooling-remembers#flat-index",
            _index_from_one,
        ),
    ),
)


def _kernel1d_cases(rng) -> Iterator[Case]:
    plain, gaps, large = "stride below the kernel", "stride above the kernel", "many programs"

    def case(aspect, x, w, stride, expected=None, **more):
        x, w = (np.asarray(a, more.pop("dtype", np.float32)) for a in (x, w))
        if expected is not None:
            more |= {"visible": True, "expected": np.asarray(expected, x.dtype)}
        return Case(aspect, (x, w, stride), **more)

    def drawn(n, k, stride):
        return whole_numbers(rng, n), whole_numbers(rng, k), stride

    full = [1, 2, 13, 24, 130, 240, 300, 400]
    yield case(plain, [1, 10, 100], [1, 2, 3, 4], 2, full)
    yield case(plain, [1, 10, 100], [1, 2, 3], 1, [1, 12, 123, 230, 300])
    yield case(gaps, [1, 10, 100], [1, 2], 3, [1, 2, 0, 10, 20, 0, 100, 200])
    yield case("one input or one tap", [7], [1, 2, 3], 2, [7, 14, 21])
    for stride, k in (
        (2, 4),
        (2, 3),
        (3, 5),
        (1, 4),
        (3, 4),
        (2, 5),
        (4, 6),
        (1, 2),
        (3, 3),
        (2, 2),
    ):
        yield case(plain, *drawn(between(rng, 3, 9), k, stride))
    for stride, k in ((2, 1), (3, 2), (4, 2), (5, 3), (3, 1), (4, 3)):
        yield case(gaps, *drawn(between(rng, 3, 7), k, stride))
    for n, k, stride in ((1, 1, 1), (1, 4, 3), (1, 1, 2), (5, 1, 1), (1, 5, 2), (4, 1, 3)):
        yield case("one input or one tap", *drawn(n, k, stride))
    for n, k, stride in ((2, 7, 2), (3, 8, 3), (2, 6, 1), (6, 4, 2)):
        yield case(plain, *drawn(n, k, stride))
    for n, k, stride in ((520, 4, 2), (180, 3, 2), (129, 2, 3), (65, 6, 4)):
        yield case(large, *drawn(n, k, stride))


def _taken(spec, names):
    """Return misconceptions of another spec as functions of tensors, with its stride only."""
    for m in spec.misconceptions:
        if m.name in names:
            fn = _in_torch(lambda x, w, stride, fn=m.fn: fn(x, w, stride=stride))
            yield replace(m, fn=fn)


KERNEL1D = Spec(
    name="conv_transpose1d_triton",
    title="A transposed convolution as a kernel",
    summary="One row and one kernel in 1-D, by a Triton kernel of yours, without a race.",
    chapter=f"{KERNEL}#gather-kernel",
    parameters="x, w, stride",
    minutes=60,
    difficulty="hard",
    aspects=(
        Aspect("stride below the kernel", 2),
        Aspect("stride above the kernel", 1),
        Aspect("one input or one tap", 1),
        Aspect("many programs", 2),
    ),
    cases=_kernel1d_cases,
    oracles=SCATTER.oracles,
    explain=lambda at, x, w, stride: SCATTER.explain(at, x, w, stride=stride).replace("y[", "x["),
    size_formula=lambda x, w, stride: SCATTER.size_formula(x, w, stride=stride),
    rules=Rules(libraries=(*FRAMEWORKS, "triton"), seconds=20.0),
    driver=_by_a_kernel,
    misconceptions=(
        *_taken(
            SCATTER,
            {"flipped-kernel", "overlap-overwritten", "length-is-n-times-stride"},
        ),
        *_taken(
            GATHER,
            # Not those of Python's w[-1]: a kernel that runs below zero reaches beyond its tensor.
            {"remainder-ignored", "copies-one-apart", "stride-ignored"},
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------


def _guess(name, title, message, answer):
    return Misconception(name, title, message, f"{KERNEL}#count-traffic", lambda: answer)


def _counted(fn):
    """Return how often an output is reached: all copies of a kernel of ones, added up."""
    return float(fn(np.ones((1, 1, 8, 8)), np.ones((1, 1, 4, 4)), stride=2).sum())


PREDICT = Spec(
    name="predict_atomics",
    title="Predict first: how many atomic additions?",
    summary="Count what a scattering kernel has to add atomically.",
    chapter=f"{KERNEL}#count-traffic",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _counted(CONV_TRANSPOSE2D.oracles["PyTorch"]),
        "TensorFlow": lambda: _counted(CONV_TRANSPOSE2D.oracles["TensorFlow"]),
    },
    rules=Rules(libraries=FRAMEWORKS),
    misconceptions=(
        _guess(
            "outputs-counted",
            "The outputs are counted",
            "This is how many outputs there are. Most of them are reached more than once.",
            324,
        ),
        _guess(
            "one-for-each-input",
            "One addition for each input",
            "This is how many inputs there are. Each of them sends a product through every tap.",
            64,
        ),
        _guess(
            "taps-of-one-axis",
            "The taps of one axis only",
            "This counts the taps along one axis. The kernel has as many rows.",
            256,
        ),
        _guess(
            "taps-each-output-collects",
            "Outputs, times the taps that each collects",
            "This counts as if every output were reached by four copies. At the border there are "
            "fewer.",
            1296,
        ),
    ),
)

SPECS = (PREDICT, BEST_TORCH, BEST_TF, ANY_DEVICE, UNPOOL, KERNEL1D)
