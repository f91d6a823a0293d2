"""Keep together what a narrow page would tear apart."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

TOGETHER = "ubh-together"  # the class that the stylesheet does not wrap
SHORT = 20  # characters of code that fit any line
CLOSING = re.compile(r"[.,;:!?)]+")
# The spaces in "1 2 3 4" and in "[3, 1]".
SPACES = re.compile(r"(?<=\d) (?=\d)|(?<=\[\d,) (?=\d\])")


class KeepTogether(SphinxTransform):
    """Keep short code, rows of numbers, and a formula and its full stop on one line.

    A browser may wrap between a formula and the punctuation after it, because to a browser
    a formula is a picture.
    """

    default_priority = 900

    def apply(self):
        """Change the document in place."""
        for code in self.document.findall(nodes.literal):
            if len(code.astext()) <= SHORT:
                code["classes"].append(TOGETHER)
        for text in list(self.document.findall(nodes.Text)):
            if isinstance(text.parent, (nodes.FixedTextElement, nodes.literal, nodes.math)):
                continue
            joined = SPACES.sub("\N{NO-BREAK SPACE}", text)
            if joined != text:
                text.parent.replace(text, nodes.Text(joined))
        for math in list(self.document.findall(nodes.math)):
            parent, at = math.parent, math.parent.index(math)
            after = parent[at + 1] if at + 1 < len(parent) else None
            mark = isinstance(after, nodes.Text) and CLOSING.match(after)
            if mark:
                together = nodes.inline(classes=[TOGETHER])
                together += [math, nodes.Text(mark[0])]
                parent[at : at + 2] = [together, nodes.Text(after[mark.end() :])]


def setup(app):
    """Register the transform."""
    app.add_transform(KeepTogether)
