"""Accessibility that the theme and docutils leave out."""

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator


def visit_entry(translator, node):
    """Open a table cell. A header cell with nothing in it heads nothing: make it a `td`."""
    HTML5Translator.visit_entry(translator, node)
    if isinstance(node.parent.parent, nodes.thead) and not node.astext().strip():
        translator.body[-1] = translator.body[-1].replace("<th", "<td", 1)
        translator.context[-1] = translator.context[-1].replace("</th", "</td", 1)


def depart_entry(translator, node):
    """Close a table cell."""
    HTML5Translator.depart_entry(translator, node)


def visit_citation(translator, node):
    """Open an entry of the bibliography, as a list item: its own ARIA role is deprecated."""
    HTML5Translator.visit_citation(translator, node)
    translator.body[-1] = translator.body[-1].replace("doc-biblioentry", "listitem")


def depart_citation(translator, node):
    """Close an entry of the bibliography."""
    HTML5Translator.depart_citation(translator, node)


def setup(app):
    """Register the two kinds of node, and the script for what only a browser knows."""
    app.add_node(nodes.entry, override=True, html=(visit_entry, depart_entry))
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.add_js_file("upsampling.js", loading_method="defer")
    app.add_js_file("steps.js", loading_method="defer")
