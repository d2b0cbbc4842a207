# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's WebDAV folder on the whole platform: entered on the hub's page, mounted in a job of Slurm, gone when removed."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.changed_site import changed_site
from tests.e2e.conftest import COMPUTE
from tests.e2e.test_browser import log_in, new_page
from tests.e2e.waiting import until
from tests.unit.gateway.dav_server import PASSWORD, USER, DavServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.e2e.conftest import Platform

STUDENT = "student1"
CLOUD = "cloud.example.org"
HOME = f"/shared/hpcampus/users/{STUDENT}/home"
HOSTS = ("campus", "login", *COMPUTE)
CANARY = PASSWORD.split()[-1]

# Looks for a text in arguments, environments and files; runs as root on a host, or in a cell.
LOOK = """
import json, os, pathlib, stat
NEEDLE = bytes.fromhex(HEX)
found, seen = [], 0
for path in pathlib.Path("/proc").glob("[0-9]*/*"):
    if path.name in ("cmdline", "environ"):
        try:
            seen += 1
            found += [str(path)] if NEEDLE in path.read_bytes() else []
        except OSError:
            pass
for root in ROOTS:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and status.st_size < 50_000_000:
                    seen += 1
                    found += [path] if NEEDLE in pathlib.Path(path).read_bytes() else []
            except OSError:
                pass
print(json.dumps([sorted(found), seen]))
"""
ROOTS = {
    "campus": ("/tmp", "/var/tmp", "/run", "/var/log", "/var/lib", "/etc/jupyterhub"),
    "login": ("/tmp", "/var/tmp", "/run", "/var/log", "/var/spool", "/var/lib/slurm", "/shared/hpcampus/log", HOME),
    "node": ("/tmp", "/var/tmp", "/dev/shm", "/run", "/var/log", "/var/spool", "/var/lib/slurm"),
    "cell": ("/tmp", "/var/tmp", "/dev/shm", "/run", "/scratch"),
}

FOLDER = """
import json, pathlib, re, time
cloud = pathlib.Path("~/cloud").expanduser()
deadline = time.monotonic() + 30
while not (cloud / "from-cloud.txt").exists() and time.monotonic() < deadline:
    time.sleep(0.2)
(cloud / "from-notebook.txt").write_text("written by a cell")
kinds = [line.split()[2] for line in open("/proc/self/mounts") if line.split()[1] == "/home/jovyan/cloud"]
filters = {}
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        command, status = (process / "cmdline").read_text(), (process / "status").read_text()
    except OSError:  # it has ended
        continue
    (program,) = re.findall(r"start\\.py|webdav\\.py|rclone|ipykernel", command)[:1] or [command]
    filters[program] = re.search(r"Seccomp:\\t(\\d)", status)[1]
print(json.dumps([(cloud / "from-cloud.txt").read_text(), kinds, filters]))
"""

NO_FOLDER = """
import json, pathlib
cloud = pathlib.Path("~/cloud").expanduser()
print(json.dumps([sorted(str(path) for path in cloud.glob("*")), "/home/jovyan/cloud" in open("/proc/self/mounts").read()]))
"""


def look_program(place: str, needle: str = CANARY) -> str:
    """The search as a program; the needle is not in it."""
    return LOOK.replace("HEX", repr(needle.encode().hex())).replace("ROOTS", repr(ROOTS[place]))


def found_on_hosts(platform: Platform) -> list[str]:
    """Where the password lies on the hub, the login node and the compute nodes."""
    found = []
    for host in HOSTS:
        place = "node" if host in COMPUTE else host
        paths, seen = json.loads(platform.on(host, "python3", "-", stdin=look_program(place)))
        assert seen > 20, host
        told = platform.on(host, "journalctl", "--output=cat", "--since=-1h")
        found += [f"{host}: {path}" for path in paths] + ([f"{host}: journal"] if CANARY in told else [])
    return found


@pytest.fixture
def dav(platform: Platform, tmp_path: Path) -> Iterator[DavServer]:
    """A WebDAV server beside the demo's hosts, with a file on it."""
    beside = platform.on(COMPUTE[0], "ip", "route", "show", "default").split()[2]
    server = DavServer(tmp_path, beside, CLOUD)
    (server.files / "from-cloud.txt").write_text("from the cloud")
    yield server
    server.stop()


@pytest.fixture
def cloud(platform: Platform, dav: DavServer, tmp_path: Path) -> Iterator[DavServer]:
    """The site allows that server, and trusts its certificate; nothing of it is left in the end."""
    certificate = tmp_path / "cloud.crt"
    certificate.write_text(dav.pem.read_text().partition("-----END PRIVATE KEY-----\n")[2])
    address = platform.on(COMPUTE[0], "ip", "route", "show", "default").split()[2]

    def allow(variables: dict[str, Any]) -> None:
        variables["site_webdav_hosts"] = [f"{CLOUD}:{dav.port}"]
        variables["site_ca_certificates"].append(str(certificate))
        variables["base_hosts_entries"] = [{"address": address, "names": [CLOUD]}]

    with changed_site(tmp_path / "site", ["base", "hub"], allow):
        yield dav
    platform.on("login", "rm", "--dir", "--force", f"{HOME}/cloud")


def on_the_page(platform: Platform, *names: str, dav: DavServer | None = None) -> None:
    """Open the page as the student, fill in the form if there is a server to name, and press buttons."""
    with new_page(platform) as page:
        log_in(page, platform, STUDENT)
        page.wait_for_url(re.compile("hub/(home|spawn)|user/"))
        page.goto("hub/storage")
        if dav is not None:
            for field, text in {"url": dav.url, "user": USER, "password": PASSWORD, "name": "cloud"}.items():
                page.fill(f"#{field}", text)
        for name in names:
            press(page, name)


def press(page: Page, name: str) -> None:
    """Press a button; what is told then has to be good."""
    page.get_by_role("button", name=name, exact=True).click()
    told = {"Store": "Stored.", "Test it": "The server answers", "Remove it": "Removed here."}
    expect(page.locator("[role=status]")).to_contain_text(told[name])
    assert CANARY not in page.content()


async def use(platform: Platform, dav: DavServer) -> None:
    """Use the folder in a job and stop the server."""
    async with platform.running(STUDENT) as notebook:
        text, kinds, filters = await notebook.json_cell(FOLDER)
        assert (text, kinds) == ("from the cloud", ["fuse"])
        bound = ("start.py", "webdav.py", "rclone", "ipykernel")
        assert filters == dict.fromkeys(bound, "2"), "none of them could be made to ask for the account's keys"
        arrived = dav.files / "from-notebook.txt"
        # The server makes the file before it has what belongs into it.
        await until("the file arrives", lambda: arrived.exists() and arrived.read_text() == "written by a cell", 20)
        (arguments, _) = json.loads(
            platform.on(await notebook.node(), "python3", "-", stdin=look_program("node", "mount2"))
        )
        assert arguments, "the search must be able to find what is there"
        assert found_on_hosts(platform) == []
        assert (await notebook.json_cell(look_program("cell")))[0] == []
        await notebook.cell("import pathlib; pathlib.Path('~/cloud/last.txt').expanduser().write_text('at the end')")
        await notebook.stop()
    await until("the queue is empty", lambda: platform.jobs() == [])
    assert (dav.files / "last.txt").read_text() == "at the end", "a stop uploads what was written last"


async def use_without(platform: Platform) -> None:
    """The next server has no folder."""
    async with platform.running(STUDENT) as notebook:
        assert await notebook.json_cell(NO_FOLDER) == [[], False]


def test_a_folder_comes_goes_both_ways_and_leaves_nothing(platform: Platform, cloud: DavServer) -> None:
    on_the_page(platform, "Store", "Test it", dav=cloud)
    asyncio.run(use(platform, cloud))
    assert found_on_hosts(platform) == []
    assert platform.on("login", "ls", "-A", f"{HOME}/cloud") == ""
    on_the_page(platform, "Remove it")
    asyncio.run(use_without(platform))
