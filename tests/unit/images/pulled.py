# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A teacher's repository and a student's copy of it, with real git and real nbgitpuller; every pull is checked for lost work."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbgitpuller.pull import GitPuller

    Changes = Mapping[str, str | bytes | None]

BRANCH = "main"


def git(directory: Path, *argv: str) -> bytes:
    """Run git as somebody who has a name, without any configuration of this machine."""
    person = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    return subprocess.run(["git", *person, *argv], cwd=directory, check=True, capture_output=True).stdout


def files(root: Path) -> dict[str, bytes]:
    """Every file below a directory but git's own, with what is in it."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    named = {path.relative_to(root): path for path in found}
    return {str(name): path.read_bytes() for name, path in named.items() if ".git" not in name.parts}


def blobs(repository: Path, *commits: str) -> Iterator[bytes]:
    """What is in the files of all commits from which one can go back, such as `--all --reflog`."""
    listed = git(repository, "rev-list", "--objects", "--no-object-names", *commits)
    answer = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=repository, input=listed, check=True, capture_output=True
    ).stdout
    while answer:
        head, _, rest = answer.partition(b"\n")
        kind, size = head.split()[1:]
        if kind == b"blob":
            yield rest[: int(size)]
        answer = rest[int(size) + 1 :]


@dataclass
class Teacher:
    """Whoever makes the exercises.

    Attributes:
        desk: Her own copy.
        url: Address of the repository.
    """

    desk: Path
    url: str

    def publish(self, changes: Changes) -> None:
        """Write files and publish; see :func:`write`."""
        write(self.desk, changes)
        self.commit()

    def commit(self) -> None:
        """Publish all that lies on the desk, even files that .gitignore names."""
        git(self.desk, "add", "--all", "--force")
        git(self.desk, "commit", "--quiet", "--allow-empty", "--message", "exercises")
        git(self.desk, "push", "--quiet", "--force", "origin", BRANCH)


@dataclass
class Student:
    """Whoever opens the link.

    Attributes:
        home: Her copy of the repository.
        url: Address of the repository.
        puller: What pulls it.
        said: What the last pull said.
    """

    home: Path
    url: str
    puller: type[GitPuller]
    said: str = field(default="", init=False)

    def open_link(self) -> Student:
        """Have the repository pulled as the image does, and check that nothing is lost, whether it works or not.

        Raises:
            Exception: The pull failed; the student sees why.
        """
        before, own = files(self.home), self._own_lines()
        self.said = ""
        try:
            for line in self.puller(self.url, str(self.home), branch=BRANCH).pull():
                self.said += line
        finally:
            after = files(self.home)
            kept = {*after.values(), *blobs(self.home, "--all", "--reflog", "HEAD")}
            lost = sorted(name for name, content in before.items() if content not in kept)
            assert not lost, f"lost: {lost}\n{self.said}"
            lines = {line for content in after.values() for line in content.splitlines()}
            assert own <= lines, f"out of sight: {own - lines}\n{self.said}"
        return self

    def _own_lines(self) -> set[bytes]:
        """Lines that only the student can have written, as far as they lie in files now."""
        if not self.home.exists():
            return set()
        written = {line for content in files(self.home).values() for line in content.splitlines()}
        origin = {line for content in blobs(self.home, "--remotes") for line in content.splitlines()}
        return written - origin

    def write(self, changes: Changes) -> None:
        """Write files; see :func:`write`."""
        write(self.home, changes)

    def commit(self) -> None:
        """Commit everything, as a student who knows git."""
        git(self.home, "add", "--all")
        git(self.home, "commit", "--quiet", "--message", "mine")

    def read(self, name: str) -> str:
        """A file of the copy."""
        return (self.home / name).read_text(encoding="utf-8")

    def names(self) -> list[str]:
        """Names of all files of the copy."""
        return sorted(files(self.home))

    def aside(self, pattern: str) -> str:
        """What is in the only file that was moved aside under a name like this one."""
        (found,) = self.home.glob(pattern)
        return found.read_text(encoding="utf-8")


def write(root: Path, changes: Changes) -> None:
    """Write each file, or delete it where there is None; folders come and go with their files."""
    for name, content in changes.items():
        path = root / name
        if content is None:
            path.unlink()
            if path.parent != root and not any(path.parent.iterdir()):
                path.parent.rmdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def classroom(directory: Path, puller: type[GitPuller]) -> tuple[Teacher, Student]:
    """An empty repository in a directory, and the two people."""
    bare, desk = directory / "exercises.git", directory / "desk"
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "--quiet", "--bare", "--initial-branch", BRANCH, str(bare))
    git(directory, "clone", "--quiet", str(bare), str(desk))
    git(desk, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    return Teacher(desk, f"file://{bare}"), Student(directory / "exercises", f"file://{bare}", puller)
