"""Where in the book to read on: a reference such as `book/page#label` in words a person uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from autograde.course import ROOT


@dataclass(frozen=True)
class Reading:
    """A place in the book. `link` says whether `address` leads there from anywhere."""

    words: str
    address: str
    link: bool

    def __str__(self) -> str:
        """Return the place as plain text."""
        return f"{self.words} ({self.address})" if self.address else self.words


@cache
def reading(reference: str) -> Reading:
    """Return the place that `book/page#label` names, by its chapter's and section's titles.

    They are read from the book's sources. Where those are not there, the words are the
    reference itself.
    """
    page, _, label = reference.partition("#")
    try:
        lines = _prose((ROOT / f"{page}.md").read_text(encoding="utf-8"))
    except OSError:
        return Reading(reference, "", False)
    chapter = next((_title(line) for line in lines if line.startswith("# ")), page)
    site = _site()
    address = f"{site}{page}.html" + (f"#{label}" if label else "")
    words = chapter
    if f"({label})=" in lines:
        after = lines[lines.index(f"({label})=") :]
        section = next((_title(line) for line in after if line.startswith("#")), chapter)
        words += f", section “{section}”" if section != chapter else ""
    return Reading(words, address, bool(site))


def _prose(text: str) -> list[str]:
    """Return the lines outside fenced blocks, whose `#` is a comment and no heading."""
    lines, fence = [], ""
    for line in text.splitlines():
        mark = re.match(r"`{3,}|~{3,}|:{3,}", line)
        if not fence and mark:
            fence = mark[0]
        elif fence and line.rstrip() == fence:
            fence = ""
        elif not fence:
            lines.append(line.rstrip())
    return lines


def _title(heading: str) -> str:
    return re.sub(r"[`*]", "", heading.lstrip("#")).strip()


def _site() -> str:
    """Return the published book's address with a slash at its end, or nothing."""
    try:
        config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(
        r"^html:\n(?:[ #].*\n|\n)*? +baseurl: *[\"']?(https?://[^\"'\s#]+)", config, re.M
    )
    return f"{found[1].rstrip('/')}/" if found else ""
