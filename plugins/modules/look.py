# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare a host with what is wanted, in one visit."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import sys
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcampus.platform.plugins.module_utils.wanted import argument_spec

DOCUMENTATION = r"""
module: look
short_description: Compare a host with what is wanted, in one visit
version_added: "0.1.0"
description:
  - Tells what of a role's packages, accounts, directories, files and units differs from what is wanted. It changes nothing.
  - A role asks once and skips what is as it should be, so that a run that finds nothing to do is over soon.
options:
  packages:
    description: Debian packages that must be installed.
    type: list
    elements: str
    default: []
  groups:
    description: Groups that must exist.
    type: list
    elements: str
    default: []
  users:
    description: Accounts that must exist. What is named beside the name must be so, too.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the account.
        type: str
        required: true
      uid:
        description: Numeric user id.
        type: int
      home:
        description: Home directory.
        type: path
      shell:
        description: Login shell.
        type: path
      groups:
        description: Groups that it must be in besides its own.
        type: list
        elements: str
        default: []
      locked:
        description: Whether no password may open it.
        type: bool
        default: false
  present:
    description: Patterns of paths to look for.
    type: list
    elements: str
    default: []
  links:
    description: Symbolic links whose targets are wanted.
    type: list
    elements: path
    default: []
  texts:
    description: Files that are to be read. Nothing secret belongs here.
    type: list
    elements: path
    default: []
  units:
    description: Units of systemd whose state is wanted.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the unit.
        type: str
        required: true
      reads:
        description: Paths that it reads at its start. What is changed later makes it outdated.
        type: list
        elements: path
        default: []
      reloads:
        description: Whether it reads them at a reload as well.
        type: bool
        default: false
extends_documentation_fragment:
  - hpcampus.platform.wanted
attributes:
  check_mode:
    support: full
    description: Looks all the same.
  diff_mode:
    support: none
    description: It changes nothing.
author: hpcampus contributors
"""

EXAMPLES = r"""
- name: Compare the host with what is wanted
  hpcampus.platform.look:
    packages: [openssh-server]
    units:
      - name: ssh.service
  register: __example_seen
"""

RETURN = r"""
packages:
  description: Packages that are not installed.
  returned: always
  type: list
  elements: str
versions:
  description: Versions of those that are.
  returned: always
  type: dict
package_lists:
  description: Whether apt has lists at all. An empty but fresh directory looks up to date to it.
  returned: always
  type: bool
groups:
  description: Groups that do not exist.
  returned: always
  type: list
  elements: str
users:
  description: Accounts that do not exist or are not as wanted.
  returned: always
  type: list
  elements: str
directories:
  description: Paths of directories that are missing or have other rights.
  returned: always
  type: list
  elements: str
files:
  description: Paths of files that are missing or have another content or other rights.
  returned: always
  type: list
  elements: str
present:
  description: Paths that the patterns have found.
  returned: always
  type: list
  elements: str
links:
  description: Targets of the links that are there.
  returned: always
  type: dict
texts:
  description: What the files hold that are there.
  returned: always
  type: dict
units:
  description: For each unit whether it exists, is up (running, and enabled at boot), is outdated (it runs with an older
    content of what it reads), and is unread (systemd has not read its newest description).
  returned: always
  type: dict
python:
  description: Version of the host's Python.
  returned: always
  type: str
  sample: "3.13"
"""


class Look:
    """One visit of a host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module

    def answer(self) -> dict[str, t.Any]:
        """Compare everything that was named."""
        wanted = self.module.params
        versions = self._versions(wanted["packages"])
        return {
            "packages": [name for name in wanted["packages"] if name not in versions],
            "versions": versions,
            "package_lists": any(Path("/var/lib/apt/lists").glob("*_Packages*")),
            "groups": [name for name in wanted["groups"] if name not in {entry.gr_name for entry in grp.getgrall()}],
            "users": [user["name"] for user in wanted["users"] if not _is_as_wanted(user)],
            "directories": [item["path"] for item in wanted["directories"] if not _is_directory(item)],
            "files": [item["path"] for item in wanted["files"] if not _is_file(item)],
            "present": [str(path) for mask in wanted["present"] for path in sorted(Path("/").glob(mask.lstrip("/")))],
            "links": {path: str(Path(path).readlink()) for path in wanted["links"] if Path(path).is_symlink()},
            "texts": {
                path: Path(path).read_text(encoding="utf-8", errors="replace")
                for path in wanted["texts"]
                if Path(path).is_file()
            },
            "units": {unit["name"]: self._unit(**unit) for unit in wanted["units"]},
            "python": ".".join(map(str, sys.version_info[:2])),
        }

    def _versions(self, packages: list[str]) -> dict[str, str]:
        if not packages:
            return {}
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package} ${Version}\n", *packages]
        # 1: some of them are not known.
        status, out, err = self.module.run_command(query)
        if status not in {0, 1}:
            self.module.fail_json(msg=f"dpkg-query cannot tell which packages are installed: {err.strip()}", rc=status)
        known = [line.split(" ") for line in out.splitlines()]
        return {words[1]: words[2] for words in known if words[0] == "installed"}

    def _unit(self, name: str, reads: list[str], reloads: bool) -> dict[str, bool]:
        begin = "StateChangeTimestampMonotonic" if reloads else "ExecMainStartTimestampMonotonic"
        names = f"LoadState,ActiveState,UnitFileState,NeedDaemonReload,{begin}"
        # Where no systemd runs there is no answer, and no unit.
        out = self.module.run_command(["systemctl", "show", "--property", names, name])[1]
        state = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        since = time.time() - time.monotonic() + int(state.get(begin) or 0) / 1e6
        changes = [Path(path).lstat().st_mtime for path in reads if os.path.lexists(path)]
        running = state.get("ActiveState") in {"active", "activating", "reloading"}
        return {
            "exists": state.get("LoadState") == "loaded",
            "up": running and state.get("UnitFileState") in {"enabled", "enabled-runtime"},
            "outdated": running and any(change > since for change in changes),
            "unread": running and state.get("NeedDaemonReload") == "yes",
        }


def _is_as_wanted(user: dict[str, t.Any]) -> bool:
    try:
        found = pwd.getpwnam(user["name"])
    except KeyError:
        return False
    groups = {entry.gr_name for entry in grp.getgrall() if user["name"] in entry.gr_mem or entry.gr_gid == found.pw_gid}
    named = [(found.pw_uid, user["uid"]), (found.pw_dir, user["home"]), (found.pw_shell, user["shell"])]
    return (
        all(value == wanted for value, wanted in named if wanted is not None)
        and set(user["groups"]) <= groups
        and not (user["locked"] and _has_password(user["name"]))
    )


def _has_password(name: str) -> bool:
    """Say whether a password opens an account; one that /etc/shadow does not know comes from elsewhere and has none here."""
    for line in Path("/etc/shadow").read_text(encoding="utf-8").splitlines():
        entry = line.split(":")
        if entry[0] == name:
            return not entry[1].startswith(("*", "!"))
    return False


def _is_directory(wanted: dict[str, t.Any]) -> bool:
    try:
        # As the module `files`, which follows a link that root has made.
        found = Path(wanted["path"]).stat()
        return stat.S_ISDIR(found.st_mode) and _has_rights(wanted, found)
    except (OSError, KeyError):
        return False


def _is_file(wanted: dict[str, t.Any]) -> bool:
    try:
        found = Path(wanted["path"]).lstat()
        return (
            stat.S_ISREG(found.st_mode)
            and _has_rights(wanted, found)
            and (wanted["keep"] or Path(wanted["path"]).read_bytes() == wanted["content"].encode(wanted["encoding"]))
        )
    except (OSError, KeyError):
        return False


def _has_rights(wanted: dict[str, t.Any], found: os.stat_result) -> bool:
    return (
        pwd.getpwuid(found.st_uid).pw_name == wanted["owner"]
        and grp.getgrgid(found.st_gid).gr_name == wanted["group"]
        and stat.S_IMODE(found.st_mode) == int(wanted["mode"], 8)
    )


def main() -> None:
    """Look, and say what was seen."""
    unit = {
        "name": {"type": "str", "required": True},
        "reads": {"type": "list", "elements": "path", "default": []},
        "reloads": {"type": "bool", "default": False},
    }
    user = {
        "name": {"type": "str", "required": True},
        "uid": {"type": "int"},
        "home": {"type": "path"},
        "shell": {"type": "path"},
        "groups": {"type": "list", "elements": "str", "default": []},
        "locked": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        argument_spec={
            **argument_spec(),
            "packages": {"type": "list", "elements": "str", "default": []},
            "groups": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "dict", "default": [], "options": user},
            "present": {"type": "list", "elements": "str", "default": []},
            "links": {"type": "list", "elements": "path", "default": []},
            "texts": {"type": "list", "elements": "path", "default": []},
            "units": {"type": "list", "elements": "dict", "default": [], "options": unit},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, **Look(module).answer())


if __name__ == "__main__":
    main()
