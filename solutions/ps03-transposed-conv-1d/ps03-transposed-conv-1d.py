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
# # Problem set 3: transposed convolution in 1-D
#
# You will write an ordinary convolution, write it again as a matrix, and then turn it round:
# first by scattering, then by gathering, then by inserting zeros, and in the end without one
# multiplication by such a zero. Every function works on plain one-dimensional NumPy arrays. At the
# end you will have built, by hand, what `torch.nn.ConvTranspose1d` and
# `tf.nn.conv1d_transpose` compute.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points: a function that is right for stride 1 only still earns something.
#
# Write with NumPy only. `torch`, `tensorflow` and `scipy` have these operations ready-made, and
# using them would spoil the fun; a function that does earns nothing.
#
# **Chapters:** *Convolution in 1-D*, *Turning it round*, and for the last two functions *The
# efficient form*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# Take the input $x = (1, 2, 3, 4, 5, 6)$, the kernel $w = (1, 2, 3, 4)$, stride 2 and no padding.
# The kernel has two places to stand. Multiply what lies on top of each other and add up:
#
# $$
# y_0 = 1\cdot1 + 2\cdot2 + 3\cdot3 + 4\cdot4 = 30, \qquad
# y_1 = 3\cdot1 + 4\cdot2 + 5\cdot3 + 6\cdot4 = 50.
# $$

# %%
x = np.array([1.0, 2, 3, 4, 5, 6])
w = np.array([1.0, 2, 3, 4])
print(x[0:4], "·", w, "=", x[0:4] @ w)
print(x[2:6], "·", w, "=", x[2:6] @ w)

# %% [markdown]
# ## 1. Convolution in 1-D
#
# {facts: conv1d}
#
# Write the operation of the worked example for any input, kernel, stride and padding. As in
# every deep-learning framework, the kernel is *not* flipped.
#
# <details><summary>Hint 1</summary>
#
# Pad first. From then on you can forget that there was padding.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Where does the window of output number $i$ start? How many windows fit?
#
# </details>
# <details><summary>Hint 3</summary>
#
# One window is a slice of the padded input, as long as the kernel. In the worked example the
# slices start at 0 and 2.
#
# </details>


# %% exercise="conv1d"
def conv1d(x, w, stride=1, padding=0):
    """Slide the kernel over the input and return one number for each place it stands in.

    x        array of shape (n,), floating
    w        array of shape (k,), of the same type
    stride   how far the kernel moves from one output to the next, 1 or more
    padding  how many zeros are put at each end of x, 0 or more

    Returns an array of shape ((n + 2 * padding - k) // stride + 1,) of x's type. x and w are
    left as they are. There is always room for one window at least.
    """
    ### BEGIN SOLUTION
    x = np.pad(x, padding)
    starts = range(0, len(x) - len(w) + 1, stride)
    return np.array([x[i : i + len(w)] @ w for i in starts], dtype=x.dtype)
    ### END SOLUTION


# %% [markdown]
# ## 2. TensorFlow's SAME padding
#
# {facts: same_padding}
#
# PyTorch asks you for `padding`. TensorFlow also takes the word `SAME` and works the zeros out
# itself, so that there are $\lceil n / s \rceil$ outputs. Write down how many zeros it puts in
# front and how many at the end.
#
# <details><summary>Hint 1</summary>
#
# Begin at the end: you know how many outputs there are. How far do their windows reach,
# from the first element of the first window to the last element of the last?
#
# </details>
# <details><summary>Hint 2</summary>
#
# What the windows reach beyond the $n$ elements that there are has to be zeros. Share them out.
# And what if the windows do not even need all $n$?
#
# </details>


# %% exercise="same_padding"
def same_padding(n, k, s):
    """Return how many zeros TensorFlow's SAME puts (before, after) an input.

    n  length of the input, 1 or more
    k  length of the kernel, 1 or more
    s  stride, 1 or more

    Returns a pair of whole numbers, 0 or more each.
    """
    ### BEGIN SOLUTION
    outputs = -(-n // s)
    total = max((outputs - 1) * s + k - n, 0)
    return total // 2, total - total // 2
    ### END SOLUTION


# %% [markdown]
# ## 3. Convolution as a matrix
#
# {facts: conv1d_matrix}
#
# Every output of a convolution is a weighted sum of the inputs. So there is a matrix $C$ with
# $y = C x$. Build it. For $n = 5$, $w = (1, 2, 3)$ and stride 2 it is
#
# $$
# C = \begin{pmatrix} 1 & 2 & 3 & 0 & 0 \\ 0 & 0 & 1 & 2 & 3 \end{pmatrix}.
# $$
#
# <details><summary>Hint 1</summary>
#
# Row $i$ says what output $i$ takes from each input. Where in that row does tap 0 stand?
#
# </details>
# <details><summary>Hint 2</summary>
#
# With padding, some taps of the first and last rows hang over the edge. They meet zeros: they
# have no place in $C$.
#
# </details>


# %% exercise="conv1d_matrix"
def conv1d_matrix(n, w, stride=1, padding=0):
    """Return the matrix C for which C @ x equals conv1d(x, w, stride, padding).

    n        length of the inputs that C is for
    w        array of shape (k,), floating
    stride   1 or more
    padding  zeros at each end of the input, 0 or more

    Returns an array of shape ((n + 2 * padding - k) // stride + 1, n) of w's type.
    """
    ### BEGIN SOLUTION
    rows = (n + 2 * padding - len(w)) // stride + 1
    c = np.zeros((rows, n + 2 * padding), dtype=w.dtype)
    for i in range(rows):
        c[i, i * stride : i * stride + len(w)] = w
    return c[:, padding : padding + n]  # the columns of the zeros go
    ### END SOLUTION


# %% [markdown]
# ## 4. Predict first: how long is the output?
#
# {facts: predict_transposed_length}
#
# Now we turn the operation round. A transposed convolution takes **5** numbers, with a kernel of
# **4** taps, `stride=3`, `padding=1` and `output_padding=2`. How many numbers come out?
#
# Work it out on paper, before you write any code. The check below only notes your answer; you
# will see for yourself in the next exercise.


# %% exercise="predict_transposed_length"
def predict_transposed_length():
    """Return the number of outputs that you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 16
    ### END SOLUTION


# %% [markdown]
# ## 5. Transposed convolution, scattered
#
# {facts: conv_transpose1d_scatter}
#
# In the convolution of exercise 1 every output *collects* from $k$ inputs. Turned round, every
# input *hands out* to $k$ outputs: it lays down a copy of the kernel, multiplied by its value.
# Copies of neighbouring inputs lie `stride` apart, and where they overlap they add up. For
# $y = (1, 2)$, $w = (1, 2, 3, 4)$ and stride 2:
#
# | | $z_0$ | $z_1$ | $z_2$ | $z_3$ | $z_4$ | $z_5$ |
# | --- | --- | --- | --- | --- | --- | --- |
# | from $y_0 = 1$ | 1 | 2 | 3 | 4 | | |
# | from $y_1 = 2$ | | | 2 | 4 | 6 | 8 |
# | sum | 1 | 2 | 5 | 8 | 6 | 8 |
#
# `padding` undoes the padding of the convolution that this belongs to: it *crops* that many
# elements at each end. `output_padding` makes the result longer at its end, before that crop.
#
# <details><summary>Hint 1</summary>
#
# Start with zeros, as many as there are before anything is cropped. How many is that?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Crop last. And take care with `result[padding:-padding]`: what does it give for a padding of 0?
#
# </details>


# %% exercise="conv_transpose1d_scatter"
def conv_transpose1d_scatter(y, w, stride=1, padding=0, output_padding=0):
    """Return the transposed convolution of y, each input adding its copy of the kernel.

    y               array of shape (n,), floating
    w               array of shape (k,), of the same type
    stride          how far the copies lie apart, 1 or more
    padding         how many elements are cropped at each end, 0 or more
    output_padding  how much longer the result is at its end, from 0 to stride - 1

    Returns an array of shape ((n - 1) * stride - 2 * padding + k + output_padding,) of y's
    type. That length is 1 or more.
    """
    ### BEGIN SOLUTION
    n, k = len(y), len(w)
    full = np.zeros((n - 1) * stride + k + output_padding, dtype=y.dtype)
    for i in range(n):
        full[i * stride : i * stride + k] += y[i] * w
    return full[padding : len(full) - padding]
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
len(conv_transpose1d_scatter(np.ones(5), np.ones(4), stride=3, padding=1, output_padding=2))

# %% [markdown]
# ## 6. Transposed convolution, gathered
#
# {facts: conv_transpose1d_gather}
#
# The same numbers, seen from the other end. Stand at one output and collect what the inputs send
# there. In the table above, walk down the column of $z_2$: input 0 has its tap 2 there, input 1
# its tap 0. So $z_2 = 1 \cdot 3 + 2 \cdot 1 = 5$. Write each output as such a sum.
#
# <details><summary>Hint 1</summary>
#
# Where does the copy of input $i$ begin? How far from there is it to place $o$ of the full result?
# And which tap lies so far from the beginning of the copy?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Not every input has a tap for every place. What are the smallest and the largest index of a tap?
# In Python an index of −1 is no error.
#
# </details>
# <details><summary>Hint 3</summary>
#
# If `padding` places are cropped in front, which place of the full result is output 0?
#
# </details>


# %% exercise="conv_transpose1d_gather"
def conv_transpose1d_gather(y, w, stride=1, padding=0, output_padding=0):
    """Return the transposed convolution of y, each output collecting from the inputs.

    y               array of shape (n,), floating
    w               array of shape (k,), of the same type
    stride          how far apart the copies of neighbouring inputs begin, 1 or more
    padding         how many elements are cropped at each end, 0 or more
    output_padding  how much longer the result is at its end, from 0 to stride - 1

    Returns what conv_transpose1d_scatter returns.
    """
    ### BEGIN SOLUTION
    n, k = len(y), len(w)
    z = np.zeros((n - 1) * stride - 2 * padding + k + output_padding, dtype=y.dtype)
    for o in range(len(z)):
        for i in range(n):
            tap = o + padding - i * stride
            if 0 <= tap < k:
                z[o] += y[i] * w[tap]
    return z
    ### END SOLUTION


# %% [markdown]
# ## 7. Transposed convolution by zero insertion
#
# {facts: conv_transpose1d_zero_insert}
#
# The same numbers, another way: stretch the input by putting zeros between its elements, put
# more zeros at the edges, and run an *ordinary* convolution with stride 1 over the result. Your
# function has to call `conv1d(x, w, stride=1, padding=0)` for that. While this exercise is
# judged, `conv1d` is ours, so a mistake in exercise 1 costs you nothing here.
#
# Here `padding` is at most `k - 1`, and `output_padding` stays below the stride.
#
# <details><summary>Hint 1</summary>
#
# First leave `padding` and `output_padding` out. In exercise 5's table, which two inputs meet in
# $z_2$, and through which taps? A kernel that slides over $(\dots, 1, 0, 2, \dots)$ has to meet
# them with the same taps. Which way round does it stand?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The first output depends on the first input alone. How many zeros does the kernel need in front
# of it? What does cropping one output do to that number?
#
# </details>


# %% exercise="conv_transpose1d_zero_insert"
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    """Return the transposed convolution of y as conv1d over y stretched with zeros.

    y               array of shape (n,), floating
    w               array of shape (k,), of the same type
    stride          how far apart neighbours of y come to stand, 1 or more
    padding         how many elements are cropped at each end, from 0 to k - 1
    output_padding  how much longer the result is at its end, from 0 to stride - 1

    Returns what conv_transpose1d_scatter returns, and calls conv1d once.
    """
    ### BEGIN SOLUTION
    n, k = len(y), len(w)
    stretched = np.zeros((n - 1) * stride + 1, dtype=y.dtype)
    stretched[::stride] = y
    edge = k - 1 - padding
    return conv1d(np.pad(stretched, (edge, edge + output_padding)), w[::-1])
    ### END SOLUTION


# %% [markdown]
# ## 8. The phases of a kernel
#
# {facts: polyphase_split}
#
# With stride 2, the taps 0, 2, 4, … of the kernel never meet at one output with the taps 1, 3, 5,
# …. So the kernel falls apart into two *phases*. With stride $s$ there are $s$ of them: phase $r$
# holds the taps $r$, $r + s$, $r + 2s$ and so on, in the kernel's order. For
# $w = (1, 2, 3, 4, 5)$ and stride 3 they are $(1, 4)$, $(2, 5)$ and $(3)$.
#
# <details><summary>Hint 1</summary>
#
# A slice of an array can have a start and a step.
#
# </details>
# <details><summary>Hint 2</summary>
#
# How many phases are there if the kernel is shorter than the stride? Look at the check with two
# taps and stride 3.
#
# </details>


# %% exercise="polyphase_split"
def polyphase_split(w, stride):
    """Return the phases of a kernel: phase r holds the taps r, r + stride, r + 2 * stride, ...

    w       array of shape (k,), floating
    stride  how many phases there are, 1 or more

    Returns a list of `stride` arrays of w's type, some of them empty if stride > k.
    """
    ### BEGIN SOLUTION
    return [w[r::stride] for r in range(stride)]
    ### END SOLUTION


# %% [markdown]
# ## 9. Transposed convolution in polyphase form
#
# {facts: conv_transpose1d_polyphase}
#
# Zero insertion multiplies by zeros that you have just put in. Now do without them. Slide each
# phase over $y$ by an ordinary convolution with stride 1: what comes out are the places $r$,
# $r + s$, $r + 2s$, … of the full result. Interleave, and crop last.
#
# Your function has to call `conv1d(x, w, stride=1, padding=0)` for all its multiplications: they
# are counted there. At most $\lceil k/s \rceil$ for each place of the full result are enough.
# (Zeros at the *ends* of $y$ are all right.) You may also call `polyphase_split(w, stride)`. While
# this exercise is judged, both are ours, so a mistake in exercises 1 and 8 costs you nothing here.
#
# <details><summary>Hint 1</summary>
#
# Take $y = (1, 2)$ and $w = (1, 2, 3, 4)$ with stride 2, and the table of exercise 5. Its even
# places hold 1, 5, 6. Get them from $y$ and the taps 1 and 3. How many zeros does $y$ need at its
# ends? Which way round do the two taps lie?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `full[r::stride]` is every place of phase $r$, and you can write to it. The phases need not give
# equally many numbers, and a place may belong to no tap at all.
#
# </details>


# %% exercise="conv_transpose1d_polyphase"
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    """Return the transposed convolution of y by sliding the phases of w over it.

    y               array of shape (n,), floating
    w               array of shape (k,), of the same type
    stride          how many phases there are, 1 or more
    padding         how many elements are cropped at each end, 0 or more
    output_padding  how much longer the result is at its end, from 0 to stride - 1

    Returns what conv_transpose1d_scatter returns, and multiplies in conv1d only.
    """
    ### BEGIN SOLUTION
    n, k = len(y), len(w)
    full = np.zeros((n - 1) * stride + k + output_padding, dtype=y.dtype)
    for r, phase in enumerate(polyphase_split(w, stride)):
        if len(phase):  # no tap reaches the places of an empty phase: they stay 0
            part = conv1d(y, phase[::-1], padding=len(phase) - 1)
            full[r : r + stride * len(part) : stride] = part
    return full[padding : len(full) - padding]
    ### END SOLUTION


# %% [markdown]
# ## 10. In your own words
#
# {points: why_not_inverse}
#
# Many papers call this operation *deconvolution*. A friend concludes that it undoes a
# convolution: "`conv_transpose1d_scatter(conv1d(x, w), w)` gives me `x` back." In three to five
# sentences and one small example with numbers of your own, tell your friend what it does give
# back and what not, and why.
#
# *Marked by hand.* 1 point: the shape comes back, the values do not. 1 point: your example shows
# it, with numbers that are right. 1 point: a reason, for example that a convolution with a stride
# maps several inputs to the same output, or that $C^\top C$ is not the identity.

# %% [markdown] open="why_not_inverse" points=3
# ### BEGIN SOLUTION
# The transposed convolution gives back the *shape* of x, not its values. With x = (1, 2, 3) and
# w = (1, 1), conv1d gives y = (3, 5), and scattering y with w gives (3, 8, 5), not (1, 2, 3). In
# matrices: y = Cx, and the transposed convolution computes Cᵀy = CᵀCx. CᵀC is not the identity;
# and where C has fewer rows than columns, no operation could get x back, because different inputs
# have the same y: here (1, 2, 3) and (2, 1, 4) both give (3, 5).
# ### END SOLUTION
