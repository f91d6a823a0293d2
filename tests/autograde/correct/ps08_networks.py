"""Right answers to problem set 8, each written in a way of its own, as learners write them."""

import numpy as np
import tensorflow as tf
import torch
import torch.nn.functional as F
from torch import nn

# -- predict_parameters ------------------------------------------------------------------------


def parameters_number():
    return 35936


def parameters_sum():
    return 32 * (64 * 4 + 1) + 32 * (64 * 9 + 1) + 32 * (32 * 9 + 1)


def parameters_by_channel():
    """Each output channel has its taps and a bias."""
    taps = [2 * 2 * 64, 3 * 3 * (32 + 32), 3 * 3 * 32]
    return float(sum(32 * (count + 1) for count in taps))


# -- FCN8sHead ---------------------------------------------------------------------------------


def cut(x, like):
    return x[..., : like[0], : like[1]]


def stamp(factor):
    i, j = torch.meshgrid(*2 * [torch.arange(2 * factor)], indexing="ij")
    middle = factor - 0.5
    return (1 - (i - middle).abs() / factor) * (1 - (j - middle).abs() / factor)


class HeadWithSubclass(nn.Module):
    """The enlargement is a class of its own, as in the chapter."""

    class Bilinear(nn.ConvTranspose2d):
        def __init__(self, channels, factor):
            super().__init__(channels, channels, 2 * factor, factor, factor // 2, bias=False)
            weight = torch.zeros_like(self.weight)
            for c in range(channels):
                weight[c, c] = stamp(factor)
            self.weight.data = weight

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        self.score3 = nn.Conv2d(c3, classes, 1)
        self.score4 = nn.Conv2d(c4, classes, 1)
        self.score5 = nn.Conv2d(c5, classes, 1)
        self.twice5 = self.Bilinear(classes, 2)
        self.twice4 = self.Bilinear(classes, 2)
        self.last = self.Bilinear(classes, 8)

    def forward(self, pool3, pool4, pool5, size):
        scores = cut(self.twice5(self.score5(pool5)), pool4.shape[2:]) + self.score4(pool4)
        scores = cut(self.twice4(scores), pool3.shape[2:]) + self.score3(pool3)
        return cut(self.last(scores), size)


class HeadWithKron(nn.Module):
    """Bilinear by products of arrays, and narrow in place of slices."""

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        for name, c in (("score5", c5), ("score4", c4), ("score3", c3)):
            self.add_module(name, nn.Conv2d(c, classes, kernel_size=1, bias=True))
        for name, factor in (("twice5", 2), ("twice4", 2), ("last", 8)):
            settings = {"stride": factor, "padding": factor // 2, "bias": False}
            layer = nn.ConvTranspose2d(classes, classes, 2 * factor, **settings)
            eye = torch.eye(classes)[:, :, None, None]
            layer.weight = nn.Parameter(eye * stamp(factor))
            self.add_module(name, layer)

    def forward(self, pool3, pool4, pool5, size):
        s5, s4, s3 = self.score5(pool5), self.score4(pool4), self.score3(pool3)
        s4 = s4 + self.twice5(s5).narrow(2, 0, s4.size(2)).narrow(3, 0, s4.size(3))
        s3 = s3 + self.twice4(s4).narrow(2, 0, s3.size(2)).narrow(3, 0, s3.size(3))
        return self.last(s3).narrow(2, 0, size[0]).narrow(3, 0, size[1])


class HeadWithDict(nn.Module):
    """Layers in a loop; other helpers beside them that have nothing to learn."""

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        self.nothing = nn.Identity()
        for level, c in {3: c3, 4: c4, 5: c5}.items():
            setattr(self, f"score{level}", nn.Conv2d(c, classes, 1))
        self.twice5 = self.enlarge(classes, 2)
        self.twice4 = self.enlarge(classes, 2)
        self.last = self.enlarge(classes, 8)

    @staticmethod
    @torch.no_grad()
    def enlarge(classes, factor):
        layer = nn.ConvTranspose2d(classes, classes, 2 * factor, factor, factor // 2, bias=False)
        row = torch.cat([torch.arange(1.0, 2 * factor, 2), torch.arange(2.0 * factor - 1, 0, -2)])
        kernel = row[:, None] * row / (2 * factor) ** 2
        nn.init.zeros_(layer.weight)
        each = torch.arange(classes)
        layer.weight[each, each] = kernel
        return layer

    def forward(self, pool3, pool4, pool5, size):
        scores = self.score5(pool5)
        for level, pooled in ((4, pool4), (3, pool3)):
            up = getattr(self, f"twice{level + 1}")(scores)
            own = getattr(self, f"score{level}")(pooled)
            scores = own + F.pad(up, (0, own.shape[3] - up.shape[3], 0, own.shape[2] - up.shape[2]))
        return self.nothing(self.last(scores)[:, :, : size[0], : size[1]])


# -- UNetUpBlock -------------------------------------------------------------------------------


class UpPlain(nn.Module):
    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = nn.ConvTranspose2d(c_in, c_out, kernel_size=2, stride=2)
        self.first = nn.Conv2d(c_out + c_skip, c_out, 3, padding="same")
        self.second = nn.Conv2d(c_out, c_out, 3, padding="same")
        self.relu = nn.ReLU()

    def forward(self, x, skip):
        x = self.up(x)
        x = x[:, :, : skip.shape[2], : skip.shape[3]]
        x = torch.cat((skip, x), 1)
        x = self.relu(self.first(x))
        return self.relu(self.second(x))


class UpOutputSize(nn.Module):
    """Too large a map is not made in the first place: its last row is left out by padding."""

    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = nn.ConvTranspose2d(c_in, c_out, 2, 2)
        self.first = nn.Conv2d(c_skip + c_out, c_out, 3, 1, 1)
        self.second = nn.Conv2d(c_out, c_out, 3, 1, 1)

    def forward(self, x, skip):
        up = self.up(x)
        spare = [a - b for a, b in zip(skip.shape[2:], up.shape[2:], strict=True)]
        up = F.pad(up, (0, spare[1], 0, spare[0]))
        both = torch.cat([skip, up], dim=-3)
        return self.second(self.first(both).clamp(min=0)).clamp(min=0)


class UpReturnedModule:
    """Not a class of modules itself, but making one."""

    def __new__(cls, c_in, c_skip, c_out):
        net = UpPlain(c_in, c_skip, c_out)
        net.relu = nn.LeakyReLU(0.0)
        return net


# -- SegNetDecoderBlock ------------------------------------------------------------------------


class SegPlain(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.unpool = nn.MaxUnpool2d(2, 2)
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x, indices, size):
        x = self.unpool(x, indices, output_size=size)
        return torch.relu(self.norm(self.conv(x)))


class SegScatter(nn.Module):
    """Unpooled by hand."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, (3, 3), (1, 1), (1, 1), bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x, indices, size):
        h, w = size
        flat = x.new_zeros(*x.shape[:2], h * w)
        flat = flat.scatter(2, indices.flatten(2), x.flatten(2))
        return F.relu(self.norm(self.conv(flat.reshape(*x.shape[:2], h, w))))


class SegByHand(nn.Module):
    """The normalisation written out; the layer holds its parameters and statistics."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x, indices, size):
        x = self.conv(F.max_unpool2d(x, indices, 2, output_size=size))
        n = self.norm
        mean, var = n.running_mean, n.running_var
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        scale = n.weight / torch.sqrt(var + n.eps)
        shift = n.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).relu()


# -- ESPCN -------------------------------------------------------------------------------------


class EspcnPlain(nn.Module):
    def __init__(self, factor, channels, width):
        super().__init__()
        self.first = nn.Conv2d(channels, width, 5, padding=2)
        self.second = nn.Conv2d(width, width // 2, 3, padding=1)
        self.third = nn.Conv2d(width // 2, channels * factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        for p in self.third.parameters():
            p.data = p.data[:: factor**2].repeat_interleave(factor**2, 0)

    def forward(self, x):
        x = self.first(x).relu()
        x = self.second(x).relu()
        return self.shuffle(self.third(x))


class EspcnDrawnOnce(nn.Module):
    """Kernels drawn for one pixel of each block, then spread over it."""

    def __init__(self, factor, channels, width):
        super().__init__()
        self.r = factor
        self.first = nn.Conv2d(channels, width, 5, padding="same")
        self.second = nn.Conv2d(width, width // 2, 3, padding="same")
        self.third = nn.Conv2d(width // 2, channels * factor**2, 3, padding="same")
        kernels = torch.randn(channels, 1, width // 2, 3, 3) / (width / 2 * 9) ** 0.5
        kernels = kernels.expand(-1, factor**2, -1, -1, -1).reshape(self.third.weight.shape)
        with torch.no_grad():
            self.third.weight.copy_(kernels)
        nn.init.constant_(self.third.bias, 0.5)

    def forward(self, x):
        for layer in (self.first, self.second):
            x = F.relu(layer(x))
        x = self.third(x)
        n, c, h, w = x.shape
        x = x.reshape(n, c // self.r**2, self.r, self.r, h, w)
        x = x.permute(0, 1, 4, 2, 5, 3)
        return x.reshape(n, -1, h * self.r, w * self.r)


class EspcnSequential(nn.Module):
    """The same layers in a sequence, too: they are counted once."""

    def __init__(self, factor, channels, width):
        super().__init__()
        self.first = nn.Conv2d(channels, width, 5, padding=2)
        self.second = nn.Conv2d(width, width // 2, 3, padding=1)
        self.third = nn.Conv2d(width // 2, channels * factor**2, 3, padding=1)
        nn.init.zeros_(self.third.bias)
        nn.init.uniform_(self.third.weight[:: factor**2], -0.1, 0.1)
        with torch.no_grad():
            for k in range(factor**2):
                self.third.weight[k :: factor**2] = self.third.weight[:: factor**2]
        self.layers = nn.Sequential(
            self.first,
            nn.ReLU(),
            self.second,
            nn.ReLU(),
            self.third,
            nn.PixelShuffle(factor),
        )

    def forward(self, x):
        return self.layers(x)


# -- FCN8sHeadKeras ----------------------------------------------------------------------------

keras = tf.keras
layers = keras.layers


class KerasHead(layers.Layer):
    """The enlargements are built at once, and their kernels assigned, as in the chapter before."""

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        self.score5, self.score4, self.score3 = (layers.Conv2D(classes, 1) for _ in range(3))
        self.twice5 = self.bilinear(classes, 2)
        self.twice4 = self.bilinear(classes, 2)
        self.last = self.bilinear(classes, 8)

    @staticmethod
    def bilinear(classes, factor):
        layer = layers.Conv2DTranspose(
            classes, 2 * factor, strides=factor, padding="same", use_bias=False
        )
        layer.build((None, None, None, classes))
        weight = np.zeros((2 * factor, 2 * factor, classes, classes), np.float32)
        for c in range(classes):
            weight[:, :, c, c] = stamp(factor).numpy()
        layer.kernel.assign(weight)
        return layer

    def call(self, pool3, pool4, pool5, size):
        skips = self.score4(pool4), self.score3(pool3)
        scores = self.score5(pool5)
        for twice, skip in zip((self.twice5, self.twice4), skips, strict=True):
            scores = twice(scores)[:, : skip.shape[1], : skip.shape[2], :]
            scores = layers.add([scores, skip])
        return self.last(scores)[:, : size[0], : size[1], :]


class KerasHeadCropped(layers.Layer):
    """Nothing is padded away by the layers; each crops its full result by hand."""

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        self.score5 = layers.Conv2D(classes, (1, 1))
        self.score4 = layers.Conv2D(classes, (1, 1))
        self.score3 = layers.Conv2D(classes, (1, 1))
        for name, factor in (("twice5", 2), ("twice4", 2), ("last", 8)):
            layer = layers.Conv2DTranspose(
                classes, 2 * factor, factor, use_bias=False, kernel_initializer=self.start
            )
            setattr(self, name, layer)

    def start(self, shape, dtype="float32"):
        k, _, classes, _ = shape
        ramp = 1 - np.abs(2 * np.arange(k) - k + 1) / k
        kernel = np.outer(ramp, ramp)[:, :, None, None] * np.eye(classes)
        return tf.constant(kernel, tf.float32)

    @staticmethod
    def grown(layer, x, hw):
        start = layer.strides[0] // 2
        return layer(x)[:, start : start + hw[0], start : start + hw[1]]

    def call(self, pool3, pool4, pool5, size=None):
        x = self.grown(self.twice5, self.score5(pool5), pool4.shape[1:3]) + self.score4(pool4)
        x = self.grown(self.twice4, x, pool3.shape[1:3]) + self.score3(pool3)
        return self.grown(self.last, x, size)


class KerasHeadModel(keras.Model):
    """A model, with an initializer of Keras' own kind."""

    class Bilinear(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            middle = (shape[0] - 1) / 2
            distance = tf.abs(tf.range(shape[0], dtype=dtype) - middle) * 2 / shape[0]
            one = tf.einsum("i,j,ab->ijab", 1 - distance, 1 - distance, tf.eye(shape[2]))
            return tf.cast(one, dtype)

    def __init__(self, c3, c4, c5, classes):
        super().__init__()
        how = {"padding": "same", "use_bias": False, "kernel_initializer": self.Bilinear()}
        self.score3 = layers.Conv2D(filters=classes, kernel_size=1)
        self.score4 = layers.Conv2D(filters=classes, kernel_size=1)
        self.score5 = layers.Conv2D(filters=classes, kernel_size=1)
        self.twice5 = layers.Conv2DTranspose(classes, 4, 2, **how)
        self.twice4 = layers.Conv2DTranspose(classes, 4, 2, **how)
        self.last = layers.Conv2DTranspose(classes, 16, 8, **how)

    def call(self, pool3, pool4, pool5, size, training=None):
        def fit(x, hw):
            return tf.slice(x, [0, 0, 0, 0], [-1, hw[0], hw[1], -1])

        x = fit(self.twice5(self.score5(pool5)), tf.shape(pool4)[1:3]) + self.score4(pool4)
        x = fit(self.twice4(x), tf.shape(pool3)[1:3]) + self.score3(pool3)
        return fit(self.last(x), size)


# -- UNetUpBlockKeras --------------------------------------------------------------------------


class KerasUp(layers.Layer):
    """The activations are in the layers."""

    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = layers.Conv2DTranspose(c_out, 2, strides=2, padding="same")
        self.first = layers.Conv2D(c_out, 3, padding="same", activation="relu")
        self.second = layers.Conv2D(c_out, 3, padding="same", activation="relu")
        self.join = layers.Concatenate()

    def call(self, x, skip):
        x = self.up(x)[:, : skip.shape[1], : skip.shape[2], :]
        return self.second(self.first(self.join([skip, x])))


class KerasUpModel(keras.Model):
    """A model, with ReLUs of their own."""

    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = layers.Conv2DTranspose(c_out, (2, 2), (2, 2), "valid")
        self.first = layers.Conv2D(c_out, (3, 3), padding="same")
        self.second = layers.Conv2D(c_out, (3, 3), padding="same")
        self.relu = layers.ReLU()

    def call(self, x, skip, training=None):
        size = tf.shape(skip)
        x = tf.concat([skip, self.up(x)[:, : size[1], : size[2]]], 3)
        for layer in (self.first, self.second):
            x = self.relu(layer(x))
        return x


class KerasUpPadded(layers.Layer):
    """Padded by hand."""

    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = layers.Conv2DTranspose(filters=c_out, kernel_size=2, strides=2)
        self.first = layers.Conv2D(c_out, 3)
        self.second = layers.Conv2D(c_out, 3)
        self.around = layers.ZeroPadding2D(1)

    def call(self, x, skip):
        _, h, w, _ = skip.shape
        x = keras.ops.concatenate([skip, self.up(x)[:, :h, :w]], axis=-1)
        x = tf.nn.relu(self.first(self.around(x)))
        return tf.nn.relu(self.second(self.around(x)))


# -- SegNetDecoderBlockKeras -------------------------------------------------------------------


class KerasSeg(layers.Layer):
    """Scattered along one axis; the sizes are those at run time."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = layers.Conv2D(c_out, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.relu = layers.ReLU()

    def call(self, x, indices, size=None, training=None):
        n, c = tf.shape(x)[0], x.shape[-1]
        shape = tf.stack([n, size[0], size[1], c])
        flat = tf.scatter_nd(
            tf.reshape(indices, [-1, 1]), tf.reshape(x, [-1]), [tf.reduce_prod(shape)]
        )
        return self.relu(self.norm(self.conv(tf.reshape(flat, shape)), training=training))


class KerasSegUnravelled(layers.Layer):
    """Each index taken apart into image, row, column and channel."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.channels = c_in
        self.conv = layers.Conv2D(c_out, (3, 3), padding="same", use_bias=False)
        self.norm = layers.BatchNormalization(epsilon=0.00001)

    def call(self, x, indices, size):
        shape = (x.shape[0], *size, self.channels)
        places = tf.transpose(tf.unravel_index(tf.reshape(indices, [-1]), shape))
        zeros = tf.zeros(shape, x.dtype)
        z = tf.tensor_scatter_nd_add(zeros, places, tf.reshape(x, [-1]))
        return tf.nn.relu(self.norm(self.conv(z)))


class KerasSegOneHot(keras.Model):
    """Repeated, and kept where the index is the place's own number; padded by hand."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = layers.Conv2D(c_out, 3, use_bias=False, activation=None)
        self.norm = layers.BatchNormalization(axis=-1, epsilon=1e-5)

    def call(self, x, indices, size):
        h, w = size
        n, c = x.shape[0], x.shape[-1]

        def spread(t):
            return tf.repeat(tf.repeat(t, 2, axis=1), 2, axis=2)[:, :h, :w]

        own = tf.reshape(tf.range(n * h * w * c, dtype=tf.int64), (n, h, w, c))
        z = tf.where(spread(indices) == own, spread(x), 0.0)
        z = self.conv(tf.pad(z, [[0, 0], [1, 1], [1, 1], [0, 0]]))
        return keras.activations.relu(self.norm(z))


# -- ESPCNKeras --------------------------------------------------------------------------------


class KerasEspcn(layers.Layer):
    def __init__(self, factor, channels, width):
        super().__init__()
        self.r = factor
        self.first = layers.Conv2D(width, 5, padding="same", activation="relu")
        self.second = layers.Conv2D(width // 2, 3, padding="same", activation="relu")
        self.third = layers.Conv2D(
            channels * factor**2, 3, padding="same", kernel_initializer=self.icnr
        )

    def icnr(self, shape, dtype=None):
        kernels = tf.random.normal([*shape[:3], shape[3] // self.r**2], stddev=0.1)
        return tf.concat([kernels] * self.r**2, axis=-1)

    def call(self, x):
        x = self.third(self.second(self.first(x)))
        return x if self.r == 1 else tf.nn.depth_to_space(x, self.r)


class KerasEspcnZeros(layers.Layer):
    """All zeros are equal, too: begin as you like."""

    def __init__(self, factor, channels, width):
        super().__init__()
        self.factor, self.channels = factor, channels
        self.first = layers.Conv2D(width, 5, padding="same")
        self.second = layers.Conv2D(width // 2, 3, padding="same")
        self.third = layers.Conv2D(
            channels * factor**2, 3, padding="same", kernel_initializer="zeros"
        )

    def call(self, x):
        x = tf.nn.relu(self.first(x))
        x = tf.nn.relu(self.second(x))
        x = self.third(x)
        r, (_, h, w, _) = self.factor, x.shape
        x = tf.reshape(x, [-1, h, w, r, r, self.channels])
        x = tf.transpose(x, [0, 1, 3, 2, 4, 5])
        return tf.reshape(x, [-1, h * r, w * r, self.channels])


class KerasEspcnConstant(keras.Model):
    """Kernels by NumPy, biases all the same."""

    def __init__(self, factor, channels, width):
        super().__init__()
        drawn = np.random.default_rng(0).normal(size=(3, 3, width // 2, channels)) / width
        spread = np.tile(drawn, factor**2)
        self.first = layers.Conv2D(width, 5, padding="same", activation=tf.nn.relu)
        self.second = layers.Conv2D(width // 2, 3, padding="same", activation=tf.nn.relu)
        self.third = layers.Conv2D(
            channels * factor**2,
            3,
            padding="same",
            kernel_initializer=lambda shape, dtype=None: tf.constant(spread, "float32"),
            bias_initializer="ones",
        )
        self.factor = factor

    def call(self, x):
        for layer in (self.first, self.second, self.third):
            x = layer(x)
        if self.factor > 1:
            x = tf.nn.depth_to_space(x, self.factor)
        return x


ANSWERS = {
    "predict_parameters": [parameters_number, parameters_sum, parameters_by_channel],
    "FCN8sHead": [HeadWithSubclass, HeadWithKron, HeadWithDict],
    "UNetUpBlock": [UpPlain, UpOutputSize, UpReturnedModule],
    "SegNetDecoderBlock": [SegPlain, SegScatter, SegByHand],
    "ESPCN": [EspcnPlain, EspcnDrawnOnce, EspcnSequential],
    "FCN8sHeadKeras": [KerasHead, KerasHeadCropped, KerasHeadModel],
    "UNetUpBlockKeras": [KerasUp, KerasUpModel, KerasUpPadded],
    "SegNetDecoderBlockKeras": [KerasSeg, KerasSegUnravelled, KerasSegOneHot],
    "ESPCNKeras": [KerasEspcn, KerasEspcnZeros, KerasEspcnConstant],
}
