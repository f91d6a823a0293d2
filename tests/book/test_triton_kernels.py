"""The Triton kernels agree with PyTorch: in the interpreter, or on a GPU where there is one."""

import pytest
import torch
import torch.nn.functional as F
import triton_kernels as kernels

from autograde.watched import watch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def draw(*shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).to(DEVICE, dtype)


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (2, 3, 6, 10), (1, 2, 9, 140), (1, 1, 7, 5)])
@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_unpooling(shape, window, dtype):
    image = draw(*shape, dtype=dtype)
    size = image.shape[2:]
    x, indices = F.max_pool2d(image, window, return_indices=True)
    expected = F.max_unpool2d(x, indices, window, output_size=size)
    assert torch.equal(kernels.max_unpool2d_scatter(x, indices, size, block=64), expected)
    assert torch.equal(kernels.max_unpool2d_gather(x, indices, size, window, block=64), expected)


def test_scattering_takes_indices_that_no_window_explains():
    x = torch.tensor([[[[5.0, 6.0]]], [[[7.0, 8.0]]]], device=DEVICE)
    indices = torch.tensor([[[[8, 0]]], [[[1, 3]]]], device=DEVICE)
    z = kernels.max_unpool2d_scatter(x, indices, (3, 3))
    assert torch.equal(z, F.max_unpool2d(x, indices, 2, output_size=(3, 3)))


# Kernel, stride, padding: from the copy of a single pixel to gaps that no copy reaches.
SETTINGS = [(1, 1, 0), (2, 2, 0), (4, 2, 1), (3, 2, 1), (5, 3, 2), (2, 3, 0), (7, 2, 0)]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 3, 40)])
def test_transposed_convolution_1d(setting, shape):
    kernel, stride, padding = setting
    x, w = draw(*shape), draw(shape[1], 1, kernel, seed=1)
    expected = F.conv_transpose1d(x, w, stride=stride, padding=padding, groups=shape[1])
    for function in (kernels.conv_transpose1d_scatter, kernels.conv_transpose1d_gather):
        torch.testing.assert_close(function(x, w, stride, padding, block=16), expected)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (2, 3, 5, 12)])
def test_transposed_convolution_2d(setting, shape):
    kernel, stride, padding = setting
    x, w = draw(*shape), draw(shape[1], 1, kernel, kernel, seed=1)
    expected = F.conv_transpose2d(x, w, stride=stride, padding=padding, groups=shape[1])
    for function in (kernels.conv_transpose2d_scatter, kernels.conv_transpose2d_gather):
        torch.testing.assert_close(function(x, w, stride, padding, block=64), expected)
    if stride == 2:
        z = kernels.conv_transpose2d_phases(x, w, padding, block=64)
        torch.testing.assert_close(z, expected)


def test_half_precision_is_added_up_in_single():
    """1 + 2048 · 1 in float16 steps would stop at 2048."""
    x, w = torch.ones(1, 1, 3), torch.tensor([[[1.0, 2048.0, 1.0]]])
    z = kernels.conv_transpose1d_gather(*(t.to(DEVICE, torch.float16) for t in (x, w)), 1)
    assert z.flatten().tolist() == [1, 2048, 2050, 2048, 1]


def test_what_the_kernels_cannot_read_is_refused():
    x, w = draw(1, 2, 4, 6), draw(2, 1, 2, 2)
    with pytest.raises(ValueError, match="contiguous"):
        kernels.conv_transpose2d_gather(x.mT, w, 2)
    with pytest.raises(ValueError, match=r"\(2, 1, 2, 2\)"):
        kernels.conv_transpose2d_gather(x, draw(2, 3, 2, 2), 2)
    with pytest.raises(ValueError, match="float32"):
        kernels.conv_transpose2d_scatter(x.half(), w.half(), 2)
    with pytest.raises(ValueError, match="indices"):
        kernels.max_unpool2d_scatter(x, torch.zeros(1, 2, 4, 5, dtype=torch.int64), (8, 12))


@pytest.mark.skipif(DEVICE == "cuda", reason="only the interpreter is watched")
def test_the_kernels_of_the_chapter_have_no_race_and_stay_inside():
    x, w = draw(2, 3, 5, 7), draw(3, 1, 4, 4)
    row, taps = draw(2, 3, 40), draw(3, 1, 5)
    pooled, indices = F.max_pool2d(draw(1, 2, 9, 7), 2, return_indices=True)
    with watch() as seen:
        kernels.conv_transpose2d_scatter(x, w, 2, 1, block=64)
        kernels.conv_transpose2d_gather(x, w, 2, 1, block=64)
        kernels.conv_transpose2d_phases(x, w, 1, block=64)
        kernels.conv_transpose1d_scatter(row, taps, 2, block=16)
        kernels.conv_transpose1d_gather(row, taps, 2, block=16)
        kernels.max_unpool2d_scatter(pooled, indices, (9, 7), block=64)
        kernels.max_unpool2d_gather(pooled, indices, (9, 7), 2, block=64)
    assert len(seen.launched) == 7
    assert seen.problems == []
