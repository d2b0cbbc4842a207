# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Walls between two networks of a lab, tried from both sides, with and without the help of root on a host."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from hpcampus.lab import Host, Lab, LabError, Opening
from hpcampus.lab.places import lab_dir
from tests.lab.test_lab import quiet, ssh, things

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "selftest-walls"
HOSTS = [
    Host("hub", network="campus", aliases=("hub.example.org",)),
    Host("login", network="centre"),
    Host("node", network="centre"),
]
FIRST = Opening("hub", "login", 22)
# Prints how the connection ended: "open" when an ssh server greets, "refused", "unreachable", "silent", or "strange" when
# it was taken without a greeting. That matters: a network outside may have a proxy that takes connections to any address,
# and ends them when it finds nobody there.
KNOCK = """
import errno, socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3) as connection:
        connection.settimeout(30)
        print("open" if connection.recv(4) == b"SSH-" else "strange")
except ConnectionResetError:
    print("strange")
except TimeoutError:
    print("silent")
except ConnectionRefusedError:
    print("refused")
except OSError as error:
    print("unreachable" if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES) else error)
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab(NAME, HOSTS, [FIRST])
    made.down(quiet)
    made.up(quiet)
    yield made
    made.down(quiet)


def knock(lab: Lab, source: str, destination: str, port: int = 22) -> str:
    """Try to connect from a host and tell how it ended."""
    done = lab.exec(source, ["python3", "-c", KNOCK, destination, str(port)])
    return done.stdout.strip() or done.stderr


def test_only_what_is_opened_goes_through_the_wall(lab: Lab):
    assert knock(lab, "hub", "login") == "open"
    assert knock(lab, "login", "hub") == "unreachable"
    assert knock(lab, "hub", "node") == "unreachable"
    assert knock(lab, "hub", "login", 23) == "unreachable"
    assert knock(lab, "login", "node") == "open", "there is no wall within a network"


def test_a_wall_is_opened_and_closed_again(lab: Lab):
    lab.walls.open("node", "hub", 22)
    assert knock(lab, "node", "hub.example.org") == "open"
    assert knock(lab, "login", "hub") == "unreachable"
    lab.walls.close("node", "hub", 22)
    lab.walls.close("node", "hub", 22)
    assert knock(lab, "node", "hub") == "unreachable"


def test_there_is_no_way_around_the_wall(lab: Lab):
    addresses = {status.name: status.address for status in lab.status()}
    assert knock(lab, "node", addresses["hub"]) == "silent", "this machine's network joins no hosts"
    hidden = lab.walls.plan().addresses["hub"]
    gateway = lab.exec("node", ["ip", "route", "show", "default"]).stdout.split()[2]
    # This machine has no address behind the walls, and sends what is meant for one there out to the world.
    for target, answers in (
        (hidden, {"silent", "unreachable", "strange"}),
        (addresses["hub"], {"silent", "unreachable"}),
    ):
        lab.exec("node", ["ip", "route", "replace", f"{target}/32", "via", gateway])
        try:
            assert knock(lab, "node", target) in answers, "not even by a route of root's"
        finally:
            lab.exec("node", ["ip", "route", "del", f"{target}/32"])


def test_this_machine_and_the_world_are_reached_all_the_same(lab: Lab):
    for host in HOSTS:
        done = ssh(NAME, host.name, "hostname")
        assert (done.returncode, done.stdout.strip()) == (0, host.name), done.stderr
    assert lab.exec("node", ["ip", "route", "show", "default"]).stdout.startswith("default via ")


def test_a_cut_is_silent_and_ends(lab: Lab):
    for one, other in (("hub", "login"), ("login", "node")):
        assert knock(lab, one, other) == "open"
        lab.walls.cut(one, other)
        assert knock(lab, one, other) == "silent"
        lab.walls.mend(one, other)
        assert knock(lab, one, other) == "open"


def test_a_fence_lets_in_to_its_ports_alone_and_is_taken_away(lab: Lab):
    assert knock(lab, "login", "node", 23) == "refused", "nobody listens"
    lab.walls.fence("node", [22])
    assert knock(lab, "login", "node") == "open"
    assert knock(lab, "login", "node", 23) == "unreachable"
    assert knock(lab, "node", "node", 23) == "refused", "a host reaches itself"
    lab.walls.fence("node", [23])
    assert knock(lab, "login", "node") == "unreachable"
    assert knock(lab, "node", "login") == "open", "it keeps nobody in"
    assert ssh(NAME, "node", "true").returncode == 0
    lab.walls.unfence("node")
    lab.walls.unfence("node")
    assert knock(lab, "login", "node") == "open"


def test_a_host_that_boots_again_stands_where_it_stood(lab: Lab):
    before = lab.exec("node", ["cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat"]).stdout
    lab.restart("node")
    assert lab.exec("node", ["cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat"]).stdout != before
    assert knock(lab, "node", "hub") == "unreachable"
    assert knock(lab, "login", "node") == "open"
    assert ssh(NAME, "node", "true").returncode == 0
    hub = next(status.address for status in lab.status() if status.name == "hub")
    assert knock(lab, "node", hub) == "silent"


def test_bringing_it_up_again_closes_what_a_test_has_opened(lab: Lab):
    lab.walls.open("login", "hub", 22)
    saved = Lab.saved(NAME)
    assert saved.spec == lab.spec
    saved.up(quiet)
    assert knock(lab, "login", "hub") == "unreachable"
    assert knock(lab, "hub", "login") == "open"


def test_an_opening_without_a_wall_is_refused(lab: Lab):
    with pytest.raises(LabError, match="No wall of lab selftest-walls stands between login and node"):
        lab.walls.open("login", "node", 22)
    with pytest.raises(LabError, match="no host moon"):
        lab.walls.close("login", "moon", 22)


def test_nothing_of_it_is_left(lab: Lab):
    assert len(things(NAME)) == 7
    lab.down(quiet)
    assert things(NAME) == []
    assert not lab_dir(NAME).exists()
    assert NAME not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
