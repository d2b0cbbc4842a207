# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Finds out which data paths work, with one short job of the partition; the hub itself tries the one that needs no login node."""

import contextlib
import json
import os
import secrets
import time

from .checks import check_account_fields, check_door_ports, check_fields, check_hub
from .door import connect
from .errors import GatewayError, SlurmError
from .files import write_private
from .slurm import parse_job_id, sbatch_argv, step_argv

USER_ID = "reach-probe"
START_SECONDS = 60
TELL_SECONDS = 40
LOG_BYTES = 20000


def facts_of(path):
    """What the job has told so far."""
    facts = {}
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream.read(LOG_BYTES).splitlines():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                facts.update(told if isinstance(told, dict) else {})
    return facts


class Reach:
    """One look at the ways to a compute node.

    Args:
        operations: the gateway's operations.
        config: the gateway's configuration.
        slurm: runs Slurm's programs.
    """

    def __init__(self, operations, config, slurm):
        self._operations = operations
        self._config = config
        self._slurm = slurm
        self._id = secrets.token_hex(16)

    def run(self, request):
        """Submit the job, wait for it and try the ways.

        Returns:
            ``job_id``, ``node``, ``port``, ``token`` (what the port tells) and ``ways``: for ``reverse``, ``forward``, ``relay`` and
            ``direct`` the reason why it does not work, or an empty text. ``direct`` is only told where it cannot work at all. The job
            stays for a while, or until the hub cancels it.
        """
        check_fields(request, ("partition", "hub", "ports"), ("account", "qos", "reservation"))
        job = check_account_fields(request, self._config)
        message = {"hub": check_hub(request["hub"]), "ports": check_door_ports(request)}
        write_private(self._operations.path("spawns", self._id + ".json"), json.dumps(message))
        size = {"cpus": 1, "memory_mb": 128, "time_limit_minutes": 3, "gres": ""}
        job.update(size, spawn_id=self._id, user_id=USER_ID, server_id="")
        job_id = parse_job_id(self._slurm.run(sbatch_argv(self._config, job, "reach")))
        try:
            node = self._wait_for_start(job_id)
            facts = self._wait_for_facts()
        except BaseException:
            with contextlib.suppress(GatewayError):
                self._slurm.run(["scancel", str(job_id)])
            raise
        return {
            "job_id": job_id,
            "node": node,
            "port": facts["port"],
            "token": self._id,
            "ways": self._ways(job_id, node, facts),
        }

    def _wait_for_start(self, job_id):
        """Wait until the job runs; returns its node."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            job = next((job for job in self._operations.queue() if job.job_id == job_id), None)
            if job is not None and job.state == "RUNNING":
                return job.nodes
            if job is None or time.monotonic() > deadline:
                why = "it is gone" if job is None else "it is still {} ({})".format(job.state, job.reason)
                raise SlurmError(
                    "the job that tries the data paths did not start: {}; its log: {}".format(why, self._log)
                )
            time.sleep(0.5)

    @property
    def _log(self):
        return self._operations.path("log", self._id + ".log")

    def _wait_for_facts(self):
        """Wait until the job has told all; the listing of the directory makes a file appear that a network file system hides."""
        deadline = time.monotonic() + TELL_SECONDS
        while True:
            os.listdir(os.path.dirname(self._log))
            facts = facts_of(self._log)
            if {"port", "sshd", "reverse"} <= set(facts):
                return facts
            if "failed" in facts or time.monotonic() > deadline:
                why = facts.get("failed", "it told nothing in time")
                raise SlurmError("the job that tries the data paths failed: {}; its log: {}".format(why, self._log))
            time.sleep(0.3)

    def _ways(self, job_id, node, facts):
        """Try what can be tried from here; where the node has no sshd program only ``reverse`` is left."""
        sshd = str(facts["sshd"])
        ways = {"reverse": str(facts["reverse"]), "relay": sshd, "forward": sshd, "direct": sshd}
        if not sshd:
            ways["relay"] = self._trouble_with_relay(job_id)
            ways["forward"] = self._trouble_with_forward(node, facts["port"])
        return ways

    def _trouble_with_relay(self, job_id):
        try:
            said = self._slurm.run(step_argv(job_id, ["/bin/echo", self._id]))
        except SlurmError as error:
            return str(error)
        return "" if said.strip() == self._id else "srun into the job did not give back what was sent"

    def _trouble_with_forward(self, node, port):
        try:
            with connect(node, port) as client:
                client.settimeout(5)
                told = client.recv(100).decode("ascii", "replace").strip()
        except (GatewayError, OSError) as error:
            return str(error)
        return "" if told == self._id else "another program answers on the port of the node"
