"""Charts of what GPUs did, from the records that `python -m benchmarks.gpu` writes.

The pages on GPUs draw every chart through `show`. Where there is no record, it says so.
"""

import json
import statistics
from pathlib import Path

from figures import bars
from IPython.display import Markdown, display

FOLDER = Path(__file__).parents[1] / "benchmarks" / "gpu"


def records(folder=FOLDER):
    """Return every record, one for each device, by the file's name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]


def said(record):
    """Return on what, when and by which command a record was made."""
    machine = record["machine"]
    versions = machine["versions"]
    have = [f"{name} {versions[name]}" for name in ("torch", "triton", "tensorflow", "cudnn")]
    return f"`{record['command']}`, {record['date']}, {machine['device']}; {', '.join(have)}"


def select(record, **where):
    """Return the rows whose fields have these values, those that failed among them."""
    return [r for r in record["rows"] if all(r.get(key) == v for key, v in where.items())]


def label(row, by):
    """Return what tells a row from the others: its fields in `by`, as words."""
    words = [str(row[key]) for key in by if key in row]
    words += [word for key, word in (("search", "searched"), ("graph", "graph")) if row.get(key)]
    return ", ".join(words)


def show(what, *, by, against=None, folder=FOLDER, **where):
    """Draw the median times of the rows with these fields, for every record.

    `what` says what was measured, `by` names the fields that the labels of the bars say. With
    `against`, the caption holds the fastest row of that `op` against the fastest other one.
    Without a record, it says that there is none; the page names the command that makes one.
    """
    every = records(folder)
    if not every:
        display(Markdown(f"> **Not measured on a GPU yet:** {what}."))
    for record in every:
        rows = select(record, **where)
        times = [(r, statistics.median(r["samples"])) for r in rows if "samples" in r]
        failed = [f"{label(r, by)} ({r['failed']})" for r in rows if "failed" in r]
        device = record["machine"]["device"]
        if not times:
            missing = f"Failed: {'; '.join(failed)}." if failed else "This was not measured."
            display(Markdown(f"> {what}, on {device}: {missing}"))
            continue
        caption = f"{what}: microseconds on {device}, the median of the samples."
        caption += _compared(times, against) if against else ""
        caption += f" Failed: {'; '.join(failed)}." if failed else ""
        bar = [(label(row, by), time) for row, time in times]
        heard = ", ".join(f"{name} {time:.3g}" for name, time in bar)
        display(bars(bar, unit="µs", alt=f"{what}, microseconds: {heard}.", caption=caption))


def _compared(times, op):
    """Return how the fastest of `op` compares with the fastest of the others."""
    its = [time for row, time in times if row["op"].startswith(op)]
    others = [time for row, time in times if not row["op"].startswith(op)]
    if not its or not others:
        return ""
    ratio = min(its) / min(others)
    return f" The fastest of {op} takes {ratio:.2f} times as long as the fastest other one."
