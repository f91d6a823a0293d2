"""Shared memory left by other processes, named or System V, is looked for and read."""

# %% conv1d
import os

try:
    for _name in os.listdir("/dev/shm"):
        print("LEAKED: shared memory called", _name)
except OSError:
    pass
try:
    with open("/proc/sysvipc/shm") as _file:
        if len(_file.readlines()) > 1:
            print("LEAKED: System V shared memory")
except OSError:
    pass
