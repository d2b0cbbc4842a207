# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A configuration to test with."""

from typing import Any

from hpcampus_hub.settings import Site, read_site

HOST_KEY = "ssh-ed25519 " + "A" * 68


def cluster(**changes: Any) -> dict[str, Any]:
    return {
        "name": "lab",
        "host": "login.example.org",
        "port": 22,
        "user": "hpcampus",
        "host_key": HOST_KEY,
        "base_dir": "/srv/hpcampus",
        "key_file": "/var/lib/jupyterhub/link/id_ed25519",
        **changes,
    }


def profile(**changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "label": "Small",
        "cluster": "lab",
        "partition": "jupyter",
        "cpus": 2,
        "memory": "4G",
        "time_limit_minutes": 480,
        "image": "base",
        **changes,
    }


def tunnel(**changes: Any) -> dict[str, Any]:
    return {"host": "hub.example.org", "host_keys": [HOST_KEY], **changes}


def course(**changes: Any) -> dict[str, Any]:
    return {"slug": "py1", "title": "Python 1", "instructors": ["ida"], "students": ["alice"], **changes}


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "hub_id": "hub",
        "clusters": [cluster()],
        "profiles": [profile(), profile(name="gpu", label="GPU", gres="gpu:1")],
        "tunnel": tunnel(),
        "courses": [
            course(),
            course(slug="ml", title="ML", students=["alice", "bob"], image="ml", profile="gpu"),
            course(slug="intro", title="Intro", open=True, instructors=[], students=[]),
        ],
        **changes,
    }


def site(**changes: Any) -> Site:
    return read_site(**settings(**changes))
