# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Loopback ports of the hub on which jobs open their tunnels, one file per port in use.

The file ``<registry>/<port>`` holds the serial of the one certificate that may listen there. sshd asks for it at each
login: without the file, or with another serial, the tunnel is refused. The directory lies under /run and is lost when
the hub's machine boots, so a port of a running server is entered again.
"""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


class NoPortError(Exception):
    """No port is free, or the registry cannot be written; the text says what to do."""


@dataclass(frozen=True)
class Lease:
    """A port and the serial of the certificate that may listen on it."""

    port: int
    serial: int


@dataclass(frozen=True)
class Entry:
    """A registry file: its lease and its age in seconds."""

    lease: Lease
    age: float


def is_free(port: int) -> bool:
    """Say whether nothing listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class PortRegistry:
    """Takes, restores and releases ports.

    Args:
        directory: where the files lie; made by the tunnel role.
        port_min: lowest port.
        port_max: highest port.
    """

    def __init__(self, directory: str, port_min: int, port_max: int) -> None:
        self._directory = Path(directory)
        self._port_min = port_min
        self._port_max = port_max

    def take(self) -> Lease:
        """Take a free port, chosen at random, under a new serial.

        Raises:
            NoPortError: all are in use, or the directory cannot be written.
        """
        span = self._port_max - self._port_min + 1
        first = secrets.randbelow(span)
        for step in range(span):
            port = self._port_min + (first + step) % span
            if not is_free(port):
                continue
            lease = Lease(port, secrets.randbelow(2**63 - 1) + 1)
            if self._enter(lease):
                return lease
        raise NoPortError(
            f"all tunnel ports {self._port_min}-{self._port_max} are in use; widen the range or stop servers"
        )

    def restore(self, lease: Lease) -> bool:
        """Enter a lease again if its file is gone; False when the port belongs to another by now."""
        return self._enter(lease) or self._serial(lease.port) == lease.serial

    def release(self, lease: Lease) -> None:
        """Remove a lease's file, unless the port belongs to another by now."""
        if self._serial(lease.port) == lease.serial:
            with contextlib.suppress(FileNotFoundError):
                (self._directory / str(lease.port)).unlink()

    def entries(self) -> Iterator[Entry]:
        """Every lease in the registry; files that are none are left out, and a missing directory has none."""
        for path in self._directory.glob("[0-9]*"):
            if not (path.name.isascii() and path.name.isdigit()):
                continue
            port = int(path.name)
            serial = self._serial(port)
            with contextlib.suppress(FileNotFoundError):
                yield Entry(Lease(port, serial or 0), time.time() - path.stat().st_mtime)

    def drop(self, entry: Entry) -> None:
        """Remove a registry file even when its serial cannot be read."""
        if (self._serial(entry.lease.port) or 0) == entry.lease.serial:
            with contextlib.suppress(FileNotFoundError):
                (self._directory / str(entry.lease.port)).unlink()

    def _enter(self, lease: Lease) -> bool:
        """Write a lease's file whole or not at all; False when the port has a file already."""
        target = self._directory / str(lease.port)
        draft = self._directory / f".{lease.port}.{secrets.token_hex(8)}"
        try:
            descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except OSError as error:
            raise NoPortError(
                f"the tunnel registry {self._directory} cannot be written ({error.strerror}); run the tunnel step again"
            ) from error
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(f"{lease.serial}\n")
            draft.chmod(0o644)
            os.link(draft, target)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def _serial(self, port: int) -> int | None:
        try:
            return int((self._directory / str(port)).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
