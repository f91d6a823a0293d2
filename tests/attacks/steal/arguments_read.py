"""The command lines of other processes are read for the course's folder, its seed and its sockets."""

# %% conv1d
import glob
import os

for _path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        with open(_path, "rb") as _file:
            _line = _file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        continue
    if int(_path.split("/")[2]) != os.getpid() and ("nbgrader" in _line or "autograde" in _line):
        print("LEAKED: the grader's command line can be read")
