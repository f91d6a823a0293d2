"""The grading engine: warm sandboxed kernels on one side, the judge on the other.

A submission's way through it, from bytes to the gradebook:

pool.py      submissions side by side: threads on this machine, or a Dask cluster
execute.py   notebook bytes in, outputs and verdicts out; a bad cell costs itself
kernels.py   the zygote's handle, and the jupyter_client provisioner that uses it
zygote.py    a process that has imported what a notebook needs and forks kernels
sandbox.py   what both do before anything of a learner's runs; rootfs.py: what it shows of files
watchdog.py  an end to what uses too much, counted over all processes of a kernel
probes.py    attempts to break out, for the doctor and for the tests
client.py    the engine's side of a kernel's sockets
inside.py    the `autograde.notebook` that a notebook in the sandbox imports
judging.py   the judge's process and the engine's handle on it
wire.py      how values cross the boundary: dtype, shape and raw bytes, never pickle
record.py    what was executed, into nbgrader's gradebook

Every attack in `tests/attacks/` runs against it.
"""

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
"""Keeps the libraries from sharing out their work: there are as many kernels as processors, and
threads that wait for each other's processor take longer than one alone."""
