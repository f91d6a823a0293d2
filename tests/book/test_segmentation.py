"""The networks of chapters 20 to 22: both frameworks agree, and the parts do what they say."""

import json
from pathlib import Path

import numpy as np
import pytest
import segmentation as s
import segmentation_keras as k
import tensorflow as tf
import torch
import torch.nn.functional as F

ROOT = Path(__file__).parents[2]
ODD, EVEN = (37, 51), (32, 64)


def nhwc(x):
    return tf.constant(x.permute(0, 2, 3, 1).numpy())


def assert_same_output(net, model, size):
    """Copy the weights over, all of them random, and compare the scores."""
    x = torch.rand(2, 1, *size)
    model(nhwc(x))  # builds it
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn_like(p))
    k.copy_weights(net, model)
    with torch.no_grad():
        scores = net(x).permute(0, 2, 3, 1).numpy()
    assert scores.shape[1:3] == size
    np.testing.assert_allclose(model(nhwc(x)), scores, atol=2e-4 * np.abs(scores).max())


def test_every_coin_has_a_rim_of_four_pixels_around_it():
    image, labels = s.coins()
    assert image.shape == (1, 1, 303, 384)
    assert labels.shape == (1, 303, 384)
    assert 0 <= image.min() < image.max() <= 1
    ground, coin = (labels == 0)[:, None].float(), (labels == 1)[:, None].float()
    assert labels.unique().tolist() == [0, 1, 2]
    # Ground and coin never touch: what is next to a coin is coin or rim.
    beside = F.max_pool2d(coin, 3, 1, 1)
    assert not (beside * ground).any()
    across = labels[0, 55, :75].tolist()  # across the first coin
    assert across == [0] * 20 + [2] * 4 + [1] * 41 + [2] * 4 + [0] * 6


def test_pieces_keep_image_and_labels_together():
    image = torch.arange(40.0 * 50).reshape(1, 1, 40, 50)
    torch.manual_seed(0)
    x, labels = s.pieces(image, image[0].long(), 20, size=16)
    assert x.shape == (20, 1, 16, 16)
    assert torch.equal(x[:, 0].long(), labels)
    assert len({int(labels[n, 0, 0]) for n in range(20)}) > 10
    across = labels[:, 0, 1] - labels[:, 0, 0]
    assert set(across.tolist()) == {1, -1}  # some are turned over


@pytest.mark.parametrize("factor", [2, 8, 32])
def test_the_bilinear_layer_begins_as_interpolation(factor):
    x = torch.rand(2, 3, 5, 6)
    layer = s.Bilinear(3, factor)
    z = layer(x)
    assert z.shape == (2, 3, 5 * factor, 6 * factor)
    rim = factor // 2
    inside = np.s_[:, :, rim:-rim, rim:-rim]
    truth = F.interpolate(x, scale_factor=factor, mode="bilinear")
    torch.testing.assert_close(z[inside], truth[inside])
    model = k.Bilinear(3, factor)
    np.testing.assert_allclose(model(nhwc(x)), z.detach().permute(0, 2, 3, 1).numpy(), atol=1e-6)


@pytest.mark.parametrize(("stride", "size"), [(32, ODD), (16, ODD), (8, ODD), (8, EVEN)])
def test_fcn_is_the_same_in_both_frameworks(stride, size):
    torch.manual_seed(0)
    assert_same_output(s.FCN(stride), k.FCN(stride), size)


@pytest.mark.parametrize(
    ("up", "size"), [("unpooling", EVEN), *((up, ODD) for up in k.UPSAMPLINGS)]
)
def test_u_net_is_the_same_in_both_frameworks(up, size):
    torch.manual_seed(0)
    assert_same_output(s.UNet(up), k.UNet(up), size)


@pytest.mark.parametrize("up", [up for up in s.UPSAMPLINGS if up != "unpooling"])
def test_upsampling_doubles_and_keeps_numbers_about_as_large(up):
    """Or the comparison would be one of beginnings. (Unpooling needs switches.)"""
    torch.manual_seed(0)
    x = torch.rand(4, 32, 5, 6).repeat_interleave(4, 2).repeat_interleave(4, 3)  # smooth
    x = x - x.mean()
    with torch.no_grad():
        z = s.UPSAMPLINGS[up](32, 16)(x)
    assert z.shape == (4, 16, 40, 48)
    ratio = (z[..., 4:-4, 4:-4].square().mean() / x.square().mean()).item()
    assert 0.4 < ratio < 1.6


def test_skips_can_be_left_out():
    """Without skips nothing of the full size's map goes into the last block."""
    torch.manual_seed(0)
    block = s.UpBlock(4, 2, "nearest + conv", skips=False)
    x, where = torch.rand(1, 4, 3, 3), None
    one, other = torch.rand(2, 1, 2, 6, 6)
    assert torch.equal(block(x, one, where), block(x, other, where))
    block = s.UpBlock(4, 2, "nearest + conv")
    assert not torch.equal(block(x, one, where), block(x, other, where))


def test_iou_counts_pixels():
    truth = torch.tensor([[0, 0, 1, 1, 2]])
    guess = torch.tensor([[0, 1, 1, 1, 2]])
    assert s.iou(guess, truth) == pytest.approx([1 / 2, 2 / 3, 1])


def test_a_pattern_is_measured_on_plain_walls():
    image = torch.rand(1, 1, 64, 64)
    plain = torch.nn.Conv2d(1, 3, 3, padding=1)
    assert s.pattern(plain, image) < 1e-3
    uneven = torch.nn.Sequential(torch.nn.AvgPool2d(2), torch.nn.ConvTranspose2d(1, 1, 2, 2))
    with torch.no_grad():
        uneven[1].weight.copy_(torch.tensor([[[[2.0, 0], [0, 2]]]]))
    greys = torch.linspace(0.1, 0.9, 9)
    with torch.no_grad():
        spread = uneven(image).var((2, 3)).mean()
    expected = 100 * (greys.square().mean() / spread).sqrt().item()
    assert s.pattern(uneven, image) == pytest.approx(expected, rel=1e-4)


def test_kept_bytes_are_what_the_backward_pass_needs():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU())
    x = torch.rand(1, 1, 8, 8)
    # The convolution keeps its input, the ReLU its output. The kernel is a parameter.
    assert s.kept_bytes(net, x) == 4 * 64 + 4 * 4 * 64


NETS = {
    "SegNet": ({}, {}),
    "DeconvNet": ({"layer": s.Deconv}, {"layer": k.deconv}),
    "CEDN": ({"k": 5, "depth": 1, "scores": 1},) * 2,
}


@pytest.mark.parametrize("name", NETS)
def test_decoders_with_switches_are_the_same_in_both_frameworks(name):
    torch.manual_seed(0)
    in_torch, in_keras = NETS[name]
    assert_same_output(s.SwitchNet(**in_torch), k.SwitchNet(**in_keras), ODD)


@pytest.mark.parametrize("size", [EVEN, ODD])
def test_unpooling_puts_values_exactly_where_the_encoder_found_them(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size)
    pooled, switches = s.max_pool(x)
    assert pooled.shape[2:] == (-(-size[0] // 2), -(-size[1] // 2))
    back = s.max_unpool(pooled, switches, size)
    kept = back != 0
    assert kept.sum() == pooled.numel()  # one place for each value
    assert torch.equal(back[kept], x[kept])  # and there it was
    assert torch.equal(s.max_pool(back.where(kept, -torch.inf))[1], switches)

    in_keras, places = k.max_pool(nhwc(x))
    again = k.max_unpool(in_keras, places, size).numpy()
    np.testing.assert_array_equal(again, back.permute(0, 2, 3, 1).numpy())


def test_a_decoder_block_follows_the_switches():
    """A value moves with its switch. The rest of the block is the same for both."""
    torch.manual_seed(0)
    block = s.DecoderBlock(1, 1, depth=1)
    with torch.no_grad():
        block.layers[0].weight.zero_()
        block.layers[0].weight[0, 0, 1, 1] = 1
    value = torch.tensor([[[[7.0]]]])
    for place in range(4):
        z = block(value, torch.tensor([[[[place]]]]), (2, 2)).flatten()
        assert z.tolist() == [7.0 * (i == place) for i in range(4)]


def test_a_comparison_can_be_repeated_and_depends_on_its_seed(monkeypatch):
    monkeypatch.setattr(s, "pattern", lambda net, image: 0.0)  # slow, and tested above
    one, same, other = (s.compare("transposed, k = 2", seed, steps=2) for seed in (0, 0, 1))
    assert one == same
    assert one["iou"] != other["iou"]
    assert len(one["iou"]) == 3
    # Without skips, the first convolution after each step up has half the inputs.
    bare = s.compare("transposed, k = 2", 0, skips=False, steps=1)
    assert one["parameters"] - bare["parameters"] == 9 * (32**2 + 16**2 + 8**2)


def test_the_record_has_every_upsampling_and_every_seed():
    record = json.loads((ROOT / "benchmarks" / "networks_segmentation.json").read_text())
    for runs in record["samples"].values():
        assert set(runs) == set(s.UPSAMPLINGS)
        assert {len(found) for found in runs.values()} == {record["seeds"]}
    assert set(record["times"]) == set(s.UPSAMPLINGS)


def test_other_data_can_be_compared(monkeypatch):
    """Colour photographs in a batch, as a dataset's loader gives them."""
    monkeypatch.setattr(s, "pattern", lambda net, image: 0.0)
    torch.manual_seed(0)
    images, labels = torch.rand(3, 3, 64, 64), torch.randint(3, (3, 64, 64))
    data = (images, labels), (images[:2], labels[:2])
    found = s.compare("nearest + conv", 0, steps=1, data=data)
    grey = s.compare("nearest + conv", 0, steps=1)
    assert found["parameters"] - grey["parameters"] == 2 * 9 * 8  # two more channels come in
    assert len(found["iou"]) == 3
