# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An image is named by what it is made from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpcampus.lab.machine import Mirrors
from hpcampus.lab.recipes import IMAGE_NAMES, recipe

MIRRORS = Mirrors("http://m.example.org/debian", "http://s.example.org/debian-security")


@pytest.mark.parametrize("image", IMAGE_NAMES)
def test_the_same_recipe_has_the_same_name(image: str):
    assert recipe(image, MIRRORS).tag == recipe(image, MIRRORS).tag


def test_whatever_goes_in_changes_the_name():
    base = recipe("debian-13", MIRRORS)
    others = [
        recipe("debian-12", MIRRORS),
        recipe("debian-13", replace(MIRRORS, archive="http://other.example.org/debian")),
        recipe("debian-13", replace(MIRRORS, proxy="http://p:3142")),
        replace(base, setup=base.setup + "true\n"),
        replace(base, packages=(*base.packages, "vim")),
        replace(base, files=base.files[:-1]),
        replace(base, keyring="/k.gpg"),
    ]
    assert len({base.digest(), *(other.digest() for other in others)}) == len(others) + 1


def test_security_and_updates_come_along():
    assert recipe("debian-12", MIRRORS).sources == (
        "deb http://m.example.org/debian bookworm main",
        "deb http://m.example.org/debian bookworm-updates main",
        "deb http://s.example.org/debian-security bookworm-security main",
    )


def test_unstable_is_there_for_apptainer_alone_and_pinned_low():
    files = {file.path: file.content for file in recipe("debian-13", MIRRORS).files}
    assert "Pin-Priority: 90" in files["/etc/apt/preferences.d/lab-sid"]
    assert files["/etc/apt/sources.list.d/lab-sid.list"] == "deb http://m.example.org/debian sid main\n"
    assert not any("sid" in file.path for file in recipe("debian-12", MIRRORS).files)


def test_certificates_go_in_only_where_apt_needs_them():
    certificates = {"proxy.crt": "PEM"}
    assert not any("proxy.crt" in f.path for f in recipe("debian-13", MIRRORS, certificates=certificates).files)
    secure = replace(MIRRORS, archive="https://m.example.org/debian")
    assert any("proxy.crt" in f.path for f in recipe("debian-13", secure, certificates=certificates).files)


def test_no_host_key_and_no_machine_id_is_shared():
    setup = recipe("debian-13", MIRRORS).setup
    assert "rm -f /etc/ssh/ssh_host_*" in setup
    assert "rm -f /etc/machine-id" in setup


def test_a_cluster_has_its_programs_and_nothing_of_it_runs():
    hooks = [
        arg
        for arg in recipe("debian-13-cluster", MIRRORS).argv("r", "s")
        if "apt-get install" in arg or "disable" in arg
    ]
    assert [hook.split()[-1] for hook in hooks] == ["apptainer/sid", "slurmd"]
    assert not any("apt-get install" in arg for arg in recipe("debian-13", MIRRORS).argv("r", "s"))


def test_the_command_names_files_only_as_arguments():
    argv = recipe("debian-13", MIRRORS).argv("/x/root.tar", "/x/stage.tar")
    assert argv[0] == "mmdebstrap"
    assert argv[argv.index("trixie") + 1] == "/x/root.tar"
    assert "--customize-hook=tar-in /x/stage.tar /" in argv
