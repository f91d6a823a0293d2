"""The judge's process, from the ends of its sockets: the engine's and a kernel's."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from autograde import specs
from autograde.engine import wire
from autograde.engine.judging import MOST_REFUSALS, Judge, _given
from tests.attacks import bank
from tests.autograde.test_correct import ANSWERS

NAME = "conv1d"


@pytest.fixture(scope="module")
def judge():
    with contextlib.closing(Judge("of this class")) as judge:
        yield judge


@contextlib.contextmanager
def opened(judge):
    """A session: the engine's end and the kernel's."""
    session, kernel = judge.open()
    with kernel, contextlib.closing(session):
        yield session, kernel


def ask(kernel, name=NAME):
    """Ask for a verdict where there is no function, and return the reply."""
    wire.send(kernel, {"grade": name, "defined": False})
    return wire.receive(kernel)


def test_whoever_asks_once_the_engine_has_named_the_exercise_is_never_too_early(judge):
    for _ in range(50):
        with opened(judge) as (session, kernel):
            session.begin(NAME)
            assert ask(kernel)["score"] == 0
            assert session.end(10).verdict["exercise"] == NAME


def test_whoever_asks_before_or_for_another_exercise_is_refused(judge):
    with opened(judge) as (session, kernel):
        assert "refused" in ask(kernel)
        session.begin(NAME)
        assert "refused" in ask(kernel, "same_padding")
        assert "score" in ask(kernel)
        assert session.end(10).usable


def test_whoever_asks_on_and_on_is_hung_up_on_and_does_not_hold_up_the_engine(judge):
    with opened(judge) as (session, kernel):
        for _ in range(MOST_REFUSALS):
            assert "refused" in ask(kernel, "nothing")
        with pytest.raises((EOFError, OSError)):
            ask(kernel, "nothing")
        session.begin(NAME)
        answer = session.end(10)
    assert answer.verdict is None
    assert not answer.usable


ANSWERS = {name: ANSWERS[name] for name in specs.names(bank.PROBLEM_SET)}


@pytest.mark.parametrize("number", range(max(map(len, ANSWERS.values()))))
def test_every_right_answer_earns_everything_across_the_boundary(engine, number):
    released = bank.released_notebook()
    for name, answers in ANSWERS.items():
        bank.cell(released, f"{name}-answer")["source"] = (
            f"{name} = {answers[number % len(answers)].__name__}"
        )
    first = next(c for c in released["cells"] if c["cell_type"] == "code")
    first["source"] += "\n\n" + Path(ANSWERS[NAME][0].__code__.co_filename).read_text()
    executed = engine.execute(bank.dump(released), bank.PROBLEM_SET)
    full = {name: specs.get(name).max_score for name in ANSWERS}
    assert {n: v["score"] for n, v in executed.graded.items()} == full


GIVEN = {given: spec.rules for spec in map(specs.get, specs.names()) for given in spec.rules.given}
ABSURD = {
    "a number": 1e9,
    "numbers": [10**9, 10**9],
    "an array of numbers": np.array([10**9, 10**9]),
    "a long array": np.ones(1 << 20, np.int8),
    "many axes": np.ones((2,) * 8),
}


@pytest.mark.parametrize("absurd", ABSURD.values(), ids=ABSURD)
@pytest.mark.parametrize("name", GIVEN)
def test_a_given_function_is_computed_for_arguments_of_its_own_kind_only(name, absurd):
    """It runs beside the judge, and a size or a padding could ask for any memory."""
    case = specs.get(name).all_cases(0)[0]

    def given(*args, **kwargs):
        request = {"given": name, "args": args, "kwargs": kwargs}
        return _given(GIVEN[name], case, request, 1)

    assert "value" in given(*case.args, **case.kwargs)
    for place, usual in enumerate(case.args):
        if isinstance(usual, np.ndarray) and np.ndim(absurd) <= 1 and np.size(absurd) < 3:
            continue  # it is data, whatever its values
        args = [*case.args[:place], absurd, *case.args[place + 1 :]]
        assert "raises" in given(*args, **case.kwargs)
    for place in case.kwargs:
        assert "raises" in given(*case.args, **case.kwargs | {place: absurd})
