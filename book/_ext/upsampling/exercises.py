"""The `exercise` and `mistakes` directives: boxes whose content comes from the specs."""

import importlib
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective


def load_spec(name):
    """Return the spec of the exercise `name`.

    Raises `ExtensionError` where there is no such exercise, or no package of specs.
    """
    try:
        specs = importlib.import_module("autograde.specs")
    except ImportError as error:
        raise ExtensionError(
            "exercise boxes need the package `autograde`: run `make env`", error
        ) from error
    if name not in specs.names():
        raise ExtensionError(f"no exercise is called {name!r}: {', '.join(specs.names())}")
    return specs.get(name)


class SpecDirective(SphinxDirective):
    """What both directives share: parse text made from the specs as the page's own."""

    def box(self, kind, title, text):
        """Return an admonition of class `kind` holding `text`, which is MyST Markdown."""
        specs = importlib.import_module("autograde.specs")
        for source in Path(specs.__file__).parent.rglob("*.py"):
            self.env.note_dependency(str(source))
        box = nodes.admonition(classes=["ubh-box", f"ubh-{kind}"])
        self.set_source_info(box)
        box += nodes.title(title, title)
        lines = StringList(text.splitlines(), source=self.get_source_info()[0])
        self.state.nested_parse(lines, self.content_offset, box)
        return box


class ExerciseDirective(SpecDirective):
    """A box that says what one graded function is to do, and where to do it."""

    required_arguments = 1
    has_content = True

    def run(self):
        """Return the box; the directive's content, if any, follows the summary."""
        spec = load_spec(self.arguments[0])
        signature = f"{spec.name}({spec.parameters.strip('()')})"
        points = f"{spec.points} point{'' if spec.points == 1 else 's'}"
        text = f"`{signature}`\n\n{spec.summary}\n\n" + "\n".join(self.content)
        text += f"\n\n{points} · about {spec.minutes} minutes · {spec.difficulty} · "
        text += f"in `exercises/{spec.problem_set}`"
        box = self.box("exercise", f"Exercise: {spec.title}", text)
        box.children[-1]["classes"].append("ubh-facts")
        name = f"exercise-{spec.name.replace('_', '-')}"
        box["names"].append(name)
        self.state.document.note_explicit_target(box)
        return [box]


class MistakesDirective(SpecDirective):
    """What learners write instead, under the sections that clear it up."""

    required_arguments = 1
    has_content = False

    def run(self):
        """Return one box with the misconceptions of the exercise named."""
        spec = load_spec(self.arguments[0])
        return [self.box("mistakes", spec.title, mistakes_text(spec.misconceptions))]


def mistakes_text(misconceptions):
    """Return a list for each section as MyST, so that each section is linked only once."""
    sections = {}
    for mistake in misconceptions:
        label = mistake.section.partition("#")[2]
        title = mistake.title.rstrip(".")
        sections.setdefault(label, []).append(f"- **{title}.** {mistake.message}")
    return "\n\n".join(
        f"{{ref}}`{label}`\n\n" + "\n".join(items) for label, items in sections.items()
    )


def setup(app):
    """Register the directives."""
    app.add_directive("exercise", ExerciseDirective)
    app.add_directive("mistakes", MistakesDirective)
