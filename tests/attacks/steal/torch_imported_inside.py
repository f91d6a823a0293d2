"""The function imports torch inside itself, in plain sight, and calls its convolution."""

# %% conv1d
def conv1d(x, w, stride=1, padding=0):
    import torch

    a, b = (torch.tensor(np.ascontiguousarray(v))[None, None] for v in (x, w))
    return torch.nn.functional.conv1d(a, b, stride=stride, padding=padding)[0, 0].numpy()
