# Attempts to get out of the cage, made from inside it. Prints a line for each: its name and "refused" or "ESCAPED".
#
# Arguments: a directory of somebody else with a file `secret` in it, the file that may be read, a TCP port and an abstract
# socket's name that somebody listens on.
import ctypes
import errno
import os
import resource
import socket
import sys

other, readable, port, abstract = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
REFUSALS = (errno.ENOSYS, errno.EACCES, errno.EPERM)


def tell(name, outcome):
    print(name, outcome, flush=True)


def attempt(name, what):
    """An attempt that the system must refuse as such: not because it was made wrongly."""
    try:
        what()
    except OSError as error:
        tell(name, "refused" if error.errno in REFUSALS else f"FAILED {error}")
    else:
        tell(name, "ESCAPED")


def call(name, number, *args):
    """A system call by its number."""

    def what():
        if libc.syscall(ctypes.c_long(number), *args) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    attempt(name, what)


def read(path):
    return lambda: open(path, "rb").read(1)


def write(path):
    return lambda: open(path, "ab").write(b"x")


parent = os.getppid()
secret = os.path.join(other, "secret")

# Files of others.
for path in ["/etc/passwd", "/etc/shadow", "/etc/hosts", "/proc/1/environ", "/proc/self/environ", "/proc/self/maps",
             f"/proc/{parent}/environ", f"/proc/{parent}/mem", f"/proc/{parent}/cmdline", "/dev/tty",
             "/proc/self/root/etc/passwd", f"/proc/{parent}/cwd/Cargo.toml", secret, os.path.join("..", os.path.basename(other), "secret")]:
    attempt(f"read {path if path != secret else 'secret'}", read(path))
for path in ["/", "/etc", "/proc", "/root", "/home", "/tmp", other, ".."]:
    attempt(f"list {path if path != other else 'other'}", lambda path=path: os.listdir(path))
attempt("change to other", lambda: os.chdir(other))

# Writing elsewhere, and what would lead there.
for path in ["/tmp/kinora-escape", "/dev/shm/kinora-escape", "/var/tmp/kinora-escape", os.path.join(other, "new"), secret, readable]:
    attempt(f"write {os.path.basename(path)}", write(path))
attempt("symlink", lambda: os.symlink(secret, "link"))
attempt("hard link", lambda: os.link(readable, "link"))
open("mine", "w").close()
attempt("rename out", lambda: os.rename("mine", os.path.join(other, "mine")))
attempt("remove", lambda: os.unlink("mine"))
attempt("remove other", lambda: os.unlink(secret))
attempt("fifo", lambda: os.mkfifo("fifo"))
attempt("device", lambda: os.mknod("device", 0o600 | 0o020000, os.makedev(1, 3)))
attempt("chmod", lambda: os.chmod("mine", 0o4755))
attempt("chown", lambda: os.chown("mine", 1, 1))
attempt("extended attribute", lambda: os.setxattr("mine", "user.x", b"x"))
attempt("a file without a name", lambda: os.open(".", os.O_TMPFILE | os.O_RDWR))
attempt("memory as a file", lambda: os.memfd_create("x"))

# Sockets of every kind.
families = {"tcp": (socket.AF_INET, socket.SOCK_STREAM), "udp": (socket.AF_INET, socket.SOCK_DGRAM),
            "tcp6": (socket.AF_INET6, socket.SOCK_STREAM), "raw": (socket.AF_INET, socket.SOCK_RAW),
            "packet": (socket.AF_PACKET, socket.SOCK_RAW), "netlink": (socket.AF_NETLINK, socket.SOCK_RAW),
            "unix": (socket.AF_UNIX, socket.SOCK_STREAM), "unix datagram": (socket.AF_UNIX, socket.SOCK_DGRAM),
            "vsock": (40, socket.SOCK_STREAM), "kernel crypto": (38, socket.SOCK_SEQPACKET)}
for name, (family, kind) in families.items():
    attempt(f"socket {name}", lambda family=family, kind=kind: socket.socket(family, kind))
attempt("connect tcp", lambda: socket.create_connection(("127.0.0.1", port), 1))


def abstract_unix():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.connect("\0" + abstract)


attempt("connect abstract unix", abstract_unix)
attempt("socket pair", socket.socketpair)

# Processes, and those of others.
attempt("fork", os.fork)
attempt("exec", lambda: os.execv("/usr/bin/true", ["true"]))
attempt("exec own program", lambda: os.execv("/usr/bin/python3", ["python3", "-c", "1"]))
attempt("spawn", lambda: os.posix_spawn("/usr/bin/true", ["true"], {}))
attempt("kill parent", lambda: os.kill(parent, 0))
attempt("kill all", lambda: os.kill(-1, 0))
attempt("nicer", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))
attempt("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("another user", lambda: os.setuid(0))
attempt("another group", lambda: os.setgroups([0]))
attempt("change root", lambda: os.chroot("."))
attempt("a session of its own", os.setsid)
for name in ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"]:
    limit = getattr(resource, name)
    attempt(f"raise {name}", lambda limit=limit: resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    attempt(f"set {name}", lambda limit=limit: resource.setrlimit(limit, resource.getrlimit(limit)))

# System calls that open whole other worlds. Their arguments do not matter: they must not even be looked at.
for entry in sys.argv[5:]:
    name, number = entry.split("=")
    call(f"call {name}", int(number), *[ctypes.c_long(0)] * 6)

# SIGABRT to the parent, SIGCHLD as the only flag of `clone`: what a filter that looks at one argument alone lets pass.
for entry in sys.argv[5:]:
    name, number = entry.split("=")
    if name == "tgkill":
        call("abort parent", int(number), ctypes.c_long(parent), ctypes.c_long(parent), ctypes.c_long(6))

# Nothing that the parent had open.
left = []
for fd in range(3, 256):
    try:
        os.fstat(fd)
        left.append(fd)
    except OSError:
        pass
tell("open files of the parent", "refused" if not left else f"ESCAPED {left}")
tell("environment", "refused" if not dict(os.environ) or set(os.environ) <= {"LC_CTYPE"} else f"ESCAPED {dict(os.environ)}")
