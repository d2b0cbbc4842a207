# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files of others, of the platform and of the node."""

import contextlib
import ctypes
import os
import pathlib
import stat
import tempfile

from tests.e2e.hostile.attempts import KNOWN, attempt

MARK, TOKEN, BASE = KNOWN["mark"], KNOWN["token"], KNOWN["base_dir"]
VICTIM_HOME = f"{BASE}/users/{KNOWN['victim']}/home"
ABSENT = "no such file"


def readable(paths):
    """Those of the paths that can be listed or read."""
    found = []
    for path in paths:
        try:
            if os.path.isdir(path):
                os.listdir(path)
            else:
                with open(path, "rb") as stream:
                    stream.read(1)
            found.append(path)
        except OSError:
            pass
    return found


def writable(paths):
    """Those of the paths that can be opened for writing, or in which a file can be made."""
    found = []
    for path in paths:
        try:
            if os.path.isdir(path):
                with tempfile.TemporaryFile(dir=path):
                    found.append(path)
            else:
                with open(path, "ab"):
                    found.append(path)
        except OSError:
            pass
    return found


def none_of(found):
    """A result that is good when nothing was found."""
    return not found, ", ".join(map(str, found)) or "nothing"


@attempt(ABSENT)
def _():
    """The other's home by its path on the cluster"""
    return none_of(readable([VICTIM_HOME, VICTIM_HOME + "/mine.txt", f"/home/{KNOWN['victim']}"]))


@attempt("nothing of the other's")
def _():
    """Her home through root, cwd and open files of every process in sight"""
    tried, found = 0, []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        for way in ("root", "cwd"):
            for name in (f"{VICTIM_HOME}/mine.txt", BASE, "/etc/slurm", "/run/munge"):
                tried += 1
                found += readable([f"{process}/{way}{name}"])
        for handle in readable([str(process / "fd")]):
            for number in os.listdir(handle):
                tried += 1
                with contextlib.suppress(OSError):  # closed meanwhile
                    target = os.readlink(f"{handle}/{number}")
                    found += [target] if KNOWN["victim"] in target else []
    return not found and tried > 8, f"{tried} tried: {found or 'nothing'}"


@attempt("none names the other, none can be opened")
def _():
    """Sources of the mounts that /proc/self/mountinfo tells"""
    sources = set()
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        sources |= {fields[3], fields[fields.index("-") + 2]}
    outside = [source for source in sources if source.startswith((BASE, "/hpcampus", "/tmp/hpcampus"))]
    named = [source for source in sources if KNOWN["victim"] in source]
    return not named and not readable(outside), f"{len(sources)} sources, {len(outside)} of the platform, all closed"


@attempt(ABSENT)
def _():
    """Symbolic links out of the own home to the other's home, the base directory, the host's root"""
    found = []
    for target in (VICTIM_HOME, BASE, "../../../users", "/proc/1/root" + VICTIM_HOME, "/proc/1/root" + BASE):
        link = os.path.expanduser("~/.way-out")
        os.symlink(target, link)
        try:
            found += readable([link])
        finally:
            os.unlink(link)
    return not found, str(found or "nothing")


@attempt(ABSENT)
def _():
    """The private directories of other jobs on the node, by their names"""
    return none_of(readable(KNOWN["private_dirs"]))


@attempt(ABSENT)
def _():
    """Messages to jobs, logs, doors, programs and images in the base directory"""
    return none_of(
        readable([f"{BASE}/{name}" for name in ("", "spawns", "log", "jobs", "lib", "images", "users", "courses")])
    )


@attempt("only this program itself, read-only")
def _():
    """The platform's program that the container is started with"""
    program = "/opt/hpcampus/start.py"
    return readable([program]) == [program] and not writable([program, "/opt/hpcampus"]), "readable, not writable"


@attempt("read-only")
def _():
    """Writing to the image: system directories, Python's packages, the runtime's own files"""
    return none_of(writable(["/usr/bin", "/etc", "/opt", os.path.dirname(os.__file__), "/.singularity.d"]))


@attempt("own sockets only, for this account only")
def _():
    """/run/hpcampus"""
    entries = list(pathlib.Path("/run/hpcampus").iterdir())
    kinds = {path.name: stat.filemode(path.lstat().st_mode) for path in entries}
    return set(kinds) <= {"notebook.sock"} and all(kind.endswith("------") for kind in kinds.values()), kinds


@attempt("not permitted")
def _():
    """Opening files by handles (open_by_handle_at), past all paths"""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = (ctypes.c_ubyte * 136)()
    ctypes.c_uint.from_buffer(handle).value = 128
    mount = ctypes.c_int()
    at = os.open(os.path.expanduser("~"), os.O_RDONLY)
    try:
        named = libc.name_to_handle_at(at, b".", handle, ctypes.byref(mount), 0)
        got = libc.open_by_handle_at(at, handle, os.O_RDONLY)
        error = os.strerror(ctypes.get_errno())
        return got < 0, error if named == 0 else f"no handle to be had: {error}"
    finally:
        os.close(at)


@attempt("none but the harmless ones")
def _():
    """Devices: disks, memory, kernel log, making new ones"""
    harmful = [
        str(path)
        for path in pathlib.Path("/dev").rglob("*")
        if path.is_block_device() or path.name in ("mem", "kmem", "kmsg", "port", "sg0", "kvm")
    ]
    opened = readable(harmful) + writable(harmful)
    try:
        os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(8, 0))
        opened.append("a new one")
    except OSError:
        pass
    return none_of(opened)


@attempt("they give nothing: no new privileges")
def _():
    """Programs with the set-user-id bit"""
    found = []
    for folder in ("/bin", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin"):
        for where, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(where, name)
                if not os.path.islink(path) and os.lstat(path).st_mode & stat.S_ISUID:
                    found.append(name)
    status = pathlib.Path("/proc/self/status").read_text()
    no_new = "NoNewPrivs:\t1" in status
    return no_new or not found, f"{len(found)} programs, NoNewPrivs {int(no_new)}"


@attempt("not writable, none can be joined")
def _():
    """Settings of the kernel and of control groups"""
    names = ("kernel/core_pattern", "kernel/hostname", "kernel/modprobe", "net/ipv4/ip_forward", "vm/overcommit_memory")
    # Where control groups are of the old kind, systemd has a tree of names alone, which bounds nothing.
    found = [str(path) for path in pathlib.Path("/sys/fs/cgroup").rglob("cgroup.procs")]
    groups = [path for path in found if not path.startswith("/sys/fs/cgroup/systemd/")][:200]
    return none_of(writable([f"/proc/sys/{name}" for name in names] + ["/proc/sysrq-trigger"]) + joined(groups))


def joined(groups):
    """Those control groups that let this process in: a group of the account's own may be there, and is no way out of the job's."""
    found = []
    for path in groups:
        try:
            with open(path, "w") as stream:
                stream.write("0")
            found.append(path)
        except OSError:
            pass
    return found


@attempt("nowhere")
def _():
    """The other's token and mark in all that can be read"""
    found, seen = [], 0
    roots = "/home /tmp /var/tmp /dev/shm /run /srv /scratch /mnt /media /opt/hpcampus /proc/net"
    for root in roots.split():
        for where, _, names in os.walk(root):
            for name in names:
                path = os.path.join(where, name)
                try:
                    if stat.S_ISREG(os.stat(path).st_mode) and os.stat(path).st_size < 1e6:
                        seen += 1
                        with open(path, errors="replace") as stream:
                            text = stream.read()
                        found += [path] if TOKEN in text or MARK in text else []
                except OSError:
                    pass
    return not found and seen > 5, f"{seen} files: {found or 'nothing'}"
