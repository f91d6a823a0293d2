"""A class whose gradebook is a PostgreSQL database, on a real server that the tests start."""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from nbgrader.api import Gradebook

from autograde import cli
from autograde.course import ROOT
from tests.running import Run
from tests.sample_class.hand_in import hand_in

PS = "ps03-transposed-conv-1d"
STUDENTS = {"ada", "chen", "emil"}
PASSWORD = "se/cret@%"  # each of these has to be percent-encoded in an address
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))


class Server:
    """A PostgreSQL server in a folder of its own, reached by a Unix socket in it."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.identity = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            self.identity = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(folder, "nobody", "nogroup")
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        self.run(
            "initdb",
            "--username=grader",
            f"--pwfile={folder}/password",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )

    def run(self, program, *arguments):
        """Run one of PostgreSQL's programs on the server's data."""
        done = subprocess.run(
            [self.programs / program, "-D", self.folder / "data", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would be held open by the server
            stderr=subprocess.STDOUT,
            **self.identity,
        )
        assert done.returncode == 0, f"{program} failed; its log:\n{self.log()}"

    def start(self):
        options = f"-c listen_addresses='' -c fsync=off -k {self.folder}"
        self.run("pg_ctl", "start", "--wait", f"--log={self.folder}/log", f"--options={options}")

    def stop(self):
        self.run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else "none"

    def address(self, database):
        """Return a database's address, as one gives it to --gradebook."""
        return f"postgresql://grader:{quote(PASSWORD, safe='')}@/{database}?host={self.folder}"

    def new_database(self):
        """Make an empty database and return its address."""
        name = f"db{uuid.uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)

    def sql(self, text):
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(text)


@pytest.fixture(scope="module")
def server():
    """A running server. Without PostgreSQL the tests skip here, but fail where CI is set."""
    if not SERVERS:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("no PostgreSQL server on this machine (Debian's package: postgresql)")
    # Not pytest's folder: another user has to reach it, by a path short enough for a socket.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        running = Server(SERVERS[-1], folder)
        running.start()
        running.sql("CREATE DATABASE grades")
        running.sql(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder)


def autograde(*arguments):
    command = [sys.executable, "-m", "autograde.cli", *map(str, arguments)]
    environment = {**os.environ, "PATH": os.defpath, "COLUMNS": "120"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert PASSWORD not in done.stdout + done.stderr
    assert quote(PASSWORD, safe="") not in done.stdout + done.stderr
    return done


def a_class(course, students):
    hand_in(course, PS)
    for folder in course.glob("submitted/*"):
        if folder.name not in students:
            shutil.rmtree(folder)
    return course


def held(address):
    """Return what a gradebook holds of each student's parts."""
    with Gradebook(address, "upsampling-by-hand") as gradebook:
        return {
            s.student.id: {
                g.cell.name: (g.auto_score, g.manual_score, g.max_score, g.needs_manual_grade)
                for n in s.notebooks
                for g in n.grades
            }
            for s in gradebook.assignment_submissions(PS)
        }


@pytest.fixture(scope="module")
def graded(server, tmp_path_factory):
    """The same class twice: in an SQLite gradebook and in a PostgreSQL one."""
    lite = a_class(tmp_path_factory.mktemp("lite"), STUDENTS)
    post = a_class(tmp_path_factory.mktemp("post"), STUDENTS)
    address = server.new_database()
    for arguments in ((lite,), (post, "--gradebook", address)):
        done = autograde("grade", "ps03", "--course", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    return lite, post, address


def test_both_gradebooks_hold_the_same(graded):
    lite, post, address = graded
    there = held(address)
    assert set(there) == STUDENTS
    assert there == held(f"sqlite:///{lite}/gradebook.db")
    assert not (post / "gradebook.db").exists()


def test_the_second_run_keeps_everything(graded):
    _, post, address = graded
    before = held(address)
    done = autograde("grade", "ps03", "--course", post, "--gradebook", address)
    assert done.returncode == 0, done.stderr
    assert f"{len(STUDENTS)} unchanged" in done.stdout
    assert held(address) == before


def test_the_table_is_the_same_whatever_order_the_rows_come_in(graded):
    lite, post, address = graded
    with psycopg.connect(address) as connection:  # a changed row moves to the table's end
        connection.execute("UPDATE grade SET auto_score = auto_score WHERE auto_score > 5")
    tables = []
    for arguments in ((lite,), (post, "--gradebook", address)):
        done = autograde("grade", "ps03", "--course", *arguments)
        tables.append(re.findall(r"^(?:│|  \d) .*$", done.stdout, re.M))
    assert len(tables[0]) > len(STUDENTS)
    assert tables[0] == tables[1]


def test_feedback_is_the_same(graded):
    lite, post, address = graded
    pages = []
    for arguments in ((lite,), (post, "--gradebook", address)):
        done = autograde("feedback", "ps03", "--course", *arguments)
        assert done.returncode == 0, done.stderr
        pages.append({p.parts[-3]: p.read_text() for p in arguments[0].glob("feedback/*/*/*.html")})
    assert set(pages[0]) == STUDENTS
    assert pages[0] == pages[1]


@pytest.mark.parametrize("kind", ["nbgrader", "canvas", "moodle"])
def test_exports_are_the_same(graded, tmp_path, kind):
    lite, post, address = graded
    tables = []
    for arguments in ((lite,), (post, "--gradebook", address)):
        path = tmp_path / f"{len(tables)}.csv"
        done = autograde("export", "--format", kind, "--to", path, "--course", *arguments)
        assert done.returncode == 1, done.stderr  # some answers are still to be marked
        with path.open(newline="", encoding="utf-8") as file:
            tables.append(sorted(csv.reader(file)))
    assert len(tables[0]) > len(STUDENTS)
    assert tables[0] == tables[1]


def test_a_gradebook_gets_what_another_one_has_already(server, tmp_path):
    course, address = a_class(tmp_path, {"ada"}), server.new_database()
    for _ in range(2):
        for more in ([], ["--gradebook", address]):
            done = autograde("grade", "ps03", "--course", course, *more)
            assert done.returncode == 0, done.stderr
    assert held(address) == held(f"sqlite:///{course}/gradebook.db")
    assert set(held(address)) == {"ada"}


def test_a_server_that_stops_ends_the_run_and_it_goes_on_later(server, tmp_path):
    course, address = tmp_path / "course", server.new_database()
    students = set(hand_in(course, PS)) - {"hana"}  # whose functions never end
    a_class(course, students)
    first = Run(course, tmp_path, "--gradebook", address).until("1 of ")
    server.stop()
    code, printed = first.finish()
    server.start()
    assert code == 2, printed[-3500:]
    assert re.match("autograde: The gradebook .* cannot be opened: ", printed.splitlines()[-1])
    assert PASSWORD not in printed
    then = Run(course, tmp_path, "--gradebook", address)
    code, printed = then.finish()
    assert code == 0, printed
    assert sorted(first.finished + then.finished) == sorted(students)
    assert set(held(address)) == students


WRONG = {
    "no server": ("postgresql://grader:{secret}@127.0.0.1:1/grades", "refused"),
    "no such host": ("postgresql://grader:{secret}@nowhere.invalid/grades", "nowhere.invalid"),
    "no such database": ("postgresql://grader:{secret}@/nothing?host={folder}", '"nothing"'),
    "wrong password": ("postgresql://grader:wrong@/postgres?host={folder}", "password"),
    "no right to make tables": ("postgresql://guest:{secret}@/grades?host={folder}", "permission"),
    "an option that is none": ("postgresql://grader:{secret}@/grades?colour=red", "colour"),
    "password not encoded": ("postgresql://grader:{plain}:{plain}@127.0.0.1/grades", "encoded"),
    "port is no number": ("postgresql://grader:{secret}@127.0.0.1:port/grades", "postgresql://"),
    "no address": ("grades", "postgresql://"),
    "another name for it": ("postgres://grader:{secret}@127.0.0.1/grades", "postgresql://"),
    "no driver": ("mysql://grader:{secret}@127.0.0.1/grades", "MySQLdb"),
    "no folder": ("sqlite:////nowhere/grades.db", "nowhere"),
    "not a database": ("sqlite:///{file}", "not a database"),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_address_is_one_line_and_exit_code_2(server, tmp_path, capsys, how):
    course = a_class(tmp_path / "course", {"ada"})
    (tmp_path / "file").write_text("not a database")
    address, named = WRONG[how]
    fields = {"folder": server.folder, "plain": PASSWORD, "file": tmp_path / "file"}
    address = address.format(secret=quote(PASSWORD, safe=""), **fields)
    code = cli.main(["grade", "ps03", "--course", str(course), "--gradebook", address])
    printed = capsys.readouterr()
    assert code == 2, printed[-3500:]
    assert printed.err.startswith("autograde: ")
    assert printed.err.count("\n") == 1
    assert named in printed.err
    assert PASSWORD not in printed.err
    assert quote(PASSWORD, safe="") not in printed.err
    assert [p.name for p in course.glob("[!.]*")] == ["submitted"]


@pytest.mark.parametrize(
    "command",
    [["release"], ["feedback", "ps03"], ["export", "--format", "canvas", "--to", "grades.csv"]],
    ids=lambda command: command[0],
)
def test_every_command_says_so(graded, capsys, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    away = ["--course", str(graded[1]), "--gradebook", WRONG["no server"][0]]
    assert cli.main([*command, *away]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "refused" in printed.err
