# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program hpcampus-doctor: its command line, what it reads of a hub, its exit status, and no secret in what it prints."""

import argparse
import asyncio
import contextlib
import json
import os
import pwd
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hpcampus_hub.doctor import command
from hpcampus_hub.doctor.catalogue import Patient, legs_of, names, visits_of
from hpcampus_hub.doctor.command import UsageError, main, parser, read_login, run, tunnel_user
from hpcampus_hub.doctor.host import SSHD_FACTS, Asked, Look
from hpcampus_hub.doctor.notebook import Notebook
from hpcampus_hub.doctor.site import NO_CLUSTER, ConfigurationError, Hub, load_hub
from hpcampus_hub.doctor.web import trusting
from tests.unit.hub.certificates import issue, serve
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.sites import cluster, course, profile, settings, site
from tests.unit.hub.test_doctor_host import shown
from tests.unit.hub.test_doctor_tunnel import Way
from tests.unit.wizard.conftest import ROOT

HEALTHY = Look(Asked(shown()), Asked(SSHD_FACTS), Asked(["permittty yes"]))

CONFIG = """
import json
data = json.load(open({data!r}))
c = get_config()
c.JupyterHub.public_url = data["url"]
c.JupyterHub.bind_url = "http://127.0.0.1:%d" % data["proxy"]
c.JupyterHub.hub_bind_url = "http://127.0.0.1:%d" % data["hub"]
c.JupyterHub.db_url = data["db"]
c.JupyterHub.services = [{{"name": "courses", "url": data["services"]}}]
for name in ("hub_id", "clusters", "profiles", "tunnel", "courses"):
    c.HpcHub[name] = data["site"][name]
"""


def write_etc(etc: Path, **data: Any) -> Path:
    """A configuration directory of a hub."""
    usual = {
        "url": "",
        "proxy": 8000,
        "hub": 8081,
        "services": "http://127.0.0.1:8084",
        "db": "sqlite:////nowhere",
        "site": settings(),
    }
    (etc / "data.json").write_text(json.dumps({**usual, **data}))
    (etc / "jupyterhub_config.py").write_text(CONFIG.format(data=str(etc / "data.json")))
    return etc


# --- a whole site


@dataclass
class Campus:
    """A site that is well, and the knobs of a test."""

    etc: Path
    data: dict[str, Any]
    ca_file: Path
    login_node: LoginNode
    way: Way

    async def examine(self, *arguments: str) -> tuple[int, str]:
        """Run the program as the hub's account would; gives exit status and output."""
        write_etc(self.etc, **self.data)
        code = (
            "import json, sys\n"
            "from pathlib import Path\n"
            "from hpcampus_hub.doctor import catalogue, command, site\n"
            "from hpcampus_hub.doctor.host import Asked, Look\n"
            "etc, tunnel_ca, look = json.loads(sys.argv[1])\n"
            "made = command.patient\n"
            "def patient(*given):\n"
            "    import dataclasses\n"
            "    one = made(*given)\n"
            "    if isinstance(one.hub, str):\n"
            "        return one\n"
            "    return dataclasses.replace(one, hub=dataclasses.replace(one.hub, data_dir=etc), tunnel_ca=Path(tunnel_ca))\n"
            "command.patient = patient\n"
            "prepared = Look(*(Asked(lines) for lines in look))\n"
            "sys.exit(command.run(command.parser().parse_args(sys.argv[2:]), lambda: prepared, Path(etc)))\n"
        )
        look = [shown(), list(SSHD_FACTS), ["permittty yes"]]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, json.dumps([str(self.etc), str(self.way.ca_file), look])),
            *("--ca-file", str(self.ca_file), *arguments),
            cwd=ROOT / "roles/jupyterhub/files/hub",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert err == b"", err.decode()
        assert process.returncode is not None
        return process.returncode, out.decode()


@pytest_asyncio.fixture
async def campus(tmp_path: Path, login_node: LoginNode, signer: SignerPeer, registry: Path) -> AsyncIterator[Campus]:
    way = Way(registry, signer, tmp_path)
    acceptor = await way.start()
    certificate = issue(tmp_path / "front.pem", None, "localhost")
    database = tmp_path / "hub.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.executescript("CREATE TABLE alembic_version (version_num TEXT)")
    etc = tmp_path / "etc"
    etc.mkdir()
    tunnel = way.tunnel
    async with serve(200, certificate) as front, serve(200) as proxy, serve(200) as hub:
        data = {
            "url": f"https://localhost:{front}/",
            "proxy": proxy,
            "hub": hub,
            "services": f"http://127.0.0.1:{hub}",
            "db": f"sqlite:///{database}",
            "site": {
                "hub_id": "hub",
                "clusters": [login_node.cluster()],
                "profiles": [profile(), profile(name="gpu", label="GPU", partition="gpu", gres="gpu:1", image="ml")],
                "tunnel": {
                    "host": tunnel.host,
                    "port": tunnel.port,
                    "host_keys": list(tunnel.host_keys),
                    "port_min": tunnel.port_min,
                    "port_max": tunnel.port_max,
                    "registry_dir": tunnel.registry_dir,
                    "signer_socket": tunnel.signer_socket,
                },
                "courses": [],
            },
        }
        yield Campus(etc, data, certificate, login_node, way)
    acceptor.close()


@pytest.mark.processes
async def test_a_healthy_site_in_less_than_fifteen_seconds(campus: Campus) -> None:
    began = time.monotonic()
    status, out = await campus.examine()
    assert time.monotonic() - began < 15
    assert status == 0, out
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "hub", "cluster lab", "notebook", "36 legs: 27 ok, 9 not tried."
    ]  # fmt: skip
    assert "  ok         certificate  good for localhost until " in out
    assert "  not tried  sign-in      needs a password" in out
    assert "\x1b" not in out
    assert list(campus.way.registry.iterdir()) == []


@pytest.mark.processes
async def test_three_broken_sites_and_their_status(campus: Campus) -> None:
    campus.login_node.health = {"images": ["base"], "problem": "", "free_bytes": 10**12, "free_files": None}
    status, out = await campus.examine()
    assert status == 1
    assert "  BROKEN     images       not published: ml\n" in out
    assert "Cure: Build and publish them: hpcampus apply --step images" in out
    campus.login_node.reset()

    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
    campus.data["site"]["clusters"][0]["host_key"] = other
    status, out = await campus.examine("--json")
    assert status == 1
    data = json.loads(out)
    verdicts = {finding["leg"]: finding["verdict"] for finding in data["findings"]}
    assert (data["verdict"], verdicts["host-key"], verdicts["account"]) == ("broken", "broken", "not tried")

    campus.data["site"]["profiles"][0]["memory"] = "four"
    status, out = await campus.examine()
    assert status == 1
    assert "HpcHub.profiles[0].memory: 'four' is not a memory size" in out
    assert "hpcampus-hub-check" in out


@pytest.mark.processes
async def test_no_secret_is_printed(campus: Campus) -> None:
    campus.data["db"] = "postgresql+psycopg://hub:Kanarienvogel@127.0.0.1:1/hub"
    password = campus.etc / "password"
    password.write_text("Kanarienvogel\n")
    for arguments in (["--json"], []):
        status, out = await campus.examine("--password-file", str(password), "--user", "alice", *arguments)
        assert status == 1
        assert "Kanarienvogel" not in out
        assert "PRIVATE KEY" not in out
        assert "alice" in out or "sign-in" in out


# --- what is read


def test_the_configuration_is_read_as_the_hub_reads_it(tmp_path: Path) -> None:
    hub = load_hub(write_etc(tmp_path, url="https://hub.example.org/", proxy=18000, hub=18081, db="sqlite:////x"))
    assert (hub.host, hub.port, hub.proxy_port, hub.hub_port) == ("hub.example.org", 443, 18000, 18081)
    assert hub.db_url == "sqlite:////x"
    assert hub.site == site()
    other = load_hub(tmp_path, "http://other:8080/")
    assert (other.host, other.port) == ("other", 8080)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.stderr.write('local.d/x.py, line 3: NameError')\nraise SystemExit(78)", "local.d/x.py, line 3: NameError"),
        ("raise SystemExit(78)", "without a word"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def", "SyntaxError"),
        ("c.HpcHub.hub_id = 'hub'", "HpcHub.tunnel: expected a mapping"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_broken(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "jupyterhub_config.py").write_text("c = get_config()\n" + text)
    with pytest.raises(ConfigurationError) as broken:
        load_hub(tmp_path)
    assert message in str(broken.value)


def test_a_hub_that_is_not_configured(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"jupyterhub_config\.py"):
        load_hub(tmp_path)


def test_a_broken_configuration_leaves_the_rest_to_be_walked() -> None:
    legs = legs_of(Patient("broken", HEALTHY, {}, Notebook("", None)))
    assert names(legs) == ["settings", "services"]


async def test_a_hub_without_a_cluster_has_a_leg_that_says_so() -> None:
    configured = site(clusters=[cluster(host=NO_CLUSTER)])
    hub = Hub(configured, "", 8000, 8081, "")
    assert visits_of(hub) == {}
    first = legs_of(Patient(hub, HEALTHY, {}, Notebook("", None)))[0]
    said = await first.look()
    assert (said.verdict, said.seen) == ("broken", "no cluster is configured, so no notebook can start")


def test_every_image_that_a_job_may_ask_for_is_looked_for() -> None:
    small = profile(image="base", images=["base", "r"])
    far = profile(name="far", cluster="far", image="torch")
    courses = [course(image="ml"), course(slug="ai", title="AI", image="ai", profile="far")]
    both = [cluster(), cluster(name="far")]
    visits = visits_of(Hub(site(clusters=both, profiles=[small, far], courses=courses), "", 8000, 8081, ""))
    assert {name: list(visit.wanted_images) for name, visit in visits.items()} == {
        "lab": ["base", "r", "ml"], "far": ["torch", "ml", "ai"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data_path", "there"),
    [
        ("reverse", ["ports", "signer", "sshd", "tunnel"]),
        ("relay", ["ports", "carrier"]),
        ("direct", ["ports", "carrier"]),
        ("auto", ["ports", "signer", "sshd", "tunnel", "carrier"]),
    ],
)
def test_the_legs_of_data_paths_that_nobody_uses_are_left_out(data_path: str, there: list[str]) -> None:
    hub = Hub(site(clusters=[cluster(data_path=data_path)]), "", 8000, 8081, "")
    found = names(legs_of(Patient(hub, HEALTHY, {}, Notebook("", None))))
    assert [name for name in found if name in {"ports", "signer", "sshd", "tunnel", "carrier"}] == there


def test_the_tunnels_user_before_the_configuration_may_be_run(tmp_path: Path) -> None:
    assert tunnel_user(tmp_path) == "tunnel"
    for text, user in [
        ('{"tunnel": {"user": "jobs"}}', "jobs"),
        ('{"tunnel": {}}', "tunnel"),
        ('{"tunnel": {"user": "a,host=b"}}', "tunnel"),
        ("[]", "tunnel"),
        ("no json", "tunnel"),
    ]:
        (tmp_path / "clusters.json").write_text(text)
        assert tunnel_user(tmp_path) == user


# --- the command line


def login(*arguments: str) -> Any:
    return read_login(parser().parse_args(arguments))


def test_who_starts_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\nmore\n")
    assert login() is None
    found = login("--password-file", str(file), "--user", "alice", "--profile", "gpu")
    assert (found.user, found.password, found.options) == ("alice", "correct horse", {"profile": "gpu"})
    assert "correct horse" not in repr(found)
    assert login("--password-file", str(file), "--no-spawn") is None
    monkeypatch.setattr("sys.stdin", argparse.Namespace(isatty=lambda: True, readline=lambda: "from stdin\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed at {prompt}")
    assert login("--spawn").password == "typed at Password of verify: "
    assert login("--password-file", "-").password == "from stdin"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--spawn"], "--spawn needs a password"),
        (["--password-file", "/nowhere"], "cannot be read from /nowhere: No such file"),
        (["--password-file", "/dev/null"], "the password is empty"),
    ],
)
def test_a_password_that_cannot_be_had(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", argparse.Namespace(isatty=lambda: False))
    with pytest.raises(UsageError, match=message):
        login(*arguments)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--spawn", "--no-spawn"], ["extra"]])
def test_a_wrong_command_line_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: hpcampus-doctor" in capsys.readouterr().err


def test_somebody_else_or_another_host_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(_name: str) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwnam", nobody)
    assert main([]) == 2
    assert "there is no account jupyterhub here" in capsys.readouterr().err
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: argparse.Namespace(pw_uid=4321))
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert main([]) == 2
    assert "sudo hpcampus-doctor" in capsys.readouterr().err


def test_root_is_given_up_for_good_before_the_configuration_is_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[tuple[Any, ...]] = []

    def look_once(user: str) -> Look:
        done.append(("look", user))
        return HEALTHY

    account = argparse.Namespace(pw_name="jupyterhub", pw_uid=4321, pw_gid=4322, pw_dir=str(tmp_path))
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: account)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chdir", lambda path: done.append(("chdir", path)))
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *values, name=name: done.append((name, *values)))
    monkeypatch.setattr(command, "look", look_once)
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setattr(command, "ETC", tmp_path)
    assert command.become_hub() == HEALTHY
    assert [step[0] for step in done] == ["look", "initgroups", "setgid", "setuid", "chdir"]
    assert done[1:4] == [("initgroups", "jupyterhub", 4322), ("setgid", 4322), ("setuid", 4321)]
    assert os.environ["HOME"] == str(tmp_path)


def test_an_address_or_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    write_etc(tmp_path)
    arguments = parser().parse_args(["--url", "hub.example.org"])
    with pytest.raises(UsageError, match="write it as https"):
        run(arguments, lambda: HEALTHY, tmp_path)
    arguments = parser().parse_args(["--ca-file", "/nowhere.pem"])
    with pytest.raises(UsageError, match=r"--ca-file /nowhere\.pem: No such file"):
        run(arguments, lambda: HEALTHY, tmp_path)
    assert trusting(None).verify_mode.name == "CERT_REQUIRED"


def test_the_program_is_installed_and_can_be_compiled() -> None:
    path = ROOT / "roles/jupyterhub/files/usr/local/sbin/hpcampus-doctor"
    assert path.read_text().startswith("#!/opt/hpcampus/jupyterhub/current/bin/python -B\n")
    subprocess.run([sys.executable, "-c", f"compile(open({str(path)!r}).read(), 'doctor', 'exec')"], check=True)
