"""Start the kernel in which a submission runs: a script, given a kernel's own arguments.

The kernel has all of the course but the problems, their answers and whatever else it is told to hide: it asks the judge
outside (mlcourse.classroom.teaching.judge) for statements and verdicts. On Linux, where the system allows it, it sees
the disk read-only but for its own folder, no network and no other process. Nothing of the course is imported before.
"""

import ctypes
import json
import os
import signal
import sys
from types import ModuleType

NEW_MOUNTS, NEW_USER, NEW_PROCESSES, NEW_NETWORK, NEW_IPC = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x08000000
READ_ONLY, BIND, RECURSIVE, PRIVATE = 1, 0x1000, 0x4000, 0x40000
HERE, ALL_BELOW, MOUNT_SETATTR, CAPSET, ALL_CAPABILITIES = -100, 0x8000, 442, {"x86_64": 126, "aarch64": 91}, 41
PROBLEMS = "mlcourse.classroom.problems"


def main():
    told = json.loads(os.environ.pop("MLCOURSE_EXAMINED"))
    os.environ["JPY_PARENT_PID"] = "1"  # no parent to look for: here it cannot be seen, and it ends this process
    apart = sys.platform == "linux" and next((name for name in ("processes", "files") if _works(name, told)), None)
    if apart:
        _set_apart(apart, told)
    limit(told["memory"])
    del sys.path[0]  # the folder of this script
    asks_the_judge(told["line"], bool(apart))
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def limit(memory):
    """So much memory and no more, and no file beyond a quarter of a gigabyte."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    for which, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 1 << 28), (resource.RLIMIT_CORE, 0)):
        _, before = resource.getrlimit(which)
        most = most if before == resource.RLIM_INFINITY else min(most, before)
        resource.setrlimit(which, (most, most))


def _works(name, told):
    """Whether this process could be set apart: a child tries."""
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            _set_apart(name, told)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _set_apart(name, told):
    """Go on in a world of one's own; raises OSError where the system does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    kinds = NEW_USER | NEW_MOUNTS | NEW_NETWORK | NEW_IPC
    _call(libc.unshare, kinds | (NEW_PROCESSES if name == "processes" else 0))
    for file, words in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{file}", "w") as opened:
            opened.write(words)
    if name == "processes":
        for _ in range(2):  # a process that others descend from, and the kernel: the first one ignores its own signals
            _be_the_child(libc)
    mount = lambda *arguments: _call(libc.mount, *arguments)  # noqa: E731
    mount(b"none", b"/", None, RECURSIVE | PRIVATE, None)
    if name == "processes":
        mount(b"proc", b"/proc", b"proc", 0, None)
    own = os.fsencode(told["folder"])
    mount(own, own, None, BIND, None)
    _set_read_only(libc, b"/", ALL_BELOW, True)
    _set_read_only(libc, own, 0, False)
    for path in (*told["hidden"], "/dev/shm"):
        if os.path.isdir(path):
            flags, size = (0, b"size=256m") if path == "/dev/shm" else (READ_ONLY, b"size=4k")
            mount(b"none", os.fsencode(path), b"tmpfs", flags, size)
        elif os.path.exists(path):
            mount(b"/dev/null", os.fsencode(path), None, BIND, None)
    os.chdir(os.getcwd())  # as it is mounted now
    _give_up_power(libc)


def _be_the_child(libc):
    """Fork; this process waits, ends as its child ends, and the child goes on and dies with it."""
    child = os.fork()
    if child == 0:
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the kernel
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _set_read_only(libc, path, flags, yes):
    """Whether a mount, or all below it, may be written to (mount_setattr of Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(int(yes), int(not yes), 0, 0)
    _call(libc.syscall, MOUNT_SETATTR, HERE, path, flags, ctypes.byref(attributes), ctypes.sizeof(attributes))


def _give_up_power(libc):
    """No capability stays, and none comes back: what was mounted cannot be undone."""
    for capability in range(ALL_CAPABILITIES):
        libc.prctl(24, capability, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call(libc.syscall, CAPSET[os.uname().machine], ctypes.byref(header), ctypes.byref(none))
    _call(libc.prctl, 38, 1, 0, 0, 0)


def _call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def asks_the_judge(address, apart):
    """Put a module that asks the judge in the place of the problems."""

    def line():
        import socket

        from mlcourse.classroom.judging.distant import Line

        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        return Line(connection)

    def asked(**words):
        with line() as open_line:
            open_line.tell(**words)
            return open_line.hear()

    def of_lesson(number):
        from mlcourse.classroom.teaching.stand_ins import problem

        described = asked(lesson=number)
        if "refused" in described:
            raise ValueError(described["refused"])
        return {each["name"]: problem(number, each, asked, line) for each in described["problems"]}

    module = ModuleType(PROBLEMS)
    module.lessons, module.of_lesson = lambda: list(range(1, 15)), of_lesson
    sys.modules[PROBLEMS] = module
    asked(apart=apart)


if __name__ == "__main__":
    main()
