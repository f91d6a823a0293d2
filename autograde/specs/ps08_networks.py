"""ps08: the blocks of networks that enlarge, in PyTorch and in Keras.

Sources: Long, Shelhamer & Darrell, *Fully Convolutional Networks for Semantic Segmentation* (2015);
Ronneberger, Fischer & Brox, *U-Net* (2015); Badrinarayanan, Kendall & Cipolla, *SegNet* (2017);
Shi et al., *Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network* (2016); the API pages of `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from autograde.spec import Aspect, Case, Misconception, Rules, Spec
from autograde.specs.common import between, tensorflow, whole_numbers

FCN, UNET = "book/fcn", "book/u-net"
SEGNET, SUPER = "book/segnet-and-relatives", "book/super-resolution"
BILINEAR = "book/bilinear-initialisation"
CHECKER = "book/checkerboards"
SPACE = "book/channels-into-space"

PARTS, VALUES, GRADIENTS = "parameters", "values", "gradients"
FITTING, START = "sizes that do not fit", "how it begins"
TRAINING, SEVERAL = "training and evaluation", "several channels"


# -- calling a network -----------------------------------------------------------------------


def _driver(fn, *settings, about=None, size=None, drawn=False, **rest):
    """Build a network and look at it: `rest` holds its inputs, arrays, and its layers by name.

    Every number of a layer is the one that stands with its name, or is drawn from that seed with
    `drawn`. `about` says what is looked at in place of the result: "parameters" (how many each
    layer has, and all together), "gradients" (the sum of what each parameter gets), "training"
    (the result in training mode), "start LAYER" (a weight as it begins), "blocks LAYER" (where
    its weights and biases differ from the first of their block of `size` kernels).
    """
    import numpy as np
    import torch

    from autograde.calling import NotAsked

    net = fn(*settings)
    if not isinstance(net, torch.nn.Module):
        raise NotAsked(f"is no `torch.nn.Module`, but made a {type(net).__name__}.")
    net = net.double()
    inputs = [torch.tensor(v) for v in rest.values() if isinstance(v, np.ndarray)]
    numbers = {name: v for name, v in rest.items() if not isinstance(v, np.ndarray)}
    for name in numbers:
        if not isinstance(getattr(net, name, None), torch.nn.Module):
            names = ", ".join(f"`{n}`" for n in numbers)
            raise NotAsked(f"has no layer called `{name}`. The layers are to be called {names}.")
    layers = {name: getattr(net, name) for name in numbers}
    about, _, which = (about or "").partition(" ")
    if about == "parameters":
        counts = [sum(p.numel() for p in layer.parameters()) for layer in layers.values()]
        return np.array([*counts, sum(p.numel() for p in net.parameters())])
    if about == "start":
        return getattr(net, which).weight.detach().numpy()
    if about == "blocks":
        layer = getattr(net, which)
        found = []
        for values in (layer.weight, layer.bias):
            first = values[::size].repeat_interleave(size, 0)
            found.append((values != first).reshape(len(values), -1).any(1))
        return torch.stack(found).long().numpy()
    with torch.no_grad():
        for name, layer in layers.items():
            found = [t for t in (*layer.parameters(), *layer.buffers()) if t.is_floating_point()]
            for j, values in enumerate(found):
                if drawn:
                    rng = np.random.default_rng([numbers[name], j])
                    # No whole numbers: at a sum of exactly 0 a ReLU has no gradient to agree on.
                    taps = rng.uniform(0.5, 2, values.shape) * rng.choice([-1, 1], values.shape)
                    # A variance, the fourth, is positive; a small one shows what is added to it.
                    values.copy_(torch.tensor(abs(taps) / 4 if j == 3 else taps))
                else:
                    values.fill_(numbers[name])
    net.train(about == "training")
    z = net(*inputs) if size is None else net(*inputs, tuple(size))
    if not isinstance(z, torch.Tensor):
        raise NotAsked(f"gave {type(z).__name__}, not a tensor.")
    if about != "gradients":
        return z.detach().numpy()
    if not z.requires_grad:
        raise NotAsked("sends no gradients back: on the way the values left PyTorch.")
    (z * torch.arange(1, z.numel() + 1).reshape(z.shape)).sum().backward()
    parameters = [p for layer in layers.values() for p in layer.parameters()]
    return np.array([0.0 if p.grad is None else p.grad.sum().item() for p in parameters])


def _network(forward, **layers):
    """Return a network of these layers, in this order, whose `forward` gets it first."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, layer in layers.items():
                if layer is not None:
                    setattr(self, name, layer)

        def forward(self, *inputs):
            return forward(self, *inputs)

    return Network()


def _functional():
    import torch

    return torch.nn.functional


def _convolution(c_in, c_out, k=3, *, padding=True, bias=True):
    import torch

    return torch.nn.Conv2d(c_in, c_out, k, padding=k // 2 if padding else 0, bias=bias)


def _transposed(c_in, c_out, k, factor, *, bias=False):
    import torch

    return torch.nn.ConvTranspose2d(c_in, c_out, k, factor, (k - factor + 1) // 2, bias=bias)


def _cut(x, hw, *, front=False, middle=False):
    """Crop to height and width: at the end, in front, or as much at both."""
    spare = [n - m for n, m in zip(x.shape[2:], hw, strict=True)]
    i, j = (s if front else s // 2 if middle else 0 for s in spare)
    return x[:, :, i : i + hw[0], j : j + hw[1]]


def _resized(x, hw):
    return _functional().interpolate(x, size=tuple(hw), mode="bilinear")


def _explain(parameters, order):
    """Explain a place in what the driver returns.

    `parameters` names those of every layer, `order` says how the result comes about.
    """
    layers = list(dict.fromkeys(name.split(".")[0] for name in parameters))

    def explain(at, *settings, about=None, **rest):
        about = (about or "").split(" ")[0]
        if about == "parameters":
            return f"That is how many numbers {[*layers, 'the whole network'][at]} has to learn."
        if about == "gradients":
            return (
                f"That is what `{parameters[at]}` gets, summed, where 1, 2, 3, … comes back to the "
                "result, from its first number to its last."
            )
        if about == "start":
            return "At the start each class goes into itself only, through a bilinear kernel."
        if about == "blocks":
            return (
                "A 1 stands where a kernel (first row) or a bias (second row) differs from the "
                "first one of its block."
            )
        return order

    return explain


def _laid_in(*arrays):
    """Return arrays of rows as images with one channel."""
    return [np.array(a, float)[None, None] for a in arrays]


# -- FCN-8s --------------------------------------------------------------------------------


def _tent(k, factor, *, scale=1.0):
    taps = 1 - np.abs(np.arange(k) - (k - 1) / 2) / factor
    return np.maximum(np.outer(taps, taps), 0) * scale


def _bilinear(channels, factor, *, k=None, bias=False, full=False, fill=None):
    """Return a transposed convolution that begins bilinear; the misconceptions bend it."""
    import torch

    k = k or 2 * factor
    layer = _transposed(channels, channels, k, factor, bias=bias)
    stamp = _tent(k, factor) if fill is None else fill(k, factor)
    diagonal = np.ones((channels, channels)) if full else np.eye(channels)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(diagonal[:, :, None, None] * stamp))
    return layer


def _fcn(
    c3, c4, c5, classes, *, cut=_cut, join=None, last=_cut, score_bias=True, activation=None,
    pool3=True, **enlarge,
):  # fmt: skip
    """Return the head of an FCN-8s; the misconceptions bend it."""
    join = join or (lambda up, skip: up + skip)
    activation = activation or (lambda x: x)

    def forward(net, pool3_, pool4, pool5, size):
        scores = activation(net.score5(pool5))
        skip = activation(net.score4(pool4))
        scores = join(cut(net.twice5(scores), skip.shape[2:]), skip)
        skip = activation(net.score3(pool3_))
        scores = cut(net.twice4(scores), skip.shape[2:])
        scores = join(scores, skip) if pool3 else scores
        return last(net.last(scores), size)

    return _network(
        forward,
        score5=_convolution(c5, classes, 1, bias=score_bias),
        score4=_convolution(c4, classes, 1, bias=score_bias),
        score3=_convolution(c3, classes, 1, bias=score_bias),
        twice5=_bilinear(classes, 2, **enlarge),
        twice4=_bilinear(classes, 2, **enlarge),
        last=_bilinear(classes, 8, **(enlarge | ({"k": 8} if "k" in enlarge else {}))),
    )


FCN_LAYERS = ("score5", "score4", "score3", "twice5", "twice4", "last")


def torch_fcn(*settings, **rest):
    """Return what PyTorch's layers make of it, put together as the exercise says."""
    return _driver(_fcn, *settings, **rest)


def _fcn_cases(rng) -> Iterator[Case]:
    names = dict.fromkeys(FCN_LAYERS, 1)

    def maps(hw, channels=(1, 1, 1), n=1, fill=None):
        """Make the maps of an image: each is half of the one before, rounded up."""
        found = {}
        h, w = hw
        for level in range(1, 6):
            h, w = -(-h // 2), -(-w // 2)
            if level >= 3:
                shape = n, channels[level - 3], h, w
                found[f"pool{level}"] = (
                    whole_numbers(rng, *shape) if fill is None else np.full(shape, float(fill))
                )
        return found | {"size": hw}

    def seeds():
        return {name: between(rng, 1, 999) for name in FCN_LAYERS} | {"drawn": True}

    counts = [2, 2, 2, 16, 16, 256, 294]
    yield Case(PARTS, (1, 1, 1, 1), names | {"about": "parameters"}, visible=True, expected=counts)
    ones = names | {"score5": 2.0}
    yield Case(
        VALUES, (1, 1, 1, 1), maps((4, 4), fill=1) | ones, visible=True,
        expected=np.full((1, 1, 4, 4), 8.0),
    )  # fmt: skip
    yield Case(
        FITTING, (1, 1, 1, 1), maps((3, 5), fill=1) | ones, visible=True,
        expected=np.full((1, 1, 3, 5), 8.0),
    )  # fmt: skip
    yield Case(
        START, (1, 1, 1, 1), names | {"about": "start twice5"}, visible=True,
        expected=_tent(4, 2)[None, None],
    )  # fmt: skip
    sums = torch_fcn(1, 1, 1, 1, **maps((1, 2), fill=1), **names, about="gradients")
    yield Case(
        GRADIENTS, (1, 1, 1, 1), maps((1, 2), fill=1) | names | {"about": "gradients"},
        visible=True, expected=sums,
    )  # fmt: skip
    for _ in range(7):
        settings = (*(between(rng, 1, 9) for _ in range(3)), between(rng, 2, 5))
        yield Case(PARTS, settings, names | {"about": "parameters"})
    for hw in ((32, 32), (32, 64), (64, 32), (32, 32)):
        channels = tuple(between(rng, 1, 3) for _ in range(3))
        yield Case(
            VALUES, (*channels, between(rng, 2, 3)), maps(hw, channels, 1 + (hw[0] > 32)) | seeds()
        )
    for hw in ((33, 40), (20, 37), (9, 50), (1, 1), (17, 16), (35, 31)):
        channels = tuple(between(rng, 1, 2) for _ in range(3))
        yield Case(FITTING, (*channels, 2), maps(hw, channels) | seeds())
    for hw in ((32, 32), (18, 25), (40, 7), (33, 33)):
        channels = tuple(between(rng, 1, 2) for _ in range(3))
        yield Case(GRADIENTS, (*channels, 2), maps(hw, channels) | seeds() | {"about": "gradients"})
    for classes in (1, 2, 3):
        for layer in ("twice5", "twice4", "last"):
            settings = (*(between(rng, 1, 4) for _ in range(3)), classes)
            yield Case(START, settings, names | {"about": f"start {layer}"})


def _wrong_fcn(name, title, message, section, **bent):
    return Misconception(name, title, message, section, partial(_fcn, **bent))


FCN8S = Spec(
    name="FCN8sHead",
    title="The head of an FCN-8s",
    summary="Enlarge class scores of three depths and add them up on the way.",
    chapter=f"{FCN}#fcn-heads",
    parameters="c3, c4, c5, classes",
    minutes=30,
    difficulty="medium",
    aspects=(
        Aspect(PARTS, 1),
        Aspect(VALUES, 2),
        Aspect(FITTING, 1),
        Aspect(START, 1),
        Aspect(GRADIENTS, 1),
    ),
    cases=_fcn_cases,
    oracles={"PyTorch": torch_fcn},
    explain=_explain(
        [f"score{n}.{kind}" for n in (5, 4, 3) for kind in ("weight", "bias")]
        + [f"{name}.weight" for name in FCN_LAYERS[3:]],
        "Scores of the deepest map are doubled and another map's are added, twice; then they are "
        "enlarged by 8.",
    ),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_driver,
    misconceptions=(
        _wrong_fcn(
            "cropped-in-front",
            "Cropped in front",
            "Where an enlarged map has a row or column too many, the first one is cut off. It is "
            "the last that lies beyond the image.",
            f"{FCN}#fcn-heads",
            cut=partial(_cut, front=True),
            last=partial(_cut, front=True),
        ),
        _wrong_fcn(
            "cropped-in-the-middle",
            "The middle is kept",
            "What is too much is cut off at both ends. These layers pool with rounding up, so all "
            "that is too much lies at the end.",
            f"{FCN}#fcn-heads",
            cut=partial(_cut, middle=True),
            last=partial(_cut, middle=True),
        ),
        _wrong_fcn(
            "result-not-cropped",
            "The result is not cropped",
            "The last enlargement is returned as it is. It may be larger than the image.",
            f"{FCN}#fcn-heads",
            last=lambda x, size: x,
        ),
        _wrong_fcn(
            "resized-to-fit",
            "Maps are resized to fit",
            "Where an enlarged map is too large, it is interpolated to the size. That moves every "
            "score a little; cut off what is too much.",
            f"{FCN}#fcn-heads",
            cut=_resized,
            last=_resized,
        ),
        _wrong_fcn(
            "scores-averaged",
            "The scores are averaged",
            "The scores of two depths are averaged. They are added; how much each counts is for "
            "the layers to learn.",
            f"{FCN}#fcn-skips",
            join=lambda up, skip: (up + skip) / 2,
        ),
        _wrong_fcn(
            "pool3-left-out",
            "The last skip is left out",
            "This is an FCN-16s with one more enlargement: what `pool3` says does not arrive.",
            f"{FCN}#fcn-skips",
            pool3=False,
        ),
        _wrong_fcn(
            "relu-on-the-scores",
            "Scores go through a ReLU",
            "A ReLU stands behind the 1 × 1 convolutions. Scores may be negative: that is how a "
            "class is ruled out.",
            f"{FCN}#fcn-skips",
            activation=lambda x: x.relu(),
        ),
        _wrong_fcn(
            "scores-without-bias",
            "The scores have no bias",
            "The 1 × 1 convolutions have no bias. They have one, as any layer that makes scores.",
            f"{FCN}#fcn-heads",
            score_bias=False,
        ),
        _wrong_fcn(
            "enlargement-with-bias",
            "The enlargements have a bias",
            "The transposed convolutions have a bias, which is the default. An interpolation adds "
            "nothing.",
            f"{BILINEAR}#bilinear-weight",
            bias=True,
        ),
        _wrong_fcn(
            "kernel-like-the-stride",
            "The kernels are as large as the stride",
            "The kernel of each enlargement is as large as its factor. A bilinear one is twice as "
            "large: it reaches to the next score.",
            f"{BILINEAR}#bilinear-kernel",
            k=2,
        ),
        _wrong_fcn(
            "classes-mixed",
            "Every class flows into every other",
            "The bilinear kernel stands between all pairs of classes, so at the start every score "
            "is the sum of all. Each class goes into itself only.",
            f"{BILINEAR}#bilinear-weight",
            full=True,
        ),
        _wrong_fcn(
            "sums-to-one",
            "The kernels add up to 1",
            "All taps of a kernel add up to 1 at the start. Each output meets only its share of "
            "them, so the scores shrink with every enlargement.",
            f"{BILINEAR}#three-times-example",
            fill=lambda k, factor: _tent(k, factor, scale=1 / factor**2),
        ),
        _wrong_fcn(
            "begins-with-zeros",
            "The enlargements begin with zeros",
            "All taps are 0 at the start, so nothing gets through, and nothing comes back either. "
            "They begin bilinear.",
            f"{BILINEAR}#bilinear-kernel",
            fill=lambda k, factor: np.zeros((k, k)),
        ),
    ),
)


# -- U-Net ------------------------------------------------------------------------------------


def _unet(
    c_in, c_skip, c_out, *, cut=_cut, skip_first=True, joined=True, up=2, bias=True,
    first=True, second=True, on_up=False, before=False,
):  # fmt: skip
    """Return a block of a U-Net; the misconceptions bend it."""
    F = _functional()

    def forward(net, x, skip):
        def convolve(layer, x, active):
            if before:
                return layer(F.relu(x))
            return F.relu(layer(x)) if active else layer(x)

        x = cut(net.up(x), skip.shape[2:])
        x = F.relu(x) if on_up else x
        if joined:
            import torch

            x = torch.cat([skip, x] if skip_first else [x, skip], 1)
        else:
            x = x + skip if x.shape == skip.shape else x
        return convolve(net.second, convolve(net.first, x, first), second)

    width = c_skip + c_out if joined else c_out
    return _network(
        forward,
        up=_transposed(c_in, c_out, up, 2, bias=bias),
        first=_convolution(width, c_out, bias=bias),
        second=_convolution(c_out, c_out, bias=bias),
    )


UNET_LAYERS = ("up", "first", "second")


def torch_unet(*settings, **rest):
    """Return what PyTorch's layers make of it, put together as the exercise says."""
    return _driver(_unet, *settings, **rest)


def _unet_cases(rng) -> Iterator[Case]:
    names = dict.fromkeys(UNET_LAYERS, 1)

    def maps(hw, settings, n=1):
        small = tuple(-(-m // 2) for m in hw)
        return {
            "x": whole_numbers(rng, n, settings[0], *small),
            "skip": whole_numbers(rng, n, settings[1], *hw),
        }

    def seeds():
        return {name: between(rng, 1, 999) for name in UNET_LAYERS} | {"drawn": True}

    def drawn(aspect, hw, n=1, settings=None, **more):
        settings = settings or tuple(between(rng, 1, 3) for _ in range(3))
        return Case(aspect, settings, maps(hw, settings, n) | seeds() | more)

    x, skip = _laid_in([[1]], [[1, 2], [3, 4]])
    yield Case(
        PARTS, (2, 1, 1), names | {"about": "parameters"}, visible=True, expected=[9, 19, 10, 38]
    )
    yield Case(
        VALUES, (1, 1, 1), {"x": x, "skip": skip} | names, visible=True,
        expected=np.full((1, 1, 2, 2), 77.0),
    )  # fmt: skip
    yield Case(
        FITTING, (1, 1, 1), {"x": x, "skip": skip[:, :, :1]} | names, visible=True,
        expected=np.full((1, 1, 1, 2), 17.0),
    )  # fmt: skip
    yield Case(
        GRADIENTS, (1, 1, 1), {"x": x, "skip": skip} | names | {"about": "gradients"}, visible=True,
        expected=torch_unet(1, 1, 1, x=x, skip=skip, **names, about="gradients"),
    )  # fmt: skip
    for _ in range(8):
        settings = tuple(between(rng, 1, 9) for _ in range(3))
        yield Case(PARTS, settings, names | {"about": "parameters"})
    for hw in ((2, 4), (4, 4), (4, 2), (6, 4), (4, 6), (2, 2)):
        yield drawn(VALUES, hw, between(rng, 1, 2))
    yield drawn(VALUES, (4, 4), settings=(2, 3, 2))
    yield drawn(VALUES, (4, 6), settings=(3, 1, 2))
    for hw in ((3, 4), (4, 5), (5, 5), (1, 1), (3, 6), (1, 4), (5, 3), (3, 3)):
        yield drawn(FITTING, hw)
    for hw in ((4, 4), (2, 4), (3, 5), (4, 3), (5, 4), (3, 3)):
        yield drawn(GRADIENTS, hw, about="gradients")


def _wrong_unet(name, title, message, label, section=None, **bent):
    return Misconception(name, title, message, section or f"{UNET}#{label}", partial(_unet, **bent))


UNET_UP = Spec(
    name="UNetUpBlock",
    title="A step upwards in a U-Net",
    summary="Enlarge a map, set the skip beside it and convolve twice.",
    chapter=f"{UNET}#up-block",
    parameters="c_in, c_skip, c_out",
    minutes=20,
    difficulty="easy",
    aspects=(Aspect(PARTS, 1), Aspect(VALUES, 2), Aspect(FITTING, 1), Aspect(GRADIENTS, 1)),
    cases=_unet_cases,
    oracles={"PyTorch": torch_unet},
    explain=_explain(
        [f"{name}.{kind}" for name in UNET_LAYERS for kind in ("weight", "bias")],
        "`first` sees the skip's channels and behind them the enlarged map's, `second` what comes "
        "of it; a ReLU follows each.",
    ),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_driver,
    misconceptions=(
        _wrong_unet(
            "skip-behind",
            "The skip stands behind",
            "The enlarged map comes first and the skip second. Here the skip comes first; for "
            "weights from elsewhere that makes a difference.",
            "up-block",
            skip_first=False,
        ),
        _wrong_unet(
            "skip-added",
            "The skip is added",
            "The skip is added to the enlarged map, as in an FCN. A U-Net sets it beside it, so "
            "the next convolution sees the channels of both.",
            "up-block",
            joined=False,
        ),
        _wrong_unet(
            "no-relu-at-the-end",
            "No ReLU behind the second convolution",
            "The second convolution's result is returned as it is. Both convolutions have a ReLU.",
            "up-block",
            second=False,
        ),
        _wrong_unet(
            "no-relu-in-between",
            "No ReLU between the convolutions",
            "Nothing stands between the two convolutions, so together they are no more than one "
            "larger convolution.",
            "up-block",
            first=False,
        ),
        _wrong_unet(
            "relu-behind-the-enlargement",
            "A ReLU behind the enlargement",
            "A ReLU stands behind the transposed convolution. It is followed by the convolutions "
            "as it is.",
            "up-block",
            on_up=True,
        ),
        _wrong_unet(
            "relu-in-front",
            "The ReLUs stand in front of the convolutions",
            "Each convolution gets what a ReLU has let through, and the last one's result is not "
            "rectified. Convolve first, then rectify.",
            "up-block",
            before=True,
        ),
        _wrong_unet(
            "cropped-in-front",
            "Cropped in front",
            "Where the enlarged map has a row or column too many, the first one is cut off. It is "
            "the last that lies beyond the skip.",
            "up-block",
            cut=partial(_cut, front=True),
        ),
        _wrong_unet(
            "resized-to-fit",
            "The map is resized to fit",
            "Where the enlarged map is too large, it is interpolated to the skip's size. Cut off "
            "what is too much.",
            "up-block",
            cut=_resized,
        ),
        _wrong_unet(
            "without-bias",
            "The layers have no bias",
            "All three layers have a bias, which is the default.",
            "up-block",
            bias=False,
        ),
        _wrong_unet(
            "four-taps",
            "The enlargement has four taps along each axis",
            "The transposed convolution has a 4 × 4 kernel, which would overlap. Asked is 2 × 2: "
            "every pixel becomes a block of its own.",
            "which-upsampling",
            up=4,
        ),
    ),
)


# -- SegNet ------------------------------------------------------------------------------------


def _at_top_left(x, size):
    """Put every value at the top left of its window, or what is left of it."""
    h, w = size
    z = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    z[:, :, ::2, ::2] = x
    return z[:, :, :h, :w]


def _repeated(x, size):
    return _functional().interpolate(x, scale_factor=2)[:, :, : size[0], : size[1]]


def _segnet(
    c_in, c_out, *, unpool=None, sized=True, conv_first=False, order="norm relu", bias=False,
    padding=True, eps=1e-5, statistics=None, affine=True, own_sizes=False,
):  # fmt: skip
    """Return a block of a SegNet's decoder; the misconceptions bend it."""
    import torch

    F = _functional()

    def enlarge(x, indices, size):
        if unpool:
            return unpool(x, size)
        if not sized:
            return F.max_unpool2d(x, indices, 2)
        return F.max_unpool2d(x, indices, 2, output_size=size)

    def normed(net, x):
        if statistics is None:
            return net.norm(x)
        norm = net.norm
        here = statistics == "batch"
        return F.batch_norm(
            x, None if here else norm.running_mean, None if here else norm.running_var,
            norm.weight, norm.bias, here, eps=eps,
        )  # fmt: skip

    def forward(net, x, indices, size):
        if conv_first:
            x = enlarge(net.conv(x), indices, size)
        else:
            x = net.conv(enlarge(x, indices, size))
        for step in order.split():
            x = normed(net, x) if step == "norm" else F.relu(x)
        return x

    return _network(
        forward,
        conv=_convolution(c_in, c_out, bias=bias, padding=padding),
        norm=torch.nn.BatchNorm2d(c_out, eps=eps, affine=affine),
    )


SEGNET_LAYERS = ("conv", "norm")


def torch_segnet(*settings, **rest):
    """Return what PyTorch's layers make of it, put together as the exercise says."""
    return _driver(_segnet, *settings, **rest)


def _switches(rng, n, c, h, w):
    """Draw for each window of 2 x 2, cut at the end, where its largest value was."""
    rows, columns = -(-h // 2), -(-w // 2)
    i = 2 * np.arange(rows)[:, None] + rng.integers(0, 2, (n, c, rows, columns))
    j = 2 * np.arange(columns) + rng.integers(0, 2, (n, c, rows, columns))
    return np.minimum(i, h - 1) * w + np.minimum(j, w - 1)


def _segnet_cases(rng) -> Iterator[Case]:
    names = dict.fromkeys(SEGNET_LAYERS, 1)

    def maps(hw, settings, n=1):
        small = tuple(-(-m // 2) for m in hw)
        return {
            "x": whole_numbers(rng, n, settings[0], *small),
            "indices": _switches(rng, n, settings[0], *hw),
            "size": hw,
        }

    def seeds():
        return {name: between(rng, 1, 999) for name in SEGNET_LAYERS} | {"drawn": True}

    def drawn(aspect, hw, n=1, settings=None, **more):
        settings = settings or tuple(between(rng, 1, 3) for _ in range(2))
        return Case(aspect, settings, maps(hw, settings, n) | seeds() | more)

    def shown(aspect, hw, x, indices, **more):
        kwargs = {"x": np.array(x, float), "indices": np.array(indices), "size": hw} | names | more
        return Case(aspect, (1, 1), kwargs, visible=True, expected=torch_segnet(1, 1, **kwargs))

    yield Case(PARTS, (2, 3), names | {"about": "parameters"}, visible=True, expected=[54, 6, 60])
    yield shown(VALUES, (2, 4), [[[[3, 5]]]], [[[[5, 7]]]])
    yield shown(FITTING, (3, 3), [[[[1, 2], [3, 4]]]], [[[[4, 2], [6, 8]]]])
    yield shown(TRAINING, (2, 4), [[[[3, 5]]]], [[[[0, 7]]]], about="training")
    yield shown(GRADIENTS, (2, 4), [[[[3, 5]]]], [[[[0, 7]]]], about="gradients")
    for _ in range(6):
        settings = tuple(between(rng, 1, 9) for _ in range(2))
        yield Case(PARTS, settings, names | {"about": "parameters"})
    for hw in ((2, 4), (4, 4), (4, 2), (6, 4), (4, 6)):
        yield drawn(VALUES, hw, between(rng, 1, 2))
    yield drawn(VALUES, (4, 4), settings=(2, 2))
    yield drawn(VALUES, (4, 6), settings=(3, 1), n=2)
    for hw in ((3, 4), (4, 5), (5, 5), (3, 6), (5, 3), (3, 3)):
        yield drawn(FITTING, hw)
    for hw in ((4, 4), (2, 4), (3, 5), (4, 6)):
        yield drawn(TRAINING, hw, 2, about="training")
        yield drawn(TRAINING, hw, 2)
    for hw in ((4, 4), (2, 4), (3, 5), (4, 3), (5, 4)):
        yield drawn(GRADIENTS, hw, 2, about="gradients")


def _wrong_segnet(name, title, message, section, **bent):
    return Misconception(name, title, message, section, partial(_segnet, **bent))


SEGNET_BLOCK = Spec(
    name="SegNetDecoderBlock",
    title="A step upwards in a SegNet",
    summary="Put values back where the encoder found them, convolve and normalise.",
    chapter=f"{SEGNET}#segnet-decoder",
    parameters="c_in, c_out",
    minutes=20,
    difficulty="medium",
    aspects=(
        Aspect(PARTS, 1),
        Aspect(VALUES, 2),
        Aspect(FITTING, 1),
        Aspect(TRAINING, 1),
        Aspect(GRADIENTS, 1),
    ),
    cases=_segnet_cases,
    oracles={"PyTorch": torch_segnet},
    explain=_explain(
        ["conv.weight", "norm.weight", "norm.bias"],
        "The values go to where their indices say, and all else is 0; then `conv`, `norm` and a "
        "ReLU follow.",
    ),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_driver,
    misconceptions=(
        _wrong_segnet(
            "switches-ignored",
            "All values go to the top left",
            "Every value is put at the top left of its window, wherever it came from. The switches "
            "say where the encoder found it.",
            f"{SEGNET}#segnet-decoder",
            unpool=_at_top_left,
        ),
        _wrong_segnet(
            "values-repeated",
            "All values are repeated",
            "Every value fills its whole window. Unpooling puts it at one place, where the encoder "
            "found it, and the rest stays 0.",
            f"{SEGNET}#segnet-decoder",
            unpool=_repeated,
        ),
        _wrong_segnet(
            "size-guessed",
            "The size is guessed",
            "The unpooled map is twice as large as what comes in, whatever `size` says. Where the "
            "encoder's map had an odd size, the switches count in other rows.",
            "book/unpooling#lost-sizes",
            sized=False,
        ),
        _wrong_segnet(
            "convolved-first",
            "The convolution stands in front",
            "The map is convolved while it is small, and unpooled then. A SegNet unpools first: it "
            "is the convolution that fills in between the values.",
            f"{SEGNET}#segnet-decoder",
            conv_first=True,
        ),
        _wrong_segnet(
            "relu-before-the-norm",
            "The ReLU stands in front of the normalisation",
            "The numbers are rectified and normalised then, so negative ones come out. Normalise "
            "first.",
            f"{SEGNET}#segnet-decoder",
            order="relu norm",
        ),
        _wrong_segnet(
            "no-relu",
            "The ReLU is missing",
            "What the normalisation gives is returned as it is. A ReLU follows.",
            f"{SEGNET}#segnet-decoder",
            order="norm",
        ),
        _wrong_segnet(
            "norm-not-used",
            "The normalisation is not used",
            "The layer `norm` is there, but nothing goes through it. No gradient reaches its "
            "parameters either.",
            f"{SEGNET}#segnet-decoder",
            order="relu",
        ),
        _wrong_segnet(
            "norm-first",
            "Normalised twice",
            "The numbers go through the normalisation before the ReLU and once more behind it.",
            f"{SEGNET}#segnet-decoder",
            order="norm relu norm",
        ),
        _wrong_segnet(
            "convolution-with-bias",
            "The convolution has a bias",
            "The convolution has a bias, which the normalisation takes away again. It has one of "
            "its own.",
            f"{SEGNET}#segnet-decoder",
            bias=True,
        ),
        _wrong_segnet(
            "keras-epsilon",
            "The normalisation adds Keras' epsilon",
            "The normalisation adds 0.001 to the variance, as Keras does. PyTorch adds 0.00001, "
            "and that is asked for.",
            f"{SEGNET}#segnet-decoder",
            eps=1e-3,
        ),
        _wrong_segnet(
            "always-this-batch",
            "It always normalises by this batch",
            "In evaluation, too, mean and variance are those of the batch, so one image's result "
            "depends on the others. There the running ones are used.",
            f"{SEGNET}#segnet-decoder",
            statistics="batch",
        ),
        _wrong_segnet(
            "always-the-running-statistics",
            "It never normalises by the batch",
            "In training, too, the running mean and variance are used. There the batch's own are.",
            f"{SEGNET}#segnet-decoder",
            statistics="running",
        ),
        _wrong_segnet(
            "unpadded",
            "The convolution is not padded",
            "The convolution makes the map smaller by two rows and columns. It keeps the size.",
            f"{SEGNET}#segnet-decoder",
            padding=False,
        ),
    ),
)


# -- ESPCN -------------------------------------------------------------------------------------


def _blocks_first(x, r):
    """Shuffle with TensorFlow's order of channels."""
    n, c, h, w = x.shape
    x = x.reshape(n, r, r, c // r**2, h, w)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(n, c // r**2, r * h, r * w)


def _rows_for_columns(x, r):
    n, c, h, w = x.shape
    x = x.reshape(n, c // r**2, r, r, h, w)
    return x.permute(0, 1, 4, 3, 5, 2).reshape(n, c // r**2, r * h, r * w)


def _reshaped(x, r):
    n, c, h, w = x.shape
    return x.reshape(n, c // r**2, r * h, r * w)


def _espcn(
    factor, channels, width, *, shuffle=None, activation=None, last=None, after=None, end=None,
    start="icnr", second=True, sizes=(5, 3, 3), narrow=True,
):  # fmt: skip
    """Return an ESPCN; the misconceptions bend it."""
    import torch

    F = _functional()
    shuffle, activation = shuffle or F.pixel_shuffle, activation or F.relu
    last, end = last or (lambda x: x), end or (lambda z, x: z)

    def forward(net, x):
        z = activation(net.first(x))
        z = net.second(z)
        z = last(net.third(activation(z) if second else z))
        return end(shuffle(z, factor), x)

    half = width // 2 if narrow else width
    net = _network(
        forward,
        first=_convolution(channels, width, sizes[0]),
        second=_convolution(width, half, sizes[1]),
        third=_convolution(half, channels * factor**2, sizes[2]),
    )
    r = factor**2
    with torch.no_grad():
        w, b = net.third.weight, net.third.bias
        # Numbers that all differ, so that it shows which are equal by design.
        w.copy_(torch.arange(1.0, w.numel() + 1).reshape(w.shape))
        b.copy_(torch.arange(1.0, b.numel() + 1))
        if start == "tiled":
            w.copy_(w[: len(w) // r].repeat(r, 1, 1, 1))
            b.copy_(b[: len(b) // r].repeat(r))
        elif start:
            w.copy_(w[::r].repeat_interleave(r, 0))
        if start == "icnr":
            b.zero_()
    return net


ESPCN_LAYERS = ("first", "second", "third")


def torch_espcn(*settings, **rest):
    """Return what PyTorch's layers make of it, put together as the exercise says."""
    return _driver(_espcn, *settings, **rest)


def _espcn_cases(rng) -> Iterator[Case]:
    names = dict.fromkeys(ESPCN_LAYERS, 1)

    def seeds():
        return {name: between(rng, 1, 999) for name in ESPCN_LAYERS} | {"drawn": True}

    def drawn(aspect, settings, hw=None, n=1, **more):
        h, w = hw or (between(rng, 1, 3), between(rng, 2, 4))
        x = whole_numbers(rng, n, settings[1], h, w)
        return Case(aspect, settings, {"x": x} | seeds() | more)

    def blocks(settings):
        about = {"about": "blocks third", "size": settings[0] ** 2}
        return Case(START, settings, names | about)

    yield Case(
        PARTS, (2, 1, 2), names | {"about": "parameters"}, visible=True, expected=[52, 19, 40, 111]
    )
    x = np.array([[[[2.0]]]])
    yield Case(
        VALUES, (2, 1, 2), {"x": x} | names, visible=True, expected=np.full((1, 1, 2, 2), 8.0)
    )
    two = np.array([[[[1.0]], [[2]]]])
    yield Case(
        SEVERAL, (1, 2, 2), {"x": two} | names, visible=True,
        expected=np.full((1, 2, 1, 1), 10.0),
    )  # fmt: skip
    yield Case(
        START, (2, 1, 2), names | {"about": "blocks third", "size": 4}, visible=True,
        expected=np.zeros((2, 4), int),
    )  # fmt: skip
    yield Case(
        GRADIENTS, (2, 1, 2), {"x": x} | names | {"about": "gradients"}, visible=True,
        expected=torch_espcn(2, 1, 2, x=x, **names, about="gradients"),
    )  # fmt: skip
    for _ in range(6):
        settings = between(rng, 1, 4), between(rng, 1, 3), 2 * between(rng, 1, 6)
        yield Case(PARTS, settings, names | {"about": "parameters"})
    for factor in (1, 2, 2, 3, 3, 4):
        yield drawn(VALUES, (factor, 1, 4), n=between(rng, 1, 2))
    yield drawn(VALUES, (2, 1, 6), (3, 3))
    for factor in (2, 2, 3, 3):
        yield drawn(SEVERAL, (factor, between(rng, 2, 3), 4), n=between(rng, 1, 2))
    yield drawn(SEVERAL, (2, 2, 4), (2, 3))
    yield drawn(SEVERAL, (2, 3, 2), (3, 2))
    for settings in ((2, 1, 4), (2, 2, 4), (3, 1, 2), (3, 2, 6), (2, 3, 2), (1, 2, 4)):
        yield blocks(settings)
    for factor in (2, 2, 3, 3, 1):
        yield drawn(GRADIENTS, (factor, between(rng, 1, 2), 4), about="gradients")
    yield drawn(GRADIENTS, (2, 2, 4), (3, 3), about="gradients")


def _wrong_espcn(name, title, message, section, **bent):
    return Misconception(name, title, message, section, partial(_espcn, **bent))


ESPCN = Spec(
    name="ESPCN",
    title="ESPCN",
    summary="Three convolutions on the small image, then a pixel shuffle.",
    chapter=f"{SUPER}#espcn",
    parameters="factor, channels, width",
    minutes=20,
    difficulty="easy",
    aspects=(
        Aspect(PARTS, 1),
        Aspect(VALUES, 2),
        Aspect(SEVERAL, 1),
        Aspect(START, 1),
        Aspect(GRADIENTS, 1),
    ),
    cases=_espcn_cases,
    oracles={"PyTorch": torch_espcn},
    explain=_explain(
        [f"{name}.{kind}" for name in ESPCN_LAYERS for kind in ("weight", "bias")],
        "`first` and `second` are followed by a ReLU, `third` by the pixel shuffle alone.",
    ),
    rules=Rules(libraries=("numpy", "torch"), seconds=20.0),
    driver=_driver,
    misconceptions=(
        _wrong_espcn(
            "relu-at-the-end",
            "A ReLU at the end",
            "The last convolution has a ReLU, too. Its numbers are pixels and may be anything; a "
            "pixel that is negative by mistake could never learn.",
            f"{SUPER}#espcn",
            last=lambda x: x.relu(),
        ),
        _wrong_espcn(
            "clamped",
            "The pixels are clamped",
            "The result is cut off below 0 and above 1. Cut off pictures, not what is trained: no "
            "gradient comes back from there.",
            f"{SUPER}#espcn",
            end=lambda z, x: z.clamp(0, 1),
        ),
        _wrong_espcn(
            "no-relu-in-between",
            "No ReLU behind the second convolution",
            "Nothing stands between the second convolution and the third, so together they are no "
            "more than one larger convolution.",
            f"{SUPER}#espcn",
            second=False,
        ),
        _wrong_espcn(
            "tanh",
            "tanh in place of ReLU",
            "The first two convolutions are followed by tanh, as in the paper. Here it is a ReLU.",
            f"{SUPER}#espcn",
            activation=lambda x: x.tanh(),
        ),
        _wrong_espcn(
            "tensorflow-order",
            "The channels are read in TensorFlow's order",
            "The channels of one block are taken from far apart, as `tf.nn.depth_to_space` does. "
            "In PyTorch's order they stand side by side.",
            f"{SPACE}#channel-orders",
            shuffle=_blocks_first,
        ),
        _wrong_espcn(
            "rows-for-columns",
            "Rows and columns of a block are exchanged",
            "Each block comes out mirrored along its diagonal. The second channel of a block is "
            "its top right.",
            f"{SPACE}#pixel-shuffle",
            shuffle=_rows_for_columns,
        ),
        _wrong_espcn(
            "reshaped",
            "The channels are only reshaped",
            "The shape is right, but `reshape` keeps the numbers in the order in which they lie. "
            "The channels of a pixel have to come to lie beside each other.",
            f"{SPACE}#pixel-shuffle",
            shuffle=_reshaped,
        ),
        _wrong_espcn(
            "image-added",
            "The enlarged image is added",
            "The small image is enlarged and added to the result, as in later networks. An ESPCN "
            "makes all of its pixels itself.",
            f"{SUPER}#espcn",
            end=lambda z, x: z + _resized(x, z.shape[2:]),
        ),
        _wrong_espcn(
            "first-kernel-small",
            "The first kernel is 3 × 3",
            "All kernels are 3 × 3. The first is 5 × 5.",
            f"{SUPER}#espcn",
            sizes=(3, 3, 3),
        ),
        _wrong_espcn(
            "width-not-halved",
            "The second convolution keeps the width",
            "The second convolution gives out as many channels as come in. Asked is half as many.",
            f"{SUPER}#espcn",
            narrow=False,
        ),
        _wrong_espcn(
            "begins-at-random",
            "The last convolution begins at random",
            "The kernels of the last convolution are all different at the start, so the image "
            "begins with a pattern. ICNR makes those of one block equal.",
            f"{CHECKER}#icnr",
            start=None,
        ),
        _wrong_espcn(
            "icnr-in-the-wrong-order",
            "The wrong kernels are equal",
            "At the start, kernels are equal that go to different channels. In PyTorch's order "
            "those of one block stand side by side.",
            f"{CHECKER}#icnr",
            start="tiled",
        ),
        _wrong_espcn(
            "bias-at-random",
            "The biases begin at random",
            "The kernels of a block are equal at the start, but its biases are not: each pixel of "
            "a block is shifted by another number, and that is a pattern as well.",
            f"{CHECKER}#icnr",
            start="weights",
        ),
    ),
)

# -- the same in Keras ---------------------------------------------------------------------------


def _keras_driver(fn, *settings, about=None, size=None, drawn=False, **rest):
    """Build a Keras layer and look at it, as `_driver` does at PyTorch's.

    A kernel is drawn with PyTorch's axes and then turned into Keras' order. Meanwhile TensorFlow's
    native code may write to nowhere only: nbgrader gives a test cell with stderr no points.
    """
    import os

    import numpy as np

    from autograde.calling import NotAsked

    def values(number, j, shape):
        if not drawn:
            return np.full(shape, float(number))
        rng, axes = np.random.default_rng([number, j]), len(shape)
        shape = [shape[a] for a in (3, 2, 0, 1)] if axes == 4 else shape
        taps = rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)
        taps = abs(taps) / 4 if j == 3 else taps
        return taps.transpose(2, 3, 1, 0) if axes == 4 else taps

    def run():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        try:  # Keras tries initializers that failed again, and would make no weights of this layer
            with tf.keras.StatelessScope():
                pass
        except Exception:
            tf.keras.utils.clear_session(free_memory=False)  # forgets them
        net, what = fn(*settings), (about or "").partition(" ")
        if not isinstance(net, tf.keras.layers.Layer):
            raise NotAsked(f"is no Keras layer, but made a {type(net).__name__}.")
        inputs = [
            tf.constant(v, tf.float32 if v.dtype.kind == "f" else tf.int64)
            for v in rest.values()
            if isinstance(v, np.ndarray)
        ]
        # Keras takes nothing but tensors by position.
        how = {} if size is None or what[0] == "blocks" else {"size": tuple(size)}
        numbers = {name: v for name, v in rest.items() if not isinstance(v, np.ndarray)}
        for name in numbers:
            if not isinstance(getattr(net, name, None), tf.keras.layers.Layer):
                names = ", ".join(f"`{n}`" for n in numbers)
                raise NotAsked(
                    f"has no layer called `{name}`. The layers are to be called {names}."
                )
        layers = {name: getattr(net, name) for name in numbers}
        net(*inputs, **how)  # Keras makes the weights when it sees what comes in
        parameters = [w for layer in layers.values() for w in layer.trainable_weights]
        if what[0] == "parameters":
            counts = [layer.trainable_weights for layer in layers.values()]
            counts.append(net.trainable_weights)
            return np.array([sum(int(np.prod(w.shape)) for w in ws) for ws in counts])
        if what[0] == "start":
            return layers[what[2]].get_weights()[0]
        if what[0] == "blocks":
            found = []
            for weight in layers[what[2]].get_weights():
                blocks = weight.reshape(-1, size, weight.shape[-1] // size)
                found.append((blocks != blocks[:, :1]).any(0).ravel())
            return np.array(found).astype(int)
        for name, layer in layers.items():
            new = [values(numbers[name], j, w.shape) for j, w in enumerate(layer.weights)]
            layer.set_weights(new)
        with tf.GradientTape() as tape:
            z = net(*inputs, **how, training=what[0] == "training")
            if not isinstance(z, tf.Tensor):
                raise NotAsked(f"gave {type(z).__name__}, not a tensor.")
            n, h, w, c = z.shape
            places = tf.reshape(
                tf.range(1, tf.size(z) + 1), (n, c, h, w)
            )  # counted as PyTorch does
            places = tf.transpose(places, (0, 2, 3, 1))
            weighted = tf.reduce_sum(z * tf.cast(places, z.dtype))
        if what[0] != "gradients":
            return z.numpy()
        found = tape.gradient(weighted, [w.value for w in parameters])
        sums = [0.0 if g is None else float(tf.reduce_sum(g)) for g in found]
        return np.array(sums, np.float32)  # rounded as Keras rounds

    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        return run()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _keras_network(forward, **parts):
    """Return a Keras layer of these parts, whose `call` hands it to `forward` first."""

    class Network(tensorflow().keras.layers.Layer):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def build(self, *shapes, **more):
            self.built = True  # its parts build themselves

        def call(self, *inputs, size=None):
            return forward(self, *inputs, *([] if size is None else [size]))

    return Network()


def _through_the_batch(indices, hw):
    """Return PyTorch's switches (N, C, h, w) as TensorFlow counts them, channels and batch too."""
    n, c = indices.shape[:2]
    image, channel = np.arange(n).reshape(-1, 1, 1, 1), np.arange(c).reshape(-1, 1, 1)
    return (image * hw[0] * hw[1] + indices) * c + channel


def _in_keras(cases, build):
    """Return the cases of the exercise in PyTorch with the channels last.

    Keras needs inputs to make the weights of: `build(*settings)` where a case has none.
    """

    def last(array, about=None):
        array = np.asarray(array)
        if array.ndim != 4:
            return array
        if (about or "").startswith("start"):
            return array.transpose(2, 3, 1, 0)
        return np.ascontiguousarray(np.moveaxis(array, 1, -1))

    def moved(rng):
        for case in cases(rng):
            kwargs = dict(case.kwargs)
            if not any(isinstance(v, np.ndarray) for v in kwargs.values()):
                kwargs = build(*case.args) | kwargs
            if "indices" in kwargs:
                kwargs["indices"] = _through_the_batch(kwargs["indices"], kwargs["size"])
            kwargs = {k: last(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
            expected = case.expected
            if expected is not None:
                expected = last(expected, kwargs.get("about"))
            yield Case(case.aspect, case.args, kwargs, case.visible, expected)

    return moved


def _last_cut(x, hw, *, front=False, middle=False):
    """Crop to height and width: at the end, or in front, or at both ends."""
    spare = [int(n) - int(m) for n, m in zip(x.shape[1:3], hw, strict=True)]
    spare = [n if front else n // 2 if middle else 0 for n in spare]
    return x[:, spare[0] : spare[0] + hw[0], spare[1] : spare[1] + hw[1]]


def _last_resized(x, hw):
    return tensorflow().image.resize(x, tuple(hw))


def _keras_bilinear(channels, factor, *, times=2, bias=False, full=False, fill=None):
    """Return a transposed convolution that begins bilinear; the misconceptions bend it."""
    k = times * factor
    stamp = _tent(k, factor) if fill is None else fill(k, factor)
    diagonal = np.ones((channels, channels)) if full else np.eye(channels)
    kernel = stamp[:, :, None, None] * diagonal
    return tensorflow().keras.layers.Conv2DTranspose(
        channels, k, factor, "same", use_bias=bias,
        kernel_initializer=lambda shape, dtype=None: tensorflow().constant(kernel, "float32"),
    )  # fmt: skip


def _keras_fcn(
    c3, c4, c5, classes, *, cut=_last_cut, join=None, last=_last_cut, score_bias=True,
    activation=None, pool3=True, **enlarge,
):  # fmt: skip
    """Return the head of an FCN-8s; the misconceptions bend it."""
    layers = tensorflow().keras.layers
    join = join or (lambda up, skip: up + skip)
    activation = activation or (lambda x: x)

    def forward(net, pool3_, pool4, pool5, size):
        scores = activation(net.score5(pool5))
        skip = activation(net.score4(pool4))
        scores = join(cut(net.twice5(scores), skip.shape[1:3]), skip)
        skip = activation(net.score3(pool3_))
        scores = cut(net.twice4(scores), skip.shape[1:3])
        scores = join(scores, skip) if pool3 else scores
        return last(net.last(scores), size)

    return _keras_network(
        forward,
        score5=layers.Conv2D(classes, 1, use_bias=score_bias),
        score4=layers.Conv2D(classes, 1, use_bias=score_bias),
        score3=layers.Conv2D(classes, 1, use_bias=score_bias),
        twice5=_keras_bilinear(classes, 2, **enlarge),
        twice4=_keras_bilinear(classes, 2, **enlarge),
        last=_keras_bilinear(classes, 8, **enlarge),
    )


def _keras_unet(
    c_in, c_skip, c_out, *, cut=_last_cut, skip_first=True, bias=True, first=True, second=True
):  # fmt: skip
    """Return a block of a U-Net; the misconceptions bend it."""
    tf = tensorflow()
    layers = tf.keras.layers

    def forward(net, x, skip):
        x = cut(net.up(x), skip.shape[1:3])
        x = net.first(tf.concat([skip, x] if skip_first else [x, skip], -1))
        x = net.second(tf.nn.relu(x) if first else x)
        return tf.nn.relu(x) if second else x

    return _keras_network(
        forward,
        up=layers.Conv2DTranspose(c_out, 2, 2, use_bias=bias),
        first=layers.Conv2D(c_out, 3, padding="same", use_bias=bias),
        second=layers.Conv2D(c_out, 3, padding="same", use_bias=bias),
    )


def _bent(spec, build, **bends):
    """Return those misconceptions of a spec in PyTorch that have a bend here, in Keras."""
    return tuple(
        replace(m, fn=partial(build, **bends[m.name.replace("-", "_")]))
        for m in spec.misconceptions
        if m.name.replace("-", "_") in bends
    )


def _as_torch(oracle):
    """Return PyTorch's answer to a case with the channels last."""

    def answer(*settings, **rest):
        rest = {
            k: np.ascontiguousarray(np.moveaxis(v, -1, 1)) if isinstance(v, np.ndarray) else v
            for k, v in rest.items()
        }
        if "indices" in rest:  # each counts within its channel
            h, w = rest["size"]
            rest["indices"] = rest["indices"] // rest["indices"].shape[1] % (h * w)
        result = oracle(*settings, **rest)
        if result.ndim != 4:
            return result
        if (rest.get("about") or "").startswith("start"):
            return result.transpose(2, 3, 1, 0)
        return np.moveaxis(result, 1, -1)

    return answer


KERAS = Rules(libraries=("numpy", "tensorflow"), seconds=20.0)


def _keras(spec, network, torch_oracle, inputs, **own):
    """Return the spec of an exercise in PyTorch once more for Keras, where it is `network`.

    `inputs(*settings)` makes what goes in where only the layers are looked at.
    """
    return replace(
        spec,
        name=f"{spec.name}Keras",
        cases=_in_keras(spec.cases, inputs),
        oracles={
            "PyTorch": _as_torch(torch_oracle),
            "TensorFlow": partial(_keras_driver, network),
        },
        rules=KERAS,
        driver=_keras_driver,
        **own,
    )


FCN8S_KERAS = _keras(
    FCN8S,
    _keras_fcn,
    torch_fcn,
    lambda c3, c4, c5, classes: {
        "pool3": np.zeros((1, c3, 1, 1)),
        "pool4": np.zeros((1, c4, 1, 1)),
        "pool5": np.zeros((1, c5, 1, 1)),
        "size": (1, 1),
    },
    title="The head of an FCN-8s in Keras",
    summary="The FCN's head as a Keras layer.",
    minutes=20,
    misconceptions=_bent(
        FCN8S,
        _keras_fcn,
        cropped_in_front={
            "cut": partial(_last_cut, front=True),
            "last": partial(_last_cut, front=True),
        },
        cropped_in_the_middle={
            "cut": partial(_last_cut, middle=True),
            "last": partial(_last_cut, middle=True),
        },
        result_not_cropped={"last": lambda x, size: x},
        resized_to_fit={"cut": _last_resized, "last": _last_resized},
        scores_averaged={"join": lambda up, skip: (up + skip) / 2},
        pool3_left_out={"pool3": False},
        relu_on_the_scores={"activation": lambda x: tensorflow().nn.relu(x)},
        scores_without_bias={"score_bias": False},
        enlargement_with_bias={"bias": True},
        kernel_like_the_stride={"times": 1},
        classes_mixed={"full": True},
        sums_to_one={"fill": lambda k, factor: _tent(k, factor, scale=1 / factor**2)},
        begins_with_zeros={"fill": lambda k, factor: np.zeros((k, k))},
    ),
)


UNET_UP_KERAS = _keras(
    UNET_UP,
    _keras_unet,
    torch_unet,
    lambda c_in, c_skip, c_out: {
        "x": np.zeros((1, c_in, 1, 1)),
        "skip": np.zeros((1, c_skip, 2, 2)),
    },
    title="The step upwards in Keras",
    summary="The U-Net's step as a Keras layer.",
    minutes=15,
    misconceptions=_bent(
        UNET_UP,
        _keras_unet,
        skip_behind={"skip_first": False},
        no_relu_at_the_end={"second": False},
        no_relu_in_between={"first": False},
        cropped_in_front={"cut": partial(_last_cut, front=True)},
        resized_to_fit={"cut": _last_resized},
        without_bias={"bias": False},
    ),
)


def _scattered(x, indices, size):
    """Unpool: every value goes to the place that its switch counts to, through the batch."""
    tf = tensorflow()
    n, _, _, c = x.shape
    shape = n, *size, c
    places = tf.reshape(indices, (-1, 1))
    return tf.reshape(tf.scatter_nd(places, tf.reshape(x, [-1]), [np.prod(shape)]), shape)


def _in_the_first_image(x, indices, size):
    return _scattered(x, indices % (size[0] * size[1] * x.shape[3]), size)


def _twice_as_large(x, indices, size):
    return _scattered(x, indices, (2 * x.shape[1], 2 * x.shape[2]))


def _last_at_top_left(x, indices, size):
    tf = tensorflow()
    nails = np.zeros((2, 2))
    nails[0, 0] = 1
    z = tf.einsum("nijc,ab->niajbc", x, tf.constant(nails, x.dtype))
    n, h, _, w, _, c = z.shape
    return tf.reshape(z, (n, 2 * h, 2 * w, c))[:, : size[0], : size[1]]


def _last_repeated(x, indices, size):
    tf = tensorflow()
    return tf.repeat(tf.repeat(x, 2, 1), 2, 2)[:, : size[0], : size[1]]


def _keras_segnet(
    c_in, c_out, *, unpool=_scattered, conv_first=False, order="norm relu", bias=False,
    padding="same", eps=1e-5, training=None,
):  # fmt: skip
    """Return a block of a SegNet's decoder; the misconceptions bend it."""
    tf = tensorflow()
    how = {} if training is None else {"training": training}

    def forward(net, x, indices, size):
        x = unpool(net.conv(x), indices, size) if conv_first else net.conv(unpool(x, indices, size))
        for step in order.split():
            x = net.norm(x, **how) if step == "norm" else tf.nn.relu(x)
        return x

    return _keras_network(
        forward,
        conv=tf.keras.layers.Conv2D(c_out, 3, padding=padding, use_bias=bias),
        norm=tf.keras.layers.BatchNormalization(epsilon=eps),
    )


SEGNET_BLOCK_KERAS = _keras(
    SEGNET_BLOCK,
    _keras_segnet,
    torch_segnet,
    lambda c_in, c_out: {
        "x": np.zeros((1, c_in, 1, 1)),
        "indices": np.zeros((1, c_in, 1, 1), np.int64),
        "size": (2, 2),
    },
    title="The SegNet's step in Keras",
    summary="The SegNet's step as a Keras layer, with TensorFlow's switches.",
    minutes=20,
    misconceptions=(
        *_bent(
            SEGNET_BLOCK,
            _keras_segnet,
            switches_ignored={"unpool": _last_at_top_left},
            values_repeated={"unpool": _last_repeated},
            size_guessed={"unpool": _twice_as_large},
            convolved_first={"conv_first": True},
            relu_before_the_norm={"order": "relu norm"},
            no_relu={"order": "norm"},
            norm_not_used={"order": "relu"},
            norm_first={"order": "norm relu norm"},
            convolution_with_bias={"bias": True},
            keras_epsilon={"eps": 1e-3},
            always_this_batch={"training": True},
            always_the_running_statistics={"training": False},
            unpadded={"padding": "valid"},
        ),
        Misconception(
            "all-in-the-first-image",
            "All images land in the first one",
            "The switches are taken as if they counted within one image, so the values of the "
            "whole batch are put into the first. They count through the batch.",
            "book/unpooling#tf-unpooling",
            partial(_keras_segnet, unpool=_in_the_first_image),
        ),
    ),
)


def _keras_espcn(
    factor, channels, width, *, shuffle=None, last=None, end=None, start="icnr", second=True,
    narrow=True,
):  # fmt: skip
    """Return an ESPCN; the misconceptions bend it."""
    tf = tensorflow()
    layers, r = tf.keras.layers, factor**2
    shuffle = shuffle or (lambda x: tf.nn.depth_to_space(x, factor) if factor > 1 else x)
    last, end = last or (lambda x: x), end or (lambda z, x: z)

    def kernel(shape, dtype=None):
        out = shape[-1]
        # Numbers that all differ, so that it shows which are equal by design.
        drawn = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
        if start == "icnr":
            drawn = np.tile(drawn[..., : out // r], r)
        elif start == "repeated":
            drawn = np.repeat(drawn[..., : out // r], r, -1)
        return tf.constant(drawn, tf.float32)

    def forward(net, x):
        z = net.second(tf.nn.relu(net.first(x)))
        z = net.third(tf.nn.relu(z) if second else z)
        return end(shuffle(last(z)), x)

    half = width // 2 if narrow else width
    return _keras_network(
        forward,
        first=layers.Conv2D(width, 5, padding="same"),
        second=layers.Conv2D(half, 3, padding="same"),
        third=layers.Conv2D(channels * r, 3, padding="same", kernel_initializer=kernel),
    )


def _torch_shuffle_of_tf(x, r):
    """Shuffle channels-last images with PyTorch's order of channels."""
    tf = tensorflow()
    n, h, w, c = x.shape
    x = tf.reshape(x, (n, h, w, c // r**2, r, r))
    return tf.reshape(tf.transpose(x, (0, 1, 4, 2, 5, 3)), (n, r * h, r * w, c // r**2))


def _keras_espcn_with(bend):
    """Return a builder whose bend has to know the factor."""

    def build(factor, channels, width):
        return _keras_espcn(factor, channels, width, **bend(factor))

    return build


ESPCN_KERAS = _keras(
    ESPCN,
    _keras_espcn,
    partial(_driver, partial(_espcn, shuffle=_blocks_first)),
    lambda factor, channels, width: {"x": np.zeros((1, channels, 1, 1))},
    title="ESPCN in Keras",
    summary="The same network as a Keras layer, in TensorFlow's order of channels.",
    minutes=15,
    misconceptions=(
        *_bent(
            ESPCN,
            _keras_espcn,
            relu_at_the_end={"last": lambda x: tensorflow().nn.relu(x)},
            no_relu_in_between={"second": False},
            image_added={"end": lambda z, x: z + _last_resized(x, z.shape[1:3])},
            width_not_halved={"narrow": False},
            begins_at_random={"start": None},
        ),
        Misconception(
            "pytorch-order",
            "The channels are read in PyTorch's order",
            "The channels of one block are taken from side by side, as `F.pixel_shuffle` does. In "
            "TensorFlow's order they stand far apart.",
            f"{SPACE}#channel-orders",
            _keras_espcn_with(lambda r: {"shuffle": lambda x: _torch_shuffle_of_tf(x, r)}),
        ),
        Misconception(
            "icnr-in-pytorchs-order",
            "The wrong kernels are equal",
            "At the start, neighbouring kernels are equal, as they have to be in PyTorch. In "
            "TensorFlow's order neighbours go to different channels.",
            f"{SPACE}#channel-orders",
            partial(_keras_espcn, start="repeated"),
        ),
    ),
)


# -- predict first ---------------------------------------------------------------------------


def _unet_parameters():
    return sum(p.numel() for p in _unet(64, 32, 32).parameters())


PREDICT = Spec(
    name="predict_parameters",
    title="Predict first: how much is there to learn?",
    summary="Count on paper the parameters of a step upwards.",
    chapter=f"{UNET}#up-block",
    parameters="",
    minutes=5,
    difficulty="easy",
    aspects=(Aspect("answer", 1),),
    cases=lambda rng: iter([Case("answer", ())]),
    oracles={"PyTorch": _unet_parameters, "TensorFlow": lambda: tf_parameters()},
    misconceptions=tuple(
        Misconception(name, title, message, f"{UNET}#up-block", partial(float, answer))
        for name, title, message, answer in (
            (
                "biases-forgotten",
                "The biases are forgotten",
                "These are the taps. Each layer has a bias for every channel that it gives out.",
                35840,
            ),
            (
                "skip-forgotten",
                "The skip's channels are forgotten",
                "The first convolution is counted as if it got the enlarged map alone. The skip's "
                "channels stand beside it.",
                26720,
            ),
            (
                "input-not-narrowed",
                "The enlarged map is taken to keep its channels",
                "The first convolution is counted with the channels that come in from below. The "
                "enlargement has already made them fewer.",
                45152,
            ),
            (
                "one-convolution",
                "Only one convolution is counted",
                "One of the two convolutions is missing.",
                26688,
            ),
            (
                "enlargement-forgotten",
                "The enlargement is not counted",
                "These are the two convolutions. A transposed convolution has taps to learn, too.",
                27712,
            ),
            (
                "one-kernel-for-all",
                "The channels that come in are not counted",
                "Each layer is counted with one kernel for every channel that it gives out. There "
                "is one for every pair of channels.",
                800,
            ),
        )
    ),
)


def tf_parameters():
    """Return how many parameters Keras' layers of this block have."""
    layers = tensorflow().keras.layers
    up, first, second = layers.Conv2DTranspose(32, 2, 2), *(layers.Conv2D(32, 3) for _ in "ab")
    for layer, channels in ((up, 64), (first, 64), (second, 32)):
        layer.build((None, 4, 4, channels))
    return sum(layer.count_params() for layer in (up, first, second))


SPECS = (
    PREDICT,
    FCN8S,
    UNET_UP,
    SEGNET_BLOCK,
    ESPCN,
    FCN8S_KERAS,
    UNET_UP_KERAS,
    SEGNET_BLOCK_KERAS,
    ESPCN_KERAS,
)
