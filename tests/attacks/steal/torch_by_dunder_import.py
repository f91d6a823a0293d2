"""The function imports torch inside itself, by `__import__`, and calls its convolution."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    t = __import__("torch")
    a, b = (t.tensor(np.ascontiguousarray(v))[None, None] for v in (x, w))
    return t.nn.functional.conv1d(a, b, stride=stride, padding=padding)[0, 0].numpy()
