"""Networks that draw faces from a few numbers, for the chapter on generation.

Faces are grey, from 0 to 1, and a batch is (N, 1, 24, 24). Networks see and draw them minus 0.5.
`generation_keras` builds the same decoders in Keras.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from skimage import data
from torch import nn

NUMBERS = 16
"""How many numbers a face is drawn from."""
SIZE = 24


@cache
def faces():
    """Return 160 faces to learn from, 80 of them mirrored ones, and 20 others to test."""
    shown = data.lfw_subset()[:100, None, :SIZE, :SIZE]
    shown = torch.tensor(shown).float()
    learn, test = shown[:80], shown[80:]
    return torch.cat([learn, learn.flip(3)]), test


def encoder():
    """One matrix: 576 pixels to 16 numbers."""
    return nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, NUMBERS))


def decoder(double):
    """From 16 numbers to 3 x 3 pixels, then 6, 12 and 24."""
    return nn.Sequential(
        nn.Linear(NUMBERS, 32 * 3 * 3),
        nn.Unflatten(1, (32, 3, 3)),
        nn.ReLU(),
        double(32, 32),
        nn.ReLU(),
        double(32, 16),
        nn.ReLU(),
        double(16, 1),
    )


# Ways to double


def transposed_3(c_in, c_out):
    """The stride does not divide the kernel."""
    # kernel, stride, padding
    return nn.ConvTranspose2d(c_in, c_out, 3, 2, 1, output_padding=1)


def transposed_4(c_in, c_out):
    """The stride divides the kernel."""
    return nn.ConvTranspose2d(c_in, c_out, 4, 2, 1)


def nearest_convolve(c_in, c_out):
    """Repeat, then convolve."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(c_in, c_out, 3, padding=1),
    )


def shuffle(c_in, c_out):
    """Convolve to four times the channels, and shuffle."""
    return nn.Sequential(
        nn.Conv2d(c_in, 4 * c_out, 3, padding=1),
        nn.PixelShuffle(2),
    )


def shuffle_icnr(c_in, c_out):
    """The same, beginning as nearest."""
    layers = shuffle(c_in, c_out)
    with torch.no_grad():
        for p in layers.parameters():
            p.copy_(p[::4].repeat_interleave(4, 0))
    return layers


DOUBLES = {
    "transposed, 3 taps": transposed_3,
    "transposed, 4 taps": transposed_4,
    "nearest, convolve": nearest_convolve,
    "pixel shuffle": shuffle,
    "pixel shuffle, ICNR": shuffle_icnr,
}


def train(double, seed, looks=(400,), rate=0.005):
    """Train an autoencoder; yield it after the steps in `looks`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = nn.Sequential(encoder(), decoder(double))
    adam = torch.optim.Adam(net.parameters(), rate)
    learn, _ = faces()
    for step in range(max(looks) + 1):
        if step in looks:
            yield net
        some = learn[rng.permutation(len(learn))[:40]] - 0.5
        loss = F.mse_loss(net(some), some)
        adam.zero_grad()
        loss.backward()
        adam.step()


# Measures


def peak(images):
    """Return how far the wave of two pixels stands out.

    Its strength in all rows and columns of all images is divided
    by that of waves a little slower.
    """
    images = np.asarray(images)[:, 0]
    window = np.hanning(SIZE + 2)[1:-1]
    images = images - images.mean((1, 2), keepdims=True)
    waves = np.fft.fft2(images * np.outer(window, window))
    power = (abs(waves) ** 2).mean(axis=0)
    power = power.sum(axis=0) + power.sum(axis=1)
    half = SIZE // 2
    return float(np.sqrt(power[half] / power[half - 2]))


@torch.no_grad()
def pattern(draw, codes):
    """Return how uneven plain maps become: a standard deviation, in greys of 255.

    The middle pixel of each of a decoder's 3 × 3 maps is laid out over 12 × 12 pixels.
    """
    maps = draw[:3](codes)[:, :, 1:2, 1:2]
    large = draw[3:](maps.expand(-1, -1, 12, 12))
    cells = large[:, 0, 40:48, 40:48]
    return 255 * cells.var((1, 2), correction=0).mean().sqrt().item()


def error(images, truth):
    """Return the root of the mean squared error, in greys of 255."""
    return 255 * F.mse_loss(images, truth).sqrt().item()
