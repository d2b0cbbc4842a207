# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sections, prompts and choices of the questions."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "section.platform": "Platform",
    "section.tls": "Certificate of the web server",
    "section.cluster": "Cluster",
    "section.admin": "First administrator",
    "section.course": "First course",
    "prompt.profile": "What shall be installed?",
    "choice.profile.single": "One server: the hub and a one-node Slurm on it",
    "choice.profile.own-cluster": "A hub, and Slurm hosts that are installed and managed from here",
    "prompt.hub_name": "Name of the hub that people type into their browser",
    "prompt.hub_connection": "How is the hub's server reached from here?",
    "choice.hub_connection.ssh": "By ssh",
    "choice.hub_connection.local": "It is this machine",
    "prompt.controller": "Slurm controller: host name",
    "prompt.login": "Login node: host name",
    "prompt.compute": "Compute nodes: host names, such as c1, c2 or node[01-20]",
    "prompt.shared_dir": "Directory that login and compute nodes share",
    "prompt.ssh_user": "User for ssh on these hosts (root, or one who may use sudo)",
    "prompt.apptainer": "Where does Apptainer come from?",
    "choice.apptainer.present": "It is installed on the hosts already",
    "choice.apptainer.deb": "Download its .deb package",
    "choice.apptainer.distribution": "From the distribution's package sources",
    "prompt.apptainer_url": "Address of the .deb package",
    "prompt.apptainer_checksum": "Its checksum, as sha256:...",
    "prompt.tls": "Which certificate shall the web server use?",
    "choice.tls.selfsigned": "A self-signed one (browsers warn)",
    "choice.tls.provided": "One that I have as files",
    "prompt.tls_certificate": "Path of the certificate (PEM, the server's first, then the chain)",
    "prompt.tls_key": "Path of its key (PEM, without passphrase)",
    "prompt.partition": "Name of the partition for notebooks",
    "prompt.image": "Name of the notebook image",
    "prompt.admin_name": "User name of the first administrator",
    "prompt.admin_password": "Password of the administrator, at least 10 characters",
    "prompt.course_slug": "Short name of the first course, used in links",
    "prompt.course_title": "Title of the course",
    "prompt.course_instructor": "User name of its instructor",
}
