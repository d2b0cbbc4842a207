# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Processes and memory of others, and name spaces."""

import contextlib
import ctypes
import errno
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys

from tests.e2e.hostile.attempts import KNOWN, attempt

MARK = KNOWN["mark"]
PIDS = [pid for pid in KNOWN["pids"] if not os.path.exists(f"/proc/{pid}")]  # a number may be one of our own by chance
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, SHM_KEY, SHM_SIZE = 16, 0x6870, 4096
REQUEST_KEY, KEYCTL, KEYCTL_SEARCH, KEYCTL_READ = 249, 250, 10, 11
KEYCTL_LINK, PROCESS_KEYRING = 8, -2
KEYRINGS = (-3, -4, -5)
"""Of the session, of the user, of the user's session."""

# Runs in a process of its own, since a kernel without such calls ends it: keyctl, as the 32-bit call that every process may make.
OTHER_DOOR = """
import ctypes, mmap, os, struct
GETPID, KEYCTL, GET_KEYRING_ID, USER_KEYRING = 20, 288, 0, -4
def call(number, *arguments):
    code = b"\\x53\\xb8" + struct.pack("<i", number)  # push rbx; eax = number; then ebx, ecx, edx
    code += b"".join(load + struct.pack("<i", value) for load, value in zip((b"\\xbb", b"\\xb9", b"\\xba"), arguments))
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(code + b"\\xcd\\x80\\x5b\\xc3")  # int 0x80; pop rbx; ret
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))()
print("the door is open," if call(GETPID) == os.getpid() else "no such door,", call(KEYCTL, GET_KEYRING_ID, USER_KEYRING, 1))
"""

# Runs in a process of its own: root in a new user name space, which may mount, then the classic way out of a changed root.
UNSHARE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
uid, gid = os.getuid(), os.getgid()
if libc.unshare(0x10000000 | 0x00020000) != 0:
    print("no new user name space:", os.strerror(ctypes.get_errno()))
    sys.exit()
try:
    open("/proc/self/setgroups", "w").write("deny")
    open("/proc/self/uid_map", "w").write(f"0 {uid} 1")
    open("/proc/self/gid_map", "w").write(f"0 {gid} 1")
except OSError as error:
    print("no map:", error.strerror)
said = []
for path in (b"/home/jovyan", b"/home", b"/proc", b"/tmp", b"/dev", b"/"):
    if libc.umount2(path, 2) == 0:
        said.append("unmounted " + path.decode())
for source in (b"/dev/sda", b"/dev/sda1", b"/dev/vda", b"/dev/loop0"):
    if libc.mount(source, b"/mnt", b"ext4", 0, None) == 0:
        said.append("mounted " + source.decode())
os.makedirs("/tmp/way-out", exist_ok=True)
try:
    os.chroot("/tmp/way-out")
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    said.append("left a changed root")
except OSError as error:
    said.append("chroot: " + error.strerror)
outside = [path for path in sys.argv[1:] if os.path.lexists(path)]
print("; ".join(said), "| OUTSIDE " + " ".join(outside) if outside else "| nothing of the host")
"""


@attempt("own ones only")
def _():
    """Processes in /proc, their arguments and environments"""
    texts = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                texts.append((process / name).read_text(errors="replace"))
    return not any(MARK in text for text in texts) and len(texts) > 2, f"{len(texts) // 2} processes"


@attempt("no such process")
def _():
    """Signals to the other's processes and to the job's own outside the container, by their numbers on the node"""
    reached = []
    for pid in PIDS:
        try:
            os.kill(pid, signal.SIGCONT)
            reached.append(pid)
        except OSError:
            pass
    return not reached and bool(PIDS), f"{len(PIDS)} tried, {len(reached)} reached"


@attempt("no such process")
def _():
    """ptrace of the other's processes, and their memory by /proc/PID/mem"""
    reached = [
        pid for pid in PIDS if LIBC.ptrace(PTRACE_ATTACH, pid, None, None) == 0 or os.path.exists(f"/proc/{pid}/mem")
    ]
    return not reached and bool(PIDS), f"{len(PIDS)} tried, {len(reached)} reached"


@attempt("another one is made, or none is there")
def _():
    """Her System V shared memory, by its key"""
    number = LIBC.shmget(SHM_KEY, SHM_SIZE, 0)
    return number < 0 and KNOWN["memory"]["shm"], os.strerror(ctypes.get_errno())


@attempt("no such file")
def _():
    """Her POSIX message queue, by its name"""
    queue = LIBC.mq_open(b"/hpcampus-victim", os.O_RDONLY)
    return queue < 0 and KNOWN["memory"]["queue"], os.strerror(ctypes.get_errno())


@attempt("no keyring, for her neither: the calls fail as on a kernel without them")
def _():
    """Her key in the kernel's keyrings: by search, by request, by the numbers in /proc/keys, by linking its keyring"""
    content, named = ctypes.create_string_buffer(200), False
    numbers = []
    with contextlib.suppress(OSError):
        lines = pathlib.Path("/proc/keys").read_text().splitlines()
        named = any("hpcampus-victim" in line for line in lines)
        numbers = [int(line.split()[0], 16) for line in lines]
    for number in numbers:
        LIBC.syscall(KEYCTL, KEYCTL_LINK, number, PROCESS_KEYRING)
    rings = (*KEYRINGS, *numbers)
    found = [LIBC.syscall(KEYCTL, KEYCTL_SEARCH, ring, b"user", b"hpcampus-victim", 0) for ring in rings]
    found.append(LIBC.syscall(REQUEST_KEY, b"user", b"hpcampus-victim", None, 0))
    read = 0
    for key in (*numbers, *found):
        content.value = b""
        if key > 0 and LIBC.syscall(KEYCTL, KEYCTL_READ, key, content, len(content)) > 0:
            read += content.value == MARK.encode()
    hers = KNOWN["memory"]["key"]
    seen = f"hers: {hers}; {len(numbers) + len(found)} tried, {'its name' if named else 'no name'}, {read} read"
    return hers == "ENOSYS" and not named and max(found) < 0 and not read, seen


@attempt("the same")
def _():
    """A keyring by the call of 32-bit programs"""
    argv = [sys.executable, "-c", OTHER_DOOR]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    seen = done.stdout.strip() or f"ended with {done.returncode}: no such door"
    return done.returncode < 0 or seen == f"the door is open, {-errno.ENOSYS}", seen


@attempt("all are bound by the filter")
def _():
    """A process of the own container that could be made to ask for a key: one that the filter does not bind"""
    modes = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found = re.search(r"^Seccomp:\t(\d)$", (process / "status").read_text(), re.MULTILINE)
            modes[process.name] = found and found[1]
    return "1" in modes and set(modes.values()) == {"2"}, modes


@attempt("nothing of the host")
def _():
    """Root in a name space of one's own: unmounting what covers, mounting disks, leaving a changed root"""
    paths = [KNOWN["base_dir"], "/etc/slurm", "/run/munge", "/var/lib/slurm", "/root/.ssh"]
    done = subprocess.run(
        [sys.executable, "-c", UNSHARE, *paths], capture_output=True, text=True, timeout=30, check=False
    )
    said = (done.stdout + done.stderr).strip()
    return "OUTSIDE" not in said and "mounted /dev" not in said and bool(said), said


@attempt("not there")
def _():
    """A container of one's own (apptainer in the container), Slurm's commands, ssh"""
    names = ("apptainer", "singularity", "sbatch", "srun", "scancel", "scontrol", "squeue", "munge", "ssh", "sudo")
    found = [name for name in names if shutil.which(name)]
    return not found, ", ".join(found) or "none"


@attempt("no capability outside an own name space")
def _():
    """Rights of the notebook's processes"""
    status = dict(
        line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    rights = {name: status[name] for name in ("CapEff", "CapPrm", "NoNewPrivs", "Seccomp")}
    return int(status["CapEff"], 16) == 0, rights


@attempt(
    "a fact, no limit: the job's memory, cores and processes are bounded by Slurm's control groups, which the demo has not"
)
def _():
    """Limits of processes, memory and files"""
    names = {"processes": resource.RLIMIT_NPROC, "memory": resource.RLIMIT_AS, "file": resource.RLIMIT_FSIZE}
    limits = {name: resource.getrlimit(number)[0] for name, number in names.items()}
    return True, {name: "none" if value < 0 else value for name, value in limits.items()}


@attempt("a fact, no limit: it is the node's /tmp, which is emptied after the job")
def _():
    """Room in the own /tmp"""
    room = os.statvfs("/tmp")
    return True, f"{room.f_bavail * room.f_frsize // 2**20} MiB"
