"""What the benchmark counts is what happens, and only right results are timed."""

import json

import numpy as np
import pytest

from benchmarks import upsampling
from benchmarks.upsampling import Layer


class Meter(np.ndarray):
    """An array that counts the products, and the numbers moved, of every operation it meets."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        assert method == "__call__", "counted as calls only"
        inputs = [np.asarray(i) for i in inputs]
        if out is not None:
            kwargs["out"] = tuple(np.asarray(o) for o in out)
        result = np.asarray(ufunc(*inputs, **kwargs))
        Meter.moved += sum(i.size for i in inputs) + result.size
        if ufunc is np.multiply:
            Meter.products += result.size
        elif ufunc is np.matmul:
            Meter.products += result.size * inputs[0].shape[-1]
        return result.view(Meter)


def metered(name, layer):
    """Return the products, and the bytes moved by arithmetic, of a version."""
    Meter.moved = Meter.products = 0
    x = np.ones((1, layer.c, layer.side, layer.side), np.float32).view(Meter)
    w = np.ones((layer.c, layer.m, layer.kernel, layer.kernel), np.float32)
    upsampling.STEPS[name](x, w, layer.stride, layer.padding)
    return Meter.products, 4 * Meter.moved


LAYERS = [
    Layer("even", 3, 2, 5),
    Layer("uneven phases", 2, 3, 4, 5, 3, 1),
    Layer("one channel", 1, 2, 3),
]


# The loops multiply single numbers, and `np.pad` gives plain arrays: no meter sees those two.
@pytest.mark.parametrize("name", ["slices", "phases", "product, col2im"])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_multiplications_are_counted(name, layer):
    assert upsampling.work(name, layer)[0] == metered(name, layer)[0]


@pytest.mark.parametrize("name", ["slices", "phases", "product, col2im"])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_bytes_are_those_of_the_arithmetic_and_of_what_is_filled_and_copied(name, layer):
    full = layer.m * ((layer.side - 1) * layer.stride + layer.kernel) ** 2
    # The result is filled with zeros; the phases' parts are too, then read and written into it.
    others = {"phases": 4}.get(name, 1)
    assert upsampling.work(name, layer)[1] == metered(name, layer)[1] + 4 * others * full


def test_every_version_is_right_on_small_layers(capsys):
    assert upsampling.main(["--try"]) == 0
    lines = capsys.readouterr().out.splitlines()
    versions = len(upsampling.STEPS) + 2 + 3  # the parts alone, the frameworks
    assert len(lines) == versions * len(upsampling.SMALL)
    assert all(line.endswith("right") for line in lines)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.full((2, 2), np.nan), np.eye(2) * 1.001])
def test_what_is_wrong_is_not_timed(wrong):
    with pytest.raises(AssertionError, match=r"shape|wrong"):
        upsampling.error(wrong, np.eye(2))


def test_the_record_holds_every_version_and_all_samples():
    record = json.loads(upsampling.RECORD.read_text("utf-8"))
    assert record["command"] == "python -m benchmarks.upsampling"
    for layer in upsampling.LAYERS:
        mine = {row["version"]: row for row in record["rows"] if row["layer"] == layer.name}
        assert set(mine) >= {"product, col2im", "phases as product", "PyTorch", "TensorFlow"}
        for name, row in mine.items():
            assert len(row["samples"]) >= 3
            if counted := upsampling.work(name, layer):
                assert (row["multiplications"], row["bytes"]) == counted
