"""Traps the judge must not fall into, each once found as a fault of its own."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from autograde import specs
from autograde.judge import agree
from autograde.release import is_fresh

CONV1D = specs.get("conv1d")
PREDICT = specs.get("predict_transposed_length")


def _no_framework(*args, **kwargs):
    raise ImportError("this machine has no framework")


def conv1d(x, w, stride=1, padding=0):
    return np.correlate(np.pad(x, padding), w, "valid")[::stride]


@pytest.mark.parametrize("answer", [np.zeros(3, np.float16), [np.float16(0)] * 3])
def test_half_precision_does_not_make_a_wrong_answer_right(answer):
    """`agree` takes the learner's own type for the tolerance: float16 forgives all."""
    assert not agree(answer, np.array([5.0, 6.0, 7.0]))


def test_zeros_in_half_precision_earn_nothing():
    """The same, seen by a learner: zeros earn 4 of 5 points."""

    def fn(x, w, stride=1, padding=0):
        return np.zeros((len(x) + 2 * padding - len(w)) // stride + 1, np.float16)

    assert CONV1D.judge(fn).score == 0


@pytest.mark.parametrize("name", specs.names())
def test_a_learners_check_needs_no_framework(name):
    """`autograde` depends on NumPy and IPython only; a prediction's check asks the oracle."""
    spec = specs.get(name)
    alone = replace(spec, oracles=dict.fromkeys(spec.oracles, _no_framework))
    assert alone.judge(spec.solution, visible_only=True).passed


@pytest.mark.parametrize("answer", [2, 15])
def test_a_noted_prediction_does_not_carry_the_answer_in_its_data(answer):
    """The saved notebook holds "returned 15, expected 16." in the verdict's JSON."""
    data = PREDICT.judge(lambda: answer, visible_only=True).to_dict()
    assert "16" not in str(data)
    assert all(a["message"] == "" for a in data["aspects"])


def test_an_unfinished_branch_keeps_the_points_of_the_others():
    """`raise NotImplementedError` in one branch is taken for a function not started."""

    def fn(x, w, stride=1, padding=0):
        if stride > 1 or padding:
            raise NotImplementedError
        return np.correlate(x, w, "valid")

    verdict = CONV1D.judge(fn)
    assert [a.name for a in verdict.aspects if a.passed] == ["stride 1"]
    assert verdict.started
    assert verdict.score == 2


def test_a_framework_function_of_the_same_name_elsewhere_in_the_notebook_is_no_use():
    """Attribute names are looked up among the globals: `np.correlate` is taken for scipy's."""

    def correlate():
        """Stand for `from scipy.signal import correlate`, to compare with in another cell."""

    correlate.__module__ = "scipy.signal"
    scope = {"np": np, "__name__": "__main__", "correlate": correlate}
    exec(
        "def conv1d(x, w, stride=1, padding=0):\n"
        "    return np.correlate(np.pad(x, padding), w, 'valid')[::stride]",
        scope,
    )
    assert CONV1D.judge(scope["conv1d"], visible_only=True).passed


def test_leaving_python_is_an_exception_like_any_other():
    """`exit()` in the function leaves the judge, and with it the grading process."""

    def fn(x, w, stride=1, padding=0):
        if padding:
            raise SystemExit
        return conv1d(x, w, stride)

    verdict = CONV1D.judge(fn)
    assert {a.name for a in verdict.aspects if a.passed} == {"stride 1", "stride > 1"}
    assert "SystemExit" in verdict.message


def test_a_difference_that_is_shown_can_be_seen():
    """Computed in float32 and cast back: "1.92613 instead of 1.92613"."""

    def fn(x, w, stride=1, padding=0):
        return conv1d(x.astype(np.float32), w.astype(np.float32), stride, padding).astype(x.dtype)

    shown = re.search(r"\]: (\S+) instead of (\S+)\. ", CONV1D.judge(fn).message)
    assert shown[1] != shown[2]


@pytest.mark.parametrize("strides", [-1, -2])
def test_a_copied_case_keeps_negative_strides(strides):
    """`_copy` turns the array round twice, so no learner meets a reversed view."""
    (given,) = specs.get("conv1d").all_cases(7)[:1]
    values = np.arange(8.0)[::strides]
    (copy,) = replace(given, args=(values,)).copy().args
    np.testing.assert_array_equal(copy, values)
    assert copy.strides == values.strides


def _empty(x, w, stride=1, padding=0):
    return []


def _one_too_many(x, w, stride=1, padding=0):
    return np.append(conv1d(x, w, stride, padding), 0.0)


def _mode_same(x, w, stride=1, padding=0):
    return np.correlate(x, w, "same")[::stride]


@pytest.mark.parametrize(
    ("name", "fn"),
    [
        ("conv1d", _empty),
        ("conv1d", _one_too_many),
        ("conv1d", _mode_same),
        ("same_padding", lambda n, k, s: (1, 1)),
    ],
)
def test_no_misconception_is_named_by_chance(name, fn):
    """An aspect's one or two visible cases fit a misconception that the hidden ones rule out:
    `return []` is told "The stride thins out the input".
    """
    assert specs.get(name).judge(fn).misconception is None
    assert specs.get(name).judge(fn, visible_only=True).misconception is None


SLIDES = {
    "sliding_window_view": lambda x, w: sliding_window_view(x, len(w)) @ w,
    "np.correlate": lambda x, w: np.correlate(x, w, "valid"),
    "loop": lambda x, w: np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)]),
}


@pytest.mark.parametrize("slide", SLIDES)
@pytest.mark.parametrize("mistake", ["padding-ignored", "padding-in-front-only"])
def test_wrong_padding_is_named_however_it_is_written(slide, mistake):
    """Some hidden cases leave no room for a window then. There the ways of writing differ (an
    exception, exchanged arguments, nothing), and the aspect's diagnosis is lost.
    """

    def fn(x, w, stride=1, padding=0):
        x = x if mistake == "padding-ignored" else np.pad(x, (padding, 0))
        return SLIDES[slide](x, w).astype(x.dtype)[::stride]

    verdict = CONV1D.judge(fn)
    assert {a.name: a.misconception for a in verdict.aspects}["padding"] == mistake


def test_complex_numbers_are_called_complex():
    """A forgotten `.real` after an FFT: "returned ndarray of complex128, not numbers"."""

    def fn(x, w, stride=1, padding=0):
        return conv1d(x, w, stride, padding).astype(complex)

    message = CONV1D.judge(fn, visible_only=True).message
    assert "complex" in message
    assert "not numbers" not in message


@pytest.mark.parametrize("content", ["{}", '{"nbformat": 4}', "[]"])
def test_a_damaged_notebook_is_not_fresh(tmp_path, content):
    """`is_fresh` lets nbformat's ValidationError out, which is not a ValueError."""
    path = tmp_path / "some.ipynb"
    path.write_text(content)
    assert not is_fresh(CONV1D.problem_set, path)


ENDLESS = """
from dataclasses import replace
from autograde import specs

def fn(x, w, stride=1, padding=0):
    while True:
        try:
            for i in range(1000):
                pass
        except:
            pass

spec = specs.get("conv1d")
spec = replace(spec, rules=replace(spec.rules, seconds=0.1))
print(spec.judge(fn, visible_only=True).message)
"""


def test_an_endless_loop_that_catches_everything_is_stopped_too():
    """The alarm rings inside the `try` every time; nbgrader's interrupt is caught likewise."""
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=20, check=True
    )
    assert "did not finish" in done.stdout


def test_an_unwritten_function_that_it_calls_is_not_this_one_unwritten():
    """A scatter through the still empty `conv1d_matrix` was called "not started yet"."""

    def conv1d_matrix(n, w, stride=1, padding=0):
        raise NotImplementedError

    def fn(x, w, stride=1, padding=0):
        return conv1d_matrix(len(x), w, stride, padding) @ x

    verdict = CONV1D.judge(fn, visible_only=True)
    assert verdict.started
    assert "A function that it calls is not written yet" in verdict.message
