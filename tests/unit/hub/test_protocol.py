# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the gateway says is read strictly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub import protocol
from hpcampus_hub.protocol import ProtocolError

JOB = {
    "job_id": 7,
    "state": "RUNNING",
    "reason": "None",
    "nodes": "c1",
    "start": 5,
    "hub_id": "hub",
    "user_id": "alice",
    "server_id": "",
    "spawn_id": "0" * 32,
}


def test_a_greeting() -> None:
    line = '{"hello": {"protocol": 1, "account": "hpcampus", "slurm": "24.11.5"}}'
    assert protocol.decode_hello(line) == protocol.Hello(1, "hpcampus", "24.11.5")


@pytest.mark.parametrize(
    "line",
    ["", "Welcome to the cluster", "[]", '{"hello": 1}', '{"hello": {"protocol": "1"}}', '{"hello": {"protocol": 2}}'],
)
def test_what_is_no_greeting(line: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_hello(line)


def test_answers() -> None:
    good = protocol.decode_answer('{"id": 3, "ok": true, "job_id": 9}')
    assert (good.number, good.fields, good.error) == (3, {"job_id": 9}, None)
    bad = protocol.decode_answer('{"id": null, "ok": false, "code": "bad-request", "message": "no"}')
    assert bad.number is None
    assert bad.error is not None
    assert (bad.error.code, bad.error.message) == ("bad-request", "no")


@pytest.mark.parametrize(
    "line", ["{}", '{"id": 1}', '{"id": "1", "ok": true}', '{"id": true, "ok": true}', "[1]", "{", "[" * 9999]
)
def test_what_is_no_answer(line: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_answer(line)


def test_jobs() -> None:
    (job,) = protocol.decode_jobs({"jobs": [JOB]})
    assert (job.job_id, job.nodes, job.start) == (7, "c1", 5)


@pytest.mark.parametrize(
    "change", [{"job_id": "7"}, {"state": None}, {"start": "N/A"}, {"spawn_id": 1}, {"job_id": True}]
)
def test_what_is_no_job(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_jobs({"jobs": [{**JOB, **change}]})


@pytest.mark.parametrize("fields", [{}, {"jobs": None}, {"jobs": [1]}, {"jobs": [{}]}])
def test_what_is_no_list_of_jobs(fields: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_jobs(fields)


@pytest.mark.parametrize("job_id", [None, "7", 0, -1, True])
def test_what_is_no_job_id(job_id: object) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_job_id({"job_id": job_id})


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50)))
def test_a_request_is_one_line_whatever_its_fields_hold(fields: dict[str, str]) -> None:
    line = protocol.encode(4, "submit", fields)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.isascii()
    assert {**fields, "id": 4, "op": "submit"} == json.loads(line)


def test_secrets_do_not_show_in_a_traceback() -> None:
    tunnel = protocol.TunnelSecrets("h", 22, "tunnel", ("k",), "PRIVATE", "CERT", 20000, 25000, 8081)
    shown = repr(protocol.Secrets({"JUPYTERHUB_API_TOKEN": "TOKEN"}, tunnel, "/user/a/", "/lab"))
    assert not [secret for secret in ("PRIVATE", "CERT", "TOKEN") if secret in shown]
