# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Links bring a repository without writing over anything that the student made.

nbgitpuller commits what was changed in the repository's own files before it merges, so that git has every version of them. What
git does not know stands at risk: git writes over a file that `.gitignore` names, and a deleted file that is brought back writes over
whatever has taken the place of its folder. nbgitpuller moves such files aside only if they are exactly where a new file comes to, if
that file was not renamed, and if its name is plain ASCII. Here everything that stands in the way of the repository's files moves aside.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nbgitpuller.pull import GitPuller, execute_cmd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def install() -> None:
    """Have nbgitpuller look for what is in the way as it is done here."""
    GitPuller.find_upstream_changed = find_upstream_changed
    GitPuller.rename_local_untracked = move_aside


def find_upstream_changed(puller: GitPuller, kind: str) -> list[str]:
    """Paths that the repository has added, `A`, or deleted, `D`: names as they are, and a renamed file as both."""
    changes = ["--no-renames", "--name-only", f"--diff-filter={kind}"]
    return _paths(puller, "diff", *changes, "-z", "HEAD", f"origin/{puller.branch_name}")


def move_aside(puller: GitPuller) -> Iterator[str]:
    """Move aside what is in the way; yields a line for each.

    Before that the index is laid back to the last commit, which nbgitpuller does a step later: a merge that broke off has left files
    of the repository, which would be untracked then, and in the way. Git must not guess that a student's new file belongs to a
    folder that was renamed, for it would not look what is there.
    """
    yield from puller.ensure_lock()
    yield from execute_cmd(["git", "reset", "--mixed", "--quiet"], cwd=puller.repo_dir)
    yield from execute_cmd(["git", "config", "merge.directoryRenames", "false"], cwd=puller.repo_dir)
    known = frozenset(_tree(puller, "HEAD"))
    # Of files that were taken back, too: nbgitpuller brings a deleted one back before it goes.
    paths = sorted(known.union(_tree(puller, f"origin/{puller.branch_name}")))
    for place in obstacles(Path(puller.repo_dir), paths, known):
        aside = free_name(place)
        place.rename(aside)
        yield f"Renamed {place} to {aside.name}, since the repository has a file there.\n"


def obstacles(root: Path, paths: Iterable[str], known: frozenset[str]) -> Iterator[Path]:
    """What stands where files of the repository belong, outermost first; each has to be gone before the next is asked for.

    Args:
        root: the student's copy.
        paths: the files, relative to it.
        known: paths of all files of the last commit; git itself keeps what is in them.
    """
    wanted = [PurePosixPath(path) for path in paths]
    for folder in sorted({folder for path in wanted for folder in path.parents[:-1]}):
        place = root / folder
        if os.path.lexists(place) and not _is_folder(place) and str(folder) not in known:
            yield place
    for path in wanted:
        place = root / path
        if os.path.lexists(place) and (_is_folder(place) or str(path) not in known):
            yield place


def free_name(place: Path) -> Path:
    """A name beside a file that nothing has yet: with the time before its ending, as nbgitpuller writes it."""
    stamp = dt.datetime.now().astimezone().strftime("%Y%m%d%H%M%S")
    numbers = itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
    names = (place.with_name(f"{place.stem}__{stamp}{number}{place.suffix}") for number in numbers)
    return next(name for name in names if not os.path.lexists(name))


def _is_folder(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink()


def _tree(puller: GitPuller, commit: str) -> list[str]:
    """Paths of all files of a commit."""
    return _paths(puller, "ls-tree", "-r", "--full-tree", "--name-only", "-z", commit)


def _paths(puller: GitPuller, *argv: str) -> list[str]:
    said = subprocess.run(["git", *argv], cwd=puller.repo_dir, check=True, capture_output=True).stdout
    return [os.fsdecode(path) for path in said.split(b"\0") if path]
