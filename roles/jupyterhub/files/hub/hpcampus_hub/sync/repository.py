# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The newest files of a repository, taken out of git without a working copy.

Nothing of the repository runs: no hook, no filter, no submodule, and no helper of this host's configuration. Git speaks https only,
redirections included, asks nobody for a password, and can neither write a file beyond a limit nor take longer than one.
"""

import hashlib
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hpcampus_hub.protocol import shown

from .record import Repository

MEGABYTE = 1024 * 1024
HEAD = "refs/hpcampus/head"
PLAIN = {"100644": 0o644, "100755": 0o755, "100664": 0o644}
WHY_LEFT_OUT = {"120000": "a symbolic link", "160000": "a repository of its own"}
LEFT_OUT_SHOWN = 20
NAMES_MAX = 32
PATH_MAX_BYTES = 1000
"""Longer paths are refused by the gateway."""
NO_PROGRAM = 127
PASSED_ON = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "GIT_SSL_CAINFO")
"""What an administrator may set in the unit for the way to the git server."""


class RepositoryError(Exception):
    """The files cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What is taken: bytes of the whole as git sends it, of one order's files, of one file, how many; and seconds for one step."""

    fetched_bytes: int = 1024 * MEGABYTE
    total_bytes: int = 512 * MEGABYTE
    file_bytes: int = 100 * MEGABYTE
    files: int = 5000
    seconds: float = 600.0


@dataclass(frozen=True)
class Blob:
    """A file of the repository."""

    path: str
    mode: int
    oid: str
    size: int


@dataclass(frozen=True)
class Pack:
    """A tar of an order's files, and what it was made of."""

    file: Path
    sha256: str
    size: int
    commit: str
    paths: tuple[str, ...]
    content_bytes: int
    left_out: tuple[str, ...]


class Repositories:
    """Fetches repositories, each once, into a directory.

    Args:
        directory: of this run alone.
        limits: what is taken.
    """

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        self._directory = directory
        self._limits = limits or Limits()
        self._fetched: dict[Repository, Path] = {}

    def pack(self, repository: Repository, path: str) -> Pack:
        """Fetch a repository, and pack a folder or file of it.

        Args:
            repository: where it is.
            path: what to pack, "" for everything.

        Raises:
            RepositoryError: it cannot be fetched, or the files are not there, or more than may come.
        """
        git = self._fetched.get(repository)
        if git is None:
            git = self._fetched[repository] = self._fetch(repository)
        commit, moment = self._run(git, "log", "-1", "--format=%H %ct", HEAD).decode().split()
        blobs, left_out = self._list(git, commit, path)
        target = self._directory / f"{len(list(self._directory.iterdir()))}.tar"
        self._write(git, target, blobs, int(moment))
        with target.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Pack(
            file=target,
            sha256=digest,
            size=target.stat().st_size,
            commit=commit,
            paths=tuple(blob.path for blob in blobs),
            content_bytes=sum(blob.size for blob in blobs),
            left_out=left_out,
        )

    def _fetch(self, repository: Repository) -> Path:
        git = self._directory / f"{len(self._fetched)}.git"
        self._run(self._directory, "init", "--quiet", "--bare", "--template=", str(git))
        source = f"refs/heads/{repository.branch}" if repository.branch else "HEAD"
        try:
            self._run(
                git, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", repository.url, f"+{source}:{HEAD}"
            )  # fmt: skip
        except RepositoryError as error:
            # Of a program that was ended at the limit, git says no more than that its answer is wrong.
            sizes = [path.stat().st_size for path in (git / "objects" / "pack").glob("*")]
            most = self._limits.fetched_bytes
            why = f"it is larger than {most // MEGABYTE} MB" if max(sizes, default=0) >= most else str(error)
            raise RepositoryError(f"{repository.url} cannot be fetched: {why}") from None
        return git

    def _list(self, git: Path, commit: str, path: str) -> tuple[list[Blob], tuple[str, ...]]:
        """The files below a path, without what cannot be brought."""
        listed = self._run(git, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, *([path] if path else []))
        blobs, left_out = [], []
        for line in listed.split(b"\0")[:-1]:
            blob, why = self._read_line(line)
            if blob is not None:
                blobs.append(blob)
            elif why:
                left_out.append(why)
        if not blobs:
            raise RepositoryError(
                f"there is no file to bring at {path!r} in the repository; see sync in the course's record"
            )
        if len(blobs) > self._limits.files:
            raise RepositoryError(
                f"{len(blobs)} files are more than may come at once ({self._limits.files}); name a folder"
            )
        total = sum(blob.size for blob in blobs)
        if total > self._limits.total_bytes:
            most = self._limits.total_bytes // MEGABYTE
            raise RepositoryError(f"{total // MEGABYTE} MB are more than may come at once ({most} MB); name a folder")
        more = len(left_out) - LEFT_OUT_SHOWN
        return blobs, (*left_out[:LEFT_OUT_SHOWN], *([f"and {more} more"] if more > 0 else []))

    def _read_line(self, line: bytes) -> tuple[Blob | None, str]:
        """A file, or why it is left out; git's own files, such as .gitignore, are left out without a word."""
        head, _, name = line.partition(b"\t")
        mode, _kind, oid, size = head.decode("ascii").split()
        path = name.decode("utf-8", "backslashreplace")
        if any(part.startswith(".git") for part in path.split("/")):
            return None, ""
        if mode not in PLAIN:
            return None, f"{path}: {WHY_LEFT_OUT.get(mode, 'no plain file')}"
        if path.encode() != name or not path.isprintable() or "\\" in path:
            return None, f"{shown(path)}: its name has signs that cannot be shown"
        if path.count("/") >= NAMES_MAX or len(name) > PATH_MAX_BYTES:
            return None, f"{shown(path)}: its path is too long"
        if int(size) > self._limits.file_bytes:
            return None, f"{path}: larger than {self._limits.file_bytes // MEGABYTE} MB"
        return Blob(path, PLAIN[mode], oid, int(size)), ""

    def _write(self, git: Path, target: Path, blobs: Sequence[Blob], moment: int) -> None:
        with (
            tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive,
            self._start(git, "cat-file", "--batch") as process,
        ):
            for blob in blobs:
                _ask(process, blob)
                info = tarfile.TarInfo(blob.path)
                info.size, info.mode, info.mtime = blob.size, blob.mode, moment
                archive.addfile(info, process.stdout)
                _stream(process.stdout).read(1)  # a line's end
            _stream(process.stdin).close()

    def _run(self, git: Path, *words: str) -> bytes:
        """Run git and give what it prints."""
        with self._start(git, *words) as process:
            try:
                out, err = process.communicate(timeout=self._limits.seconds)
            except subprocess.TimeoutExpired:
                raise RepositoryError(f"git did not finish within {self._limits.seconds:g} s") from None
        if process.returncode == NO_PROGRAM:
            raise RepositoryError("git is not installed on the hub; run the step courses again")
        if process.returncode:
            raise RepositoryError(self._explain(err.decode("utf-8", "replace")))
        return out

    @staticmethod
    def _explain(said: str) -> str:
        if "could not read Username" in said or "terminal prompts disabled" in said:
            return "it asks for a name and a password, or is not there; it must be readable without one"
        lines = [line.removeprefix("fatal: ") for line in said.splitlines() if line.strip()]
        return shown(lines[-1]) if lines else "git gave no reason"

    @contextmanager
    def _start(self, git: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Git in a group of its own, which ends as a whole."""
        argv = ["prlimit", f"--fsize={self._limits.fetched_bytes}", "--core=0", "--", "git"]
        for setting in (
            "core.hooksPath=/dev/null",
            "credential.helper=",
            "fetch.unpackLimit=1",  # one file, which the limit of files bounds
            "gc.auto=0",
            "http.lowSpeedLimit=1000",
            "http.lowSpeedTime=60",
        ):
            argv += ["-c", setting]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._directory),
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": "https",
            "GIT_ASKPASS": "/bin/false",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*argv, *words], cwd=git, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        with process:
            try:
                yield process
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RepositoryError("git has no pipe")
    return stream


def _ask(process: subprocess.Popen[bytes], blob: Blob) -> None:
    """Ask ``git cat-file --batch`` for a file, and read what comes before its content."""
    stdin = _stream(process.stdin)
    stdin.write(blob.oid.encode() + b"\n")
    stdin.flush()
    answer = _stream(process.stdout).readline().split()
    if answer[1:] != [b"blob", str(blob.size).encode()]:
        raise RepositoryError(f"{blob.path} is missing in what was fetched")
