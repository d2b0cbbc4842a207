# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's keyring of the jobs' account: what a program outside of containers puts there, no notebook reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Platform

NODE = "c1"
KEY_SECONDS = 300

# Puts a key where every process of the account finds it, whatever its session, and opens it to all of them.
PUT = f"""
import ctypes
libc = ctypes.CDLL(None)
key = libc.syscall(248, b"user", b"hpcampus-test", b"of-the-account", 14, -2)
opened = libc.syscall(250, 5, key, 0x3f3f0000), libc.syscall(250, 15, key, {KEY_SECONDS}), libc.syscall(250, 8, key, -4)
assert key > 0 and opened == (0, 0, 0), (key, opened)
print(key)
"""

# Reads it, by its number and by a search, and tells of the filter of each process that can be seen from here.
READ = """
import ctypes, errno, json, pathlib, re
libc = ctypes.CDLL(None, use_errno=True)
def read(key):
    content = ctypes.create_string_buffer(100)
    ctypes.set_errno(0)
    if libc.syscall(250, 11, key, content, 100) > 0:
        return content.value.decode()
    return errno.errorcode.get(ctypes.get_errno(), "")
filters = {}
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        mode = re.search(r"^Seccomp:\\t(\\d)$", (process / "status").read_text(), re.MULTILINE)[1]
        filters[(process / "cmdline").read_text().replace("\\0", " ")] = mode
    except OSError:
        pass
found = [read(KEY), read(libc.syscall(250, 10, -4, b"user", b"hpcampus-test", 0))]
print(json.dumps({"found": found, "filters": filters}))
"""


def as_account(platform: Platform, code: str) -> str:
    """Run Python on the node as the jobs' account, outside of containers and of jobs."""
    argv = ("runuser", "-u", "hpcampus", "--", "python3", "-")
    return platform.on(NODE, *argv, stdin=code)


@pytest.fixture
def key(platform: Platform) -> Iterator[int]:
    """A key that lies in the account's keyring for a while."""
    number = int(as_account(platform, PUT))
    yield number
    as_account(platform, f"import ctypes\nctypes.CDLL(None).syscall(250, 3, {number})")


async def test_no_process_of_a_notebook_reads_the_accounts_keyring(platform: Platform, key: int):
    code = READ.replace("KEY", str(key))
    outside: dict[str, Any] = json.loads(as_account(platform, code))
    assert outside["found"] == ["of-the-account"] * 2, "the search must be able to find it"
    async with platform.neighbours() as (first, _):
        terminal = await first.ask("POST", f"/user/{first.user}/api/terminals", body="{}")
        assert terminal.code == 200
        inside = await first.json_cell(code)
    assert inside["found"] == ["ENOSYS"] * 2
    assert set(inside["filters"].values()) == {"2"}, inside["filters"]
    for program in ("start.py", "ipykernel", "sh -l"):
        assert any(program in command for command in inside["filters"]), (program, inside["filters"])
