"""What is handed in is read without being followed, waited for, or trusted."""

import os
import socket

import nbformat
import pytest

from autograde.submission import LARGEST_NOTEBOOK, NAME, Unreadable, beside, parse, read_bytes


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
    for name in ("ps.ipynb", "plot.png", "PHOTO.JPG", "timestamp.txt", "numpy.py", "page.html"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "link.png").symlink_to(notebook)
    (tmp_path / "folder.png").mkdir()
    assert beside(notebook) == {
        name: name.encode() for name in ("plot.png", "PHOTO.JPG", "timestamp.txt")
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
