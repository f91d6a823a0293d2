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
# # Problem set 9: fast
#
# You have written transposed convolutions with loops and with slices. Now you write the one that
# libraries are built on: a single matrix product, and a pass that adds what it gives to the right
# places. It has to be right, and at least twenty times as fast as seven loops.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# Write with NumPy. `torch` and `tensorflow` have these operations ready-made, and using them would
# spoil the fun; a function that does earns nothing.
#
# **Chapter:** *From loops to matrix products*.

# %%
import time

import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# An image with two rows and three columns, and windows of 2 × 2. Two of them fit, one beside the
# other. Written as columns, one window each, tap by tap along the rows of the window:
#
# $$
# \begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \end{pmatrix} \quad\to\quad
# \begin{pmatrix} 1 & 2 \\ 2 & 3 \\ 4 & 5 \\ 5 & 6 \end{pmatrix}.
# $$
#
# The 2 and the 5 lie in both windows, so they stand in both columns. A kernel of 2 × 2, written as
# a row of four numbers, times this matrix is the convolution: one number for each window.

# %%
columns = np.array([[1.0, 2], [2, 3], [4, 5], [5, 6]])
kernel = np.array([[1.0, 10], [100, 1000]])
print(kernel.reshape(1, 4) @ columns)

# %% [markdown]
# And this is the transposed convolution with seven loops: every multiplication by itself, one after
# the other. It is right, and slow. In exercise 4 your function is timed against it.


# %%
def loops(x, w, stride=1, padding=0):
    """Every multiplication by itself: seven loops."""
    (n, c, height, width), (_, m, k, _) = x.shape, w.shape
    tall, wide = (height - 1) * stride + k, (width - 1) * stride + k
    z = np.zeros((n, m, tall, wide), x.dtype)
    for image in range(n):
        for a in range(c):
            for b in range(m):
                for i in range(height):
                    for j in range(width):
                        for u in range(k):
                            for v in range(k):
                                product = x[image, a, i, j] * w[a, b, u, v]
                                z[image, b, i * stride + u, j * stride + v] += product
    return z[:, :, padding : tall - padding, padding : wide - padding]


# %% [markdown]
# ## 1. Predict first: how much does it grow?
#
# {facts: predict_column_numbers}
#
# An image of 8 × 8 with one channel, a kernel of 3 × 3, **stride 2** and `padding=1`. How many
# numbers does the matrix of its windows hold?
#
# Work it out on paper. The check below only notes your answer; you will see for yourself in the
# next exercise.


# %% exercise="predict_column_numbers"
def predict_column_numbers():
    """Return how many numbers you expect in the matrix, as a whole number."""
    ### BEGIN SOLUTION
    return 144
    ### END SOLUTION


# %% [markdown]
# ## 2. Windows as columns
#
# {facts: im2col}
#
# Write `im2col`: every window of every image as a column. With several channels, a column holds the
# window of channel 0 first, then that of channel 1, and so on. The windows follow each other along
# the rows of the image. What lies in the padding is 0.
#
# `kernel_size`, `stride`, `padding` and `dilation` may each be one number for both directions, or a
# pair: first down, then across.
#
# <details><summary>Hint 1</summary>
#
# A loop over the windows is slow. How many taps are there, compared with windows? One row of the
# matrix belongs to one tap of one channel.
#
# </details>
# <details><summary>Hint 2</summary>
#
# What do all windows have at their tap (0, 0)? It is a slice of the padded image, with a step.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Fill an array of shape (N, C, kh, kw, h_out, w_out), then `reshape` it.
#
# </details>


# %% exercise="im2col"
def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """Return every window of x as a column.

    x            array of shape (N, C, H, W)
    kernel_size  height and width of the windows, a number or a pair (down, across)
    stride       1 or more, or a pair
    padding      zeros round the image, 0 or more, or a pair
    dilation     how far apart the taps of a window stand, 1 or more, or a pair

    Returns an array of shape (N, C * kh * kw, windows) of x's type. There is room for one window
    at least.
    """
    ### BEGIN SOLUTION
    pairs = [(a, a) if np.ndim(a) == 0 else a for a in (kernel_size, stride, padding, dilation)]
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pairs
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, c, height, width = x.shape
    down = (height - (kh - 1) * dh - 1) // sh + 1
    across = (width - (kw - 1) * dw - 1) // sw + 1
    cols = np.empty((n, c, kh, kw, down, across), x.dtype)
    for u in range(kh):
        rows = slice(u * dh, u * dh + (down - 1) * sh + 1, sh)
        for v in range(kw):
            cols[:, :, u, v] = x[:, :, rows, v * dw : v * dw + (across - 1) * sw + 1 : sw]
    return cols.reshape(n, c * kh * kw, down * across)
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
print(im2col(np.zeros((1, 1, 8, 8)), 3, stride=2, padding=1).size)

# %% [markdown]
# ## 3. Columns back into an image
#
# {facts: col2im}
#
# `col2im` goes the other way: every number of a column is added to the pixel it would have been
# taken from. `output_size` is the size of the image; the windows are those that `im2col` takes from
# an image of that size.
#
# <details><summary>Hint 1</summary>
#
# Where two windows overlap, their numbers add up. And what happens to numbers that belong to the
# padding?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Undo your `reshape` of `im2col`, and go through the taps again: what was read from a slice is now
# added to it.
#
# </details>


# %% exercise="col2im"
def col2im(cols, output_size, kernel_size, stride=1, padding=0, dilation=1):
    """Return the images to whose pixels the columns' numbers have been added.

    cols         array of shape (N, C * kh * kw, windows)
    output_size  height and width of the images, a pair
    kernel_size  height and width of the windows, a number or a pair (down, across)
    stride       1 or more, or a pair
    padding      rows and columns at each side that do not belong to the images, or a pair
    dilation     how far apart the taps of a window stand, 1 or more, or a pair

    Returns an array of shape (N, C, *output_size) of cols' type.
    """
    ### BEGIN SOLUTION
    pairs = [(a, a) if np.ndim(a) == 0 else a for a in (kernel_size, stride, padding, dilation)]
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pairs
    height, width = output_size[0] + 2 * ph, output_size[1] + 2 * pw
    down = (height - (kh - 1) * dh - 1) // sh + 1
    across = (width - (kw - 1) * dw - 1) // sw + 1
    cols = cols.reshape(len(cols), -1, kh, kw, down, across)
    image = np.zeros((*cols.shape[:2], height, width), cols.dtype)
    for u in range(kh):
        rows = slice(u * dh, u * dh + (down - 1) * sh + 1, sh)
        for v in range(kw):
            columns = slice(v * dw, v * dw + (across - 1) * sw + 1, sw)
            image[:, :, rows, columns] += cols[:, :, u, v]
    return image[:, :, ph : height - ph, pw : width - pw]
    ### END SOLUTION


# %% [markdown]
# ## 4. Transposed convolution as a matrix product
#
# {facts: conv_transpose2d_gemm}
#
# Put it together: one matrix product for each image and group, then your `col2im`. You may call
# your own functions for this; then they have to be right. The arguments are those of PyTorch's
# `conv_transpose2d`, and they always fit together.
#
# The last aspect is about time. On the same inputs, in the same run, your function has to be **at
# least 20 times as fast** as the `loops` above. A matrix product is some hundreds of times as fast,
# so a busy computer does no harm: the best of several runs counts, and waiting for other programs
# is not counted.
#
# <details><summary>Hint 1</summary>
#
# The product gives, for every pixel of `x`, its copy of the kernel: already multiplied, and summed
# over the input channels. Which matrix has one row for each tap of each output channel, and one
# column for each input channel?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The pixels of `x` are the windows of the output. So `output_size` for `col2im` is the size of the
# result, with `output_padding` counted in.
#
# </details>
# <details><summary>Hint 3</summary>
#
# With `@`, an array of shape (A, B) times one of shape (N, B, L) has the shape (N, A, L): the
# images need no loop. The groups may have one.
#
# </details>


# %% exercise="conv_transpose2d_gemm"
def conv_transpose2d_gemm(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Return the transposed convolution of a batch of images, by matrix products.

    x               array of shape (N, C, H, W), floating
    w               array of shape (C, M, kh, kw), of the same type; M output channels a group
    bias            array of shape (groups * M,), or None
    stride          1 or more, or a pair (down, across)
    padding         rows and columns cropped at each side, 0 or more, or a pair
    output_padding  rows and columns more, at the bottom and at the right, less than the stride
    groups          how many blocks the channels are divided into
    dilation        how far apart the taps stand, 1 or more, or a pair

    Returns an array of shape (N, groups * M, H_out, W_out) of x's type.
    """
    ### BEGIN SOLUTION
    pairs = [(a, a) if np.ndim(a) == 0 else a for a in (stride, padding, output_padding, dilation)]
    (sh, sw), (ph, pw), (oh, ow), (dh, dw) = pairs
    (n, c, height, width), (_, m, kh, kw) = x.shape, w.shape
    output_size = (
        (height - 1) * sh - 2 * ph + dh * (kh - 1) + 1 + oh,
        (width - 1) * sw - 2 * pw + dw * (kw - 1) + 1 + ow,
    )
    matrices = w.reshape(groups, c // groups, m * kh * kw).swapaxes(1, 2)
    pixels = x.reshape(n, groups, c // groups, height * width)
    cols = (matrices @ pixels).reshape(n, groups * m * kh * kw, height * width)
    z = col2im(cols, output_size, (kh, kw), (sh, sw), (ph, pw), (dh, dw))
    return z if bias is None else z + bias[:, None, None]
    ### END SOLUTION


# %% [markdown]
# How much faster is it? The time of one call varies, so look at the order of magnitude. Make the
# images larger and see what becomes of the ratio.


# %%
def seconds(function, *args):
    """Return the shortest of three runs, in seconds of the processor's time."""
    found = []
    for _ in range(3):
        start = time.process_time()
        function(*args)
        found.append(time.process_time() - start)
    return min(found)


x, w = np.ones((1, 8, 16, 16), "float32"), np.ones((8, 8, 4, 4), "float32")
slow = seconds(loops, x, w, 2, 1)
fast = seconds(conv_transpose2d_gemm, x, w, None, 2, 1)
print(f"{slow:.4f} s and {fast:.5f} s: {slow / fast:.0f} times as fast")

# %% [markdown]
# ## 5. In your own words
#
# {points: why_faster}
#
# The seven loops, the version with slices and the matrix product do the same multiplications. Yet
# their times differ by factors of ten and more. And the matrix product even needs more memory than
# the others. In four to six sentences: why is it faster all the same, and when would you expect the
# columns to be a bad bargain?
#
# *Marked by hand.* 1 point: what the loops pay for besides the multiplication, for each of them.
# 1 point: what slices still pay for: each product is written to memory and read again, so that
# there are many bytes for every multiplication. 1 point: what a matrix product does better, and a
# case with a reason where the columns cost too much, for example few channels and a large kernel.

# %% [markdown] open="why_faster" points=3
# ### BEGIN SOLUTION
# In the loops every multiplication costs a turn of Python's loop: looking up names, working out an
# index, making a number object. The multiplication itself is a small part of that. Slices pay for
# it once for a whole image, but each product is written to memory, read again, and added to an
# output that is read and written too: five numbers are moved for one multiplication. A matrix
# product loads a block of both matrices once and uses every number of it many times while it lies
# in the nearest cache, and sums in registers. The columns are a bad bargain where the product has
# little to do for each number of them: with few input channels a number of the columns costs as
# many multiplications as there are input channels, but has to be written, read and added. With a
# large kernel there are many such numbers.
# ### END SOLUTION
