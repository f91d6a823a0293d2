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
# # Problem set 7: initialisation and artifacts
#
# A transposed convolution can do more than its first, random taps. You will give it taps with which
# it interpolates, lay them out for a layer with several channels, and write that layer in PyTorch
# and in TensorFlow. Then you count where copies of a kernel overlap unevenly, and draw weights that
# begin without a pattern. In the end a sub-pixel convolution becomes a transposed one.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# Write with NumPy, unless an exercise says otherwise. `torch` and `tensorflow` have many of these
# operations ready-made, and using them would spoil the fun; a function that does earns nothing.
#
# **Chapters:** *Bilinear initialisation*, *Checkerboards*, and for the last function *Sub-pixel
# convolution is a transposed convolution*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# Three pixels, 10, 40 and 70, are to become nine. Each pixel lays down the taps ⅓, ⅔, 1, ⅔, ⅓,
# multiplied by its value, three places further on than the pixel before it. Where two of these
# copies overlap, they add. The first and the last place lie beyond the outermost pixels; cut them
# off.

# %%
taps = np.array([1, 2, 3, 2, 1]) / 3
full = np.zeros(11)
for i, pixel in enumerate([10, 40, 70]):
    full[3 * i : 3 * i + 5] += pixel * taps
print(full[1:-1])

# %% [markdown]
# Between 10 and 40 the places grow by 10 each, so this is linear interpolation. Only the two
# outermost places are smaller than they should be: the pixels that would have helped them do not
# exist.
#
# ## 1. Predict first: what becomes of a white corner?
#
# {facts: predict_corner}
#
# An image of 3 × 3 ones is enlarged by the **factor 4** with a bilinear transposed convolution, to
# exactly 12 × 12. Which value has the pixel in the top-left corner of the result?
#
# Work it out on paper, as a decimal number or a fraction such as `3 / 8`. The check below only
# notes your answer; you will see for yourself in exercise 4.


# %% exercise="predict_corner"
def predict_corner():
    """Return the value that you expect in the corner, as a number."""
    ### BEGIN SOLUTION
    return 25 / 64
    ### END SOLUTION


# %% [markdown]
# ## 2. The bilinear kernel
#
# {facts: bilinear_kernel}
#
# Make the kernel for any factor. For factor 3 it is the worked example's row of taps, times itself
# as a column.
#
# <details><summary>Hint 1</summary>
#
# One axis first. How many taps are there, and where is the middle of $k$ places, counted from 0?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A tap's weight depends on its distance from the middle alone. It is 1 in the middle. At which
# distance is it 0?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.outer` makes all products of two rows.
#
# </details>


# %% exercise="bilinear_kernel"
def bilinear_kernel(factor):
    """Return the kernel with which a transposed convolution of this stride interpolates.

    factor  whole number, 1 or more

    Returns an array of shape (k, k) with k = 2 * factor - factor % 2.
    """
    ### BEGIN SOLUTION
    k = 2 * factor - factor % 2
    taps = 1 - np.abs(np.arange(k) - (k - 1) / 2) / factor
    return np.outer(taps, taps)
    ### END SOLUTION


# %% [markdown]
# ## 3. The weight of a layer
#
# {facts: bilinear_weight}
#
# A layer that takes in `channels` channels and gives out as many has a kernel for each pair of
# them, in PyTorch's layout (in, out, height, width). Lay your kernel out so that every channel is
# interpolated by itself. You may call your own `bilinear_kernel`; while this exercise is graded, a
# right one stands in for it.
#
# <details><summary>Hint 1</summary>
#
# Start from zeros. Which pairs of channels get the kernel?
#
# </details>


# %% exercise="bilinear_weight"
def bilinear_weight(channels, factor):
    """Return the weight of a transposed convolution that interpolates each channel by itself.

    channels  how many channels go in and come out, 1 or more
    factor    whole number, 1 or more

    Returns an array of shape (channels, channels, k, k) with k = 2 * factor - factor % 2.
    """
    ### BEGIN SOLUTION
    kernel = bilinear_kernel(factor)
    weight = np.zeros((channels, channels, *kernel.shape))
    for c in range(channels):
        weight[c, c] = kernel
    return weight
    ### END SOLUTION


# %% [markdown]
# ## 4. An interpolating layer in PyTorch
#
# {facts: upsample_layer_torch}
#
# Now the layer, on PyTorch's tensors and **with PyTorch's operations**, so that gradients pass
# through it. Use a transposed convolution whose stride is the factor. Height and width have to come
# out exactly `factor` times as large, and inside the image the values are those of bilinear
# interpolation. At the border leave what the transposed convolution gives.
#
# The result has the type of `x`. You may again call your own `bilinear_kernel`.
#
# <details><summary>Hint 1</summary>
#
# The full result is $(n - 1)\,s + k$ long. How many places have to go at each end, so that $s\,n$
# are left? Work it out for an even and for an odd factor.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The channels must not mix. Take the weight of exercise 3, or one kernel for each channel and as
# many `groups` as there are channels.
#
# </details>
# <details><summary>Hint 3</summary>
#
# PyTorch refuses a kernel of another type than the image. `kernel.to(x)` brings it to the type and
# the device of `x`.
#
# </details>

# %%
import torch
import torch.nn.functional as F


# %% exercise="upsample_layer_torch"
def upsample_layer_torch(x, factor):
    """Enlarge a batch of images by a bilinear transposed convolution.

    x       tensor of shape (N, C, H, W), floating
    factor  whole number, 1 or more

    Returns a tensor of shape (N, C, factor * H, factor * W) and of x's type.
    """
    ### BEGIN SOLUTION
    kernel = torch.tensor(bilinear_kernel(factor)).to(x)
    channels = x.shape[1]
    weight = kernel.expand(channels, 1, *kernel.shape)
    return F.conv_transpose2d(x, weight, stride=factor, padding=factor // 2, groups=channels)
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
print(upsample_layer_torch(torch.ones(1, 1, 3, 3), 4)[0, 0, 0, 0])

# %% [markdown]
# ## 5. An interpolating layer in TensorFlow
#
# {facts: upsample_layer_tf}
#
# The same in TensorFlow, with the channels last. It has to work inside a `tf.function` too, where
# only the number of channels is known beforehand and neither the batch nor the height nor the
# width.
#
# <details><summary>Hint 1</summary>
#
# `tf.nn.conv2d_transpose` has no groups on a CPU. Its kernel has the layout (height, width, out,
# in), and the channels must not mix.
#
# </details>
# <details><summary>Hint 2</summary>
#
# You have to state the `output_shape`. With `SAME`, TensorFlow crops until it is reached, in front
# and at the end alike if it can.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Inside a `tf.function`, `x.shape` holds a `None` for each size that is unknown. `tf.shape(x)` is a
# tensor, and you may compute with it.
#
# </details>

# %%
import tensorflow as tf


# %% exercise="upsample_layer_tf"
def upsample_layer_tf(x, factor):
    """Enlarge a batch of images by a bilinear transposed convolution.

    x       tensor of shape (N, H, W, C), floating; C is always known
    factor  whole number, 1 or more

    Returns a tensor of shape (N, factor * H, factor * W, C) and of x's type.
    """
    ### BEGIN SOLUTION
    channels = x.shape[3]
    kernel = bilinear_kernel(factor)[:, :, None, None] * np.eye(channels)
    size = tf.shape(x) * [1, factor, factor, 1]
    return tf.nn.conv2d_transpose(x, tf.cast(kernel, x.dtype), size, factor, "SAME")
    ### END SOLUTION


# %% [markdown]
# ## 6. Predict first: how bright is the brightest square?
#
# {facts: predict_largest_overlap}
#
# An image of 6 × 6 ones goes through a transposed convolution with a kernel of **5 × 5** ones and
# **stride 2**. Nothing is cropped. Which is the largest number in the result?
#
# Work it out on paper. The check below only notes your answer; you will see for yourself in the
# next exercise.


# %% exercise="predict_largest_overlap"
def predict_largest_overlap():
    """Return the number that you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 9
    ### END SOLUTION


# %% [markdown]
# ## 7. Counting overlaps
#
# {facts: overlap_count}
#
# In one dimension, n inputs lay down copies of a kernel with k taps, each s places after the one
# before it. Count for every place of the full result how many copies reach it.
#
# <details><summary>Hint 1</summary>
#
# How long is the full result? Where does the copy of input i begin and end?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Start from zeros, and let each copy add 1 wherever it lies.
#
# </details>


# %% exercise="overlap_count"
def overlap_count(n, k, s):
    """Return how many copies of the kernel reach each place of a transposed convolution.

    n  number of inputs, 1 or more
    k  number of taps, 1 or more
    s  stride, 1 or more

    Returns a 1-D array of whole numbers, one for each place of the full result, nothing cropped.
    """
    ### BEGIN SOLUTION
    counts = np.zeros((n - 1) * s + k, dtype=int)
    for i in range(n):
        counts[i * s : i * s + k] += 1
    return counts
    ### END SOLUTION


# %% [markdown]
# In two dimensions the counts of the axes multiply. Was your prediction right? Run this once your
# function passes its check.

# %%
print(np.outer(overlap_count(6, 5, 2), overlap_count(6, 5, 2)).max())

# %% [markdown]
# ## 8. Even or uneven?
#
# {facts: is_uniform}
#
# Away from the ends: do all places get equally many copies?
#
# <details><summary>Hint 1</summary>
#
# Print `overlap_count(9, k, 3)` for k from 1 to 9, and look at the middle.
#
# </details>


# %% exercise="is_uniform"
def is_uniform(k, s):
    """Return whether all places in the middle are reached by equally many copies.

    k  number of taps, 1 or more
    s  stride, 1 or more

    Returns True or False.
    """
    ### BEGIN SOLUTION
    return k % s == 0
    ### END SOLUTION


# %% [markdown]
# ## 9. ICNR
#
# {facts: icnr}
#
# A sub-pixel convolution, that is a convolution and then `F.pixel_shuffle(…, r)`, is to begin as
# *nearest* interpolation of something: without a pattern on a plain image. Draw the weights of its
# convolution, in PyTorch's layout.
#
# `rng` is a generator as `np.random.default_rng` makes it; take every random number from it. Draw
# the taps with a mean of 0 and a standard deviation of about $1 / \sqrt{\text{in} \cdot k_h \cdot
# k_w}$, so that the sums come out about as large as the inputs. Anything from half to one and a
# half times that will do, and normal or uniform numbers alike.
#
# The check hands in the generator's seed as `rng`, and looks at one property at a time. `about`
# says at which.
#
# <details><summary>Hint 1</summary>
#
# Of the `shape[0]` kernels, only `shape[0] // r**2` are drawn.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Which channels does `pixel_shuffle` put into the same block: neighbours, or every so-many-th one?
# `np.repeat` and `np.tile` differ in that.
#
# </details>


# %% exercise="icnr"
def icnr(shape, r, rng):
    """Return random weights for the convolution before a pixel shuffle, without a pattern.

    shape  (out, in, kh, kw), the shape of the result; out is a multiple of r * r
    r      factor of the pixel shuffle, 1 or more
    rng    numpy.random.Generator

    Returns an array of this shape. The r * r kernels that make one block of pixels are equal.
    """
    ### BEGIN SOLUTION
    out, *rest = shape
    kernels = rng.standard_normal((out // r**2, *rest)) / np.sqrt(np.prod(rest))
    return np.repeat(kernels, r**2, axis=0)
    ### END SOLUTION


# %% [markdown]
# ## 10. From sub-pixel to transposed
#
# {facts: subpixel_to_transposed}
#
# A convolution with weights `w` and stride 1, followed by `F.pixel_shuffle(…, r)`, is a single
# transposed convolution with stride r. Lay the weights out for it. Nothing is computed: every
# number of `w` gets a place in the result.
#
# If the convolution had p rows of padding and kernels of $k_h$ rows, the transposed convolution has
# $(k_h - 1 - p) \, r$ rows of padding; for the columns it is the same. Its weights do not depend on
# the padding.
#
# <details><summary>Hint 1</summary>
#
# The weights of a transposed convolution are its *stamp*: what a single 1 becomes. Put a single 1
# into the convolution and the shuffle, with paper and with `w` as in the first checks.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Split the first axis of `w` into three, in PyTorch's order: output channel, row of the block,
# column of the block.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Split, flip, move, join. Which axis has to stand directly behind the rows of the small kernel?
#
# </details>


# %% exercise="subpixel_to_transposed"
def subpixel_to_transposed(w, r):
    """Return the weights of the transposed convolution that equals convolution and pixel shuffle.

    w  the convolution's weights, of shape (C * r * r, in, kh, kw), floating
    r  factor of the pixel shuffle, 1 or more

    Returns an array of shape (in, C, r * kh, r * kw) and of w's type, for the stride r.
    """
    ### BEGIN SOLUTION
    out, channels, kh, kw = w.shape
    split = w.reshape(out // r**2, r, r, channels, kh, kw)[..., ::-1, ::-1]
    moved = split.transpose(3, 0, 4, 1, 5, 2)
    return moved.reshape(channels, out // r**2, kh * r, kw * r)
    ### END SOLUTION


# %% [markdown]
# ## 11. In your own words
#
# {points: why_learn_it}
#
# Somebody says: "A transposed convolution with bilinear taps does what `F.interpolate` does, and
# does it worse at the border. So there is never a reason to use one." In four to six sentences:
# what is right about it, what is not, and when would you use which?
#
# *Marked by hand.* 1 point: what is right (equal inside, too dark in the rim; interpolation has
# nothing to learn and nothing to go wrong). 1 point: what is not (the taps are a beginning and are
# learned, so the layer may end as something else; or it may mix its channels). 1 point: a choice
# between the two with a reason that fits it.

# %% [markdown] open="why_learn_it" points=3
# ### BEGIN SOLUTION
# It is right that inside the image both give the same numbers before training, and that in a rim
# of factor // 2 pixels the transposed convolution comes out too dark, because nothing is sent from
# beyond the border. Interpolation has no taps, so it costs no memory for them and cannot learn a
# bad pattern. But the bilinear taps are only where the layer begins. In training they change, and
# they may become sharper than bilinear or mix channels, which interpolation never does. I would use
# interpolation where the result only has to be larger, for example for the scores at the end of a
# segmentation network, and a transposed convolution that begins bilinear where there is something
# to learn on the way up.
# ### END SOLUTION
