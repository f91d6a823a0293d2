"""Keep every request on our own site: MathJax, no Thebe, widgets inside their page."""

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes

MATHJAX = "mathjax/es5"
# The one bundle (TeX in, HTML out) and its fonts. Menus and lazily loaded extensions are
# switched off below, so nothing else is ever asked for.
MATHJAX_FILES = ("tex-chtml.js", "output/chtml/fonts/woff-v2")
MATHJAX_CONFIG = {
    "options": {"enableMenu": False},
    "tex": {"packages": {"[-]": ["require", "autoload"]}},
}
WIDGET = re.compile(r"<ubh-([a-z0-9-]+)")


def configure(app, config):
    """Point Sphinx at our copy of MathJax."""
    config.mathjax_path = f"{MATHJAX}/tex-chtml.js"
    config.mathjax3_config = {**(config.mathjax3_config or {}), **MATHJAX_CONFIG}
    config.nb_ipywidgets_js = {}


def copy_mathjax(app):
    """Copy what is needed of the installed MathJax into the site's static files."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", MATHJAX)
    with as_file(files("mathjax") / "static" / MATHJAX) as source:
        for name in MATHJAX_FILES:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (source / name).is_dir():
                shutil.copytree(source / name, target / name, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / name, target / name)


def drop_thebe_nodes(app, doctree, docname):
    """Leave out the settings that Thebe adds to each page."""
    for node in list(doctree.findall(nodes.raw)):
        if "x-thebe" in node.astext() or "thebe-kernel" in node.astext():
            node.parent.remove(node)


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out Thebe's scripts, which would load from another host."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in str(getattr(script, "filename", script)).lower()
        and "thebe" not in str(getattr(script, "attributes", {})).lower()
    ]


def inline_widgets(app, pagename, templatename, context, doctree):
    """Put the module of each interactive figure into the page that uses it.

    A browser refuses to load a module from a `file://` address; a module that stands in
    the page works there too. `<ubh-NAME>` is defined in `_static/NAME.mjs`.
    """
    for name in sorted(set(WIDGET.findall(context.get("body", "")))):
        source = Path(app.srcdir, "book", "_static", f"{name}.mjs")
        module = source.read_text(encoding="utf-8").replace("</script", "<\\/script")
        context["body"] += f'<script type="module">\n{module}</script>\n'


def setup(app):
    """Connect to Sphinx."""
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy_mathjax)
    app.connect("doctree-resolved", drop_thebe_nodes, priority=900)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", inline_widgets)
