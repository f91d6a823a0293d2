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
# # Problem set 5: sizes, and two frameworks
#
# First you will write the arithmetic of sizes: how large a convolution comes out, how large a
# transposed one, and which `output_padding` is the right one. Then you will write TensorFlow's
# transposed convolution by hand, carry kernels from one framework to the other, and make PyTorch
# give exactly the numbers that TensorFlow's `SAME` gives.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# Write with NumPy only, except in the last exercise, where PyTorch is what you write with. Using a
# framework where it is not asked for would spoil the fun; a function that does earns nothing.
#
# **Chapters:** *Sizes* and *TensorFlow ↔ PyTorch*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# A convolution with 3 taps and stride 2 goes over 7 elements, and over 8:
#
# | | elements | first window | second | third | left over |
# | --- | --- | --- | --- | --- | --- |
# | 7 elements | 0 … 6 | 0, 1, 2 | 2, 3, 4 | 4, 5, 6 | none |
# | 8 elements | 0 … 7 | 0, 1, 2 | 2, 3, 4 | 4, 5, 6 | element 7 |
#
# Both give three outputs. Now turn it round: three inputs, 3 taps, stride 2. Should the result have
# 7 places or 8? Both are right answers, and that is what `output_padding` is for. The three copies
# of the kernel begin at the places 0, 2 and 4, and reach to place 6. So the smaller result has 7
# places; for the larger one, `output_padding=1` adds place 7.

# %%
for n in (7, 8):
    starts = [start for start in range(n) if start % 2 == 0 and start + 3 <= n]
    print(n, "elements: windows begin at", starts, "and there are", len(starts))

# %% [markdown]
# ## 1. Predict first: which padding?
#
# {facts: predict_padding}
#
# A small map of 10 × 10 is to become 80 × 80, by a transposed convolution with a kernel of
# **20 × 20** and stride **8**, without `output_padding`. Which `padding` does that?
#
# Work it out on paper. The check below only notes your answer; exercise 3 will show you.


# %% exercise="predict_padding"
def predict_padding():
    """Return the padding that you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 6
    ### END SOLUTION


# %% [markdown]
# ## 2. How large a convolution comes out
#
# {facts: conv_output_size}
#
# Along one axis, a kernel of `k` taps moves over `n` elements, with `p` zeros added at each end, in
# steps of `s`. With a dilation of `d`, neighbouring taps stand `d` elements apart. In how many
# places can it stand?
#
# If it cannot stand anywhere, raise a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# Over how many elements does the kernel reach, from its first tap to its last? Try `k = 3` with
# `d = 1`, `2` and `3`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Put the kernel at the very front. How many elements are then left behind it, and how many whole
# steps can it take? In Python, `//` divides and rounds down.
#
# </details>


# %% exercise="conv_output_size"
def conv_output_size(n, k, s=1, p=0, d=1):
    """Return how many outputs a convolution has along one axis, as a whole number.

    n  elements of the input, 1 or more
    k  taps of the kernel, 1 or more
    s  stride, 1 or more
    p  zeros at each end, 0 or more
    d  dilation, 1 or more

    Raises ValueError where the kernel has no place to stand.
    """
    ### BEGIN SOLUTION
    room = n + 2 * p - (d * (k - 1) + 1)
    if room < 0:
        raise ValueError("the kernel reaches further than the padded input")
    return room // s + 1
    ### END SOLUTION


# %% [markdown]
# ## 3. How large a transposed convolution comes out
#
# {facts: conv_transpose_output_size}
#
# Now the other way: each of `n` inputs becomes a copy of the kernel, and the copies begin `s`
# places apart. `output_padding` adds places at the end, then `p` places are cropped at each end.
#
# Raise a `ValueError` where there is no such layer: where `output_padding` is neither below the
# stride nor below the dilation, and where nothing is left of the result.
#
# <details><summary>Hint 1</summary>
#
# Where does the last copy begin, and where does it end? Draw three copies of a kernel with two
# taps, with stride 3.
#
# </details>
# <details><summary>Hint 2</summary>
#
# "Neither below the stride nor below the dilation": so it may be larger than one of the two.
#
# </details>


# %% exercise="conv_transpose_output_size"
def conv_transpose_output_size(n, k, s=1, p=0, output_padding=0, d=1):
    """Return how many outputs a transposed convolution has along one axis, as a whole number.

    n               elements of the input, 1 or more
    k               taps of the kernel, 1 or more
    s               stride, 1 or more
    p               places cropped at each end, 0 or more
    output_padding  places added at the end before the crop, 0 or more
    d               dilation, 1 or more

    Raises ValueError where output_padding is neither below s nor below d, and where no place is
    left.
    """
    ### BEGIN SOLUTION
    if output_padding >= max(s, d):
        raise ValueError("output_padding has to be smaller than the stride or the dilation")
    size = (n - 1) * s + d * (k - 1) + 1 + output_padding - 2 * p
    if size < 1:
        raise ValueError("the padding crops everything")
    return size
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Put your padding in the place of the 0.

# %%
conv_transpose_output_size(10, 20, s=8, p=0)

# %% [markdown]
# ## 4. Which output_padding
#
# {facts: output_padding_for}
#
# In a network you rarely choose an `output_padding`. You know that a layer has `n_in` inputs and
# should have `n_out` outputs, because that is how large the map was on the way down. Find the
# `output_padding` that does it. PyTorch takes one that is smaller than the stride or smaller than
# the dilation. If there is none, raise a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# What would the size be without any? You have written a function for that.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Your function of exercise 3 refuses what is smaller than 1. Here such a size may be a step on the
# way: `output_padding` can make something of nothing. So compute it without that check.
#
# </details>


# %% exercise="output_padding_for"
def output_padding_for(n_in, n_out, k, s=1, p=0, d=1):
    """Return the output_padding that makes n_out of n_in, as a whole number.

    n_in   elements of the transposed convolution's input, 1 or more
    n_out  how many it is to give, 1 or more
    k      taps of the kernel, 1 or more
    s      stride, 1 or more
    p      places cropped at each end, 0 or more
    d      dilation, 1 or more

    Raises ValueError where no output_padding does it: it is 0 or more, and below s or below d.
    """
    ### BEGIN SOLUTION
    extra = n_out - ((n_in - 1) * s - 2 * p + d * (k - 1) + 1)
    if not 0 <= extra < max(s, d):
        raise ValueError(f"an output_padding of {extra} would be needed")
    return extra
    ### END SOLUTION


# %% [markdown]
# ## 5. The sizes that TensorFlow accepts
#
# {facts: tf_output_sizes}
#
# `tf.nn.conv2d_transpose` has no `output_padding`. You tell it the output's size, and it accepts
# each size of which the *ordinary* convolution, with the same kernel, stride and `SAME` or `VALID`,
# would make this input. List them all, the smallest first.
#
# <details><summary>Hint 1</summary>
#
# How many outputs does an ordinary convolution with `SAME` have, and how many with `VALID`? The
# chapter *Convolution in 1-D* has both.
#
# </details>
# <details><summary>Hint 2</summary>
#
# You may try one size after the other. How large can they get at most?
#
# </details>


# %% exercise="tf_output_sizes"
def tf_output_sizes(n_in, k, s, padding):
    """Return every output size along one axis that tf.nn.conv2d_transpose accepts.

    n_in     elements of its input, 1 or more
    k        taps of the kernel, 1 or more
    s        stride, 1 or more
    padding  "SAME" or "VALID"

    Returns a list of whole numbers, ascending.
    """
    ### BEGIN SOLUTION
    smallest = (n_in - 1) * s + (1 if padding == "SAME" else k)
    return list(range(smallest, smallest + s))
    ### END SOLUTION


# %% [markdown]
# ## 6. Predict first: what does SAME leave in front?
#
# {facts: predict_first_number}
#
# In TensorFlow, the row (1, 10) goes through a transposed convolution with the taps (1, 2, 3, 4, 5)
# and stride **2**. You ask for **4** outputs, with `padding="SAME"`. Which number comes first?
#
# Lay down the two copies of the kernel, add them up, and crop as `SAME` does.


# %% exercise="predict_first_number"
def predict_first_number():
    """Return the first of the four numbers that you expect."""
    ### BEGIN SOLUTION
    return 2
    ### END SOLUTION


# %% [markdown]
# ## 7. TensorFlow's transposed convolution
#
# {facts: conv_transpose2d_tf}
#
# Write `tf.nn.conv2d_transpose`. Images have their channels last, `(N, H, W, C)`, and the kernel
# has the axes (height, width, **output** channels, **input** channels). With `VALID` nothing is
# cropped. With `SAME`, what is too much is cropped at both ends, as evenly as it goes; the odd row
# or column goes at the end. Where the copies of the kernel do not reach, there are zeros.
#
# Raise a `ValueError` for an `output_hw` that TensorFlow refuses: you listed the sizes that it
# accepts in exercise 5.
#
# <details><summary>Hint 1</summary>
#
# Compute the full result first, with nothing cropped. For one tap of the kernel, all images and all
# places are added at once: to a slice with a step, times a small matrix of channels.
#
# </details>
# <details><summary>Hint 2</summary>
#
# How far does the full result reach beyond `output_hw`? If it does not reach that far, it needs
# zeros at the end instead.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Height and width are treated alike. A small function of your own for one axis saves you from
# mistakes in the second one.
#
# </details>


# %% exercise="conv_transpose2d_tf"
def conv_transpose2d_tf(x, w, output_hw, strides, padding):
    """Return the transposed convolution of a batch of images, as TensorFlow computes it.

    x          array of shape (N, H, W, C), floating
    w          array of shape (kh, kw, M, C), of the same type; M output channels
    output_hw  height and width of the result
    strides    1 or more, or a pair (down, across)
    padding    "SAME" or "VALID"

    Returns an array of shape (N, *output_hw, M) of x's type. Raises ValueError where the
    convolution with these settings would not make a map as large as x of output_hw.
    """
    ### BEGIN SOLUTION
    sh, sw = (strides, strides) if np.ndim(strides) == 0 else strides
    (n, h, wide, _), (kh, kw, m, _), (h_out, w_out) = x.shape, w.shape, output_hw

    def first_kept(n, k, s, out):
        """Return how many places of the full result are cropped in front."""
        smallest = (n - 1) * s + (1 if padding == "SAME" else k)
        if not smallest <= out < smallest + s:
            raise ValueError(f"of {out} the convolution does not make {n}")
        return max((n - 1) * s + k - out, 0) // 2

    i, j = first_kept(h, kh, sh, h_out), first_kept(wide, kw, sw, w_out)
    h_full, w_full = max((h - 1) * sh + kh, h_out), max((wide - 1) * sw + kw, w_out)
    full = np.zeros((n, h_full, w_full, m), dtype=x.dtype)
    for u in range(kh):
        for v in range(kw):
            rows, columns = (
                slice(u, u + (h - 1) * sh + 1, sh),
                slice(v, v + (wide - 1) * sw + 1, sw),
            )
            full[:, rows, columns] += np.einsum("nhwc,mc->nhwm", x, w[u, v])
    return full[:, i : i + h_out, j : j + w_out]
    ### END SOLUTION


# %% [markdown]
# Was your prediction of exercise 6 right?

# %%
row, taps = np.array([1.0, 10]).reshape(1, 1, 2, 1), np.arange(1.0, 6).reshape(1, 5, 1, 1)
conv_transpose2d_tf(row, taps, (1, 4), (1, 2), "SAME").ravel()

# %% [markdown]
# ## 8. A kernel from TensorFlow to PyTorch
#
# {facts: tf_kernel_to_torch}
#
# Someone has trained a network in TensorFlow, and you want its weights in PyTorch. The kernel of a
# transposed convolution has the axes (height, width, output channels, input channels) in
# TensorFlow, and (input channels, output channels, height, width) in PyTorch. Carry it over, so
# that PyTorch's layer does the same as TensorFlow's did.
#
# <details><summary>Hint</summary>
#
# NumPy's `transpose` takes the new order of the axes: for each new axis, the number of the old one
# that goes there. Are the taps the same taps in both frameworks, or does one of them turn them
# round?
#
# </details>


# %% exercise="tf_kernel_to_torch"
def tf_kernel_to_torch(w):
    """Return a transposed convolution's kernel with PyTorch's axes.

    w  array of shape (kh, kw, M, C), as TensorFlow has it; C input and M output channels

    Returns an array of shape (C, M, kh, kw) and of w's type. It may be a view.
    """
    ### BEGIN SOLUTION
    return w.transpose(3, 2, 0, 1)
    ### END SOLUTION


# %% [markdown]
# ## 9. And from PyTorch to TensorFlow
#
# {facts: torch_kernel_to_tf}
#
# Now the way back. One after the other, the two functions have to give the kernel that you started
# with.
#
# <details><summary>Hint</summary>
#
# Write down the four axes of the result, and beside each the number that it has in the kernel you
# are given.
#
# </details>


# %% exercise="torch_kernel_to_tf"
def torch_kernel_to_tf(w):
    """Return a transposed convolution's kernel with TensorFlow's axes.

    w  array of shape (C, M, kh, kw), as PyTorch has it; C input and M output channels

    Returns an array of shape (kh, kw, M, C) and of w's type. It may be a view.
    """
    ### BEGIN SOLUTION
    return w.transpose(2, 3, 1, 0)
    ### END SOLUTION


# %% [markdown]
# Do they undo each other?

# %%
kernel = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
np.array_equal(torch_kernel_to_tf(tf_kernel_to_torch(kernel)), kernel)

# %% [markdown]
# ## 10. TensorFlow's SAME in PyTorch
#
# {facts: same_transposed_in_torch}
#
# You have the weights in PyTorch; now the layer has to do the same. PyTorch's transposed
# convolution has no `SAME`. Its `padding` crops as much at both ends, and `SAME` sometimes does
# not. Write the layer for PyTorch's tensors, with `F.conv_transpose2d` and whatever else you need
# of PyTorch.
#
# The kernel has PyTorch's axes already. Raise a `ValueError` for an `output_hw` that TensorFlow
# refuses. And stay in PyTorch all the way, so that a gradient can come back through your function.
#
# <details><summary>Hint 1</summary>
#
# Without `padding`, you get the full result. From where to where do you need it?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `F.pad` with zeros makes a tensor longer where the copies of the kernel do not reach. It counts
# the axes from the last one: left, right, top, bottom.
#
# </details>

# %%
import torch
import torch.nn.functional as F


# %% exercise="same_transposed_in_torch"
def same_transposed_in_torch(x, w, output_hw, stride):
    """Return what tf.nn.conv2d_transpose with SAME computes, of PyTorch's tensors.

    x          tensor of shape (N, C, H, W), floating
    w          tensor of shape (C, M, kh, kw), of the same type
    output_hw  height and width of the result
    stride     1 or more, or a pair (down, across)

    Returns a tensor of shape (N, M, *output_hw) and of x's type. Raises ValueError where a
    convolution with SAME and this stride would not make a map as large as x of output_hw.
    """
    ### BEGIN SOLUTION
    stride = (stride, stride) if isinstance(stride, int) else stride
    front, missing = [], []
    for n, k, s, out in zip(x.shape[2:], w.shape[2:], stride, output_hw, strict=True):
        if -(-out // s) != n:
            raise ValueError(f"of {out} places SAME makes {-(-out // s)}, not {n}")
        too_much = (n - 1) * s + k - out
        front.append(max(too_much, 0) // 2)
        missing.append(max(-too_much, 0))
    full = F.conv_transpose2d(x, w, stride=stride)
    full = F.pad(full, (0, missing[1], 0, missing[0]))
    (i, j), (h, wide) = front, output_hw
    return full[:, :, i : i + h, j : j + wide]
    ### END SOLUTION


# %% [markdown]
# ## 11. In your own words
#
# {points: right_size_right_numbers}
#
# A trained network has two layers that double 112 × 112 to 224 × 224 with stride 2 and `SAME`: one
# with a kernel of 3 × 3, one with a kernel of 4 × 4. A colleague carries them over to PyTorch, with
# the kernels converted as you did, and writes `padding=1, output_padding=1` for the first and
# `padding=1` for the second. "Both give 224, so both are right." In four to six sentences: for
# which of the two is that true, and why? Give a small example in one dimension, with numbers of
# your own, that fails where it is not. How would you mend it, and would it have mattered if the
# network had been trained in PyTorch from the start?
#
# *Marked by hand.* 1 point: how many places of the full result are too many for either kernel, and
# which of them each framework crops; so which layer is right. 1 point: an example that shows it,
# with numbers that are right. 1 point: a remedy that works, and a reason why a network that is
# trained with either rule can live with it, while trained weights cannot change over.

# %% [markdown] open="right_size_right_numbers" points=3
# ### BEGIN SOLUTION
# With 4 taps the full result has (112 − 1) · 2 + 4 = 226 places. Two are too many, SAME crops one
# at each end, and so does padding=1: that layer is right. With 3 taps it has 225, one is too many,
# and SAME crops it at the end. PyTorch adds a place at the end and crops one at each end, so it
# loses the first place and keeps the last one: everything has moved one place up and to the left.
# In one dimension, (1, 10) and the taps (1, 2, 5) have the full result 1, 2, 15, 20, 50. SAME to 4
# gives 1, 2, 15, 20, and PyTorch 2, 15, 20, 50. To mend it, ask for the full result, without
# padding, and keep the first 224 rows and columns. A network trained from the start learns kernels
# that suit its own crop, and neither rule is better; weights that were trained with one of them put
# everything in the wrong place under the other.
# ### END SOLUTION
