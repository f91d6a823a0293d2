# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 8: networks
#
# Four blocks, each from a network that has made its way of enlarging known: the head of an FCN-8s,
# a step upwards in a U-Net, a step upwards in a SegNet, and a whole ESPCN. You will write each as a
# module in PyTorch, and once more as a layer in Keras.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your class on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# Here everything in `torch.nn`, `torch.nn.functional` and `tf.keras` is yours to use. Two things
# have to be exact: **which layers there are, and what they are called.** Only so can weights from
# elsewhere be loaded, and that is what the checks do. In what they show, the numbers in the
# brackets are:
#
# - the settings with which your class is made, and the maps that go in;
# - for each layer a number: all its weights and biases have this value. With `drawn=True` the
#   numbers are seeds, and the weights are drawn;
# - `about`, if something else is looked at than the result: how many `parameters` the layers have,
#   one after the other, and then the whole network; the `gradients`, summed for each parameter; how
#   a layer begins; or the result in `training` mode.
#
# **Chapters:** *FCN*, *U-Net*, *SegNet and its relatives*, *Super-resolution*.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# A small block: a 1 × 1 convolution called `score` that makes scores of a map, and a nearest
# interpolation that doubles them. The layers are made in `__init__` and used in `forward`.


# %%
class Doubled(nn.Module):
    """Scores, twice as large as the map."""

    def __init__(self, channels, classes):
        super().__init__()
        self.score = nn.Conv2d(channels, classes, 1)

    def forward(self, x):
        """Return the scores of a map, doubled."""
        return F.interpolate(self.score(x), scale_factor=2)


# %% [markdown]
# Three channels and two classes: that is one tap for each pair, and a bias for each class. If all
# of them are 1, a map of ones becomes $1 + 1 + 1 + 1 = 4$ everywhere.

# %%
block = Doubled(3, 2)
print([p.numel() for p in block.score.parameters()])
for p in block.parameters():
    nn.init.ones_(p)
print(block(torch.ones(1, 3, 1, 1)).detach())

# %% [markdown]
# ## 1. Predict first: how much is there to learn?
#
# {facts: predict_parameters}
#
# A step upwards in a U-Net gets 64 channels from below and a skip with 32. It gives out 32. It has
# three layers, each with a bias:
#
# - a transposed convolution with a 2 × 2 kernel, which makes 32 channels of the 64;
# - a 3 × 3 convolution over the skip and the enlarged map, set side by side, which gives out 32;
# - another 3 × 3 convolution from 32 to 32.
#
# How many parameters does it have? Work it out on paper. The check below only notes your answer;
# you will see for yourself in exercise 3.


# %% exercise="predict_parameters"
def predict_parameters():
    """Return the number of parameters that you expect."""
    ### BEGIN SOLUTION
    return (64 * 32 * 4 + 32) + (64 * 32 * 9 + 32) + (32 * 32 * 9 + 32)
    ### END SOLUTION


# %% [markdown]
# ## 2. The head of an FCN-8s
#
# {facts: FCN8sHead}
#
# An encoder has halved an image five times, and each time it has rounded odd sizes up. Its last
# three maps, `pool3`, `pool4` and `pool5`, have `c3`, `c4` and `c5` channels. Make scores of them,
# as large as the image.
#
# - `score5`, `score4`, `score3`: 1 × 1 convolutions with bias, from `c5`, `c4` and `c3` channels to
#   `classes`.
# - `twice5`, `twice4`: transposed convolutions from `classes` to `classes` channels that double the
#   size. Kernel 4, stride 2, padding 1, no bias.
# - `last`: the same for a factor of 8. Kernel 16, stride 8, padding 4, no bias.
#
# The three enlargements begin **bilinear**, each class by itself.
#
# In this order: `score5` of `pool5`; doubled by `twice5`, and `score4` of `pool4` added; doubled by
# `twice4`, and `score3` of `pool3` added; enlarged by `last`. Where an enlarged map is larger than
# what it is added to, or than the image in the end, its last rows and columns are cut off.
#
# <details><summary>Hint 1</summary>
#
# `z[:, :, :h, :w]` keeps the first rows and columns, as many as are asked for.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The bilinear kernel of an even factor f is 2f × 2f. Its weights fall with the distance from the
# middle, (2f − 1) / 2, and reach 0 at the distance f. In problem set 7 you have written it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Weights are parameters. `with torch.no_grad(): layer.weight.copy_(…)` sets them.
#
# </details>


# %% exercise="FCN8sHead"
class FCN8sHead(nn.Module):
    """Scores as large as the image, from three maps of an encoder."""

    def __init__(self, c3, c4, c5, classes):
        """Make the layers.

        c3, c4, c5  channels of pool3, pool4 and pool5
        classes     how many scores each pixel gets
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.score5 = nn.Conv2d(c5, classes, 1)
        self.score4 = nn.Conv2d(c4, classes, 1)
        self.score3 = nn.Conv2d(c3, classes, 1)

        def bilinear(factor):
            k = 2 * factor
            layer = nn.ConvTranspose2d(classes, classes, k, factor, factor // 2, bias=False)
            taps = 1 - (torch.arange(k) - (k - 1) / 2).abs() / factor
            with torch.no_grad():
                layer.weight.zero_()
                for c in range(classes):
                    layer.weight[c, c] = torch.outer(taps, taps)
            return layer

        self.twice5, self.twice4, self.last = bilinear(2), bilinear(2), bilinear(8)
        ### END SOLUTION

    def forward(self, pool3, pool4, pool5, size):
        """Return the scores of every pixel, (N, classes, H, W).

        pool3, pool4, pool5  tensors of shape (N, c3, …, …), (N, c4, …, …), (N, c5, …, …)
        size                 (H, W) of the image
        """
        ### BEGIN SOLUTION
        scores = self.score5(pool5)
        for twice, skip in (
            (self.twice5, self.score4(pool4)),
            (self.twice4, self.score3(pool3)),
        ):
            h, w = skip.shape[2:]
            scores = twice(scores)[:, :, :h, :w] + skip
        return self.last(scores)[:, :, : size[0], : size[1]]
        ### END SOLUTION


# %% [markdown]
# ## 3. A step upwards in a U-Net
#
# {facts: UNetUpBlock}
#
# - `up`: a transposed convolution from `c_in` to `c_out` channels. Kernel 2, stride 2, with bias.
# - `first`: a 3 × 3 convolution with padding 1 and bias, to `c_out` channels.
# - `second`: a 3 × 3 convolution with padding 1 and bias, from `c_out` to `c_out` channels.
#
# In this order: enlarge `x` by `up`; where it is larger than the skip, cut off its last rows and
# columns; set the skip and the enlarged map side by side, **the skip's channels first**; `first`, a
# ReLU, `second`, a ReLU.
#
# <details><summary>Hint 1</summary>
#
# How many channels does `first` get?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.cat` joins a list of tensors along an axis. Which axis holds the channels?
#
# </details>


# %% exercise="UNetUpBlock"
class UNetUpBlock(nn.Module):
    """Enlarge a map, set the skip beside it and convolve twice."""

    def __init__(self, c_in, c_skip, c_out):
        """Make the layers.

        c_in    channels of what comes from below
        c_skip  channels of the skip
        c_out   channels of what comes out
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.up = nn.ConvTranspose2d(c_in, c_out, 2, 2)
        self.first = nn.Conv2d(c_skip + c_out, c_out, 3, padding=1)
        self.second = nn.Conv2d(c_out, c_out, 3, padding=1)
        ### END SOLUTION

    def forward(self, x, skip):
        """Return a map of the skip's size, (N, c_out, H, W).

        x     tensor of shape (N, c_in, ceil(H / 2), ceil(W / 2))
        skip  tensor of shape (N, c_skip, H, W)
        """
        ### BEGIN SOLUTION
        h, w = skip.shape[2:]
        x = torch.cat([skip, self.up(x)[:, :, :h, :w]], dim=1)
        return F.relu(self.second(F.relu(self.first(x))))
        ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your class passes its check.

# %%
print(sum(p.numel() for p in UNetUpBlock(64, 32, 32).parameters()))

# %% [markdown]
# ## 4. A step upwards in a SegNet
#
# {facts: SegNetDecoderBlock}
#
# The encoder has pooled a map with `F.max_pool2d(…, 2, ceil_mode=True, return_indices=True)`, and
# has kept the indices and the map's size.
#
# - `conv`: a 3 × 3 convolution with padding 1 and **without** bias, from `c_in` to `c_out`
#   channels.
# - `norm`: batch normalisation of `c_out` channels, as PyTorch makes it by default.
#
# In this order: unpool `x` to the size that the encoder's map had; `conv`, `norm`, a ReLU.
#
# <details><summary>Hint 1</summary>
#
# `F.max_unpool2d` guesses the size if it is not told, and where the size was odd its guess is
# wrong.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `nn.BatchNorm2d` knows by itself whether the network is in training mode.
#
# </details>


# %% exercise="SegNetDecoderBlock"
class SegNetDecoderBlock(nn.Module):
    """Put values back where the encoder found them, convolve and normalise."""

    def __init__(self, c_in, c_out):
        """Make the layers for c_in channels that come in and c_out that go out."""
        super().__init__()
        ### BEGIN SOLUTION
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)
        ### END SOLUTION

    def forward(self, x, indices, size):
        """Return a map of the size that the encoder's had, (N, c_out, H, W).

        x        tensor of shape (N, c_in, ceil(H / 2), ceil(W / 2))
        indices  whole numbers of x's shape, as F.max_pool2d returns them
        size     (H, W)
        """
        ### BEGIN SOLUTION
        x = F.max_unpool2d(x, indices, 2, output_size=size)
        return F.relu(self.norm(self.conv(x)))
        ### END SOLUTION


# %% [markdown]
# ## 5. ESPCN
#
# {facts: ESPCN}
#
# - `first`: a 5 × 5 convolution with padding 2 and bias, from `channels` to `width` channels.
# - `second`: a 3 × 3 convolution with padding 1 and bias, from `width` to `width // 2` channels.
# - `third`: a 3 × 3 convolution with padding 1 and bias, from `width // 2` to
#   `channels * factor**2` channels.
#
# A ReLU follows `first` and `second`, but not `third`. In the end a pixel shuffle, in PyTorch's
# order, makes the image `factor` times as large.
#
# The network has to **begin without a pattern**: the kernels of `third` that make one block of
# pixels begin equal (ICNR), and so do their biases. Besides that, begin as you like. The check
# shows where weights and biases differ from the first of their block: there should be zeros.
#
# <details><summary>Hint 1</summary>
#
# Which channels does `F.pixel_shuffle` put into the same block? `repeat_interleave` and `repeat`
# differ in that.
#
# </details>
# <details><summary>Hint 2</summary>
#
# PyTorch draws biases at random, too.
#
# </details>


# %% exercise="ESPCN"
class ESPCN(nn.Module):
    """Three convolutions on the small image, then a pixel shuffle."""

    def __init__(self, factor, channels, width):
        """Make the layers.

        factor    how many times as large the image becomes, 1 or more
        channels  of the image
        width     channels behind the first convolution, an even number
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.factor = factor
        self.first = nn.Conv2d(channels, width, 5, padding=2)
        self.second = nn.Conv2d(width, width // 2, 3, padding=1)
        self.third = nn.Conv2d(width // 2, channels * factor**2, 3, padding=1)
        with torch.no_grad():
            kernels = self.third.weight[:: factor**2]
            self.third.weight.copy_(kernels.repeat_interleave(factor**2, 0))
            self.third.bias.zero_()
        ### END SOLUTION

    def forward(self, x):
        """Return the enlarged image, (N, channels, factor * H, factor * W).

        x  tensor of shape (N, channels, H, W)
        """
        ### BEGIN SOLUTION
        x = F.relu(self.second(F.relu(self.first(x))))
        return F.pixel_shuffle(self.third(x), self.factor)
        ### END SOLUTION


# %% [markdown]
# ## 6. The head of an FCN-8s in Keras
#
# {facts: FCN8sHeadKeras}
#
# The head of exercise 2 as a Keras layer, with the channels last: the same six layers with the same
# names, in the same order, and the enlargements begin bilinear. Keras sees by itself how many
# channels come in; `c3`, `c4` and `c5` are there so that both classes are made alike. It takes
# nothing but tensors by position, so `size` comes by its name.
#
# <details><summary>Hint 1</summary>
#
# A layer takes its first weights from `kernel_initializer`. That may be a function of the kernel's
# shape, here (height, width, out, in), and a `dtype`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# With an even kernel twice as large as the stride, `padding="same"` crops as much as PyTorch's
# `padding` of half the stride.
#
# </details>

# %%
import tensorflow as tf


# %% exercise="FCN8sHeadKeras"
class FCN8sHeadKeras(tf.keras.layers.Layer):
    """Scores as large as the image, from three maps of an encoder."""

    def __init__(self, c3, c4, c5, classes):
        """Make the layers.

        c3, c4, c5  channels of pool3, pool4 and pool5
        classes     how many scores each pixel gets
        """
        super().__init__()

        ### BEGIN SOLUTION
        def bilinear(shape, dtype=None):
            k = shape[0]
            taps = 1 - abs(tf.range(k, dtype=tf.float32) - (k - 1) / 2) / (k / 2)
            stamp = taps[:, None] * taps
            return stamp[:, :, None, None] * tf.eye(shape[2])

        def enlarge(factor):
            return tf.keras.layers.Conv2DTranspose(
                classes, 2 * factor, factor, "same", use_bias=False, kernel_initializer=bilinear
            )

        self.score5 = tf.keras.layers.Conv2D(classes, 1)
        self.score4 = tf.keras.layers.Conv2D(classes, 1)
        self.score3 = tf.keras.layers.Conv2D(classes, 1)
        self.twice5, self.twice4, self.last = enlarge(2), enlarge(2), enlarge(8)
        ### END SOLUTION

    def call(self, pool3, pool4, pool5, size):
        """Return the scores of every pixel, (N, H, W, classes).

        pool3, pool4, pool5  tensors of shape (N, …, …, c3), (N, …, …, c4), (N, …, …, c5)
        size                 (H, W) of the image
        """
        ### BEGIN SOLUTION
        scores = self.score5(pool5)
        for twice, skip in (
            (self.twice5, self.score4(pool4)),
            (self.twice4, self.score3(pool3)),
        ):
            h, w = skip.shape[1:3]
            scores = twice(scores)[:, :h, :w] + skip
        return self.last(scores)[:, : size[0], : size[1]]
        ### END SOLUTION


# %% [markdown]
# ## 7. The step upwards in a U-Net, in Keras
#
# {facts: UNetUpBlockKeras}
#
# The step of exercise 3 as a Keras layer: the same three layers with the same names, in the same
# order, with the skip's channels first.
#
# <details><summary>Hint 1</summary>
#
# `padding="same"` keeps the size of a convolution with stride 1.
#
# </details>


# %% exercise="UNetUpBlockKeras"
class UNetUpBlockKeras(tf.keras.layers.Layer):
    """Enlarge a map, set the skip beside it and convolve twice."""

    def __init__(self, c_in, c_skip, c_out):
        """Make the layers.

        c_in    channels of what comes from below
        c_skip  channels of the skip
        c_out   channels of what comes out
        """
        super().__init__()
        ### BEGIN SOLUTION
        layers = tf.keras.layers
        self.up = layers.Conv2DTranspose(c_out, 2, 2)
        self.first = layers.Conv2D(c_out, 3, padding="same", activation="relu")
        self.second = layers.Conv2D(c_out, 3, padding="same", activation="relu")
        ### END SOLUTION

    def call(self, x, skip):
        """Return a map of the skip's size, (N, H, W, c_out).

        x     tensor of shape (N, ceil(H / 2), ceil(W / 2), c_in)
        skip  tensor of shape (N, H, W, c_skip)
        """
        ### BEGIN SOLUTION
        h, w = skip.shape[1:3]
        x = tf.concat([skip, self.up(x)[:, :h, :w]], axis=-1)
        return self.second(self.first(x))
        ### END SOLUTION


# %% [markdown]
# ## 8. The step upwards in a SegNet, in Keras
#
# {facts: SegNetDecoderBlockKeras}
#
# The step of exercise 4 as a Keras layer: the same two layers with the same names, in the same
# order. Again `size` comes by its name. Two things are different.
#
# - The encoder has pooled with `tf.nn.max_pool_with_argmax(…, include_batch_in_index=True)` and
#   `padding="SAME"`. So each index counts through **the whole batch**, with the channels last: the
#   value of channel c at row i, column j of image n has the index ((n H + i) W + j) C + c.
# - `norm` adds 0.00001 to the variance, as PyTorch does, and not what Keras adds by default. Leave
#   its momentum as it is: in Keras that is the share of the old, in PyTorch that of the new.
#
# <details><summary>Hint 1</summary>
#
# TensorFlow has no unpooling. `tf.scatter_nd` puts values into zeros, at places that it takes as a
# column: a tensor of shape (how many, 1).
#
# </details>
# <details><summary>Hint 2</summary>
#
# Into how many zeros? The map that comes out of unpooling has the size that is given, and as many
# channels as `x`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Keras hands on by itself to the layers inside whether the network is in training.
#
# </details>


# %% exercise="SegNetDecoderBlockKeras"
class SegNetDecoderBlockKeras(tf.keras.layers.Layer):
    """Put values back where the encoder found them, convolve and normalise."""

    def __init__(self, c_in, c_out):
        """Make the layers for c_in channels that come in and c_out that go out."""
        super().__init__()
        ### BEGIN SOLUTION
        self.conv = tf.keras.layers.Conv2D(c_out, 3, padding="same", use_bias=False)
        self.norm = tf.keras.layers.BatchNormalization(epsilon=1e-5)
        ### END SOLUTION

    def call(self, x, indices, size):
        """Return a map of the size that the encoder's had, (N, H, W, c_out).

        x        tensor of shape (N, ceil(H / 2), ceil(W / 2), c_in)
        indices  whole numbers of x's shape, as tf.nn.max_pool_with_argmax returns them
        size     (H, W)
        """
        ### BEGIN SOLUTION
        n, _, _, c = x.shape
        h, w = size
        z = tf.scatter_nd(tf.reshape(indices, (-1, 1)), tf.reshape(x, [-1]), [n * h * w * c])
        z = tf.reshape(z, (n, h, w, c))
        return tf.nn.relu(self.norm(self.conv(z)))
        ### END SOLUTION


# %% [markdown]
# ## 9. ESPCN in Keras
#
# {facts: ESPCNKeras}
#
# The network of exercise 5 as a Keras layer: the same three layers with the same names. The pixel
# shuffle is `tf.nn.depth_to_space`, so the channels are read in **TensorFlow's order**, and the
# kernels of `third` that begin equal are others than in PyTorch.
#
# <details><summary>Hint 1</summary>
#
# A convolution's kernel has the shape (height, width, in, out), and `kernel_initializer` gets it.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In TensorFlow's order, which channels make one block: neighbours, or every so-many-th one?
# `tf.tile` and `tf.repeat` differ in that.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `tf.nn.depth_to_space` refuses blocks of 1 × 1.
#
# </details>


# %% exercise="ESPCNKeras"
class ESPCNKeras(tf.keras.layers.Layer):
    """Three convolutions on the small image, then depth to space."""

    def __init__(self, factor, channels, width):
        """Make the layers.

        factor    how many times as large the image becomes, 1 or more
        channels  of the image
        width     channels behind the first convolution, an even number
        """
        super().__init__()

        ### BEGIN SOLUTION
        def icnr(shape, dtype=None):
            few = tf.keras.initializers.GlorotUniform()((*shape[:-1], channels), dtype=dtype)
            return tf.tile(few, [1, 1, 1, factor**2])

        layers = tf.keras.layers
        self.factor = factor
        self.first = layers.Conv2D(width, 5, padding="same", activation="relu")
        self.second = layers.Conv2D(width // 2, 3, padding="same", activation="relu")
        self.third = layers.Conv2D(channels * factor**2, 3, padding="same", kernel_initializer=icnr)
        ### END SOLUTION

    def call(self, x):
        """Return the enlarged image, (N, factor * H, factor * W, channels).

        x  tensor of shape (N, H, W, channels)
        """
        ### BEGIN SOLUTION
        x = self.third(self.second(self.first(x)))
        return tf.nn.depth_to_space(x, self.factor) if self.factor > 1 else x
        ### END SOLUTION


# %% [markdown]
# ## 10. In your own words
#
# {points: which_block}
#
# A small network is to mark the outlines of cells in microscope images of 500 × 500 pixels, on a
# machine with little memory. Which of these blocks would you take for the way up, and what would
# you change about it? Give your reasons in four to six sentences.
#
# *Marked by hand.* 1 point: a choice that fits thin outlines (the fine map has to be seen: skips or
# switches; not an enlargement by 8 at once without them). 1 point: memory is weighed (a skip keeps
# whole maps, switches keep one index for each window, added scores keep few channels). 1 point: a
# change or a test with a reason (kernel and stride against a checkerboard, interpolation and a
# convolution, fewer channels, how one would measure it).

# %% [markdown] open="which_block" points=3
# ### BEGIN SOLUTION
# Outlines are thin, so the way up has to see the fine maps of the encoder. I would take the U-Net's
# step, because the convolutions behind the skip can use the fine map and the enlarged one together.
# Its price is memory: every skip is a whole map that has to be kept until the way up reaches it. If
# that is too much, I would take the SegNet's step at the largest size, since switches cost one
# index for each window of four pixels, and keep skips at the small sizes only. I would make the
# channels fewer at the top, where the maps are large. And since 2 × 2 with stride 2 gives every
# pixel of a block its own taps, I would compare it with bilinear interpolation and a convolution on
# images left out of training, and look at the spectrum of plain regions for a pattern.
# ### END SOLUTION
