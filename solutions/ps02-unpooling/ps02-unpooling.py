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
# # Problem set 2: unpooling
#
# Max pooling throws most of its input away. You will make it remember *where* each maximum stood,
# and then write the ways back up: by repeating, on a bed of nails, and with the remembered places.
# At the end you will have `torch.nn.functional.max_pool2d` with its indices, `max_unpool2d` with
# its gradient, and the unpooling that TensorFlow does not have.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points: a function that is right for one plane only still earns something.
#
# Write with NumPy only, except in exercise 8, where TensorFlow is what you write with. Unless an
# exercise says otherwise, arrays have the axes image, channel, row, column: `(N, C, H, W)`.
#
# **Chapters:** *Max pooling remembers where* and *Unpooling*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# Here is a plane of two rows and four columns. Windows of 2 × 2 lie side by side: there are two.
#
# | | column 0 | column 1 | column 2 | column 3 |
# | --- | --- | --- | --- | --- |
# | **row 0** | 1 | **5** | 2 | 0 |
# | **row 1** | 3 | 4 | **9** | 8 |
#
# The maxima are 5 and 9. Number the eight places along the rows, from 0 to 7. The 5 stands at place
# 1. The 9 stands in row 1, column 2: to come there, the count passes one whole row of four, and
# then two places more. So its index is 1 · 4 + 2 = 6.

# %%
x = np.array([[1.0, 5, 2, 0], [3, 4, 9, 8]])
print("maxima:", x[0:2, 0:2].max(), x[0:2, 2:4].max())
print("places 1 and 6 hold", x.ravel()[1], "and", x.ravel()[6])

# %% [markdown]
# ## 1. Predict first: which index?
#
# {facts: predict_flat_index}
#
# A batch has the shape (2, 3, 4, 6): two images of three channels, each with four rows and six
# columns. PyTorch pools it with windows of 2 × 2 and hands back the indices. In the last image
# (number 1), in the last channel (number 2), the maximum of one window stands in **row 2, column
# 5**. Which index does it get?
#
# Work it out on paper, before you write any code. The check below only notes your answer.


# %% exercise="predict_flat_index"
def predict_flat_index():
    """Return the index that you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 17
    ### END SOLUTION


# %% [markdown]
# ## 2. Max pooling that remembers
#
# {facts: max_pool2d_with_indices}
#
# Pool by the maximum, and return two arrays: the maxima, and for each of them its index in its own
# plane, counted as in the worked example. With `padding`, the windows begin that far outside the
# plane; the places outside never win, and the index does not count them. Of equal maxima, the
# first counts, row by row.
#
# <details><summary>Hint 1</summary>
#
# Begin with loops: for each image, each channel, each output row and each output column. Where does
# that window begin, and where does it end?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `argmax` of a window counts within the window, along its rows. `divmod` makes a row and a column
# of that number. Then move them to where the window lies.
#
# </details>
# <details><summary>Hint 3</summary>
#
# If you pad first: which number can never be greater than a real one? And how do you come back from
# the padded plane's rows and columns to the plane's own?
#
# </details>


# %% exercise="max_pool2d_with_indices"
def max_pool2d_with_indices(x, kernel_size, stride=None, padding=0):
    """Return the maximum of each window, and where in its plane it stands.

    x            array of shape (N, C, H, W), floating
    kernel_size  height and width of the windows: a whole number, or a pair (height, width)
    stride       how far the windows lie apart, likewise; None means kernel_size
    padding      how far the windows begin outside the plane, likewise; at most half of kernel_size

    Returns (y, indices), both of shape (N, C, H_out, W_out), where
    H_out = (H + 2 * padding - kernel_size) // stride + 1 with the heights, and W_out likewise.
    y is of x's type. indices are int64: row * W + column, in the plane without its padding. Of
    equal maxima the first counts, row by row. x is left as it is.
    """
    ### BEGIN SOLUTION
    kh, kw = np.broadcast_to(kernel_size, 2)
    sh, sw = np.broadcast_to(kernel_size if stride is None else stride, 2)
    ph, pw = np.broadcast_to(padding, 2)
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    rows, columns = (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
    y = np.zeros((n, c, rows, columns), x.dtype)
    indices = np.zeros((n, c, rows, columns), np.int64)
    for i in range(rows):
        for j in range(columns):
            top, left = i * sh, j * sw
            window = padded[:, :, top : top + kh, left : left + kw].reshape(n, c, -1)
            y[:, :, i, j] = window.max(axis=-1)
            row, column = np.divmod(window.argmax(axis=-1), kw)
            indices[:, :, i, j] = (top - ph + row) * w + left - pw + column
    return y, indices
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
batch = np.zeros((2, 3, 4, 6))
batch[1, 2, 2, 5] = 1
max_pool2d_with_indices(batch, 2)[1][1, 2, 1, 2]

# %% [markdown]
# ## 3. From TensorFlow's argmax to PyTorch's indices
#
# {facts: tf_argmax_to_indices}
#
# `tf.nn.max_pool_with_argmax` remembers, too, but counts differently. Its channels come last, and
# it counts all the channels of a place before it goes on to the next place. For an image of two
# rows, four columns and two channels, the count begins like this:
#
# | | column 0 | column 1 | column 2 | column 3 |
# | --- | --- | --- | --- | --- |
# | **row 0** | 0 and 1 | 2 and 3 | 4 and 5 | 6 and 7 |
# | **row 1** | 8 and 9 | 10 and 11 | 12 and 13 | 14 and 15 |
#
# In each image it starts again at 0, unless it was asked for `include_batch_in_index=True`: then it
# runs on through the whole batch. Turn these numbers into those that PyTorch gives, with PyTorch's
# order of axes.
#
# <details><summary>Hint 1</summary>
#
# In the table, find 13. Which place is it, counted without the channels? What has to be done to 13
# to get that number? Do the same with 12.
#
# </details>
# <details><summary>Hint 2</summary>
#
# How many numbers does a whole image take up? If the count runs on from image to image, what is
# left of it within one image?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Moving an axis is not the same as reshaping.
#
# </details>


# %% exercise="tf_argmax_to_indices"
def tf_argmax_to_indices(argmax, input_shape, include_batch_in_index=False):
    """Turn the argmax of tf.nn.max_pool_with_argmax into PyTorch's indices.

    argmax                  int64 array of shape (N, H_out, W_out, C)
    input_shape             shape of what was pooled: (N, H, W, C)
    include_batch_in_index  whether the argmax runs on from image to image

    Returns an int64 array of shape (N, C, H_out, W_out): row * W + column of each maximum in its
    own plane. argmax is left as it is.
    """
    ### BEGIN SOLUTION
    _, h, w, c = input_shape
    return np.moveaxis(argmax % (h * w * c) // c, 3, 1)
    ### END SOLUTION


# %% [markdown]
# ## 4. Unpooling by repeating
#
# {facts: unpool_repeat}
#
# The simplest way back up: every value fills a window with copies of itself.
#
# <details><summary>Hint</summary>
#
# NumPy has two functions that make copies. One repeats the whole array, the other each element.
# Which is it? And along which axes?
#
# </details>


# %% exercise="unpool_repeat"
def unpool_repeat(x, k):
    """Make each value of x a window of copies.

    x  array of shape (N, C, H, W), floating
    k  height and width of the windows: a whole number, or a pair (height, width)

    Returns an array of shape (N, C, H * k, W * k) of x's type, with k's height and width.
    """
    ### BEGIN SOLUTION
    kh, kw = np.broadcast_to(k, 2)
    return x.repeat(kh, axis=2).repeat(kw, axis=3)
    ### END SOLUTION


# %% [markdown]
# ## 5. Unpooling on a bed of nails
#
# {facts: unpool_bed_of_nails}
#
# The same size, but each value stands only once, at the top-left of its window. All the other
# places are zero.
#
# <details><summary>Hint</summary>
#
# Begin with zeros of the right size. Which rows and columns hold values, and how do you name them
# all at once?
#
# </details>


# %% exercise="unpool_bed_of_nails"
def unpool_bed_of_nails(x, k):
    """Put each value of x at the top-left of a window of zeros.

    x  array of shape (N, C, H, W), floating
    k  height and width of the windows: a whole number, or a pair (height, width)

    Returns an array of shape (N, C, H * k, W * k) of x's type, with k's height and width.
    """
    ### BEGIN SOLUTION
    kh, kw = np.broadcast_to(k, 2)
    n, c, h, w = x.shape
    nails = np.zeros((n, c, h * kh, w * kw), x.dtype)
    nails[:, :, ::kh, ::kw] = x
    return nails
    ### END SOLUTION


# %% [markdown]
# ## 6. Unpooling with switches
#
# {facts: max_unpool2d}
#
# Now use what the pooling remembered. Put each value back where its index says, and zeros
# everywhere else. For the worked example:
#
# | | column 0 | column 1 | column 2 | column 3 |
# | --- | --- | --- | --- | --- |
# | **row 0** | 0 | 5 | 0 | 0 |
# | **row 1** | 0 | 0 | 9 | 0 |
#
# Where windows overlap, several indices may name the same place. Then their values are equal, and
# the value stands there once.
#
# Several sizes can pool to the same map: with windows of 2, a row of 4 and a row of 5 both leave
# two maxima. Without `output_size`, take the smallest that holds all the windows. With it, take
# what it says, as long as it differs from that smallest size by **less than a stride** in each
# direction. (That is what PyTorch allows.) Any other size, and an index that is no place in a
# plane of that size, cannot be right: raise a `ValueError` that says what is wrong.
#
# <details><summary>Hint 1</summary>
#
# How far do the windows reach? The last one begins (n − 1) · stride after the first. What does the
# padding take away?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Lay every plane out as one row. Then an index is simply a position in it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# NumPy takes −1 as an index without a complaint. You have to look yourself.
#
# </details>


# %% exercise="max_unpool2d"
def max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put each value back where it was before max pooling.

    x            array of shape (N, C, H, W), floating: the maxima
    indices      int64 array of the same shape: row * W_out + column of each in its own plane
    kernel_size  as it was in max_pool2d_with_indices, and so are
    stride
    padding
    output_size  the size (H_out, W_out) of the plane, or None for the smallest that fits:
                 (H - 1) * stride - 2 * padding + kernel_size with the heights, W_out likewise

    Returns an array of shape (N, C, H_out, W_out) of x's type. Raises ValueError if output_size
    differs from the smallest size by a stride or more, or if an index is negative or not below
    H_out * W_out. x and indices are left as they are.
    """
    ### BEGIN SOLUTION
    kernel = np.broadcast_to(kernel_size, 2)
    step = np.broadcast_to(kernel_size if stride is None else stride, 2)
    n, c = x.shape[:2]
    smallest = (np.array(x.shape[2:]) - 1) * step - 2 * np.broadcast_to(padding, 2) + kernel
    size = smallest if output_size is None else np.array(output_size)
    if (abs(size - smallest) >= step).any():
        raise ValueError(f"output_size {output_size} is a stride or more from {smallest}")
    h, w = size
    if ((indices < 0) | (indices >= h * w)).any():
        raise ValueError(f"an index lies outside a plane of {h} × {w}")
    planes = np.zeros((n * c, h * w), x.dtype)
    np.put_along_axis(planes, indices.reshape(n * c, -1), x.reshape(n * c, -1), axis=1)
    return planes.reshape(n, c, h, w)
    ### END SOLUTION


# %% [markdown]
# ## 7. Predict first: what does scattering make of an overlap?
#
# {facts: predict_scattered_centre}
#
# A plane of 5 × 5 has a single 7 in the middle; everything else is 0. It is pooled with windows of
# 3 × 3 and a stride of 1, so that the windows overlap. Somebody writes the maxima back to their
# places with TensorFlow's `tf.scatter_nd`, which *adds* what arrives at the same place. Which
# number then stands in the middle?


# %% exercise="predict_scattered_centre"
def predict_scattered_centre():
    """Return the number that you expect in the middle."""
    ### BEGIN SOLUTION
    return 63
    ### END SOLUTION


# %% [markdown]
# ## 8. Unpooling in TensorFlow
#
# {facts: max_unpool_nhwc}
#
# TensorFlow has `tf.nn.max_pool_with_argmax` and no way back. Write it. Everything here is a
# TensorFlow tensor with the channels last, and your function has to stay in TensorFlow: it must
# also run inside a `tf.function` in which no size is known beforehand, and let gradients through.
# On a GPU it will then run as it is.
#
# The argmax is the usual one, counted as in exercise 3: without the batch in it. Duplicates are
# written once.
#
# <details><summary>Hint 1</summary>
#
# Lay the *whole* output out as one row. What has to be added to the argmax of image 1 to make it a
# place in that row?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `tf.scatter_nd` adds. There is another operation that starts from a tensor of zeros and
# *updates* it. It wants one row for each value that it writes.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Inside a `tf.function`, `pooled.shape` may be unknown. `tf.shape(pooled)` never is. And all whole
# numbers that meet in one sum have to be of the same type, for example `tf.int64`.
#
# </details>

# %%
import tensorflow as tf


# %% exercise="max_unpool_nhwc"
def max_unpool_nhwc(pooled, argmax, output_shape):
    """Put each value back where it was before tf.nn.max_pool_with_argmax.

    pooled        tensor of shape (N, H, W, C), floating: the maxima
    argmax        int64 tensor of the same shape: (row * W_out + column) * C + channel of each, in
                  its own image
    output_shape  (N, H_out, W_out, C): four whole numbers, or an int32 tensor of them

    Returns a tensor of that shape and of pooled's type, 0 where nothing is written. Several values
    that belong to the same place are equal; they are written once.
    """
    ### BEGIN SOLUTION
    n, h, w, c = tf.unstack(tf.cast(output_shape, tf.int64))
    first = tf.reshape(tf.range(n) * h * w * c, (-1, 1, 1, 1))
    places = tf.reshape(argmax + first, (-1, 1))
    empty = tf.zeros([n * h * w * c], pooled.dtype)
    written = tf.tensor_scatter_nd_update(empty, places, tf.reshape(pooled, [-1]))
    return tf.reshape(written, output_shape)
    ### END SOLUTION


# %% [markdown]
# Try it: pool the plane of exercise 7 and go back. Is there a 7 in the middle?

# %%
plane = tf.reshape(7 * tf.one_hot(12, 25), (1, 5, 5, 1))
pooled, argmax = tf.nn.max_pool_with_argmax(plane, ksize=3, strides=1, padding="VALID")
max_unpool_nhwc(pooled, argmax, (1, 5, 5, 1))[0, :, :, 0]

# %% [markdown]
# ## 9. The gradient of unpooling
#
# {facts: max_unpool2d_backward}
#
# During training, a gradient arrives for every place of the unpooled map: how much the loss changes
# if this place changes. Send it back to the pooled map, with NumPy. Which place of the unpooled map
# changes if one pooled value changes?
#
# If several indices name the same place, each of them gets the whole gradient from there, as in
# both frameworks.
#
# <details><summary>Hint</summary>
#
# On the way forward you *wrote to* the places that the indices name. What is the opposite of that?
#
# </details>


# %% exercise="max_unpool2d_backward"
def max_unpool2d_backward(grad_output, indices):
    """Return the gradient for the pooled map.

    grad_output  array of shape (N, C, H_out, W_out), floating: the gradient for the unpooled map
    indices      int64 array of shape (N, C, H, W): where in its plane each value was written

    Returns an array of the shape of indices and of grad_output's type. Both are left as they are.
    """
    ### BEGIN SOLUTION
    n, c = indices.shape[:2]
    planes = grad_output.reshape(n * c, -1)
    taken = np.take_along_axis(planes, indices.reshape(n * c, -1), axis=1)
    return taken.reshape(indices.shape)
    ### END SOLUTION


# %% [markdown]
# ## 10. In your own words
#
# {points: what_unpooling_knows}
#
# A friend says: "A transposed convolution can learn any upsampling. So with the right kernel it can
# do what unpooling does." In three to five sentences and one small example with numbers of your
# own, tell your friend for which of the three unpoolings (repeating, bed of nails, with switches)
# this is true, with which kernel and stride, and for which it is not, and why.
#
# *Marked by hand.* 1 point: repeating is a transposed convolution, with a kernel of ones and a
# stride of its size; the bed of nails likewise, with a single 1 at the top-left. 1 point: with
# switches there is no such kernel, because where a value goes depends on the data. 1 point: an
# example that shows it, with numbers that are right, such as two inputs that pool to the same
# values and are unpooled differently.

# %% [markdown] open="what_unpooling_knows" points=3
# ### BEGIN SOLUTION
# It is true of two of them. With windows of k × k, a kernel of k × k ones and stride k, a
# transposed convolution lays a copy of each value into every place of its window: that is
# repeating. If the kernel has a single 1, at the top-left, only that place gets the value: that is
# the bed of nails. With switches it is false. The rows (5, 1) and (1, 5) both pool to (5), with
# the indices 0 and 1. A transposed convolution sees only the 5 and gives the same answer for both.
# Unpooling gives (5, 0) and (0, 5): it knows where the 5 was, because the indices come along as a
# second input.
# ### END SOLUTION
