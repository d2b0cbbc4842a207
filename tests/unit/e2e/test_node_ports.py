# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of a running platform make of a node's ports: a port too many is found, another person's server is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.e2e.node_ports import one_for_each_job, ports_of_jobs

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

FIRST, SECOND, COURSE = "1" * 32, "2" * 32, "c" * 32
SCRIPT = "/usr/bin/python3\0-I\0/var/spool/slurmd/job00007/slurm_script\0/shared/hpcampus\0{}\0"
KERNEL = "/opt/conda/bin/python\0-m\0ipykernel_launcher\0"


class Node:
    """A node with processes that listen: port, process id and command line of each; two students have jobs."""

    def __init__(self, *listening: tuple[int, int, str]) -> None:
        self.listening = listening

    def on(self, _host: str, *argv: str) -> str:
        if argv[0] == "pgrep":
            return "".join(f"{pid}\n" for _, pid, _ in self.listening)
        if argv[0] == "ss":
            lines = [
                f'LISTEN 0 128 127.0.0.1:{port} 0.0.0.0:* users:(("python3",pid={pid},fd=5))'
                for port, pid, _ in self.listening
            ]
            return "\n".join([*lines, 'LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=70,fd=4))'])  # fmt: skip
        return next(command for _, pid, command in self.listening if argv[1] == f"/proc/{pid}/cmdline")

    def jobs(self) -> list[str]:
        return [f"hpcampus:hub:student1::{FIRST}", f"hpcampus:hub:student2::{SECOND}", f"hpcampus:hub:bob::{'b' * 32}"]


PAIR = ((40001, 7, SCRIPT.format(FIRST)), (40002, 17, SCRIPT.format(SECOND)))


@pytest.mark.parametrize(
    "more", [(), ((40003, 117, SCRIPT.format(COURSE)),), ((40003, 27, SCRIPT.format(COURSE) + "/lib\0"),)]
)
def test_a_third_server_on_the_node_is_no_port_too_many(more: tuple[tuple[int, int, str], ...]):
    platform = cast("Platform", Node(*PAIR, *more))
    found = ports_of_jobs(platform, "c1")
    assert found == {40001: FIRST, 40002: SECOND, **dict.fromkeys([port for port, _, _ in more], COURSE)}
    assert one_for_each_job(platform, found, "student1", "student2")


@pytest.mark.parametrize(
    "listening",
    [
        (*PAIR, (40003, 27, KERNEL)),
        (*PAIR, (40003, 27, SCRIPT.format(FIRST))),
        (*PAIR, (40003, 27, SCRIPT.format(COURSE) + "/lib\0reach\0")),
        PAIR[:1],
        (),
    ],
)  # fmt: skip
def test_a_port_too_many_or_too_few_is_found(listening: tuple[tuple[int, int, str], ...]):
    platform = cast("Platform", Node(*listening))
    assert not one_for_each_job(platform, ports_of_jobs(platform, "c1"), "student1", "student2")


def test_whose_jobs_are_not_in_the_queue_has_no_port():
    platform = cast("Platform", Node(*PAIR))
    assert not one_for_each_job(platform, ports_of_jobs(platform, "c1"), "student1", "student7")
