# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's word to a gateway: one pinned host key, one identity, a file as standard input, the gateway's own status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.loading import FILES
from tests.unit.gateway.samples import PUBLIC_KEY

SSH = """#!{python}
import json, sys
known = next(word for word in sys.argv if word.startswith("UserKnownHostsFile=")).partition("=")[2]
data = sys.stdin.buffer.read()
print(json.dumps({{"argv": sys.argv[1:], "known": open(known).read(), "stdin": data.decode(), "path": known}}))
sys.exit(77)
"""


def ask(directory: Path, **changes: Any) -> tuple[int, dict[str, Any]]:
    (directory / "ssh").write_text(SSH.format(python=sys.executable))
    (directory / "ssh").chmod(0o700)
    door = {
        "host": "login.example.net",
        "port": 22,
        "user": "p1",
        "host_key": PUBLIC_KEY,
        "key_file": "/k",
        "as_user": "",
        "word": "probe",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", (FILES / "host/ask_gateway.py").read_text()],
        input=json.dumps({**door, **changes}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"},
    )
    return done.returncode, json.loads(done.stdout)


def test_the_host_key_is_pinned_and_nothing_is_asked(tmp_path: Path) -> None:
    status, seen = ask(tmp_path)
    assert status == 77
    assert seen["known"] == f"login.example.net {PUBLIC_KEY}\n"
    assert not Path(seen["path"]).exists()
    assert {
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "GlobalKnownHostsFile=/dev/null",
    } <= set(seen["argv"])
    assert seen["argv"][-3:] == ["--", "p1@login.example.net", "probe"]
    assert seen["stdin"] == ""


def test_another_port_has_its_own_line(tmp_path: Path) -> None:
    _, seen = ask(tmp_path, port=2222)
    assert seen["known"].startswith("[login.example.net]:2222 ")
    assert seen["argv"][seen["argv"].index("-p") + 1] == "2222"


def test_a_file_becomes_the_standard_input_over_there(tmp_path: Path) -> None:
    image = tmp_path / "image.sif"
    image.write_text("the image")
    word = f"image notebook {'0' * 64} 9"
    _, seen = ask(tmp_path, file=str(image), word=word)
    assert (seen["stdin"], seen["argv"][-1]) == ("the image", word)


@pytest.mark.parametrize("account", ["jupyterhub"])
def test_it_is_the_hubs_account_that_logs_in(tmp_path: Path, account: str) -> None:
    runuser = tmp_path / "runuser"
    runuser.write_text('#!/bin/sh\necho "{\\"as\\": \\"$1 $2 $3\\"}"\n')
    runuser.chmod(0o700)
    _, seen = ask(tmp_path, as_user=account)
    assert seen["as"] == f"--user={account} -- ssh"
