"""ps06: the way back of a transposed convolution, written by hand and tested.

Sources: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016), chapter 4;
Claerbout, *Earth Soundings Analysis: Processing Versus Inversion* (1992), on the dot-product test;
the API pages of `torch.autograd.Function`, `torch.autograd.gradcheck` and `tf.custom_gradient`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import as_pair, between, tensorflow, two_between, whole_numbers

BACK = "book/forward-is-backward"
TURN = "book/turning-it-round"
TWO = "book/transposed-2d"
BOTH = "book/tensorflow-pytorch"

VALUES, SEVERAL = "values", "channels and batches"
FOR_X, FOR_W = "gradient for x", "gradient for w"
NEEDED, OWN = "only what is needed", "a gradient of its own"
TRACED, KINDS = "in tf.function", "types and layouts"


def _tensor(array):
    import torch

    return torch.tensor(np.ascontiguousarray(array))


# -- what both frameworks' exercises share ---------------------------------------------------


def _torch_driver(fn, x, w, *how, g=None, gradient_of=None, frozen=None):
    """Call `fn`: with a stride alone it is a `torch.autograd.Function`, else a function.

    Without `gradient_of` the values come back, else the gradient that `g` (ones if there is none)
    sends to x or w. `frozen` needs no gradient: its own comes back empty if it is None.
    """
    import numpy as np
    import torch
    from torch.overrides import TorchFunctionMode

    from autograde.calling import NotAsked

    by_class = len(how) == 1
    used = []

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            name = getattr(func, "__name__", "")
            if "conv_transpose" in name or "convolution" in name:
                used.append("PyTorch's own transposed convolution")
            elif by_class and name == "grad":
                used.append("`torch.autograd.grad`")
            return func(*args, **(kwargs or {}))

    def tensor(array):  # of the same memory where it may be written to
        return torch.from_numpy(array) if array.flags.writeable else torch.tensor(array)

    given = {"x": tensor(x), "w": tensor(w)}
    if gradient_of:
        for name, value in given.items():
            given[name] = value.clone(memory_format=torch.preserve_format)
            given[name].requires_grad_(name != frozen)
    returned = []
    if by_class:
        function = getattr(getattr(fn, "apply", None), "__self__", None)  # the class itself
        if not (isinstance(function, type) and issubclass(function, torch.autograd.Function)):
            raise NotAsked("is no `torch.autograd.Function`.")

        class Noted(function):
            @staticmethod
            def backward(ctx, *gradients):
                back = function.backward(ctx, *gradients)
                returned.append(back)
                return back

        fn = Noted.apply
    with Watch():
        z = fn(*given.values(), *how)
        if not isinstance(z, torch.Tensor):
            raise NotAsked(f"returned {type(z).__name__}, not a PyTorch tensor.")
        if gradient_of:
            if not z.requires_grad:
                raise NotAsked("has no gradient: on the way the values left PyTorch.")
            if g is None:
                z.sum().backward()  # what is sent back is one number, spread without a copy
            else:
                if g.shape != tuple(z.shape):
                    raise NotAsked(f"returned the shape {tuple(z.shape)}, not {g.shape}.")
                z.backward(tensor(g))
    if used:
        raise NotAsked(f"uses {used[0]}. This is to be written without it.")
    if not gradient_of:
        return z.detach().numpy()
    if gradient_of == frozen:
        if not returned:
            raise NotAsked("never came to its `backward`.")
        back = returned[0][list(given).index(frozen)]
        return np.zeros(0) if back is None else back.detach().numpy()
    gradient = given[gradient_of].grad
    if gradient is None:
        raise NotAsked(f"sends nothing back to {gradient_of}.")
    return gradient.numpy()


def _tf_driver(fn, x, w, *how, g=None, gradient_of=None, under=None):
    """Call `fn` plainly, or under what the case names, for its values or a gradient.

    Meanwhile TensorFlow's native code may write to nowhere only: nbgrader gives a test cell with
    stderr no points.
    """
    import os
    from unittest import mock

    from autograde.calling import NotAsked

    def traced(run, x, w, g):
        import tensorflow as tf

        unknown = [None] * (x.ndim - 1) + [x.shape[-1]]
        spec = tf.TensorSpec(unknown, x.dtype)
        like_z = None if g is None else tf.TensorSpec([None] * g.ndim, g.dtype)
        concrete = tf.function(run).get_concrete_function(
            spec, tf.TensorSpec(w.shape, w.dtype), like_z
        )
        if under == "tf.custom_gradient":
            graph = concrete.graph.as_graph_def()
            inner = (node for f in graph.library.function for node in f.node_def)
            if not any("_gradient_op_type" in node.attr for node in (*graph.node, *inner)):
                raise NotAsked("has no gradient of its own: `tf.custom_gradient` is not in it.")
        tensors = [tf.constant(a) for a in (x, w, g) if a is not None]
        return concrete(*tensors)

    def run(x, w, g):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch([x, w])
            z = fn(x, w, *how)
            if not isinstance(z, tf.Tensor):
                raise NotAsked(f"returned {type(z).__name__}, not a TensorFlow tensor.")
        if not gradient_of:
            return z
        if g is not None and not z.shape.is_compatible_with(g.shape):
            raise NotAsked(f"returned the shape {tuple(z.shape)}, not {tuple(g.shape)}.")
        gradient = tape.gradient(z, {"x": x, "w": w}[gradient_of], g)
        if gradient is None:
            raise NotAsked("has no gradient: on the way the values left TensorFlow.")
        return tf.convert_to_tensor(gradient)

    def watched():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        used = []

        def noting(name, function):
            def noted(*args, **kwargs):
                used.append(name)
                return function(*args, **kwargs)

            return noted

        watch = [(tf.nn, "tf.nn.", name) for name in dir(tf.nn) if name.endswith("transpose")] + [
            (tf.raw_ops, "tf.raw_ops.", "Conv2DBackpropInput")
        ]
        patches = [
            mock.patch.object(module, name, noting(where + name, getattr(module, name)))
            for module, where, name in watch
        ]
        for patch in patches:
            patch.start()
        try:
            tensors = [a if a is None else tf.constant(a) for a in (x, w, g)]
            result = run(*tensors)  # an error here reads better than a traced one
            if under:
                result = traced(run, x, w, g)
        finally:
            for patch in patches:
                patch.stop()
        if used:
            raise NotAsked(f"uses `{used[0]}`. This is to be written without it.")
        return result.numpy()

    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        return watched()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _last(array):
    """Lay images out as TensorFlow does, with the channels last."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def _tf_kernel(w):
    """Lay a transposed convolution's kernel out as TensorFlow does: taps, out, in."""
    return np.ascontiguousarray(np.moveaxis(w, (0, 1), (-1, -2)))


def _laid_out(case, last):
    """Return a case made for PyTorch's layout, or with the channels `last` for TensorFlow's."""
    if not last:
        return case
    x, w, *how = case.args
    kwargs, expected = dict(case.kwargs), case.expected
    if kwargs.get("g") is not None:
        kwargs["g"] = _last(kwargs["g"])
    if expected is not None:
        expected = (_tf_kernel if kwargs.get("gradient_of") == "w" else _last)(expected)
    return Case(
        case.aspect, (_last(x), _tf_kernel(w), *how), kwargs, case.visible, expected,
        case.exact_dtype,
    )  # fmt: skip


def _kinds(rng, x_shape, w_shape, tf):
    """Draw the arrays in both types, for PyTorch also in an order of their own and read-only.

    A tensor of TensorFlow's knows of neither.
    """
    for dtype in (np.float32, np.float64):
        x, w = (whole_numbers(rng, *shape, dtype=dtype) for shape in (x_shape, w_shape))
        yield x, w
        if tf:
            continue
        yield np.asfortranarray(x), w
        turned = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        yield np.moveaxis(turned, -1, 1), np.asfortranarray(w)
        fixed = x.copy(), w.copy()
        for array in fixed:
            array.flags.writeable = False
        yield fixed


def _torch_result(op, x, w, g, gradient_of):
    """Return what PyTorch's `op(x, w)` gives, or sends back."""
    import torch

    given = {"x": _tensor(x).requires_grad_(), "w": _tensor(w).requires_grad_()}
    z = op(**given)
    if not gradient_of:
        return z.detach().numpy()
    g = torch.ones_like(z) if g is None else _tensor(g)
    return torch.autograd.grad(z, given[gradient_of], g)[0].numpy()


def _tf_result(op, x, w, g, gradient_of):
    """Return what TensorFlow's `op(x, w)` gives, or sends back."""
    tf = tensorflow()
    x, w = tf.constant(np.ascontiguousarray(x)), tf.constant(np.ascontiguousarray(w))
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        z = op(x=x, w=w)
    if not gradient_of:
        return z.numpy()
    return tf.convert_to_tensor(tape.gradient(z, {"x": x, "w": w}[gradient_of], g)).numpy()


def _in_layout(oracle, last):
    """Return an oracle for the other framework's layout: what it is given and gives is moved."""

    def moved(x, w, *how, g=None, gradient_of=None, **rest):
        there = (_last, _tf_kernel) if last else (_first, _torch_kernel)
        back = (_first, _torch_kernel) if last else (_last, _tf_kernel)
        g = None if g is None else there[0](g)
        result = oracle(there[0](x), there[1](w), *how, g=g, gradient_of=gradient_of, **rest)
        return result if not result.size else back[gradient_of == "w"](result)

    return moved


def _first(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _torch_kernel(w):
    return np.ascontiguousarray(np.moveaxis(w, (-1, -2), (0, 1)))


def _what_comes_back(g):
    """Say so where no `g` is shown."""
    return " (Here all that comes back is 1.)" if g is None else ""


# -- one dimension ----------------------------------------------------------------------------


def torch_transposed(x, w, stride, g=None, gradient_of=None, frozen=None):
    """Return `F.conv_transpose1d`, or what autograd sends back through it."""
    import torch

    if frozen and gradient_of == frozen:
        return np.zeros(0)

    def op(x, w):
        return torch.nn.functional.conv_transpose1d(x, w, stride=stride)

    return _torch_result(op, x, w, g, gradient_of)


def tf_transposed(x, w, stride, g=None, gradient_of=None, frozen=None, under=None):
    """Return `tf.nn.conv1d_transpose`, or what `GradientTape` sends back through it."""
    if frozen and gradient_of == frozen:
        return np.zeros(0)
    size = (len(x), (x.shape[1] - 1) * stride + len(w), w.shape[1])

    def op(x, w):
        return tensorflow().nn.conv1d_transpose(x, w, size, stride, "VALID")

    return _tf_result(op, x, w, g, gradient_of)


def _torch_for_tf(x, w, *how, under=None, **rest):
    """Return PyTorch's answer in PyTorch's layout; a tf.function changes no number."""
    return torch_transposed(x, w, *how, **rest)


def _line_cases(last):
    """Return the cases, with the channels `last` for TensorFlow or not."""

    def cases(rng) -> Iterator[Case]:
        for case in _lines(rng, last):
            yield _laid_out(case, last)

    return cases


def _lines(rng, tf) -> Iterator[Case]:
    x, w = np.array([[[1.0, 10]]]), np.array([[[1.0, 2, 3]]])
    g = np.array([[[1.0, 2, 3, 4, 5]]])

    def shown(aspect, expected, *args, **kwargs):
        return Case(aspect, args, kwargs, visible=True, expected=np.array(expected))

    yield shown(VALUES, [[[1.0, 2, 13, 20, 30]]], x, w, 2)
    yield shown(VALUES, [[[1.0, 2, 3, 0, 10, 20, 30]]], x, w, 4)
    two, four = np.array([[[1.0], [10]]]), np.array([[[1.0], [2]], [[3], [4]]])
    yield shown(SEVERAL, [[[31.0], [42]]], two, four, 1)
    yield shown(FOR_X, [[[14.0, 26]]], x, w, 2, g=g, gradient_of="x")
    yield shown(FOR_W, [[[31.0, 42, 53]]], x, w, 2, g=g, gradient_of="w")
    images = np.array([[[1.0]], [[10.0]]])
    yield shown(FOR_W, [[[11.0, 11, 11]]], images, w, 1, gradient_of="w")
    if tf:
        yield shown(OWN, [[[14.0, 26]]], x, w, 2, g=g, gradient_of="x", under="tf.custom_gradient")
        yield shown(TRACED, [[[1.0, 2, 13, 20, 30]]], x, w, 2, under="tf.function")
    else:
        yield shown(NEEDED, [[[14.0, 26]]], x, w, 2, g=g, gradient_of="x", frozen="w")
        yield shown(NEEDED, np.zeros(0), x, w, 2, g=g, gradient_of="w", frozen="w")
    small = np.float32([[[3]]])
    yield Case(KINDS, (small, small, 1), visible=True, expected=3 * small, exact_dtype=True)

    def drawn(aspect, *, n=1, i=1, o=1, size=None, k=None, s=None, back=True, **kwargs):
        s = s or between(rng, 1, 3)
        k, size = k or between(rng, 1, 5), size or between(rng, 1, 4)
        x, w = whole_numbers(rng, n, i, size), whole_numbers(rng, i, o, k)
        if kwargs.get("gradient_of") and back:
            kwargs["g"] = whole_numbers(rng, n, o, (size - 1) * s + k)
        return Case(aspect, (x, w, s), kwargs)

    for s, k in ((1, 3), (2, 3), (2, 4), (3, 2), (3, 5)):
        yield drawn(VALUES, s=s, k=k, size=between(rng, 2, 4))
    yield drawn(VALUES, size=1, k=4, s=2)
    yield drawn(VALUES, size=3, k=1, s=1)
    for _ in range(3):
        yield drawn(SEVERAL, n=2, i=2, o=3, size=3, k=3)
        yield drawn(SEVERAL, n=between(rng, 1, 2), i=2, o=2, size=2, k=3, s=2)
    for aspect, of in ((FOR_X, "x"), (FOR_W, "w")):
        for s, k in ((1, 3), (2, 3), (2, 5), (3, 2)):
            yield drawn(aspect, s=s, k=k, size=between(rng, 2, 4), gradient_of=of)
        for s in (1, 2, 3):
            yield drawn(aspect, n=2, i=2, o=2, size=3, k=3, s=s, gradient_of=of)
        yield drawn(aspect, n=2, i=2, o=3, size=2, k=4, s=2, gradient_of=of)
        yield drawn(aspect, n=1, i=3, o=1, size=1, k=2, s=3, gradient_of=of)
        yield drawn(aspect, n=2, i=2, o=2, size=3, k=3, s=2, back=False, gradient_of=of)
    shape = {"n": 2, "i": 2, "o": 2, "size": 2, "k": 3, "s": 2}
    if tf:  # few: tracing takes long
        yield drawn(OWN, **shape, gradient_of="w", under="tf.custom_gradient")
        yield drawn(TRACED, **shape, gradient_of="x", under="tf.function")
    else:
        for of, frozen in (("x", "w"), ("w", "x"), ("x", "x"), ("w", "w")):
            yield drawn(NEEDED, **shape, gradient_of=of, frozen=frozen)
    for x, w in _kinds(rng, (2, 2, 3), (2, 3, 4), tf):
        g = whole_numbers(rng, 3, 8, 2, dtype=x.dtype).transpose(2, 0, 1)
        yield Case(KINDS, (x, w, 2), exact_dtype=True)
        yield Case(KINDS, (x, w, 2), {"g": g, "gradient_of": "x"}, exact_dtype=True)
        yield Case(KINDS, (x, w, 2), {"g": g, "gradient_of": "w"}, exact_dtype=True)


def _line_explain(last):
    def explain(at, x, w, stride, g=None, gradient_of=None, frozen=None, under=None):
        if gradient_of == "w":
            tap = at[0] if last else at[2]
            return (
                f"Input i was laid down at place {stride} · i, so its tap {tap} fell on place "
                f"{stride} · i + {tap}. Sum x[…, i] times what comes back there, over all i and "
                f"all images.{_what_comes_back(g)}"
            )
        place = at[1] if last else at[2]
        if gradient_of == "x":
            end = stride * place + (len(w) if last else w.shape[2]) - 1
            return (
                f"Input {place} was laid down on the places {stride * place} to {end}. What comes "
                "back there, times the taps, is its gradient, summed over the output channels."
                f"{_what_comes_back(g)}"
            )
        return (
            f"Place {place} is the sum of all copies that reach it: input i lays its copy down "
            f"from place {stride} · i on."
        )

    return explain


def _line_size(last):
    def size(x, w, stride, g=None, gradient_of=None, frozen=None, under=None):
        if frozen and gradient_of == frozen:
            return (
                f"{frozen} needs no gradient here: `backward` returns None for it, which is shown "
                "as an empty array."
            )
        if gradient_of:
            return "A gradient has the shape of what it belongs to."
        n, k, o = (x.shape[1], len(w), w.shape[1]) if last else (x.shape[2], w.shape[2], w.shape[1])
        axes = "(image, place, channel)" if last else "(image, channel, place)"
        return (
            f"The result has the axes {axes}: {o} channels, and ({n} − 1) · {stride} + {k} places."
        )

    return size


def _arrives(p, u, i, *, k, s, n):
    """Return where tap u of input i arrives at place p; the misconceptions bend it."""
    return p == i * s + u


def _not_overwritten(p, u, i, *, k, s, n):
    return (p == i * s + u) & ((u < s) | (i == n - 1))


def _turned(p, u, i, *, k, s, n):
    return p == i * s + (k - 1 - u)


def _one_apart(p, u, i, *, k, s, n):
    return p == i + u


def _taps_apart(p, u, i, *, k, s, n):
    return p == i * s + u * s


class _Line:
    """A transposed convolution in one dimension with a way back of its own, something bent.

    `values`, `to_x` and `to_w` say which tap of which input arrives where, on the way there and
    on the two ways back. `change(name, array, images)` bends what is about to be returned, "z",
    "x" or "w"; `sent(name, g)` what comes back on the way to x or w. With `always`, gradients that
    nobody needs are returned too. `mixed` names the results for which the channel axes of w are
    exchanged where that is possible.
    """

    def __init__(
        self,
        *,
        values=_arrives,
        to_x=_arrives,
        to_w=_arrives,
        change=None,
        sent=None,
        always=False,
        mixed="",
    ):
        self.rules = {"z": values, "x": to_x, "w": to_w}
        self.change = change or (lambda name, array, images: array)
        self.sent = sent or (lambda name, g: g)
        self.always, self.mixed = always, mixed

    def result(self, name, x, w, g, stride):
        """Return z, or the gradient for x or w, of arrays in PyTorch's layout."""
        axes = {"x": "nci", "w": "cou", "z": "nop"}
        n, k = x.shape[2], w.shape[2]
        p, u, i = np.ogrid[: (n - 1) * stride + k, :k, :n]
        met = self.rules[name](p, u, i, k=k, s=stride, n=n)
        given = {"x": x, "w": w, "z": None if g is None else self.sent(name, g)}
        if name in self.mixed:
            given["w"] = _exchanged(w)
        others = [other for other in axes if other != name]
        made = np.einsum(
            f"pui,{axes[others[0]]},{axes[others[1]]}->{axes[name]}",
            met.astype(x.dtype),
            *(given[other] for other in others),
        )
        if name == "w" in self.mixed:
            made = _exchanged(made)
        return self.change(name, made, len(x))


def _exchanged(w):
    """Exchange the kernel's channel axes where that does not show in its shape."""
    return w.swapaxes(0, 1) if w.shape[0] == w.shape[1] else w


class _InTorch:
    """A wrong answer as a learner's class, or as a function.

    `made.result(name, x, w, g, *how)` computes its values, "z", and its gradients.
    """

    def __init__(self, made):
        self.made = made

    def __call__(self, x, w, *how):
        return self.apply(x, w, *how)

    @cached_property
    def apply(self):
        import torch

        made = self.made

        def result(name, x, w, g, how):
            arrays = (None if a is None else a.detach().numpy() for a in (x, w, g))
            return torch.tensor(np.ascontiguousarray(made.result(name, *arrays, *how)))

        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, w, *how):
                ctx.save_for_backward(x, w)
                ctx.how = how
                return result("z", x, w, None, how)

            @staticmethod
            def backward(ctx, g):
                gradients = (
                    result(name, *ctx.saved_tensors, g, ctx.how) if needed or made.always else None
                    for name, needed in zip("xw", ctx.needs_input_grad, strict=False)
                )
                return (*gradients, *(None for _ in ctx.how))

        return Wrong.apply


def _in_tf(made):
    """Return a wrong answer as a learner's function in TensorFlow."""

    def wrong(x, w, *how):
        tf = tensorflow()

        def result(name, x, w, *g):
            def compute(x, w, *g):
                g = _first(g[0]) if g else None
                array = made.result(name, _first(x), _torch_kernel(w), g, *how)
                return (_tf_kernel if name == "w" else _last)(array)

            return tf.numpy_function(compute, [x, w, *g], x.dtype, stateful=False)

        @tf.custom_gradient
        def with_gradients(x, w):
            return result("z", x, w), lambda g: [result(name, x, w, g) for name in "xw"]

        return with_gradients(x, w)

    return wrong


def _kernels(change):
    """Bend the gradient of w alone."""
    return lambda name, array, images: change(array, images) if name == "w" else array


def _line_misconceptions(make, last):
    """Return the misconceptions; `make(line)` is what a learner would write."""

    def wrong(name, title, message, section, **bent):
        return Misconception(name, title, message, section, make(_Line(**bent)))

    def first_only(name, g):
        if name == "x":
            return g
        first = np.zeros_like(g)
        first[0] = g[0]
        return first

    return (
        wrong(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            f"{TURN}#scatter-view",
            values=_not_overwritten,
        ),
        wrong(
            "kernel-turned-round",
            "The copies are turned round",
            "The copies of the kernel lie the wrong way round in the values. A transposed "
            "convolution lays them down as they are.",
            f"{TURN}#scatter-view",
            values=_turned,
        ),
        wrong(
            "channels-exchanged",
            "The channel axes are exchanged",
            "The kernel's two channel axes are read the other way round. "
            + (
                "In TensorFlow's layout the input channels come last."
                if last
                else "In PyTorch's layout the input channels come first."
            ),
            f"{TWO}#kernel-layout",
            mixed="zxw",
        ),
        wrong(
            "channels-exchanged-back",
            "The channel axes are exchanged on the way back",
            "The values are right, but what is sent back to x goes through the kernel with its "
            "channel axes the other way round. Every input channel gets back what it sent.",
            f"{BACK}#transposed-gradient",
            mixed="x",
        ),
        wrong(
            "turned-on-the-way-back",
            "The kernel is turned round on the way back",
            "What is sent back to x goes through the taps in the opposite order. It takes the same "
            "arrows that led there, so each meets the same tap.",
            f"{BACK}#transposed-gradient",
            to_x=_turned,
        ),
        wrong(
            "windows-one-apart",
            "The windows on the way back are one place apart",
            "For the gradient of x, neighbouring inputs look at places next to each other. They "
            "were laid down a stride apart, so their windows are a stride apart, too.",
            f"{BACK}#transposed-gradient",
            to_x=_one_apart,
        ),
        wrong(
            "inputs-one-apart",
            "The inputs meet the gradient side by side",
            "For the gradient of w, the inputs are laid over what comes back without a gap. Their "
            "copies began a stride apart, so here they lie a stride apart.",
            f"{BACK}#transposed-kernel-gradient",
            to_w=_one_apart,
        ),
        wrong(
            "taps-in-reverse",
            "The gradients of the taps come in reverse",
            "The gradient of w holds the right numbers, last tap first. Tap 0 fell on the place "
            "where a copy begins.",
            f"{BACK}#transposed-kernel-gradient",
            change=_kernels(lambda w, images: w[:, :, ::-1]),
        ),
        wrong(
            "channels-of-the-kernel-gradient",
            "The kernel's gradient has its channels exchanged",
            "The gradient of w comes with its two channel axes exchanged. It has the layout of w.",
            f"{BACK}#transposed-kernel-gradient",
            mixed="w",
        ),
        wrong(
            "taps-a-stride-apart",
            "The stride is put between the taps",
            "For the gradient of w, the places of neighbouring taps are taken to be a stride "
            "apart. Neighbouring taps fell on neighbouring places; the inputs are a stride apart.",
            f"{BACK}#transposed-kernel-gradient",
            to_w=_taps_apart,
        ),
        wrong(
            "one-image-only",
            "Only the first image counts",
            "For the gradient of w, the other images are left out. The kernel served all of them, "
            "so it gets the sum.",
            f"{BACK}#transposed-kernel-gradient",
            sent=first_only,
        ),
        wrong(
            "batch-averaged",
            "The kernel's gradient is a mean",
            "The gradient of w is divided by the number of images. It is their sum; a mean is for "
            "the loss to take.",
            f"{BACK}#transposed-kernel-gradient",
            change=_kernels(lambda w, images: w / w.dtype.type(images)),
        ),
        wrong(
            "gradient-ignored",
            "What comes back is not used",
            "The gradients are those of the sum of all results, whatever comes back. Each result "
            "has its own share in the loss, and `g` says how much.",
            f"{BACK}#custom-gradients",
            sent=lambda name, g: g * 0 + 1,
        ),
    )


LINE_ASPECTS = (Aspect(VALUES, 1), Aspect(SEVERAL, 1), Aspect(FOR_X, 2), Aspect(FOR_W, 2))

CONV_TRANSPOSE1D = Spec(
    name="ConvTranspose1d",
    title="A transposed convolution with a way back of its own",
    summary="Write forward and backward of a transposed convolution for PyTorch's autograd.",
    chapter=f"{BACK}#custom-gradients",
    parameters="x, w, stride",
    minutes=35,
    difficulty="hard",
    aspects=(*LINE_ASPECTS, Aspect(NEEDED, 1), Aspect(KINDS, 1)),
    cases=_line_cases(last=False),
    oracles={"PyTorch": torch_transposed, "TensorFlow": _in_layout(tf_transposed, last=True)},
    explain=_line_explain(last=False),
    size_formula=_line_size(last=False),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_torch_driver,
    misconceptions=(
        *_line_misconceptions(_InTorch, last=False),
        Misconception(
            "computed-though-not-needed",
            "Gradients are computed that nobody needs",
            "All gradients are right, but one is computed for an input that needs none. For a "
            "frozen kernel or for the image itself, that is work for nothing.",
            f"{BACK}#needs-input-grad",
            _InTorch(_Line(always=True)),
        ),
    ),
)

CONV_TRANSPOSE1D_CUSTOM = Spec(
    name="conv_transpose1d_custom",
    title="The same in TensorFlow",
    summary="Write values and gradients of a transposed convolution under tf.custom_gradient.",
    chapter=f"{BACK}#custom-gradients",
    parameters="x, w, stride",
    minutes=25,
    difficulty="hard",
    aspects=(*LINE_ASPECTS, Aspect(OWN, 1), Aspect(TRACED, 1), Aspect(KINDS, 1)),
    cases=_line_cases(last=True),
    oracles={"TensorFlow": tf_transposed, "PyTorch": _in_layout(_torch_for_tf, last=False)},
    explain=_line_explain(last=True),
    size_formula=_line_size(last=True),
    rules=Rules(libraries=("numpy", "tensorflow"), seconds=20.0),
    driver=_tf_driver,
    misconceptions=_line_misconceptions(_in_tf, last=True),
)


# -- two dimensions, from the forward convolution ------------------------------------------------


def torch_as_vjp(x, w, stride, padding, g=None, gradient_of=None):
    """Return `F.conv_transpose2d`, or what autograd sends back through it."""
    import torch

    def op(x, w):
        return torch.nn.functional.conv_transpose2d(x, w, stride=stride, padding=padding)

    return _torch_result(op, x, w, g, gradient_of)


def tf_as_vjp(x, w, stride, padding, g=None, gradient_of=None, under=None):
    """Return `tf.nn.conv2d_transpose`, cropped, or what `GradientTape` sends back through it."""
    strides, crop = as_pair(stride), as_pair(padding)
    full = [(n - 1) * s + k for n, s, k in zip(x.shape[1:3], strides, w.shape[:2], strict=True)]

    def op(x, w):
        size = (len(x), *full, w.shape[2])
        z = tensorflow().nn.conv2d_transpose(x, w, size, strides, "VALID")
        return z[:, crop[0] : full[0] - crop[0], crop[1] : full[1] - crop[1]]

    return _tf_result(op, x, w, g, gradient_of)


def _torch_vjp_for_tf(x, w, *how, under=None, **rest):
    """Return PyTorch's answer in PyTorch's layout; a tf.function changes no number."""
    return torch_as_vjp(x, w, *how, **rest)


PLAIN, STRIDE, PADDING, LEARNED = "stride 1", "stride", "padding", "gradient"


def _plane_cases(last):
    """Return the cases, with the channels `last` for TensorFlow or not."""

    def cases(rng) -> Iterator[Case]:
        for case in _planes(rng, last):
            yield _laid_out(case, last)

    return cases


def _planes(rng, tf) -> Iterator[Case]:
    x, w = np.array([[[[1.0, 10], [2, 3]]]]), np.array([[[[1.0, 2], [3, 4]]]])
    row, taps = np.array([[[[1.0, 10]]]]), np.array([[[[1.0, 2, 3]]]])

    def shown(aspect, expected, *args, **kwargs):
        return Case(aspect, args, kwargs, visible=True, expected=np.array(expected))

    yield shown(PLAIN, [[[[1.0, 12, 20], [5, 41, 46], [6, 17, 12]]]], x, w, 1, 0)
    yield shown(STRIDE, [[[[1.0, 2, 13, 20, 30]]]], row, taps, (1, 2), 0)
    yield shown(PADDING, [[[[12.0], [41], [17]]]], x, w, 1, (0, 1))
    two = np.array([[[[1.0]], [[10]]]])
    four = np.array([[[[1.0]], [[2]]], [[[3]], [[4]]]])
    yield shown(SEVERAL, [[[[31.0]], [[42]]]], two, four, 1, 0)
    yield shown(LEARNED, [[[[6.0, 4], [6, 4]]]], x, w, 1, (0, 1), gradient_of="x")
    if tf:
        yield shown(TRACED, [[[[12.0], [41], [17]]]], x, w, 1, (0, 1), under="tf.function")
    small = np.float32([[[[3]]]])
    yield Case(KINDS, (small, small, 1, 0), visible=True, expected=3 * small, exact_dtype=True)

    def drawn(aspect, s, p, *, k=None, size=None, n=1, i=1, o=1, **kwargs):
        while True:
            k_hw, hw = k or two_between(rng, 1, 4), size or two_between(rng, 1, 4)
            sizes = zip(hw, as_pair(s), as_pair(p), k_hw, strict=True)
            out = [(m - 1) * a - 2 * b + c for m, a, b, c in sizes]
            if min(out) >= 1:
                break
        x, w = whole_numbers(rng, n, i, *hw), whole_numbers(rng, i, o, *k_hw)
        if kwargs.get("gradient_of"):
            kwargs["g"] = whole_numbers(rng, n, o, *out)
        return Case(aspect, (x, w, s, p), kwargs)

    for _ in range(3):
        yield drawn(PLAIN, 1, 0)
    yield drawn(PLAIN, 1, 0, k=(3, 2), size=(2, 4))
    yield drawn(PLAIN, 1, 0, k=(4, 3), size=(1, 1))
    for s in (2, 3, (1, 2), (3, 1), (2, 3)):
        yield drawn(STRIDE, s, 0, size=(2, 3))
    yield drawn(STRIDE, 2, 0, k=(3, 3), size=(3, 2))
    yield drawn(STRIDE, (3, 2), 0, k=(1, 2), size=(2, 2))
    for s, p in ((1, 1), (2, 1), ((2, 1), (0, 1)), (2, (1, 0)), ((1, 3), 1)):
        yield drawn(PADDING, s, p, k=(4, 3), size=(3, 3))
    yield drawn(PADDING, 2, 1, k=(3, 3), size=(2, 3))
    yield drawn(PADDING, 2, 2, k=(3, 4), size=(4, 4))
    yield drawn(PADDING, (2, 3), (1, 2), k=(2, 2), size=(3, 4))
    shape = {"size": (2, 3), "k": (3, 2)}
    for s, p in ((1, 0), (2, 1), ((2, 1), (1, 0))):
        yield drawn(SEVERAL, s, p, n=2, i=2, o=2, **shape)
        yield drawn(SEVERAL, s, p, n=between(rng, 1, 3), i=3, o=2, **shape)
    for of in ("x", "w"):
        yield drawn(LEARNED, 2, 1, n=2, i=2, o=2, gradient_of=of, size=(2, 3), k=(3, 3))
        yield drawn(LEARNED, (1, 2), 0, n=1, i=2, o=3, gradient_of=of, **shape)
    if tf:
        yield drawn(TRACED, 2, 1, n=2, i=2, o=2, under="tf.function", size=(2, 3), k=(3, 3))
        yield drawn(TRACED, (1, 2), 0, n=1, i=2, o=3, under="tf.function", **shape)
    for x, w in _kinds(rng, (2, 2, 2, 3), (2, 3, 3, 2), tf):
        yield Case(KINDS, (x, w, 2, (1, 0)), exact_dtype=True)


def _plane_explain(last):
    def explain(at, x, w, stride, padding, g=None, gradient_of=None, under=None):
        if gradient_of == "w":
            u, v = at[:2] if last else at[2:]
            return (
                f"That is the gradient of tap [{u}, {v}]: every input, times what comes back where "
                f"its tap fell.{_what_comes_back(g)}"
            )
        i, j = at[1:3] if last else at[2:]
        (sh, sw), (ph, pw) = as_pair(stride), as_pair(padding)
        if gradient_of == "x":
            return (
                f"The input in row {i}, column {j} was laid down from row {i * sh - ph}, column "
                f"{j * sw - pw} on; what comes back there, times the taps, is its gradient."
                f"{_what_comes_back(g)}"
            )
        return (
            f"Input [a, b] lays its copy of the kernel down from row {sh} · a − {ph}, column {sw} "
            f"· b − {pw} on; row {i}, column {j} is the sum of what arrives there."
        )

    return explain


def _plane_size(last):
    def size(x, w, stride, padding, g=None, gradient_of=None, under=None):
        if gradient_of:
            return "A gradient has the shape of what it belongs to."
        (h, _), (kh, _) = (x.shape[1:3], w.shape[:2]) if last else (x.shape[2:], w.shape[2:])
        return (
            f"Its rows are ({h} − 1) · {as_pair(stride)[0]} − 2 · {as_pair(padding)[0]} + {kh}; "
            "the columns go alike."
        )

    return size


class _Plane:
    """A transposed convolution in two dimensions, made of a matrix along each axis, one bent.

    `rule` says which tap of which input arrives where in the full result, of which `front(k, s, p)`
    places are dropped and `size(n, k, s, p)` are kept. `how(stride, padding)` bends these two.
    With `ones`, x counts as 1; with `mean`, all is divided by the number of images; with `mixed`,
    the channel axes of w are exchanged where that is possible.
    """

    always = False

    def __init__(
        self, *, rule=_arrives, front=None, size=None, how=None, ones=False, mean=False, mixed=False
    ):
        self.rule = rule
        self.front = front or (lambda k, s, p: p)
        self.size = size or (lambda n, k, s, p: (n - 1) * s - 2 * p + k)
        self.how = how or (lambda stride, padding: (stride, padding))
        self.ones, self.mean, self.mixed = ones, mean, mixed

    def result(self, name, x, w, g, stride, padding):
        """Return z, or the gradient for x or w, of arrays in PyTorch's layout."""
        axes = {"x": "ncij", "w": "couv", "z": "nopq"}
        given = {"x": x * 0 + 1 if self.ones else x, "w": _exchanged(w) if self.mixed else w}
        given["z"] = g
        met = []
        settings = map(as_pair, self.how(stride, padding))
        for n, k, s, p in zip(x.shape[2:], w.shape[2:], *settings, strict=True):
            place, u, i = np.ogrid[: self.size(n, k, s, p), :k, :n]
            arrive = self.rule(place + self.front(k, s, p), u, i, k=k, s=s, n=n)
            met.append(arrive.astype(x.dtype))
        others = [other for other in axes if other != name]
        made = np.einsum(
            f"pui,qvj,{axes[others[0]]},{axes[others[1]]}->{axes[name]}",
            *met,
            *(given[other] for other in others),
        )
        if self.mean:
            made = made / made.dtype.type(len(x))
        if name == "x" and self.ones:
            made = made * 0
        return _exchanged(made) if name == "w" and self.mixed else made


def _looks_back(p, u, i, *, k, s, n):
    """Return which input an ordinary convolution sees under which tap."""
    return i == p * s + u


def _plane_misconceptions(make):
    """Return the misconceptions; `make(plane)` is what a learner would write."""

    def wrong(name, title, message, section, **bent):
        return Misconception(name, title, message, section, make(_Plane(**bent)))

    return (
        wrong(
            "padding-forgotten",
            "Nothing is cropped",
            "The full result comes out, so the convolution to be turned round had no padding. What "
            "it pads, this operation crops.",
            f"{TWO}#padding-2d",
            front=lambda k, s, p: 0,
            size=lambda n, k, s, p: (n - 1) * s + k,
        ),
        wrong(
            "padding-added",
            "The padding is added",
            "The result is larger by the padding. The zeros belong to the convolution; turned "
            "round, they are places to crop.",
            f"{TWO}#padding-2d",
            front=lambda k, s, p: -p,
            size=lambda n, k, s, p: (n - 1) * s + 2 * p + k,
        ),
        wrong(
            "cropped-at-the-end",
            "All is cropped at the end",
            "The first rows and columns of the full result are kept. As much has to be cropped in "
            "front as at the end.",
            f"{TWO}#padding-2d",
            front=lambda k, s, p: 0,
        ),
        wrong(
            "one-row-too-many",
            "The large image has unused rows",
            "The result is as large as an image could be that this convolution makes into `x`, "
            "with rows that no window reaches. Asked is the smallest such image.",
            "book/sizes#output-padding-ambiguity",
            size=lambda n, k, s, p: n * s - 2 * p + k - 1,
        ),
        wrong(
            "forward-convolution",
            "This is the convolution itself",
            "The image has been looked at through windows, as a convolution does. What is sent "
            "back through it is asked for.",
            f"{BACK}#vector-jacobian",
            rule=_looks_back,
            front=lambda k, s, p: 0,
            size=lambda n, k, s, p: (n - 1) * s - 2 * p + k,
        ),
        wrong(
            "kernel-turned-round",
            "The kernel is turned round",
            "The copies of the kernel lie turned by 180°. Going back over the arrows of a "
            "convolution changes no tap's place.",
            f"{BACK}#input-gradient",
            rule=_turned,
        ),
        wrong(
            "overlap-overwritten",
            "Overlaps are overwritten",
            "Where two copies of the kernel meet, the later one replaces the earlier. They add up.",
            f"{TWO}#scatter-2d",
            rule=_not_overwritten,
        ),
        wrong(
            "stride-forgotten",
            "The convolution had no stride",
            "The copies lie one place apart, and the rest is zeros. The convolution to be turned "
            "round has the stride, too.",
            f"{BACK}#vector-jacobian",
            rule=_one_apart,
        ),
        wrong(
            "stride-between-the-taps",
            "The stride is put between the taps",
            "The taps lie a stride apart, as in a dilated convolution, and the copies side by "
            "side. It is the copies that lie a stride apart.",
            f"{TWO}#dilation-2d",
            rule=lambda p, u, i, *, k, s, n: p == i + u * s,
            size=lambda n, k, s, p: n + (k - 1) * s - 2 * p,
        ),
        wrong(
            "channels-exchanged",
            "The channel axes are exchanged",
            "The kernel's two channel axes are exchanged before it is used. A convolution and the "
            "transposed one share a kernel as it is; they only read its axes differently.",
            f"{TWO}#kernel-layout",
            mixed=True,
        ),
        wrong(
            "input-ignored",
            "The gradient of a sum is returned",
            "What comes out does not depend on the numbers in `x`. The convolution's results have "
            "to be weighted by them: `x` is what is sent back.",
            f"{BACK}#vector-jacobian",
            ones=True,
        ),
        wrong(
            "averaged-over-images",
            "The result is divided by the number of images",
            "Somewhere a mean over the images is taken in place of a sum. Then everything that "
            "comes back is smaller.",
            f"{BACK}#vector-jacobian",
            mean=True,
        ),
        wrong(
            "strides-exchanged",
            "The two strides are exchanged",
            "A pair of strides is (down, across): the first belongs to the height.",
            f"{TWO}#scatter-2d",
            how=lambda stride, padding: (as_pair(stride)[::-1], padding),
        ),
        wrong(
            "paddings-exchanged",
            "The two paddings are exchanged",
            "A pair of paddings is (rows, columns): the first belongs to the height.",
            f"{TWO}#padding-2d",
            how=lambda stride, padding: (stride, as_pair(padding)[::-1]),
        ),
    )


PLANE_ASPECTS = (
    Aspect(PLAIN, 1),
    Aspect(STRIDE, 1),
    Aspect(PADDING, 1),
    Aspect(SEVERAL, 1),
    Aspect(LEARNED, 1),
)

AS_VJP_TORCH = Spec(
    name="conv_transpose2d_as_vjp_torch",
    title="A transposed convolution out of a gradient, in PyTorch",
    summary="Make a transposed convolution of F.conv2d and autograd.",
    chapter=f"{BACK}#vector-jacobian",
    parameters="x, w, stride, padding",
    minutes=20,
    difficulty="medium",
    aspects=(*PLANE_ASPECTS, Aspect(KINDS, 1)),
    cases=_plane_cases(last=False),
    oracles={"PyTorch": torch_as_vjp, "TensorFlow": _in_layout(tf_as_vjp, last=True)},
    explain=_plane_explain(last=False),
    size_formula=_plane_size(last=False),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_torch_driver,
    misconceptions=_plane_misconceptions(_InTorch),
)

AS_VJP_TF = Spec(
    name="conv_transpose2d_as_vjp_tf",
    title="A transposed convolution out of a gradient, in TensorFlow",
    summary="Make a transposed convolution of tf.nn.conv2d and a gradient tape.",
    chapter=f"{BACK}#vector-jacobian",
    parameters="x, w, stride, padding",
    minutes=20,
    difficulty="medium",
    aspects=(*PLANE_ASPECTS, Aspect(TRACED, 1), Aspect(KINDS, 1)),
    cases=_plane_cases(last=True),
    oracles={"TensorFlow": tf_as_vjp, "PyTorch": _in_layout(_torch_vjp_for_tf, last=False)},
    explain=_plane_explain(last=True),
    size_formula=_plane_size(last=True),
    rules=Rules(libraries=("numpy", "tensorflow"), seconds=20.0),
    driver=_tf_driver,
    misconceptions=_plane_misconceptions(_in_tf),
)


# -- two dot products -------------------------------------------------------------------------


def torch_gap(x, y, w, stride, padding):
    """Return the gap between `F.conv2d` and autograd's way back with the kernel turned round."""
    import torch

    x, y, w = (_tensor(a).double() for a in (x, y, w))
    there = torch.nn.functional.conv2d(x, w, stride=stride, padding=padding)
    seen = x.requires_grad_()
    turned = torch.nn.functional.conv2d(seen, w.flip(2, 3), stride=stride, padding=padding)
    (back,) = torch.autograd.grad(turned, seen, y)
    return float(abs((there * y).sum() - (x * back).sum()).detach())


def tf_gap(x, y, w, stride, padding):
    """Return the same by `tf.nn.conv2d` and `GradientTape`."""
    tf = tensorflow()
    x, y = (tf.constant(_last(np.float64(a))) for a in (x, y))
    kernel = np.ascontiguousarray(np.float64(w).transpose(2, 3, 1, 0))
    (ph, pw), strides = as_pair(padding), as_pair(stride)
    pads = [[0, 0], [ph, ph], [pw, pw], [0, 0]]
    with tf.GradientTape() as tape:
        tape.watch(x)
        turned = tf.nn.conv2d(x, np.ascontiguousarray(kernel[::-1, ::-1]), strides, pads)
    there = tf.nn.conv2d(x, kernel, strides, pads)
    back = tape.gradient(turned, x, y)
    return float(abs(tf.reduce_sum(there * y) - tf.reduce_sum(x * back)))


def _out_size(hw, k_hw, stride, padding):
    sizes = zip(hw, k_hw, as_pair(stride), as_pair(padding), strict=True)
    return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in sizes)


def _gap_driver(fn, x, y, w, stride, padding):
    """Call `fn` with a pair to test in place of the notebook's; one number is asked for.

    The pair's way back has a mistake: it turns the kernel by 180°.
    """
    import numpy as np

    from autograde.calling import NotAsked

    def conv2d(x, w, stride, padding):
        (ph, pw), (sh, sw) = np.broadcast_to(padding, 2), np.broadcast_to(stride, 2)
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
        return np.einsum("ncijuv,ocuv->noij", windows[:, :, ::sh, ::sw], w)

    def conv2d_backward_input(grad_output, w, input_hw, stride, padding):
        (ph, pw), (sh, sw) = np.broadcast_to(padding, 2), np.broadcast_to(stride, 2)
        (n, _, rows, columns), (height, width) = grad_output.shape, input_hw
        turned = w[:, :, ::-1, ::-1]
        full = np.zeros((n, w.shape[1], height + 2 * ph, width + 2 * pw), w.dtype)
        for u, v in np.ndindex(*w.shape[2:]):
            there = full[:, :, u::sh, v::sw][:, :, :rows, :columns]
            there += np.einsum("noij,oc->ncij", grad_output, turned[:, :, u, v])
        return full[:, :, ph : ph + height, pw : pw + width]

    scope, absent = fn.__globals__, object()
    pair = {"conv2d": conv2d, "conv2d_backward_input": conv2d_backward_input}
    before = {name: scope.get(name, absent) for name in pair}
    scope.update(pair)
    try:
        gap = fn(x, y, w, stride, padding)
    finally:
        scope.update({name: old for name, old in before.items() if old is not absent})
    if np.ndim(gap):
        raise NotAsked(f"returned an array of shape {np.shape(gap)}, not one number.")
    return None if gap is None else float(gap)


conv2d = conv2d_backward_input = None
"""The names under which the driver puts the pair, for the misconceptions here as for a learner."""


def _gap_cases(rng) -> Iterator[Case]:
    simple, strided, several, inputs = (
        "stride 1", "stride and padding", "channels and batches", "inputs as they are"
    )  # fmt: skip

    def case(aspect, x, y, w, stride=1, padding=0, gap=None, **more):
        x, y, w = (np.asarray(a, float) for a in (x, y, w))
        if gap is not None:
            more |= {"visible": True, "expected": float(gap)}
        return Case(aspect, (x, y, w, stride, padding), **more)

    image = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    eye = np.eye(2)[None, None]
    yield case(simple, image, eye, [[[[1, 2], [3, 4]]]], gap=28)
    yield case(simple, image, eye, [[[[1, 2], [2, 1]]]], gap=0)
    yield case(strided, [[[[1, 2, 3, 4]]]], [[[[1, 10]]]], [[[[1, 2]]]], (1, 2), 0, gap=11)
    yield case(strided, [[[[1, 2]]]], [[[[1, 10, 100]]]], [[[[1, 3]]]], 1, (0, 1), gap=378)
    yield case(several, [[[[1]], [[2]]]], [[[[3]]]], [[[[4]], [[5]]]], gap=0)
    fixed = [np.array(a, float) for a in ([[[[1, 2]]]], [[[[3]]]], [[[[1, 5]]]])]
    for array in fixed:
        array.flags.writeable = False
    yield Case(inputs, (*fixed, 1, 0), visible=True, expected=12.0, exact_dtype=True)

    def drawn(aspect, s, p, *, size=None, k=None, n=1, c=1, o=1, dtype=float, same=False, **more):
        while True:
            hw, k_hw = size or two_between(rng, 2, 5), k or two_between(rng, 1, 3)
            out = _out_size(hw, k_hw, s, p)
            if min(out) >= 1:
                break
        x, y = (
            whole_numbers(rng, n, c, *hw, dtype=dtype),
            whole_numbers(rng, n, o, *out, dtype=dtype),
        )
        w = whole_numbers(rng, o, c, *k_hw, dtype=dtype)
        if same:  # it looks the same turned round
            w += w[:, :, ::-1, ::-1]
        return Case(aspect, (x, y, w, s, p), **more)

    for _ in range(5):
        yield drawn(simple, 1, 0, k=(2, 3), size=two_between(rng, 3, 5))
    yield drawn(simple, 1, 0, k=(3, 3), size=(3, 3))
    yield drawn(simple, 1, 0, k=(2, 2), size=(4, 3), same=True)
    for s, p in ((2, 0), (1, 1), (2, 1), (3, 1), ((1, 2), (1, 0)), ((2, 3), 1)):
        yield drawn(strided, s, p, k=(2, 3), size=two_between(rng, 4, 6))
    yield drawn(strided, 2, 0, k=(3, 3), size=(4, 6))
    yield drawn(strided, 2, 1, k=(3, 3), size=(5, 6))
    yield drawn(strided, 3, 2, k=(2, 2), size=(4, 4), same=True)
    for s, p in ((1, 0), (2, 1), (1, 1)):
        yield drawn(several, s, p, n=2, c=2, o=3, k=(2, 2), size=(3, 4))
        yield drawn(several, s, p, n=3, c=1, o=2, k=(2, 3), size=(4, 3))
        yield drawn(several, s, p, n=1, c=3, o=1, k=(3, 2), size=(4, 4))
    yield drawn(several, 2, 1, n=2, c=2, o=2, k=(3, 3), size=(4, 5), same=True)
    for s, p in ((1, 0), (2, 1)):
        shape = {"n": 2, "c": 2, "o": 2, "k": (2, 3), "size": (4, 4)}
        yield drawn(inputs, s, p, **shape, dtype=np.float32)
        x, y, w = drawn(inputs, s, p, **shape).args[:3]
        yield Case(inputs, (x, y, w, s, p), exact_dtype=True)
        yield Case(inputs, (np.asfortranarray(x), y, np.asfortranarray(w), s, p), exact_dtype=True)
        for array in (x, y, w):
            array.flags.writeable = False
        yield Case(inputs, (x, y, w, s, p), exact_dtype=True)


def _there_and_back(x, y, w, stride, padding):
    hw = x.shape[2:]
    return conv2d(x, w, stride, padding), conv2d_backward_input(y, w, hw, stride, padding)


def _wrong_gap(name, title, message, label, compare):
    """Return a misconception; `compare(there, y, x, back)` makes a number of the four."""

    def wrong(x, y, w, stride, padding):
        there, back = _there_and_back(x, y, w, stride, padding)
        return compare(there, y, x, back)

    return Misconception(name, title, message, f"{BACK}#{label}", wrong)


def _two(there, y, x, back):
    return np.sum(there * y), np.sum(x * back)


def _there_and_back_again(x, y, w, stride, padding):
    there = conv2d(x, w, stride, padding)
    back = conv2d_backward_input(there, w, x.shape[2:], stride, padding)
    return abs(np.sum(there * there) - np.sum(x * back))


def _image_restored(x, y, w, stride, padding):
    there = conv2d(x, w, stride, padding)
    return np.abs(x - conv2d_backward_input(there, w, x.shape[2:], stride, padding)).max()


ADJOINT_GAP = Spec(
    name="adjoint_gap",
    title="Two dot products",
    summary="Measure by how much a forward and a backward function fail to belong together.",
    chapter=f"{BACK}#adjoint-test",
    parameters="x, y, w, stride, padding",
    minutes=10,
    difficulty="easy",
    aspects=(
        Aspect("stride 1", 1),
        Aspect("stride and padding", 1),
        Aspect("channels and batches", 1),
        Aspect("inputs as they are", 1),
    ),
    cases=_gap_cases,
    oracles={"PyTorch": torch_gap, "TensorFlow": tf_gap},
    driver=_gap_driver,
    misconceptions=(
        _wrong_gap(
            "always-zero",
            "The gap is always 0",
            "This function does not look at the pair it is to test. While it is judged, one of the "
            "two has a mistake, and the gap is 0 only where that makes no difference.",
            "adjoint-test",
            lambda there, y, x, back: 0.0,
        ),
        _wrong_gap(
            "sign-kept",
            "The gap may be negative",
            "The difference is right, but it keeps its sign. A gap is how far the two numbers are "
            "apart.",
            "adjoint-test",
            lambda there, y, x, back: np.subtract(*_two(there, y, x, back)),
        ),
        _wrong_gap(
            "sums-compared",
            "The sums are compared, without the products",
            "The two results are added up as they are. Each has to be multiplied by its partner "
            "first, element by element.",
            "adjoint-test",
            lambda there, y, x, back: abs(np.sum(there) - np.sum(back)),
        ),
        _wrong_gap(
            "means-compared",
            "Means are taken in place of sums",
            "The two products are averaged. They have different sizes, so their means differ where "
            "their sums agree.",
            "adjoint-test",
            lambda there, y, x, back: abs(np.mean(there * y) - np.mean(x * back)),
        ),
        _wrong_gap(
            "magnitudes-added",
            "The products are made positive first",
            "Every product is taken without its sign before they are added. The sign belongs to "
            "the sum; only the difference in the end loses it.",
            "adjoint-test",
            lambda there, y, x, back: abs(np.abs(there * y).sum() - np.abs(x * back).sum()),
        ),
        _wrong_gap(
            "norms-compared",
            "Lengths are compared",
            "The length of what goes there is compared with the length of what comes back. A "
            "transposed matrix does not keep lengths; only the two dot products agree.",
            "adjoint-test",
            lambda there, y, x, back: abs(np.linalg.norm(there) - np.linalg.norm(back)),
        ),
        _wrong_gap(
            "relative",
            "The gap is divided by its size",
            "The gap is divided by the first number, so it is a share. Asked is the difference "
            "itself.",
            "adjoint-test",
            lambda there, y, x, back: (
                abs(np.subtract(*_two(there, y, x, back))) / max(abs(np.sum(there * y)), 1e-300)
            ),
        ),
        _wrong_gap(
            "squared",
            "The gap is squared",
            "The difference of the two numbers is squared. Asked is its magnitude.",
            "adjoint-test",
            lambda there, y, x, back: np.subtract(*_two(there, y, x, back)) ** 2,
        ),
        _wrong_gap(
            "first-image-only",
            "Only the first image counts",
            "The sums run over the first image alone. They run over everything there is: images, "
            "channels, rows and columns.",
            "adjoint-test",
            lambda there, y, x, back: abs(np.subtract(*_two(there[0], y[0], x[0], back[0]))),
        ),
        _wrong_gap(
            "gap-of-each-image",
            "The gaps of the images are added",
            "Each image gets a gap of its own, and these are added up. The two sums run over all "
            "images; there is one difference, in the end.",
            "adjoint-test",
            lambda there, y, x, back: np.abs(
                (there * y).sum((1, 2, 3)) - (x * back).sum((1, 2, 3))
            ).sum(),
        ),
        Misconception(
            "y-not-used",
            "The result of the way there is sent back",
            "What comes out of the convolution is sent back, and `y` is not used. That tests a "
            "single vector, made by the function under test itself.",
            f"{BACK}#adjoint-test",
            _there_and_back_again,
        ),
        Misconception(
            "restored-image-compared",
            "The image is expected back",
            "The image is compared with what has gone there and back. A transposed matrix is not "
            "the inverse: it restores the shape, not the values.",
            "book/sparse-matrix-view#transpose-not-inverse",
            _image_restored,
        ),
    ),
)


# -- predict first ------------------------------------------------------------------------------


def _guess(name, title, message, label, answer):
    return Misconception(name, title, message, f"{BACK}#{label}", partial(float, answer))


def _taps_gradient(oracle):
    x, w, g = np.array([[[2.0, 5]]]), np.zeros((1, 1, 3)), np.arange(1.0, 6)[None, None]
    return float(oracle(x, w, 2, g=g, gradient_of="w")[0, 0, 1])


PREDICT_TAP = Spec(
    name="predict_tap_gradient",
    title="Predict first: what does the middle tap get?",
    summary="Compute on paper one number of a kernel's gradient.",
    chapter=f"{BACK}#transposed-kernel-gradient",
    parameters="",
    minutes=5,
    difficulty="medium",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _taps_gradient(torch_transposed),
        "TensorFlow": lambda: _taps_gradient(_in_layout(tf_transposed, last=True)),
    },
    misconceptions=(
        _guess(
            "inputs-side-by-side",
            "The inputs lie side by side",
            "The two inputs met neighbouring numbers. Their copies began two places apart.",
            "transposed-kernel-gradient",
            19,
        ),
        _guess(
            "first-tap",
            "This is the first tap",
            "This number belongs to the first tap, at which each copy begins.",
            "transposed-kernel-gradient",
            17,
        ),
        _guess(
            "last-tap",
            "This is the last tap",
            "This number belongs to the last tap, two places behind the start of each copy.",
            "transposed-kernel-gradient",
            31,
        ),
        _guess(
            "inputs-left-out",
            "The inputs are left out",
            "What comes back to the places of the middle tap is added up. Each of these counts as "
            "many times as the input that was laid down there.",
            "transposed-kernel-gradient",
            6,
        ),
        _guess(
            "all-ones",
            "What comes back is left out",
            "This is the sum of the inputs. It would be right if all that comes back were 1.",
            "transposed-kernel-gradient",
            7,
        ),
        _guess(
            "inputs-in-reverse",
            "The inputs meet the wrong copies",
            "Each input is multiplied by what came back to the other's copy.",
            "transposed-kernel-gradient",
            18,
        ),
    ),
)


def _middle(oracle):
    x = np.ones((1, 1, 2, 2))
    w = np.array([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 10]]]])
    return float(oracle(x, w, 2, 1)[0, 0, 1, 1])


PREDICT_MIDDLE = Spec(
    name="predict_middle",
    title="Predict first: what arrives in the middle?",
    summary="Compute on paper one number of a cropped transposed convolution.",
    chapter="book/transposed-2d#padding-2d",
    parameters="",
    minutes=5,
    difficulty="medium",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={
        "PyTorch": lambda: _middle(torch_as_vjp),
        "TensorFlow": lambda: _middle(_in_layout(tf_as_vjp, last=True)),
    },
    misconceptions=tuple(
        Misconception(name, title, message, f"{TWO}#{label}", partial(float, answer))
        for name, title, message, label, answer in (
            (
                "crop-forgotten",
                "The crop is forgotten",
                "This stands in row 1, column 1 of the full result. Cropping by 1 moves another "
                "number there.",
                "padding-2d",
                5,
            ),
            (
                "all-taps",
                "All taps arrive",
                "This is the sum of all taps. Four copies arrive in the middle, each with one tap.",
                "scatter-2d",
                46,
            ),
            (
                "edges-taken",
                "The taps at the edges are taken",
                "These are the taps in the middle of the kernel's edges. The middle of the result "
                "lies on a corner of every copy.",
                "scatter-2d",
                20,
            ),
            (
                "last-copy-only",
                "Only the last copy counts",
                "This is what the last of the four copies lays down. All four add up.",
                "scatter-2d",
                1,
            ),
            (
                "first-copy-only",
                "Only the first copy counts",
                "This is what the first of the four copies lays down. All four add up.",
                "scatter-2d",
                10,
            ),
            (
                "one-diagonal",
                "Two copies are missing",
                "Two of the copies are counted, the first and the last. The other two reach the "
                "middle as well.",
                "scatter-2d",
                11,
            ),
            (
                "stride-one",
                "This is the number for stride 1",
                "With copies one place apart these four taps would meet. Here they lie two apart.",
                "scatter-2d",
                12,
            ),
        )
    ),
)

SPECS = (
    PREDICT_TAP,
    CONV_TRANSPOSE1D,
    CONV_TRANSPOSE1D_CUSTOM,
    PREDICT_MIDDLE,
    AS_VJP_TORCH,
    AS_VJP_TF,
    ADJOINT_GAP,
)
