"""The function takes torch from `sys.modules`, where an earlier judgement has put it."""

# %% conv1d_matrix
import sys


def conv1d_matrix(n, w, stride=1, padding=0):
    t = sys.modules["torch"]
    b = t.tensor(np.ascontiguousarray(w))[None, None]
    eye = t.eye(n, dtype=b.dtype)[:, None]
    return t.nn.functional.conv1d(eye, b, stride=stride, padding=padding)[:, 0].numpy().T
