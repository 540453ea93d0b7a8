"""Runs inside the sandbox and tries to get out. Prints one line for each thing that worked and should not have."""
import ctypes
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
root = sys.argv[1]
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
# number, arguments of system calls that would open a way (x86-64)
CALLS = {
    "unshare user": (272, CLONE_NEWUSER), "unshare mount": (272, CLONE_NEWNS), "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, b"/proc", 2), "pivot_root": (155, b"/", b"/"), "chroot": (161, b"/tmp"), "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "setns": (308, 0, 0), "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 0), "io_uring_setup": (425, 1, 0),
    "keyctl": (250, 0, 0, 0, 0, 0), "add_key": (248, 0, 0, 0, 0, 0), "kexec_load": (246, 0, 0, 0, 0),
    "init_module": (175, 0, 0, 0), "reboot": (169, 0, 0, 0, 0), "syslog": (103, 3, 0, 0), "open_by_handle_at": (304, -1, 0, 0),
    "clock_settime": (227, 0, 0), "sethostname": (170, b"x", 1), "open_tree": (428, -100, b"/", 1), "fsopen": (430, b"proc", 0),
    "move_mount": (429, -1, b"", -1, b"", 0), "swapon": (167, b"/tmp/x", 0), "personality": (135, 0x0040000),
    "clone user": (56, CLONE_NEWUSER | 17, 0, 0, 0, 0), "clone3": (435, 0, 0), "pidfd_getfd": (438, 0, 0, 0),
    "memfd_create": (319, b"x", 0), "shmget": (29, 0, 4096, 0o1600), "fchmodat2": (452, -100, b"/tmp", 0o700, 0),
    "openat2": (437, -100, b"/tmp", 0, 0), "name_to_handle_at": (303, -100, b"/", 0, 0, 0), "quotactl": (179, 0, 0, 0, 0), "acct": (163, 0),
}
EPERM, ENOSYS = 1, 38


def report(what):
    print("ESCAPE", what)


def try_system_calls():
    for name, (number, *arguments) in CALLS.items():
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
        if result == 0 and name.startswith("clone"):
            os._exit(0)
        # The refusal must be the filter's, not that of a bad argument.
        if result >= 0 or ctypes.get_errno() not in (EPERM, ENOSYS):
            report(f"system call {name}: {result} errno {ctypes.get_errno()}")


def try_sockets():
    for family in (socket.AF_PACKET, socket.AF_VSOCK, socket.AF_BLUETOOTH, 38, 44):  # 38 AF_ALG, 44 AF_XDP
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try:
                socket.socket(family, kind)
                report(f"socket family {family}")
            except OSError:
                pass
    with socket.socket() as probe:
        probe.settimeout(2)
        try:
            probe.connect(("127.0.0.1", int(sys.argv[2])))
            report("the machine's loopback")
        except OSError:
            pass


def try_files():
    """Opens everything for writing, without writing."""
    mine = os.getpid()
    devices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts/ptmx"}
    for folder, folders, files in os.walk("/"):
        if folder.startswith((root, "/tmp", "/dev/shm")):
            folders[:] = []
            continue
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(folder, name))]
        if folder.startswith("/usr/") and folder.count("/") > 3:
            folders[:] = []  # all of /usr is one mount
        for name in files[:200]:
            path = os.path.join(folder, name)
            if path in devices or f"/proc/{mine}/" in path + "/" or "/fd/" in path or os.path.islink(path):
                continue
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY))
                report(f"can be written: {path}")
            except OSError:
                pass
        try:
            made = os.path.join(folder, "escape")
            os.close(os.open(made, os.O_WRONLY | os.O_CREAT))
            report(f"files can be made in {folder}")
        except OSError:
            pass


def look_around():
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        for name in ("environ", "cmdline"):
            try:
                text = open(f"/proc/{entry}/{name}", "rb").read()
            except OSError:
                continue
            for secret in (b"sl_k", b"SYNCLINE"):
                if secret in text:
                    report(f"/proc/{entry}/{name} shows {secret}")
    if len([entry for entry in os.listdir("/proc") if entry.isdigit()]) > 5:
        report("other processes are visible")
    for path in ("/etc/shadow", "/etc/ssh", "/root", "/home", "/var", "/run", "/sys", "/boot", "/srv", "/opt", "/mnt"):
        if os.path.exists(path) and not root.startswith(path):
            report(f"{path} is visible")
    siblings = set(os.listdir(os.path.dirname(root))) - {os.path.basename(root)}
    if siblings:
        report(f"beside the root: {siblings}")
    for fd in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(fd))  # the one that lists them is closed by now
        except OSError:
            continue
        if int(fd) > 2:
            report(f"open descriptor {fd}: {os.readlink('/proc/self/fd/' + fd)}")
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status[name], 16) != 0:
            report(f"{name} {status[name]}")
    if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
        report(f"NoNewPrivs {status['NoNewPrivs']}, Seccomp {status['Seccomp']}")
    if os.uname().nodename != "sandbox":
        report("the machine's host name")


try_system_calls()
try_sockets()
try_files()
look_around()
print("probed")
