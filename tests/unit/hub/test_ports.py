# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A port belongs to one certificate, and to nobody else."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hpcampus_hub.ports import Lease, NoPortError, PortRegistry


def test_a_lease_is_a_readable_file_with_its_serial(registry: Path) -> None:
    ports = PortRegistry(str(registry), 20000, 20009)
    lease = ports.take()
    path = registry / str(lease.port)
    assert 20000 <= lease.port <= 20009
    assert 0 < lease.serial < 2**63
    assert path.read_text() == f"{lease.serial}\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in registry.iterdir()] == [str(lease.port)]
    ports.release(lease)
    assert list(registry.iterdir()) == []


def test_no_port_is_given_twice_and_the_last_one_says_so(registry: Path) -> None:
    ports = PortRegistry(str(registry), 20010, 20019)
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda _: ports.take(), range(10)))
    assert sorted(lease.port for lease in leases) == list(range(20010, 20020))
    with pytest.raises(NoPortError, match="20010-20019"):
        ports.take()


def test_a_port_on_which_something_listens_is_left_alone(registry: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(NoPortError):
            PortRegistry(str(registry), port, port).take()


def test_a_lease_is_restored_but_never_taken_from_another(registry: Path) -> None:
    ports = PortRegistry(str(registry), 20020, 20029)
    lease = Lease(20021, 77)
    assert ports.restore(lease)
    assert ports.restore(lease)
    assert not ports.restore(Lease(20021, 78))
    assert (registry / "20021").read_text() == "77\n"
    ports.release(Lease(20021, 78))
    assert (registry / "20021").exists()
    ports.release(lease)
    assert not (registry / "20021").exists()
    ports.release(lease)


def test_entries_have_leases_and_ages(registry: Path) -> None:
    ports = PortRegistry(str(registry), 20030, 20039)
    lease = ports.take()
    (registry / "README").write_text("not a port")
    (registry / "20049").write_text("rubbish")
    os.utime(registry / "20049", (time.time() - 100,) * 2)
    entries = {entry.lease: entry.age for entry in ports.entries()}
    assert set(entries) == {lease, Lease(20049, 0)}
    assert entries[Lease(20049, 0)] > 99
    for entry in list(ports.entries()):
        ports.drop(entry)
    assert [path.name for path in registry.iterdir()] == ["README"]


def test_a_registry_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    ports = PortRegistry(str(tmp_path / "missing"), 20040, 20041)
    with pytest.raises(NoPortError, match="tunnel step"):
        ports.take()
    assert list(ports.entries()) == []
