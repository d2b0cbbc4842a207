# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the gateway says is read strictly."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub import protocol, words
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


@pytest.mark.parametrize("size", [10, 200, 201, 2_000_000])
def test_what_the_gateway_says_is_cut(size: int) -> None:
    line = json.dumps({"id": 1, "ok": False, "code": "x" * size, "message": "m" * size})
    error = protocol.decode_answer(line).error
    assert error is not None
    whole = size <= protocol.SHOWN_MAX
    assert error.message == ("m" * size if whole else "m" * 199 + "…")
    assert len(error.code) <= 200
    assert len(str(error)) <= 410
    for broken in ([{"a": "j" * size}], ["j" * size]):
        with pytest.raises(ProtocolError) as refused:
            protocol.decode_jobs({"jobs": broken})
        assert len(str(refused.value)) <= 220
    (job,) = protocol.decode_jobs({"jobs": [{**JOB, "state": "S" * size, "reason": "R" * size}]})
    assert len(job.state) <= 200
    assert len(job.reason) <= 200
    with pytest.raises(ProtocolError) as refused:
        protocol.decode_job_id({"job_id": "7" * size})
    assert len(str(refused.value)) <= 240
    greeting = protocol.decode_hello(json.dumps({"hello": {"protocol": 1, "account": "a" * size, "slurm": [1] * size}}))
    assert len(greeting.account) <= 200
    assert len(greeting.slurm) <= 200


def test_what_cannot_be_seen_is_written_out() -> None:
    assert (
        protocol.shown("sbatch: error\n  twice \x1b[2J\x00\u202eäß\n") == "sbatch: error twice \\x1b[2J\\x00\\u202eäß"
    )
    assert protocol.shown("\ud800") == "\\ud800"


@given(st.text())
def test_what_is_shown_is_printable_and_short(text: str) -> None:
    assert protocol.shown(text).isprintable()
    assert len(protocol.shown(text)) <= protocol.SHOWN_MAX


@pytest.mark.parametrize("depth", [500, 5_000, 50_000])
def test_deep_values_are_refused_and_nothing_else(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for line in (f'{{"id": 1, "ok": false, "message": {deep}}}', f'{{"id": 1, "ok": true, "jobs": [{deep}]}}'):
        try:
            answer = protocol.decode_answer(line)
        except ProtocolError:
            continue
        if answer.error is None:
            with pytest.raises(ProtocolError):
                protocol.decode_jobs(answer.fields)


@pytest.mark.parametrize("start", [-1, 10**12, 10**400])
def test_a_start_beyond_all_years_is_unknown(start: int) -> None:
    (job,) = protocol.decode_jobs({"jobs": [{**JOB, "state": "PENDING", "start": start}]})
    assert job.start is None
    assert words.queued(job, now=1000.0) == "Job 7 is queued: Slurm is about to look at it."
    assert words.queued(replace(job, start=start), now=1000.0) == words.queued(job, now=1000.0)


def test_jobs() -> None:
    (job,) = protocol.decode_jobs({"jobs": [JOB]})
    assert (job.job_id, job.nodes, job.start) == (7, "c1", 5)


@pytest.mark.parametrize(
    "change",
    [
        {"job_id": "7"},
        {"state": None},
        {"start": "N/A"},
        {"spawn_id": 1},
        {"job_id": True},
        {"job_id": 0},
        {"job_id": 10**18},
    ],
)
def test_what_is_no_job(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_jobs({"jobs": [{**JOB, **change}]})


@pytest.mark.parametrize("fields", [{}, {"jobs": None}, {"jobs": [1]}, {"jobs": [{}]}])
def test_what_is_no_list_of_jobs(fields: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_jobs(fields)


@pytest.mark.parametrize("job_id", [None, "7", 0, -1, True, 10**18, 10**400])
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
