# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Brings a plain account into a wanted state: the far end of the action `account_files`.

The action pipes this text into ``python3 -I -`` on the login node, with one last line that calls ``main``. It runs as the
account, needs no privilege and nothing but the standard library of Python 3.6.

It writes below two places only: the root directory it is told, and ``~/.ssh/authorized_keys``. Every step below them is
opened in the directory above and never followed if it is a symbolic link, so that no name leads out. A file is written
beside its place and renamed, so that an interrupted run leaves the old one or the new one.
"""

import contextlib
import errno
import fcntl
import json
import os
import pwd
import stat
import sys
import typing as t

PART = ".hpcampus-part-"
KEYS_MAX_BYTES = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
Wanted = t.Dict[str, t.Any]


class Refused(Exception):  # noqa: N818 (it is what the program does)
    """The account is not as it has to be; the text says what is there and what to do."""


def clear(error: OSError) -> str:
    """The words of the system for an error."""
    return error.strerror or type(error).__name__


class Account:
    """One pass over the account.

    Args:
        wanted: what the action wants, see ``main``.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.check = bool(wanted["check"])
        self.root = str(wanted["root"])
        self.mark = str(wanted["mark"])
        self.paths = []  # type: t.List[str]
        self.diffs = []  # type: t.List[t.Dict[str, str]]
        self.warnings = []  # type: t.List[str]

    def note(self, path: str, before: str, after: str) -> None:
        """Take down a change, each once."""
        if path in self.paths:
            return
        self.paths.append(path)
        self.diffs.append({"before_header": path, "after_header": path, "before": before, "after": after})

    # --- directories --------------------------------------------------------------------------------------------------

    def open_root(self) -> t.Optional[int]:
        """Open the root, or make it where its parent is there; None when it is missing and this is a check."""
        parent, name = os.path.split(self.root)
        try:
            above = os.open(os.path.realpath(parent), os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise Refused(
                "{} cannot be used: {}: {}. Ask the centre for a directory, or name another one.".format(
                    self.root, parent, clear(error)
                )
            ) from None
        try:
            return self.open_below(above, name, self.root, make=True)
        finally:
            os.close(above)

    def open_below(self, above: int, name: str, path: str, make: bool) -> t.Optional[int]:
        """Open the directory ``name`` of an open directory; it must be a real one of this account's own.

        Returns:
            A descriptor; None when it is missing and was not to be made, or only would have been.

        Raises:
            Refused: a link, no directory, somebody else's, or it cannot be made.
        """
        try:
            handle = os.open(name, _DIRECTORY, dir_fd=above)
        except FileNotFoundError:
            if not make:
                return None
            self.note(path, "", "directory\n")
            if self.check:
                return None
            try:
                os.mkdir(name, 0o700, dir_fd=above)
            except OSError as error:
                raise Refused(f"{path} cannot be made: {clear(error)}.") from None
            return os.open(name, _DIRECTORY, dir_fd=above)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise Refused(
                    "{} is a symbolic link or no directory, and nothing is written through it."
                    " Remove it, or name the directory that it leads to.".format(path)
                ) from None
            raise Refused(f"{path} cannot be opened: {clear(error)}.") from None
        owner = os.fstat(handle).st_uid
        if owner != os.getuid():
            os.close(handle)
            raise Refused(
                "{} belongs to {}, not to this account: others could change what runs here. Name a directory below it.".format(
                    path, user_name(owner)
                )
            )
        return handle

    def open_directory(self, root: int, relative: str, make: bool = False) -> t.Optional[int]:
        """Open a directory below the root, step by step."""
        handle = os.dup(root)  # type: t.Optional[int]
        path = self.root
        for name in [part for part in relative.split("/") if part]:
            path += "/" + name
            if handle is None:
                if make:
                    self.note(path, "", "directory\n")
                continue
            below = self.open_below(handle, name, path, make)
            os.close(handle)
            handle = below
        return handle

    def directory(self, root: t.Optional[int], wanted: Wanted) -> None:
        """Make a directory, or mend its mode."""
        path = self.path(wanted)
        if root is None:
            if wanted["path"]:
                self.note(path, "", "directory\n")
            return
        handle = self.open_directory(root, wanted["path"], make=True)
        if handle is None:
            return
        try:
            mode = stat.S_IMODE(os.fstat(handle).st_mode) & 0o777
            if mode != wanted["mode"]:
                self.note(path, f"mode {mode:04o}\n", "mode {:04o}\n".format(wanted["mode"]))
                if not self.check:
                    os.fchmod(handle, wanted["mode"])
        finally:
            os.close(handle)

    def path(self, wanted: Wanted) -> str:
        """The whole path of an entry."""
        return (self.root + "/" + str(wanted["path"])).rstrip("/")

    # --- files --------------------------------------------------------------------------------------------------------

    def file(self, root: t.Optional[int], wanted: Wanted) -> None:
        """Write a file, or mend its mode. A link in its place is replaced, never followed."""
        path, content = self.path(wanted), wanted["content"].encode("utf-8")
        folder, name = os.path.split(wanted["path"])
        handle = None if root is None else self.open_directory(root, folder)
        if handle is None:
            if not self.check:
                raise Refused(f"{path} cannot be made, for its directory is not among the wanted ones.")
            self.note(path, "", wanted["content"])
            return
        try:
            before, mode = read(handle, name, path)
            if before != content:
                self.note(path, "" if before is None else before.decode("utf-8", "replace"), wanted["content"])
            elif mode != wanted["mode"]:
                self.note(path, f"mode {mode:04o}\n", "mode {:04o}\n".format(wanted["mode"]))
            else:
                return
            if not self.check:
                replace(handle, name, content, wanted["mode"])
        finally:
            os.close(handle)

    def tidy(self, root: int, folder: str, keep: t.Optional[t.Collection[str]]) -> None:
        """Remove from a directory what an interrupted run left, and every file that is not to be kept.

        Args:
            root: the open root directory.
            folder: the directory, relative to the root.
            keep: names of the wanted files; None keeps every file that is no leftover.
        """
        handle = self.open_directory(root, folder)
        if handle is None:
            return
        try:
            for name in sorted(os.listdir(handle)):
                info = os.stat(name, dir_fd=handle, follow_symlinks=False)
                unwanted = keep is not None and name not in keep
                if not stat.S_ISDIR(info.st_mode) and (unwanted or name.startswith(PART)):
                    self.remove(handle, name, "/".join(part for part in (self.root, folder, name) if part))
        finally:
            os.close(handle)

    def remove(self, handle: int, name: str, path: str) -> None:
        """Remove a file."""
        self.note(path, "file\n", "")
        if not self.check:
            os.unlink(name, dir_fd=handle)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def keys(self, lines: t.List[str]) -> None:
        """Put our lines into ``~/.ssh/authorized_keys``, where they stood before or at the end; every other line stays.

        Args:
            lines: whole lines without an end, each with our mark as its last word; none takes ours away. Without a mark the
                file of keys is not looked at.
        """
        if not self.mark:
            return
        entry = pwd.getpwuid(os.getuid())
        path = entry.pw_dir + "/.ssh/authorized_keys"
        try:
            home = os.open(os.path.realpath(entry.pw_dir), os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise Refused(f"the account's home {entry.pw_dir} cannot be opened: {clear(error)}.") from None
        handle = None
        try:
            if os.fstat(home).st_mode & 0o022:
                self.warnings.append(
                    f"others may write to the home {entry.pw_dir}: sshd refuses keys there unless the centre turned that off"
                )
            handle = self.open_below(home, ".ssh", entry.pw_dir + "/.ssh", make=bool(lines))
            before, mode = (None, 0o600) if handle is None else read_keys(handle, path)
            found = [] if before is None else before.splitlines(True)
            wanted = [line.encode("ascii") + b"\n" for line in lines]
            ours = [line for line in found if is_marked(line, self.mark)]
            self.refuse_open_keys([line for line in found if line not in ours], wanted, path)
            if ours == wanted:
                return
            self.note(path, text(ours), text(wanted))
            if handle is not None and not self.check:
                replace(handle, "authorized_keys", merged(found, wanted, self.mark), mode)
        finally:
            if handle is not None:
                os.close(handle)
            os.close(home)

    def refuse_open_keys(self, others: t.List[bytes], wanted: t.List[bytes], path: str) -> None:
        """Stop when a line that is not ours holds the hub's key: it would open what our line keeps shut."""
        for line in wanted:
            key = next(word for word in line.split(b" ") if word.startswith(b"AAAA"))
            for other in others:
                if key in other.split() and not other.lstrip().startswith(b"#"):
                    raise Refused(
                        "{} holds the hub's key in another line than ours, perhaps without a restriction. Remove that line"
                        " by hand: it ends with {}".format(path, ascii(other.strip().decode("utf-8", "replace")[-40:]))
                    )

    # --- the pass -----------------------------------------------------------------------------------------------------

    def present(self, wanted: Wanted) -> None:
        """Make what is missing and mend what differs. The key comes last: it never opens a door to nowhere."""
        root = self.open_root()
        lock(root)
        for entry in wanted["directories"]:
            self.directory(root, entry)
        if root is not None:
            for folder in [""] + [entry["path"] for entry in wanted["directories"] if entry["path"]]:
                self.tidy(root, folder, kept_names(wanted, folder))
        for entry in wanted["files"]:
            self.file(root, entry)
        self.keys(wanted["keys"])

    def absent(self, wanted: Wanted) -> None:
        """Take away the key first, then the programs, then directories that are empty. What else is there stays."""
        self.keys([])
        try:
            root = self.open_root_to_leave()
        except FileNotFoundError:
            return
        lock(root)
        for entry in wanted["files"]:
            folder, name = os.path.split(entry["path"])
            handle = self.open_directory(root, folder)
            if handle is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.stat(name, dir_fd=handle, follow_symlinks=False)
                    self.remove(handle, name, self.path(entry))
                os.close(handle)
        folders = [entry["path"] for entry in wanted["directories"] if entry["path"]]
        for folder in folders:
            self.tidy(root, folder, kept_names(wanted, folder) and ())
            self.forget_compiled(root, folder)
        for folder in sorted(folders, key=lambda path: -path.count("/")):
            self.remove_empty(root, folder)

    def open_root_to_leave(self) -> int:
        """Open the root as it is; FileNotFoundError when there is none."""
        parent, name = os.path.split(self.root)
        above = os.open(os.path.realpath(parent), os.O_RDONLY | os.O_DIRECTORY)
        try:
            handle = self.open_below(above, name, self.root, make=False)
        finally:
            os.close(above)
        if handle is None:
            raise FileNotFoundError
        return handle

    def forget_compiled(self, root: int, folder: str) -> None:
        """Remove what Python compiled of our programs."""
        handle = self.open_directory(root, folder + "/__pycache__")
        if handle is None:
            return
        for name in os.listdir(handle):
            if name.endswith(".pyc") and not self.check:
                os.unlink(name, dir_fd=handle)
        os.close(handle)
        self.remove_empty(root, folder + "/__pycache__")

    def remove_empty(self, root: int, folder: str) -> None:
        """Remove a directory if nothing is in it; a check, which leaves everything in it, cannot tell."""
        above, name = os.path.split(folder)
        handle = None if self.check else self.open_directory(root, above)
        if handle is None:
            return
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=handle)
            self.note(f"{self.root}/{folder}", "directory\n", "")
        os.close(handle)


def kept_names(wanted: Wanted, folder: str) -> t.Optional[t.List[str]]:
    """Names of the files of a directory that holds nothing but ours; None for one where others may have files."""
    if folder not in wanted["exclusive"]:
        return None
    split = [os.path.split(entry["path"]) for entry in wanted["files"]]
    return [name for place, name in split if place == folder]


def user_name(uid: int) -> str:
    """The name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def lock(root: t.Optional[int]) -> None:
    """Keep a second run out for as long as this process lives; where the file system has no locks, go on without."""
    if root is None:
        return
    try:
        fcntl.flock(root, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused("another run is at work in this account. Wait until it has ended.") from None
    except OSError:
        return


def read(handle: int, name: str, path: str) -> "t.Tuple[t.Optional[bytes], int]":
    """Content and mode of a regular file of an open directory; (None, 0) when there is none or a link is in its place."""
    try:
        info = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None, 0
    if stat.S_ISDIR(info.st_mode):
        raise Refused(f"{path} is a directory. Move it away, then run this again.")
    if not stat.S_ISREG(info.st_mode):
        return None, 0
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle), "rb") as stream:
        return stream.read(), stat.S_IMODE(info.st_mode)


def read_keys(handle: int, path: str) -> "t.Tuple[t.Optional[bytes], int]":
    """Content and mode of the file of keys; it belongs to a person, so what is strange about it is not mended but told."""
    try:
        info = os.stat("authorized_keys", dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None, 0o600
    if not stat.S_ISREG(info.st_mode) or info.st_size > KEYS_MAX_BYTES:
        raise Refused(
            f"{path} is no regular file, or larger than a megabyte: it was left as it is. Look at it by hand."
        )
    content, mode = read(handle, "authorized_keys", path)
    return content, mode


def replace(handle: int, name: str, content: bytes, mode: int) -> None:
    """Put a file in place in one step."""
    part = PART + str(os.getpid())
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part, dir_fd=handle)
    new = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=handle)
    try:
        with os.fdopen(new, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.rename(part, name, src_dir_fd=handle, dst_dir_fd=handle)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=handle)
        raise


def is_marked(line: bytes, mark: str) -> bool:
    """Whether a line of authorized_keys is ours: a key whose comment is our mark."""
    words = line.split()
    return len(words) > 1 and words[-1] == mark.encode("ascii") and not words[0].startswith(b"#")


def merged(found: t.List[bytes], wanted: t.List[bytes], mark: str) -> bytes:
    """The file of keys with our lines in place of our old ones, or at its end; not a byte of the others is changed."""
    result = []  # type: t.List[bytes]
    left = list(wanted)
    for line in found:
        if not is_marked(line, mark):
            result.append(line)
        elif left:
            result += left
            left = []
    if left and result and not result[-1].endswith(b"\n"):
        result.append(b"\n")
    return b"".join(result + left)


def text(lines: t.List[bytes]) -> str:
    """Lines as a difference shows them."""
    return b"".join(lines).decode("utf-8", "replace")


def main(wanted: Wanted) -> int:
    """Do what is wanted and print one line: the nonce and a JSON object.

    Args:
        wanted: ``nonce``, ``check``, ``state`` (``present`` or ``absent``), ``root``; ``directories`` with ``path`` relative to
            the root and ``mode``; ``files`` with ``path``, ``content``, ``mode``; ``exclusive``, directories in which no other file
            stays; ``mark`` and ``keys``, the lines of authorized_keys.

    Returns:
        The exit status: 0 also when the answer tells of a failure.
    """
    os.umask(0o077)
    account = Account(wanted)
    answer = {}  # type: t.Dict[str, t.Any]
    try:
        (account.present if wanted["state"] == "present" else account.absent)(wanted)
    except Refused as error:
        answer = {"failed": True, "msg": str(error)}
    except OSError as error:
        answer = {"failed": True, "msg": "{}: {}. Nothing was left half written.".format(account.root, clear(error))}
    answer.update(
        {"changed": bool(account.paths), "paths": account.paths, "diff": account.diffs, "notices": account.warnings}
    )
    sys.stdout.write("\n" + str(wanted["nonce"]) + json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0
