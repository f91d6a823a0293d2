"""Connection files of other kernels, which hold the keys to command them, are looked for."""

# %% conv1d
import glob
import os
import sys
import tempfile

_own = [os.path.basename(a) for a in sys.argv if a.endswith(".json")]
_own.append(os.path.basename(getattr(get_ipython().kernel, "config_file", "") or ""))
for _pattern in (
    os.path.expanduser("~/.local/share/jupyter/runtime/kernel-*.json"),
    os.path.join(tempfile.gettempdir(), "**", "*kernel*.json"),
    os.path.join(os.environ.get("JUPYTER_RUNTIME_DIR", "."), "*.json"),
):
    for _path in glob.glob(_pattern, recursive=True):
        _parent = get_ipython().kernel.parent
        if os.path.basename(_path) not in _own and _parent.connection_file not in _path:
            print("LEAKED: the connection file of another kernel")
