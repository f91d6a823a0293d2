"""What nbgrader and whoever marks get to see of a submission."""

import json

import nbformat
import pytest

from autograde.course import EXERCISES
from autograde.engine.harmless import CUT, MOST_CODE, MOST_WORDS, mended
from autograde.submission import grade_id, parse
from tests.attacks.bank import PROBLEM_SET, cell, dump, released_notebook

PATH = EXERCISES / PROBLEM_SET / f"{PROBLEM_SET}.ipynb"
RELEASED = parse(PATH.read_bytes())


def mend(notebook):
    return parse(mended(dump(notebook), RELEASED))


def essence(notebook):
    return [(c.cell_type, c.source, c.metadata.get("nbgrader")) for c in notebook.cells]


def test_the_release_itself_stays_as_it_is():
    assert essence(mend(released_notebook())) == essence(RELEASED)


@pytest.mark.parametrize(
    "mark",
    [
        None,
        [],
        "conv1d",
        {"grade_id": "conv1d", "points": "many", "task": True, "solution": True},
        {"grade_id": "conv1d", "grade": False, "locked": False, "schema_version": 99},
    ],
    ids=str,
)
def test_marks_are_those_of_the_release(mark):
    notebook = released_notebook()
    cell(notebook, "conv1d")["metadata"] = {"nbgrader": mark, "tags": ["x"], "deletable": False}
    found = [c.metadata for c in mend(notebook).cells if grade_id(c) == "conv1d"]
    wanted = [c.metadata for c in RELEASED.cells if grade_id(c) == "conv1d"]
    assert found == (wanted if isinstance(mark, dict) else [])


def test_of_several_cells_with_one_mark_the_last_keeps_it_and_unknown_marks_go():
    notebook = released_notebook()
    answer = cell(notebook, "conv1d-answer")
    for number, name in enumerate(("conv1d-answer", "bonus")):
        copied = json.loads(json.dumps(answer)) | {"id": f"copy-{number}"}
        copied["metadata"]["nbgrader"]["grade_id"] = name
        notebook["cells"].append(copied)
    cells = mend(notebook).cells
    assert [grade_id(c) for c in cells[-2:]] == ["conv1d-answer", None]
    assert [grade_id(c) for c in cells].count("conv1d-answer") == 1


def shown(source, **more):
    """Return the source of a text cell as it is recorded, and its attachments."""
    notebook = released_notebook()
    prose = {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": source}
    notebook["cells"].append(prose | more)
    last = mend(notebook).cells[-1]
    return last.source, last.get("attachments", {})


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("x < y and i<n", "x < y and i< n"),
        ("<script>a()</script>", "< script>a()< /script>"),
        ("[a](javascript:b)", "[a](#javascript:b)"),
        ("[a]( <java\tscript:b>)", "[a]( < #java\tscript:b>)"),
        ("[a]:\n data&colon;b", "[a]:\n #data&colon;b"),
        ("[a](https://example.com/?b=c:d) `e[f](g)`", None),
        ("[a](#b) ![c](d.png) $e<f$", "[a](#b) ![c](d.png) $e< f$"),
    ],
)
def test_texts_keep_their_words_and_lose_what_could_run(source, kept):
    assert shown(source)[0] == (source if kept is None else kept)


def test_attached_pictures_stay_and_nothing_else_that_is_attached():
    png = {"image/png": "iVBORw0KGgo="}
    given = {"a.png": png, "b": {"text/html": "x"}, "c": {"image/png": '" onerror="x'}}
    source = " ".join(f"![p](attachment:{name})" for name in (*given, "absent"))
    assert shown(source, attachments=given) == (
        "![p](attachment:a.png) ![p](b) ![p](c) ![p](absent)",
        {"a.png": png},
    )


def test_texts_far_longer_than_an_answer_are_cut_and_those_of_the_release_never():
    notebook = released_notebook()
    prose = {"cell_type": "markdown", "metadata": {}, "source": "w" * MOST_WORDS}
    code = {"cell_type": "code", "metadata": {}, "source": "c" * MOST_CODE, "outputs": []}
    code["execution_count"] = None
    more = (prose, prose, code, code)
    notebook["cells"] = [*({**c, "id": f"n{n}"} for n, c in enumerate(more)), *notebook["cells"]]
    cells = mend(notebook).cells
    assert [c.source for c in cells[:4]] == [prose["source"], CUT, code["source"], CUT]
    assert [c.source for c in cells[4:]] == [c.source for c in RELEASED.cells]


def test_old_notebooks_are_brought_up_to_date():
    notebook = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="1")])]
    )
    recorded = parse(mended(json.dumps(notebook).encode(), RELEASED))
    assert [c.source for c in recorded.cells] == ["1"]
    assert recorded.metadata == RELEASED.metadata
