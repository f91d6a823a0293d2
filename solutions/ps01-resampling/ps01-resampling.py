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
# columns. Only the last exercise has its channels at the end.
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
# | fraction cut off | 0 | 0 | 1 | 2 |
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
# The row of 3 becomes a row of 4, as above. At which coordinate of the input does the centre of
# output **3**, the last one, lie?
#
# Work it out on paper, before you write any code. The check below only notes your answer; you
# will see for yourself in the next exercise.


# %% exercise="predict_source_coordinate"
def predict_source_coordinate():
    """Return the coordinate that you expect, a number with a fraction if need be."""
    ### BEGIN SOLUTION
    return 2.125
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
source_coordinates(3, 4, "half_pixel")[3]
