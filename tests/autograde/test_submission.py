"""What is handed in is read without being followed, waited for, or trusted."""

import os
import socket

import nbformat
import pytest

from autograde.submission import (
    LARGEST_NOTEBOOK,
    MOST_VALUES,
    NAME,
    Unreadable,
    beside,
    handed_in,
    parse,
    read_bytes,
)


def why(path):
    with pytest.raises(Unreadable) as refused:
        read_bytes(path)
    return str(refused.value)


def test_only_a_regular_file_is_read(tmp_path):
    real = tmp_path / "real.ipynb"
    real.write_bytes(b"content")
    assert read_bytes(real) == b"content"
    path = tmp_path / "ps.ipynb"
    path.symlink_to(real)
    assert "it is a link" in why(path)
    path.unlink()
    path.mkdir()
    assert "it is a folder" in why(path)
    path.rmdir()
    os.mkfifo(path)  # reading it would wait for ever
    assert "it is no file" in why(path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        assert "not a readable notebook" in why(path)


def test_a_missing_notebook_is_named_with_what_is_there_instead(tmp_path):
    (tmp_path / "homework.ipynb").touch()
    said = why(tmp_path / "ps.ipynb")
    assert "no notebook ps.ipynb" in said
    assert "It has homework.ipynb." in said


def test_what_is_said_of_a_file_can_be_printed_whatever_it_is_called(tmp_path):
    """Terminals obey what is between control characters, and no half character can be written."""
    for name in (b"\x1b]0;owned\x07.ipynb", b"\xff.ipynb", b"a.ipynb", b"b.ipynb", b"c.ipynb"):
        (tmp_path / os.fsdecode(name)).touch()
    said = why(tmp_path / "ps.ipynb")
    assert said.isprintable()
    assert said.encode()
    assert "�]0;owned�.ipynb, a.ipynb, b.ipynb and more" in said


def test_a_folder_that_is_a_link_to_a_neighbours_is_not_read(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "ps.ipynb").write_bytes(b"content")
    assert handed_in(tmp_path / "theirs" / "ps.ipynb") == {"ps.ipynb": b"content"}
    (tmp_path / "mine").symlink_to("theirs")
    with pytest.raises(Unreadable, match="its folder is a link"):
        handed_in(tmp_path / "mine" / "ps.ipynb")


def test_a_file_beyond_all_bounds_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "ps.ipynb"
    with path.open("wb") as file:
        file.truncate(LARGEST_NOTEBOOK + 1)
    assert "20 MiB" in why(path)
    with path.open("wb") as file:
        file.truncate(LARGEST_NOTEBOOK)
    assert len(read_bytes(path)) == LARGEST_NOTEBOOK


def test_pictures_and_the_time_stamp_belong_to_a_submission_and_nothing_else_does(tmp_path):
    notebook = tmp_path / "ps.ipynb"
    for name in ("ps.ipynb", "plot.png", "PHOTO.JPG", "numpy.py", "page.html"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "timestamp.txt").write_bytes(b"2026-03-01")
    (tmp_path / "link.png").symlink_to(notebook)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / os.fsdecode(b"\xff.png")).touch()
    assert beside(notebook) == {
        "plot.png": b"plot.png",
        "PHOTO.JPG": b"PHOTO.JPG",
        "timestamp.txt": b"2026-03-01",
    }


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"[" * 10**5, b"null", b'{"nbformat": 4}'])
def test_what_is_no_notebook_is_refused(data):
    with pytest.raises(Unreadable, match="not a readable notebook"):
        parse(data)


def test_a_notebook_with_half_a_character_is_refused_before_it_fails_to_be_written():
    cells = [nbformat.v4.new_code_cell("x = 1")]
    text = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    assert parse(text.encode()).cells[0].source == "x = 1"
    with pytest.raises(Unreadable):
        parse(text.replace("x = 1", "\\ud800").encode())


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ada", True),
        ("o'neill, mary-jane (2)", True),
        ("王小明", True),
        ("a.b@example.org", True),
        ("*", False),
        ("[a]", False),
        ("..", False),
        ("-rf", False),
        ("a\nb", False),
        ("{student_id}", False),
        ("", False),
    ],
)
def test_a_students_folder_is_no_pattern(name, good):
    assert bool(NAME.fullmatch(name)) == good


def outputs(count):
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [nbformat.v4.new_output("stream", text="a\n")] * count
    return nbformat.v4.new_notebook(cells=[cell])


def test_outputs_are_not_read_however_many_there_are():
    assert parse(nbformat.writes(outputs(MOST_VALUES)).encode()).cells[0].outputs == []


@pytest.mark.parametrize(
    "cell",
    [
        nbformat.v4.new_code_cell("\n" * MOST_VALUES),
        nbformat.v4.new_code_cell("1", metadata={str(n): n for n in range(MOST_VALUES)}),
        nbformat.v4.new_code_cell("1", metadata={"a": [[[]] * (MOST_VALUES // 2)] * 2}),
    ],
    ids=["lines", "keys", "lists"],
)
def test_what_would_take_ages_to_check_is_not_checked(cell):
    data = nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()
    with pytest.raises(Unreadable, match=f"over {MOST_VALUES}"):
        parse(data)


def test_a_byte_order_mark_does_no_harm():
    assert parse(b"\xef\xbb\xbf" + nbformat.writes(outputs(0)).encode()).cells[0].source == "1"


@pytest.mark.parametrize(
    ("stamp", "good"),
    [
        (b"2026-03-01 23:59:00 UTC", True),
        (b"2026-03-01 23:59:00.123456 America/New_York\n", True),
        (b"2026-03-01T23:59:00+01:00", True),
        (b"", True),
        (b"   ", False),
        (b"yesterday", False),
        (b"\xff", False),
        (b"9999-12-31 23:59 UTC" + b" " * 100, False),
        (b"2026-03-01 23:59 /etc/localtime", False),
        (b"2026-03-01 23:59 99999999", False),
    ],
)
def test_a_time_stamp_is_a_date_or_the_submission_cannot_be_read(tmp_path, stamp, good):
    """It says what is late, so one that says nothing must not pass for being on time."""
    (tmp_path / "timestamp.txt").write_bytes(stamp)
    if good:
        assert beside(tmp_path / "ps.ipynb") == {"timestamp.txt": stamp}
    else:
        with pytest.raises(Unreadable, match="its time stamp is no date"):
            beside(tmp_path / "ps.ipynb")


def test_a_time_stamp_that_is_a_link_is_none(tmp_path):
    (tmp_path / "timestamp.txt").symlink_to("/etc/hostname")
    with pytest.raises(Unreadable, match="its time stamp"):
        beside(tmp_path / "ps.ipynb")
