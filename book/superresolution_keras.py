"""The networks of `superresolution` in Keras: images are (N, H, W, 1), from 0 to 1."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from torch import nn


class Enlarge(layers.Layer):
    """Double the height and width. The cubic has a = -0.5."""

    def call(self, x):
        size = 2 * tf.shape(x)[1:3]
        return tf.image.resize(x, size, "bicubic")


class Shuffle(layers.Layer):
    """Move blocks of four channels into space."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)


def residual(stack, channels=1, enlarge_first=False):
    """Add what `stack` makes of an image to its enlargement."""
    x = keras.Input((None, None, channels))
    large = Enlarge()(x)
    z = large if enlarge_first else x
    for layer in stack:
        z = layer(z)
    return keras.Model(x, large + z)


def conv(filters, size, activation="relu"):
    """Return a convolution that keeps height and width."""
    return layers.Conv2D(
        filters,
        size,
        padding="same",
        activation=activation,
    )


def srcnn():
    """Enlarge first, then three convolutions."""
    return residual(
        [conv(32, 9), conv(16, 1), conv(1, 5, None)],
        enlarge_first=True,
    )


def fsrcnn():
    """Five small convolutions, then a transposed one."""
    return residual(
        [
            conv(32, 5),
            conv(8, 1),  # fewer channels
            conv(8, 3),
            conv(8, 3),
            conv(32, 1),  # and more again
            layers.Conv2DTranspose(1, 9, 2, "valid"),
            layers.Cropping2D(((4, 3), (4, 3))),
        ]
    )


def espcn(channels=1):
    """Three convolutions, then a pixel shuffle."""
    return residual(
        [
            conv(32, 5),
            conv(16, 3),
            conv(4 * channels, 3, None),
            Shuffle(),
        ],
        channels,
    )


def converted(conv, shuffled=False):
    """Return a convolution's kernel and bias in Keras' layout.

    `shuffled` says that a pixel shuffle by 2 follows.
    """
    # (out, in, h, w) to (h, w, in, out); if transposed,
    # (in, out, h, w) to (h, w, out, in): one permutation
    w = conv.weight.detach().permute(2, 3, 1, 0).numpy()
    bias = conv.bias.detach().numpy()
    if shuffled:
        # channel (c, row, column) to (row, column, c)
        order = np.arange(bias.size).reshape(-1, 4).T.ravel()
        w, bias = w[..., order], bias[order]
    return [w, bias]


def copy_weights(net, model):
    """Copy all weights of `net`, in PyTorch, to the same network in Keras.

    Raises `ValueError` where the networks are not the same.
    """
    ours = []
    for a, b in zip(net.layers, [*net.layers[1:], None], strict=True):
        if isinstance(a, (nn.Conv2d, nn.ConvTranspose2d)):
            ours.append(converted(a, isinstance(b, nn.PixelShuffle)))
    theirs = [layer for layer in model.layers if layer.weights]
    for weights, layer in zip(ours, theirs, strict=True):
        layer.set_weights(weights)
