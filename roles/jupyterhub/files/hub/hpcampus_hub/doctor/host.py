# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Legs of the hub's host: services, database, disk, sshd. What only root may ask is asked before the doctor gives root up."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from .finding import Said
from .site import Hub
from .walk import in_thread
from .words import say

UNITS: tuple[tuple[str, ...], ...] = (
    ("apache2.service",),
    ("jupyterhub-proxy.service",),
    ("jupyterhub.service",),
    ("hpcampus-carrier.service",),
    ("ssh.service", "ssh.socket"),
    ("hpcampus-signer.socket",),
    ("hpcampus-tunnel-revoke.service",),
)
"""Units that have to be active, one of each group."""

SSHD_FACTS = (
    "authorizedkeysfile none",
    "authorizedkeyscommand none",
    "trustedusercakeys /etc/ssh/hpcampus_tunnel_ca.pub",
    "passwordauthentication no",
    "allowtcpforwarding yes",
    "allowstreamlocalforwarding no",
    "permitlisten 127.0.0.1:*",
    "permittty no",
    "maxsessions 0",
    "forcecommand /usr/sbin/nologin",
)
"""What ``sshd -T`` has to say of the tunnel user; the tunnel role proves all of it, these are enough to see another Match block."""

CA_FILE = "/etc/ssh/hpcampus_tunnel_ca.pub"
LOW_BYTES = 2 * 1024**3
FULL_BYTES = 200 * 1024**2
FULL_FILES = 1000
_COMMAND_SECONDS = 8
_DATABASE_SECONDS = 4


@dataclass(frozen=True)
class Asked:
    """What a program of the system answered: its lines, or why there are none."""

    lines: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True)
class Look:
    """What was asked before root was given up; None where root would have been needed."""

    units: Asked = field(default_factory=Asked)
    sshd_tunnel: Asked | None = None
    sshd_root: Asked | None = None


def _ask(*argv: str) -> Asked:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Asked(error=f"{argv[0]} did not answer within {_COMMAND_SECONDS} s")
    except OSError as error:
        return Asked(error=f"{argv[0]}: {error.strerror}")
    if done.returncode != 0:
        return Asked(error=done.stderr.strip() or f"{argv[0]} ended with {done.returncode}")
    return Asked(done.stdout.splitlines())


def look(tunnel_user: str) -> Look:
    """Ask systemd for the units and, as root, sshd for what holds for the tunnel user and for root."""
    names = [name for group in UNITS for name in group]
    units = _ask("systemctl", "show", "--property=Id,ActiveState,SubState", "--no-pager", *names)
    if os.geteuid() != 0:
        return Look(units)
    sshd = {
        user: _ask("/usr/sbin/sshd", "-T", "-C", f"user={user},host=compute.example.org,addr=192.0.2.1")
        for user in (tunnel_user, "root")
    }
    return Look(units, sshd[tunnel_user], sshd["root"])


def states(lines: Sequence[str]) -> dict[str, str]:
    """Units by name with their state, such as ``active`` or ``failed (start-limit-hit)``, out of ``systemctl show``."""
    found: dict[str, str] = {}
    block: dict[str, str] = {}
    for line in [*lines, ""]:
        key, _, value = line.partition("=")
        if key:
            block[key] = value
        elif block:
            state, sub = block.get("ActiveState", "unknown"), block.get("SubState", "")
            found[block.get("Id", "")] = state if state == "active" or sub in ("", "dead") else f"{state} ({sub})"
            block = {}
    return found


@dataclass(frozen=True)
class Host:
    """The legs of the hub's host."""

    seen: Look

    async def services(self) -> Said:
        """Every unit is active."""
        if self.seen.units.error:
            return say("services.unknown", error=self.seen.units.error)
        return judge_units(states(self.seen.units.lines))

    async def sshd(self, user: str) -> Said:
        """The tunnel user is held by sshd to its rules, and nobody else to the tunnel's authority."""
        tunnel, root = self.seen.sshd_tunnel, self.seen.sshd_root
        if tunnel is None or root is None:
            return say("sshd.no-root")
        if tunnel.error or root.error:
            return say("sshd.failed", error=tunnel.error or root.error)
        missing = [fact for fact in SSHD_FACTS if fact not in tunnel.lines]
        if missing:
            return say("sshd.other", user=user, facts=", ".join(missing))
        if f"trustedusercakeys {CA_FILE}" in root.lines:
            return say("sshd.everybody", path=CA_FILE)
        return say("sshd.good", user=user)


def judge_units(found: Mapping[str, str]) -> Said:
    """What is to be said of the units."""
    up = [group for group in UNITS if any(found.get(name) == "active" for name in group)]
    down = [group[0] for group in UNITS if group not in up]
    if down:
        units = ", ".join(f"{name} is {found.get(name, 'not there')}" for name in down)
        return say("services.down", units=units, first=down[0])
    return say("services.good", units=", ".join(group[0].removesuffix(".service") for group in up))


async def database(hub: Hub) -> Said:
    """The database takes a change, which is taken back."""
    url = make_url(hub.db_url)
    return await in_thread(lambda: write_to(url))


def write_to(url: URL) -> Said:
    """Try to change a row of the database that names its schema, and take it back."""
    name = url.render_as_string(hide_password=True)
    is_file = url.get_backend_name() == "sqlite"
    path = (url.database or "").removeprefix("file:")
    if is_file and not Path(path).is_file():
        return say("database.missing", database=name)
    limit = {"timeout": _DATABASE_SECONDS} if is_file else {"connect_timeout": _DATABASE_SECONDS}
    opened = False
    try:
        engine = sqlalchemy.create_engine(url, connect_args=limit, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            opened = True
            connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = version_num"))
            connection.rollback()
    except (SQLAlchemyError, ImportError) as error:
        words = without(url, error)
        if "database is locked" in words:
            return say("database.locked", database=name)
        return say("database.read-only" if opened else "database.closed", database=name, error=words)
    return say("database.good", database=name)


def without(url: URL, error: Exception) -> str:
    """The words of the database without the password, should it be in them."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return words.replace(str(url.password), "***") if url.password else words


async def disk(hub: Hub) -> Said:
    """The hub's directory has room."""
    try:
        usage = shutil.disk_usage(hub.data_dir)
        files = os.statvfs(hub.data_dir)
    except OSError as error:
        return say("disk.missing", path=hub.data_dir, error=error.strerror)
    return judge_room("disk", hub.data_dir, usage.free, files.f_favail if files.f_files else None)


def judge_room(leg: str, path: str, free_bytes: int, free_files: int | None) -> Said:
    """What is to be said of the room in a directory.

    Args:
        leg: ``disk`` or ``storage``.
        path: the directory.
        free_bytes: bytes that are left.
        free_files: files that can still be made, or None where the file system sets no limit.
    """
    free = size(free_bytes)
    few = free_files is not None and free_files < FULL_FILES
    if free_bytes < FULL_BYTES or few:
        return say(f"{leg}.full", path=path, free=free, files="any number of" if free_files is None else free_files)
    return say(f"{leg}.low" if free_bytes < LOW_BYTES else f"{leg}.good", path=path, free=free)


def size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
