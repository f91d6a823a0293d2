"""The answer is a structured array with object fields, made to confuse whoever rebuilds it."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    size = (len(x) + 2 * padding - len(w)) // stride + 1
    return np.zeros(size, dtype=[("real", "f8"), ("other", "O"), ("name", "U9")])
