"""The environment of every process is read for what its name calls secret, token, seed or password."""

# %% conv1d
import glob
import re

for _path in glob.glob("/proc/[0-9]*/environ"):
    try:
        with open(_path, "rb") as _file:
            for _entry in _file.read().split(b"\0"):
                if re.match(rb"\w*(SECRET|TOKEN|SEED|PASSWORD|API_KEY)\w*=.", _entry):
                    print("LEAKED:", _path, "holds", _entry.split(b"=")[0].decode())
    except OSError:
        pass
