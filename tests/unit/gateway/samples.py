# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub sends to a cluster, a cluster's configuration, and a Slurm that is a list of answers."""

from typing import Any

from tests.unit.gateway.loading import load

config = load("hpcampus_gateway.config")
errors = load("hpcampus_gateway.errors")

SPAWN = "0123456789abcdef0123456789abcdef"
OTHER_SPAWN = "f" * 32
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "A" * 200 + "\n-----END OPENSSH PRIVATE KEY-----\n"
SECRET = "7b1f-the-token"
PUBLIC_KEY = "ssh-ed25519 " + "A" * 68
COMMENT = f"hpcampus:hub:alice::{SPAWN}"
"""A job's comment in Slurm."""
HUB: dict[str, Any] = {
    "host": "hub.example.org",
    "port": 22,
    "user": "tunnel",
    "known_hosts": [f"[hub.example.org]:22 {PUBLIC_KEY}"],
}
TUNNEL: dict[str, Any] = {
    **HUB,
    "private_key": KEY,
    "certificate": "ssh-ed25519-cert-v01@openssh.com " + "A" * 400,
    "notebook_port": 20017,
    "api_port": 25017,
    "hub_api_port": 8081,
}


def site(base: str = "/srv/hpcampus") -> tuple:
    return config.Config("hub", base, ("jupyter", "gpu"), "/usr/bin/apptainer", "hpcampus", scratch_dir="/fast")


def request(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "spawn_id": SPAWN,
        "user_id": "alice",
        "server_id": "",
        "partition": "jupyter",
        "cpus": 2,
        "memory_mb": 1024,
        "time_limit_minutes": 120,
        "gres": "",
        "account": "",
        "qos": "",
        "reservation": "",
        "image": "base",
        "courses": [],
        "secrets": {
            "env": {"JUPYTERHUB_API_TOKEN": SECRET},
            "tunnel": {**TUNNEL},
            "base_url": "/user/alice/",
            "default_url": "/lab",
        },
    }
    return {**fields, **changes}


class FakeSlurm:
    """Answers each program with a text; what has none fails. ``NONCE`` in the queue becomes the nonce that was asked for."""

    def __init__(self, answers: dict[str, str] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[list[str]] = []

    def run(self, argv: list[str]) -> str:
        self.asked.append(argv)
        if argv[0] == "squeue":
            nonce = argv[-1].split("|")[0]
            return self.answers.get("squeue", "").replace("NONCE", nonce)
        if argv[0] not in self.answers:
            raise errors.SlurmError(f"{argv[0]} failed")
        return self.answers[argv[0]]
