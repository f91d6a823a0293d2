"""Where things lie: the repository, its problem sets, and the directory of one class."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import io
import os
import secrets
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograde import specs
from autograde.quiet import silent_stderr

ROOT = Path(__file__).resolve().parents[1]
SOLUTIONS = ROOT / "solutions"
EXERCISES = ROOT / "exercises"
COURSE_ID = "upsampling-by-hand"
KERNEL_QUIET = "--IPKernelApp.log_level=ERROR"
ADDRESSES = (
    "An address is postgresql://USER:PASSWORD@HOST/DATABASE, with any :/?#[]@% in the password "
    "percent-encoded, or sqlite:////PATH/TO/FILE."
)


class UsageError(Exception):
    """Wrong usage or input: one line that says what, and what to do. Exit code 2."""


def problem_sets() -> list[str]:
    """Return the folder name of every problem set, in course order."""
    return list(specs.PROBLEM_SETS)


def find_problem_set(text: str) -> str:
    """Return the problem set that `text` names or is an unambiguous prefix of."""
    names = problem_sets()
    found = [n for n in names if n == text] or [n for n in names if n.startswith(text)]
    if len(found) == 1 and text:
        return found[0]
    what = "is ambiguous" if found else "names no problem set"
    raise UsageError(f"{text!r} {what}. There are: {', '.join(found or names)}.")


def source_of(problem_set: str) -> Path:
    """Return the authored source of a problem set, a text notebook."""
    return SOLUTIONS / problem_set / f"{problem_set}.py"


@cache
def load_solutions(problem_set: str) -> dict[str, Callable]:
    """Run a problem set's source as a module and return its global names."""
    path = source_of(problem_set)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: reference solutions are read from the repository, so "
            "install autograde from a clone of it (make env)"
        )
    module_name = f"solutions_{problem_set.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    # Its worked examples print, and TensorFlow announces itself.
    with contextlib.redirect_stdout(io.StringIO()), silent_stderr():
        spec.loader.exec_module(module)
    return vars(module)


@dataclass(frozen=True)
class Course:
    """The directory that holds one class: `submitted/`, `autograded/`, `feedback/` and the
    gradebook. `db_url` is an SQLAlchemy address, by default an SQLite file in the directory.
    """

    directory: Path = ROOT / "course"
    db_url: str = ""

    @classmethod
    def open(cls, directory: str | Path | None, db_url: str = "", *, create: bool = False):
        """Return the course in `directory`. Raises `UsageError` if it is not one.

        With `create`, a missing directory is made.
        """
        path = Path(directory).resolve() if directory else cls.directory
        course = cls(path, db_url)
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is not a directory.")
        known = [
            course.submitted,
            course.autograded,
            course.feedback,
            course.gradebook_file,
        ]
        foreign = path.exists() and any(path.iterdir()) and not any(k.exists() for k in known)
        if foreign or (not path.exists() and not create):
            raise UsageError(
                f"{path} is not a course directory: it has no submitted/ folder and no "
                "gradebook.db. Put the class's notebooks in "
                "DIR/submitted/STUDENT/PROBLEM-SET/ or name one with --course DIR."
            )
        if create:
            path.mkdir(parents=True, exist_ok=True)
        return course

    @property
    def submitted(self) -> Path:
        """`submitted/<student>/<problem set>/<notebook>.ipynb`, as learners handed it in."""
        return self.directory / "submitted"

    @property
    def autograded(self) -> Path:
        """The executed notebooks, laid out as `submitted`."""
        return self.directory / "autograded"

    @property
    def feedback(self) -> Path:
        """The feedback pages, laid out as `submitted`."""
        return self.directory / "feedback"

    @property
    def gradebook_file(self) -> Path:
        """The default gradebook."""
        return self.directory / "gradebook.db"

    @property
    def gradebook(self) -> str:
        """The gradebook's SQLAlchemy address."""
        return self.db_url or f"sqlite:///{self.gradebook_file}"

    def students(self, problem_set: str) -> list[str]:
        """Return who handed in something for a problem set, sorted."""
        return sorted(p.parent.name for p in self.submitted.glob(f"*/{problem_set}"))

    def secret(self) -> str:
        """Return what the hidden inputs of this class are drawn from; made on first use."""
        path = self.directory / ".secret"
        if not path.is_file():
            fresh = path.with_suffix(".new")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(16))
            fresh.replace(path)  # there is either all of it or nothing, whenever this is killed
        return path.read_text().strip()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[Path]:
        """Lend an empty folder to the one command that may grade this class at a time.

        The folder is removed in the end, and what a killed command has left at the beginning.
        Raises `UsageError` if another command is at work.
        """
        folder = self.directory / ".scratch"
        with (self.directory / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with this process
            except BlockingIOError:
                raise UsageError(
                    f"Another `autograde grade` is at work in {self.directory}. Wait for its end."
                ) from None
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def gradebook_shown(self) -> str:
        """The gradebook's address without its password, to be shown."""
        return self._gradebook_url().render_as_string(hide_password=True)

    def open_gradebook(self, *, create: bool = False):
        """Return nbgrader's `Gradebook` of this course, a context manager.

        With `create`, an SQLite file that is missing is made. Raises `UsageError` if the
        gradebook cannot be opened.
        """
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

        from autograde.database import Database

        _prepare_nbgrader()
        url = self._gradebook_url()
        file = url.database if url.get_backend_name() == "sqlite" else None
        if file and not create and not Path(file).is_file():
            raise UsageError(
                f"There is no gradebook {file} yet. Run: autograde grade PS "
                f"--course {self.directory}"
            )
        try:
            if create:
                with Database(self.gradebook) as database, database.transaction():
                    Gradebook(self.gradebook, COURSE_ID).close()
            return Gradebook(self.gradebook, COURSE_ID)
        except NoSuchModuleError:
            why = f"no kind of database is called {url.drivername}. {ADDRESSES}"
        except ImportError as error:
            why = f"its driver, the Python package {error.name}, is not installed."
        except SQLAlchemyError as error:
            lines = str(getattr(error, "orig", error)).strip().splitlines()
            why = lines[0].removeprefix("connection failed: ").rstrip(".") + "."
        raise UsageError(f"The gradebook {self.gradebook_shown} cannot be opened: {why}")

    def _gradebook_url(self):
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            return make_url(self.gradebook)
        except (ArgumentError, ValueError):  # not shown, for it may hold a password
            raise UsageError(f"The gradebook's address cannot be read. {ADDRESSES}") from None

    def nbgrader_config(self):
        """Return the nbgrader configuration of this course, as a traitlets `Config`.

        `nbgrader_config.py` in the repository root and every command of `autograde` use it,
        so that plain nbgrader and `autograde` do the same thing.
        """
        from nbgrader.coursedir import CourseDirectory
        from traitlets.config import Config

        from autograde.feedback import FeedbackExporter, Marks

        c = Config()
        c.CourseDirectory.course_id = COURSE_ID
        c.CourseDirectory.root = str(ROOT)
        c.CourseDirectory.source_directory = str(SOLUTIONS)
        c.CourseDirectory.release_directory = str(EXERCISES)
        c.CourseDirectory.submitted_directory = str(self.submitted)
        c.CourseDirectory.autograded_directory = str(self.autograded)
        c.CourseDirectory.feedback_directory = str(self.feedback)
        c.CourseDirectory.db_url = self.gradebook
        # The text sources hold the solutions; nbgrader would copy them into the release.
        c.CourseDirectory.ignore = [*CourseDirectory.ignore.default(), "ps*.py"]
        c.GenerateAssignment.pre_convert_hook = "autograde.release.before_generate"
        c.ClearSolutions.code_stub = {"python": "# Your code here.\nraise NotImplementedError"}
        c.ClearSolutions.text_stub = "*Your answer here.*"
        # A function that never ends is stopped by the judge; this is the second line.
        c.ExecutePreprocessor.timeout = 120
        c.ExecutePreprocessor.interrupt_on_timeout = True
        c.GenerateFeedback.exporter_class = FeedbackExporter
        c.GenerateFeedback.preprocessors = [Marks]
        # ipykernel warns of every connection over TCP; these stay on this machine.
        c.Execute.extra_arguments = [KERNEL_QUIET]
        return c

    def nbgrader(self, config=None, **coursedir):
        """Return nbgrader's Python API on this course.

        `config` is added to the course's own; keyword arguments override settings of
        nbgrader's `CourseDirectory`.
        """
        from nbgrader.apps import NbGraderAPI

        _prepare_nbgrader()
        self.directory.mkdir(parents=True, exist_ok=True)
        whole = self.nbgrader_config()
        whole.merge(config or {})
        whole.CourseDirectory.update(coursedir)
        return NbGraderAPI(config=whole)


def _prepare_nbgrader() -> None:
    """Let nbgrader find what it needs and say nothing that no user could act on."""
    import nbgrader.api
    from sqlalchemy.exc import SAWarning

    # Its own starts the program `alembic`, which takes seconds, and which an environment used by
    # its path lacks.
    nbgrader.api.get_alembic_version = _schema_version
    # Its own models warn under SQLAlchemy 2.1.
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


def _schema_version() -> str:
    """Return the version of nbgrader's tables, as its gradebooks note it."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()
