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
# # Problem set 10: GPU
#
# You write code that finds the best device by itself, and then you go where the frameworks end:
# you write two GPU kernels, in Triton. **You need no GPU.** Triton's interpreter runs your kernels
# on the CPU. If this machine has a GPU that PyTorch can use, they run there.
#
# **How it works.** Replace `raise NotImplementedError` by your code and run the cell. The cell
# below it checks your function on examples small enough to verify by hand. If the answer is
# wrong, it tells you what seems to be confused, and which section of the book clears it up.
# After you hand in, hidden tests try many more inputs, and each *aspect* that holds on all of
# them gives its points.
#
# **Chapters:** *On the GPU* and *Write the kernel*.
#
# Triton has to be imported before TensorFlow, which the cells here do for you. If you run them in
# another order and it is refused, restart the kernel.

# %%
import numpy as np
import torch

from autograde.apart import import_triton
from autograde.notebook import check

triton, tl = import_triton()

# %%
import tensorflow as tf
import torch.nn.functional as F

for gpu in tf.config.list_physical_devices("GPU"):  # else it takes the GPU's whole memory
    tf.config.experimental.set_memory_growth(gpu, True)

# %% [markdown]
# ## A worked example
#
# A kernel that doubles every number of a row. One program works on a block of 4 places, so 6
# numbers take 2 programs. The last two places of the second block do not exist: the mask says so.


# %%
@triton.jit  # interpreted on a CPU
def double(x, z, n, BLOCK: tl.constexpr):
    """Write 2 x to z, for n numbers."""
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < n
    number = tl.load(x + place, mask=inside)
    tl.store(z + place, 2 * number, mask=inside)


row = torch.arange(6.0, device="cuda" if torch.cuda.is_available() else "cpu")
doubled = torch.empty_like(row)
double[(triton.cdiv(6, 4),)](row, doubled, 6, BLOCK=4)
print(doubled.tolist())

# %% [markdown]
# ## 1. Predict first: how many atomic additions?
#
# {facts: predict_atomics}
#
# A transposed convolution of an 8 × 8 image, one channel, with a kernel of 4 × 4 and stride 2,
# nothing cropped. A kernel that *scatters* adds every product to its output atomically. How many
# atomic additions are there in all?
#
# Work it out on paper. The check below only notes your answer.


# %% exercise="predict_atomics"
def predict_atomics():
    """Return how many atomic additions you expect, as a whole number."""
    ### BEGIN SOLUTION
    return 1024
    ### END SOLUTION


# %% [markdown]
# ## 2. The best device for PyTorch
#
# {facts: best_device_torch}
#
# Return the device that a program should use on this machine: `"cuda"` where PyTorch can use a GPU
# of NVIDIA's (or AMD's, which has the same name), else `"mps"` where it can use Apple's, else
# `"cpu"`. A string or a `torch.device`.
#
# Ask PyTorch; do not try. The check pretends in turn to be machines of each kind, and a machine
# that only pretends to have a GPU cannot hold a tensor there.
#
# <details><summary>Hint 1</summary>
#
# A build for CUDA may lie on a machine without a GPU. Which question is about the machine?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.cuda` and `torch.backends.mps` both have an `is_available`.
#
# </details>


# %% exercise="best_device_torch"
def best_device_torch():
    """Return the best device that PyTorch can use: "cuda", "mps" or "cpu"."""
    ### BEGIN SOLUTION
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
    ### END SOLUTION


# %% [markdown]
# ## 3. The best device for TensorFlow
#
# {facts: best_device_tf}
#
# The same for TensorFlow, as the name of a device: `"/GPU:0"`, the first one, where there is a
# GPU, else `"/CPU:0"`.
#
# <details><summary>Hint 1</summary>
#
# `tf.config` can list what TensorFlow sees. The list of GPUs is empty where there is none.
#
# </details>


# %% exercise="best_device_tf"
def best_device_tf():
    """Return the name of the best device that TensorFlow can use: "/GPU:0" or "/CPU:0"."""
    ### BEGIN SOLUTION
    return "/GPU:0" if tf.config.list_physical_devices("GPU") else "/CPU:0"
    ### END SOLUTION


# %% [markdown]
# ## 4. A transposed convolution on whichever device
#
# {facts: conv_transpose2d_any_device}
#
# NumPy arrays come in and a NumPy array goes out; between them, a framework of your choice does
# the work on the best device. `x` is in PyTorch's layout (N, C, H, W), `w` in that of its
# transposed convolution, (inputs, outputs, height, width). `stride` and `padding` may each be one
# number for both directions, or a pair: first down, then across.
#
# The result has the type of `x`. The arrays are other people's: they may be read-only, or views
# with a negative step, and they must be left as they were.
#
# (On a machine with Apple's GPU, there is no float64 there. Let such arrays be computed on the
# CPU.)
#
# <details><summary>Hint 1</summary>
#
# `torch.from_numpy` refuses a view with a negative step. What makes an ordinary array of it?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A tensor on a GPU has no array. Which two steps lead from it to NumPy?
#
# </details>


# %% exercise="conv_transpose2d_any_device"
def conv_transpose2d_any_device(x, w, stride=1, padding=0):
    """Return the transposed convolution of images, computed on the best device.

    x        array of shape (N, C, H, W), floating
    w        array of shape (C, M, kh, kw), of x's type
    stride   1 or more, or a pair (down, across)
    padding  rows and columns cropped at each side, 0 or more, or a pair

    Returns a NumPy array of shape (N, M, H_out, W_out) and of x's type.
    """
    ### BEGIN SOLUTION
    device = best_device_torch()
    if device == "mps" and x.dtype == np.float64:
        device = "cpu"
    x, w = (torch.tensor(np.ascontiguousarray(a), device=device) for a in (x, w))
    return F.conv_transpose2d(x, w, stride=stride, padding=padding).cpu().numpy()
    ### END SOLUTION


# %% [markdown]
# ## 5. Max-unpooling as a kernel
#
# {facts: max_unpool2d_triton}
#
# Now with PyTorch's tensors: they lie on the GPU where there is one, else on the CPU. Write
# `max_unpool2d_triton`, which puts every value at its index and zeros everywhere else. An index
# counts along the rows of its own plane of the output, and none comes twice in a plane. There is
# nothing to know about windows, so any index may come.
#
# The work is to be done by a Triton kernel of yours: write it in the same cell. Zeros may come
# from PyTorch. The check watches the kernel: it says so if two programs, or two places of one
# block, write to one place of a tensor, or if a program reaches beyond its tensors.
#
# <details><summary>Hint 1</summary>
#
# Who knows where a value belongs: a program that stands at an input, or one that stands at an
# output?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Count all inputs through, 0, 1, 2, … Which plane does input i lie in? Where does this plane begin
# in the output?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `x.contiguous()` makes sure that the numbers lie in this order.
#
# </details>


# %% exercise="max_unpool2d_triton"
def max_unpool2d_triton(x, indices, output_hw):
    """Return zeros, and every value of x at its index.

    x          tensor of shape (N, C, H, W), floating
    indices    tensor of the same shape, int64: places in the plane of the output
    output_hw  height and width of the output

    Returns a tensor of shape (N, C, *output_hw), of x's type and on its device.
    """
    ### BEGIN SOLUTION
    height, width = output_hw
    z = x.new_zeros(*x.shape[:2], height, width)
    total, size = x.numel(), x.shape[2] * x.shape[3]
    grid = (triton.cdiv(total, 256),)
    put_back[grid](x.contiguous(), indices.contiguous(), z, total, size, height * width, BLOCK=256)
    return z


@triton.jit
def put_back(x, indices, z, total, size, size_out, BLOCK: tl.constexpr):
    """Send each of `total` inputs to its index in its plane."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < total
    value = tl.load(x + i, mask=inside)
    index = tl.load(indices + i, mask=inside)
    tl.store(z + i // size * size_out + index, value, mask=inside)
    ### END SOLUTION


# %% [markdown]
# ## 6. A transposed convolution as a kernel
#
# {facts: conv_transpose1d_triton}
#
# One row, one kernel, no padding: the running example of the course. This time two inputs may
# reach one output, so think before you write: *scatter with atomics, or gather without?* Both are
# welcome. A race is not, and although the interpreter's result would be right, the check sees it.
#
# <details><summary>Hint 1</summary>
#
# Gather: output o meets input i through the tap k if o = i · stride + k. Go through the taps in a
# loop. For which of them is there such an i?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A mask may hold several conditions, joined by `&`, each in brackets: the remainder is 0, i is not
# negative, i is less than the length.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Division of negative numbers is not Python's in a compiled kernel. Mask out o < k before you rely
# on a quotient.
#
# </details>


# %% exercise="conv_transpose1d_triton"
def conv_transpose1d_triton(x, w, stride):
    """Return the transposed convolution of one row.

    x       tensor of shape (L,), floating
    w       tensor of shape (K,), of x's type
    stride  1 or more

    Returns a tensor of shape ((L - 1) * stride + K,), of x's type and on its device.
    """
    ### BEGIN SOLUTION
    z = x.new_empty((len(x) - 1) * stride + len(w))
    grid = (triton.cdiv(len(z), 256),)
    collect[grid](x, w, z, len(x), len(z), stride, KERNEL=len(w), BLOCK=256)
    return z


@triton.jit
def collect(x, w, z, L, L_out, stride, KERNEL: tl.constexpr, BLOCK: tl.constexpr):
    """Collect each output from the inputs that reach it."""
    o = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], z.dtype.element_ty)
    for k in range(KERNEL):
        i = (o - k) // stride
        reached = (o >= k) & ((o - k) % stride == 0) & (i < L)
        total += tl.load(x + i, mask=reached, other=0.0) * tl.load(w + k)
    tl.store(z + o, total, mask=o < L_out)
    ### END SOLUTION


# %% [markdown]
# Was your prediction right? Each input of the 8 × 8 image meets each tap once:

# %%
print(8 * 8 * 4 * 4)

# %% [markdown]
# ## 7. In your own words
#
# {points: why_gather}
#
# Somebody has written the transposed convolution as scatter, without atomics. In the interpreter
# all tests pass. On the GPU, one run in a hundred is wrong. In four to six sentences: what happens
# there, why did no test find it, and what are the two ways to mend it? Which one would you take,
# and why?
#
# *Marked by hand.* 1 point: what happens (two programs read the same sum, each adds its own, one
# overwrites the other). 1 point: why the tests passed (the interpreter runs one program after
# another). 1 point: both ways, and a choice with a reason (atomics keep scatter, but need zeros
# first and leave the order of the sum open; gather writes each output once).

# %% [markdown] open="why_gather" points=3
# ### BEGIN SOLUTION
# Two programs stand at neighbouring inputs, and both have something for the same output. Each
# reads the sum so far, adds its product and writes it back; if both have read before either wrote,
# one product is lost. The interpreter runs one program after the other, so the second one always
# reads what the first one wrote, and every test passes. One way is to add atomically, which makes
# the three steps one; it needs an output of zeros first, and as the order of the additions is left
# open, the last digits may differ from run to run. The other way is to turn the question round and
# let each program collect one output: nobody else writes there. I would gather, because for a
# transposed convolution it is known who sends, each output is written once, and the result is
# always the same.
# ### END SOLUTION
