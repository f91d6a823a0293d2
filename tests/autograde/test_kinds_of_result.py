"""Functions that return several arrays, take tensors, refuse arguments, or are classes.

Each made-up spec here is judged in this process and over a socket by the same judge.
"""

import importlib
import socket
import sys
import threading

import numpy as np
import pytest

import autograde
from autograde.engine import wire
from autograde.engine.judging import Remote
from autograde.judge import judge
from autograde.spec import Aspect, Case, Misconception, Rules, Spec

# In the sandbox `inside` is `autograde.notebook` and `wire` lies beside it.
autograde.wire = wire
from autograde.engine import inside  # noqa: E402

sys.meta_path.pop()  # what finds absent packages belongs in the sandbox only

for _framework in ("tensorflow", "torch"):  # importing one takes longer than a call may
    importlib.import_module(_framework)


def make(cases, truth, misconceptions=(), **fields):
    return Spec(
        name="f",
        title="F",
        summary="",
        chapter="",
        parameters="x, k",
        aspects=(Aspect("all", 1),),
        cases=lambda rng: iter([Case("all", args, visible=True, **rest) for args, rest in cases]),
        oracles={"truth": truth},
        misconceptions=tuple(Misconception(n, n, n, "", fn) for n, fn in misconceptions),
        minutes=1,
        difficulty="easy",
        **fields,
    )


class Across(Remote):
    """The function at the other end of a socket, served by a thread as the sandbox does."""

    def __init__(self, fn):
        ours, theirs = socket.socketpair()
        super().__init__(ours, "f")

        def serve():
            with theirs:
                while "calls" in (request := wire.receive(theirs, sharing=True)):
                    inside.serve(theirs, fn, request)

        threading.Thread(target=serve, daemon=True).start()


@pytest.fixture(params=["here", "across"])
def judged(request, monkeypatch):
    """Judge a function by a spec, in this process or over a socket."""

    def run(spec, fn):
        if request.param == "here":
            return judge(spec, fn, 7)
        across = Across(fn)
        verdict = judge(spec, across, 7)
        wire.send(across.sock, {"done": True})
        return verdict

    return run


def largest(x, k):
    """The `k` largest and where they are, as two arrays."""
    order = np.argsort(x)[::-1][:k]
    return x[order], order.astype(np.int64)


X = np.array([3.0, 9.0, 4.0, 1.0])
PAIR = make(
    [((X, 2), {}), ((X, 3), {"exact_dtype": True})],
    largest,
    [("counts-from-one", lambda x, k: (largest(x, k)[0], largest(x, k)[1] + 1))],
    parts=("values", "indices"),
)


def test_two_arrays_are_compared_each_by_its_name(judged):
    assert judged(PAIR, largest).passed
    assert judged(PAIR, lambda x, k: list(largest(x, k))).passed
    verdict = judged(PAIR, lambda x, k: (largest(x, k)[0], largest(x, k)[1] * 0))
    assert "f(x=[3, 9, 4, 1], k=2): `indices` is [0, 0], expected [1, 2]." in verdict.message
    verdict = judged(PAIR, lambda x, k: (largest(x, k)[0].astype("f4"), largest(x, k)[1]))
    assert "`values` has dtype float32, expected float64" in verdict.message
    verdict = judged(PAIR, lambda x, k: (largest(x, k)[0], largest(x, k)[1].astype(float)))
    assert "`indices` has dtype float64, expected int64." in verdict.message


def test_a_misconception_accounts_for_all_the_parts(judged):
    verdict = judged(PAIR, lambda x, k: (largest(x, k)[0], largest(x, k)[1] + 1))
    assert verdict.misconception == "counts-from-one"
    verdict = judged(PAIR, lambda x, k: (largest(x, k)[0] * 2, largest(x, k)[1] + 1))
    assert verdict.misconception is None
    assert not verdict.passed


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda x, k: x, "returned ndarray, not several arrays."),
        (lambda x, k: None, "returned None."),
        (lambda x, k: (x, None), "returned None."),
        (lambda x, k: (x,), "returned 1 arrays, expected 2."),
        (lambda x, k: (x, ["a"]), "not numbers"),
    ],
)
def test_what_is_not_two_arrays_is_said_to_be_none(judged, returned, said):
    assert said in judged(PAIR, returned).message


def phases(x, k):
    return [x[i::k] for i in range(k)]


LIST = make([((X, 2), {}), ((X, 3), {})], phases, parts=())


def test_a_list_may_hold_arrays_of_different_lengths(judged):
    assert judged(LIST, phases).passed
    verdict = judged(LIST, lambda x, k: phases(x, k)[:-1])
    assert "returned 1 arrays, expected 2." in verdict.message
    verdict = judged(LIST, lambda x, k: phases(x, k)[::-1])
    assert "array 0 is [9, 1], expected [3, 4]." in verdict.message


def halved(x, k):
    if k < 1:
        raise ValueError("k must be at least 1")
    return x[::k]


REFUSING = make(
    [((X, 2), {}), ((X, 0), {"refused": "a step of 0 goes nowhere"})],
    halved,
    [("takes-everything", lambda x, k: x[:: k or 1])],
)


def test_arguments_without_a_sense_have_to_be_refused(judged):
    assert judged(REFUSING, halved).passed
    verdict = judged(REFUSING, lambda x, k: x[:: max(k, 1)] if k else x * 2)
    assert verdict.misconception is None
    assert "returned [6, 18, 8, 2]. These arguments make no sense: a step of 0" in verdict.message

    def crashes(x, k):
        return x[:: 4 // k]

    message = judged(REFUSING, crashes).message
    assert "ZeroDivisionError" in message
    assert "return x[:: 4 // k]" in message
    assert "Raise a ValueError that says so." in message


def test_taking_them_all_the_same_can_be_a_misconception(judged):
    assert judged(REFUSING, lambda x, k: x[:: k or 1]).misconception == "takes-everything"
    # Who refuses does not hold it, whatever else is wrong.
    wrong = lambda x, k: halved(x, k) + 1
    assert judged(REFUSING, wrong).misconception is None


def test_refusing_what_makes_sense_is_an_error(judged):
    def shy(x, k):
        raise ValueError("I would rather not")

    assert not judged(REFUSING, shy).passed
    assert "I would rather not" in judged(REFUSING, shy).message


def with_tensors(fn, x, k):
    import torch

    from autograde.calling import NotAsked

    y = fn(torch.from_numpy(x), k)
    if not isinstance(y, torch.Tensor):
        raise NotAsked(f"returned {type(y).__name__}, not a tensor.")
    return y.numpy()


TENSORS = make(
    [((X, 2), {})], lambda x, k: x * k, driver=with_tensors, rules=Rules(("numpy", "torch"))
)


def test_a_driver_hands_over_tensors_and_takes_them_back(judged):
    assert judged(TENSORS, lambda x, k: x.mul(k)).passed
    assert "returned ndarray, not a tensor." in judged(TENSORS, lambda x, k: x.numpy() * k).message

    def wrong(x, k):
        return x.multiply_by(k)

    message = judged(TENSORS, wrong).message
    assert "AttributeError" in message
    assert "return x.multiply_by(k)" in message


def with_gradient(op, x, k):
    import torch

    x = torch.tensor(x, requires_grad=True)
    op.apply(x, k).sum().backward()
    return x.grad.numpy()


GRADIENT = make([((X, 3), {})], lambda x, k: np.full(4, float(k)), driver=with_gradient)


def test_a_class_can_be_judged_through_a_driver(judged):
    import torch

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.k = k
            return x * k

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output * ctx.k, None

    class Unwritten(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            raise NotImplementedError

    assert judged(GRADIENT, Scale).passed
    assert not judged(GRADIENT, Unwritten).started


@pytest.mark.parametrize("answer", [True, np.bool_(True), np.array(True)])
def test_truth_values_are_compared_as_such(judged, answer):
    spec = make([((X, 2), {})], lambda x, k: True)
    assert judged(spec, lambda x, k: answer).passed
    assert "returned False, expected True." in judged(spec, lambda x, k: not answer).message
    assert "numbers are no truth values" in judged(spec, lambda x, k: 1).message
