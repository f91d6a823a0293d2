"""The networks of `segmentation` in Keras: images are (N, H, W, C) here."""

import tensorflow as tf
from tensorflow.keras import Model, layers


def copy_weights(net, model):
    """Copy the weights of a PyTorch network to the Keras model of the same parts.

    `model` has to be built: call it once. Both frameworks' kernels have the same axes, in
    reversed order, for convolutions and for transposed ones. A sub-pixel convolution's output
    channels are taken from PyTorch's order to TensorFlow's.
    """
    for name, part in net.named_modules():
        if not hasattr(part, "weight"):
            continue
        layer, owner = model, None
        for step in name.split("."):
            attribute = getattr(layer, step, None)
            layer, owner = attribute or layer[int(step)], layer
        kernel = part.weight.detach().permute(2, 3, 1, 0)
        arrays = [kernel.numpy()]
        if part.bias is not None:
            arrays.append(part.bias.detach().numpy())
        if isinstance(owner, SubPixel):
            arrays = [torch_to_tf_order(a) for a in arrays]
        layer.set_weights(arrays)


def torch_to_tf_order(array):
    """Reorder the channels, the last axis, from which 2 x 2 pixels are made."""
    *rest, c = array.shape
    blocks = array.reshape(*rest, c // 4, 4)
    return blocks.swapaxes(-1, -2).reshape(*rest, c)


def conv(channels, k=3, activation=None):
    return layers.Conv2D(
        channels,
        k,
        padding="same",
        activation=activation,
    )


def crop(x, like):
    """Cut rows and columns off at the end."""
    h, w = like.shape[1:3]
    return x[:, :h, :w]


# ------------------------------------------------------------------- FCN


def bilinear(factor):
    def kernel(shape, dtype=None):
        d = tf.range(shape[0], dtype="float32")
        d = abs(d - (shape[0] - 1) / 2)
        stamp = tf.tensordot(1 - d / factor, 1 - d / factor, 0)
        diagonal = tf.eye(shape[3])
        return stamp[:, :, None, None] * diagonal

    return kernel


def Bilinear(channels, factor):
    """Bilinear to begin with. Then it learns."""
    return layers.Conv2DTranspose(
        channels,
        2 * factor,
        factor,
        "same",
        use_bias=False,
        kernel_initializer=bilinear(factor),
    )


class Encoder(layers.Layer):
    """Each stage halves the map and rounds up."""

    def __init__(self, widths=(16, 16, 32, 48, 64)):
        super().__init__()
        self.stages = [conv(c, activation="relu") for c in widths]
        self.pool = layers.MaxPooling2D(2, padding="same")

    def call(self, x):
        pooled = []
        for stage in self.stages:
            x = self.pool(stage(x))
            pooled.append(x)
        return pooled


class Head(layers.Layer):
    """Scores from the deepest map, sharpened by others."""

    def __init__(self, maps, stride, classes):
        super().__init__()
        self.score = [conv(classes, 1) for _ in range(maps)]
        self.twice = [Bilinear(classes, 2) for _ in range(maps - 1)]
        self.last = Bilinear(classes, stride)

    def call(self, maps, image):
        scores = self.score[0](maps[0])
        for i, twice in enumerate(self.twice):
            skip = self.score[i + 1](maps[i + 1])
            scores = crop(twice(scores), skip) + skip
        return crop(self.last(scores), image)


class FCN(Model):
    """FCN-32s, 16s or 8s: one, two or three maps."""

    def __init__(self, stride, classes=3):
        super().__init__()
        self.maps = {32: 1, 16: 2, 8: 3}[stride]
        self.encoder = Encoder()
        self.head = Head(self.maps, stride, classes)

    def call(self, x):
        pooled = self.encoder(x)  # the deepest comes last
        deepest = pooled[::-1][: self.maps]
        return self.head(deepest, x)


# ----------------------------------------------------------------- U-Net


class ResizeConv(layers.Layer):
    def __init__(self, channels, mode):
        super().__init__()
        self.grow = layers.UpSampling2D(2, interpolation=mode)
        self.conv = conv(channels)

    def call(self, x):
        return self.conv(self.grow(x))


class SubPixel(layers.Layer):
    def __init__(self, channels):
        super().__init__()
        self.conv = conv(4 * channels)

    def call(self, x):
        return tf.nn.depth_to_space(self.conv(x), 2)


def max_pool(x):
    """Halve, rounding up; return the switches as well."""
    return tf.nn.max_pool_with_argmax(
        x,
        2,
        2,
        "SAME",
        include_batch_in_index=True,
    )


def max_unpool(x, switches, size):
    """Put each value where its maximum was found."""
    n, c = tf.shape(x)[0], x.shape[-1]
    shape = tf.stack([n, *size, c])
    places = tf.cast(tf.reduce_prod(shape), switches.dtype)
    flat = tf.scatter_nd(
        tf.reshape(switches, [-1, 1]),
        tf.reshape(x, [-1]),
        [places],
    )
    return tf.reshape(flat, shape)


class Unpool(layers.Layer):
    def __init__(self, channels):
        super().__init__()
        self.conv = conv(channels)

    def call(self, x, switches, like):
        size = like.shape[1:3]
        return max_unpool(self.conv(x), switches, size)


def transposed(channels, k):
    return layers.Conv2DTranspose(channels, k, 2, "same")


UPSAMPLINGS = {
    "nearest + conv": lambda c: ResizeConv(c, "nearest"),
    "bilinear + conv": lambda c: ResizeConv(c, "bilinear"),
    "transposed, k = 2": lambda c: transposed(c, 2),
    "transposed, k = 4, bilinear": lambda c: transposed(c, 4),
    "pixel shuffle": SubPixel,
    "pixel shuffle, ICNR": SubPixel,
    "unpooling": Unpool,
}
"""Ways to double a map and take it to `c` channels. The weights come from PyTorch.

A kernel of 3 is not here: SAME crops it at the other end.
"""


class UpBlock(layers.Layer):
    """Enlarge, set the skip beside it, convolve twice."""

    def __init__(self, channels, up, skips=True):
        super().__init__()
        self.up = UPSAMPLINGS[up](channels)
        self.skips = skips
        self.first = conv(channels, activation="relu")
        self.second = conv(channels, activation="relu")

    def call(self, x, skip, switches):
        told = isinstance(self.up, Unpool)
        x = self.up(x, switches, skip) if told else self.up(x)
        x = crop(x, skip)
        if self.skips:
            x = tf.concat([skip, x], axis=-1)
        return self.second(self.first(x))


class UNet(Model):
    """Down and up again, with a skip at every size."""

    def __init__(self, up, skips=True, classes=3):
        super().__init__()
        w = (8, 16, 32, 64)
        self.first = [conv(c, activation="relu") for c in w]
        self.second = [conv(c, activation="relu") for c in w]
        self.blocks = [UpBlock(c, up, skips) for c in (32, 16, 8)]
        self.score = conv(classes, 1)

    def call(self, x):
        maps, switches = [], []
        for first, second in zip(self.first, self.second, strict=True):
            if maps:
                x, where = max_pool(x)
                switches.append(where)
            x = second(first(x))
            maps.append(x)
        x = maps.pop()
        for block in self.blocks:
            x = block(x, maps.pop(), switches.pop())
        return self.score(x)


# ---------------------------------------------- decoders with switches


def deconv(channels, k=3, activation=None):
    return layers.Conv2DTranspose(
        channels,
        k,
        padding="same",
        activation=activation,
    )


class DecoderBlock(layers.Layer):
    """Put each value where it was found, then fill in."""

    def __init__(self, c_in, c_out, layer=conv, k=3, depth=2):
        super().__init__()
        self.layers = [layer(c_in, k, "relu") for _ in range(depth - 1)]
        self.layers.append(layer(c_out, k, "relu"))

    def call(self, x, switches, size):
        x = max_unpool(x, switches, size)
        for layer in self.layers:
            x = layer(x)
        return x


class SwitchNet(Model):
    """The encoder hands over its switches, and no map."""

    def __init__(self, layer=conv, k=3, depth=2, scores=3):
        super().__init__()
        w = (16, 32, 64)
        self.first = [conv(c, activation="relu") for c in w]
        self.second = [conv(c, activation="relu") for c in w]
        pairs = (64, 32), (32, 16), (16, 16)
        made = [DecoderBlock(*p, layer, k, depth) for p in pairs]
        self.blocks = made
        self.score = conv(scores, 1)

    def call(self, x):
        kept = []
        for first, second in zip(self.first, self.second, strict=True):
            x = second(first(x))
            size = x.shape[1:3]
            x, switches = max_pool(x)
            kept.append((switches, size))
        for block in self.blocks:
            switches, size = kept.pop()
            x = block(x, switches, size=size)
        return self.score(x)
