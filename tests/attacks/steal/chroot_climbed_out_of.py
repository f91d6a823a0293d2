"""The classic way out of a changed root, a second `chroot` and many `..`, is tried."""

# %% conv1d
import os
import tempfile

_child = os.fork()
if not _child:
    try:
        _before = os.stat("/").st_ino, os.stat("/").st_dev
        _up = os.open("/", os.O_RDONLY)
        os.chroot(tempfile.mkdtemp())
        os.fchdir(_up)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        os._exit(2 if (os.stat("/").st_ino, os.stat("/").st_dev) != _before else 0)
    except BaseException:
        os._exit(0)
if os.waitstatus_to_exitcode(os.waitpid(_child, 0)[1]) == 2:
    print("LEAKED: the root outside was reached")
