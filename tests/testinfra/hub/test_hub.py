# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub server by what it does: who listens, who may log in, what is refused."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import warnings

import pytest

from tests.testinfra.hub.web import NAME, Browser, connect
from tests.testinfra.reach import hosts, ip

testinfra_hosts = hosts("hub")
PASSWORD = "correct horse battery staple"
# On a server that is everything, the ports of slurmctld and slurmd.
SLURM = {6817, 6818}
EXPOSURE = {"jupyterhub": 4.0, "jupyterhub-proxy": 3.0, "apache2": 4.0, "hpcampus-courses": 2.0}


def number(pattern: str, text: str) -> float:
    """Return the number that a pattern finds in a text."""
    match = re.search(pattern, text)
    assert match, text
    return float(match[1])


@pytest.fixture(scope="module")
def certificate(host) -> str:
    """The certificate that the web server shows, in PEM."""
    return str(host.check_output("cat /etc/ssl/certs/hpcampus-selfsigned.pem"))


@pytest.fixture(scope="module")
def address(host) -> str:
    """The address of the hub."""
    return ip(host.check_output("hostname"))


@pytest.fixture
def browser(address: str, certificate: str) -> Browser:
    """A browser that trusts the hub's certificate and nothing else."""
    return Browser(address, ssl.create_default_context(cadata=certificate))


def test_nothing_else_listens(host):
    open_ports = set()
    for line in host.check_output("ss --no-header --listening --numeric --tcp --udp").splitlines():
        place, _, port = line.split()[4].rpartition(":")
        if not re.match(r"127\.|\[::1\]|\[::ffff:127\.", place):
            open_ports.add(int(port))
    assert open_ports == {22, 80, 443} | (SLURM if host.exists("slurmctld") else set())


@pytest.mark.parametrize("unit", EXPOSURE)
def test_units_are_sandboxed(host, unit: str):
    said = host.check_output(f"systemd-analyze security --no-pager {unit}.service | tail -n 1")
    assert number(r"Overall exposure level for .*: ([0-9.]+)", said) <= EXPOSURE[unit]


@pytest.mark.parametrize("unit", EXPOSURE)
def test_units_run_are_enabled_and_come_back(host, unit: str):
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    assert host.check_output(f"systemctl show --value --property=Restart {unit}.service") in {
        "always",
        "on-abort",
        "on-failure",
    }


@pytest.mark.parametrize("unit", ["jupyterhub", "jupyterhub-proxy", "hpcampus-courses"])
def test_units_are_not_root(host, unit: str):
    main = host.check_output(f"systemctl show --value --property=MainPID {unit}.service")
    assert main != "0"
    assert set(host.check_output(f"ps --no-headers -o user:32= --pid {main} --ppid {main}").split()) == {unit}


def test_secrets_are_private(host):
    assert host.file("/etc/jupyterhub/secrets").mode == 0o750
    assert host.file("/etc/jupyterhub/accounts.json").mode == 0o640
    places = "/etc/jupyterhub/secrets /etc/jupyterhub/accounts.json /var/lib/jupyterhub"
    assert host.check_output(f"find {places} -perm /o=rwx -not -type l -not -type s -not -name '*.pub'") == ""
    assert "$2b$" not in host.check_output("systemctl show jupyterhub.service; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)],
)
def test_tls_versions(address: str, certificate: str, version: str, *, accepted: bool):
    context = ssl.create_default_context(cadata=certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        wanted = ssl.TLSVersion[version]
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = wanted
    if accepted:
        with connect(address, context) as connected:
            assert connected.version() == version.replace("_", ".")
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            connect(address, context)


def test_the_certificate_is_for_this_name_alone(address: str, certificate: str):
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(address, ssl.create_default_context(cadata=certificate), name="other.example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(address, ssl.create_default_context())


def test_http_leads_to_https(address: str):
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    connection.request("GET", "/hub/login?next=%2Fx", headers={"Host": NAME})
    answer = connection.getresponse()
    assert answer.status in {301, 308}
    assert answer.getheader("Location") == f"https://{NAME}/hub/login?next=%2Fx"


def test_the_login_page_comes_with_its_headers(browser: Browser):
    answer = browser.request("GET", "/hub/login")
    assert answer.status == 200
    assert number(r"max-age=(\d+)", answer.getheader("Strict-Transport-Security", "")) >= 15768000
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
    assert "JupyterHub" in answer.read().decode()


def test_a_person_with_the_password_is_let_in(browser: Browser):
    assert browser.login("alice", PASSWORD) == 302
    assert browser.request("GET", "/hub/home").status == 200


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", PASSWORD),
        ("alice\nroot1", PASSWORD),
        ("../alice", PASSWORD),
        ("a" * 300, PASSWORD),
    ],
)
def test_others_are_not(browser: Browser, user: str, password: str):
    assert browser.login(user, password) == 403
    assert browser.request("GET", "/hub/home").status == 302


def test_no_way_to_set_attributes_of_a_spawner(browser: Browser):
    assert browser.login("alice", PASSWORD) == 302
    assert browser.request("GET", "/hub/api/batchspawner").status == 404
    assert browser.request("POST", "/hub/api/batchspawner", {}).status in {403, 404}


def test_the_proxy_survives_a_restart_of_the_hub(host, browser: Browser):
    before = host.check_output("systemctl show --value --property=MainPID jupyterhub-proxy")
    host.check_output("systemctl restart jupyterhub")
    assert host.check_output("systemctl show --value --property=MainPID jupyterhub-proxy") == before
    for _ in range(60):
        if browser.request("GET", "/hub/login").status == 200:
            break
        time.sleep(1)
    assert browser.login("alice", PASSWORD) == 302


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/jupyterhub/local.d/90-mine.py", "written by hand"),
        ("/etc/apache2/hpcampus.d/90-mine.conf", "written by hand"),
    ],
)
def test_what_the_admin_wrote_survived_the_second_run(host, path: str, line: str):
    assert line in host.file(path).content_string


def test_what_the_admin_wrote_counts(host, browser: Browser):
    host.check_output("apachectl graceful")
    for _ in range(60):  # the processes of before answer until the new ones have begun
        mine = browser.request("GET", "/hub/login").getheader("X-Mine")
        if mine:
            break
        time.sleep(0.5)
    assert mine == "written by hand"


def test_managed_files_say_so(host):
    for path in ("/etc/jupyterhub/jupyterhub_config.py", "/etc/apache2/sites-available/hpcampus.conf"):
        first = host.file(path).content_string.splitlines()[0]
        assert "Managed by hpcampus" in first
        assert "Your own lines belong in" in first
