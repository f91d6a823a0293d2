"""The block devices are opened, or made with `mknod`, to read the disk past all permissions."""

# %% conv1d
import glob
import os
import tempfile

_folder = tempfile.mkdtemp()
_numbers = []
try:
    with open("/proc/partitions") as _file:
        _numbers = [tuple(map(int, line.split()[:2])) for line in _file.readlines()[2:6]]
except (OSError, ValueError):
    pass
_made = []
for _major, _minor in _numbers:
    try:
        os.mknod(f"{_folder}/{_major}-{_minor}", 0o600 | 0o060000, os.makedev(_major, _minor))
        _made.append(f"{_folder}/{_major}-{_minor}")
    except OSError:
        pass
for _path in [*_made, *glob.glob("/dev/[svn][dv]*[a-z0-9]"), "/dev/mem", "/dev/kmem", "/dev/kmsg"]:
    try:
        with open(_path, "rb", buffering=0) as _file:
            if _file.read(512):
                print("LEAKED: a raw device can be read")
    except OSError:
        pass
