"""The function scatters behind its back and has `conv1d` hand the finished answer through."""
# earned: conv_transpose1d_zero_insert=6

# %% conv_transpose1d_zero_insert
def conv_transpose1d_zero_insert(y, w, stride=1, padding=0, output_padding=0):
    x = np.zeros((len(y) - 1) * stride + len(w) + output_padding, y.dtype)
    for i, value in enumerate(y):
        x[i * stride : i * stride + len(w)] += value * w
    return conv1d(x[padding : len(x) - padding], np.ones(1, y.dtype))
