# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The Ansible inventory of a lab, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpcampus.lab.keys import control_path

if TYPE_CHECKING:
    from pathlib import Path

    from hpcampus.lab.model import Spec

# Where the lab mounts things in every test host.
SHARED_DIR = "/shared"
IMAGE_STORE = "/var/cache/hpcampus/images"


def connection(directory: Path) -> dict[str, str]:
    """Return the variables by which Ansible reaches any host of the lab in `directory`."""
    return {
        # Ansible's own control path is made from the host's name alone, which two labs may share.
        "ansible_ssh_common_args": f"-F {directory}/ssh_config -o ControlPath={control_path(directory)}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def role_settings() -> dict[str, Any]:
    """Return the role variables that differ from production because test hosts are containers."""
    return {
        # A container has no cgroup tree of its own that slurmd could divide.
        "slurm_cgroup_plugins": False,
        # Debian has Apptainer only in unstable, which the images pin low.
        "apptainer_source": "distribution",
        "apptainer_default_release": "sid",
        "images_store_dir": IMAGE_STORE,
    }


def inventory(spec: Spec, directory: Path) -> dict[str, Any]:
    """Return the inventory of a lab in the shape of an Ansible YAML inventory.

    Args:
        spec: The lab.
        directory: Its directory, where the keys are.
    """
    groups: dict[str, Any] = {}
    for host in spec.hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    return {
        "all": {
            "vars": {**connection(directory), **role_settings()},
            "hosts": {host.name: {} for host in spec.hosts},
            "children": groups,
        }
    }
