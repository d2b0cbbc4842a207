# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor on a healthy site and on three broken ones: it names the leg and the cure, and the cure works."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

URL = "https://campus/"


def examine(platform: Platform, *arguments: str, stdin: str = "", good: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    """Run the doctor on the hub; gives the findings by leg, and under "" those that are broken."""
    out = platform.on("campus", "hpcampus-doctor", "--json", "--url", URL, *arguments, stdin=stdin, good=good)
    data = json.loads(out.splitlines()[-1])
    found: dict[str, Any] = {finding["leg"]: finding for finding in data["findings"]}
    found[""] = [finding["leg"] for finding in data["findings"] if finding["verdict"] == "broken"]
    return found


async def test_a_healthy_site(platform: Platform):
    began = time.monotonic()
    found = examine(platform, good=(0,))
    assert time.monotonic() - began < 15
    assert {finding["verdict"] for leg, finding in found.items() if leg and finding["seen"] != "needs sign-in"} == {
        "ok",
        "not tried",
    }
    assert found["sign-in"]["seen"] == "needs a password"
    assert platform.on("campus", "ls", "/run/hpcampus/tunnel") == ""


async def test_a_notebook_on_a_healthy_site(platform: Platform):
    password = platform.passwords["student2"]
    found = examine(platform, "--paths", "--user", "student2", "--password-file", "-", stdin=password + "\n", good=(0,))
    assert {finding["verdict"] for leg, finding in found.items() if leg} == {"ok"}
    assert password not in json.dumps(found)
    await until("the job has left the queue", lambda: platform.jobs() == [])


async def test_a_proxy_that_is_down(platform: Platform):
    platform.on("campus", "systemctl", "stop", "jupyterhub-proxy")
    try:
        found = examine(platform, good=(1,))
        assert found[""] == ["proxy", "services"]
        assert found["apache"]["verdict"] == "ok"
        assert "systemctl restart jupyterhub-proxy" in found["proxy"]["cure"]
    finally:
        platform.on("campus", "systemctl", "restart", "jupyterhub-proxy", "jupyterhub")
    await until("the cure helped", lambda: examine(platform)[""] == [])


async def test_a_partition_that_is_switched_off(platform: Platform):
    platform.on("login", "scontrol", "update", "partitionname=jupyter", "state=down")
    try:
        found = examine(platform, good=(1,))
        assert found[""] == ["partitions"]
        assert found["partitions"]["cure"].startswith(
            "On the controller: scontrol update partitionname=jupyter state=up"
        )
    finally:
        platform.on("login", "scontrol", "update", "partitionname=jupyter", "state=up")
    await until("the cure helped", lambda: examine(platform)[""] == [])


async def test_a_login_node_that_refuses_the_key(platform: Platform):
    keys = "/etc/hpcampus/gateway_authorized_keys"
    platform.on("login", "mv", keys, keys + ".away")
    try:
        found = examine(platform, good=(1,))
        assert found[""] == ["account"]
        assert found["host-key"]["verdict"] == "ok"
        assert found["gateway"]["seen"] == "needs account of demo"
        assert "hpcampus apply --step gateway" in found["account"]["cure"]
    finally:
        platform.on("login", "mv", keys + ".away", keys)
    await until("the cure helped", lambda: examine(platform)[""] == [], 120)
