# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service and the gradebooks on a hub: what a job reaches, and whose gradebook opens."""

from __future__ import annotations

import json
import shlex
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from tests.testinfra.hub.web import Browser
from tests.testinfra.reach import hosts, ip

testinfra_hosts = hosts("hub")
ROOT = Path(__file__).parents[3]
PASSWORD = "correct horse battery staple"
COURSE = "hpcampus_course_physics101"
SERVICE = "/services/courses/api/v1"
API_PORT = 8083


@pytest.fixture(scope="module")
def address(host) -> str:
    """The address of the hub."""
    return ip(host.check_output("hostname"))


def token(host, address: str, person: str, owner: str) -> str:
    """A token of somebody's, made by a person who may."""
    certificate = host.check_output("cat /etc/ssl/certs/hpcampus-selfsigned.pem")
    browser = Browser(address, ssl.create_default_context(cadata=certificate))
    for _ in range(60):  # the hub may be starting
        if browser.login(person, PASSWORD) == 302:
            break
        time.sleep(1)
    browser.request("GET", "/hub/home").read()
    made = browser.request("POST", f"/hub/api/users/{owner}/tokens", json_body={"note": "test"})
    return str(json.load(made)["token"])


@pytest.fixture(scope="module")
def course_token(host, address: str) -> str:
    """A token of the course's own account."""
    return token(host, address, "root1", "course-physics101")


def ask(host, path: str, secret: str = "", *more: str) -> tuple[int, str]:
    """Status and body that a job gets; the token goes by standard input."""
    options = ["--silent", "--path-as-is", "--write-out", r"\n%{http_code}", "--config", "-", *more]
    line = shlex.quote(f'header = "Authorization: token {secret}"' if secret else "")
    said = host.check_output(
        f"printf '%s\\n' {line} | curl {shlex.join(options)} {shlex.quote(f'http://127.0.0.1:{API_PORT}{path}')}"
    )
    body, _, status = said.rpartition("\n")
    return int(status), body


@pytest.mark.parametrize("path", ["/hub/health", "/hub/api/", f"{SERVICE}/health"])
def test_jobs_reach_the_hub_and_the_course_service(host, path: str):
    assert ask(host, path)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/hub",
        "/user/alice/",
        "/services/",
        "/services/other/",
        "/services/courses",
        "/hub/../user/alice/",
        "/hub/%2e%2e/user/alice/",
        "/hub/..%2f..%2fuser/alice/",
        "/HUB/health",
        "/server-status",
        "/icons/",
        "/api/routes",
    ],
)
def test_jobs_reach_nothing_else(host, path: str):
    status, body = ask(host, path)
    # with 404 it is the hub's own answer to a page that it does not have
    assert status in {403, 400} or (status == 404 and path.startswith("/hub/..%2f"))
    assert "notebook" not in body.lower()


def test_a_job_is_believed_nothing_but_its_token(host, course_token: str):
    forged = [
        "--header",
        "X-Forwarded-For: 192.0.2.77",
        "--header",
        "X-Forwarded-Proto: https",
        "--header",
        "Connection: close, Authorization",
    ]
    assert ask(host, "/hub/api/user", course_token, *forged)[0] == 200
    assert "192.0.2.77" not in host.check_output(
        "journalctl --no-pager --output=cat --unit=jupyterhub.service --since=-1min"
    )


def test_only_the_loopback_leads_there(host, address: str):
    said = host.run(f"curl --silent --max-time 5 http://{address}:{API_PORT}/hub/health")
    assert said.rc == 7  # nobody listens


def test_the_service_knows_who_somebody_is(host, address: str, course_token: str):
    status, body = ask(host, f"{SERVICE}/courses", course_token)
    assert (status, [course["role"] for course in json.loads(body)["courses"]]) == (200, ["course"])
    status, body = ask(host, f"{SERVICE}/courses", token(host, address, "alice", "alice"))
    assert (status, [course["role"] for course in json.loads(body)["courses"]]) == (200, ["student"])
    assert ask(host, f"{SERVICE}/courses")[0] == 401
    assert ask(host, f"{SERVICE}/courses", "0" * 32)[0] == 401


def probe(host, secret: str, *, works: bool) -> Any:
    """Run the job's side of a gradebook on the hub."""
    sources = {
        name: (ROOT / f"roles/gateway/files/hpcampus_job/{name}.py").read_text(encoding="utf-8")
        for name in ("__init__", "gradebook", "listener", "log")
    }
    given = json.dumps({"token": secret, "course": "physics101", "port": API_PORT, "sources": sources, "works": works})
    program = Path(__file__).with_name("gradebook_probe.py").read_text(encoding="utf-8")
    python = "/opt/hpcampus/jupyterhub/current/bin/python"
    said = host.check_output(f"cat <<'END' | {python} -I -c {shlex.quote(program)}\n{given}\nEND")
    return json.loads(said.splitlines()[-1])  # before it stands what the wrapper logs


def test_the_course_opens_its_gradebook_and_no_other_database(host, course_token: str):
    found = probe(host, course_token, works=True)
    assert found["own"] == [COURSE, COURSE]
    assert found["work"]["length"] == 3_000_000
    assert found["work"]["question_ms"] < 20
    assert found["connect_ms"] < 500
    assert found["cancelled"] < 10
    assert "permission denied" in found["superuser"] or "must be superuser" in found["superuser"]
    refusal = f"this server's gradebook is the database {COURSE} of the role {COURSE}, and no other"
    assert refusal in found["others_database"]
    assert refusal in found["others_role"]


@pytest.mark.parametrize(("person", "status"), [("alice", 403), ("teacher", 403), ("verify", 404)])
def test_nobody_else_opens_it(host, address: str, person: str, status: int):
    found = probe(host, token(host, address, person, person), works=False)
    for attempt in found.values():
        assert f"the hub does not lead to the gradebook (answer {status})" in attempt


def test_a_restart_of_the_service_is_waited_for(host, course_token: str):
    host.check_output("systemctl restart --no-block hpcampus-courses")
    assert probe(host, course_token, works=False)["own"] == [COURSE, COURSE]


def test_the_service_lets_people_in_while_the_web_server_reloads(host, course_token: str):
    host.check_output("systemctl reload apache2")
    assert probe(host, course_token, works=False)["own"] == [COURSE, COURSE]


def psql(host, account: str, more: str) -> tuple[int, str]:
    """Try to connect as an account of the host."""
    done = host.run(f"cd / && runuser -u {account} -- psql -X -w -At -c 'SELECT current_user' {more}")
    return done.rc, done.stdout + done.stderr


OWN = f"-h /run/postgresql -U {COURSE}"


def test_only_the_service_is_let_in_as_a_course(host):
    assert psql(host, "hpcampus-courses", f"{OWN} -d {COURSE}") == (0, f"{COURSE}\n")
    for account in ("www-data", "jupyterhub", "jupyterhub-proxy", "root"):
        rc, said = psql(host, account, f"{OWN} -d {COURSE}")
        assert rc, account
        assert "Peer authentication failed" in said


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_the_service_is_let_in_to_the_databases_of_courses_alone(host, database: str):
    rc, said = psql(host, "hpcampus-courses", f"{OWN} -d {database}")
    assert rc
    assert "pg_hba.conf rejects connection" in said
    rc, said = psql(host, "hpcampus-courses", "-h /run/postgresql -U postgres -d postgres")
    assert rc
    assert "authentication failed" in said


def test_a_course_is_let_in_by_the_socket_alone(host):
    rc, said = psql(host, "hpcampus-courses", f"-h 127.0.0.1 -U {COURSE} -d {COURSE}")
    assert rc
    assert "rejects connection" in said or "Connection refused" in said


def test_no_other_role_may_connect_to_a_gradebook(host):
    host.check_output("cd / && runuser -u postgres -- createuser --no-superuser www-data")
    try:
        rc, said = psql(host, "www-data", f"-h /run/postgresql -d {COURSE}")
        assert rc
        assert "permission denied for database" in said
    finally:
        host.check_output("cd / && runuser -u postgres -- dropuser www-data")


def test_the_services_token_and_records_are_private(host):
    assert host.file("/etc/jupyterhub/secrets/courses_token").mode == 0o640
    config = host.file("/etc/hpcampus-courses/config.json")
    assert (config.user, config.group, config.mode) == ("root", "hpcampus-courses", 0o640)
    assert host.file("/var/lib/hpcampus-courses").mode == 0o700
    secret = host.check_output("cat /etc/jupyterhub/secrets/courses_token").strip()
    assert len(secret) == 64
    found = host.check_output(
        "systemctl show hpcampus-courses.service; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager --output=cat"
    )
    assert secret not in found
    main = host.check_output("systemctl show --value --property=MainPID hpcampus-courses.service")
    assert secret not in host.check_output(f"cat /proc/{main}/environ | tr '\\0' ' '")
