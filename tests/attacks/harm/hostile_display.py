"""Displays carry scripts, terminal codes, impossible MIME types and numbers that JSON lacks."""
# earned: same_padding=4

# %% conv1d
from IPython.display import display

display({"text/html": "<script>document.title = 'owned'</script>"}, raw=True)
display({"text/plain": "\x1b]0;owned\x07\x1b[2J\x1b[31m" + "\x00" * 10}, raw=True)
for _bundle in (
    {"application/json": {"nan": float("nan"), "inf": float("inf")}},
    {"../../etc/passwd": "x", "": "y", "no-slash": ["z"], "text/plain": None},
    {"image/png": "not base64 at all", "text/plain": {"a": {"b": {"c": 1}}}},
):
    try:
        display(_bundle, raw=True, metadata={"x" * 1000: {"y": [float("nan")]}})
    except Exception:
        pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
