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
# # Problem set 6: gradients
#
# You will bring an operation of your own into both frameworks, with its way back: a transposed
# convolution in one dimension, whose gradients you write out by hand. Then you take the other road
# and let a framework's gradient *be* the operation: a transposed convolution in two dimensions, for
# which nobody has to write one. In the end you measure whether a way there and a way back belong
# together.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# PyTorch and TensorFlow have transposed convolutions ready-made. Using them would spoil the fun;
# an answer that does earns nothing. Their *forward* convolutions, `F.conv1d`, `tf.nn.conv2d` and
# so on, are yours to use.
#
# **Chapter:** *Forward is backward*.

# %%
import numpy as np

from autograde.notebook import check

# %% [markdown]
# ## A worked example
#
# Two inputs, 1 and 10, are laid down two places apart with the taps 1, 2, 3. That gives five
# numbers. Somewhere behind them stands a loss, and it grows by `g` with them.

# %%
x, w, g = [1, 10], [1, 2, 3], [1, 2, 3, 4, 5]
z = np.zeros(5)
for i in range(2):
    for k in range(3):
        z[2 * i + k] += x[i] * w[k]
print(z)

# %% [markdown]
# Every product `x[i] * w[k]` has gone to place `2 * i + k`. So on the way back, `x[i]` gets `w[k]`
# times what comes back to that place, and `w[k]` gets `x[i]` times the same number.

# %%
to_x, to_w = np.zeros(2), np.zeros(3)
for i in range(2):
    for k in range(3):
        to_x[i] += w[k] * g[2 * i + k]
        to_w[k] += x[i] * g[2 * i + k]
print(to_x, to_w)

# %% [markdown]
# ## 1. Predict first: what does the middle tap get?
#
# {facts: predict_tap_gradient}
#
# The inputs are **2, 5**. A kernel with **three taps** lays them down with **stride 2**. Of the
# five results, the loss grows by **1, 2, 3, 4, 5**. What is the gradient of the **middle** tap?
#
# Work it out on paper. The check below only notes your answer; you will see for yourself after the
# next exercise.


# %% exercise="predict_tap_gradient"
def predict_tap_gradient():
    """Return the gradient that you expect, as a number."""
    ### BEGIN SOLUTION
    return 2 * 2 + 5 * 4
    ### END SOLUTION


# %% [markdown]
# ## 2. A transposed convolution with a way back of its own
#
# {facts: ConvTranspose1d}
#
# Write a transposed convolution in one dimension for PyTorch's autograd: values and gradients, with
# a batch and channels, without padding. PyTorch calls it as `ConvTranspose1d.apply(x, w, stride)`.
# The kernel has the layout of `F.conv_transpose1d`, (in, out, taps).
#
# Neither `F.conv_transpose1d` nor `torch.autograd.grad` may be used, in `forward` or in `backward`:
# the way back is yours to write. Return None for an input that needs no gradient.
#
# The checks hand over numbers, and look at one thing at a time. `gradient_of` names the gradient
# that is looked at, `g` is what comes back to the result (if it is missing, all of it is 1), and
# `frozen` names the input that needs no gradient. None is shown as an empty array.
#
# <details><summary>Hint 1</summary>
#
# Take the taps one after the other. Tap k of all copies falls on every `stride`-th place from place
# k on: `z[:, :, k : k + (n - 1) * stride + 1 : stride]`. A `torch.einsum` with two letters that
# meet does the channels.
#
# </details>
# <details><summary>Hint 2</summary>
#
# On the way back the same slice of `g` meets the same tap. For `x`, sum over taps and output
# channels; for `w`, over places and images. If you have written the way there as one sum of
# products, both follow from it: in each product, one factor is replaced by what comes back.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `ctx.needs_input_grad` is a tuple with one truth value for each argument of `apply`.
#
# </details>
# <details><summary>Hint 4</summary>
#
# `x.new_zeros(shape)` makes zeros of the type of `x`. What comes back may be one number that is
# spread over all places without a copy; `view` does not like that, `reshape` does not mind.
#
# </details>

# %%
import torch
import torch.nn.functional as F


# %% exercise="ConvTranspose1d"
class ConvTranspose1d(torch.autograd.Function):
    """A transposed convolution in one dimension with gradients written by hand."""

    @staticmethod
    def forward(ctx, x, w, stride):
        """Return the values, and keep in `ctx` what the way back needs.

        x       tensor of shape (N, in, L), floating
        w       tensor of shape (in, out, K), of x's type
        stride  whole number, 1 or more

        Returns a tensor of shape (N, out, (L - 1) * stride + K) and of x's type.
        """
        ### BEGIN SOLUTION
        ctx.save_for_backward(x, w)
        ctx.stride = stride
        (n, _, length), (_, out, taps) = x.shape, w.shape
        reach = (length - 1) * stride + 1
        z = x.new_zeros(n, out, reach + taps - 1)
        for k in range(taps):
            z[:, :, k : k + reach : stride] += torch.einsum("ncl,co->nol", x, w[:, :, k])
        return z
        ### END SOLUTION

    @staticmethod
    def backward(ctx, g):
        """Return the gradients of x, w and stride, None for each that is not needed.

        g  how much the loss grows with each value, a tensor of the result's shape
        """
        ### BEGIN SOLUTION
        x, w = ctx.saved_tensors
        reach = (x.shape[2] - 1) * ctx.stride + 1
        parts = [g[:, :, k : k + reach : ctx.stride] for k in range(w.shape[2])]
        to_x = to_w = None
        if ctx.needs_input_grad[0]:
            to_x = sum(torch.einsum("nol,co->ncl", p, w[:, :, k]) for k, p in enumerate(parts))
        if ctx.needs_input_grad[1]:
            to_w = torch.stack([torch.einsum("ncl,nol->co", x, p) for p in parts], 2)
        return to_x, to_w, None
        ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your class passes its check. The last line is the test
# that PyTorch has for such a class: it nudges every input. It says nothing if all is well.

# %%
inputs = torch.tensor([[[2.0, 5]]]), torch.zeros(1, 1, 3, requires_grad=True)
ConvTranspose1d.apply(*inputs, 2).backward(torch.tensor([[[1.0, 2, 3, 4, 5]]]))
print(inputs[1].grad)

small = torch.rand(2, 2, 3, dtype=torch.float64), torch.rand(2, 3, 4, dtype=torch.float64)
small = [a.requires_grad_() for a in small]
assert torch.autograd.gradcheck(lambda x, w: ConvTranspose1d.apply(x, w, 2), small)

# %% [markdown]
# ## 3. The same in TensorFlow
#
# {facts: conv_transpose1d_custom}
#
# In TensorFlow the channels come last, and the kernel has the layout of `tf.nn.conv1d_transpose`:
# (taps, out, in). Write the values and both gradients under `tf.custom_gradient`, without a
# transposed convolution of TensorFlow's. It has to work inside a `tf.function` too, where neither
# the batch nor the length of `x` is known beforehand.
#
# In the checks, `under="tf.function"` says that your function was traced, and
# `under="tf.custom_gradient"` that its gradient has to be its own.
#
# <details><summary>Hint 1</summary>
#
# TensorFlow's tensors cannot be written to. Put `stride - 1` zeros behind every input by `tf.pad`
# on an axis of its own and a `tf.reshape`, add `K - 1` zeros at both ends, and let `tf.nn.conv1d`
# run over it. Which way round does the kernel have to be?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The gradient for `x` is a convolution of `g` with the kernel as it is: what is an output channel
# there is an input channel here.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The gradient for `w` is `g`, looked at through `x` as a kernel with its elements `stride` apart.
# The images are what is summed over, so they take the place of the input channels. The chapter has
# this with the two exchanged.
#
# </details>
# <details><summary>Hint 4</summary>
#
# Inside a `tf.function`, `x.shape` holds a `None` for each size that is unknown. `tf.shape(x)` is a
# tensor, and you may compute with it.
#
# </details>

# %%
import tensorflow as tf


# %% exercise="conv_transpose1d_custom"
def conv_transpose1d_custom(x, w, stride):
    """Return a transposed convolution whose gradients for x and w are its own.

    x       tensor of shape (N, L, in), floating; `in` is always known
    w       tensor of shape (K, out, in), of x's type; its shape is always known
    stride  whole number, 1 or more

    Returns a tensor of shape (N, (L - 1) * stride + K, out) and of x's type.
    """

    ### BEGIN SOLUTION
    @tf.custom_gradient
    def f(x, w):
        size, taps = tf.shape(x), w.shape[0]
        apart = tf.pad(x[:, :, None], [[0, 0], [0, 0], [0, stride - 1], [0, 0]])
        apart = tf.reshape(apart, [size[0], size[1] * stride, x.shape[2]])
        apart = apart[:, : (size[1] - 1) * stride + 1]
        apart = tf.pad(apart, [[0, 0], [taps - 1, taps - 1], [0, 0]])
        z = tf.nn.conv1d(apart, tf.transpose(w[::-1], [0, 2, 1]), 1, "VALID")

        def backward(g):
            to_x = tf.nn.conv1d(g, w, stride, "VALID")
            over, kernel = tf.transpose(g, [2, 1, 0]), tf.transpose(x, [1, 0, 2])
            to_w = tf.nn.conv1d(over, kernel, 1, "VALID", dilations=stride)
            return to_x, tf.transpose(to_w, [1, 0, 2])

        return z, backward

    return f(x, w)
    ### END SOLUTION


# %% [markdown]
# ## 4. Predict first: what arrives in the middle?
#
# {facts: predict_middle}
#
# A transposed convolution with **stride 2** and **padding 1** turns **2 × 2 ones** into 3 × 3
# numbers. Its kernel is
#
# $$\begin{matrix} 1 & 2 & 3 \\ 4 & 5 & 6 \\ 7 & 8 & 10 \end{matrix}$$
#
# Which number stands in the middle of the result? You will see for yourself after the next
# exercise.


# %% exercise="predict_middle"
def predict_middle():
    """Return the number that you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 10 + 7 + 3 + 1
    ### END SOLUTION


# %% [markdown]
# ## 5. A transposed convolution out of a gradient, in PyTorch
#
# {facts: conv_transpose2d_as_vjp_torch}
#
# Suppose that PyTorch had no transposed convolution. It has `F.conv2d`, and can send a gradient
# back through it. Make a transposed convolution of these two, with a batch, channels, a stride and
# a padding. The kernel has the layout of `F.conv_transpose2d`, (in, out, height, width).
#
# Gradients have to pass through your function, to `x` and to `w`, as through any layer.
#
# <details><summary>Hint 1</summary>
#
# Turn it round: your `x` is what comes back *to the result* of a convolution, and what you return
# is what that convolution sends back *to its image*. How large is that image?
#
# </details>
# <details><summary>Hint 2</summary>
#
# What a convolution sends back to its image does not depend on the numbers in the image. Any will
# do.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.autograd.grad(y, image, x)` sends `x` back from `y` to `image`. The chapter says what has
# to be added if the result is to have gradients itself.
#
# </details>


# %% exercise="conv_transpose2d_as_vjp_torch"
def conv_transpose2d_as_vjp_torch(x, w, stride, padding):
    """Return the transposed convolution of a batch, made of F.conv2d and its gradient.

    x        tensor of shape (N, in, H, W), floating
    w        tensor of shape (in, out, kh, kw), of x's type
    stride   whole number or (down, across), 1 or more
    padding  whole number or (rows, columns), 0 or more: how much is cropped at each side

    Returns a tensor of shape (N, out, (H - 1) * stride - 2 * padding + kh, likewise) and of x's
    type. The sizes in the checks leave at least one row and column.
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    rows = (x.shape[2] - 1) * sh - 2 * ph + w.shape[2]
    columns = (x.shape[3] - 1) * sw - 2 * pw + w.shape[3]
    image = x.new_zeros(len(x), w.shape[1], rows, columns, requires_grad=True)
    y = F.conv2d(image, w, stride=stride, padding=padding)
    return torch.autograd.grad(y, image, x, create_graph=True)[0]
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Run this once your function passes its check.

# %%
kernel = torch.tensor([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 10]]]])
print(conv_transpose2d_as_vjp_torch(torch.ones(1, 1, 2, 2), kernel, 2, 1)[0, 0, 1, 1])

# %% [markdown]
# ## 6. A transposed convolution out of a gradient, in TensorFlow
#
# {facts: conv_transpose2d_as_vjp_tf}
#
# The same with `tf.nn.conv2d` and a `tf.GradientTape`: the channels last, and the kernel in the
# layout of `tf.nn.conv2d_transpose`, (height, width, out, in). It has to work inside a
# `tf.function` too, where only the number of channels and the kernel's shape are known beforehand.
#
# <details><summary>Hint 1</summary>
#
# `tf.nn.conv2d` takes numbers for its padding, too: a list of four pairs, one for each axis of
# NHWC.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A tape does not watch a constant by itself. What has `tape.gradient` to be given as
# `output_gradients`?
#
# </details>


# %% exercise="conv_transpose2d_as_vjp_tf"
def conv_transpose2d_as_vjp_tf(x, w, stride, padding):
    """Return the transposed convolution of a batch, made of tf.nn.conv2d and its gradient.

    x        tensor of shape (N, H, W, in), floating; `in` is always known
    w        tensor of shape (kh, kw, out, in), of x's type; its shape is always known
    stride   whole number or (down, across), 1 or more
    padding  whole number or (rows, columns), 0 or more: how much is cropped at each side

    Returns a tensor of shape (N, (H - 1) * stride - 2 * padding + kh, likewise, out) and of x's
    type. The sizes in the checks leave at least one row and column.
    """
    ### BEGIN SOLUTION
    strides = [int(s) for s in np.broadcast_to(stride, 2)]
    pads = [int(p) for p in np.broadcast_to(padding, 2)]
    n, h, width, _ = tf.unstack(tf.shape(x))
    rows = (h - 1) * strides[0] - 2 * pads[0] + w.shape[0]
    columns = (width - 1) * strides[1] - 2 * pads[1] + w.shape[1]
    image = tf.zeros([n, rows, columns, w.shape[2]], x.dtype)
    around = [[0, 0], [pads[0]] * 2, [pads[1]] * 2, [0, 0]]
    with tf.GradientTape() as tape:
        tape.watch(image)
        y = tf.nn.conv2d(image, w, strides, around)
    return tape.gradient(y, image, x)
    ### END SOLUTION


# %% [markdown]
# ## 7. Two dot products
#
# {facts: adjoint_gap}
#
# Here are a convolution and its way back, in NumPy. Do they belong together? Measure the *gap*
# between the two dot products $\langle Cx, y\rangle$ and $\langle x, C^\mathsf{T} y\rangle$: how
# far they are apart.

# %%


def conv2d(x, w, stride, padding):
    """Return the convolution of x, (N, in, H, W), with w, (out, in, kh, kw)."""
    (ph, pw), (sh, sw) = np.broadcast_to(padding, 2), np.broadcast_to(stride, 2)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("ncijuv,ocuv->noij", windows[:, :, ::sh, ::sw], w)


def conv2d_backward_input(grad_output, w, input_hw, stride, padding):
    """Return what that convolution sends back to an image with input_hw = (H, W)."""
    (ph, pw), (sh, sw) = np.broadcast_to(padding, 2), np.broadcast_to(stride, 2)
    n, _, rows, columns = grad_output.shape
    full = np.zeros((n, w.shape[1], input_hw[0] + 2 * ph, input_hw[1] + 2 * pw))
    for u, v in np.ndindex(*w.shape[2:]):
        there = full[:, :, u::sh, v::sw][:, :, :rows, :columns]
        there += np.einsum("noij,oc->ncij", grad_output, w[:, :, u, v])
    return full[:, :, ph : ph + input_hw[0], pw : pw + input_hw[1]]


# %% [markdown]
# With this pair the gap is 0, rounding aside, whatever you hand in. So **while your function is
# checked and graded, another pair stands in for it, and that one has a mistake**: its way back uses
# the kernel turned by 180°. Call `conv2d` and `conv2d_backward_input` by these names. The gap is
# then 0 only for kernels that look the same when they are turned, and your function has to find the
# others.
#
# The worked number of the chapter is the first check: 114 against 86.
#
# <details><summary>Hint 1</summary>
#
# Which of the five arrays and numbers goes into which of the two functions? `y` has the size of
# what `conv2d` returns.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A dot product of two arrays of the same shape: multiply element by element and add everything.
#
# </details>


# %% exercise="adjoint_gap"
def adjoint_gap(x, y, w, stride, padding):
    """Return how far the two dot products of the adjoint test are apart, 0 or more.

    x        array of shape (N, in, H, W)
    y        array of the shape of conv2d(x, w, stride, padding)
    w        array of shape (out, in, kh, kw)
    stride   whole number or (down, across), 1 or more
    padding  whole number or (rows, columns), 0 or more
    """
    ### BEGIN SOLUTION
    there = conv2d(x, w, stride, padding)
    back = conv2d_backward_input(y, w, x.shape[2:], stride, padding)
    return abs(np.sum(there * y) - np.sum(x * back))
    ### END SOLUTION


# %% [markdown]
# ## 8. In your own words
#
# {points: when_to_write_one}
#
# Autograd could have found the gradients of exercise 2 by itself: your `forward` is made of
# operations that PyTorch knows. In four to six sentences: what does it cost to let autograd do it
# here, when would you write a backward function all the same, and how would you make sure that it
# is right?
#
# *Marked by hand.* 1 point: the cost (every step of the loop is recorded and its parts are kept,
# one backward step for each; memory and time). 1 point: a case in which it has to be written, with
# a reason (an operation autograd does not know, such as a kernel of one's own or code outside the
# framework; memory; a gradient that is not the true one on purpose). 1 point: a test that could
# fail (nudging in float64, two dot products, comparison with autograd on small inputs, with more
# than one image, channel and stride).

# %% [markdown] open="when_to_write_one" points=3
# ### BEGIN SOLUTION
# If autograd does it, it records every slice, product and sum of the loop and keeps what each needs
# for its way back, so memory and time grow with the number of taps. My backward function keeps
# `x` and `w` only and needs one sum of products for each. I would have to write one for an
# operation that autograd cannot look into, for example a kernel of my own for a GPU, or where the
# gradient is to be another than the true one, as in a deconvnet. To be sure of it I would run
# `gradcheck` in float64 on small inputs with two images, several channels and a stride that leaves
# gaps, and on large ones compare two dot products. I would also break it once on purpose, to see
# that the test notices.
# ### END SOLUTION
