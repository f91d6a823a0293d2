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
# # Problem set 1: resampling
#
# You will make images larger (and smaller) by hand. First you work out *where* each pixel of the
# output lies in the input, then *which* input pixels it is made of and *how much* each of them
# counts. At the end you move channels into space. You will have built what
# `torch.nn.functional.interpolate`, `tf.image.resize`, `torch.pixel_shuffle` and
# `tf.nn.depth_to_space` compute.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points: a function that is right for whole factors only still earns something.
#
# Write with NumPy only. The frameworks have these operations ready-made, and using them would
# spoil the fun; a function that does earns nothing. You may call functions of earlier exercises.
# While an exercise is judged, those are ours: a mistake in exercise 1 costs you nothing in
# exercise 4.
#
# Images have the shape `(N, C, H, W)`: a batch of N, each with C channels of H rows and W
# columns. Only exercise 11 has its channels at the end.
#
# **Chapters:** *Sampling grids*, *Linear, bilinear, cubic* and *Moving channels into space*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# A row of 3 pixels is to become a row of 4. Each output asks: *where in the input do I come
# from?* Lay both rows side by side, equally long. An output pixel is then 3/4 of an input pixel
# wide, so the left edge of output $i$ lies at $i \cdot 3/4$:
#
# | output $i$ | 0 | 1 | 2 | 3 |
# | --- | --- | --- | --- | --- |
# | its left edge, in input pixels | 0 | 0.75 | 1.5 | 2.25 |
# | the same with the fraction cut off | 0 | 0 | 1 | 2 |
#
# So outputs 0 and 1 copy input 0, output 2 copies input 1 and output 3 copies input 2. Note the
# direction: we go from the output back to the input. That way no output is left without a value.

# %%
x = np.array([10, 20, 30])
edges = np.arange(4) * 3 / 4
print(edges, "->", np.floor(edges), "->", x[np.floor(edges).astype(int)])

# %% [markdown]
# ## 1. Which pixel is the nearest?
#
# {facts: nearest_indices}
#
# Write the lookup of the worked example for any two lengths. This is PyTorch's
# `mode="nearest"`, along one axis.
#
# The definition is exact: $\lfloor i \cdot n_\text{in} / n_\text{out} \rfloor$. Frameworks compute
# it with numbers that are rounded, which for a few pairs of sizes, such as 26 to 22, gives
# another index. The tests keep to sizes where that makes no difference.
#
# <details><summary>Hint 1</summary>
#
# What is $i \cdot n_\text{in} / n_\text{out}$ for the last $i$? Can it reach $n_\text{in}$?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Python has an operator that divides and cuts off at once. It works on whole arrays too.
#
# </details>


# %% exercise="nearest_indices"
def nearest_indices(n_in, n_out):
    """Return which input pixel each output copies.

    n_in   length of the input, 1 or more
    n_out  length of the output, 1 or more; it may be the smaller of the two

    Returns an array of n_out whole numbers from 0 to n_in - 1.
    """
    ### BEGIN SOLUTION
    return np.arange(n_out) * n_in // n_out
    ### END SOLUTION


# %% [markdown]
# ## 2. Predict first: where does the last output look?
#
# {facts: predict_source_coordinate}
#
# The *left edge* of an output pixel was good enough for copying. To weigh neighbours against each
# other we need to know where its *centre* lies. A pixel's centre is half a pixel to the right of
# its left edge, in the output and in the input. Coordinates count from centre to centre: the
# centre of input 0 has the coordinate 0, that of input 1 the coordinate 1. This is the grid called
# **half_pixel**.
#
# A row of 5 becomes a row of 8. At which coordinate of the input does the centre of output **7**,
# the last one, lie?
#
# Work it out on paper, before you write any code. The check below only notes your answer; you
# will see for yourself in the next exercise.


# %% exercise="predict_source_coordinate"
def predict_source_coordinate():
    """Return the coordinate that you expect, a number with a fraction if need be."""
    ### BEGIN SOLUTION
    return 4.1875
    ### END SOLUTION


# %% [markdown]
# ## 3. Three grids
#
# {facts: source_coordinates}
#
# There are three ways to lay the output over the input, and frameworks have disagreed about them
# for years. From 2 pixels to 4:
#
# | mode | what coincides | coordinates of the outputs |
# | --- | --- | --- |
# | `half_pixel` | the outer edges of the two rows | −0.25, 0.25, 0.75, 1.25 |
# | `align_corners` | the centres of the first pixels, and of the last | 0, 1/3, 2/3, 1 |
# | `asymmetric` | the centres of the first pixels only | 0, 0.5, 1, 1.5 |
#
# The steps of `half_pixel` and `asymmetric` are $n_\text{in} / n_\text{out}$ long, those of
# `align_corners` are not. A coordinate may lie before the first pixel's centre or after the last
# one's. Leave it there.
#
# <details><summary>Hint 1</summary>
#
# For `half_pixel`, take your prediction apart: from output index to output centre, from output
# pixels to input pixels, from input edge to input centre. That is three small steps.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For `align_corners`: how many gaps are there between $n$ pixels? With a single output there is
# no gap at all; it falls on input 0.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Any other mode is a typing error of whoever calls you. Tell them: `raise ValueError(...)`, with
# a message that says what was wrong.
#
# </details>


# %% exercise="source_coordinates"
def source_coordinates(n_in, n_out, mode):
    """Return where in the input each output lies.

    n_in   length of the input, 1 or more
    n_out  length of the output, 1 or more
    mode   "half_pixel", "align_corners" or "asymmetric"

    Returns an array of n_out numbers; 0 is the centre of the first input pixel. They are not
    clamped. Raises ValueError if the mode is another.
    """
    ### BEGIN SOLUTION
    i = np.arange(n_out)
    if mode == "half_pixel":
        return (i + 0.5) * n_in / n_out - 0.5
    if mode == "align_corners":
        return i * (n_in - 1) / max(n_out - 1, 1)
    if mode == "asymmetric":
        return i * n_in / n_out
    raise ValueError(f"mode is half_pixel, align_corners or asymmetric, not {mode!r}")
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
source_coordinates(5, 8, "half_pixel")[7]

# %% [markdown]
# ## 4. Nearest neighbours in 2-D
#
# {facts: upsample_nearest2d}
#
# Now resize whole images by copying pixels. Rows and columns do not know of each other: the row of
# an output tells which input row it comes from, its column tells which input column.
#
# $$
# \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \;\to\;
# \begin{pmatrix} 1 & 1 & 2 \\ 1 & 1 & 2 \\ 3 & 3 & 4 \end{pmatrix}
# $$
#
# `size` is the pair (height, width) of the output, in this order, or one number for both.
#
# <details><summary>Hint 1</summary>
#
# You wrote exercise 1 for this. Call it twice.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `x[:, :, rows]` picks rows in every channel of every image at once. Then do the columns. Doing
# both in one pair of brackets is another thing: try it on the example above and see.
#
# </details>


# %% exercise="upsample_nearest2d"
def upsample_nearest2d(x, size):
    """Resize images to the given size by copying pixels, as nearest_indices says.

    x     array of shape (N, C, H, W), floating
    size  (height, width) of the output, or one whole number for both

    Returns an array of shape (N, C, height, width) of x's type. x is left as it is.
    """
    ### BEGIN SOLUTION
    height, width = (size, size) if np.ndim(size) == 0 else size
    rows = nearest_indices(x.shape[2], height)
    columns = nearest_indices(x.shape[3], width)
    return x[:, :, rows][:, :, :, columns]
    ### END SOLUTION


# %% [markdown]
# ## 5. Linear interpolation as a matrix
#
# {facts: linear_matrix}
#
# An output that lies between two pixels takes something of both, and more of the nearer one. At
# the coordinate 0.25 it is $0.75\,x_0 + 0.25\,x_1$. Every output is a weighted sum of the inputs,
# so there is a matrix $M$ with $z = M x$. From 2 pixels to 4, on the `half_pixel` grid:
#
# $$
# M = \begin{pmatrix} 1 & 0 \\ 0.75 & 0.25 \\ 0.25 & 0.75 \\ 0 & 1 \end{pmatrix}.
# $$
#
# Output 0 lies at −0.25, before the centre of the first pixel. It is *clamped*: it takes all of
# input 0. Every row sums to 1, so a flat grey picture stays as it is.
#
# With `align_corners=True` the grid is `align_corners`, else it is `half_pixel`. Nothing changes
# when the output is the smaller one: each row still looks at two neighbours only.
#
# <details><summary>Hint 1</summary>
#
# You have the coordinates. Clamp them to the input first. Which two pixels does a coordinate lie
# between, and how far is it from the left one?
#
# </details>
# <details><summary>Hint 2</summary>
#
# At the last pixel there is no right neighbour. Its weight is 0, but its index must not be
# beyond the end, nor may writing that 0 destroy the 1 that is already there.
#
# </details>
# <details><summary>Hint 3</summary>
#
# There is another way, without neighbours: pixel $j$ counts $1 - d$ where $d$ is its distance
# from the coordinate, and nothing if that is negative.
#
# </details>


# %% exercise="linear_matrix"
def linear_matrix(n_in, n_out, align_corners=False):
    """Return the matrix that interpolates n_in values linearly to n_out.

    n_in           length of the input, 1 or more
    n_out          length of the output, 1 or more
    align_corners  whether the grid is align_corners; else it is half_pixel

    Returns an array of shape (n_out, n_in), floating, whose rows sum to 1.
    """
    ### BEGIN SOLUTION
    mode = "align_corners" if align_corners else "half_pixel"
    at = np.clip(source_coordinates(n_in, n_out, mode), 0, n_in - 1)
    distance = np.abs(at[:, None] - np.arange(n_in))
    return np.maximum(0, 1 - distance)
    ### END SOLUTION


# %% [markdown]
# ## 6. Bilinear interpolation
#
# {facts: upsample_bilinear2d}
#
# In two dimensions an output lies between four pixels. The weights of rows and columns multiply,
# and so you may do one axis after the other: first mix rows, then columns.
#
# Take the picture $\begin{pmatrix} 0 & 8 \\ 16 & 24 \end{pmatrix}$ and the place at row 0.25,
# column 0.75. Mixing the rows gives $(4, 12)$; mixing those gives 10. Check that the other order
# gives 10 as well.
#
# <details><summary>Hint 1</summary>
#
# One matrix mixes rows, another mixes columns. On which side of an image does each stand?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `@` works on the last two axes of an array and leaves the others alone.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Your matrix holds float64 numbers. What type has the result then, and what type should it have?
#
# </details>


# %% exercise="upsample_bilinear2d"
def upsample_bilinear2d(x, size, align_corners=False):
    """Resize images to the given size, linearly along rows and columns.

    x              array of shape (N, C, H, W), floating
    size           (height, width) of the output, or one whole number for both
    align_corners  whether the grid is align_corners; else it is half_pixel

    Returns an array of shape (N, C, height, width) of x's type. x is left as it is.
    """
    ### BEGIN SOLUTION
    height, width = (size, size) if np.ndim(size) == 0 else size
    rows = linear_matrix(x.shape[2], height, align_corners)
    columns = linear_matrix(x.shape[3], width, align_corners)
    return (rows @ x @ columns.T).astype(x.dtype)
    ### END SOLUTION


# %% [markdown]
# ## 7. Bicubic interpolation
#
# {facts: upsample_bicubic2d}
#
# Linear weights draw straight lines from pixel to pixel. Cubic weights take four pixels along each
# axis, two on either side, and draw a smooth curve. A pixel at the distance $d$ counts
#
# $$
# k(d) = \begin{cases}
# (a + 2)\,d^3 - (a + 3)\,d^2 + 1 & \text{if } d \le 1, \\
# a\,d^3 - 5a\,d^2 + 8a\,d - 4a & \text{if } 1 < d < 2, \\
# 0 & \text{otherwise.}
# \end{cases}
# $$
#
# PyTorch takes $a = -0.75$. TensorFlow takes $a = -0.5$, as Keys did in 1981.
#
# Work one out: halfway between two pixels the distances are 1.5, 0.5, 0.5 and 1.5. With
# $a = -0.75$ the weights are −3/32, 19/32, 19/32 and −3/32. They sum to 1, and the outer ones are
# negative: beside an edge the result may overshoot.
#
# Beyond the border, *the border's own pixel stands in* for each pixel that is missing, as in
# PyTorch. (`tf.image.resize` does otherwise: it leaves the missing pixels out and divides by the
# sum of the weights that remain. Near the border its results are different, even with the same
# $a$.) And again nothing changes when the output is the smaller one.
#
# <details><summary>Hint 1</summary>
#
# One axis after the other, as before. What you need is a matrix like that of exercise 5, with
# four weights a row.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In exercise 5 you clamped the coordinate. Here a coordinate stays what it is, so that the
# distances are true; it is the indices of the four pixels that must not leave the image.
#
# </details>
# <details><summary>Hint 3</summary>
#
# At the border several of the four pixels are the same one. Its weights add up. A picture that
# is the same everywhere has to stay as it is: try that.
#
# </details>


# %% exercise="upsample_bicubic2d"
def upsample_bicubic2d(x, size, a=-0.75, align_corners=False):
    """Resize images to the given size with cubic weights along rows and columns.

    x              array of shape (N, C, H, W), floating
    size           (height, width) of the output, or one whole number for both
    a              slope of the kernel at distance 1, below 0
    align_corners  whether the grid is align_corners; else it is half_pixel

    Returns an array of shape (N, C, height, width) of x's type. x is left as it is. Pixels
    beyond the border are taken to be like the border's own.
    """
    ### BEGIN SOLUTION

    def kernel(d):
        near = (a + 2) * d**3 - (a + 3) * d**2 + 1
        far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
        return near if d <= 1 else far if d < 2 else 0

    def matrix(n_in, n_out):
        mode = "align_corners" if align_corners else "half_pixel"
        weights = np.zeros((n_out, n_in))
        for i, at in enumerate(source_coordinates(n_in, n_out, mode)):
            left = int(np.floor(at))
            for j in range(left - 1, left + 3):
                weights[i, min(max(j, 0), n_in - 1)] += kernel(abs(at - j))
        return weights

    height, width = (size, size) if np.ndim(size) == 0 else size
    rows, columns = matrix(x.shape[2], height), matrix(x.shape[3], width)
    return (rows @ x @ columns.T).astype(x.dtype)
    ### END SOLUTION


# %% [markdown]
# ## 8. Predict first: which channel lands here?
#
# {facts: predict_shuffled_channel}
#
# The last three exercises make an image larger without inventing anything: they take the pixels
# from its channels. *Pixel shuffle* with $r = 2$ turns each group of four channels into one
# channel of twice the height and width. Every place $(h, w)$ becomes a block of 2 by 2 pixels,
# which the four channels of the group fill row by row:
#
# $$
# \begin{pmatrix} \text{channel } 0 & \text{channel } 1 \\
# \text{channel } 2 & \text{channel } 3 \end{pmatrix}
# $$
#
# The first four channels make output channel 0, the next four output channel 1, and so on.
#
# An image has **20** channels, 1 row and 1 column. From which of its channels (counting from 0)
# does the pixel in output channel **2**, row **1**, column **0** come?


# %% exercise="predict_shuffled_channel"
def predict_shuffled_channel():
    """Return the number of the channel that you expect, counting from 0."""
    ### BEGIN SOLUTION
    return 10
    ### END SOLUTION


# %% [markdown]
# ## 9. Pixel shuffle
#
# {facts: pixel_shuffle}
#
# Now for all pixels at once and any $r$. With $r = 2$, one row and two columns:
#
# $$
# \begin{matrix} (1 \; 2) \\ (3 \; 4) \\ (5 \; 6) \\ (7 \; 8) \end{matrix}
# \quad \to \quad
# \begin{pmatrix} 1 & 3 & 2 & 4 \\ 5 & 7 & 6 & 8 \end{pmatrix}
# $$
#
# <details><summary>Hint 1</summary>
#
# Loops are fine: for each of the $r \cdot r$ places in a block, which channels land there? In the
# output these pixels lie $r$ apart, so a slice with a step holds them.
#
# </details>
# <details><summary>Hint 2</summary>
#
# There is a way in three calls: split the axis of the channels into three, bring each part of the
# block beside the axis that it makes longer, and join them. In the output, does a row's index
# change faster with the input's row or with the block's?
#
# </details>


# %% exercise="pixel_shuffle"
def pixel_shuffle(x, r):
    """Turn each group of r * r channels into one channel, r times as high and as wide.

    x  array of shape (N, C * r * r, H, W)
    r  side of a block, 1 or more

    Returns an array of shape (N, C, H * r, W * r) of x's type. x is left as it is. The channels
    of a group fill each block row by row.
    """
    ### BEGIN SOLUTION
    n, channels, h, w = x.shape
    c = channels // (r * r)
    blocks = x.reshape(n, c, r, r, h, w)
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(n, c, h * r, w * r)
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
pixel_shuffle(np.arange(20).reshape(1, 20, 1, 1), 2)[0, 2, 1, 0]

# %% [markdown]
# ## 10. Pixel unshuffle
#
# {facts: pixel_unshuffle}
#
# The way back: every block of $r$ by $r$ pixels becomes one pixel in $r \cdot r$ channels. Nothing
# is lost, so `pixel_unshuffle(pixel_shuffle(x, r), r)` is `x`.
#
# <details><summary>Hint 1</summary>
#
# Every step of a pixel shuffle can be undone. In which order?
#
# </details>
# <details><summary>Hint 2</summary>
#
# If you wrote slices: swap the two sides of the assignment.
#
# </details>


# %% exercise="pixel_unshuffle"
def pixel_unshuffle(x, r):
    """Turn every block of r by r pixels into one pixel of r * r channels.

    x  array of shape (N, C, H * r, W * r)
    r  side of a block, 1 or more

    Returns an array of shape (N, C * r * r, H, W) of x's type, so that pixel_shuffle gives x
    again. x is left as it is.
    """
    ### BEGIN SOLUTION
    n, c, height, width = x.shape
    h, w = height // r, width // r
    blocks = x.reshape(n, c, h, r, w, r)
    return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h, w)
    ### END SOLUTION


# %% [markdown]
# ## 11. Depth to space
#
# {facts: depth_to_space_nhwc}
#
# TensorFlow has the same operation under another name, with two differences. The channels come
# last: images are `(N, H, W, C)`. And the channels stand in another order. The first $C$ of the
# $C \cdot r^2$ input channels go to the top left of every block, and there they are output channels
# 0 to $C - 1$; the next $C$ go to the place to its right; and so on, row by row. With $r = 2$,
# one pixel of eight channels becomes a block with two channels:
#
# $$
# (1, 2, 3, 4, 5, 6, 7, 8) \quad \to \quad
# \begin{pmatrix} (1, 2) & (3, 4) \\ (5, 6) & (7, 8) \end{pmatrix}
# $$
#
# In PyTorch's order, (1, 5) would be in the top left.
#
# <details><summary>Hint 1</summary>
#
# Which of the three parts of the channel axis changes fastest, and which slowest? That tells how
# to split it.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Here the parts of the block have to move across fewer axes than in `pixel_shuffle`: only one
# pair of neighbours changes places.
#
# </details>


# %% exercise="depth_to_space_nhwc"
def depth_to_space_nhwc(x, r):
    """Turn r * r sets of channels into blocks of r by r pixels, in TensorFlow's order.

    x  array of shape (N, H, W, C * r * r)
    r  side of a block, 2 or more

    Returns an array of shape (N, H * r, W * r, C) of x's type. x is left as it is. The sets of C
    channels fill each block row by row.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x.shape
    c = channels // (r * r)
    blocks = x.reshape(n, h, w, r, r, c)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * r, w * r, c)
    ### END SOLUTION


# %% [markdown]
# ## 12. In your own words
#
# {points: which_grid}
#
# A friend has trained a network in PyTorch that enlarges its result with
# `F.interpolate(..., mode="bilinear", align_corners=True)`. For the phone app it is written again
# with `tf.image.resize`. The weights of the network are the same, and yet the masks no longer fit
# the picture exactly. In three to five sentences and one small example with numbers of your own,
# explain to your friend what has changed, and where in the picture it shows most and least.

# %% [markdown] open="which_grid" points=3
# ### BEGIN SOLUTION
# `align_corners=True` lays the centres of the corner pixels on each other; `tf.image.resize` uses
# half pixels and lays the outer edges of the image on each other. From 3 to 9 pixels, output 1
# lies at 1 · 2/8 = 0.25 with align_corners, and at 1.5 · 3/9 − 0.5 = 0 with half pixels: what was
# at 0.25 is now read at 0. Output 4, in the middle, lies at 1 on both grids. To the left of it the
# half-pixel grid looks further left, to the right of it further right, more and more towards the
# border, so the picture appears shrunk towards its centre. Only at the very border both show the
# border's pixel, because coordinates beyond it are clamped. It should be
# `align_corners=False` in training, or TensorFlow has to be given the other grid.
#
# *How it is marked.* 1 point: the two grids are named, and what each makes coincide. 1 point: an
# example with the coordinates of at least one output on both grids, with numbers that are right.
# 1 point: where it shows. There is no difference in the middle of the picture; it grows towards
# either side, in opposite directions, until clamping at the border hides it again.
# ### END SOLUTION
