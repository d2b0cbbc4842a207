# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files, directories and the key of a plain account on a host where Ansible's modules do not run."""

from __future__ import annotations

import json
import pathlib
import re
import secrets
import shlex
import typing as t

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hpcampus.platform.plugins.modules.account_files import DOCUMENTATION

PROGRAM = pathlib.Path(__file__).parent.parent / "module_utils" / "account_program.py"
ROOT = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){2,12}")
BELOW = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){0,8})?")
MODE = re.compile(r"0?[0-7]{3}")
PYTHON = re.compile(r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
MARK = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")
KEY = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) AAAA[A-Za-z0-9+/]{36,2000}={0,2}")
COMMAND = re.compile(r"[A-Za-z0-9 /._+-]{1,500}")
ADDRESS = re.compile(r"[A-Za-z0-9:./*-]{1,100}")


def argument_spec(documented: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Turn documented options, which `ansible-doc` shows, into what a task's arguments are held against."""
    return {
        name: {
            **{key: value for key, value in option.items() if key not in {"description", "suboptions"}},
            **({"options": argument_spec(option["suboptions"])} if "suboptions" in option else {}),
        }
        for name, option in documented.items()
    }


OPTIONS = argument_spec(yaml.safe_load(DOCUMENTATION)["options"])


def key_line(key: str, command: str, mark: str, sources: t.Sequence[str]) -> str:
    """Write a line of authorized_keys that lets a key run one command and nothing else."""
    words = " ".join(key.split()[:2])
    _match("keys", words, KEY, "a public key as 'ssh-ed25519 AAAA...'")
    allowed = f'from="{",".join(sources)}",' if sources else ""
    return f'restrict,{allowed}command="{command}" {words} {mark}'


def wanted_state(arguments: t.Mapping[str, t.Any], nonce: str, *, check: bool) -> dict[str, t.Any]:
    """Turn the task's arguments into what the program on the other side takes.

    Raises:
        AnsibleActionFail: a value is of a wrong form; nothing has been done.
    """
    _match(
        "root", arguments["root"], ROOT, "an absolute path of two names or more, of letters, digits, '.', '_' and '-'"
    )
    if arguments["key_mark"] or arguments["keys"]:
        _match("key_mark", arguments["key_mark"], MARK, "one word")
        _match("key_command", arguments["key_command"], COMMAND, "a command of plain words")
    for source in arguments["key_from"]:
        _match("key_from", source, ADDRESS, "an address, a network or a host name")
    for folder in arguments["exclusive"]:
        _match("exclusive", folder, BELOW, "a path below the root")
    return {
        "nonce": nonce,
        "check": check,
        "state": arguments["state"],
        "root": arguments["root"],
        "directories": [_entry("directories", entry) for entry in arguments["directories"]],
        "files": [_entry("files", entry) for entry in arguments["files"]],
        "exclusive": arguments["exclusive"],
        "mark": arguments["key_mark"],
        "keys": [
            key_line(key, arguments["key_command"], arguments["key_mark"], arguments["key_from"])
            for key in arguments["keys"]
        ],
    }


def _entry(name: str, entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    _match(f"{name}: path", entry["path"], BELOW, "a path below the root, without '..'")
    _match(f"{name}: mode", entry["mode"], MODE, "a mode in three octal digits, in quotes")
    return {**entry, "mode": int(entry["mode"], 8)}


def _match(name: str, value: str, pattern: re.Pattern[str], what: str) -> None:
    if not pattern.fullmatch(value):
        raise AnsibleActionFail(f"{name} = {value!r}: this is not {what}. Change it; nothing was done.")


def script(wanted: t.Mapping[str, t.Any]) -> bytes:
    """Give the program with its last line, all of it in ASCII."""
    call = f"\nsys.exit(main(json.loads({json.dumps(wanted)!r})))\n"
    return (PROGRAM.read_text(encoding="utf-8") + call).encode("ascii")


def read_answer(done: t.Mapping[str, t.Any], nonce: str, python: str) -> dict[str, t.Any]:
    """Find the program's answer among whatever else the login said.

    Raises:
        AnsibleActionFail: there is none; the text says why and what to do.
    """
    for line in done["stdout"].splitlines():
        if line.startswith(nonce):
            answer: dict[str, t.Any] = json.loads(line[len(nonce) :])
            return answer
    said = (done["stderr"] or done["stdout"]).strip().splitlines()
    if "SyntaxError" in done["stderr"]:
        raise AnsibleActionFail(f"{python} is older than Python 3.6. Name a newer one of the login node (python).")
    if done["rc"] in {126, 127}:
        raise AnsibleActionFail(f"{python} cannot be started there. Name a Python of the login node (python).")
    raise AnsibleActionFail(f"The login node gave no answer ({done['rc']}): {' '.join(said[-3:])[:500]}")


class ActionModule(ActionBase):
    """Sends the program and its data through the connection, and takes its answer."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Do what the task asks for."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(argument_spec=OPTIONS)
        if self._connection.become is not None:
            raise AnsibleActionFail("This works as the account itself and takes no privilege. Set become: false.")
        _match("python", arguments["python"], PYTHON, "the absolute path of a Python")
        nonce = f"hpcampus-{secrets.token_hex(8)} "
        wanted = wanted_state(arguments, nonce, check=self._task.check_mode)
        done = self._low_level_execute_command(
            f"{shlex.quote(arguments['python'])} -I -", sudoable=False, in_data=script(wanted)
        )
        answer = read_answer(done, nonce, arguments["python"])
        result["warnings"] = answer.pop("notices")
        if not self._task.diff:
            del answer["diff"]
        return {**result, **answer}
