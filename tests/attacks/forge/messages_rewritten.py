"""The kernel's session rewrites what it sends: every result becomes a point, errors vanish."""

# %% setup
_session = get_ipython().kernel.session
_send = _session.send


def _bent(stream, msg_or_type, content=None, *args, **kwargs):
    whole = None if isinstance(msg_or_type, str) else msg_or_type
    kind = whole["header"]["msg_type"] if whole else msg_or_type
    if kind == "execute_result":
        bent = {**(whole["content"] if whole else content), "data": {"text/plain": "1.0"}}
        if whole:
            msg_or_type = {**whole, "content": bent}
        else:
            content = bent
    if kind == "error" or (kind == "stream" and (content or {}).get("name") == "stderr"):
        return None
    if kind == "execute_reply" and content:
        content = {**content, "status": "ok", "payload": [], "user_expressions": {}}
    return _send(stream, msg_or_type, content, *args, **kwargs)


_session.send = _bent
