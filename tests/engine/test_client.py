"""What a kernel prints, as the engine keeps it: always something that a notebook can hold."""

import json

import nbformat
import pytest

from autograde.engine.client import Outputs


def taken(*messages, limit=10_000):
    """Return the outputs that are kept of the messages, and whether more would be taken."""
    outputs, more = Outputs(limit), True
    for kind, content in messages:
        more = outputs.take(kind, content)
    return outputs.outputs, more


def stream(text, name="stdout"):
    return "stream", {"name": name, "text": text}


def test_pieces_of_a_stream_are_put_together_and_streams_kept_apart():
    outputs, more = taken(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))
    assert [(o["name"], o["text"]) for o in outputs] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]
    assert more


@pytest.mark.parametrize(
    "message",
    [
        ("stream", {}),
        ("stream", {"name": "stdout"}),
        ("stream", {"name": "stdout", "text": 3}),
        ("stream", {"name": "elsewhere", "text": ["a"]}),
        ("display_data", {"data": [], "metadata": {}}),
        ("display_data", {"data": {"text/plain": {"a": object}}, "metadata": {}}),
        ("error", {"ename": "E", "evalue": "e", "traceback": "no list"}),
        ("execute_result", {"data": None}),
        ("unknown", {"text": "x"}),
        ("nonsense", {}),
    ],
    ids=str,
)
def test_nonsense_is_dropped_and_counted(message):
    outputs, more = taken(message)
    assert outputs == []
    assert more
    _, more = taken(*[message] * 60)
    assert not more


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\udfff\ud800"])
def test_what_a_file_or_a_database_cannot_hold_is_replaced(text):
    outputs, _ = taken(
        stream(text), ("display_data", {"data": {"text/plain": text, text: "x"}, "metadata": {}})
    )
    written = json.dumps(outputs, ensure_ascii=False).encode()
    assert b"\0" not in written
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(o) for o in outputs])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_only_text_and_pictures_are_kept_of_what_is_displayed():
    """The rest could run in the browser of whoever marks."""
    png = "iVBORw0KGgo=\n"
    data = {
        "text/plain": "<Figure>",
        "image/png": png,
        "image/jpeg": '" onerror="alert(1)',
        "image/svg+xml": "<svg/>",
        "text/html": "<script>alert(1)</script>",
        "application/json": {"a": float("nan")},
    }
    outputs, _ = taken(("display_data", {"data": data, "metadata": {"image/png": {"width": '"'}}}))
    assert outputs[0]["data"] == {"text/plain": "<Figure>", "image/png": png}
    assert outputs[0]["metadata"] == {}
    outputs, _ = taken(("display_data", {"data": {"text/html": "<b>"}, "metadata": {}}))
    assert outputs == []


def test_output_ends_at_its_limit():
    outputs, more = taken(stream("x" * 4000), stream("y" * 4000), stream("z" * 4000))
    assert not more
    assert len(outputs[0]["text"]) == 8000
