"""The walls around a learner's processes: what the zygote and its forks do before they run any.

The zygote goes first (`settle`): into a file system of read-only bind mounts in which nothing
else exists, and into a PID namespace that nothing it forks outlives. Each fork then goes on
(`enter`): a PID namespace, network, IPC and scratch of its own, resource limits, an identity
of its own with no capabilities nor a way to get any, and no system calls for memory that is not
counted or for more namespaces. See namespaces(7), mount(2), prctl(2), getrlimit(2), seccomp(2).

As root, each fork becomes a user that nobody else is. As an ordinary user, or as root of a
container that has not the capabilities, user namespaces stand in for that.

The zygote imports this; nothing in a sandbox does. It uses the standard library only.
"""

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x08000000, 0x10000000, 0x20000000
CLONE_NEWNET = 0x40000000
ANY_NEW_NAMESPACE = 0x7E020000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 32, 4096, 8192, 16384, 1 << 18
MNT_DETACH = 2
SO_SNDBUF = 7
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
KILL, SETGID, SETUID, SYS_PTRACE, SYS_ADMIN = 5, 6, 7, 19, 21  # capabilities(7)
FIRST_USER, USERS = 1 << 30, 1 << 30
NOBODY = 65534
DEVICES = ("null", "zero", "full", "random", "urandom")

# What a notebook does not need, by system call numbers of x86_64 and aarch64.
DENIED = {
    # Memory that no process has mapped, and that nobody counts.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # More namespaces and file systems.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    # Other processes, and parts of the kernel that have often been the way out.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
CLONE, CLONE3, SETSOCKOPT = (56, 220), (435, 435), (54, 208)
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
X32 = 0x40000000  # the bit of the x86_64 numbers' second set


class Refused(OSError):
    """The operating system does not give this sandbox. The text names the call it refused."""


def settle(steps, scratch):
    """Move this process into a file system and a PID namespace of its own.

    It forks once, because a PID namespace begins with the next child. This returns in the
    child, process 1, which nothing that it forks outlives; the parent waits for it.

    `steps` furnishes the file system, in order: ("bind", path outside without links, path
    inside), read-only; ("link", path, target); ("file", path, text); ("empty", folder, ""), in
    which only what is bound there later is to be seen. Until `close_scratch`, the zygote itself
    may write to the folder `scratch`. Raises `Refused`.
    """
    flags = CLONE_NEWNS | CLONE_NEWPID
    if _privileged():
        _call("unshare", flags)
    else:
        user, group = os.geteuid(), os.getegid()
        _call("unshare", flags | CLONE_NEWUSER)
        proc = os.open("/proc", os.O_PATH)
        _map_identity(proc, (user, user), (group, group))
        os.close(proc)
    pid = os.fork()
    if pid:
        _wait_and_leave(pid)
    die_with_parent()
    _build_root(steps, scratch)


def close_scratch(scratch):
    """Take what the zygote itself has written away, so that no fork finds it."""
    _call("umount2", scratch.encode(), MNT_DETACH)


def fork():
    """Fork like `os.fork`; the child is process 1 of a PID namespace. Raises `Refused`."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    _call("unshare", CLONE_NEWPID)
    pid = None
    try:
        pid = os.fork()
        return pid
    finally:
        if pid != 0:
            _call("setns", own, CLONE_NEWPID)
            os.close(own)


def enter(scratch, size, limits, number):
    """Finish the sandbox around this process, which `fork` has made.

    `size` says how many "bytes" and "files" may be written to `scratch`; `limits` gives values
    by the names of `resource.RLIMIT_*` without the prefix. A sandbox with another `number` belongs
    to another user. Raises `Refused`.
    """
    privileged = _privileged()
    # The learner's processes go first when memory runs out.
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", "1000")
    proc = os.open("/proc", os.O_PATH)
    _call("unshare", CLONE_NEWNS)
    # A new /proc can be had only while there is one to be seen, which must not stay below it. It
    # is read-only: to write there, it is often enough to be root outside by name.
    _mount("proc", scratch, "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _call("umount2", b"/proc", MNT_DETACH)
    _mount(scratch, "/proc", None, MS_MOVE)
    options = f"size={size['bytes']},nr_inodes={size['files']},mode=1777"
    _mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, options)
    os.chdir(scratch)
    apart = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
    if privileged:
        _call("unshare", apart)
    else:
        user, group = os.geteuid(), os.getegid()
        _call("unshare", apart | CLONE_NEWUSER)
        _map_identity(proc, (NOBODY, user), (NOBODY, group))
    os.close(proc)
    socket.sethostname("sandbox")
    for name, value in limits.items():
        _limit(name, value, privileged)
    _drop_privileges(FIRST_USER + number % USERS if privileged else None)
    _deny_calls()


def die_with_parent():
    """Have the kernel kill this process when its parent ends, however that ends."""
    _call("prctl", PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))


def _privileged():
    """Return whether this process can do without user namespaces: as root proper."""
    with open("/proc/self/status") as file:
        held = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff"))
    with open("/proc/self/uid_map") as file:
        first, _, count = map(int, file.readline().split())
    capable = all(held >> number & 1 for number in (KILL, SETGID, SETUID, SYS_PTRACE, SYS_ADMIN))
    return os.geteuid() == 0 and capable and first == 0 and count >= FIRST_USER + USERS


def _map_identity(proc, users, groups):
    """Give this user namespace its only user and group, each as (inside, outside)."""
    try:
        _write("self/setgroups", "deny", proc)
        _write("self/uid_map", "{} {} 1".format(*users), proc)
        _write("self/gid_map", "{} {} 1".format(*groups), proc)
    except OSError as error:
        raise Refused(error.errno, f"a user namespace ({error.strerror})") from None


def _wait_and_leave(pid):
    os.closerange(0, 1024)  # above all the way to the engine, whose end it does not keep open
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _build_root(steps, scratch):
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    # The new root is in memory, and /tmp only where it begins: nothing is written to a disk.
    memory = MS_NOSUID | MS_NODEV
    _mount("tmpfs", "/tmp", "tmpfs", memory, "size=2m,nr_inodes=16k,mode=755")
    os.mkdir("/tmp/.old")
    _call("pivot_root", b"/tmp", b"/tmp/.old")
    os.chdir("/")
    emptied = []
    for kind, path, more in steps:
        os.makedirs(os.path.dirname(path if kind != "bind" else more), exist_ok=True)
        if kind == "bind":
            _bind(f"/.old{path}", more)
        elif kind == "link":
            os.symlink(more, path)
        elif kind == "file":
            _write(path, more)
        else:
            os.makedirs(path, exist_ok=True)
            _mount("tmpfs", path, "tmpfs", memory, "size=1m,nr_inodes=4k,mode=755")
            emptied.append(path)
    os.mkdir("/dev")
    for name in DEVICES:
        _bind(f"/.old/dev/{name}", f"/dev/{name}", device=True)
    os.mkdir("/proc")
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.makedirs(scratch)
    _call("umount2", b"/.old", MNT_DETACH)
    os.rmdir("/.old")
    for path in (*emptied, "/"):
        _mount("tmpfs", path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | memory)
    _mount("tmpfs", scratch, "tmpfs", memory, "size=8m,nr_inodes=1k,mode=700")


def _bind(outside, inside, device=False):
    """Show `outside` at `inside`, read-only."""
    if os.path.isdir(outside):
        os.makedirs(inside, exist_ok=True)
    elif not os.path.exists(inside):
        os.close(os.open(inside, os.O_CREAT | os.O_WRONLY))
    _mount(outside, inside, None, MS_BIND | MS_REC)
    # Flags that the mount has already are locked in a user namespace: they have to stay.
    held = os.statvfs(inside).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
    flags = MS_NOSUID | held | (0 if device else MS_NODEV)
    _mount(outside, inside, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def _limit(name, value, privileged):
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if name == "NPROC" and not privileged and release < (5, 14):
        return  # counts all that the user has anywhere; the watchdog counts these
    kind = getattr(resource, f"RLIMIT_{name}")
    most = resource.getrlimit(kind)[1]
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))


def _drop_privileges(user):
    """Become `user`, unless that is None, and give up every capability for good."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("Ii", 0x20080522, 0)  # capget(2), version 3, this process
    _call("capset", header, struct.pack("IIIIII", 0, 0, 0, 0, 0, 0))
    zero, one = ctypes.c_ulong(0), ctypes.c_ulong(1)
    _call("prctl", PR_SET_NO_NEW_PRIVS, one, zero, zero, zero)
    # A change of identity clears it; the engine reaches the sockets through /proc.
    _call("prctl", PR_SET_DUMPABLE, one)


def _deny_calls():
    """Have system calls fail for this process and all that come from it.

    Besides those in `DENIED`: `clone` into a namespace, and larger buffers for a socket, which
    the watchdog takes to have the usual ones.
    """
    column, architecture = ARCHITECTURES[os.uname().machine]
    load, if_equal, if_any_bit, if_at_least, give = 0x20, 0x15, 0x45, 0x35, 0x06
    number, arch, argument = 0, 4, (16, 24, 32)  # where they are in what the filter gets
    allow, deny, absent = "allow", "deny", "absent"
    lines = [  # (what to do, with what, where to go then, and if not so): a label, or how far
        (load, arch, 0, 0),  # a program may use another architecture's numbers
        (if_equal, architecture, 0, deny),
        (load, number, 0, 0),
        (if_at_least, X32, deny, 0),
        *((if_equal, numbers[column], deny, 0) for numbers in DENIED.values()),
        (if_equal, CLONE3[column], absent, 0),  # its flags are out of sight; clone does instead
        (if_equal, CLONE[column], 0, 2),
        (load, argument[0], 0, 0),
        (if_any_bit, ANY_NEW_NAMESPACE, deny, allow),
        (if_equal, SETSOCKOPT[column], 0, allow),
        (load, argument[2], 0, 0),
        (if_equal, SO_SNDBUF, deny, allow),
    ]
    ends = {allow: 0x7FFF0000, deny: 0x00050000 | errno.EPERM, absent: 0x00050000 | errno.ENOSYS}
    places = {label: len(lines) + i for i, label in enumerate(ends)}

    def skip(at, to):
        return places[to] - at - 1 if to in places else to

    program = [
        struct.pack("HBBI", c, skip(i, t), skip(i, f), k) for i, (c, k, t, f) in enumerate(lines)
    ]
    program += [struct.pack("HBBI", give, 0, 0, k) for k in ends.values()]
    code = ctypes.create_string_buffer(b"".join(program))
    filter_ = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    )
    _call("prctl", PR_SET_SECCOMP, ctypes.c_ulong(2), filter_)


def _mount(source, target, kind, flags, data=None):
    encoded = [None if x is None else x.encode() for x in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), None if data is None else data.encode())


def _call(name, *arguments):
    if name == "pivot_root":  # glibc has no wrapper
        column, _ = ARCHITECTURES[os.uname().machine]
        result = _libc.syscall(DENIED[name][column], *arguments)
    else:
        result = getattr(_libc, name)(*arguments)
    if result != 0:
        error = ctypes.get_errno()
        shown = [name, *(a.decode() for a in arguments if isinstance(a, bytes) and a.isascii())]
        raise Refused(error, f"`{' '.join(shown)}` ({os.strerror(error)})")


def _write(path, text, folder=None):
    with open(path, "w", opener=lambda p, flags: os.open(p, flags, dir_fd=folder)) as file:
        file.write(text)
