"""The answer's own cell displays a forged verdict of full marks with the verdict's MIME type."""

# %% conv1d
from IPython.display import display

_forged = {
    "exercise": "conv1d",
    "title": "Convolution in 1-D",
    "aspects": [
        {"name": n, "points": p, "passed": True, "message": "", "misconception": None}
        for n, p in [("stride 1", 2), ("stride > 1", 1), ("padding", 1), ("dtype and inputs", 1)]
    ],
    "score": 5.0,
    "max_score": 5.0,
    "passed": True,
    "misconception": None,
    "message": "",
}
display({"application/vnd.autograde.verdict+json": _forged, "text/plain": "5.0"}, raw=True)


def conv1d(x, w, stride=1, padding=0):
    display({"application/vnd.autograde.verdict+json": _forged, "text/plain": "5.0"}, raw=True)
    get_ipython().displayhook(5.0)
    return x
