"""The memory of the parent and of process 1 is opened, and attached to with `ptrace`."""

# %% conv1d
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
for _pid in {os.getppid(), 1} - {0, os.getpid()}:
    try:
        with open(f"/proc/{_pid}/maps") as _maps, open(f"/proc/{_pid}/mem", "rb") as _mem:
            for _line in _maps:
                if "[heap]" in _line:
                    _mem.seek(int(_line.split("-")[0], 16))
                    if _mem.read(4096):
                        print("LEAKED: memory of another process")
    except (OSError, ValueError):
        pass
    if _libc.ptrace(16, _pid, None, None) == 0:
        _libc.ptrace(17, _pid, None, None)
        print("LEAKED: another process can be traced")
