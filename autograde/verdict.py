"""What the judge says of one function, and how it is shown in a notebook and a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

MIME = "application/vnd.autograde.verdict+json"
"""The notebook output that carries a verdict as data, beside its text and HTML."""


@dataclass(frozen=True)
class AspectVerdict:
    """How one aspect fared. `message` is empty when it passed."""

    name: str
    points: float
    passed: bool
    message: str = ""
    misconception: str | None = None
    section: str | None = None

    @property
    def score(self) -> float:
        """All of the aspect's points or none."""
        return self.points if self.passed else 0.0


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
            return f"{self.exercise}: {self.score:g} of {self.max_score:g} points."
        if self.passed:
            return f"{self.exercise}: every visible check passes. The hidden tests try more."
        return f"{self.exercise}: not right yet."

    def shown_aspects(self) -> list[tuple[AspectVerdict, bool]]:
        """Return the aspects worth a line, each with whether its message is news.

        One mistake often costs several aspects; its explanation is given once.
        """
        if not self.started or (self.visible_only and self.passed):
            return []
        seen: set[str] = set()
        shown = []
        for aspect in self.aspects:
            key = aspect.misconception or aspect.message
            shown.append((aspect, bool(key) and key not in seen))
            seen.add(key)
        return shown

    def __str__(self) -> str:
        """Return the verdict as plain text, as the terminal shows it."""
        lines = [self.headline]
        for aspect, news in self.shown_aspects():
            points = "" if self.visible_only else f" {aspect.score:g}/{aspect.points:g}"
            same = "" if aspect.passed or news else " (the same mistake)"
            lines.append(f"  {'✓' if aspect.passed else '✗'}{points} {aspect.name}{same}")
            if news:
                lines += [f"      {line}" for line in aspect.message.splitlines()]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self.to_html(), MIME: self.to_dict()}

    def to_html(self) -> str:
        """Return the verdict as HTML that takes its colours from the page around it."""
        rows = []
        for aspect, news in self.shown_aspects():
            points = "" if self.visible_only else f"{aspect.score:g}/{aspect.points:g}"
            same = "" if aspect.passed or news else " (the same mistake)"
            detail = ""
            if news:
                first, *rest = aspect.message.splitlines()
                detail = (
                    f'<div style="margin:.2em 0 .5em">{escape(first)}'
                    + "".join(f"<br><code>{escape(line)}</code>" for line in rest)
                    + "</div>"
                )
            rows.append(
                '<tr style="background:none">'
                '<td style="vertical-align:top;text-align:left;white-space:nowrap">'
                f"{'✓' if aspect.passed else '✗'} {points}</td>"
                '<td style="text-align:left;white-space:normal">'
                f"<strong>{escape(aspect.name)}</strong>{same}{detail}</td></tr>"
            )
        table = f'<table style="border:0">{"".join(rows)}</table>' if rows else ""
        return (
            '<div class="autograde-verdict" style="border-left:.25em solid currentColor;'
            f'padding-left:.8em"><strong>{escape(self.headline)}</strong>{table}</div>'
        )
