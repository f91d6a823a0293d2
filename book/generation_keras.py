"""The decoders of `generation` in Keras: faces are (N, 24, 24, 1), minus 0.5."""

import keras
import torch
from generation import NUMBERS
from keras import layers
from superresolution_keras import Shuffle, converted
from torch import nn


def decoder(double):
    """From 16 numbers to 3 x 3 pixels, then 6, 12 and 24."""
    return keras.Sequential([
        keras.Input((NUMBERS,)),
        layers.Dense(3 * 3 * 32),
        layers.Reshape((3, 3, 32)),
        layers.ReLU(),
        *double(32),
        layers.ReLU(),
        *double(16),
        layers.ReLU(),
        *double(1),
    ])  # fmt: skip


# Ways to double


def transposed_3(filters):
    """The stride does not divide the kernel."""
    return [
        layers.Conv2DTranspose(filters, 3, 2, "valid"),
        layers.Cropping2D(((1, 0), (1, 0))),
    ]


def transposed_4(filters):
    """The stride divides the kernel."""
    return [layers.Conv2DTranspose(filters, 4, 2, "same")]


def nearest_convolve(filters):
    """Repeat, then convolve."""
    return [
        layers.UpSampling2D(2),
        layers.Conv2D(filters, 3, padding="same"),
    ]


def shuffle(filters):
    """Convolve to four times the channels, and shuffle."""
    return [
        layers.Conv2D(4 * filters, 3, padding="same"),
        Shuffle(),
    ]


def copy_weights(net, model):
    """Copy all weights of a decoder in PyTorch to the same one in Keras."""
    # (channel, row, column) to (row, column, channel)
    order = torch.arange(32 * 9).reshape(32, 9).T.flatten()
    dense = [net[0].weight[order].T, net[0].bias[order]]
    ours = [[w.detach().numpy() for w in dense]]
    leaves = [m for m in net[1:].modules() if not [*m.children()]]
    for a, b in zip(leaves, [*leaves[1:], None], strict=True):
        if isinstance(a, (nn.Conv2d, nn.ConvTranspose2d)):
            ours.append(converted(a, isinstance(b, nn.PixelShuffle)))
    theirs = [layer for layer in model.layers if layer.weights]
    for weights, layer in zip(ours, theirs, strict=True):
        layer.set_weights(weights)
