"""How a measurement's record is written."""

from __future__ import annotations

import json
from pathlib import Path


def write(path: Path, record: dict, rows: list[dict]) -> None:
    """Write the record with one row a line, which reads well beside an older one."""
    head = json.dumps(record, indent=1)[:-2]
    body = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head},\n "rows": [\n{body}\n ]\n}}\n', encoding="utf-8")
