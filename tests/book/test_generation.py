"""The decoders of the chapter on generation: equal in both frameworks, and fairly measured."""

import generation as gen
import generation_keras as gen_keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F

IN_KERAS = {
    "transposed, 3 taps": gen_keras.transposed_3,
    "transposed, 4 taps": gen_keras.transposed_4,
    "nearest, convolve": gen_keras.nearest_convolve,
    "pixel shuffle": gen_keras.shuffle,
    "pixel shuffle, ICNR": gen_keras.shuffle,
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", gen.DOUBLES)
def test_the_same_weights_draw_the_same_faces_in_keras(name):
    ours, theirs = gen.decoder(gen.DOUBLES[name]), gen_keras.decoder(IN_KERAS[name])
    gen_keras.copy_weights(ours, theirs)
    codes = torch.randn(3, gen.NUMBERS)
    drawn = ours(codes).detach().numpy()
    assert drawn.shape == (3, 1, gen.SIZE, gen.SIZE)
    np.testing.assert_allclose(theirs(codes.numpy()).numpy()[..., 0], drawn[:, 0], atol=1e-5)


@pytest.mark.parametrize("name", gen.DOUBLES)
def test_which_decoders_begin_without_a_pattern(name):
    pattern = gen.pattern(gen.decoder(gen.DOUBLES[name]), torch.randn(9, gen.NUMBERS))
    if name in ("nearest, convolve", "pixel shuffle, ICNR"):
        assert pattern < 0.01
    else:
        assert pattern > 1


def test_faces_for_testing_are_not_those_to_learn_from():
    learn, test = gen.faces()
    assert learn.shape == (160, 1, 24, 24)
    assert test.shape == (20, 1, 24, 24)
    assert torch.equal(learn[80:], learn[:80].flip(3))
    assert (learn[:, None] != test).flatten(2).any(2).all()


@pytest.mark.parametrize("axis", [2, 3])
def test_a_peak_is_a_wave_of_two_pixels_and_no_other(axis):
    learn, _ = gen.faces()
    places = torch.arange(24).reshape([24 if a == axis else 1 for a in range(4)])
    finest, coarser = (-1.0) ** places, torch.cos(np.pi / 2 * places)
    plain = gen.peak(learn)
    assert gen.peak(learn + 0.1 * finest) > 2 * plain
    assert gen.peak(learn + 0.1 * coarser) == pytest.approx(plain, rel=0.05)
    assert gen.peak(2 * learn + 1) == pytest.approx(plain, rel=1e-4)


def test_the_error_is_counted_in_greys():
    assert gen.error(torch.zeros(2, 1, 3, 3), torch.full((2, 1, 3, 3), 3 / 255)) == pytest.approx(3)


def test_training_is_seen_at_the_steps_asked_for_and_repeats_itself():
    learn, _ = gen.faces()

    def errors():
        nets = gen.train(gen.shuffle_icnr, seed=3, looks=(0, 5, 20))
        return [F.mse_loss(net(learn - 0.5), learn - 0.5).item() for net in nets]

    first = errors()
    assert first[0] > first[1] > first[2]
    assert errors() == pytest.approx(first, rel=1e-3)
