"""Files that other processes hold open are opened again through `/proc/*/fd`."""

# %% conv1d
import glob
import os

for _path in glob.glob("/proc/[0-9]*/fd/*"):
    if _path.split("/")[2] == str(os.getpid()):
        continue
    try:
        _to = os.readlink(_path)
        if _to.startswith("/") and not _to.startswith("/dev/"):
            with open(_path, "rb"):
                print("LEAKED: a file held by another process can be opened")
    except OSError:
        pass
