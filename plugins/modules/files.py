# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make directories and write files in one pass over a host."""

from __future__ import annotations

import grp
import os
import pwd
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
  - With C(--check), what needs an account, a group or a directory that is not there yet counts as a change.
options:
  directories:
    description: Directories, parents before children. They are made before the files. Parents that are not named belong to root.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0755"
  files:
    description: Files, whose directories must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: What the file holds.
        type: str
        required: true
      encoding:
        description: How the content becomes bytes; C(latin-1) makes one byte of each character, for content that is no text.
        type: str
        choices: [utf-8, latin-1]
        default: utf-8
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0644"
      validate:
        description: Command that accepts the new file before it takes its place. C(%s) stands for its path.
        type: str
      keep:
        description: Whether the content of a file that is there stays as it is, because it belongs to the admin.
        type: bool
        default: false
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


class Files:
    """The pass over a host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.paths: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def directory(self, wanted: dict[str, t.Any]) -> None:
        """Make a directory, or mend its owner, group and mode."""
        path = Path(wanted["path"])
        if path.is_symlink() and path.lstat().st_uid != 0:
            self.module.fail_json(msg=f"{path} is a link that root has not made. Remove it, then run this again.")
        if not path.is_dir():
            if path.exists() or path.is_symlink():
                self.module.fail_json(msg=f"{path} is there and is no directory. Move it away, then run this again.")
            self._note(path, "", "directory\n")
            if self.module.check_mode:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(0o700)
        self._own(wanted, path.resolve())

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


def _known(wanted: dict[str, t.Any]) -> bool:
    """Say whether owner and group exist."""
    try:
        pwd.getpwnam(wanted["owner"])
        grp.getgrnam(wanted["group"])
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
