"""The Sphinx extension's own logic, on the smallest documents that show it."""

from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.errors import ExtensionError
from sphinx_design.shared import is_component
from upsampling import execution, exercises, notebooks, offline
from upsampling.tabs import FrameworkTabs
from upsampling.typography import KeepTogether


def cell(text, *tags):
    classes = ["cell", *(f"tag_{tag}" for tag in tags)]
    return nodes.container("", nodes.Text(text), nb_element="cell_code", classes=classes)


def outline(*children):
    """Transform a document and describe it: tab-sets as dicts, anything else as text."""
    document = new_document("test")
    document += list(children)
    FrameworkTabs(document).apply()
    return [
        {item[0].astext(): [c.astext() for c in item[1]] for item in child}
        if is_component(child, "tab-set")
        else child.astext()
        for child in document
    ]


def test_adjacent_framework_cells_become_tabs():
    a, b = cell("a", "torch"), cell("b", "tensorflow")
    text = nodes.paragraph("", "text")
    assert outline(cell("x"), a, b, text) == ["x", {"PyTorch": ["a"], "TensorFlow": ["b"]}, "text"]


def test_text_between_two_runs_keeps_them_apart():
    first = [cell("a", "torch"), cell("b", "tensorflow")]
    second = [cell("c", "torch"), cell("d", "tensorflow")]
    assert outline(*first, nodes.paragraph("", "text"), *second) == [
        {"PyTorch": ["a"], "TensorFlow": ["b"]},
        "text",
        {"PyTorch": ["c"], "TensorFlow": ["d"]},
    ]


def test_a_framework_that_comes_back_starts_new_tabs():
    cells = [cell(c, tag) for c, tag in zip("abcd", ["torch", "tensorflow"] * 2, strict=True)]
    assert outline(*cells) == [
        {"PyTorch": ["a"], "TensorFlow": ["b"]},
        {"PyTorch": ["c"], "TensorFlow": ["d"]},
    ]


def test_neighbours_of_one_framework_share_a_tab():
    assert outline(cell("a", "torch"), cell("b", "torch"), cell("c", "tensorflow")) == [
        {"PyTorch": ["a", "b"], "TensorFlow": ["c"]}
    ]


def test_a_lone_framework_cell_is_left_alone():
    assert outline(cell("a", "torch"), cell("x")) == ["a", "x"]


def test_the_notebook_carries_the_drawings_and_keeps_the_rest_of_the_cell():
    source = "from figures import (\n    draw,\n)\nimport math\nanswer = draw() + math.pi * 0"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("answer")]
    )
    first, second = notebooks.standalone(notebook, "def draw():\n    return 42").cells
    names = {}
    exec(first.source, names)
    assert names["answer"] == 42
    assert second.source == "answer"
    assert "jupyter" not in second.metadata


def test_the_notebook_writes_the_modules_it_imports_before_it_does():
    modules = {"net": "import parts\nx = parts.y", "parts": "y = 42", "other": ""}
    sources = ["import math", "from net import x", "import parts"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    cells = notebooks.standalone(notebook, "", modules).cells
    assert [cell.source for cell in cells] == [
        "import math",
        "%%writefile net.py\nimport parts\nx = parts.y",
        "%%writefile parts.py\ny = 42",
        "from net import x",
        "import parts",
    ]


def test_the_notebook_writes_the_record_that_it_reads_and_reads_it_there(tmp_path, monkeypatch):
    source = 'import json\nx = json.load(open("../benchmarks/speed.json"))["x"]'
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    records = {"speed.json": '{"x": 42}', "memory.json": "{}"}
    file, reads = notebooks.standalone(notebook, "", records=records).cells
    magic, _, text = file.source.partition("\n")
    assert magic == "%%writefile speed.json"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speed.json").write_text(text)
    names = {}
    exec(reads.source, names)
    assert names["x"] == 42


def test_an_unknown_exercise_is_named():
    with pytest.raises(ExtensionError, match="no_such_exercise"):
        exercises.load_spec("no_such_exercise")


def test_each_section_is_linked_once_above_its_mistakes():
    bank = [
        SimpleNamespace(title="A", message="a.", section="book/page#one"),
        SimpleNamespace(title="B", message="b.", section="book/page#two"),
        SimpleNamespace(title="C.", message="c.", section="book/page#one"),
    ]
    assert exercises.mistakes_text(bank).split("\n\n") == [
        "{ref}`one`",
        "- **A.** a.\n- **C.** c.",
        "{ref}`two`",
        "- **B.** b.",
    ]


def kept(*children):
    """Transform a paragraph and list what may not be wrapped, and its text."""
    document = new_document("test")
    document += nodes.paragraph("", "", *children)
    KeepTogether(document).apply()
    together = [n for n in document.findall(nodes.Element) if "ubh-together" in n["classes"]]
    return [node.astext() for node in together], document.astext()


def test_a_formula_keeps_the_full_stop_behind_it():
    # Two equal texts: the right one has to give its full stop away.
    pieces = [nodes.Text(". "), nodes.math("", "a"), nodes.Text(". "), nodes.math("", "b")]
    assert kept(*pieces, nodes.Text("), c")) == (["a.", "b),"], ". a. b), c")
    assert kept(nodes.math("", "a"), nodes.Text(" and")) == ([], "a and")


def test_short_code_and_rows_of_numbers_stay_on_a_line():
    code = [nodes.literal("", "C @ x"), nodes.literal("", "a line that has to wrap on a phone")]
    assert kept(*code)[0] == ["C @ x"]
    _, text = kept(nodes.Text("taps 1 2 3, [3, 1], 4 of 5"), nodes.literal("", "1 2"))
    assert text == "taps 1\xa02\xa03, [3,\xa01], 4 of 51 2"


def test_widgets_are_found_by_their_element():
    body = '<p>ubh-figure</p><ubh-transposed-conv-1d y="1"></ubh-transposed-conv-1d>'
    assert offline.WIDGET.findall(body) == ["transposed-conv-1d"]


def test_pages_are_run_again_when_a_record_or_the_graders_code_has_changed(tmp_path):
    def write(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return execution.digest(tmp_path)

    digests = [
        write("benchmarks/grading.json", "1"),
        write("benchmarks/grading.json", "2"),
        write("autograde/engine/kernels.py", "x = 1"),
        write("tests/attacks/ours.json", "{}"),
        write("tests/attacks/forge/new.py", '"""Try."""'),
    ]
    assert len(set(digests)) == len(digests)
    assert write("tests/engine/test_kernels.py", "") == digests[-1]


def test_a_page_is_read_again_when_what_it_reads_has_changed(tmp_path):
    for name in ("book/figures.py", "benchmarks/grading.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    noted = []
    env = SimpleNamespace(
        note_dependency=lambda path: noted.append(path.removeprefix(f"{tmp_path}/"))
    )
    app = SimpleNamespace(srcdir=tmp_path, env=env)
    execution.note_files(app, "chapter", ["from figures import scatter"])
    assert noted == ["book/figures.py"]
    execution.note_files(app, "instructors", ["from autograde.course import ROOT"])
    assert noted == ["book/figures.py", "benchmarks/grading.json"]
