"""Each executable page as a notebook that runs on its own, offered for download."""

import ast
from pathlib import Path

import jupytext
import nbformat

RECORDS = "../benchmarks/"
"""Where the pages find what benchmarks have recorded."""


def standalone(notebook, drawings, modules=None, records=None):
    """Return `notebook` with the source of `drawings` in place of its import.

    A learner downloads one file. The cell that says `from figures import …` is replaced by
    the drawing module itself, folded away, so that nothing else has to lie beside it. Of
    `modules`, name -> source, those that a cell imports are written to files in front of it, and
    so are those of `records`, name -> text, that a cell reads from `RECORDS`.
    """
    _write_modules(notebook, modules or {})
    _write_records(notebook, records or {})
    for cell in notebook.cells:
        if cell.cell_type != "code" or "from figures import" not in cell.source:
            continue
        tree = ast.parse(cell.source)
        lines = cell.source.splitlines()
        for node in reversed(tree.body):
            if isinstance(node, ast.ImportFrom) and node.module == "figures":
                lines[node.lineno - 1 : node.end_lineno] = []
        rest = "\n".join(lines).strip()
        note = "# Draws the figures of this chapter. Run it and read on: no need to open it."
        cell.source = "\n".join(part for part in (note, drawings, rest) if part)
        cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook


def _write_modules(notebook, modules):
    """Put cells that write `modules` in front of the first cell that imports each of them."""
    cells, written = [], set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for name in sorted(_imported(cell.source, modules) - written):
                cells.append(_file(f"{name}.py", modules[name]))
                written.add(name)
        cells.append(cell)
    notebook.cells = cells


def _write_records(notebook, records):
    """Put a cell that writes a record in front of each cell that reads it, and read it there."""
    cells = []
    for cell in notebook.cells:
        for name, text in records.items():
            if cell.cell_type == "code" and RECORDS + name in cell.source:
                cells.append(_file(name, text))
                cell.source = cell.source.replace(RECORDS + name, name)
        cells.append(cell)
    notebook.cells = cells


def _file(name, text):
    """Return a cell, folded away, that writes a file beside the notebook."""
    cell = nbformat.v4.new_code_cell(f"%%writefile {name}\n{text}")
    cell.metadata["jupyter"] = {"source_hidden": True}
    return cell


def _imported(code, modules):
    """Return the names of the `modules` that `code` imports, and of those that these import."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    names &= set(modules)
    return names.union(*(_imported(modules[name], modules) for name in names))


def is_notebook(app, docname):
    """Say whether a page has code cells to run (`kernelspec` in its front matter)."""
    return "kernelspec" in app.env.metadata.get(docname, {})


def offer(app, pagename, templatename, context, doctree):
    """Let the theme's download menu offer the notebook."""
    if is_notebook(app, pagename):
        context["ipynb_source"] = f"{pagename}.ipynb"


def write(app, exception):
    """Write the notebooks beside the sources, where the download menu points."""
    if exception or app.builder.format != "html":
        return
    beside = Path(app.srcdir, "book").glob("*.py")
    modules = {path.stem: path.read_text(encoding="utf-8") for path in beside}
    drawings = modules.pop("figures")
    # What draws or needs the grader would have to bring half the course along.
    more = "from figures", "from autograde"
    modules = {k: v for k, v in modules.items() if not any(line in v for line in more)}
    recorded = Path(app.srcdir, "benchmarks").glob("*.json")
    records = {path.name: path.read_text(encoding="utf-8") for path in recorded}
    for docname in sorted(app.env.found_docs):
        if is_notebook(app, docname):
            source = jupytext.read(app.env.doc2path(docname))
            target = Path(app.outdir, "_sources", f"{docname}.ipynb")
            alone = standalone(source, drawings.strip(), modules, records)
            jupytext.write(alone, target, fmt="ipynb")


def setup(app):
    """Connect to Sphinx, before the theme builds its download menu."""
    app.connect("html-page-context", offer, priority=400)
    app.connect("build-finished", write)
