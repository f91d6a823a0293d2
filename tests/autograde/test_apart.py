"""Triton lies apart: nothing finds it unasked, and it comes before TensorFlow or not at all."""

import subprocess
import sys

from autograde.course import ROOT


def run(code):
    """Run `code` in a fresh Python, from the repository; return the finished process."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_nothing_finds_it_unasked():
    """Only a CUDA build of PyTorch brings it along, among the other packages."""
    code = """
import importlib.util, torch
print(torch.version.cuda is None, importlib.util.find_spec("triton") is None)
"""
    assert run(code).stdout.split() in (["True", "True"], ["False", "False"])


def test_before_tensorflow_it_does_no_harm():
    code = """
from autograde.apart import import_triton
triton, tl = import_triton()
import tensorflow as tf, torch
torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1)
twice = tf.function(lambda x: x + x, jit_compile=True)
print(triton.cdiv(7, 2), int(twice(tf.constant(4))))
"""
    done = run(code)
    assert done.stdout.split() == ["4", "8"], done.stderr


def test_after_tensorflow_it_is_refused_and_does_not_crash():
    code = """
import tensorflow
from autograde.apart import import_triton
import_triton()
"""
    done = run(code)
    assert done.returncode == 1
    assert "ImportError: Triton has to be imported before TensorFlow" in done.stderr


def test_where_it_is_missing_the_error_says_how_to_get_it():
    code = """
import sys
sys.modules["triton"] = None  # as good as not installed
from autograde.apart import import_triton
import_triton()
"""
    assert "ImportError: Triton is not installed" in run(code).stderr
