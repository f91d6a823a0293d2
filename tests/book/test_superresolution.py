"""The networks of the chapter on super-resolution: equal in both frameworks, fairly measured."""

import numpy as np
import pytest
import superresolution as sr
import superresolution_keras as sr_keras
import torch
import torch.nn.functional as F
from torch import nn

NAMES = ["srcnn", "fsrcnn", "espcn"]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def in_keras(model, x):
    return np.moveaxis(model(np.moveaxis(x.numpy(), 1, -1)).numpy(), -1, 1)


@pytest.mark.parametrize("size", [(12, 12), (11, 14), (1, 5)])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_weights_give_the_same_image_in_keras(name, size):
    net, model = getattr(sr, name)(), getattr(sr_keras, name)()
    sr_keras.copy_weights(net, model)
    x = torch.rand(2, 1, *size)
    z = net(x).detach().numpy()
    assert z.shape == (2, 1, 2 * size[0], 2 * size[1])
    np.testing.assert_allclose(in_keras(model, x), z, atol=1e-5)


def test_a_pixel_shuffle_in_colour_needs_its_channels_in_another_order():
    net, model = sr.espcn(3), sr_keras.espcn(3)
    sr_keras.copy_weights(net, model)
    x = torch.rand(2, 3, 7, 9)
    np.testing.assert_allclose(in_keras(model, x), net(x).detach().numpy(), atol=1e-5)


def test_weights_are_not_copied_into_another_network():
    with pytest.raises(ValueError):  # noqa: PT011 - by zip or by Keras, in words of their own
        sr_keras.copy_weights(sr.srcnn(), sr_keras.fsrcnn())


@pytest.mark.parametrize("name", sr.UPSAMPLINGS)
def test_every_network_of_the_comparison_doubles_and_learns_everywhere(name):
    net = sr.UPSAMPLINGS[name]()
    z = net(torch.rand(2, 1, 10, 13))
    assert z.shape == (2, 1, 20, 26)
    z.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize("name", sr.UPSAMPLINGS)
def test_only_an_odd_transposed_kernel_leaves_the_middle(name):
    """With even weights, a mirrored image gives the mirrored result if nothing is off centre."""
    net = sr.UPSAMPLINGS[name]()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(p.mean((2, 3), keepdim=True).expand_as(p) if p.ndim == 4 else p)
        if isinstance(net.layers[-1], nn.PixelShuffle):
            for p in net.layers[-2].parameters():
                p.copy_(p[:1].expand_as(p))
    x = torch.rand(1, 1, 20, 20)
    z, mirrored = net(x), net(x.flip(3)).flip(3)
    middle = (..., slice(12, -12), slice(12, -12))
    centred = torch.allclose(z[middle], mirrored[middle], atol=1e-5)
    assert centred == (name not in ("transposed, 3 taps", "transposed, 9 taps"))


def test_multiplications_are_those_counted_by_hand():
    assert sr.multiplications(sr.srcnn()) == 81 * 32 + 32 * 16 + 25 * 16
    assert sr.multiplications(sr.espcn()) == (25 * 32 + 9 * 32 * 16 + 9 * 16 * 4) / 4
    small = 25 * 32 + 32 * 8 + 2 * 9 * 8 * 8 + 8 * 32 + 81 * 32
    assert sr.multiplications(sr.fsrcnn()) == small / 4


def test_what_is_kept_is_each_layers_input_once():
    # x, 32 channels, 16 channels, for each small pixel; a ReLU's result is the next one's input
    assert sr.kept(sr.espcn()) == (1 + 32 + 16) / 4


def test_the_wall_test_sees_a_pattern_of_known_size():
    class Uneven(nn.Module):
        def forward(self, x):
            large = sr.enlarge(x)
            large[..., ::2] += 2 / 255
            return large

    assert sr.pattern(sr.enlarge) == pytest.approx(0, abs=1e-3)
    assert sr.pattern(Uneven()) == pytest.approx(1, abs=1e-3)


def test_quality_leaves_out_the_border_and_cuts_off_what_no_pixel_can_be():
    truth = torch.ones(1, 1, 40, 40)
    image = torch.full_like(truth, 0.9)
    expected = pytest.approx(20, abs=1e-3)
    assert sr.quality(image, truth)[0] == expected
    image[..., : sr.BORDER, :] = 0
    assert sr.quality(image, truth)[0] == expected
    black = torch.zeros_like(truth)
    assert sr.quality(black - 3, truth) == sr.quality(black, truth)


def test_photographs_for_testing_are_never_trained_on(monkeypatch):
    assert not set(sr.TRAINING) & set(sr.TEST)
    asked = set()
    monkeypatch.setattr(sr, "photograph", lambda name: asked.add(name) or torch.rand(1, 1, 50, 60))
    sr.pieces(np.random.default_rng(0), 3)
    assert asked == set(sr.TRAINING)


def test_other_photographs_can_be_given():
    white, black = torch.ones(1, 1, 50, 60), torch.zeros(1, 1, 50, 60)
    cut = sr.pieces(np.random.default_rng(0), 40, given=[white, black])
    assert set(cut.mean((1, 2, 3)).tolist()) == {0, 1}
    found = sr.measure(sr.enlarge, given=[torch.rand(1, 1, 40, 60)] * 3)
    assert found.shape == (3, 2)


def test_shrinking_is_antialiased_and_enlarging_is_keys_cubic():
    wave = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 1, 64, 64)  # as fine as can be
    assert (sr.shrink(wave)[..., 4:-4, 4:-4] - 0.5).abs().max() < 0.06
    step = torch.zeros(1, 1, 8, 8)
    step[..., 4:] = 1
    # a quarter of the way between pixels, with a = -0.5
    expected = np.array([-9, 111, 29, -3]) / 128
    np.testing.assert_allclose(sr.enlarge(step)[0, 0, 8, 7], expected[2:].sum(), atol=1e-6)


def test_training_beats_the_bicubic_enlargement():
    net = sr.espcn()
    losses = sr.train(net, seed=0, steps=150)
    truth = sr.pieces(np.random.default_rng(99), 32)
    with torch.no_grad():
        small = sr.shrink(truth)
        learned = F.mse_loss(net(small), truth)
        bicubic = F.mse_loss(sr.enlarge(small), truth)
    assert len(losses) == 150
    assert learned < 0.95 * bicubic
