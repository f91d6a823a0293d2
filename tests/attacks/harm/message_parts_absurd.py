"""Messages with the right signature have headers, parents and contents of the wrong types."""
# earned: same_padding=4

# %% conv1d
import json

_kernel = get_ipython().kernel
_session = _kernel.session
_parent = _kernel.get_parent("shell")["header"]


def _pack(value):
    return json.dumps(value).encode()  # a lone surrogate as an escape, which passes


def _send(kind, content, parent=_parent, header=None):
    header = {**_session.msg_header(kind), "date": "2026-01-01T00:00:00Z", **(header or {})}
    header["msg_type"] = kind
    parts = [_pack(header), _pack(parent), _pack({}), _pack(content)]
    _session.send_raw(_kernel.iopub_socket, parts)


_parent = {k: str(v) for k, v in _parent.items()}
for _kind in ("stream", "display_data", "execute_result", "error", "status", "update_display_data"):
    for _content in (
        [],
        None,
        "text",
        5,
        {},
        {"name": 5, "text": 5},
        {"name": "stdout", "text": "\ud800 half a character"},
        {"data": {"text/plain": "\udfff"}, "metadata": {}, "execution_count": "many"},
        {"data": [1], "metadata": "none", "execution_count": -1},
        {"ename": None, "evalue": ["x"], "traceback": "none"},
        {"execution_state": ["idle"]},
    ):
        for _as in (_parent, [], None, "x", {"msg_id": [_parent["msg_id"]]}):
            try:
                _send(_kind, _content, _as)
            except Exception:
                pass
for _kind in (["stream"], {"a": 1}, None, 7):
    try:
        _send(_kind, {"name": "stdout", "text": "x"}, _parent, {"msg_id": ["a"], "session": 3})
    except Exception:
        pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
