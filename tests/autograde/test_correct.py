"""Right answers get full marks, however they are written."""

import importlib.util
from pathlib import Path

import pytest
import tensorflow as tf

from autograde import specs


def _load(path):
    spec = importlib.util.spec_from_file_location(f"correct_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ANSWERS


ANSWERS = {
    name: answers
    for path in sorted((Path(__file__).parent / "correct").glob("*.py"))
    for name, answers in _load(path).items()
}


@pytest.fixture(scope="module", autouse=True)
def _tensorflow_awake():
    """At its first use TensorFlow looks for a GPU, and says aloud that there is none."""
    tf.config.list_logical_devices()


def test_every_exercise_has_at_least_three_answers():
    assert set(ANSWERS) == set(specs.names())
    assert all(len(set(answers)) >= 3 for answers in ANSWERS.values())


@pytest.mark.parametrize("seed", [7])
@pytest.mark.parametrize(
    ("name", "fn"),
    [(name, fn) for name, answers in ANSWERS.items() for fn in answers],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_right_answer_gets_full_marks_in_silence(name, fn, seed, capfd):
    verdict = specs.get(name).judge(fn, seed)
    assert verdict.passed, str(verdict)
    assert verdict.score == specs.get(name).points
    assert verdict.message == ""
    assert specs.get(name).judge(fn, visible_only=True).passed
    assert capfd.readouterr() == ("", "")
