# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The watch over revoked sessions: whose port, whose process, and when."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.tunnel.loading import load

revoke = load("revoke")

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(address: str, state: str = "0A", uid: int = 999, inode: int = 77) -> str:
    return f"   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {uid}        0 {inode} 1\n"


@pytest.mark.parametrize(
    "line",
    [
        row("0100007F:4E31", state="01"),
        row("0100007F:4E31", uid=0),
        row("00000000:4E31"),
        row("0100007F:0016"),
    ],
)
def test_other_sockets_are_left_alone(line: str) -> None:
    assert revoke.listeners(HEAD + line, 999, range(20000, 25000)) == {}


def test_ports_of_the_tunnel_user_are_found() -> None:
    assert revoke.listeners(HEAD + row("0100007F:4E31"), 999, range(20000, 25000)) == {20017: 77}


def test_registered_ports_are_the_files_named_for_one(tmp_path: Path) -> None:
    for name in ("20017", ".20018.draft", "README"):
        (tmp_path / name).write_text("")
    assert revoke.registered(str(tmp_path)) == {20017}


LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); time.sleep(60)"


def test_a_session_ends_at_the_second_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTEN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        (tmp_path / str(port)).write_text("5\n")
        uid, ports = os.getuid(), range(port, port + 1)
        suspects = revoke.look(str(tmp_path), uid, ports, {})
        assert suspects == {}
        (tmp_path / str(port)).unlink()
        suspects = revoke.look(str(tmp_path), uid, ports, suspects)
        assert set(suspects) == {port}
        assert process.poll() is None
        revoke.look(str(tmp_path), uid, ports, suspects)
        assert process.wait(10) == -signal.SIGTERM
    assert f"port {port}" in capsys.readouterr().out


def test_a_new_session_on_a_suspect_port_gets_its_own_second_look(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        suspects = revoke.look(str(tmp_path), os.getuid(), range(port, port + 1), {port: 1})
        assert suspects[port] != 1  # this process still runs
