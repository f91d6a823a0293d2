"""The grading engine: warm sandboxed kernels on one side, the judge on the other.

`autograde grade` does not use it yet: its class runs, its limits by problem set and its
attacks on the machine are still to be finished. What is here is tested in `tests/engine/`.

zygote.py    a process that has imported what a notebook needs and forks kernels
sandbox.py   what such a fork does before it runs anything of a learner's
kernels.py   the zygote's handle, and the jupyter_client provisioner that uses it
inside.py    the `autograde.notebook` that a notebook in the sandbox imports
wire.py      how values cross the boundary: dtype, shape and raw bytes, never pickle
judging.py   the judge's process and the engine's handle on it
execute.py   notebook bytes in, executed notebook and verdicts out
"""
