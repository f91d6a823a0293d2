"""Networks that double a photograph's height and width, for the chapter on super-resolution.

Images are grey, from 0 to 1, and a batch is (N, 1, H, W). Each network adds what it has learned
to a bicubic enlargement. `superresolution_keras` builds the same networks in Keras.
"""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from skimage import color, data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.flop_counter import FlopCounterMode

TRAINING = ("astronaut", "motorcycle", "rocket", "brick", "gravel", "hubble_deep_field")
TEST = ("camera", "cat", "coffee", "immunohistochemistry")
BORDER = 8
"""Pixels at each side that no measure looks at: there a network sees its padding."""


# Photographs


@cache
def photograph(name):
    """Return a photograph of scikit-image in grey: (1, 1, H, W), with H and W even.

    `name` is a function of `skimage.data`, or "motorcycle" for the left one of a pair.
    """
    image = colour_photograph(name)
    grey = color.rgb2gray(image) if image.ndim == 3 else image
    return torch.tensor(grey).float()[None, None]


def colour_photograph(name):
    """Return a photograph as it is, from 0 to 1: (H, W) or (H, W, 3), with H and W even."""
    image = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    height, width = (n - n % 2 for n in image.shape[:2])
    return image[:height, :width] / 255


def shrink(image):
    """Halve the height and width, without aliasing."""
    return F.interpolate(
        image,
        scale_factor=0.5,
        mode="bicubic",
        antialias=True,
    )


def enlarge(image):
    """Double the height and width. The cubic has a = -0.5."""
    return F.interpolate(
        image,
        scale_factor=2,
        mode="bicubic",
        antialias=True,
    )


# Networks in PyTorch


class Residual(nn.Module):
    """Add what `layers` make of an image to its bicubic enlargement.

    With `enlarge_first` the layers get the enlarged image, else the small one.
    """

    def __init__(self, *layers, enlarge_first=False):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.enlarge_first = enlarge_first

    def forward(self, x):
        large = enlarge(x)
        given = large if self.enlarge_first else x
        return large + self.layers(given)


def srcnn():
    """Enlarge first, then three convolutions."""
    return Residual(
        nn.Conv2d(1, 32, 9, padding=4),
        nn.ReLU(),
        nn.Conv2d(32, 16, 1),
        nn.ReLU(),
        nn.Conv2d(16, 1, 5, padding=2),
        enlarge_first=True,
    )


def fsrcnn():
    """Five small convolutions, then a transposed one."""
    return Residual(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 8, 1),  # fewer channels
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 32, 1),  # and more again
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 9, 2, padding=4, output_padding=1),
    )


def espcn(channels=1):
    """Three convolutions, then a pixel shuffle."""
    return Residual(
        nn.Conv2d(channels, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 4 * channels, 3, padding=1),
        nn.PixelShuffle(2),
    )


# Training and measuring


def pieces(rng, count=16, size=48, given=None):
    """Cut `count` squares out of the training photographs, or out of those given.

    Photographs are (1, 1, H, W), the result is (count, 1, size, size).
    """
    given = given or [photograph(name) for name in TRAINING]
    found = []
    for _ in range(count):
        image = given[rng.integers(len(given))][0]
        i, j = (rng.integers(n - size + 1) for n in image.shape[1:])
        piece = image[:, i : i + size, j : j + size]
        found.append(piece.rot90(int(rng.integers(4)), (1, 2)))
    return torch.stack(found)


def train(net, seed, steps=600, rate=0.003, given=None):
    """Teach `net` to undo `shrink`; return the loss of each step."""
    rng = np.random.default_rng(seed)
    adam = torch.optim.Adam(net.parameters(), rate)
    plan = OneCycleLR(adam, rate, total_steps=steps)
    losses = []
    for _ in range(steps):
        truth = pieces(rng, given=given)
        loss = F.mse_loss(net(shrink(truth)), truth)
        adam.zero_grad()
        loss.backward()
        adam.step()
        plan.step()
        losses.append(loss.item())
    return losses


def quality(image, truth):
    """Return PSNR (in decibels) and SSIM of one image: (1, 1, H, W), or (H, W, 3) in NumPy."""
    b = BORDER
    if isinstance(image, torch.Tensor):
        image, truth = image[0, 0].numpy(), truth[0, 0].numpy()
    image = np.clip(image, 0, 1)[b:-b, b:-b]
    truth = truth[b:-b, b:-b]
    psnr = peak_signal_noise_ratio(truth, image, data_range=1)
    ssim = structural_similarity(
        truth,
        image,
        data_range=1,
        channel_axis=-1 if image.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return psnr, ssim


@torch.no_grad()
def measure(method, shrink=shrink, given=None):
    """Return the PSNR and SSIM of `method` on each test photograph, or on those given.

    The result has the shape (photographs, 2).
    """
    truths = given or [photograph(name) for name in TEST]
    return np.array([quality(method(shrink(t)), t) for t in truths])


@torch.no_grad()
def pattern(net):
    """Return how uneven plain walls become: a standard deviation, in greys of 255."""
    variances = []
    for grey in torch.linspace(0.1, 0.9, 9):
        wall = net(grey * torch.ones(1, 1, 24, 24))
        cell = wall[0, 0, 24:26, 24:26]
        variances.append(cell.var(correction=0))
    return 255 * torch.stack(variances).mean().sqrt().item()


# Where to upsample: one body, and seven places and ways


def _body():
    """Return the layers that all of them share."""
    return [
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 16, 3, padding=1),
        nn.ReLU(),
    ]


def _convolve():
    return nn.Conv2d(16, 1, 3, padding=1)


def _transposed(k):
    """Return a transposed convolution with k taps that doubles exactly."""
    padding, odd = divmod(k - 1, 2)
    return nn.ConvTranspose2d(16, 1, k, 2, padding, output_padding=1 - odd)


def _espcn_icnr():
    net = espcn()
    with torch.no_grad():
        for p in net.layers[-2].parameters():
            p.copy_(p[:1].expand_as(p))
    return net


UPSAMPLINGS = {
    "bicubic at the start": lambda: Residual(*_body(), _convolve(), enlarge_first=True),
    "nearest, convolve": lambda: Residual(*_body(), nn.Upsample(scale_factor=2), _convolve()),
    "transposed, 3 taps": lambda: Residual(*_body(), _transposed(3)),
    "transposed, 4 taps": lambda: Residual(*_body(), _transposed(4)),
    "transposed, 9 taps": lambda: Residual(*_body(), _transposed(9)),
    "pixel shuffle": espcn,
    "pixel shuffle, ICNR": _espcn_icnr,
}
"""What makes each network of the comparison, untrained."""


def multiplications(net):
    """Return how many multiplications a network's layers do for each pixel of the result."""
    with FlopCounterMode(display=False) as counter:
        pixels = net(torch.rand(1, 1, 24, 24)).numel()
    return counter.get_total_flops() / 2 / pixels


def kept(net):
    """Return how many numbers are kept for the way back, for each pixel of the result."""
    sizes = {}
    weights = {p.data_ptr() for p in net.parameters()}

    def note(tensor):
        if tensor.data_ptr() not in weights:
            sizes[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        pixels = net(torch.rand(1, 1, 24, 24)).numel()
    return sum(sizes.values()) / pixels


def compare(upsampling, seed, data=(None, None), steps=600):
    """Train one network of `UPSAMPLINGS`; return what it costs and how good it is.

    `data` are lists of photographs to learn from and to test with, other than the book's.
    """
    learn, test = data
    torch.manual_seed(seed)
    net = UPSAMPLINGS[upsampling]()
    before = pattern(net)
    train(net, seed, steps, given=learn)
    psnr, ssim = measure(net, given=test).mean(axis=0)
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "multiplications": multiplications(net),
        "kept": kept(net),
        "psnr": float(psnr),
        "ssim": float(ssim),
        "pattern before": before,
        "pattern": pattern(net),
    }


def times(rounds=60):
    """Return how long each network takes for one image: name -> seconds of every round.

    All networks get the same image in turn, on one core. The time is that of the processor, so
    that what else the machine does matters less.
    """
    x = torch.rand(1, 1, 128, 128)
    nets = {name: make() for name, make in UPSAMPLINGS.items()}
    found = {name: [] for name in nets}
    with torch.no_grad():
        for _ in range(rounds):
            for name, net in nets.items():
                start = time.process_time()
                net(x)
                found[name].append(time.process_time() - start)
    return found
