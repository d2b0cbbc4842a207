# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A cluster for tests: a real ssh server on loopback, the gateway's protocol, and jobs that listen where tunnels do."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.unit.gateway.loading import load

NODE = "node-a"
config, checks, errors, grading = (
    load(f"hpcampus_gateway.{name}") for name in ("config", "checks", "errors", "grading")
)
CONFIG = config.Config("hub", "/srv/hpcampus", ["jupyter", "gpu"], "/usr/bin/apptainer", "hpcampus")


@dataclass
class FakeJob:
    """A job in the queue."""

    job_id: int
    request: dict[str, Any]
    account: str = "hpcampus"
    state: str = "PENDING"
    reason: str = "Priority"
    start: int | None = None
    server: asyncio.Server | None = field(default=None, repr=False)

    def listed(self) -> dict[str, Any]:
        return {
            "job_id": self.job_id,
            "state": self.state,
            "reason": self.reason,
            "nodes": NODE if self.state == "RUNNING" else "",
            "start": self.start,
            "account": self.account,
            "hub_id": self.request["hub_id"],
            "user_id": self.request["user_id"],
            "server_id": self.request["server_id"],
            "spawn_id": self.request["spawn_id"],
        }


class _Door(asyncssh.SSHServer):
    """Takes nobody in as a locked account."""

    def __init__(self, locked: set[str], logins: Counter[str]) -> None:
        self._locked = locked
        self._logins = logins
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        self._logins[username] += 1
        if username in self._locked and self._connection is not None:
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(""))
        return True


class LoginNode:
    """The login node's ssh server; its attributes are the knobs of a test."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.key_file = directory / "id_ed25519"
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._client_key.write_private_key(self.key_file)
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self.reset()
        self.jobs: dict[int, FakeJob] = {}
        self.calls: list[dict[str, Any]] = []
        self.sessions = 0
        """How often a session was opened."""
        self.answered = 0
        """How often the servers of jobs answered."""
        self.logins: Counter[str] = Counter()
        """How often somebody tried to log in as an account."""
        self.opened: Counter[str] = Counter()
        """The same for each account."""
        self.most_open = 0
        self.trusted_ca = ""
        """Public key of the authority whose certificates are taken besides the hub's key."""
        self._next_id = 100
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._processes: dict[asyncssh.SSHServerProcess[str], str] = {}
        """The sessions that are open, and the account of each: one that ends does not know it any more."""

    def reset(self) -> None:
        """Every knob as it was."""
        self.hold = False
        """Leave new jobs pending."""
        self.server_delay = 0.0
        """Seconds between the start of a job and its server's first answer."""
        self.queue_fails = False
        self.deaf: set[str] = set()
        """Operations that are neither done nor answered."""
        self.mute: set[str] = set()
        """Operations that are done but not answered."""
        self.refuse: tuple[str, str] | None = None
        """Code and message with which submit is refused."""
        self.locked: set[str] = set()
        """Accounts that may not log in."""
        self.greeting = json.dumps({"hello": {"protocol": 1, "account": "hpcampus", "slurm": "24.11.5"}})
        self.complaint = ""
        """What the gateway says on its standard error before it ends at once."""
        self.log_text = ""
        self.hand_over_fails = False
        self.grading_refused: tuple[str, str] | None = None
        """Code and message with which runs of submissions are refused."""
        self.status = "200 OK"
        """What servers answer."""
        self.ways = {"reverse": "", "direct": "", "forward": "", "relay": ""}
        """What a look at the data paths finds."""
        self.skew = 0.0
        """Seconds by which the login node's clock is ahead."""
        self.slurm_fails = False
        self.partitions = [
            {
                "name": name,
                "available": True,
                "time_limit_minutes": 720,
                "nodes": 2,
                "cpus": 8,
                "memory_mb": 16000,
                "gres": gres,
            }
            for name, gres in (("jupyter", []), ("gpu", ["gpu:a100:2(S:0-1)"]))
        ]
        self.health: dict[str, Any] | None = {
            "images": ["base", "ml"],
            "problem": "",
            "free_bytes": 10**12,
            "free_files": None,
        }
        """Answer to health; None as of a gateway that does not know the question."""

    @property
    def listens(self) -> bool:
        return self._acceptor is not None

    @property
    def host_key(self) -> str:
        return " ".join(self._host_key.export_public_key("openssh").decode().split()[:2])

    def cluster(self) -> dict[str, Any]:
        """The cluster's entry in the hub's configuration."""
        return {
            "name": "lab",
            "host": "127.0.0.1",
            "port": self.port,
            "user": "hpcampus",
            "host_key": self.host_key,
            "base_dir": "/srv/hpcampus",
            "key_file": str(self.key_file),
        }

    async def start(self) -> None:
        lines = self._client_key.export_public_key("openssh").decode()
        if self.trusted_ca:
            lines += f"cert-authority {self.trusted_ca}\n"
        keys = asyncssh.import_authorized_keys(lines)
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_host_keys=[self._host_key],
            authorized_client_keys=keys,
            server_factory=lambda: _Door(self.locked, self.logins),
            process_factory=self._session,
            encoding="utf-8",
        )
        self.port = self._acceptor.get_port()

    async def stop_listening(self) -> None:
        """The login node goes down: sessions end, new ones are refused."""
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """End every session at once, without an answer to what is under way."""
        for process in list(self._processes):
            with contextlib.suppress(AssertionError):  # the hub was faster
                process.channel.get_connection().abort()

    async def close(self) -> None:
        await self.stop_listening()
        for job in self.jobs.values():
            self._end(job, "CANCELLED")

    # --- the gateway ---

    async def _session(self, process: asyncssh.SSHServerProcess[str]) -> None:
        assert process.command in ("session", "gateway")  # the second is forced by a certificate
        account = process.get_extra_info("username")
        self.sessions += 1
        self.opened[account] += 1
        self._processes[process] = account
        self.most_open = max(self.most_open, len(self._processes))
        tasks = set()
        try:
            if self.complaint:
                process.stderr.write(self.complaint + "\n")
                return
            process.stdout.write(self.greeting + "\n")
            async for line in process.stdin:
                tasks.add(asyncio.create_task(self._handle(process, account, json.loads(line))))
        except (asyncssh.Error, OSError):
            pass
        finally:
            del self._processes[process]
            process.exit(0)

    @property
    def lists(self) -> int:
        """How often somebody asked for the queue, of the calls that are kept."""
        return sum(call["op"] == "list" for call in self.calls)

    @property
    def open(self) -> list[str]:
        """The accounts of the sessions that are open."""
        return sorted(self._processes.values())

    async def _handle(self, process: asyncssh.SSHServerProcess[str], account: str, request: dict[str, Any]) -> None:
        number, op = request.pop("id"), request.pop("op")
        self.calls.append({"op": op, "as": account, **request})
        if op in self.deaf:
            return
        try:
            answer = {"id": number, "ok": True, **getattr(self, f"_op_{op}")(account, **request)}
        except PermissionError as error:
            answer = {"id": number, "ok": False, "code": error.args[0], "message": error.args[1]}
        if op not in self.mute:
            process.stdout.write(json.dumps(answer) + "\n")

    def _op_ping(self, _account: str) -> dict[str, Any]:
        return {"time": time.time() + self.skew}

    def _op_info(self, _account: str) -> dict[str, Any]:
        if self.slurm_fails:
            raise PermissionError("slurm", "sinfo failed (1): Unable to contact slurm controller")
        return {"partitions": self.partitions}

    def _op_health(self, _account: str) -> dict[str, Any]:
        if self.health is None:
            raise PermissionError("unknown-op", "operations: ping, list, submit, cancel, info, log")
        return self.health

    def _op_image_version(self, _account: str, image: str) -> dict[str, Any]:
        assert image
        return {"version": "77.sif"}

    def _op_grade(self, _account: str, /, **request: Any) -> dict[str, Any]:
        if self.grading_refused is not None:
            raise PermissionError(*self.grading_refused)
        try:
            grading.check_grade(request, CONFIG)
        except errors.GatewayError as error:
            raise PermissionError(error.code, str(error)) from None
        return {"job_id": 70}

    def _op_grade_state(self, _account: str, course: str, run: str) -> dict[str, Any]:
        assert course
        assert run
        return {"pending": 2, "running": 1, "reason": "Priority"}

    def _op_grade_cancel(self, _account: str, course: str, run: str) -> dict[str, Any]:
        assert course
        assert run
        return {"found": True}

    def _op_list(self, _account: str) -> dict[str, Any]:
        if self.queue_fails:
            raise PermissionError("slurm", "squeue: Unable to contact slurm controller")
        return {"jobs": [job.listed() for job in self.jobs.values()]}

    def _op_submit(self, as_account: str, /, **request: Any) -> dict[str, Any]:
        if self.refuse is not None:
            raise PermissionError(*self.refuse)
        try:
            checks.check_submit(request, CONFIG)
        except errors.GatewayError as error:
            raise PermissionError(error.code, str(error)) from None
        return {"job_id": self.add(request, as_account).job_id}

    def _op_cancel(self, account: str, job_id: int) -> dict[str, Any]:
        if job_id in self.jobs and self.jobs[job_id].account == account:
            self.end(self.jobs[job_id], "CANCELLED")
        return {}

    def _op_assign(self, _account: str, job_id: int, user_id: str, server_id: str) -> dict[str, Any]:
        self.jobs[job_id].request.update(user_id=user_id, server_id=server_id)
        return {}

    def _op_reach(self, _account: str, /, **request: Any) -> dict[str, Any]:
        checks.check_hub(request["hub"])
        port = checks.check_door_ports(request)[0]
        self._next_id += 1
        return {"job_id": self._next_id, "node": "127.0.0.1", "port": port, "token": "t", "ways": dict(self.ways)}

    def _op_archive(self, account: str, user_id: str) -> dict[str, Any]:
        if any(job.account == account for job in self.jobs.values()):
            raise PermissionError("bad-request", "archive: jobs of this account are in the queue")
        return {"archived": f"{user_id}-20260101T000000Z"}

    def _op_log(self, _account: str, spawn_id: str) -> dict[str, Any]:
        del spawn_id
        return {"text": self.log_text}

    # --- jobs ---

    def add(self, request: dict[str, Any], account: str = "hpcampus") -> FakeJob:
        """Put a job into the queue; the same spawn id gives the same job."""
        for known in self.jobs.values():
            if known.request["spawn_id"] == request["spawn_id"] and known.account == account:
                return known
        self._next_id += 1
        job = FakeJob(self._next_id, {"hub_id": "hub", **request}, account)
        self.jobs[job.job_id] = job
        if not self.hold:
            asyncio.get_running_loop().call_soon(self.run, job)
        return job

    def run(self, job: FakeJob) -> None:
        """Start a job: it runs at once, its server answers after the delay."""
        job.state, job.reason = "RUNNING", "None"
        if "secrets" in job.request:
            job.request["opening"] = asyncio.create_task(self._open(job))

    async def _open(self, job: FakeJob) -> None:
        await asyncio.sleep(self.server_delay)
        if job.state == "RUNNING":
            secrets = job.request["secrets"]
            port = (secrets["tunnel"]["api_port"] if "tunnel" in secrets else secrets["door"]["api_port"]) - 5000
            job.server = await asyncio.start_server(self._answer, "127.0.0.1", port)

            if "standby" in job.request["secrets"]:
                job.server.close()
                job.server = await asyncio.start_server(self._waits(job), "127.0.0.1", port)

    def _waits(self, job: FakeJob) -> Any:
        """What a standby answers: warm, handed over to who knows its secret, and from then on like any server."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if "identity" in job.request:
                await self._answer(reader, writer)
                return
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status = "200 OK"
            if head.startswith("POST"):
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                if self.hand_over_fails or f"hpcampus {job.request['secrets']['standby']}" not in head:
                    status = "403 Forbidden"
                else:
                    job.request["identity"] = checks.check_identity(body)
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
            await writer.drain()
            writer.close()

        return answer

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Any path: a server that works."""
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"version": "2.0"}'
        lines = [
            f"HTTP/1.1 {self.status}",
            "X-JupyterHub-Version: 6.1.1",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        head = "\r\n".join([*lines, "", ""])
        self.answered += 1
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    def jobs_running(self) -> int:
        """How many jobs have a server that answers."""
        return sum(job.server is not None for job in self.jobs.values())

    def end(self, job: FakeJob, state: str) -> None:
        """End a job and take it out of the queue."""
        self._end(job, state)
        self.jobs.pop(job.job_id, None)

    @staticmethod
    def _end(job: FakeJob, state: str) -> None:
        job.state = state
        if job.server is not None:
            job.server.close()
            job.server = None
