# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every kernel gets unix sockets at an absolute path in a private directory, whoever starts it."""

from __future__ import annotations

import json
import stat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def manager(connection_file: str = "") -> Any:
    """What jupyter_client has before it starts a kernel when no configuration was read."""
    return SimpleNamespace(connection_file=connection_file, transport="tcp", ip="127.0.0.1", cache_ports=True)


def test_kernel_of_a_program_that_reads_no_configuration(kernels: ModuleType, runtime: Path) -> None:
    first, second = manager(), manager()
    for one in (first, second):
        kernels.use_unix_sockets(one)
        assert (one.transport, one.cache_ports) == ("ipc", False)
        assert one.ip.startswith(f"{runtime}/kernel-"), "not in the working directory"
    assert first.ip != second.ip
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700


def test_connection_file_of_a_server_is_kept_over_a_restart(kernels: ModuleType, tmp_path: Path) -> None:
    one = manager(str(tmp_path / "kernel-1.json"))
    for _ in range(2):
        kernels.use_unix_sockets(one)
        assert (one.connection_file, one.ip) == (str(tmp_path / "kernel-1.json"), str(tmp_path / "kernel-1-ipc"))


def test_relative_connection_file_becomes_absolute(
    kernels: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = manager("kernel-1.json")
    kernels.use_unix_sockets(one)
    assert one.ip == str(tmp_path / "kernel-1-ipc")


def test_path_that_is_too_long_for_a_socket_is_told(kernels: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Set JUPYTER_RUNTIME_DIR"):
        kernels.use_unix_sockets(manager(str(tmp_path / "long" / ("x" * 100) / "kernel-1.json")))


def test_specification_of_the_kernel(kernels: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "kernel.json"
    path.write_text(json.dumps({"argv": ["python"], "metadata": {"debugger": True, "other": 1}}), encoding="utf-8")
    kernels.write_spec(path)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "argv": ["python"],
        "metadata": {
            "debugger": False,
            "other": 1,
            "kernel_provisioner": {"provisioner_name": "hpcampus-private"},
        },
    }
