"""What the judge says of one function, and how it is shown in a notebook and a terminal."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from autograde.reading import reading

MIME = "application/vnd.autograde.verdict+json"
"""The notebook output that carries a verdict as data, beside its text and HTML."""


@dataclass(frozen=True)
class AspectVerdict:
    """How one aspect fared. `message` is empty when it passed.

    With a `misconception`, the first line of `message` is its title, a colon and what is
    confused; the rest is the counter-example. `section` is where to read. `cause` is the part
    of a counter-example that does not depend on its inputs, an exception say.
    """

    name: str
    points: float
    passed: bool
    message: str = ""
    misconception: str | None = None
    section: str | None = None
    cause: str = ""

    @property
    def score(self) -> float:
        """All of the aspect's points or none."""
        return self.points if self.passed else 0.0

    @property
    def says(self) -> str:
        """What one explanation covers: aspects that say the same are explained together.

        Numbers aside, because the same line often fails with other numbers.
        """
        return self.misconception or re.sub(r"\d+", "#", self.cause) or self.message

    @property
    def layers(self) -> tuple[str, str, str]:
        """The message as (title, what is confused, counter-example); the first two may be ''."""
        if not self.misconception:
            return "", "", self.message
        first, _, example = self.message.partition("\n")
        title, _, confused = first.partition(": ")
        return title, confused, example


@dataclass(frozen=True)
class Verdict:
    """The judge's answer.

    `misconception` is the name of the misconception that the first failing aspect shows, if
    one does; `message` is the most specific true thing to say; `visible_only` marks the
    learner's own check, which gives no points.
    """

    exercise: str
    title: str
    aspects: tuple[AspectVerdict, ...]
    visible_only: bool = False
    started: bool = True
    noted: bool = False

    @property
    def passed(self) -> bool:
        """True if every aspect passed."""
        return all(a.passed for a in self.aspects)

    @property
    def score(self) -> float:
        """The points earned."""
        return float(sum(a.score for a in self.aspects))

    @property
    def max_score(self) -> float:
        """The points there were to earn."""
        return float(sum(a.points for a in self.aspects))

    @property
    def misconception(self) -> str | None:
        """The name of the first misconception found, or None."""
        return next((a.misconception for a in self.aspects if a.misconception), None)

    @property
    def message(self) -> str:
        """The diagnosis: a named misconception's before any other, empty when all passed."""
        failing = [a for a in self.aspects if not a.passed]
        named = [a for a in failing if a.misconception]
        return (named or failing)[0].message if failing else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready data."""
        return asdict(self) | {
            "score": self.score,
            "max_score": self.max_score,
            "passed": self.passed,
            "misconception": self.misconception,
            "message": self.message,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """Return the verdict that `to_dict` made `data` of."""
        own = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**own | {"aspects": tuple(AspectVerdict(**a) for a in data["aspects"])})

    @property
    def headline(self) -> str:
        """One line: the exercise and how it stands."""
        if not self.started:
            return f"{self.exercise}: not started yet."
        if self.noted:
            return f"{self.exercise}: your answer is noted."
        if not self.visible_only:
            points = "point" if self.max_score == 1 else "points"
            return f"{self.exercise}: {self.score:g} of {self.max_score:g} {points}."
        if self.passed:
            return f"{self.exercise}: every visible check passes. The hidden tests try more."
        return f"{self.exercise}: not right yet."

    @property
    def groups(self) -> list[list[AspectVerdict]]:
        """The aspects worth showing: those that passed, then those that one explanation covers."""
        if not self.started or (self.visible_only and self.passed):
            return []
        together: dict[str, list[AspectVerdict]] = {}
        for aspect in sorted(self.aspects, key=lambda a: not a.passed):
            together.setdefault("" if aspect.passed else aspect.says, []).append(aspect)
        return list(together.values())

    def __str__(self) -> str:
        """Return the verdict as plain text, as the terminal shows it."""
        lines = [self.headline]
        for group in self.groups:
            lines += [f"  {_mark(a)}{self._points(a)} {a.name}" for a in group]
            title, confused, example = group[0].layers
            if title:
                lines.append(f"      {title}: {confused}")
            lines += [f"      {line}" for line in example.splitlines()]
            if group[0].section:
                lines.append(f"      Read: {reading(group[0].section)}")
        return "\n".join(lines)

    def _points(self, aspect: AspectVerdict) -> str:
        return "" if self.visible_only else f" {aspect.score:g}/{aspect.points:g}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self.to_html(), MIME: self.to_dict()}

    def to_html(self) -> str:
        """Return the verdict as HTML that takes its colours from the page around it.

        It has to look right in a notebook, light or dark, where there is no style sheet of ours.
        """
        parts = []
        for group in self.groups:
            parts += [
                f'<div style="padding-left:1.4em;text-indent:-1.4em">'
                f'<span style="color:{_tone(a.passed)};font-weight:700">{_mark(a)}</span>'
                f"{self._points(a)} <strong>{escape(a.name)}</strong></div>"
                for a in group
            ]
            parts.append(_explained(group[0]))
        edge = _tone(self.passed) if self.started and not self.noted else "currentColor"
        return (
            f'<div class="autograde-verdict" style="border-left:.25em solid {edge};'
            'padding-left:.9em;line-height:1.5"><div style="margin-bottom:.3em">'
            f"<strong>{escape(self.headline)}</strong></div>{''.join(parts)}</div>"
        )


def _mark(aspect: AspectVerdict) -> str:
    return "✓" if aspect.passed else "✗"


def _tone(passed: bool) -> str:
    """Return green or vermillion, drawn towards the text around it: 4.5:1 on light and dark."""
    return f"color-mix(in srgb, currentColor 35%, {'#009e73' if passed else '#d55e00'})"


def _explained(aspect: AspectVerdict) -> str:
    """Return the three layers of a message, each a block of its own, or nothing."""
    title, confused, example = aspect.layers
    layers = []
    if title:
        layers.append(f"<div><strong>{escape(title)}:</strong> {escape(confused)}</div>")
    if example:
        layers.append(
            '<div style="margin:.4em 0;padding:.4em .7em;border-radius:.3em;white-space:pre-wrap;'
            "overflow-wrap:anywhere;font-family:ui-monospace,Menlo,Consolas,monospace;"
            'font-size:.9em;background:color-mix(in srgb, currentColor 7%, transparent)">'
            f"{escape(example)}</div>"
        )
    if aspect.section:
        place = reading(aspect.section)
        words = escape(str(place))
        if place.link:
            words = f'<a href="{escape(place.address)}">{escape(place.words)}</a>'
        layers.append(f"<div>Read: {words}</div>")
    if not layers:
        return ""
    return f'<div style="margin:.2em 0 .8em 1.4em">{"".join(layers)}</div>'
