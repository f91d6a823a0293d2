"""What several problem sets need for their cases and oracles."""

from __future__ import annotations

from functools import cache
from numbers import Integral

import numpy as np

from autograde.quiet import silent_stderr


@cache
def tensorflow():
    """Import TensorFlow without its start-up log: nbgrader gives a cell with stderr no points."""
    with silent_stderr():
        import tensorflow as tf

        tf.constant(0)  # the devices, too, are only announced at first use
    return tf


def as_pair(value):
    """Return an int or an (h, w) pair as a pair."""
    return (value, value) if isinstance(value, Integral) else tuple(value)


def between(rng, low, high):
    """Draw a whole number; both ends may come."""
    return int(rng.integers(low, high + 1))


def two_between(rng, low, high):
    """Draw a pair of whole numbers."""
    return between(rng, low, high), between(rng, low, high)


def whole_numbers(rng, *shape, dtype=np.float64):
    """Draw small whole numbers without zeros: easy to read, and every one leaves a trace."""
    return (rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)).astype(dtype)
