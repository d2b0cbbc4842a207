# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A plain account: what is installed into it, what of it is left alone, and what is refused; on real files.

The program runs as it does on a login node, by a Python that reads it from its standard input. The account's home is the
test's own directory.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.loader import action_loader, init_plugin_loader
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.checkout import ROOT

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "C" * 43
MARK = "hpcampus:hub"
PYTHON = """#!{python} -I
import os, pwd, sys
pwd.getpwuid = lambda uid: pwd.struct_passwd(("me", "x", uid, 0, "", {home!r}, "/bin/sh"))
{more}
exec(compile(sys.stdin.read(), "<stdin>", "exec"), {{"__name__": "__main__"}})
"""


@pytest.fixture(scope="session")
def plugin() -> Any:
    """The module of the action, loaded the way ansible does."""
    init_plugin_loader()
    return sys.modules[action_loader.get("hpcampus.platform.account_files", class_only=True).__module__]


class Account:
    """An account of a login node: a home, a project directory, a Python."""

    def __init__(self, directory: Path, plugin: Any) -> None:
        self.plugin = plugin
        self.home, self.project = directory / "home", directory / "project"
        self.home.mkdir(mode=0o700)
        self.project.mkdir()
        self.base = self.project / "hub"
        self.python = directory / "python3"
        self.keys = self.home / ".ssh/authorized_keys"
        self.write_python()

    def write_python(self, more: str = "") -> None:
        self.python.write_text(PYTHON.format(python=sys.executable, home=str(self.home), more=more))
        self.python.chmod(0o700)

    def arguments(self, **changes: Any) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "root": str(self.base),
            "state": "present",
            "directories": [{"path": ""}, {"path": "lib"}, {"path": "lib/own"}, {"path": "data"}],
            "files": [
                {"path": "lib/own/one.py", "content": "ä = 1\n"},
                {"path": "lib/job.py", "content": "#\n", "mode": "0700"},
            ],
            "exclusive": ["lib/own"],
            "key_mark": MARK,
            "key_command": f"/usr/bin/python3 -I {self.base}/lib/job.py",
            "key_from": [],
            "keys": [f"{KEY} jupyterhub"],
        }
        wanted.update(changes)
        wanted["directories"] = [{"mode": "0700", **entry} for entry in wanted["directories"]]
        wanted["files"] = [{"mode": "0600", **entry} for entry in wanted["files"]]
        return wanted

    def start(self, *, check: bool = False, **changes: Any) -> subprocess.Popen[bytes]:
        state = self.plugin.wanted_state(self.arguments(**changes), "nonce ", check=check)
        process = subprocess.Popen([self.python, "-I", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(self.plugin.script(state))
        process.stdin.close()
        return process

    def put(self, *, check: bool = False, **changes: Any) -> dict[str, Any]:
        process = self.start(check=check, **changes)
        assert process.stdout is not None
        output = process.stdout.read().decode()
        assert process.wait() == 0
        answer: dict[str, Any] = self.plugin.read_answer({"stdout": output, "stderr": "", "rc": 0}, "nonce ", "python3")
        return answer

    @property
    def line(self) -> str:
        return f'restrict,command="/usr/bin/python3 -I {self.base}/lib/job.py" {KEY} {MARK}\n'


@pytest.fixture
def account(tmp_path: Path, plugin: Any) -> Account:
    """An account with nothing in it."""
    return Account(tmp_path, plugin)


def seen(*places: Path) -> dict[str, tuple[object, ...]]:
    """Every path below some places with its kind, mode, content and time of change."""
    found: dict[str, tuple[object, ...]] = {}
    for place in places:
        for path in [place, *place.rglob("*")]:
            info = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (oct(info.st_mode), content, info.st_ino, info.st_mtime_ns)
    return found


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_check_announces_all_and_writes_nothing_and_a_second_run_changes_nothing(account: Account) -> None:
    before = seen(account.home, account.project)
    announced = account.put(check=True)
    assert seen(account.home, account.project) == before
    first = account.put()
    assert (announced["changed"], announced["paths"]) == (True, first["paths"])
    assert first["paths"] == [
        *(str(account.base / name) for name in (".", "lib", "lib/own", "data", "lib/own/one.py", "lib/job.py")),
        str(account.home / ".ssh"),
        str(account.keys),
    ]
    assert (account.base / "lib/own/one.py").read_text() == "ä = 1\n"
    assert account.keys.read_text() == account.line
    assert [mode(account.base / name) for name in (".", "lib", "data", "lib/own/one.py", "lib/job.py")] == [
        0o700,
        0o700,
        0o700,
        0o600,
        0o700,
    ]
    assert (mode(account.keys), mode(account.keys.parent)) == (0o600, 0o700)
    after = seen(account.home, account.project)
    second = account.put()
    assert (second["changed"], second["paths"], second["diff"]) == (False, [], [])
    assert seen(account.home, account.project) == after


def test_the_difference_shows_what_changes_and_no_foreign_key(account: Account) -> None:
    account.put()
    with account.keys.open("a") as stream:
        stream.write(f"{OTHER_KEY} alice@laptop\n")
    changed = account.put(
        check=True, files=[{"path": "lib/own/one.py", "content": "ä = 2\n"}], keys=[OTHER_KEY.replace("C", "D")]
    )
    assert [(entry["before_header"], entry["before"], entry["after"]) for entry in changed["diff"][:1]] == [
        (str(account.base / "lib/own/one.py"), "ä = 1\n", "ä = 2\n")
    ]
    assert "alice" not in json.dumps(changed["diff"])
    assert account.line in changed["diff"][-1]["before"]


def test_modes_are_mended(account: Account) -> None:
    account.put()
    (account.base / "lib").chmod(0o755)
    (account.base / "lib/job.py").chmod(0o666)
    assert account.put()["paths"] == [str(account.base / "lib"), str(account.base / "lib/job.py")]
    assert [mode(account.base / name) for name in ("lib", "lib/job.py")] == [0o700, 0o700]


def test_what_people_wrote_into_the_keys_stays_to_the_byte(account: Account) -> None:
    account.keys.parent.mkdir(mode=0o700)
    others = [
        f"# my keys, one of them for {MARK}\n",
        f"  {OTHER_KEY} alice@laptop  \n",
        "\n",
        f'from="10.0.0.*",no-pty {OTHER_KEY} not-{MARK}\r\n',
        "\xff latin-1\n",
        f"{OTHER_KEY} without an end",
    ]
    before = "".join(others).encode("latin-1")
    account.keys.write_bytes(before)
    account.keys.chmod(0o644)
    account.put()
    assert account.keys.read_bytes() == before + b"\n" + account.line.encode()
    assert mode(account.keys) == 0o644
    # Ours was edited and doubled by hand: it is ours again, where it stood.
    head, tail = before + b"\n", b"# end\n"
    account.keys.write_bytes(head + f"{KEY} {MARK}\n".encode() + tail + account.line.encode())
    assert account.put()["paths"] == [str(account.keys)]
    assert account.keys.read_bytes() == head + account.line.encode() + tail
    assert account.put(state="absent")["changed"]
    assert account.keys.read_bytes() == head + tail


def test_the_hubs_key_in_another_line_is_an_error(account: Account) -> None:
    account.keys.parent.mkdir()
    account.keys.write_text(f"{KEY} by-hand\n")
    answer = account.put()
    assert answer["failed"]
    assert "holds the hub's key in another line" in answer["msg"]
    assert account.keys.read_text() == f"{KEY} by-hand\n"


def test_without_a_mark_the_keys_are_left_alone(account: Account) -> None:
    account.put()
    assert account.put(key_mark="", key_command="", keys=[], directories=[{"path": "more"}], files=[])["changed"]
    assert account.keys.read_text() == account.line


def test_an_address_limits_the_key(account: Account) -> None:
    account.put(key_from=["192.0.2.7", "2001:db8::/64"])
    assert account.keys.read_text().startswith('restrict,from="192.0.2.7,2001:db8::/64",command="')


def test_a_home_that_others_may_write_to_is_told(account: Account) -> None:
    account.home.chmod(0o770)
    assert "sshd refuses keys" in account.put()["notices"][0]


@pytest.mark.parametrize(
    "link", ["project/hub", "project/hub/lib", "project/hub/lib/own", "home/.ssh", "home/.ssh/authorized_keys"]
)
def test_no_link_leads_out(account: Account, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "own").mkdir()
    if link.endswith("_keys"):
        (outside / "authorized_keys").write_text("theirs\n")
    place = tmp_path / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside / place.name if link.endswith("_keys") else outside)
    before = seen(outside)
    for check in (True, False):
        answer = account.put(check=check)
        assert answer["failed"]
        assert str(place) in answer["msg"]
    assert seen(outside) == before


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(account: Account, tmp_path: Path) -> None:
    account.put()
    victim = tmp_path / "victim"
    victim.write_text("theirs\n")
    file = account.base / "lib/job.py"
    file.unlink()
    file.symlink_to(victim)
    account.put()
    assert victim.read_text() == "theirs\n"
    assert not file.is_symlink()


def test_a_directory_of_somebody_else_is_refused(account: Account) -> None:
    account.base.mkdir()
    account.write_python("os.getuid = lambda: 4242")
    answer = account.put()
    assert f"{account.base} belongs to" in answer["msg"]
    assert list(account.base.iterdir()) == []


def test_a_directory_that_the_centre_has_to_make_is_asked_for(account: Account) -> None:
    answer = account.put(root=str(account.project / "no/such"))
    assert "Ask the centre for a directory" in answer["msg"]


def test_an_interrupted_run_leaves_old_or_new_and_the_next_one_mends_it(account: Account) -> None:
    """Killed while it writes: at the moment of the second rename, which never comes."""
    account.put(files=[{"path": "lib/own/one.py", "content": "old\n"}])
    stopper = "real, count = os.rename, []\n"
    stopper += "def rename(*a, **k):\n    count.append(1)\n    if len(count) > 1: import time; time.sleep(60)\n    real(*a, **k)\n"
    account.write_python(stopper + "os.rename = rename")
    process = account.start()
    lib = account.base / "lib"
    deadline = time.monotonic() + 20
    while not list(lib.glob(".hpcampus-part-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    account.write_python()
    answer = account.put()
    assert "another run is at work" in answer["msg"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (lib / "own/one.py").read_text() == "ä = 1\n"
    assert not (lib / "job.py").exists()
    (left,) = lib.glob(".hpcampus-part-*")
    assert account.put()["paths"] == [str(left), str(lib / "job.py")]
    assert not list(account.base.rglob(".hpcampus-part-*"))
    assert not account.put()["changed"]


def test_a_module_of_an_older_version_goes_and_data_stays(account: Account) -> None:
    account.put()
    (account.base / "lib/own/gone.py").write_text("old")
    (account.base / "data/home").write_text("precious")
    (account.base / "lib/mine.py").write_text("somebody's")
    assert account.put()["paths"] == [str(account.base / "lib/own/gone.py")]
    assert (account.base / "data/home").read_text() == "precious"
    assert (account.base / "lib/mine.py").exists()


def test_absent_takes_the_programs_and_keeps_the_data(account: Account) -> None:
    account.put()
    (account.base / "data/home").write_text("precious")
    (account.base / "lib/own/__pycache__").mkdir()
    (account.base / "lib/own/__pycache__/one.cpython-36.pyc").write_bytes(b"x")
    before = seen(account.home, account.project)
    assert account.put(check=True, state="absent")["changed"]
    assert seen(account.home, account.project) == before
    assert account.put(state="absent")["changed"]
    assert sorted(str(path.relative_to(account.base)) for path in account.base.rglob("*")) == ["data", "data/home"]
    assert account.keys.read_text() == ""
    assert not account.put(state="absent")["changed"]


def test_absent_on_an_empty_account_changes_nothing(account: Account) -> None:
    before = seen(account.home, account.project)
    assert account.put(state="absent") == {"changed": False, "paths": [], "diff": [], "notices": []}
    assert seen(account.home, account.project) == before


HOSTILE = ["'", '"', "\\", "$(id)", "`id`", "\n", "\r", "\x00", "\u2028", "é", "{{ 7 * 7 }}", "'''", "%s", "EOF"]


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_any_content_arrives_as_it_is(plugin: Any, content: str) -> None:
    if any("\ud800" <= sign <= "\udfff" for sign in content):
        return
    state = {"nonce": "n", "files": [{"path": "a", "content": content}]}
    program = plugin.script(state).decode("ascii")
    call = program.rsplit("\n", 2)[1]
    literal = call.removeprefix("sys.exit(main(json.loads(").removesuffix(")))")
    assert json.loads(ast.literal_eval(literal)) == state


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"root": "/project"}, "root"),
        ({"root": "/project/../etc"}, "root"),
        ({"root": "project/x"}, "root"),
        ({"root": "/project/x y"}, "root"),
        ({"directories": [{"path": "../x"}]}, "directories: path"),
        ({"directories": [{"path": "/etc"}]}, "directories: path"),
        ({"files": [{"path": "lib/../../x", "content": ""}]}, "files: path"),
        ({"files": [{"path": ".hidden", "content": ""}]}, "files: path"),
        ({"files": [{"path": "x", "content": "", "mode": "4755"}]}, "files: mode"),
        ({"files": [{"path": "x", "content": "", "mode": "rwx"}]}, "files: mode"),
        ({"exclusive": ["../home"]}, "exclusive"),
        ({"keys": ["ssh-ed25519"]}, "keys"),
        ({"keys": ['command="id" ssh-ed25519 ' + "A" * 60]}, "keys"),
        ({"keys": [KEY + '"\nssh-ed25519 x']}, "keys"),
        ({"key_mark": "two words"}, "key_mark"),
        ({"key_mark": ""}, "key_mark"),
        ({"key_command": 'python" ssh'}, "key_command"),
        ({"key_command": "python\nx"}, "key_command"),
        ({"key_command": "python; id"}, "key_command"),
        ({"key_from": ['10.0.0.1"']}, "key_from"),
    ],
)
def test_hostile_values_are_refused_before_anything_is_done(
    account: Account, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        account.plugin.wanted_state(account.arguments(**changes), "n", check=False)


@pytest.mark.parametrize(
    ("done", "words"),
    [
        ({"rc": 127, "stdout": "", "stderr": "sh: not found"}, "cannot be started"),
        ({"rc": 1, "stdout": "", "stderr": "SyntaxError: invalid syntax"}, "older than Python 3.6"),
        ({"rc": 1, "stdout": "Welcome\n", "stderr": "quota exceeded\n"}, "quota exceeded"),
    ],
)
def test_no_answer_is_explained(plugin: Any, done: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        plugin.read_answer(done, "nonce ", "/usr/bin/python3")


def test_the_noise_of_a_login_is_passed_over(plugin: Any) -> None:
    noise = 'Welcome\n{"changed": true}\nnonce {"changed": false}\nBye\n'
    assert plugin.read_answer({"rc": 0, "stdout": noise, "stderr": ""}, "nonce ", "python3") == {"changed": False}


@pytest.mark.processes
def test_a_playbook_uses_it_and_refuses_privilege(account: Account, tmp_path: Path) -> None:
    """Through Ansible itself, with the connection to the own host."""

    def play(*options: str, **task: Any) -> dict[str, Any]:
        arguments = {**account.arguments(), "python": str(account.python)}
        book = tmp_path / "book.yml"
        tasks = [{"name": "Put", "hpcampus.platform.account_files": arguments, **task}]
        book.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": tasks}])
        )
        done = subprocess.run(
            ["ansible-playbook", *options, book],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "0"},
        )
        result: dict[str, Any] = json.loads(done.stdout)["plays"][0]["tasks"][0]["hosts"]["localhost"]
        return result

    announced = play("--check", "--diff")
    assert announced["changed"]
    assert len(announced["diff"]) == len(announced["paths"]) == 8
    assert not account.base.exists()
    first = play()
    assert (first["paths"], "diff" in first) == (announced["paths"], False)
    assert not play()["changed"]
    assert "Set become: false" in play(become=True)["msg"]
