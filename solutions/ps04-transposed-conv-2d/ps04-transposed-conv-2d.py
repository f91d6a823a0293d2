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
# # Problem set 4: transposed convolution in 2-D
#
# You will write down a convolution of images as one large sparse matrix, and turn it round by
# transposing that matrix. Then you can look into it: what comes back, and what is lost.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# Write with NumPy, and with `scipy.sparse` where a matrix is asked for. `torch` and `tensorflow`
# have these operations ready-made, and using them would spoil the fun; a function that does earns
# nothing.
#
# **Chapter:** *The sparse-matrix view*.

# %%
import numpy as np
import scipy.sparse

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# Take an image with two rows and three columns, and the kernel $\begin{pmatrix} 1 & 2 \\ 3 & 4
# \end{pmatrix}$. It has two places to stand. Write the six pixels in one row, the first row of
# the image before the second:
#
# $$
# x = (x_{00}, x_{01}, x_{02}, x_{10}, x_{11}, x_{12}).
# $$
#
# Each output is a weighted sum of these six numbers, so each has a row of six weights:
#
# $$
# C = \begin{pmatrix} 1 & 2 & 0 & 3 & 4 & 0 \\ 0 & 1 & 2 & 0 & 3 & 4 \end{pmatrix}.
# $$
#
# A sparse matrix keeps the weights that are not zero, and where each of them stands:

# %%
values = [1.0, 2, 3, 4, 1, 2, 3, 4]
rows = [0, 0, 0, 0, 1, 1, 1, 1]
columns = [0, 1, 3, 4, 1, 2, 4, 5]
C = scipy.sparse.csr_array((values, (rows, columns)), shape=(2, 6))
print(C.toarray())
image = np.array([[1.0, 10, 100], [1000, 10000, 100000]])
print(C @ image.ravel())

# %% [markdown]
# ## 1. Predict first: how much of the matrix is not zero?
#
# {facts: predict_matrix_entries}
#
# An image of 4 × 4, a kernel of **3 × 3** without a zero in it, stride 1, and `padding=1`, so that
# the output is 4 × 4 again. The matrix has 16 rows and 16 columns. How many of its 256 entries are
# not zero?
#
# Work it out on paper. The check below only notes your answer; you will see for yourself in the
# next exercise.


# %% exercise="predict_matrix_entries"
def predict_matrix_entries():
    """Return the number of entries that you expect not to be zero, as a whole number."""
    ### BEGIN SOLUTION
    return 100
    ### END SOLUTION


# %% [markdown]
# ## 2. Convolution in 2-D as a sparse matrix
#
# {facts: conv2d_matrix}
#
# Build the matrix of the worked example for any image size, kernel, stride and padding. `stride`
# and `padding` may each be one number for both directions, or a pair: first down, then across.
#
# <details><summary>Hint 1</summary>
#
# Output $(a, b)$ has a row of its own. Which one, if the outputs are numbered along their rows?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Tap $(u, v)$ of output $(a, b)$ lies on one pixel. In which row and column of the image? Only if
# both are inside the image, the tap has a column in $C$.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Collect three lists: values, rows and columns, as in the worked example. Give the matrix its
# `shape`, or columns that hold nothing but zeros at the end go missing.
#
# </details>


# %% exercise="conv2d_matrix"
def conv2d_matrix(h, w, kernel, stride=1, padding=0):
    """Return the sparse matrix C for which C @ x.ravel() is the convolution of the image x.

    h, w     height and width of the images that C is for
    kernel   array of shape (kh, kw), floating; it is not flipped
    stride   1 or more, or a pair (down, across)
    padding  zeros round the image, 0 or more, or a pair (above and below, left and right)

    Returns a matrix or array of scipy.sparse, of any format and of the kernel's type, with one row
    for each output and one column for each pixel, both numbered along the rows of the image. There
    is always room for one window at least.
    """
    ### BEGIN SOLUTION
    sh, sw = (stride, stride) if np.ndim(stride) == 0 else stride
    ph, pw = (padding, padding) if np.ndim(padding) == 0 else padding
    kh, kw = kernel.shape
    h_out, w_out = (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
    values, rows, columns = [], [], []
    for a in range(h_out):
        for b in range(w_out):
            for u in range(kh):
                for v in range(kw):
                    i, j = a * sh + u - ph, b * sw + v - pw
                    if 0 <= i < h and 0 <= j < w:
                        values.append(kernel[u, v])
                        rows.append(a * w_out + b)
                        columns.append(i * w + j)
    shape = (h_out * w_out, h * w)
    return scipy.sparse.csr_array((values, (rows, columns)), shape=shape, dtype=kernel.dtype)
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
print(conv2d_matrix(4, 4, np.ones((3, 3)), padding=1).nnz)

# %% [markdown]
# ## 3. Transposed convolution by the matrix
#
# {facts: conv_transpose2d_by_matrix}
#
# Now turn it round. `C` makes a long vector of pixels into a long vector of outputs, its transpose
# makes a vector of outputs into one of pixels. You may call your own `conv2d_matrix` for this; then
# that one has to be right.
#
# `out_hw` says how large the result is to be. It is always a size from which the convolution with
# this kernel, stride and padding makes a map as large as `y`.
#
# <details><summary>Hint 1</summary>
#
# For which image size do you need $C$? Not for that of `y`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `ravel` makes one long vector of a map, and `reshape` goes the other way.
#
# </details>


# %% exercise="conv_transpose2d_by_matrix"
def conv_transpose2d_by_matrix(y, kernel, out_hw, stride=1, padding=0):
    """Return the transposed convolution of y: the transpose of conv2d_matrix times y.

    y        array of shape (h_in, w_in), floating
    kernel   array of shape (kh, kw), of the same type
    out_hw   height and width of the result
    stride   1 or more, or a pair (down, across)
    padding  how many rows and columns are cropped at each side, 0 or more, or a pair

    Returns an array of shape out_hw, of y's type.
    """
    ### BEGIN SOLUTION
    c = conv2d_matrix(*out_hw, kernel, stride, padding)
    return (c.T @ y.ravel()).reshape(out_hw)
    ### END SOLUTION


# %% [markdown]
# ## 4. In your own words
#
# {points: why_transpose}
#
# Somebody says: "You have the matrix, so do not guess. Solve $C x = y$ with the pseudo-inverse, and
# you get a better image than with $C^\mathsf{T}$." In four to six sentences, with one small example
# of your own: what is right about it, and why does a layer of a network multiply by $C^\mathsf{T}$
# all the same?
#
# *Marked by hand.* 1 point: what the pseudo-inverse does and $C^\mathsf{T}$ does not (its result
# has $y$ as its convolution, as nearly as that is possible). 1 point: it does not bring the image
# back either, because different images have the same $y$; your example shows it, with numbers
# that are right. 1 point: a reason for the transpose, for example that the layer's input is no
# convolution of any image that one wants back, that its taps are learned, or that it needs no
# equations solved.

# %% [markdown] open="why_transpose" points=3
# ### BEGIN SOLUTION
# The pseudo-inverse finds an image whose convolution is y, if there is one; Cᵀ does not. With the
# kernel (1, 1) and x = (1, 2, 3) we have y = (3, 5). The pseudo-inverse gives (1/3, 8/3, 7/3),
# whose convolution is (3, 5) again, and Cᵀ gives (3, 8, 5), whose convolution is (11, 13). But
# neither is x: many images have the same y, and what lies in the null space of C is gone. A layer
# of a decoder is not there to undo a particular convolution. Its input is a map of features, and
# its taps are learned so that what comes out is useful; multiplying by Cᵀ is cheap, linear in the
# taps, and its gradient is an ordinary convolution.
# ### END SOLUTION
