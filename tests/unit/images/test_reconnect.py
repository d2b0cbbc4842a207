# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A gradebook whose connection was cut, at a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbgrader.api
import psycopg
import pytest
import sqlalchemy.exc
from nbgrader.api import Gradebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

NAME = "hpcampus_course_py1"
PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql"))

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def database() -> Iterator[Path]:
    """A database of the course; gives the directory of its socket, whose path must be short."""
    place = Path(tempfile.mkdtemp(prefix="hpcampus-pg-"))
    account = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name  # it refuses to run as root
    shutil.chown(place, account)

    def run(program: str, *arguments: str) -> None:
        argv = [str(PROGRAMS / program), *arguments]
        subprocess.run(argv, user=account, cwd=place, check=True, timeout=120, stdout=subprocess.DEVNULL)

    run("initdb", "--pgdata=data", f"--username={NAME}", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
    options = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
    run("pg_ctl", "--pgdata=data", "--log=log", "--wait", f"--options={options}", "start")
    try:
        with psycopg.connect(f"host={place} user={NAME} dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {NAME}")
        yield place
    finally:
        run("pg_ctl", "--pgdata=data", "--mode=immediate", "stop")
        shutil.rmtree(place)


def cut(database: Path) -> None:
    """End all connections to the gradebook, as a restart on the way does."""
    with psycopg.connect(f"host={database} user={NAME} dbname=postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [NAME])


def used(database: Path) -> Gradebook:
    """A gradebook that has been used, and rests."""
    url = f"postgresql+psycopg://{NAME}@/{NAME}?host={database}"
    made = Gradebook(url, "py1")
    made.update_or_create_student("alice")
    made.db.rollback()
    return made


def test_a_connection_that_was_cut_is_made_anew(
    database: Path, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nbgrader.api, "create_engine", nbgrader.api.create_engine)  # is put back
    with used(database) as gradebook:
        cut(database)
        with pytest.raises(sqlalchemy.exc.OperationalError):
            assert gradebook.students
    load("reconnect").install()
    with used(database) as gradebook:
        cut(database)
        assert [one.id for one in gradebook.students] == ["alice"]
