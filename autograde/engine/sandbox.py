"""What a forked child does before it runs anything of a learner's.

Linux namespaces (mount, PID, network, IPC, host name; a user namespace where the caller is not
root), a root file system of read-only bind mounts and small tmpfs, resource limits, no
capabilities, no new privileges. See namespaces(7), mount(2), prctl(2), getrlimit(2).

This module is imported by the zygote, before it forks, and by nothing else in the sandbox. It
uses the standard library only.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE = 1, 24, 38, 4
FIRST_UID, UIDS = 200_000, 50_000
DEVICES = ("null", "zero", "full", "random", "urandom")


def enter(config, ready):
    """Move this process into a sandbox; return in its first process, process 1.

    It forks once, because a PID namespace begins with the next child. The parent of process 1
    stays outside, waits for it and leaves with its exit status; it calls `ready(pid)` with the
    process's number as seen from outside.

    `config` holds "root" (an empty directory to build the file system in), "binds" (pairs of a
    path outside and a path inside, read-only), "links" (pairs of a link and its target),
    "empty" (paths that are made empty directories), "scratch" (bytes and files that the
    sandbox may write) and "limits" (names of `resource.RLIMIT_*` without the prefix, with
    their values). Raises `OSError` if the kernel refuses.
    """
    as_root = os.geteuid() == 0
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    uid, gid = os.geteuid(), os.getegid()
    user = FIRST_UID + os.getpid() % UIDS
    _call("unshare", flags if as_root else flags | CLONE_NEWUSER)
    if not as_root:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    pid = os.fork()
    if pid:
        ready(pid)
        _wait_and_leave(pid)
    die_with_parent()
    _build_root(config)
    socket.sethostname("sandbox")
    for name, value in config["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    _drop_privileges(as_root, user)
    # The learner's processes go first when memory runs out.
    _try_write("/proc/self/oom_score_adj", "1000")


def die_with_parent():
    """Have the kernel kill this process when its parent ends, however that ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _wait_and_leave(pid):
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _build_root(config):
    root, scratch = config["root"], config["scratch"]
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=4k,mode=755")
    # First, because what is bound may lie below it.
    os.makedirs(root + "/tmp")
    size = f"size={scratch['bytes']},nr_inodes={scratch['files']},mode=1777"
    _mount("tmpfs", root + "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, size)
    for link, target in config["links"]:
        _make_parents(root + link)
        os.symlink(target, root + link)
    for path in config["empty"]:
        os.makedirs(root + path, exist_ok=True)
    for outside, inside in config["binds"]:
        _bind(outside, root + inside)
    for name in DEVICES:
        _bind(f"/dev/{name}", f"{root}/dev/{name}", device=True)
    os.makedirs(root + "/proc")
    _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.makedirs(root + "/old")
    _call("pivot_root", (root).encode(), (root + "/old").encode())
    os.chdir("/")
    _call("umount2", b"/old", MNT_DETACH)
    os.rmdir("/old")
    _mount("tmpfs", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir("/tmp")


def _bind(outside, inside, device=False):
    """Show `outside` at `inside`, read-only."""
    _make_parents(inside)
    if os.path.isdir(outside):
        os.makedirs(inside, exist_ok=True)
    elif not os.path.exists(inside):
        os.close(os.open(inside, os.O_CREAT | os.O_WRONLY))
    _mount(outside, inside, None, MS_BIND | MS_REC)
    # Flags that the mount has already are locked in a user namespace: they have to stay.
    held = os.statvfs(inside).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
    flags = MS_NOSUID | held | (0 if device else MS_NODEV)
    _mount(outside, inside, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def _make_parents(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)


def _drop_privileges(as_root, user):
    """Become a user of our own where we were root, and give up every capability.

    A user of its own, because the limit on processes counts all that one user has.
    """
    for capability in range(64):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if as_root:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("Ii", 0x20080522, 0)  # capget(2), version 3, this process
    _call("capset", header, struct.pack("IIIIII", 0, 0, 0, 0, 0, 0))
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Changing identity cleared both; the engine reaches the sockets through /proc.
    _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    die_with_parent()


def _mount(source, target, kind, flags, data=None):
    encoded = [None if x is None else x.encode() for x in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), None if data is None else data.encode())


def _call(name, *arguments):
    function = getattr(_libc, name, None)
    if name == "pivot_root":  # glibc has no wrapper
        number = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
        result = _libc.syscall(number, *arguments)
    else:
        result = function(*arguments)
    if result != 0:
        error = ctypes.get_errno()
        shown = " ".join(a.decode() for a in arguments if isinstance(a, bytes) and a.isascii())
        raise OSError(error, f"{name} {shown}: {os.strerror(error)}")


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _try_write(path, text):
    with contextlib.suppress(OSError):
        _write(path, text)
