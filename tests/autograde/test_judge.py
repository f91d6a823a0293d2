"""What the judge says: the most specific true thing, and nothing else."""

import json
import linecache
import re
import signal
import sys
import threading
import types
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograde import specs
from autograde.judge import FRAMEWORKS, agree, show
from autograde.reading import reading
from autograde.verdict import MIME, AspectVerdict, Verdict


def _without_framework(name):
    """Return a spec that takes its truth from the solution; test_specs proves them equal."""
    spec = specs.get(name)
    return replace(spec, oracles={"NumPy": spec.solution})


CONV1D = _without_framework("conv1d")
SAME = _without_framework("same_padding")
MATRIX = _without_framework("conv1d_matrix")
SCATTER = _without_framework("conv_transpose1d_scatter")
INSERT = _without_framework("conv_transpose1d_zero_insert")
PREDICT = _without_framework("predict_transposed_length")

SIGNATURE = {s.name: f"def {s.name}({s.parameters}):" for s in map(specs.get, specs.names())}
_number = count(1)


def cell(source, scope=None):
    """Run `source` as a notebook runs a cell and return the notebook's global names."""
    scope = {"__name__": "__main__", "np": np} if scope is None else scope
    name = f"<cell {next(_number)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), scope)
    return scope


def learner(spec, body, before=""):
    """Return the learner's function with `body`, in a notebook that ran `before` first."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return cell(f"{before}\n{SIGNATURE[spec.name]}\n{lines}")[spec.name]


def hasty(spec, seconds=0.1):
    return replace(spec, rules=replace(spec.rules, seconds=seconds))


def passed(verdict):
    return {a.name for a in verdict.aspects if a.passed}


def messages(verdict):
    return {a.name: a.message for a in verdict.aspects}


def right(spec):
    return spec.solution


GOOD = "y = np.correlate(np.pad(x, padding), w, 'valid')[::stride]"

# -- the kind of difference ----------------------------------------------------------------


def test_wrong_shape_names_both_shapes_and_works_out_the_size():
    fn = learner(CONV1D, f"{GOOD}\nreturn np.append(y, 0.0)")
    message = messages(CONV1D.judge(fn, visible_only=True))["stride 1"]
    assert "conv1d(x=[1, 0, 2], w=[3]) has shape (4,), expected (3,)." in message
    assert "⌊(n + 2·padding − k) / stride⌋ + 1 = ⌊(3 + 0 − 1) / 1⌋ + 1 = 3 elements." in message


def test_size_formula_of_a_transposed_convolution_has_the_numbers():
    fn = learner(SCATTER, "return np.zeros(99)")
    message = messages(SCATTER.judge(fn, visible_only=True))["output_padding"]
    assert "has shape (99,), expected (5,)." in message
    assert "(n − 1)·stride − 2·padding + k + output_padding" in message
    assert "(2 − 1)·2 − 0 + 2 + 1 = 5 elements." in message


def test_size_formulas_are_right_on_every_case():
    for spec in (CONV1D, MATRIX, SCATTER, INSERT):
        for case in spec.all_cases(5):
            text = spec.size_formula(*case.args, **case.kwargs)
            *_, worked, size = text.removesuffix(" elements.").split(" = ")
            python = worked.translate(str.maketrans("⌊⌋−·", "()-*")).replace("/", "//")
            assert eval(python) == int(size) == len(spec.truth(case)), text


def test_wrong_dtype_costs_only_the_aspect_that_asks_for_it():
    fn = learner(CONV1D, f"{GOOD}\nreturn y.astype(np.float64)")
    verdict = CONV1D.judge(fn)
    assert passed(verdict) == {"stride 1", "stride > 1", "padding"}
    assert "[float32]" in verdict.message
    assert "has dtype float64, expected float32" in verdict.message


def test_nan_is_called_nan():
    fn = learner(CONV1D, f"{GOOD}\ny[-1] = np.nan\nreturn y")
    verdict = CONV1D.judge(fn)
    assert verdict.score == 0
    assert all("contains NaN" in m for m in messages(verdict).values())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (GOOD, "returned None. Does every path end with `return`?"),
        ("pass", "returned None."),
        ("return 'abc'", "returned str"),
        ("return ['1', '2', '3']", "returned list"),
        ("return [[1.0], [1.0, 2.0]]", "returned a ragged list"),
        ("return (np.ones(2), np.ones(3))", "returned a ragged tuple"),
        ("return {1: 2}", "returned dict"),
        ("return (i for i in x)", "returned generator"),
        ("return conv1d", "returned function"),
        ("return 1.0", "has shape (), expected (3,)"),
        ("return []", "has shape (0,), expected (3,)"),
        ("return x[:, None]", "has shape (3, 1), expected (3,)"),
        ("return np.full(x.shape, np.inf)", "inf instead of 3"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(body, words):
    verdict = CONV1D.judge(learner(CONV1D, body), visible_only=True)
    assert verdict.score == 0
    assert words in messages(verdict)["stride 1"]


def test_the_smallest_visible_case_is_the_counter_example():
    verdict = CONV1D.judge(learner(CONV1D, "return None"))
    assert messages(verdict)["stride 1"].startswith("conv1d(x=[1, 0, 2], w=[3]) ")
    assert "stride=2, padding=2" not in messages(verdict)["padding"]


# -- exceptions ----------------------------------------------------------------------------


def test_exception_is_told_with_the_learners_own_line():
    fn = learner(CONV1D, "z = x.sum()\nreturn np.reshape(x, (7, 7))")
    message = CONV1D.judge(fn, visible_only=True).message
    assert "conv1d(x=[1, 0, 2], w=[3]) raised ValueError: cannot reshape" in message
    assert message.endswith("at line 4 of your cell: return np.reshape(x, (7, 7))")


def test_exception_in_a_keras_layer_is_told_without_what_the_frameworks_wrap_around_it():
    source = """import tensorflow as tf

class UNetUpBlockKeras(tf.keras.layers.Layer):
    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        self.up = tf.keras.layers.Conv2DTranspose(c_out, 2, 2)
        self.first = tf.keras.layers.Conv2D(c_out, 3, padding="same", activation="relu")
        self.second = tf.keras.layers.Conv2D(c_out, 3, padding="same", activation="relu")

    def call(self, x, skip):
        both = tf.concat([skip, self.up(x)], axis=-1)
        return self.second(self.first(both))
"""
    fn = cell(source)["UNetUpBlockKeras"]
    verdict = specs.get("UNetUpBlockKeras").judge(fn, visible_only=True)
    message = messages(verdict)["sizes that do not fit"]
    assert (
        " raised InvalidArgumentError: ConcatOp : Dimension 1 in both shapes must be equal"
        in message
    )
    assert message.endswith(
        " vs. shape[1] = [1,2,2,1], at line 11 of your cell: "
        "both = tf.concat([skip, self.up(x)], axis=-1)"
    )


def test_initializer_that_failed_before_does_not_fail_a_right_keras_layer():
    source = """import tensorflow as tf

class UNetUpBlockKeras(tf.keras.layers.Layer):
    def __init__(self, c_in, c_skip, c_out):
        super().__init__()
        layers = tf.keras.layers
        self.up = layers.Conv2DTranspose(c_out, 2, 2, kernel_initializer=start)
        self.first = layers.Conv2D(c_out, 3, padding="same", activation="relu")
        self.second = layers.Conv2D(c_out, 3, padding="same", activation="relu")

    def call(self, x, skip):
        x = self.up(x)[:, : skip.shape[1], : skip.shape[2]]
        return self.second(self.first(tf.concat([skip, x], axis=-1)))

def start(shape%s):
    return tf.zeros(shape)
"""
    spec = specs.get("UNetUpBlockKeras")
    wrong = spec.judge(cell(source % "")["UNetUpBlockKeras"], visible_only=True)
    assert "unexpected keyword argument 'dtype'" in messages(wrong)["values"]
    right = spec.judge(cell(source % ", dtype=None")["UNetUpBlockKeras"], visible_only=True)
    assert right.passed


def test_exception_in_a_helper_of_the_same_cell_is_told_with_the_helpers_line():
    fn = learner(CONV1D, "return helper(x)", before="def helper(x):\n    return x[99]")
    message = CONV1D.judge(fn, visible_only=True).message
    assert "IndexError" in message
    assert message.endswith("at line 2 of your cell: return x[99]")


def test_exception_in_a_helper_of_another_cell_is_told_with_the_line_that_calls_it():
    scope = cell("\n\n\ndef helper(x):\n    return x[99]", {"__name__": "__main__"})
    cell("def conv1d(x, w, stride=1, padding=0):\n    return helper(x)", scope)
    message = CONV1D.judge(scope["conv1d"], visible_only=True).message
    assert message.endswith("at line 2 of your cell: return helper(x)")


def test_wrong_signature_is_told():
    fn = cell("def conv1d(x, w):\n    return x")["conv1d"]
    verdict = CONV1D.judge(fn, visible_only=True)
    assert "TypeError" in messages(verdict)["padding"]
    assert "padding" in messages(verdict)["padding"]


def test_endless_recursion_is_an_exception_like_any_other():
    verdict = CONV1D.judge(learner(CONV1D, "return conv1d(x, w)"), visible_only=True)
    assert "RecursionError" in verdict.message
    assert "return conv1d(x, w)" in verdict.message


def test_exception_on_some_inputs_costs_only_their_aspect():
    fn = learner(CONV1D, f"if padding:\n    raise KeyError('pad')\n{GOOD}\nreturn y")
    verdict = CONV1D.judge(fn)
    assert passed(verdict) == {"stride 1", "stride > 1"}
    assert verdict.score == 3
    assert "KeyError: 'pad', at line 4 of your cell: raise KeyError('pad')" in verdict.message


def test_who_refuses_what_makes_sense_is_told_so():
    fn = learner(CONV1D, f"if padding:\n    raise ValueError('pad')\n{GOOD}\nreturn y")
    assert "ValueError: pad, at line 4 of your cell" in CONV1D.judge(fn).message
    assert "These arguments make sense: they are not to be refused." in CONV1D.judge(fn).message
    fn = learner(CONV1D, "return np.reshape(x, (7, 7))")  # raises one that is not its own
    assert "ValueError" in CONV1D.judge(fn).message
    assert "make sense" not in CONV1D.judge(fn).message


# -- endless loops -------------------------------------------------------------------------

ENDLESS = {
    "plain": "while True:\n        pass",
    "sleeping": "import time\n    time.sleep(60)",
    "except Exception": (
        "while True:\n        try:\n            i = 1\n        except Exception:\n            pass"
    ),
    "bare except": (
        "while True:\n        try:\n            i = 1\n        except:\n            pass"
    ),
    "first alarm swallowed": (  # it has to ring again
        "try:\n        while True:\n            pass\n"
        "    except:\n        while True:\n            pass"
    ),
    "finally": "try:\n        while True:\n            pass\n    finally:\n        i = 0",
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_endless_loop_is_stopped_and_the_other_aspects_keep_their_points(kind):
    spec = hasty(CONV1D)
    fn = learner(CONV1D, f"if padding == 0 and stride > 1:\n    {ENDLESS[kind]}\n{GOOD}\nreturn y")
    verdict = spec.judge(fn)
    assert passed(verdict) == {"stride 1", "padding", "dtype and inputs"}
    assert verdict.score == 4
    # Where others have the processor, the longer limit by the clock may come first.
    limit = r"0\.4 s" if kind == "sleeping" else r"0\.(1 s of computing|4 s)"
    assert re.search(rf"stride=2\) did not finish within {limit}\.", verdict.message)
    assert "never ends" in verdict.message


def test_a_call_that_hardly_gets_the_processor_is_not_slow():
    fn = learner(CONV1D, f"import time\ntime.sleep(0.15)\n{GOOD}\nreturn y")
    assert hasty(CONV1D).judge(fn, visible_only=True).score == CONV1D.points


def test_an_endless_loop_in_an_aspect_is_run_only_once():
    calls = []

    def fn(x, w, stride=1, padding=0):
        calls.append(stride)
        while True:
            pass

    verdict = hasty(CONV1D).judge(fn)
    assert verdict.score == 0
    assert len(calls) == len(CONV1D.aspects)


def test_the_alarm_is_left_as_it_was():
    def mine(signum, frame):
        raise AssertionError("the alarm rang after the judge was done")

    before = signal.signal(signal.SIGALRM, mine)
    try:
        hasty(CONV1D).judge(right(CONV1D), visible_only=True)
        hasty(CONV1D).judge(learner(CONV1D, "while True:\n    pass"), visible_only=True)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_thread_may_judge_too():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(CONV1D.judge(right(CONV1D), visible_only=True))
    )
    thread.start()
    thread.join()
    assert found[0].passed


# -- frameworks ----------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch):
    """Packages by the frameworks' names, so that a test need not import the real ones."""

    def right_answer(x, w, stride=1, padding=0):
        return np.correlate(np.pad(x, padding), w, "valid")[::stride]

    def make(name):
        module = types.ModuleType(name)
        module.conv = types.FunctionType(right_answer.__code__, vars(module), "conv", (1, 0))
        module.np = np
        module.conv.__module__ = f"{name}.inner"
        monkeypatch.setitem(sys.modules, name, module)
        return name

    return make


USES = {
    "import at the top": ("import {0}", "return {0}.conv(x, w, stride, padding)"),
    "alias": ("import {0} as t", "return t.conv(x, w, stride, padding)"),
    "from import": ("from {0} import conv", "return conv(x, w, stride, padding)"),
    "from import as": ("from {0} import conv as c", "return c(x, w, stride, padding)"),
    "inside the function": ("", "import {0}\nreturn {0}.conv(x, w, stride, padding)"),
    "from import inside": ("", "from {0} import conv\nreturn conv(x, w, stride, padding)"),
    "helper": (
        "import {0} as t\ndef helper(*a):\n    return t.conv(*a)",
        "return helper(x, w, stride, padding)",
    ),
    "helper of a helper": (
        "import {0} as t\ndef one(*a):\n    return t.conv(*a)\ndef two(*a):\n    return one(*a)",
        "return two(x, w, stride, padding)",
    ),
    "function inside": (
        "import {0} as t",
        "def inner():\n    return t.conv(x, w, stride, padding)\nreturn inner()",
    ),
    "comprehension": (
        "import {0} as t",
        "return [v for v in t.conv(x, w, stride, padding)]",
    ),
    "lambda": ("import {0} as t\nf = lambda *a: t.conv(*a)", "return f(x, w, stride, padding)"),
}


@pytest.mark.parametrize("use", USES)
def test_using_a_framework_earns_nothing_and_is_said(use, fake):
    name = fake("tensorflow" if "alias" in use else "scipy")
    before, body = (text.format(name) for text in USES[use])
    fn = learner(CONV1D, body, before)
    for verdict in (CONV1D.judge(fn), CONV1D.judge(fn, visible_only=True)):
        assert verdict.score == 0
        assert not any(a.passed for a in verdict.aspects)
        assert "by hand, with numpy only" in verdict.message
        assert f"uses {name}." in verdict.message


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_framework_is_noticed(name, fake):
    fake(name)
    fn = learner(CONV1D, f"import {name}\n{GOOD}\nreturn y")
    assert f"uses {name}." in CONV1D.judge(fn).message


def test_the_real_frameworks_are_noticed_by_alias():
    before = "import torch\nimport torch.nn.functional as F"
    body = "x, w = torch.tensor(x.copy()), torch.tensor(w.copy())\n"
    body += "return F.conv1d(x[None], w[None, None], stride=stride, padding=padding)[0].numpy()"
    verdict = CONV1D.judge(learner(CONV1D, body, before))
    assert verdict.score == 0
    assert "uses torch." in verdict.message


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("", "n = np.linalg.norm(x)\nreturn np.correlate(np.pad(x, padding), w)[::stride]"),
        ("import numpy.linalg as la", f"la.norm(x)\n{GOOD}\nreturn y"),
        ("from math import ceil", f"ceil(1.5)\n{GOOD}\nreturn y"),
        (
            "from numpy.lib.stride_tricks import sliding_window_view as windows",
            "return windows(np.pad(x, padding), len(w))[::stride] @ w",
        ),
        ("import scipy", f"scipyd = 'torch'  # uses torch\n{GOOD}\nreturn y"),
        ("import torch\ndef compare(x):\n    return torch.conv(x)", f"{GOOD}\nreturn y"),
    ],
)
def test_numpy_and_what_the_function_does_not_use_are_allowed(before, body, fake):
    for name in ("scipy", "torch"):
        fake(name)
    verdict = CONV1D.judge(learner(CONV1D, body, before))
    assert verdict.passed, str(verdict)


# -- partial credit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "body", "aspects"),
    [
        (CONV1D, "return np.correlate(x, w, 'valid')", {"stride 1"}),
        (CONV1D, "return np.correlate(x, w, 'valid')[::stride]", {"stride 1", "stride > 1"}),
        (
            CONV1D,
            "return np.correlate(np.pad(x, padding), w, 'valid')",
            {"stride 1"},
        ),
        (SAME, "return (k - 1) // 2, k // 2", {"stride 1"}),
        (
            SAME,
            "t = max((-(-n // s) - 1) * s + k - n, 0)\nreturn t // 2, t - t // 2",
            {"stride 1", "stride > 1", "stride > kernel"},
        ),
        (
            SAME,
            "t = (-(-n // s) - 1) * s + k - n\nreturn t // 2, t - t // 2",
            {"stride 1", "stride > 1"},
        ),
        (SCATTER, "return np.convolve(y, w)", {"stride 1"}),
        (
            SCATTER,
            "x = np.zeros((len(y) - 1) * stride + len(w), y.dtype)\n"
            "for i in range(len(y)):\n    x[i * stride:][:len(w)] += y[i] * w\nreturn x",
            {"stride 1", "stride > 1"},
        ),
        (
            SCATTER,
            "x = np.zeros((len(y) - 1) * stride + len(w), y.dtype)\n"
            "for i in range(len(y)):\n    x[i * stride:][:len(w)] += y[i] * w\n"
            "return x[padding:len(x) - padding]",
            {"stride 1", "stride > 1", "padding"},
        ),
        (
            SCATTER,
            "x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, y.dtype)\n"
            "for i in range(len(y)):\n    x[i * stride:][:len(w)] += y[i] * w\n"
            "return x[padding:-padding]",  # empty for a padding of 0
            {"padding"},
        ),
    ],
)
def test_exactly_the_right_aspects_earn_their_points(spec, body, aspects):
    verdict = spec.judge(learner(spec, body))
    assert passed(verdict) == aspects
    assert verdict.score == sum(a.points for a in spec.aspects if a.name in aspects)
    assert verdict.max_score == spec.points


def test_values_right_without_conv1d_lose_only_that_aspect():
    verdict = INSERT.judge(right(SCATTER))
    assert passed(verdict) == {a.name for a in INSERT.aspects} - {"goes through conv1d"}
    assert verdict.score == INSERT.points - 1
    assert "`conv1d` was never called" in verdict.message


def test_two_mistakes_are_named_each_in_its_aspect():
    body = """\
x = np.zeros((len(y) - 1) * stride + len(w), y.dtype)
for i in range(len(y)):
    x[i * stride:][:len(w)] += y[i] * w
return x[padding:len(x) - padding] if output_padding else x[padding:]"""
    verdict = SCATTER.judge(learner(SCATTER, body))
    named = {a.name: a.misconception for a in verdict.aspects if a.misconception}
    assert named["padding"] == "padding-cropped-in-front-only"
    assert named["output_padding"] == "output-padding-ignored"
    assert passed(verdict) == {"stride 1", "stride > 1"}
    assert verdict.misconception == "padding-cropped-in-front-only"


def test_a_mistake_beside_a_wrong_dtype_is_still_named():
    body = "starts = range(0, len(x) - len(w) + 1, stride)\n"
    body += "return np.array([x[i : i + len(w)] @ w for i in starts], dtype='float64')"
    verdict = CONV1D.judge(learner(CONV1D, body))
    assert messages(verdict)["padding"].startswith("The padding is ignored: ")
    assert verdict.misconception == "padding-ignored"


def test_a_crash_in_one_aspect_does_not_hide_the_mistake_in_another():
    body = "if padding:\n    raise ValueError('no')\nreturn np.correlate(x, w, 'valid')"
    verdict = CONV1D.judge(learner(CONV1D, body))
    assert verdict.misconception == "stride-ignored"
    assert verdict.message.startswith("The stride is ignored: ")
    assert "ValueError: no" in messages(verdict)["padding"]


# -- the first difference ------------------------------------------------------------------

DIFFERENCE = re.compile(
    r"The first difference is at \[(?P<index>\d+)\]: \S+ instead of (?P<want>[\d.-]+)\."
)


def off_at(spec, place, by=100.0):
    """Return the right answer, but for the element at `place`, counted from the end or start."""

    def fn(*args, **kwargs):
        out = np.array(spec.solution(*args, **kwargs), dtype=float)
        out.flat[place % out.size] += by
        return out

    return types.FunctionType(
        fn.__code__, {**fn.__globals__, "conv1d": None}, spec.name, None, fn.__closure__
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("place", [0, 1, -1])
@pytest.mark.parametrize("spec", [CONV1D, SCATTER], ids=lambda s: s.name)
def test_contributions_add_up_to_the_expected_value(spec, place, seed):
    hidden = replace(spec, cases=lambda rng: (c for c in spec.cases(rng) if not c.visible))
    verdict = hidden.judge(off_at(spec, place), seed)
    assert verdict.misconception is None
    found = 0
    for aspect in verdict.aspects:
        if aspect.name == "dtype and inputs":  # long decimals are shown rounded
            continue
        match = DIFFERENCE.search(aspect.message)
        assert match, aspect.message
        why = aspect.message[match.end() :]
        letter, out = ("y", "z") if spec is SCATTER else ("x", "y")
        assert f"{out}[{match['index']}] adds up " in why
        if "nothing but zeros" in why:
            assert float(match["want"]) == 0
            found += 1
            continue
        names, numbers = why.split(" adds up ")[1].removesuffix(".").split(" = ")
        total = eval(numbers.translate(str.maketrans("·−", "*-")))
        assert total == float(match["want"]), aspect.message
        assert names.count(f"{letter}[") == names.count("w[") == numbers.count("·")
        found += 1
    assert found >= 2


@pytest.mark.parametrize("place", [0, 3, -1])
def test_the_first_difference_is_the_first(place):
    case = next(c for c in CONV1D.all_cases(7) if c.kwargs == {"stride": 2, "padding": 2})
    only = replace(CONV1D, cases=lambda rng: iter([case]))

    def fn(x, w, stride=1, padding=0):
        out = np.array(case.expected, dtype=float)
        out[place:] += 1000
        return out

    index = place % 4
    message = only.judge(fn).message
    assert "expected [11, 30, 50, 17]" in message
    expected = case.expected[index]
    assert f"is at [{index}]: {expected + 1000} instead of {expected}." in message


def test_the_matrix_says_which_tap_stands_where():
    def fn(n, w, stride=1, padding=0):
        c = np.array(MATRIX.solution(n, w, stride, padding), dtype=float)
        c[-1, -1] += 100
        return c

    said = messages(MATRIX.judge(fn, visible_only=True))
    assert (
        "The first difference is at [1, 2]: 102 instead of 2. C[1, 2] is the tap"
        in (said["stride 1"])
    )
    assert said["stride 1"].endswith("w[1].")


def test_same_padding_explains_the_total():
    fn = learner(SAME, "return 5, 5")
    said = messages(SAME.judge(fn, visible_only=True))["stride > 1"]
    assert "same_padding(n=5, k=3, s=2) returned [5, 5], expected [1, 1]." in said or (
        "same_padding(n=6, k=3, s=2) returned [5, 5], expected [0, 1]." in said
    )
    match = re.search(r"\((\d+) − 1\)·(\d+) \+ (\d+) = (\d+) elements, and there are (\d+)", said)
    out, s, k, reach, n = map(int, match.groups())
    assert reach == (out - 1) * s + k
    assert out == -(-n // s)


@pytest.mark.parametrize(
    "body",
    [
        "return None",
        "return np.zeros(2)",
        "return np.full(3, np.nan)",
        "raise ValueError('no')",
        "return np.correlate(x, w[::-1], 'valid')",
        f"{GOOD}\nreturn y + 1",
        f"{GOOD}\nreturn y.astype('float64')",
        f"{GOOD}\nx *= 2\nreturn y",
    ],
)
def test_a_message_shows_one_counter_example(body):
    verdict = CONV1D.judge(learner(CONV1D, body))
    assert not verdict.passed
    for aspect in verdict.aspects:
        assert aspect.message.count("conv1d(x=") == (0 if aspect.passed else 1)


# -- silence and cleanliness ---------------------------------------------------------------


@pytest.mark.parametrize("name", specs.names())
def test_nothing_the_function_says_gets_out(name, capfd):
    spec = specs.get(name)

    def fn(*args, **kwargs):
        import logging
        import warnings

        print("to stdout")
        print("to stderr", file=sys.stderr)
        sys.stdout.write("more")
        warnings.warn("careful", stacklevel=1)
        logging.warning("log")
        np.ones(1) / np.zeros(1)
        return np.float32(1e30) * np.float32(1e30)

    assert spec.judge(fn).score == 0
    assert capfd.readouterr() == ("", "")


def test_settings_that_the_function_changes_are_put_back():
    import warnings

    before = np.geterr(), list(warnings.filters), sys.stdout, sys.stderr
    body = "import sys, warnings\nnp.seterr(all='raise')\nwarnings.simplefilter('error')\n"
    CONV1D.judge(learner(CONV1D, f"{body}sys.stdout = None\n{GOOD}\nreturn y"))
    assert (np.geterr(), list(warnings.filters), sys.stdout, sys.stderr) == before


def test_mutating_costs_only_the_aspect_that_forbids_it():
    fn = learner(CONV1D, f"{GOOD}\nx[:] = 0\nw *= 3\nreturn y")
    verdict = CONV1D.judge(fn)
    assert passed(verdict) == {"stride 1", "stride > 1", "padding"}
    assert "changed its input in place" in verdict.message


def test_the_cases_are_not_the_learners_to_change():
    cases = CONV1D.all_cases(7)
    before = [np.array(a) for c in cases for a in c.args]
    frozen = replace(CONV1D, cases=lambda rng: iter(cases))

    def fn(x, w, stride=1, padding=0):
        for a in (x, w):
            if a.flags.writeable:
                a[:] = 0
        return np.zeros(1)

    frozen.judge(fn)
    for old, new in zip(before, [a for c in cases for a in c.args], strict=True):
        np.testing.assert_array_equal(old, new)


# -- given functions -----------------------------------------------------------------------

INSERTED = """\
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    z = np.zeros((len(y) - 1) * stride + 1, y.dtype)
    z[::stride] = y
    edge = len(w) - 1 - padding
    return conv1d(np.pad(z, (edge, edge + output_padding)), w[::-1])
"""


def test_the_given_conv1d_stands_in_for_the_learners_broken_one_and_goes_again():
    scope = cell(f"def conv1d(x, w, stride=1, padding=0):\n    return None\n{INSERTED}")
    broken = scope["conv1d"]
    assert INSERT.judge(scope["conv_transpose1d_zero_insert"]).score == INSERT.points
    assert scope["conv1d"] is broken


def test_the_given_conv1d_is_there_even_if_the_learner_has_none():
    scope = cell(INSERTED)
    assert INSERT.judge(scope["conv_transpose1d_zero_insert"]).score == INSERT.points
    assert "conv1d" not in scope


def test_the_learners_conv1d_is_back_after_an_exception_too():
    source = INSERTED.replace("    z =", "    conv1d(1 / 0, w)\n    z =")
    scope = cell(f"def conv1d(x, w, stride=1, padding=0):\n    return None\n{source}")
    mine = scope["conv1d"]
    verdict = INSERT.judge(scope["conv_transpose1d_zero_insert"])
    assert verdict.score == 0
    assert "ZeroDivisionError" in verdict.message
    assert scope["conv1d"] is mine


def test_a_misconception_that_goes_through_conv1d_keeps_that_aspect_if_its_values_are_right():
    fn = cell(INSERTED.replace("edge + output_padding", "edge"))["conv_transpose1d_zero_insert"]
    verdict = INSERT.judge(fn)
    assert verdict.misconception == "output-padding-ignored"
    assert "goes through conv1d" in passed(verdict)
    assert "The flip is forgotten" in (
        INSERT.judge(cell(INSERTED.replace("w[::-1]", "w"))["conv_transpose1d_zero_insert"]).message
    )


POLYPHASE = """\
def conv_transpose1d_polyphase(y, w, stride=1, padding=0, output_padding=0):
    z = np.zeros((len(y) - 1) * stride + len(w) + output_padding, y.dtype)
    for i, value in enumerate(y):
        z[i * stride : i * stride + len(w)] += value * w
    CALLS
    return z[padding : len(z) - padding]
"""


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ("pass", "`conv1d` was never called"),
        ("conv1d(y, w[:1])", "multiplied only 3 times"),
        ("z = conv1d(z, np.ones(1, z.dtype))", "do not stand in `y`"),
        (
            "conv1d(y, w[::-1], padding=3)\n    z = conv1d(z, np.ones(1, z.dtype))",
            "multiplied 32 times",
        ),
        ("[conv1d(z[:6] / w[0], w[:1]) for _ in range(2)]", "do not stand in `y`"),
        ("conv1d(y, w[:1] * 2, padding=4)\n    conv1d(y, w[:1], padding=1)", "stand in `w`"),
    ],
)
def test_calls_for_show_do_not_count_as_the_work(calls, said):
    fn = cell(POLYPHASE.replace("CALLS", calls))["conv_transpose1d_polyphase"]
    verdict = specs.get("conv_transpose1d_polyphase").judge(fn)
    (counted,) = [a for a in verdict.aspects if not a.passed]
    assert counted.points == 2
    assert said in counted.message


def test_all_the_products_in_conv1d_are_the_work_however_they_are_put_together():
    calls = "[conv1d(y, p[::-1], padding=len(p) - 1) for p in polyphase_split(w, stride) if len(p)]"
    fn = cell(POLYPHASE.replace("CALLS", calls))["conv_transpose1d_polyphase"]
    assert specs.get("conv_transpose1d_polyphase").judge(fn).passed


# -- predictions ---------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [15, 16])
def test_a_prediction_is_noted_without_a_word_on_whether_it_is_right(answer):
    verdict = PREDICT.judge(lambda: answer, visible_only=True)
    assert str(verdict) == "predict_transposed_length: your answer is noted."
    assert "16" not in verdict.to_html()
    assert PREDICT.judge(lambda: answer).passed is (answer == 16)


def test_no_prediction_is_not_noted():
    def fn():
        raise NotImplementedError

    assert not PREDICT.judge(fn, visible_only=True).passed
    assert not PREDICT.judge(lambda: None, visible_only=True).noted
    assert "not numbers" in PREDICT.judge(lambda: "sixteen", visible_only=True).message


# -- verdicts ------------------------------------------------------------------------------

OWN_TAGS = {"div", "span", "strong", "a"}
UGLY = "<script>alert('&')</script>"

TEXTS = {
    "passed": lambda: CONV1D.judge(right(CONV1D)),
    "misconception": lambda: CONV1D.judge(CONV1D.misconceptions[0].fn),
    "visible": lambda: CONV1D.judge(CONV1D.misconceptions[0].fn, visible_only=True),
    "visible, passed": lambda: CONV1D.judge(right(CONV1D), visible_only=True),
    "ugly": lambda: CONV1D.judge(learner(CONV1D, f'raise ValueError("{UGLY}")')),
    "several lines": lambda: CONV1D.judge(learner(CONV1D, "raise ValueError('<b>\\n\\n<i>')")),
    "two mistakes": lambda: CONV1D.judge(
        learner(CONV1D, "if padding:\n    return x.x\nreturn np.correlate(x, w, 'valid')")
    ),
    "not started": lambda: CONV1D.judge(learner(CONV1D, "raise NotImplementedError")),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_html_and_data_say_the_same(kind):
    verdict = TEXTS[kind]()
    bundle = verdict._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME}
    data = json.loads(json.dumps(bundle[MIME]))
    assert (data["score"], data["max_score"]) == (verdict.score, verdict.max_score)
    assert (data["passed"], data["message"]) == (verdict.passed, verdict.message)
    assert sum(a["points"] for a in data["aspects"] if a["passed"]) == data["score"]
    page = BeautifulSoup(bundle["text/html"], "html.parser")
    lines = [" ".join(line.split()) for line in bundle["text/plain"].splitlines()]
    blocks = [d.get_text() for d in page.find_all("div") if not d.find("div")]
    assert [" ".join(line.split()) for b in blocks for line in b.splitlines()] == lines
    assert {tag.name for tag in page.find_all()} <= OWN_TAGS
    if verdict.message and verdict.started:
        for line in verdict.message.splitlines():
            assert line in bundle["text/plain"]


def test_html_escapes_what_the_learner_wrote():
    html = TEXTS["ugly"]().to_html()
    assert "<script" not in html
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in html


@given(
    st.lists(
        st.builds(
            AspectVerdict,
            name=st.text(st.characters(codec="utf-8"), min_size=1),
            points=st.integers(1, 5),
            passed=st.just(False),
            message=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.splitlines),
        ),
        min_size=1,
        max_size=3,
    )
)
@settings(deadline=None, max_examples=50)
def test_html_holds_no_tag_but_its_own(aspects):
    plain = [replace(a, name="n", message="m") for a in aspects]
    pages = [
        BeautifulSoup(Verdict("e", "E", tuple(a)).to_html(), "html.parser")
        for a in (aspects, plain)
    ]
    assert {t.name for page in pages for t in page.find_all()} <= OWN_TAGS
    for tag in ("span", "strong"):
        assert len(pages[0].find_all(tag)) == len(pages[1].find_all(tag))


def test_one_mistake_is_explained_once():
    wrong = CONV1D.misconceptions[0]
    verdict = CONV1D.judge(wrong.fn)
    headline, *marks, confused, example, read = str(verdict).splitlines()
    assert headline == "conv1d: 0 of 5 points."
    assert [m.strip() for m in marks] == [f"✗ 0/{a.points} {a.name}" for a in CONV1D.aspects]
    assert confused.strip() == f"{wrong.title}: {wrong.message}"
    assert example.strip().startswith("conv1d(x=")
    assert read.strip() == f"Read: {reading(wrong.section)}"


@pytest.mark.parametrize("before", ["", "if padding:\n    raise KeyError('pad')\n"])
def test_the_same_exception_is_told_once_whatever_the_inputs(before):
    verdict = CONV1D.judge(learner(CONV1D, f"{before}return x[len(x)]"))
    text = str(verdict)
    assert text.count("raised IndexError") == 1
    assert text.count("raised KeyError") == bool(before)
    assert sum(map(len, verdict.groups)) == len(CONV1D.aspects)


def test_what_passed_comes_first_and_each_mistake_follows_its_aspects():
    verdict = TEXTS["two mistakes"]()
    lines = [line.strip() for line in str(verdict).splitlines()]
    marks = [line.split(" ", 2)[2] for line in lines if line[0] in "✓✗"]
    assert marks == [a.name for group in verdict.groups for a in group]
    assert lines[1].startswith("✓")
    for group in verdict.groups[1:]:
        last = lines.index(f"✗ 0/{group[-1].points} {group[-1].name}")
        said = " ".join(lines[last + 1 : last + 3])
        assert group[0].message.splitlines()[0] in said


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
@pytest.mark.parametrize("passed", [True, False])
def test_the_marks_can_be_read_in_a_light_and_a_dark_notebook(ground, passed):
    html = Verdict("e", "E", (AspectVerdict("a", 1, passed, "m"),)).to_html()
    share, hue = re.search(r"color-mix\(in srgb, currentColor (\d+)%, (#\w+)\)", html).groups()
    text = {"#ffffff": 0, "#111111": 255}[ground]
    own = [int(hue[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [(text * int(share) + c * (100 - int(share))) / 100 for c in own]

    def light(rgb):
        parts = [c / 255 / 12.92 if c < 10.3 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return np.dot(parts, [0.2126, 0.7152, 0.0722]) + 0.05

    below = light([int(ground[i : i + 2], 16) for i in (1, 3, 5)])
    assert max(light(mixed), below) / min(light(mixed), below) >= 4.5


def test_the_learners_own_check_gives_no_points():
    verdict = TEXTS["visible"]()
    assert str(verdict).startswith("conv1d: not right yet.")
    assert not re.search(r"\d/\d", str(verdict))
    assert "every visible check passes" in str(TEXTS["visible, passed"]())


# -- properties ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in specs.names() if n != "same_padding"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=8)
def test_the_solution_passes_against_the_framework_whatever_the_seed(name, seed):
    spec = specs.get(name)
    assert spec.judge(spec.solution, seed).passed


@given(n=st.integers(1, 60), k=st.integers(1, 12), s=st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_same_padding_is_what_tensorflow_pads(n, k, s):
    spec = specs.get("same_padding")
    assert agree(spec.solution(n, k, s), spec.oracles["TensorFlow"](n, k, s))


@given(seed=st.integers(0, 2**32 - 1), which=st.integers(0, 8))
@settings(deadline=None, max_examples=15)
def test_misconceptions_are_diagnosed_whatever_the_seed(seed, which):
    wrong = CONV1D.misconceptions[which]
    assert CONV1D.judge(wrong.fn, seed).misconception == wrong.name


ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64]),
    hnp.array_shapes(max_dims=2, max_side=5),
    elements=st.integers(-1000, 1000),
)


@given(ARRAYS)
def test_an_array_agrees_with_itself_and_with_its_list(a):
    assert agree(a, a)
    assert agree(a.tolist(), a)
    assert agree(a, a.tolist())
    assert agree(a[::-1][::-1], a)


@given(ARRAYS, st.data())
def test_agreeing_with_whole_numbers_is_symmetric_and_strict(a, data):
    b = data.draw(hnp.arrays(a.dtype, a.shape, elements=st.integers(-1000, 1000)))
    assert agree(a, b) == agree(b, a) == bool((a == b).all())


@given(ARRAYS, st.sampled_from([-1.0, 0.5, 1.0, 100.0]), st.data())
def test_one_wrong_element_is_noticed(a, by, data):
    index = data.draw(st.integers(0, a.size - 1))
    b = a.astype(np.result_type(a.dtype, np.float32))
    b.flat[index] += by
    assert not agree(b, a)


@given(ARRAYS)
def test_another_shape_never_agrees(a):
    assert not agree(a[None], a)
    assert not agree(np.append(a.ravel(), 0), a)
    assert not agree(a.ravel()[:-1], a)
    assert not agree(float(a.flat[0]), a)


@pytest.mark.parametrize("value", [None, "1", ["1"], [[1], [1, 2]], {}, object(), 1j, [True]])
def test_what_is_no_real_number_never_agrees(value):
    assert not agree(value, [1.0])
    assert not agree(value, 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(values=hnp.arrays(np.float64, 20, elements=st.floats(-10, 10)), seed=st.integers(0, 999))
def test_the_order_of_summation_is_forgiven(dtype, values, seed):
    values = values.astype(dtype)
    order = np.random.default_rng(seed).permutation(20)
    assert agree(np.cumsum(values[order])[-1:], np.array([values.sum()]))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_nan_or_infinity_never_agrees_with_a_number(number):
    for bad in (np.nan, np.inf, -np.inf):
        assert not agree([bad], [number])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1.0, 2.5, 3], "[1, 2.5, 3]"),
        (np.eye(2), "[[1, 0], [0, 1]]"),
        (np.float64(1 / 3), "0.333333"),
        (7, "7"),
        ((1, 2), "[1, 2]"),
        (np.arange(20), "[0, 1, 2, 3, 4, 5, 6, 7, …, 17, 18, 19]"),
        (np.zeros((9, 9)), "<array of shape (9, 9)>"),
        ("a", "'a'"),
        ([], "[]"),
    ],
)
def test_numbers_are_shown_as_a_reader_writes_them(value, text):
    assert show(value) == text
