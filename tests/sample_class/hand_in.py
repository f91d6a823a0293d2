"""Hand in the sample class: made-up answers, put into the released notebooks.

    python tests/sample_class/hand_in.py COURSE

Each file `PS/STUDENT.py` holds a student's answers. A line `# %% NAME` begins the answer to
NAME: code for an exercise, Markdown in comments for an open question. What a student has no
answer to stays as released. A submission that would not change is left alone.
"""

import re
import sys
from pathlib import Path

import nbformat

from autograde.course import EXERCISES

HERE = Path(__file__).parent


def answers(path: Path) -> dict[str, str]:
    """Return a student's answers by name."""
    parts = re.split(r"^# %% (\w+)\n", path.read_text(encoding="utf-8"), flags=re.M)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def submission(problem_set: str, given: dict[str, str]) -> nbformat.NotebookNode:
    """Return the released notebook with the answers filled in."""
    path = EXERCISES / problem_set / f"{problem_set}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    left = dict(given)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("-answer")
        if cell.metadata.get("nbgrader", {}).get("solution") and name in left:
            text = left.pop(name)
            prose = cell.cell_type == "markdown"
            cell.source = re.sub(r"^# ?", "", text, flags=re.M) if prose else text
    if left:
        raise KeyError(f"{problem_set} has no {', '.join(left)}")
    return notebook


def hand_in(course: Path, problem_set: str) -> list[str]:
    """Write every student's notebook into `course/submitted/` and return their names."""
    students = []
    for source in sorted((HERE / problem_set).glob("*.py")):
        text = nbformat.writes(submission(problem_set, answers(source))) + "\n"
        target = course / "submitted" / source.stem / problem_set / f"{problem_set}.ipynb"
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        students.append(source.stem)
    return students


if __name__ == "__main__":
    for folder in sorted(p for p in HERE.iterdir() if p.name.startswith("ps")):
        who = hand_in(Path(sys.argv[1]), folder.name)
        print(f"{folder.name}: {', '.join(who)}")
