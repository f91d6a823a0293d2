"""Every spec proves itself: its solution, its oracles, its cases and its misconceptions."""

import inspect
from functools import cache
from itertools import combinations

import nbformat
import numpy as np
import pytest

from autograde import specs
from autograde.calling import quiet
from autograde.course import EXERCISES, problem_sets
from autograde.judge import agree_on, answer
from tests.autograde.catalogue import BOTH, CATALOGUE

SEEDS = (0, 2026)

NAMES = specs.names()
WITH_PARAMETERS = [name for name in NAMES if specs.get(name).parameters]
MISCONCEPTIONS = [(name, m.name) for name in NAMES for m in specs.get(name).misconceptions]

PROMISED = {name: row for rows in CATALOGUE.values() for name, row in rows.items()}


def signature(name):
    """Return the signature that the catalogue promises; a prediction takes nothing."""
    return PROMISED[name][0] if name in PROMISED else "()"


def signature_of(thing):
    """Return what a learner calls: a function, a class, or the `apply` of a gradient's class."""
    if hasattr(thing, "apply") and hasattr(thing, "backward"):
        _, *others = inspect.signature(thing.forward).parameters.values()
        return str(inspect.Signature(others))
    return str(inspect.signature(thing))


def with_float_arrays(name):
    """Return whether a function takes arrays of real numbers, and as such."""
    spec = specs.get(name)
    values = (v for c in spec.all_cases(7) for v in (*c.args, *c.kwargs.values()))
    return spec.driver is None and any(
        isinstance(v, np.ndarray) and v.dtype.kind == "f" for v in values
    )


def attempt(spec, fn, case):
    """Return what `fn` answers to a case, None where it raises."""
    try:
        with quiet():
            return answer(spec, fn, case)
    except Exception:
        return None


def alike(spec, a, b):
    """Return whether two answers agree, or both raise."""
    return a is b is None or (a is not None and b is not None and agree_on(spec, a, b))


def total(spec, value):
    """Return how many numbers an answer has."""
    return sum(map(np.size, value)) if spec.parts is not None else np.size(value)


@pytest.fixture(params=NAMES)
def spec(request):
    return specs.get(request.param)


@cache
def misconception(name, slug):
    return next(m for m in specs.get(name).misconceptions if m.name == slug)


@cache
def verdict_on(name, slug, seed):
    return specs.get(name).judge(misconception(name, slug).fn, seed)


# -- the catalogue -------------------------------------------------------------------------


@pytest.mark.parametrize("problem_set", problem_sets())
def test_functions_are_the_catalogues_in_its_order(problem_set):
    names = specs.names(problem_set)
    promised = [n for n in CATALOGUE[problem_set] if n in names]
    predicted = [n for n in names if n.startswith("predict_")]
    assert [n for n in names if n in promised] == promised
    assert set(names) == {*promised, *predicted}
    assert predicted


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match=r"'conv9d'.*conv1d, same_padding"):
        specs.get("conv9d")


def test_signature_is_the_catalogues(spec):
    assert signature_of(spec.solution) == signature(spec.name)
    assert f"({spec.parameters})" == signature(spec.name)


def test_oracles_are_the_frameworks_that_have_the_operation(spec):
    assert set(spec.oracles) >= set(PROMISED[spec.name][1] if spec.name in PROMISED else BOTH[:1])
    assert set(spec.oracles) <= {*BOTH, "SciPy"}


def test_points_are_those_of_the_aspects(spec):
    names = [a.name for a in spec.aspects]
    assert len(set(names)) == len(names)
    assert all(a.points >= 1 for a in spec.aspects)
    assert spec.points == spec.max_score == sum(a.points for a in spec.aspects)


def test_chapter_and_sections_are_places_in_the_book(spec):
    for place in (spec.chapter, *(m.section for m in spec.misconceptions)):
        page, _, label = place.partition("#")
        assert page.startswith("book/"), place
        assert label, place


# -- cases ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_there_are_visible_and_many_hidden_cases(name):
    spec = specs.get(name)
    cases = spec.all_cases(7)
    hidden = [c for c in cases if not c.visible]
    assert len(hidden) >= 30
    assert {c.aspect for c in hidden} == {a.name for a in spec.aspects}
    assert any(c.visible for c in cases)
    assert [c.visible for c in cases] == sorted((c.visible for c in cases), reverse=True)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_hidden_cases_come_from_the_seed(name):
    def hidden(seed):
        return repr([(c.args, c.kwargs) for c in specs.get(name).all_cases(seed) if not c.visible])

    assert hidden(7) == hidden(7)
    assert hidden(7) != hidden(8)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_visible_cases_are_small_enough_for_paper(name):
    for case in specs.get(name).all_cases(7):
        if case.visible:
            assert all(np.size(a) <= 18 for a in case.args), case
            assert case.refused or total(specs.get(name), case.expected) <= 36, case


@pytest.mark.parametrize("name", [n for n in WITH_PARAMETERS if with_float_arrays(n)])
def test_dtype_cases_vary_type_layout_and_write_protection(name):
    arrays = [
        a
        for c in specs.get(name).all_cases(7)
        if c.exact_dtype
        for a in c.args
        if isinstance(a, np.ndarray)
    ]
    assert {a.dtype.name for a in arrays if a.dtype.kind == "f"} == {"float32", "float64"}
    assert {a.flags.writeable for a in arrays} == {True, False}
    assert {a.flags.c_contiguous for a in arrays} == {True, False}


@pytest.mark.parametrize(
    "name",
    [n for n in specs.names("ps03-transposed-conv-1d") if n.startswith("conv_transpose1d")],
)
def test_transposed_cases_stay_inside_what_the_exercise_promises(name):
    for seed in SEEDS:
        for case in specs.get(name).all_cases(seed):
            y, w, *settings = case.args
            how = dict(zip(("stride",), settings, strict=False)) | case.kwargs
            stride, p, op = (
                how.get(key, default)
                for key, default in (("stride", 1), ("padding", 0), ("output_padding", 0))
            )
            assert 0 <= op < max(stride, 1)
            assert (len(y) - 1) * stride - 2 * p + len(w) + op >= 1
            if name == "conv_transpose1d_zero_insert":
                assert p <= len(w) - 1


@pytest.mark.parametrize("name", ["conv1d", "conv1d_matrix"])
def test_convolution_cases_have_room_for_one_window(name):
    for seed in SEEDS:
        for case in specs.get(name).all_cases(seed):
            n, w = case.args
            n = n if name == "conv1d_matrix" else len(n)
            assert n + 2 * case.kwargs.get("padding", 0) >= len(w)


@pytest.mark.parametrize("name", ["conv1d", "conv1d_matrix"])
def test_edge_cases_are_there_whatever_the_seed(name):
    for seed in SEEDS:
        sizes = [
            (np.size(c.args[0]) if name == "conv1d" else c.args[0], len(c.args[1]))
            for c in specs.get(name).all_cases(seed)
        ]
        assert (1, 1) in sizes
        assert any(k > n for n, k in sizes)


def test_a_copied_case_keeps_values_and_flags_but_no_memory(spec):
    for case in spec.all_cases(7):
        copy = case.copy()
        assert list(copy.kwargs) == list(case.kwargs)
        pairs = zip(
            (*case.args, *case.kwargs.values()), (*copy.args, *copy.kwargs.values()), strict=True
        )
        for old, new in pairs:
            if isinstance(old, np.ndarray):
                np.testing.assert_array_equal(old, new)
                assert (old.dtype, old.flags.writeable) == (new.dtype, new.flags.writeable)
                assert not np.shares_memory(old, new)
            else:
                assert new == old
        assert (copy.aspect, copy.visible) == (case.aspect, case.visible)


# -- truth ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_solution_gets_full_marks_and_no_words(spec, seed):
    verdict = spec.judge(spec.solution, seed)
    assert verdict.passed
    assert verdict.score == verdict.max_score == spec.points
    assert verdict.message == ""
    assert verdict.misconception is None
    assert spec.judge(spec.solution, seed, visible_only=True).passed


@pytest.mark.parametrize("seed", SEEDS)
def test_oracles_agree_with_each_other_and_with_what_is_shown(spec, seed):
    for case in spec.all_cases(seed):
        if case.refused:
            continue
        answers = {name: f(*case.copy().args, **case.kwargs) for name, f in spec.oracles.items()}
        if case.visible:
            answers["the notebook"] = case.expected
        else:
            answers["truth"] = spec.truth(case)
        assert len(answers) >= 2
        for a, b in combinations(answers, 2):
            assert agree_on(spec, answers[a], answers[b]), (a, b, case)
        given = [a.dtype for a in case.args if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        if case.exact_dtype and given:
            several = spec.parts is not None
            results = [r for a in answers.values() for r in (a if several else [a])]
            floats = {np.asarray(r).dtype for r in results if np.asarray(r).dtype.kind == "f"}
            assert floats <= {given[0]}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_has_to_be_refused_is_refused_by_an_oracle_or_has_none(spec, seed):
    """Where frameworks answer differently from each other there is nothing to ask for."""
    for case in spec.all_cases(seed):
        if not case.refused:
            continue
        assert not case.refused.endswith("."), "it is the rest of a sentence"
        with pytest.raises(ValueError, match=r"\w"):
            answer(spec, spec.solution, case)
        refusals = []
        for oracle in spec.oracles.values():
            try:
                oracle(*case.copy().args, **case.kwargs)
                refusals.append(False)
            except Exception:
                refusals.append(True)
        assert any(refusals)


# -- misconceptions ------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_at_least_six_misconceptions(name):
    assert len(specs.get(name).misconceptions) >= 6


def test_misconceptions_have_names_of_their_own_and_words(spec):
    slugs = [m.name for m in spec.misconceptions]
    assert len(set(slugs)) == len(slugs)
    assert len({m.title for m in spec.misconceptions}) == len(slugs)
    for m in spec.misconceptions:
        assert m.name == m.name.lower().replace(" ", "-").replace("_", "-")
        assert 1 <= m.message.count(". ") + 1 <= 3, "one or two sentences, three at most"
        assert m.message.endswith(".")
        assert "return " not in m.message, "the message does not give the code"
        assert ": " not in m.title, "a colon ends the title in what the judge says"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "slug"), MISCONCEPTIONS)
def test_misconception_is_diagnosed_by_its_own_name_and_no_other(name, slug, seed):
    spec = specs.get(name)
    verdict = verdict_on(name, slug, seed)
    assert not verdict.passed
    assert verdict.score < verdict.max_score
    assert verdict.misconception == slug
    assert {a.misconception for a in verdict.aspects} <= {slug, None}
    wrong = misconception(name, slug)
    assert verdict.message.startswith(f"{wrong.title}: {wrong.message}\n")
    assert {a.section for a in verdict.aspects} <= {wrong.section, None}
    assert wrong.section.startswith("book/")
    assert spec.name in verdict.message.splitlines()[1], "a counter-example follows"


@pytest.mark.parametrize(("name", "slug"), MISCONCEPTIONS)
def test_misconception_is_diagnosed_from_the_visible_cases_if_it_shows_there(name, slug):
    spec, wrong = specs.get(name), misconception(name, slug)
    shows = any(
        not alike(spec, attempt(spec, wrong.fn, c), c.expected)
        for c in spec.all_cases(7)
        if c.visible
    )
    verdict = spec.judge(wrong.fn, visible_only=True)
    assert verdict.passed is not shows
    assert verdict.misconception == (slug if shows else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_misconceptions_answer_alike(spec, seed):
    cases = spec.all_cases(seed)

    answers = {m.name: [attempt(spec, m.fn, c) for c in cases] for m in spec.misconceptions}
    for a, b in combinations(answers, 2):
        pairs = zip(answers[a], answers[b], strict=True)
        assert not all(alike(spec, p, q) for p, q in pairs), (a, b)


# -- the starter code ----------------------------------------------------------------------


@cache
def starter(problem_set):
    """Run the released notebook's import and answer cells, as a learner's kernel would."""
    path = EXERCISES / problem_set / f"{problem_set}.ipynb"
    scope = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        answer = cell.metadata.get("nbgrader", {}).get("solution")
        if cell.cell_type == "code" and (answer or cell.source.startswith("import ")):
            exec(compile(cell.source, "<cell>", "exec"), scope)
    return scope


def test_starter_code_scores_nothing_and_is_called_not_started(spec):
    fn = starter(spec.problem_set)[spec.name]
    assert signature_of(fn) == signature(spec.name)
    for verdict in (spec.judge(fn), spec.judge(fn, visible_only=True)):
        assert not verdict.started
        assert not verdict.passed
        assert verdict.score == 0
        assert verdict.misconception is None
        assert "not started" in verdict.message.lower()
        assert str(verdict) == f"{spec.name}: not started yet."
