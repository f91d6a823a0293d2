"""How an array lies in memory, in two numbers' worth of words: enough for the views people make.

A transposed array, every second element, a reversed one: a learner's function has to take them
as they are, so copies of a case's inputs lie as the originals do.
"""

import math

import numpy as np

MOST = 16
"""The largest step that is kept: what lies between the elements is memory too."""


def layout(array):
    """Return the axes, outermost in memory first, and the step along the innermost.

    The step counts elements and is negative backwards. An array that no such pair describes, a
    broadcast one say, is given as contiguous.
    """
    usual = tuple(range(array.ndim)), 1
    if array.flags.c_contiguous:
        return usual
    axes = sorted(range(array.ndim), key=lambda a: (array.shape[a] == 1, -abs(array.strides[a])))
    long = [a for a in axes if array.shape[a] > 1]
    step, rest = divmod(array.strides[long[-1]], array.itemsize)
    if rest or not step or abs(step) > MOST:
        return usual
    return tuple(a for a in axes if a not in long) + tuple(long), step


def room(shape, dtype, axes, step):
    """Return zeros, as one row of memory, and a view of them that has this shape and layout."""
    inner = [shape[a] for a in axes]
    row = np.zeros(math.prod(inner) * abs(step), dtype)
    return row, view(row, shape, axes, step)


def view(row, shape, axes, step):
    """Return a view of a `row` of memory, `abs(step)` times as long as the array of this shape."""
    if step == 1 and list(axes) == sorted(axes):
        return row.reshape(shape)
    inner = [shape[a] for a in axes]
    return row[::step].reshape(inner).transpose(np.argsort(axes))
