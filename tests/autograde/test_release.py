"""Learners' notebooks: what is committed is what the sources give, and no solution is in it."""

import ast
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.api import Gradebook

from autograde import course, release, specs
from autograde.course import EXERCISES, SOLUTIONS, Course, UsageError, problem_sets
from autograde.spec import Aspect
from autograde.verdict import MIME

PROBLEM_SETS = problem_sets()
PS = "ps03-transposed-conv-1d"
EXERCISE_OF = [(ps, name) for ps in PROBLEM_SETS for name in specs.names(ps)]
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


@contextmanager
def sources_in(directory: Path):
    """Let `autograde` read copies of the text sources in `directory`."""
    for ps in PROBLEM_SETS:
        (directory / ps).mkdir(parents=True)
        shutil.copy(SOLUTIONS / ps / f"{ps}.py", directory / ps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "SOLUTIONS", directory)
        yield directory


@pytest.fixture
def sources(tmp_path):
    with sources_in(tmp_path / "solutions") as directory:
        yield directory


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Release every problem set from scratch and return the release directory."""
    home = tmp_path_factory.mktemp("release")
    with sources_in(home / "solutions"):
        for ps in PROBLEM_SETS:
            release.release(ps, Course(home / "course"), into=home / "exercises")
    return home / "exercises"


@pytest.fixture(params=PROBLEM_SETS)
def problem_set(request):
    return request.param


def committed(problem_set):
    return EXERCISES / problem_set / f"{problem_set}.ipynb"


def marked(notebook):
    """Return the notebook's cells that nbgrader knows, by their identity."""
    cells = [c for c in notebook.cells if "nbgrader" in c.metadata]
    found = {c.metadata["nbgrader"]["grade_id"]: c for c in cells}
    assert len(found) == len(cells), "every identity is there once"
    return found


def execute(notebook, folder, *, allow_errors):
    """Run a copy of the notebook in a kernel and return it."""
    notebook = nbformat.from_dict(notebook)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        allow_errors=allow_errors,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def verdicts(notebook):
    """Return the verdicts that the executed notebook shows, as data, in order."""
    return [
        o["data"][MIME]
        for c in notebook.cells
        for o in c.get("outputs", [])
        if MIME in o.get("data", {})
    ]


# -- what is committed ---------------------------------------------------------------------


def test_exercises_are_what_a_fresh_release_gives(fresh, problem_set):
    new = (fresh / problem_set / f"{problem_set}.ipynb").read_bytes()
    assert new == committed(problem_set).read_bytes(), "run `autograde release`"
    assert release.is_fresh(problem_set, committed(problem_set))


@pytest.mark.parametrize("where", ["committed", "fresh"])
def test_nothing_but_the_notebooks_is_released(where, request):
    root = EXERCISES if where == "committed" else request.getfixturevalue("fresh")
    found = {
        p.relative_to(root).as_posix()
        for p in root.rglob("*")
        if p.is_file() and ".ipynb_checkpoints" not in p.parts
    }
    assert found == {f"{ps}/{ps}.ipynb" for ps in PROBLEM_SETS}


def test_no_solution_and_no_hidden_test_is_released(problem_set):
    source = jupytext.read(SOLUTIONS / problem_set / f"{problem_set}.py", fmt="py:percent")
    secret = [
        line.strip()
        for cell in source.cells
        for region in SOLUTION.findall(cell.source)
        for line in region.splitlines()
        if line.strip()
    ]
    assert len(secret) >= len(specs.names(problem_set)), "the sources hold solutions"
    notebook = nbformat.read(committed(problem_set), as_version=4)
    released = {line.strip() for c in notebook.cells for line in c.source.splitlines()}
    assert not released & set(secret)
    text = committed(problem_set).read_text()
    for word in ("HIDDEN", "SOLUTION", "grade(", "import grade", "oracle", "misconception"):
        assert word not in text


def test_released_cells_have_no_outputs_but_fresh_stubs(problem_set):
    notebook = nbformat.read(committed(problem_set), as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(c.outputs == [] and c.execution_count is None for c in code)
    stubs = [c for c in code if "raise NotImplementedError" in c.source]
    assert len(stubs) == len(specs.names(problem_set))
    assert all(c.source.rstrip().endswith("raise NotImplementedError") for c in stubs)


@pytest.mark.parametrize(("problem_set", "name"), EXERCISE_OF)
def test_exercise_has_its_answer_cell_and_its_test_cell(problem_set, name):
    notebook = nbformat.read(committed(problem_set), as_version=4)
    cells = marked(notebook)
    answer, test = cells[f"{name}-answer"], cells[name]
    assert notebook.cells.index(test) == notebook.cells.index(answer) + 1
    spec = specs.get(name)
    mark = answer.metadata["nbgrader"]
    assert (mark["solution"], mark["grade"], mark["locked"]) == (True, False, False)
    (written,) = ast.parse(answer.source).body
    assert written.name == name
    if isinstance(written, ast.FunctionDef):
        (asked,) = ast.parse(f"def {name}({spec.parameters}): ...").body
        assert ast.unparse(written.args) == ast.unparse(asked.args)
    assert f'    """{answer.source.split(chr(34) * 3)[1]}"""' in answer.source
    mark = test.metadata["nbgrader"]
    assert (mark["solution"], mark["grade"], mark["locked"]) == (False, True, True)
    assert mark["points"] == spec.points
    assert test.source == f'check("{name}")'
    assert (answer.id, test.id) == (f"{name}-answer", name)


def test_answers_in_words_are_marked_by_hand(problem_set):
    notebook = nbformat.read(committed(problem_set), as_version=4)
    functions = {n for name in specs.names(problem_set) for n in (name, f"{name}-answer")}
    for grade_id, cell in marked(notebook).items():
        if grade_id in functions:
            continue
        mark = cell.metadata["nbgrader"]
        assert cell.cell_type == "markdown"
        assert (mark["solution"], mark["grade"], mark["locked"]) == (True, True, False)
        assert mark["points"] >= 1
        assert cell.source == "*Your answer here.*"
        told = [c.source for c in notebook.cells if f"*{mark['points']} points, marked" in c.source]
        assert told, "the question says what it is worth"


def test_facts_are_filled_in(problem_set):
    text = "\n".join(c.source for c in nbformat.read(committed(problem_set), 4).cells)
    assert not re.search(r"\{(facts|points)", text)
    for name in specs.names(problem_set):
        spec = specs.get(name)
        line = release.facts(name)
        assert line in text.splitlines()
        worth = re.match(r"\*(\d+) points?(?:: (.*?))? · about (\d+) minutes · (\w+)\*", line)
        assert int(worth[1]) == spec.points
        parts = ", ".join(f"{a.name} ({a.points})" for a in spec.aspects)
        assert worth[2] == (parts if len(spec.aspects) > 1 else None)
        assert (int(worth[3]), worth[4]) == (spec.minutes, spec.difficulty)


# -- building ------------------------------------------------------------------------------


def test_building_twice_gives_the_same_bytes(sources, problem_set):
    first = release.write_source(problem_set).read_bytes()
    assert release.write_source(problem_set).read_bytes() == first
    assert nbformat.writes(release.build(problem_set)) == nbformat.writes(
        release.build(problem_set)
    )


def test_built_notebook_checks_and_grades_every_exercise(problem_set):
    notebook = release.build(problem_set)
    tests = [c for c in notebook.cells if "### BEGIN HIDDEN TESTS" in c.source]
    assert [c.id for c in tests] == specs.names(problem_set)
    for cell in tests:
        assert f'check("{cell.id}")\n### BEGIN HIDDEN TESTS' in cell.source
        assert f'grade("{cell.id}")\n### END HIDDEN TESTS' in cell.source


def edit(sources, problem_set, old, new):
    path = sources / problem_set / f"{problem_set}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_source_without_one_exercise_is_refused(sources, problem_set):
    missing = specs.names(problem_set)[0]
    edit(sources, problem_set, f'# %% exercise="{missing}"', "# %%")
    with pytest.raises(ValueError, match=f"{problem_set}.py has the exercises .* but the specs"):
        release.build(problem_set)


def test_a_source_with_exercises_in_another_order_is_refused(sources, problem_set):
    first, second, *_ = specs.names(problem_set)
    edit(sources, problem_set, f'exercise="{first}"', 'exercise="other"')
    edit(sources, problem_set, f'exercise="{second}"', f'exercise="{first}"')
    edit(sources, problem_set, 'exercise="other"', f'exercise="{second}"')
    with pytest.raises(ValueError, match="but the specs are"):
        release.build(problem_set)


def test_a_released_notebook_is_stale_once_its_source_changes(sources, problem_set):
    path = committed(problem_set)
    assert release.is_fresh(problem_set, path)
    edit(sources, problem_set, "### BEGIN SOLUTION", "### BEGIN SOLUTION\n    # new")
    assert not release.is_fresh(problem_set, path)


def test_a_released_notebook_is_stale_once_a_spec_changes(problem_set, monkeypatch):
    name = specs.names(problem_set)[0]
    spec = specs.get(name)
    dearer = replace(spec, aspects=(*spec.aspects, Aspect("style", 1)))
    monkeypatch.setitem(specs._BY_NAME, name, dearer)
    assert not release.is_fresh(problem_set, committed(problem_set))


@pytest.mark.parametrize("content", [None, "", "no notebook"])
def test_what_is_no_released_notebook_is_not_fresh(tmp_path, content):
    path = tmp_path / "some.ipynb"
    if content is not None:
        path.write_text(content)
    assert not release.is_fresh(PROBLEM_SETS[0], path)


def test_nbgraders_refusal_is_passed_on_in_its_words(sources, problem_set, tmp_path):
    edit(sources, problem_set, "    ### END SOLUTION", "    # no end")
    words = f"nbgrader refused to release {problem_set}:\n.*No end solution statement found"
    with pytest.raises(UsageError, match=words):
        release.release(problem_set, Course(tmp_path / "course"), into=tmp_path / "exercises")


def test_a_refused_release_leaves_the_earlier_one(sources, tmp_path):
    problem_set = "ps01-resampling"
    class_, into = Course(tmp_path / "course"), tmp_path / "exercises"
    released = release.release(problem_set, class_, into=into)
    before = released.read_bytes()
    with Gradebook(class_.gradebook, course.COURSE_ID) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(problem_set, "ada")
    edit(sources, problem_set, "which_grid", "another_question")
    with pytest.raises(UsageError, match="Cannot add or remove cells"):
        release.release(problem_set, class_, into=into)
    assert released.read_bytes() == before


# -- in a kernel ---------------------------------------------------------------------------


def test_released_notebook_runs_and_only_what_is_unsolved_raises(problem_set, tmp_path):
    notebook = nbformat.read(committed(problem_set), as_version=4)
    done = execute(notebook, tmp_path, allow_errors=True)
    raised = [
        (c.id, o["ename"])
        for c in done.cells
        for o in c.get("outputs", [])
        if o.output_type == "error"
    ]
    assert all(ename == "NotImplementedError" for _, ename in raised), raised
    ids = [cell_id for cell_id, _ in raised]
    ours = set(marked(notebook))
    assert not ours & set(ids), "checks report; they never raise"
    shown = verdicts(done)
    assert [v["exercise"] for v in shown] == specs.names(problem_set)
    assert all(not v["started"] and v["score"] == 0 for v in shown)
    streams = [o for c in done.cells for o in c.get("outputs", []) if o.get("name") == "stderr"]
    assert not streams


def test_reference_notebook_runs_without_error_and_earns_every_point(problem_set, tmp_path):
    done = execute(release.build(problem_set), tmp_path, allow_errors=False)
    shown = verdicts(done)
    by_name = {
        name: [v for v in shown if v["exercise"] == name] for name in specs.names(problem_set)
    }
    for name, (checked, graded) in by_name.items():
        assert checked["passed"], name
        assert checked["visible_only"]
        assert graded["passed"], name
        assert graded["score"] == graded["max_score"] == specs.get(name).points
    for cell in done.cells:
        streams = [o for o in cell.get("outputs", []) if o.get("name") == "stderr"]
        assert not streams, "nbgrader gives a cell with anything on stderr no points"
    for name in specs.names(problem_set):
        (last,) = [o for o in marked(done)[name].outputs if o.output_type == "execute_result"]
        assert float(last["data"]["text/plain"]) == specs.get(name).points


@pytest.mark.parametrize("how", ["answered", "run"])
def test_a_release_does_not_overwrite_somebodys_work(tmp_path, how):
    """Somebody solved exercises in the released notebook itself and made the course again."""
    klass = Course(tmp_path / "course")
    path = release.release(PS, klass, into=tmp_path)
    notebook = nbformat.read(path, as_version=4)
    cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution"))
    if how == "answered":
        cell.source = "def conv1d(x, w, stride=1, padding=0): ..."
    else:
        cell.outputs = [nbformat.v4.new_output("stream", text="mine")]
    nbformat.write(notebook, path)
    mine = path.read_bytes()
    with pytest.raises(UsageError, match="somebody's work"):
        release.release(PS, klass, into=tmp_path)
    assert path.read_bytes() == mine


def test_validation_reports_a_check_that_fails(tmp_path):
    """nbgrader's Validate said "Success!" of a notebook with nothing right in it."""
    path = shutil.copy(EXERCISES / PS / f"{PS}.ipynb", tmp_path)
    validate = Path(sys.executable).with_name("nbgrader")
    done = subprocess.run([validate, "validate", path], capture_output=True, text=True)
    assert "conv1d: not started yet" in done.stdout
    assert "Success" not in done.stdout
