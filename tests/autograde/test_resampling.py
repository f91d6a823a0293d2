"""What problem set 1 says of the frameworks is so: whose convention a wrong answer follows."""

import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F

from autograde import specs


def wrong(name, slug):
    return next(m.fn for m in specs.get(name).misconceptions if m.name == slug)


@pytest.fixture
def x():
    rng = np.random.default_rng(7)
    return rng.standard_normal((2, 3, 5, 4)).astype(np.float32)


def in_torch(x, size, mode, **more):
    return F.interpolate(torch.tensor(x), size=size, mode=mode, **more).numpy()


def in_tf(x, op, *args, **more):
    return op(x.transpose(0, 2, 3, 1), *args, **more).numpy().transpose(0, 3, 1, 2)


def close(a, b):
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("size", [(10, 8), (7, 9), (3, 2)])
def test_looking_up_centres_is_nearest_exact_and_what_tensorflow_2_does(x, size):
    y = wrong("upsample_nearest2d", "nearest-exact")(x, size)
    close(y, in_torch(x, size, "nearest-exact"))
    close(y, in_tf(x, tf.image.resize, size, "nearest"))


@pytest.mark.parametrize("n_out", [4, 7, 2])
def test_indices_of_nearest_exact_are_named_so(n_out):
    ramp = torch.arange(5.0)[None, None]
    indices = wrong("nearest_indices", "nearest-exact")(5, n_out)
    close(indices, F.interpolate(ramp, n_out, mode="nearest-exact")[0, 0])


def test_without_half_pixels_bilinear_is_tensorflow_1s(x):
    y = wrong("upsample_bilinear2d", "asymmetric-grid")(x, (9, 8))
    close(y, in_tf(x, tf.compat.v1.image.resize_bilinear, (9, 8)))


@pytest.mark.parametrize("size", [(3, 2), (2, 4)])
def test_smoothing_when_shrinking_is_what_antialias_does(x, size):
    y = wrong("upsample_bilinear2d", "antialiased")(x, size)
    close(y, in_torch(x, size, "bilinear", antialias=True))
    close(y, in_tf(x, tf.image.resize, size, "bilinear", antialias=True))
    y = wrong("upsample_bicubic2d", "antialiased")(x, size, a=-0.5)
    close(y, in_torch(x, size, "bicubic", antialias=True))
    close(y, in_tf(x, tf.image.resize, size, "bicubic", antialias=True))


def test_tensorflow_leaves_out_what_lies_beyond_the_border_and_renormalises(x):
    size = (20, 8)
    y = in_tf(x, tf.image.resize, size, "bicubic")
    close(y, wrong("upsample_bicubic2d", "border-renormalised")(x, size, a=-0.5))
    ours = specs.get("upsample_bicubic2d").solution(x, size, a=-0.5)
    differs = np.abs(ours - y).max(axis=(0, 1, 3)) > 1e-3
    rows = (np.arange(20) + 0.5) * 5 / 20 - 0.5
    columns = (np.arange(8) + 0.5) * 4 / 8 - 0.5
    assert differs[(rows < 1) | (rows > 3)].all()
    inner = np.ix_((rows >= 1) & (rows <= 3), (columns >= 1) & (columns <= 2))
    close(ours[:, :, *inner], y[:, :, *inner])


def test_the_two_orders_of_channels_are_the_frameworks(x):
    x = np.random.default_rng(7).standard_normal((2, 12, 3, 4)).astype(np.float32)
    y = wrong("pixel_shuffle", "tensorflows-order")(x, 2)
    close(y, in_tf(x, tf.nn.depth_to_space, 2))
    close(wrong("pixel_unshuffle", "tensorflows-order")(y, 2), x)
    close(in_tf(y, tf.nn.space_to_depth, 2), x)
    last = x.transpose(0, 2, 3, 1)
    y = wrong("depth_to_space_nhwc", "pytorchs-order")(last, 2)
    close(y.transpose(0, 3, 1, 2), F.pixel_shuffle(torch.tensor(x), 2))


def test_rounding_changes_the_nearest_pixel_for_the_sizes_that_are_named():
    sizes = [(a, b) for a in range(1, 41) for b in range(1, 41)]
    exact = {(a, b): np.arange(b) * a // b for a, b in sizes}
    double = {(a, b) for a, b in sizes if (np.floor(np.arange(b) * (a / b)) != exact[a, b]).any()}
    assert double == {(30, 22), (30, 26)}
    for dtype in (torch.float32, torch.float64):
        ramp = torch.arange(40, dtype=dtype)[None, None, None]
        seen = {
            (a, b): F.interpolate(ramp[..., :a], (1, b), mode="nearest")[0, 0, 0].numpy()
            for a, b in sizes
        }
        off = {s for s in sizes if (seen[s] != exact[s]).any()}
        assert off == {(26, 22), (39, 33)}
    ramp = np.arange(26, dtype=np.float32)[None, :, None, None]
    in_tensorflow = tf.raw_ops.ResizeNearestNeighbor(images=ramp, size=(22, 1)).numpy().ravel()
    for indices in (seen[26, 22], in_tensorflow):
        at = np.flatnonzero(indices != exact[26, 22])
        assert (indices[at], exact[26, 22][at]) == ([12], [13])
    drawn = [c.args for c in specs.get("nearest_indices").all_cases(7)]
    assert not {*drawn} & (off | double)
