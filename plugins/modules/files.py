# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make directories and write files in one pass over a host."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import tempfile
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcampus.platform.plugins.module_utils.wanted import argument_spec

DOCUMENTATION = r"""
module: files
short_description: Make directories and write files in one pass
version_added: "0.1.0"
description:
  - Makes directories and writes files in the order given, with owner, group and mode, each file by an atomic rename.
  - What M(ansible.builtin.file) and M(ansible.builtin.copy) do one by one is done here in one visit of the host,
    so that a run that finds nothing to do is over soon.
  - On the way to a directory, links are followed only if root has made them, and its rights are set through the open directory,
    so that nobody can put another one in its place meanwhile.
  - With C(--check), what needs an account, a group or a directory that is not there yet counts as a change.
extends_documentation_fragment:
  - hpcampus.platform.wanted
attributes:
  check_mode:
    support: full
    description: Tells what would change.
  diff_mode:
    support: full
    description: Shows what changes in each file.
author: hpcampus contributors
"""

EXAMPLES = r"""
- name: Install a program and its settings
  hpcampus.platform.files:
    directories:
      - path: /etc/example
    files:
      - path: /etc/example/settings.json
        content: "{{ settings | to_nice_json }}\n"
        validate: /usr/bin/python3 -I -m json.tool %s
"""

RETURN = r"""
paths:
  description: What was changed, in the order given.
  returned: always
  type: list
  elements: str
  sample: [/etc/example/settings.json]
"""


LINKS_MAX = 40
_SEE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW


class InTheWayError(Exception):
    """Something else is where a directory is wanted, or on the way to it; the text says what to do."""


class Files:
    """The pass over a host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.paths: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def directory(self, wanted: dict[str, t.Any]) -> None:
        """Make a directory, or mend its owner, group and mode."""
        path = Path(wanted["path"])
        try:
            handle = open_directory(wanted["path"], make=False)
            if handle is None:
                self._note(path, "", "directory\n")
                if self.module.check_mode:
                    return
                handle = open_directory(wanted["path"], make=True)
            try:
                self._own_directory(wanted, handle)
            finally:
                os.close(handle)
        except InTheWayError as error:
            self.module.fail_json(msg=str(error), paths=self.paths)
        except OSError as error:
            self.module.fail_json(msg=f"{path} cannot be made as it shall be: {error.strerror}.", paths=self.paths)

    def _own_directory(self, wanted: dict[str, t.Any], handle: int) -> None:
        """Mend owner, group and mode of an open directory; in check mode also where account or group are still to come."""
        to_come = self.module.check_mode and not _known(wanted)
        self._note_rights(wanted, changed=to_come or self._mend(wanted, handle))

    def _mend(self, wanted: dict[str, t.Any], handle: int) -> bool:
        """Compare, and change what differs unless in check mode."""
        try:
            uid, gid, mode = _user_id(wanted["owner"]), _group_id(wanted["group"]), int(wanted["mode"], 8)
        except KeyError as error:
            self.module.fail_json(msg=f"{wanted['path']} was left as it is: {error.args[0]}.", paths=self.paths)
        except ValueError:
            self.module.fail_json(msg=f"{wanted['path']}: the mode {wanted['mode']} is not written in octal digits.")
        found = os.fstat(handle)
        if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (uid, gid, mode):
            return False
        if not self.module.check_mode:
            # What was seen is opened, not what has its name by now.
            directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=handle)
            try:
                os.fchown(directory, uid, gid)
                os.fchmod(directory, mode)
            finally:
                os.close(directory)
        return True

    def file(self, wanted: dict[str, t.Any]) -> None:
        """Write a file, or mend its owner, group and mode. A link is replaced, never followed."""
        path = Path(wanted["path"])
        if path.is_dir() and not path.is_symlink():
            self.module.fail_json(msg=f"{path} is a directory. Move it away, then run this again.")
        there = path.is_file() and not path.is_symlink()
        before = path.read_bytes() if there else b""
        after = wanted["content"].encode(wanted["encoding"])
        if not there or (before != after and not wanted["keep"]):
            self._note(path, before.decode(errors="replace"), wanted["content"])
            if self.module.check_mode:
                return
            if not path.parent.is_dir():
                self.module.fail_json(msg=f"{path} cannot be made, for there is no directory {path.parent}.")
            self._replace(wanted, after)
        self._own(wanted, path)

    def _replace(self, wanted: dict[str, t.Any], content: bytes) -> None:
        """Put a checked file in the place of the old one; it is never there with other rights than it shall have."""
        path = Path(wanted["path"])
        handle, name = tempfile.mkstemp(prefix=".hpcampus-", dir=path.parent)
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            if wanted["validate"]:
                self._validate(wanted, new)
            self.module.set_fs_attributes_if_different(self._attributes(wanted, new), False)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    def _validate(self, wanted: dict[str, t.Any], new: Path) -> None:
        if "%s" not in wanted["validate"]:
            self.module.fail_json(msg=f"validate of {wanted['path']} does not name the file as %s.")
        status, out, err = self.module.run_command(wanted["validate"] % new)
        if status != 0:
            said = (err or out).strip()
            self.module.fail_json(
                msg=f"{wanted['path']} was left as it is, since the new one is refused: {said}",
                rc=status,
                paths=self.paths,
            )

    def _own(self, wanted: dict[str, t.Any], path: Path) -> None:
        """Mend owner, group and mode; in check mode also where account or group are still to come."""
        if self.module.check_mode and not _known(wanted):
            changed = True
        else:
            changed = self.module.set_fs_attributes_if_different(self._attributes(wanted, path), False)
        self._note_rights(wanted, changed=changed)

    def _note_rights(self, wanted: dict[str, t.Any], *, changed: bool) -> None:
        if changed and wanted["path"] not in self.paths:
            rights = f"{wanted['owner']}:{wanted['group']} {wanted['mode']}\n"
            self._note(Path(wanted["path"]), "", rights)

    def _attributes(self, wanted: dict[str, t.Any], path: Path) -> dict[str, t.Any]:
        names = {name: wanted[name] for name in ("owner", "group", "mode")}
        arguments: dict[str, t.Any] = self.module.load_file_common_arguments(
            {**names, "attributes": None}, path=str(path)
        )
        return arguments

    def _note(self, path: Path, before: str, after: str) -> None:
        self.paths.append(str(path))
        self.diffs.append({"before_header": str(path), "after_header": str(path), "before": before, "after": after})


@t.overload
def open_directory(path: str, *, make: t.Literal[True]) -> int: ...
@t.overload
def open_directory(path: str, *, make: t.Literal[False]) -> int | None: ...
def open_directory(path: str, *, make: bool) -> int | None:
    """Open a directory step by step from the root, so that each step is checked and then taken, never named again.

    Args:
        path: absolute path; links on it are followed if they belong to root.
        make: whether to make what is missing, the parents with the usual rights and the last one closed to others.

    Returns:
        A descriptor with O_PATH, or None when something is missing and nothing was to be made.

    Raises:
        InTheWayError: a link of somebody else, one that leads nowhere, or no directory.
    """
    handle, links = os.open("/", _SEE), 0
    waiting = [(name, False) for name in reversed(_names(path))]
    try:
        while waiting:
            name, of_link = waiting.pop()
            try:
                below = os.open(name, _SEE, dir_fd=handle)
            except NotADirectoryError:
                links += 1
                target = _read_link(path, name, handle)
                if links > LINKS_MAX:
                    raise InTheWayError(f"{path} leads through too many links.") from None
                waiting += [(part, True) for part in reversed(_names(target))]
                below = os.open("/" if target.startswith("/") else ".", _SEE, dir_fd=handle)
            except FileNotFoundError:
                if of_link:
                    raise InTheWayError(_no_directory(path)) from None
                if not make:
                    return None
                os.mkdir(name, 0o777 if waiting else 0o700, dir_fd=handle)
                below = os.open(name, _SEE, dir_fd=handle)
            os.close(handle)
            handle = below
        found, handle = handle, -1
        return found
    finally:
        if handle >= 0:
            os.close(handle)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in {"", "."}]


def _no_directory(path: str) -> str:
    return f"{path} is there and is no directory. Move it away, then run this again."


def _read_link(path: str, name: str, parent: int) -> str:
    """Where a link leads that was found on the way to ``path``.

    Raises:
        InTheWayError: it is no link, or not root's.
    """
    link = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    try:
        found = os.fstat(link)
        if not stat.S_ISLNK(found.st_mode):
            raise InTheWayError(_no_directory(path))
        if found.st_uid != 0:
            raise InTheWayError(
                f"{path} is or lies behind a link that root has not made, {name}. Remove it, then run this again."
            )
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def _user_id(owner: str) -> int:
    """Number of an account given by name or number."""
    if owner.isdecimal():
        return int(owner)
    try:
        return pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise KeyError(f"there is no account {owner}") from None


def _group_id(group: str) -> int:
    """Number of a group given by name or number."""
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise KeyError(f"there is no group {group}") from None


def _known(wanted: dict[str, t.Any]) -> bool:
    """Say whether owner and group exist."""
    try:
        _user_id(wanted["owner"])
        _group_id(wanted["group"])
    except KeyError:
        return False
    return True


def main() -> None:
    """Do what the task asks for."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    work = Files(module)
    for wanted in module.params["directories"]:
        work.directory(wanted)
    for wanted in module.params["files"]:
        work.file(wanted)
    module.exit_json(changed=bool(work.paths), paths=work.paths, diff=work.diffs)


if __name__ == "__main__":
    main()
