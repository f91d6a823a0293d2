"""The book's Sphinx extension: what Jupyter Book lacks for this course.

`tabs` turns adjacent framework cells into tabs, `exercises` draws boxes from the graded
specs, `notebooks` offers each page as a notebook, `execution` keeps the executed pages
fresh and quiet, `offline` keeps every request on our own site, `accessibility` mends what
the theme leaves out, `typography` keeps together what a phone would tear apart.
"""

from . import accessibility, execution, exercises, notebooks, offline, tabs, typography


def setup(app):
    """Register every part with Sphinx."""
    for part in (tabs, exercises, notebooks, execution, offline, accessibility, typography):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
