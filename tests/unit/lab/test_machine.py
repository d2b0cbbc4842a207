# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The machine is read, not assumed: mirrors, indexes, certificates, cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.lab.machine import (
    MIRROR_VARIABLE,
    apt_proxy,
    containers_conf,
    has_hybrid_cgroups,
    may_raise_limits,
    parse_mirrors,
    parse_npm_registry,
    parse_os_release,
    parse_pip_index,
    read_machine,
)

DEB822 = """\
# Written by the installer
Types: deb deb-src
URIs: http://mirror.example.org/debian/
Suites: bookworm
  bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example.org/debian-security
Suites: bookworm-security
Components: main
"""
OTHERS = "Types: deb\nURIs: https://deb.example.com/node\nSuites: nodistro\nComponents: main\n"


def test_mirrors_of_deb822():
    found = parse_mirrors([OTHERS, DEB822], [], "bookworm")
    assert found.archive == "http://mirror.example.org/debian"
    assert found.security == "http://security.example.org/debian-security"


def test_mirrors_of_one_line_sources():
    lines = (
        "# deb http://old.example.org/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/x.gpg] http://a.example.org/debian bookworm main non-free # ours\n"
        "deb-src http://src.example.org/debian bookworm main\n"
        "deb http://s.example.org/sec bookworm-security main\n"
    )
    found = parse_mirrors([], [lines], "bookworm")
    assert (found.archive, found.security) == ("http://a.example.org/debian", "http://s.example.org/sec")


@pytest.mark.parametrize(
    "text",
    [
        DEB822.replace("Types: deb deb-src", "Types: deb-src").replace("Types: deb\n", "Enabled: no\nTypes: deb\n"),
        DEB822.replace("http://", "file:///"),
        DEB822.replace("bookworm", "jammy"),
        DEB822.replace("main", "contrib"),
        OTHERS,
        "",
    ],
)
def test_other_sources_are_not_debians_archive(text: str):
    found = parse_mirrors([text], [], "bookworm")
    assert (found.archive, found.security) == ("", "")


def test_a_machine_that_is_not_debian_has_a_mirror_of_its_own_choice(tmp_path: Path):
    assert parse_mirrors([DEB822], [], "").archive == ""
    machine = read_machine(tmp_path, {MIRROR_VARIABLE: "http://chosen.example.org/debian/"})
    assert machine.mirrors.archive == "http://chosen.example.org/debian"


@given(st.text(), st.text())
def test_any_sources_give_addresses_or_nothing(first: str, second: str):
    found = parse_mirrors([first], [second], "bookworm")
    assert found.archive == "" or found.archive.startswith("http")
    assert found.security == "" or found.security.startswith("http")


def test_os_release():
    assert parse_os_release('ID=debian\n# x\nVERSION_CODENAME="trixie"\n') == {
        "ID": "debian",
        "VERSION_CODENAME": "trixie",
    }


@pytest.mark.parametrize(
    ("texts", "environment", "index"),
    [
        ([], {}, ""),
        (["[global]\nindex-url = https://a.example.org/simple\n"], {}, "https://a.example.org/simple"),
        (["[global]\nindex-url = https://a/s\n", "[global]\nindex-url = https://b/s\n"], {}, "https://b/s"),
        (["[global]\nindex-url = https://a/s\n", "[global]\ntimeout = 3\n"], {}, "https://a/s"),
        (["[global]\nindex-url = https://a/s\n"], {"PIP_INDEX_URL": "https://c/s"}, "https://c/s"),
        (["[global]\nindex-url = file:///opt/simple\n"], {}, ""),
        (["[global]\nextra-index-url = https://a/s\n"], {}, ""),
        (["no section = 1\n"], {}, ""),
    ],
)
def test_pip_index(texts: list[str], environment: dict[str, str], index: str):
    assert parse_pip_index(texts, environment) == index


@pytest.mark.parametrize(
    ("texts", "environment", "registry"),
    [
        ([], {}, ""),
        (["fund=false\nregistry = https://a/\n"], {}, "https://a/"),
        (["registry=https://a/\n"], {"NPM_CONFIG_REGISTRY": "https://b/"}, "https://b/"),
        (["@ours:registry=https://a/\n"], {}, ""),
    ],
)
def test_npm_registry(texts: list[str], environment: dict[str, str], registry: str):
    assert parse_npm_registry(texts, environment) == registry


def test_apt_proxy():
    assert apt_proxy(['Acquire::http::Proxy "http://p.example.org:3142";\n']) == "http://p.example.org:3142"
    assert apt_proxy(['// Acquire::http::Proxy "http://p.example.org:3142";\n', "x"]) == ""


HYBRID = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "hybrid"),
    [
        (HYBRID, True),
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", False),
        ("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n", False),
        ("tmpfs /cgroup2 tmpfs rw 0 0\n", False),
        ("", False),
    ],
)
def test_hybrid_cgroups(mounts: str, *, hybrid: bool):
    assert has_hybrid_cgroups(mounts) is hybrid


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("Name:\tx\nCapEff:\t000001ffffffffff\n", True),
        ("CapEff:\t000001fffeffffff\n", False),
        ("CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n", False),
        ("", False),
    ],
)
def test_limits_may_be_raised_with_the_capability_alone(status: str, *, may: bool):
    assert may_raise_limits(status) is may


def test_an_ordinary_machine_needs_no_configuration_of_podman():
    assert containers_conf(hybrid=False, raise_limits=True, open_files=1, processes=1) == ""


def test_a_hybrid_machine_without_the_capability_gets_runc_and_its_own_limits():
    text = containers_conf(hybrid=True, raise_limits=False, open_files=20000, processes=32768)
    assert 'runtime = "runc"' in text
    assert "nofile=20000:20000" in text
    assert "nproc=32768:32768" in text


def test_each_trouble_is_answered_by_itself():
    assert "runc" not in containers_conf(hybrid=False, raise_limits=False, open_files=1, processes=1)
    assert "ulimits" not in containers_conf(hybrid=True, raise_limits=True, open_files=1, processes=1)


def test_a_whole_machine(tmp_path: Path):
    files = {
        "etc/os-release": "ID=debian\nVERSION_CODENAME=bookworm\n",
        "etc/apt/sources.list.d/debian.sources": DEB822,
        "usr/local/share/ca-certificates/site/proxy.crt": "PEM",
        "usr/local/share/ca-certificates/README": "no certificate",
        "root/.npmrc": "registry=https://a/\n",
        "proc/mounts": HYBRID,
        "proc/self/status": "CapEff:\t000001ffffffffff\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine = read_machine(tmp_path, {"HOME": "/root", "PIP_INDEX_URL": "https://pip.example.org/simple"})
    assert machine.mirrors.archive == "http://mirror.example.org/debian"
    assert machine.containers_conf == '[engine]\nruntime = "runc"\n'
    assert machine.site_settings() == {
        "site_ca_certificates": [str(tmp_path / "usr/local/share/ca-certificates/site/proxy.crt")],
        "site_pip_index_url": "https://pip.example.org/simple",
        "site_npm_registry": "https://a/",
    }


def test_an_empty_machine(tmp_path: Path):
    machine = read_machine(tmp_path, {})
    assert machine.mirrors.archive == ""
    assert machine.ca_certificates == ()
    assert not machine.is_debian
