"""The GPU benchmark measures right answers only. Nothing here asserts a speed."""

import json
import math

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu import Case
from benchmarks.records import write


class Clock:
    """Stands for a GPU's clock: every call takes 2 µs."""

    def events(self, run):
        return [2.0] * 3

    def host(self, run):
        return [50.0]


def case(function, dtype="float32", **more):
    prepare = gpu.on_tensors(
        function, (3, 4), dtype=dtype, layout="NCHW", reference=lambda x: 2 * x
    )
    return Case("a topic", "twice", prepare, dtype, **more)


def rows(*cases):
    return gpu.measure(iter(cases), "cpu", Clock())


def test_every_case_is_right_on_tiny_inputs(capsys):
    assert gpu.main(["--try"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == f"{len(lines)} cases, 0 failed"
    for topic in gpu.TOPICS:
        assert any(line.startswith(f"{topic} |") for line in lines), topic


def test_a_right_case_is_timed_by_the_clock_it_asks_for():
    on_device, on_host = rows(case(lambda x: x + x), case(lambda x: x + x, on_host=True))
    assert on_device["samples"] == [2.0] * 3
    assert on_host["samples"] == [50.0]
    assert on_device["error"] == 0


WRONG = {
    "another value": lambda x: 2.001 * x,
    "another shape": lambda x: 2 * x[:2],
    "not a number": lambda x: torch.full_like(x, math.nan),
    "an exception": lambda x: x.no_such_method(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_recorded_and_not_timed(wrong):
    (row,) = rows(case(WRONG[wrong]))
    assert "failed" in row
    assert "samples" not in row


def test_each_number_type_is_held_to_its_own_precision():
    nearly = lambda x: 2.001 * x
    tf32, float32 = rows(case(nearly, "tf32"), case(nearly, "float32"))
    assert 0 < tf32["error"] < 2e-3
    assert "failed" in float32


def test_tf32_is_allowed_in_its_own_case_only():
    seen = {}
    for dtype in ("float32", "tf32"):
        with gpu.precision(dtype, search=True):
            flags = torch.backends.cudnn
            seen[dtype] = flags.allow_tf32, torch.backends.cuda.matmul.allow_tf32, flags.benchmark
    assert seen == {"float32": (False, False, True), "tf32": (True, True, True)}


def test_work_and_bytes_of_a_transposed_convolution_are_counted():
    """4 × 4 to 8 × 8, 2 to 3 channels: every input meets 16 taps for each output channel."""
    made = gpu.transposed_case("t", "conv_transpose2d", 1, 2, 3, 4, 4, 2, 1, "bfloat16", "NCHW")
    assert made.row["operations"] == 2 * (4 * 4 * 2) * 3 * 16
    assert made.row["bytes"] == 2 * (4 * 4 * 2 + 8 * 8 * 3 + 2 * 3 * 16)


def test_the_bilinear_weight_spreads_a_one_over_its_neighbours():
    ((weight,),) = gpu.bilinear_weight(1, 2)
    assert (16 * weight).tolist() == [[1, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]]


def test_the_record_has_one_row_a_line(tmp_path):
    path = tmp_path / "gpu" / "record.json"
    found = rows(case(lambda x: x + x), case(WRONG["another value"]))
    write(path, {"date": "2026-01-01", "machine": {"device": "a GPU"}}, found)
    text = path.read_text("utf-8")
    assert json.loads(text) == {
        "date": "2026-01-01",
        "machine": {"device": "a GPU"},
        "rows": found,
    }
    assert sum('"topic"' in line for line in text.splitlines()) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_and_measures_nothing(capsys, tmp_path):
    path = tmp_path / "record.json"
    assert gpu.main(["--to", str(path)]) == 1
    said = capsys.readouterr().out
    assert "nothing to measure" in said
    assert "--try" in said
    assert not path.exists()
