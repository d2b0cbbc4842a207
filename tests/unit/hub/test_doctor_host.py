# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's legs of the hub's host: units, sshd's settings, a database that can or cannot be written, room."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from hpcampus_hub.doctor import host as module
from hpcampus_hub.doctor.finding import Said
from hpcampus_hub.doctor.host import (
    SSHD_FACTS,
    Asked,
    Host,
    Look,
    database,
    disk,
    judge_room,
    look,
    size,
    states,
    without,
    write_to,
)
from hpcampus_hub.doctor.site import Hub
from tests.unit.hub.hub_process import free_port
from tests.unit.hub.sites import site
from tests.unit.wizard.conftest import ROOT

ACTIVE = [
    "apache2.service",
    "jupyterhub-proxy.service",
    "jupyterhub.service",
    "hpcampus-carrier.service",
    "ssh.service",
    "hpcampus-signer.socket",
    "hpcampus-tunnel-revoke.service",
]


def shown(**changed: str) -> list[str]:
    """What systemctl shows; ``changed`` gives states by unit, the unit's suffix and hyphens left out."""
    lines = []
    for unit in [*ACTIVE, "ssh.socket"]:
        usual = "inactive dead" if unit == "ssh.socket" else "active running"
        active, sub = changed.get(unit.replace("-", "_").replace(".", "_"), usual).split()
        lines += [f"Id={unit}", f"ActiveState={active}", f"SubState={sub}", ""]
    return lines


async def services(lines: list[str]) -> Said:
    return await Host(Look(Asked(lines))).services()


async def test_services() -> None:
    good = await services(shown())
    assert (good.verdict, good.seen) == (
        "ok",
        "active: apache2, jupyterhub-proxy, jupyterhub, hpcampus-carrier, ssh, hpcampus-signer.socket, hpcampus-tunnel-revoke",
    )
    down = await services(shown(jupyterhub_service="failed failed", hpcampus_signer_socket="inactive dead"))
    assert down.seen == "jupyterhub.service is failed (failed), hpcampus-signer.socket is inactive"
    assert down.cure.startswith("Start it: systemctl restart jupyterhub.service; ")
    assert (await services([])).seen.startswith("apache2.service is not there, ")


async def test_sshd_may_be_started_by_its_socket() -> None:
    by_socket = shown(ssh_service="inactive dead", ssh_socket="active listening")
    assert (await services(by_socket)).verdict == "ok"


async def test_a_host_without_systemd() -> None:
    said = await Host(Look(Asked(error="System has not been booted with systemd"))).services()
    assert (said.verdict, said.cure) == ("not tried", "Run the doctor as root: sudo hpcampus-doctor")


def test_states_are_read_whatever_comes() -> None:
    assert states(["Id=a", "ActiveState=activating", "SubState=auto-restart"]) == {"a": "activating (auto-restart)"}
    assert states(["", "nonsense", "", "Id=b"]) == {"": "unknown", "b": "unknown"}


def test_looking_asks_sshd_only_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def ask(*argv: str) -> Asked:
        asked.append(argv)
        return Asked([argv[0]])

    monkeypatch.setattr(module, "_ask", ask)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert look("tunnel") == Look(Asked(["systemctl"]))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    seen = look("tunnel")
    assert (seen.sshd_tunnel, seen.sshd_root) == (Asked(["/usr/sbin/sshd"]), Asked(["/usr/sbin/sshd"]))
    assert [argv[-1].split(",")[0] for argv in asked[2:]] == ["user=tunnel", "user=root"]


def test_programs_that_fail_are_told() -> None:
    assert module._ask("/nowhere/program") == Asked(error="/nowhere/program: No such file or directory")
    assert module._ask("sh", "-c", "echo why >&2; exit 3").error == "why"
    assert module._ask("sh", "-c", "exit 3").error == "sh ended with 3"
    assert module._ask("sh", "-c", "echo a; echo b") == Asked(["a", "b"])


async def test_sshd() -> None:
    good = await Host(Look(Asked(), Asked(SSHD_FACTS), Asked(["permittty yes"]))).sshd("tunnel")
    assert (good.verdict, good.seen) == ("ok", "holds tunnel to one port and no shell")
    loose = await Host(Look(Asked(), Asked([*SSHD_FACTS[:-1], "forcecommand none"]), Asked())).sshd("tunnel")
    assert loose.seen == "does not hold tunnel to: forcecommand /usr/sbin/nologin"
    everybody = await Host(Look(Asked(), Asked(SSHD_FACTS), Asked(SSHD_FACTS))).sshd("tunnel")
    assert everybody.seen == "the authority of the tunnels counts for every user"
    failed = await Host(Look(Asked(), Asked(error="line 7: Bad"), Asked())).sshd("tunnel")
    assert failed.seen == "sshd cannot read its configuration: line 7: Bad"
    assert (await Host(Look()).sshd("tunnel")).verdict == "not tried"


def test_sshd_is_asked_what_the_role_sets() -> None:
    facts = (ROOT / "roles/tunnel/vars/main.yml").read_text(encoding="utf-8").partition("__tunnel_sshd_facts:")[2]
    assert [fact for fact in SSHD_FACTS if f"- {fact}\n" not in facts] == []


# --- the database


def hub(db_url: str = "", data_dir: str = "/nowhere") -> Hub:
    return Hub(site(), "", 8000, 8081, db_url, data_dir)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "jupyterhub.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('x')"
        )
    return path


def test_a_database_that_can_be_written_is_left_as_it_was(file: Path) -> None:
    before = file.read_bytes()
    said = write_to(make_url(f"sqlite:///{file}"))
    assert (said.verdict, said.seen) == ("ok", f"sqlite:///{file} can be written")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_database_that_is_missing_is_not_made(tmp_path: Path) -> None:
    said = write_to(make_url(f"sqlite:///{tmp_path}/none.sqlite"))
    assert said.seen == f"sqlite:///{tmp_path}/none.sqlite is not there"
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DATABASE_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        said = write_to(make_url(f"sqlite:///{file}"))
    assert said.seen == f"sqlite:///{file} is locked by another process"


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "odd.sqlite").write_text("this is no database, whatever its name says")
    said = write_to(make_url(f"sqlite:///{tmp_path}/odd.sqlite"))
    assert said.verdict == "broken"
    assert "file is not a database" in said.seen
    (tmp_path / "empty.sqlite").touch()
    assert "no such table" in (write_to(make_url(f"sqlite:///{tmp_path}/empty.sqlite"))).seen


def test_a_database_that_is_read_only(file: Path) -> None:
    said = write_to(make_url(f"sqlite:///file:{file}?mode=ro&uri=true"))
    assert said.verdict == "broken"
    assert said.seen.endswith("cannot be written: attempt to write a readonly database")
    assert "chown -R jupyterhub:" in said.cure


async def test_a_database_server_that_is_down_and_its_password() -> None:
    said = await database(hub(f"postgresql+psycopg://hub:Kanarienvogel@127.0.0.1:{free_port()}/hub"))
    assert said.verdict == "broken"
    assert "postgresql+psycopg://hub:***@127.0.0.1" in said.seen
    assert "cannot be opened" in said.seen
    assert "Kanarienvogel" not in said.seen + said.cure
    assert "Kanarienvogel" not in repr(hub("postgresql://hub:Kanarienvogel@db/hub"))


def test_a_password_in_the_words_of_a_database_is_left_out() -> None:
    error = OperationalError("UPDATE", {}, Exception("bad dsn hub:Kanarienvogel@db"))
    assert without(make_url("postgresql://hub:Kanarienvogel@db/hub"), error) == "bad dsn hub:***@db"
    assert without(make_url("sqlite://"), sqlalchemy.exc.SQLAlchemyError("words")) == "words"


# --- room


async def test_the_disk(tmp_path: Path) -> None:
    assert (await disk(hub(data_dir=str(tmp_path)))).verdict in ("ok", "warning", "broken")
    gone = await disk(hub(data_dir="/nowhere/at/all"))
    assert gone.seen == "/nowhere/at/all is not there: No such file or directory"


@pytest.mark.parametrize(
    ("free", "files", "verdict", "seen"),
    [
        (5 * 1024**3, 10**6, "ok", "5 GB free in /d"),
        (5 * 1024**3, None, "ok", "5 GB free in /d"),
        (1024**3, 10**6, "warning", "only 1 GB free in /d"),
        (1024**2, 10**6, "broken", "1 MB and 1000000 new files left in /d"),
        (5 * 1024**3, 12, "broken", "5 GB and 12 new files left in /d"),
    ],
)
def test_room(free: int, files: int | None, verdict: str, seen: str) -> None:
    said = judge_room("disk", "/d", free, files)
    assert (said.verdict, said.seen) == (verdict, seen)


@pytest.mark.parametrize(("count", "text"), [(0, "0 bytes"), (2048, "2 KB"), (3 * 1024**4, "3.0 TB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
