"""Charts of the GPU chapters are drawn from a record, and where there is none the page says so."""

import json

import gpu_records
import pytest
from bs4 import BeautifulSoup

ROW = {"topic": "triton", "task": "max_unpool2d", "dtype": "float32", "shape": [1, 2, 4, 4]}
RECORD = {
    "date": "2026-01-02",
    "command": "python -m benchmarks.gpu",
    "machine": {
        "device": "A made-up GPU",
        "versions": {"torch": "1.0", "triton": "2.0", "tensorflow": None, "cudnn": 9},
    },
    "rows": [
        ROW | {"op": "PyTorch", "samples": [30.0, 10.0, 20.0]},
        ROW | {"op": "PyTorch", "search": True, "samples": [18.0, 18.0]},
        ROW | {"op": "scatter", "samples": [40.0, 36.0, 38.0]},
        ROW | {"op": "gather", "samples": [12.0, 12.0, 900.0]},
        ROW | {"op": "wrong", "failed": "AssertionError: wrong by 1"},
        ROW | {"op": "gather", "dtype": "bfloat16", "samples": [1.0]},
    ],
}


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, in order."""
    things = []
    monkeypatch.setattr(gpu_records, "display", things.append)
    return things


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a-made-up-gpu.json").write_text(json.dumps(RECORD), "utf-8")
    return tmp_path


def test_without_a_record_the_page_says_what_is_missing(shown, tmp_path):
    gpu_records.show("Unpooling", by=["op"], folder=tmp_path, topic="triton")
    (said,) = shown
    assert said.data == "> **Not measured on a GPU yet:** Unpooling."


def test_bars_are_the_medians_of_the_rows_asked_for(shown, folder):
    where = {"task": "max_unpool2d", "dtype": "float32", "shape": [1, 2, 4, 4]}
    gpu_records.show("Unpooling", by=["op"], against="PyTorch", folder=folder, **where)
    (figure,) = shown
    page = BeautifulSoup(figure.html, "html.parser")
    texts = [tag.text for tag in page.select("svg text")]
    expected = ["PyTorch: 20 µs", "PyTorch, searched: 18 µs", "scatter: 38 µs", "gather: 12 µs"]
    assert texts == expected
    caption = page.figcaption.text
    assert "A made-up GPU" in caption
    assert "The fastest of PyTorch takes 1.50 times as long" in caption
    assert "Failed: wrong (AssertionError: wrong by 1)" in caption


def test_what_failed_or_was_not_measured_is_said(shown, folder):
    gpu_records.show("A", by=["op"], folder=folder, op="wrong")
    gpu_records.show("B", by=["op"], folder=folder, op="no such thing")
    failed, absent = (thing.data for thing in shown)
    assert "wrong by 1" in failed
    assert "not measured" in absent


def test_a_record_says_where_it_comes_from():
    text = gpu_records.said(RECORD)
    for part in ("`python -m benchmarks.gpu`", "2026-01-02", "A made-up GPU", "torch 1.0"):
        assert part in text


def test_the_committed_records_are_whole():
    for record in gpu_records.records():
        assert gpu_records.said(record)
        assert all(("samples" in row) != ("failed" in row) for row in record["rows"])
