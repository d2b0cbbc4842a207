# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's own packages in one file: an ext3 file system that the container mounts, if the site chose so.

One file instead of ten thousand, with a size that cannot be exceeded. Every server of a person has a file for each image:
``BASE/users/ID/overlays/IMAGE.img``, and ``IMAGE.SERVER.img`` for a named server, so that two servers at the same time never want the
same one. The file is locked for as long as the job lives, examined before it is mounted, repaired if the last job was killed, and
put aside, never deleted, if that is not possible.

Nothing of this keeps a server from starting: whatever is wrong is said in the job's log and in the home, and packages are looked for
in the home instead, as without an overlay.
"""

import collections
import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import time

from .container import runtime_env, with_module
from .files import PREFIX, require_real
from .log import JobError, log

CONTAINER_OWN = "/opt/own"
INSIDE = "/own"
FILES_MAX = 16
LOCK_SECONDS = 10
MAKE_SECONDS = 60
CHECK_SECONDS = 120
MOUNT_SECONDS = 30
BYTES_PER_INODE = 8192
JOURNAL_MB = 4
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
REPAIRED, LEFT_DAMAGED = 1, 4
_SUPERBLOCK_AT, _MAGIC = 1024, 0xEF53
Overlay = collections.namedtuple("Overlay", "path lock notice")
Superblock = collections.namedtuple("Superblock", "is_ext clean label")


class OverlayError(Exception):
    """The file cannot be used this time; the message says why and what helps."""


class DamagedError(OverlayError):
    """What is in the file cannot be brought back by a program."""


def overlay_path(base_dir, spawn):
    """Path of the file: one for each user, image and named server. Slugs have no dots."""
    server = "." + spawn["server_id"] if spawn["server_id"] else ""
    return "{}/users/{}/overlays/{}{}.img".format(base_dir, spawn["user_id"], spawn["image"], server)


def owner_label(spawn):
    """What the file system is called, at most 16 letters, so that a file in a wrong place is told from the right one."""
    text = "/".join((spawn["user_id"], spawn["image"], spawn["server_id"]))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def open_overlay(base_dir, spawn):
    """Lock the file and make it fit to be mounted.

    Returns:
        Overlay: ``path``, the handle of the ``lock``, and a ``notice`` for the person ("" if there is nothing to tell).

    Raises:
        OverlayError: it cannot be used; nothing stays locked.
    """
    path = overlay_path(base_dir, spawn)
    lock = None
    try:
        make_folder(base_dir, os.path.dirname(path))
        lock = take_lock(path[: -len(".img")] + ".lock")
        notice = make_ready(path, owner_label(spawn), spawn["overlay_mb"])
        try_mount(spawn, "{}/images/{}.sif".format(base_dir, spawn["image"]), path)
    except BaseException as error:
        if lock is not None:
            os.close(lock)
        if isinstance(error, OSError):
            raise OverlayError(f"{path}: {error.strerror}") from error
        raise
    return Overlay(path, lock, notice)


def make_ready(path, label, size_mb):
    """Examine the file, put a damaged one aside, make one where there is none; returns the notice for the person."""
    notice = ""
    if os.path.lexists(path):
        try:
            if examine(path, label):
                notice = AFTER_REPAIR.format(time.strftime("%Y-%m-%d %H:%M"))
        except DamagedError as error:
            aside = os.path.basename(set_aside(path))
            log("overlay-set-aside", f"{error}; kept as {aside}")
            notice = AFTER_DAMAGE.format(time.strftime("%Y-%m-%d %H:%M"), aside)
    if not os.path.lexists(path):
        make(path, label, size_mb)
    return notice


AFTER_DAMAGE = """{}: The packages that you installed were damaged beyond repair, probably when a server was ended by force.
Your files are not concerned. This server began with an empty place for packages: install them again with pip install.
The damaged packages are kept as {}; your administrator may be able to read them.
"""
AFTER_REPAIR = """{}: The last server was ended by force, and the packages that you installed had to be repaired.
Your files are not concerned. If a package does not work any more: pip install --force-reinstall NAME.
"""
LEFT_OUT = """{}: The packages that you installed are not there this time: {}.
Your files are not concerned. Stop this server and start it again; if that does not help, show this to your administrator.
What you install meanwhile goes into your home.
"""


def make_folder(base_dir, folder):
    """Make the directory of a person's overlays; JobError's words if it is reached through a link."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    try:
        require_real(folder, base_dir)
    except JobError as error:
        raise OverlayError(str(error)) from error


def take_lock(path):
    """Lock a file beside the overlay: Apptainer locks the overlay itself, which a network file system could not tell from our lock.

    Raises:
        OverlayError: another job holds it, also after a wait for one that is ending.
        OSError: there are no locks here; two servers could destroy the file, so that it is not used.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        locked = lock_in_time(handle)
    except OSError:
        os.close(handle)
        raise
    if not locked:
        os.close(handle)
        raise OverlayError("they are in use by a job of this server that has not ended yet")
    return handle


def lock_in_time(handle):
    """Lock an open file, waiting for a job that is ending; returns whether it was possible."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not lock_now(handle):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def lock_now(handle):
    """Lock an open file if nobody holds it; returns whether it was possible."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_superblock(handle):
    """What an ext file system says of itself: whether it is one, whether it was unmounted, and its label."""
    block = os.pread(handle, 1024, _SUPERBLOCK_AT)
    if len(block) < 1024 or struct.unpack_from("<H", block, 56)[0] != _MAGIC:
        return Superblock(False, False, "")
    state, needs_recovery = struct.unpack_from("<H", block, 58)[0], struct.unpack_from("<I", block, 96)[0] & 4
    label = block[120:136].split(b"\0")[0].decode("ascii", "replace")
    return Superblock(True, bool(state & 1) and not state & 2 and not needs_recovery, label)


def examine(path, label):
    """Refuse what is not this person's own plain file, and repair it where that is possible.

    Returns:
        bool: whether something may be missing after a repair.

    Raises:
        OverlayError: it is not what should lie here.
        DamagedError: it is, and is beyond repair.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise OverlayError(f"{path} cannot be opened as a plain file ({error.strerror})") from error
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.getuid() or info.st_nlink != 1:
            raise OverlayError(f"{path} is not a plain file of this account with one name")
        block = read_superblock(handle)
    finally:
        os.close(handle)
    if not block.is_ext:
        raise DamagedError("there is no file system in it")
    if block.label != label:
        raise OverlayError(f"{path} was made for somebody or something else; if it belongs here: tune2fs -L {label}")
    return not block.clean and repair(path)


def repair(path):
    """Let e2fsck do what it does without questions, and if that is not enough, what it would propose.

    The second is usual: fuse2fs keeps no journal, so that the files of a killed job's last seconds hang in the air.

    Returns:
        bool: whether the second was needed, so that something may be missing.

    Raises:
        DamagedError: neither was enough.
        OverlayError: e2fsck could not do its work.
    """
    began = time.monotonic()
    status, said = run([program("e2fsck"), "-p", path], CHECK_SECONDS)
    proposals = bool(status & LEFT_DAMAGED)
    if proposals:
        log("overlay-damaged", in_short(said))
        status, said = run([program("e2fsck"), "-y", path], CHECK_SECONDS)
    if status & LEFT_DAMAGED or (proposals and not has_place(path)):
        raise DamagedError(f"e2fsck could not bring it back ({in_short(said)})")
    if status & ~(REPAIRED | 2):
        raise OverlayError(f"e2fsck could not examine them (status {status}, {in_short(said)})")
    log("overlay-repaired", f"after a job that was killed; e2fsck took {time.monotonic() - began:.1f} s")
    return proposals


def has_place(path):
    """Whether the directory that the container mounts is there."""
    return "Type: directory" in run([program("debugfs"), "-R", "stat " + INSIDE, path], CHECK_SECONDS)[1]


def make(path, label, size_mb):
    """Make an empty file system in a sparse file, whole or not at all.

    Raises:
        OverlayError: no room, no program, or too many files already.
    """
    folder, partial = os.path.dirname(path), path + ".part"
    if len([name for name in os.listdir(folder) if ".img" in name]) >= FILES_MAX:
        raise OverlayError(f"{folder} holds {FILES_MAX} files already; the administrator may remove old ones")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(partial)
    try:
        with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.truncate(size_mb * 1024 * 1024)
        fill(partial, label)
        os.rename(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise
    log("overlay-made", f"{size_mb} MB")


def fill(path, label):
    """Put a file system with one directory of this account's own into the file."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as tree:
        os.mkdir(tree + INSIDE, 0o700)
        argv = [program("mkfs.ext3"), "-q", "-F", "-m", "0", "-i", str(BYTES_PER_INODE), "-J", f"size={JOURNAL_MB}"]
        status, said = run([*argv, "-L", label, "-d", tree, path], MAKE_SECONDS)
    if status:
        raise OverlayError(f"no file for packages could be made: {in_short(said)}")


def set_aside(path):
    """Give a damaged file a name with the date; it is never overwritten."""
    aside = "{}.damaged-{}".format(path, time.strftime("%Y%m%d-%H%M%S"))
    while os.path.lexists(aside):
        aside += "x"
    os.rename(path, aside)
    return aside


def try_mount(spawn, image, path):
    """Mount the file once, writable: without fuse2fs on the node, say, the server would not start at all."""
    argv = [spawn["apptainer"], "--silent", "exec", "--containall", "--cleanenv", "--no-eval"]
    argv += ["--bind", f"{path}:{CONTAINER_OWN}:image-src={INSIDE}", image, "test", "-w", CONTAINER_OWN]
    status, said = run(with_module(argv, spawn.get("module", "")), MOUNT_SECONDS)
    if status:
        raise OverlayError(
            f"{os.path.basename(path)} cannot be mounted on this node ({in_short(said) or 'not writable'})"
        )


def program(name):
    """Path of a program of e2fsprogs."""
    path = shutil.which(name, path=PATH)
    if path is None:
        raise OverlayError(f"this node has no {name}; the administrator may install e2fsprogs")
    return path


def run(argv, seconds):
    """Run a program; returns (exit status, what it said).

    Raises:
        OverlayError: it took too long.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=runtime_env(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OverlayError(f"{os.path.basename(argv[0])} took more than {seconds} s") from None
    return done.returncode, done.stdout.decode("utf-8", "replace")


def in_short(said):
    """The end of what a program said, on one line, without what cannot be seen: names in the file are a student's."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return ascii("; ".join(lines)[-200:])[1:-1]
