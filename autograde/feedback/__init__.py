"""The feedback page: what nbgrader's `generate_feedback` writes for each student.

`FeedbackExporter` makes the page from the template beside it, `Marks` works out the overview at
its top. The page is one file that asks nothing of any host and runs no script: formulas are
MathML, made when the page is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docutils.utils.math.latex2mathml import tex2mathml
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import is_grade, is_solution
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from autograde.verdict import MIME, Verdict

HEADING = re.compile(r"^(#{1,6}) +(.+?)[ #]*$", re.M)
UNANSWERED = "No response."  # nbgrader's own comment on a cell that nobody has touched


@dataclass(frozen=True)
class Part:
    """One graded cell as the overview shows it. `score` is None while it waits for a human."""

    grade_id: str
    title: str
    score: float | None
    max_score: float
    kind: str  # right, partly, wrong, none (nothing was done) or open (nobody has looked yet)
    state: str
    overruled: bool = False  # the points are not those of the verdict

    @property
    def points(self) -> str:
        """The points, or that there are none yet."""
        return "–" if self.score is None else f"{self.score:g}"


class Marks(GetGrades):
    """Puts the grades into the notebook, as nbgrader does, and an overview beside them.

    `resources["feedback"]` has the page's `title`, the student's `name`, one line of `summary`
    and the `parts`. The title is taken out of the first cell.
    """

    def preprocess(self, nb, resources):
        """Return the notebook and its resources with the grades and the overview."""
        nb, resources = super().preprocess(nb, resources)
        title, heading, parts = resources["nbgrader"]["notebook"], "", []
        for number, cell in enumerate(nb.cells):
            if is_grade(cell):
                parts.append(_part(cell, heading or cell.metadata.nbgrader.grade_id))
                cell.metadata["feedback"] = parts[-1]
            elif cell.cell_type == "markdown":
                found = HEADING.search(cell.source)
                if found and number == 0 and len(found[1]) == 1:
                    title = _plain(found[2])
                    cell.source = cell.source.replace(found[0], "", 1)
                elif found:
                    heading = _plain(found[2])
        name = self._name()
        resources["feedback"] = {
            "title": title,
            "name": name,
            "summary": _summary(name, parts, resources["nbgrader"]),
            "parts": parts,
        }
        return nb, resources

    def _get_score(self, cell, resources):
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        waits = grade.needs_manual_grade and grade.manual_score is None
        cell.metadata.nbgrader["waits"] = waits

    def _name(self) -> str:
        with self.gradebook:
            student = self.gradebook.find_student(self.student_id)
            own = " ".join(n for n in (student.first_name, student.last_name) if n)
        return f"{own} ({self.student_id})" if own else self.student_id


class FeedbackExporter(HTMLExporter):
    """Writes a notebook with its verdicts as one page of HTML without scripts."""

    @property
    def default_config(self):
        """Select our template, whatever is set for other pages made from notebooks."""
        own = Config()
        own.FeedbackExporter.template_name = "feedback"
        own.FeedbackExporter.extra_template_basedirs = [str(Path(__file__).parent / "templates")]
        own.FeedbackExporter.exclude_input_prompt = True
        own.FeedbackExporter.exclude_output_prompt = True
        own.FeedbackExporter.exclude_anchor_links = True
        config = super().default_config.copy()
        config.merge(own)
        return config

    @pass_context
    def markdown2html(self, context, source):
        """Return Markdown as HTML, its formulas as MathML."""
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=attachments)
        html = MarkdownWithMath(renderer=renderer).render(source)
        return html.replace("<th></th>", "<td></td>")  # the corner of a table heads nothing

    def default_filters(self):
        """Add what our template needs to nbconvert's own filters."""
        yield from super().default_filters()
        yield "pygments_css", lambda style: HtmlFormatter(style=style).get_style_defs(".highlight")


class _Renderer(IPythonRenderer):
    def inline_math(self, body):
        return mathml(body)

    def block_math(self, body):
        return mathml(body, block=True)

    def latex_environment(self, name, body):
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)


def mathml(tex: str, *, block: bool = False) -> str:
    """Return a formula as MathML. What docutils does not know is shown as it was written.

    A block is broken at a wide space where the page is narrow.
    """
    pieces = [tex] if r"\begin" in tex else tex.split(r"\qquad")
    try:
        pieces = [tex2mathml(re.sub(r"\\dots\b", r"\\ldots", p), as_block=block) for p in pieces]
    except Exception:  # it may be anything: a learner wrote it
        pieces = [f"<code>{escape(tex)}</code>"]
    formula = "".join(pieces)
    if not block:
        return formula
    return f'<span class="formula" role="group" aria-label="formula" tabindex="0">{formula}</span>'


def _part(cell, title: str) -> Part:
    """Return how a graded cell stands."""
    mark = cell.metadata.nbgrader
    score, most = None if mark["waits"] else mark["score"], mark["points"]
    verdict = None if is_solution(cell) else _verdict(cell)
    if score is None:
        kind, state = "open", "not marked yet"
    elif score >= most:
        kind, state = "right", "right"
    elif score:
        kind, state = "partly", "partly right"
    else:
        kind, state = "wrong", "not right yet"
    if not score and (mark.get("comment") == UNANSWERED or (verdict and not verdict.started)):
        kind, state = "none", "not answered" if is_solution(cell) else "not started"
    titles = {a.layers[0]: None for a in verdict.aspects if a.layers[0]} if verdict else {}
    if titles:
        state += f": {', '.join(titles)}"
    return Part(
        mark["grade_id"], title, score, most, kind, state, bool(verdict and score != verdict.score)
    )


def _verdict(cell) -> Verdict | None:
    """Return the verdict in a test cell's outputs, and leave out the bare score below it."""
    verdict = None
    cell.outputs = [o for o in cell.outputs if o.output_type != "execute_result"]
    for output in cell.outputs:
        if data := output.get("data", {}).get(MIME):
            try:
                verdict = Verdict.from_dict(data)
            except (KeyError, TypeError):  # not ours, whatever it says
                continue
            output.data["text/html"] = verdict.to_html()
    return verdict


def _summary(name: str, parts: list[Part], marks) -> str:
    """Return one line such as `ada: 28 of 31 points, 1 part still to be marked by hand`."""
    most, late = marks["max_score"], marks["late_penalty"]
    text = f"{name}: {marks['score']:g} of {most:g} point{'s' * (most != 1)}"
    if late:
        text += f", {late:g} taken off for being late"
    if waiting := sum(p.score is None for p in parts):
        text += f", {waiting} part{'s' * (waiting > 1)} still to be marked by hand"
    return text


def _plain(markdown: str) -> str:
    return re.sub(r"[`*]", "", markdown)
