# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A small file system under what the cluster's account writes, the same one on every host of the cluster."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform

MEGABYTES = 24
BASE = "/shared/hpcampus"
WRITTEN = ("users", "spawns", "jobs", "log")
HOSTS = ("login", *COMPUTE)
# One loop device, mounted on every host: the hosts are containers of one kernel, so it is one file system to all of them.
MOUNT = f"""
set -eu
mkdir -p /mnt/small
mknod /dev/small b "$1" "$2"
mount /dev/small /mnt/small
for name in {" ".join(WRITTEN)}; do
    install -d -m 700 -o hpcampus -g hpcampus "/mnt/small/$name"
    mount --bind "/mnt/small/$name" "{BASE}/$name"
done
"""
UNMOUNT = f"""
for name in {" ".join(WRITTEN)}; do umount --lazy "{BASE}/$name"; done
umount --lazy /mnt/small
rm -f /dev/small
true
"""


class SmallDisk:
    """The file system.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def fill(self) -> None:
        """Leave no byte."""
        argv = ["sh", "-c", "head -c 1G /dev/zero >/mnt/small/filler"]
        await asyncio.to_thread(self._platform.on, "login", *argv, good=(1,))

    async def free(self) -> None:
        """Give the space back."""
        await asyncio.to_thread(self._platform.on, "login", "rm", "/mnt/small/filler")


@contextlib.asynccontextmanager
async def small_disk(platform: Platform) -> AsyncIterator[SmallDisk]:
    """Put a small file system under homes, logs and job files for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        device, numbers = _make(Path(folder) / "image")
        try:
            for host in HOSTS:
                await asyncio.to_thread(platform.on, host, "sh", "-c", MOUNT, "sh", *numbers)
            yield SmallDisk(platform)
        finally:
            for host in HOSTS:
                await asyncio.to_thread(platform.on, host, "sh", "-c", UNMOUNT)
            _run("losetup", "--detach", device)


def _make(image: Path) -> tuple[str, tuple[str, str]]:
    """Make a file system in a file; give its device and the device's numbers."""
    with image.open("wb") as stream:
        stream.truncate(MEGABYTES * 1024 * 1024)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))  # nothing is reserved for root
    device = _run("losetup", "--find", "--show", str(image)).strip()
    number = Path(device).stat().st_rdev
    return device, (str(os.major(number)), str(os.minor(number)))


def _run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
