"""The chapter's versions of the transposed convolution all agree with PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograde import steps

VERSIONS = [getattr(steps, name) for name in steps.__all__]

# Images, channels in and out, height, width, kernel, stride, padding.
SETTINGS = [
    (2, 3, 2, 4, 5, 4, 2, 1),
    (1, 1, 1, 1, 1, 1, 1, 0),
    (1, 2, 3, 3, 4, 2, 3, 0),  # gaps that no copy reaches
    (2, 2, 2, 5, 3, 3, 2, 1),  # phases of different length
    (1, 2, 1, 3, 3, 5, 3, 2),
    (1, 1, 2, 4, 3, 3, 1, 1),
]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_version_is_the_transposed_convolution(version, setting, dtype):
    n, c, m, height, width, k, stride, padding = setting
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c, height, width)).astype(dtype)
    w = rng.standard_normal((c, m, k, k)).astype(dtype)
    for array in (x, w):
        array.flags.writeable = False
    expected = F.conv_transpose2d(
        *(torch.tensor(a) for a in (x, w)), stride=stride, padding=padding
    )
    z = version(x, w, stride, padding)
    assert z.dtype == dtype
    np.testing.assert_allclose(z, expected.numpy(), atol=1e-5)
