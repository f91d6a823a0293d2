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
# transposing that matrix. Then you write the whole operation as `torch.nn.ConvTranspose2d` has it,
# with channels, groups, dilation and a bias, and in the end the two gradients of a convolution. One
# of them, you will see, you have written already.
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
# **Chapters:** *The sparse-matrix view*, *Transposed convolution in 2-D*, and for the last two
# functions *Forward is backward*.

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
# ## 4. Transposed convolution in 2-D, in full
#
# {facts: conv_transpose2d}
#
# Now without a matrix, and with all that a layer has: a batch of images with several channels,
# `groups`, `dilation` and a `bias`. Build it step by step; each step has points of its own. The
# settings for height and width may each be one number or a pair: first down, then across.
#
# The full result, before anything is cropped, has $(n - 1)\,s + d\,(k - 1) + 1$ places along each
# axis, for $n$ inputs, $k$ taps, stride $s$ and dilation $d$. Then comes `output_padding` at the
# bottom and at the right, then `padding` is cropped at all four sides.
#
# Raise a `ValueError` where the arguments make no sense: where the channels of `x`, `w` or `bias`
# do not fit each other or the groups; where a stride or a dilation is below 1, a padding or an
# output padding below 0; where an `output_padding` is neither below the stride nor below the
# dilation of its axis; and where nothing is left of the result.
#
# <details><summary>Hint 1</summary>
#
# Begin with one image, one channel, stride 1: loop over the taps instead of the pixels. Tap $(u,
# v)$ adds the whole image, times this tap, to a rectangle of the result. Which one?
#
# </details>
# <details><summary>Hint 2</summary>
#
# With a stride, the rectangle has gaps: a slice with a step. With a dilation it begins further on.
#
# </details>
# <details><summary>Hint 3</summary>
#
# For one tap and one group, the channels are a small matrix product: every output channel takes
# from every input channel of its group. `np.einsum` does that for all images and pixels at once.
#
# </details>
# <details><summary>Hint 4</summary>
#
# With g groups, the first C/g channels of `x`, and the first C/g rows of `w`, make the first
# channels of the result; the next C/g make the next ones. The bias comes last, once for each place.
#
# </details>


# %% exercise="conv_transpose2d"
def conv_transpose2d(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Return the transposed convolution of a batch of images.

    x               array of shape (N, C, H, W), floating
    w               array of shape (C, M, kh, kw), of the same type; M output channels a group
    bias            array of shape (groups * M,), or None
    stride          1 or more, or a pair (down, across)
    padding         rows and columns cropped at each side, 0 or more, or a pair
    output_padding  rows and columns more, at the bottom and at the right, or a pair
    groups          how many blocks the channels are divided into
    dilation        how far apart the taps stand, 1 or more, or a pair

    Returns an array of shape (N, groups * M, H_out, W_out) of x's type. Raises ValueError where the
    arguments make no sense.
    """
    ### BEGIN SOLUTION
    pairs = [(a, a) if np.ndim(a) == 0 else a for a in (stride, padding, output_padding, dilation)]
    (sh, sw), (ph, pw), (oh, ow), (dh, dw) = pairs
    (n, c, h, wide), (rows, m, kh, kw) = x.shape, w.shape
    if min(sh, sw, dh, dw) < 1 or min(ph, pw, oh, ow) < 0 or groups < 1:
        raise ValueError("a stride, a dilation or the groups below 1, or a padding below 0")
    if oh >= max(sh, dh) or ow >= max(sw, dw):
        raise ValueError("output_padding has to be smaller than the stride or the dilation")
    if c != rows or c % groups or (bias is not None and bias.shape != (groups * m,)):
        raise ValueError("the channels of x, w and bias do not fit together")
    h_full, w_full = (h - 1) * sh + dh * (kh - 1) + 1 + oh, (wide - 1) * sw + dw * (kw - 1) + 1 + ow
    if h_full <= 2 * ph or w_full <= 2 * pw:
        raise ValueError("the padding crops everything")
    full = np.zeros((n, groups * m, h_full, w_full), dtype=x.dtype)
    for g in range(groups):
        mine = slice(g * c // groups, (g + 1) * c // groups)
        for u in range(kh):
            for v in range(kw):
                part = np.einsum("nchw,cm->nmhw", x[:, mine], w[mine, :, u, v])
                down = slice(u * dh, u * dh + (h - 1) * sh + 1, sh)
                across = slice(v * dw, v * dw + (wide - 1) * sw + 1, sw)
                full[:, g * m : (g + 1) * m, down, across] += part
    z = full[:, :, ph : h_full - ph, pw : w_full - pw]
    return z if bias is None else z + bias[:, None, None]
    ### END SOLUTION


# %% [markdown]
# ## 5. The gradient of a convolution's input
#
# {facts: conv2d_backward_input}
#
# A network is trained by asking how its loss changes when a number changes. Suppose you know that
# for each *output* of an ordinary convolution: these numbers are `grad_output`. What are they for
# each *pixel* of its input? A pixel changes every output whose window it lies in, each through
# one tap. So each output sends its number back to the pixels of its window, through the same
# taps.
#
# Here `w` is the kernel of the convolution, with the output channels first, and `input_hw` says how
# large the images were.
#
# <details><summary>Hint 1</summary>
#
# Which operation sends each number to a window of places, through the taps of a kernel? You have
# written it, and may call it here; then it has to be right.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Pixels that lie in no window change nothing. Where are they, and what is their gradient?
#
# </details>


# %% exercise="conv2d_backward_input"
def conv2d_backward_input(grad_output, w, input_hw, stride=1, padding=0):
    """Return the gradient of a convolution's input, given that of its output.

    grad_output  array of shape (N, O, h_out, w_out), floating
    w            the convolution's kernel, of shape (O, C, kh, kw), of the same type
    input_hw     height and width of the convolution's input
    stride       1 or more, or a pair (down, across)
    padding      zeros round the input, 0 or more, or a pair

    Returns an array of shape (N, C, *input_hw), of the same type.
    """
    ### BEGIN SOLUTION
    sh, sw = (stride, stride) if np.ndim(stride) == 0 else stride
    ph, pw = (padding, padding) if np.ndim(padding) == 0 else padding
    (n, _, h, wide), (_, c, kh, kw) = grad_output.shape, w.shape
    full = np.zeros((n, c, input_hw[0] + 2 * ph, input_hw[1] + 2 * pw), dtype=grad_output.dtype)
    for u in range(kh):
        for v in range(kw):
            part = np.einsum("nohw,oc->nchw", grad_output, w[:, :, u, v])
            full[:, :, u : u + (h - 1) * sh + 1 : sh, v : v + (wide - 1) * sw + 1 : sw] += part
    return full[:, :, ph : ph + input_hw[0], pw : pw + input_hw[1]]
    ### END SOLUTION


# %% [markdown]
# ## 6. The gradient of a convolution's kernel
#
# {facts: conv2d_backward_weight}
#
# And what are these numbers for each *tap*? A tap is used for every output of every image: it
# changes the output by the pixel that it meets in that window. So collect, over all images and
# outputs, the pixel times what `grad_output` says of the output.
#
# <details><summary>Hint 1</summary>
#
# Which pixel does tap $(u, v)$ meet in the window of output $(i, j)$? For one tap and all outputs,
# that is a slice of the padded images, as large as `grad_output`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Which letters does the sum run over: image, output channel, input channel, row, column?
#
# </details>


# %% exercise="conv2d_backward_weight"
def conv2d_backward_weight(x, grad_output, kernel_hw, stride=1, padding=0):
    """Return the gradient of a convolution's kernel, given that of its output.

    x            the convolution's input, of shape (N, C, H, W), floating
    grad_output  array of shape (N, O, h_out, w_out), of the same type
    kernel_hw    height and width of the kernel
    stride       1 or more, or a pair (down, across)
    padding      zeros round the input, 0 or more, or a pair

    Returns an array of shape (O, C, *kernel_hw), of the same type.
    """
    ### BEGIN SOLUTION
    sh, sw = (stride, stride) if np.ndim(stride) == 0 else stride
    ph, pw = (padding, padding) if np.ndim(padding) == 0 else padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    h, wide = grad_output.shape[2:]
    grad = np.zeros((grad_output.shape[1], x.shape[1], *kernel_hw), dtype=x.dtype)
    for u in range(kernel_hw[0]):
        for v in range(kernel_hw[1]):
            met = x[:, :, u : u + (h - 1) * sh + 1 : sh, v : v + (wide - 1) * sw + 1 : sw]
            grad[:, :, u, v] = np.einsum("nohw,nchw->oc", grad_output, met)
    return grad
    ### END SOLUTION


# %% [markdown]
# ## 7. In your own words
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
