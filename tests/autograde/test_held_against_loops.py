"""Problem set 9 asks for speed: a slow answer is told so, and a busy machine fails nobody."""

import ast
import inspect
import time

import pytest

from autograde import specs, steps
from autograde.course import SOLUTIONS

SPEC = specs.get("conv_transpose2d_gemm")
FAST = SPEC.aspects[-1].name


def by_loops(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Right where there is much to multiply, and slow."""
    if x.size * w[0].size < 60_000:
        return SPEC.solution(x, w, bias, stride, padding, output_padding, groups, dilation)
    return steps.loops(x, w, stride, padding)


def while_others_compute(*args, **kwargs):
    """As fast as asked, but waiting for its turn first."""
    time.sleep(0.02)
    return SPEC.solution(*args, **kwargs)


def test_right_but_slow_loses_the_points_for_speed_only():
    verdict = SPEC.judge(by_loops)
    assert verdict.score == SPEC.points - SPEC.aspects[-1].points
    assert "times as fast as `loops`" in verdict.message
    assert "at least 20 times" in verdict.message


def test_waiting_for_the_processor_costs_nothing():
    verdict = SPEC.judge(while_others_compute)
    assert verdict.passed, verdict.message


def test_learners_see_the_loops_that_they_are_held_against():
    """The timing goes where a learner's code runs, so it cannot import them; nor can learners."""
    notebook = (SOLUTIONS / SPEC.problem_set / f"{SPEC.problem_set}.py").read_text("utf-8")
    found = []
    for source in (notebook, inspect.getsource(SPEC.driver), inspect.getsource(steps)):
        functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
        found += [ast.unparse(f) for f in functions if f.name == "loops"]
    assert len(found) == 3
    assert len(set(found)) == 1


@pytest.mark.parametrize("seed", [7, 2026])
def test_no_case_but_those_for_speed_is_held_against_the_loops(seed):
    for case in SPEC.all_cases(seed):
        x, w = case.args[:2]
        assert (x.size * w[0].size >= 60_000) == (case.aspect == FAST)
