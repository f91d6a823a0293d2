"""Programs that enter other namespaces or gain rights, such as `nsenter` and `sudo`, are tried."""

# %% conv1d
import os
import shutil
import subprocess

_root = str(os.stat("/").st_ino) + ":" + str(os.stat("/").st_dev)
for _command in (["sudo", "-n"], ["nsenter", "-t", "1", "-m"], ["nsenter", "-t", "1", "-p"]):
    if shutil.which(_command[0]):
        _look = [*_command, "stat", "-c", "%i:%d", "/"]
        _done = subprocess.run(_look, capture_output=True, text=True, timeout=10)
        if _done.returncode == 0 and (_command[0] == "sudo" or _done.stdout.strip() != _root):
            print("LEAKED:", _command[0], "gives more rights")
