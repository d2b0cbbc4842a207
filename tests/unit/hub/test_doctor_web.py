# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's legs of the web against real servers: names, ports, certificates, and who does not answer behind whom."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from hpcampus_hub.doctor.finding import Said
from hpcampus_hub.doctor.network import reason, refused
from hpcampus_hub.doctor.site import Hub
from hpcampus_hub.doctor.web import Web
from tests.unit.hub.certificates import Authority, issue, make_authority, serve
from tests.unit.hub.hub_process import free_port
from tests.unit.hub.sites import site

AUTHORITY = make_authority()


def web(url: str, proxy_port: int = 1, hub_port: int = 1, ca_file: Path | None = None, **more: Any) -> Web:
    return Web(Hub(site(), url, proxy_port, hub_port, "sqlite://", **more), ca_file)


async def test_the_public_name() -> None:
    good = await web("https://localhost:8443/").name()
    assert good.verdict == "ok"
    assert "127.0.0.1" in good.seen
    bad = await web("https://hub.invalid/").name()
    assert bad.verdict == "broken"
    assert bad.seen.startswith("hub.invalid has no address: ")
    assert bad.cure.startswith("Let the DNS give hub.invalid")
    none = await web("").name()
    assert (none.verdict, none.seen) == ("not tried", "needs the public address")


async def test_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert (await web(f"https://127.0.0.1:{port}/").port()).verdict == "ok"
    closed = await web(f"https://127.0.0.1:{port}/").port()
    assert closed.seen == f"127.0.0.1:{port} refuses connections"
    assert "systemctl restart apache2" in closed.cure


async def test_a_port_behind_a_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_arguments: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("hpcampus_hub.doctor.network.SILENT_SECONDS", 0.05)
    monkeypatch.setattr(asyncio, "open_connection", never)
    silent = await web("https://192.0.2.1/").port()
    assert silent.seen == "192.0.2.1:443 cannot be reached: no answer within 0.05 s"
    assert "firewall" in silent.cure


def test_a_refusal_by_every_address_is_a_refusal() -> None:
    assert refused(ConnectionRefusedError(111, "no"))
    assert refused(OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect call failed"))
    assert not refused(OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] no route"))


def test_reasons_are_those_of_the_system() -> None:
    assert reason(OSError(111, "Connect call failed ('127.0.0.1', 1)")) == "Connection refused"
    assert reason(socket.gaierror(-2, "Name or service not known")) == "Name or service not known"
    assert reason(RuntimeError()) == "RuntimeError"


async def certificate(
    tmp_path: Path, *names: str, authority: Authority | None = AUTHORITY, trust: bool = True, **times: float
) -> Said:
    """What the doctor says of a server's certificate when it comes as ``localhost``."""
    path = issue(tmp_path / "server.pem", authority, *names, **times)
    ca_file = AUTHORITY.write(tmp_path / "ca.pem")
    if authority is None:
        ca_file = path
    async with serve(200, path) as port:
        return await web(f"https://localhost:{port}/", ca_file=ca_file if trust else None).certificate()


async def test_a_good_certificate(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", days=90.5)
    assert said.verdict == "ok"
    assert said.seen.startswith("good for localhost until ")
    assert said.seen.endswith("(90 days), issued by Test CA")


async def test_a_self_signed_certificate_that_was_chosen(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", authority=None)
    assert said.verdict == "ok"
    assert "self-signed" in said.seen


async def test_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", days=5.5)
    assert (said.verdict, said.seen[:14]) == ("warning", "ends in 5 days")
    assert "apache_certificate_file" in said.cure


async def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", days=-3.5)
    assert said.verdict == "broken"
    assert said.seen.startswith("expired on ")
    assert said.seen.endswith(", 3 days ago")


async def test_a_certificate_of_the_future(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", since_days=2)
    assert said.seen.startswith("good only from ")
    assert "timedatectl" in said.cure


async def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "www.example.org", "192.0.2.7")
    assert said.seen == "is for www.example.org, 192.0.2.7, not for localhost"
    assert "Get a certificate that names localhost" in said.cure


async def test_a_certificate_of_a_stranger(tmp_path: Path) -> None:
    said = await certificate(tmp_path, "localhost", authority=make_authority("Stranger"))
    assert said.seen.startswith("issued by Stranger, whom this host does not trust (")
    assert "site_ca_certificates" in said.cure
    own = await certificate(tmp_path, "localhost", authority=None, trust=False)
    assert own.seen.startswith("issued by itself, whom")


async def test_a_port_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus_hub.doctor.web.HTTP_SECONDS", 0.5)
    async with serve(200) as port:
        said = await web(f"https://localhost:{port}/").certificate()
    assert said.verdict == "broken"
    assert said.seen.startswith(f"no TLS on localhost:{port}: ")


async def test_all_the_way_to_the_hub(tmp_path: Path) -> None:
    path = issue(tmp_path / "front.pem", None, "localhost")
    async with serve(200, path) as public, serve(200) as proxy, serve(200) as hub:
        one = web(f"https://localhost:{public}/", proxy, hub)
        found = [await one.apache(), await one.proxy(), await one.hub_itself()]
    assert [said.verdict for said in found] == ["ok", "ok", "ok"]
    assert found[0].seen == f"https://localhost:{public}/hub/health answers 200"


async def test_the_proxy_is_down(tmp_path: Path) -> None:
    path, closed = issue(tmp_path / "front.pem", None, "localhost"), free_port()
    async with serve(503, path) as public, serve(200) as hub:
        one = web(f"https://localhost:{public}/", closed, hub)
        apache, proxy, hub_itself = await one.apache(), await one.proxy(), await one.hub_itself()
    assert (apache.verdict, apache.seen) == ("ok", "Apache answers; what lies behind it says nothing")
    assert (proxy.verdict, hub_itself.verdict) == ("broken", "ok")
    assert proxy.cure.startswith("Start the proxy: systemctl restart jupyterhub-proxy")


async def test_the_hub_is_down(tmp_path: Path) -> None:
    path, closed = issue(tmp_path / "front.pem", None, "localhost"), free_port()
    async with serve(503, path) as public, serve(503) as proxy:
        one = web(f"https://localhost:{public}/", proxy, closed)
        apache, through, hub = await one.apache(), await one.proxy(), await one.hub_itself()
    assert (apache.verdict, through.verdict, hub.verdict) == ("ok", "ok", "broken")
    assert hub.seen.startswith(f"127.0.0.1:{closed} gives no answer")
    assert "journalctl -u jupyterhub -n 50" in hub.cure


async def test_apache_alone_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus_hub.doctor.web.HTTP_SECONDS", 0.5)
    path = issue(tmp_path / "front.pem", None, "localhost")
    async with serve(404, path) as public, serve(200) as proxy:
        said = await web(f"https://localhost:{public}/", proxy).apache()
    assert said.seen == f"https://localhost:{public}/hub/health answers 404, the proxy behind it 200"
    async with serve(200) as plain:  # it accepts connections and does not speak TLS
        closed = await web(f"https://localhost:{plain}/", proxy).apache()
    assert closed.verdict == "broken"
    assert "hpcampus-error.log" in closed.cure


async def test_the_hub_is_ill_or_not_behind_the_proxy() -> None:
    async with serve(500) as hub:
        assert (await web("", 1, hub).hub_itself()).seen == f"127.0.0.1:{hub} answers 500"
    async with serve(503) as proxy, serve(200) as hub:
        said = await web("", proxy, hub).hub_itself()
    assert said.seen == f"healthy on 127.0.0.1:{hub}, but 503 through the proxy"
    assert said.cure.endswith("systemctl restart jupyterhub-proxy jupyterhub")


async def test_the_port_of_jobs_is_the_hubs_own_or_leads_to_it() -> None:
    async with serve(200) as hub, serve(200) as front:
        own = await web("", 1, hub).api_port()
        good = await web("", 1, hub, api_port=front).api_port()
    assert (own.verdict, own.seen) == ("ok", f"127.0.0.1:{hub}, where jobs reach the hub, leads to it")
    assert (good.verdict, good.seen) == ("ok", f"127.0.0.1:{front}, where jobs reach the hub, leads to it")


async def test_the_port_of_jobs_is_closed_or_leads_nowhere() -> None:
    closed = free_port()
    async with serve(200) as hub, serve(503) as front:
        missing = await web("", 1, hub, api_port=closed).api_port()
        nowhere = await web("", 1, hub, api_port=front).api_port()
    assert missing.verdict == nowhere.verdict == "broken"
    assert missing.seen == f"127.0.0.1:{closed}, where jobs reach the hub, gives no answer: Connection refused"
    assert nowhere.seen == f"127.0.0.1:{front}, where jobs reach the hub, answers 503, the hub itself 200"
    assert "hpcampus apply --step apache" in missing.cure


async def test_the_course_service() -> None:
    closed = free_port()
    async with serve(200) as service, serve(200) as front, serve(503) as behind_nothing:
        good = await web("", api_port=front, courses_url=f"http://127.0.0.1:{service}").courses()
        down = await web("", api_port=front, courses_url=f"http://127.0.0.1:{closed}").courses()
        sick = await web("", api_port=front, courses_url=f"http://127.0.0.1:{behind_nothing}").courses()
        cut_off = await web("", api_port=behind_nothing, courses_url=f"http://127.0.0.1:{service}").courses()
        silent = await web("", api_port=closed, courses_url=f"http://127.0.0.1:{service}").courses()
    health = "services/courses/api/v1/health"
    assert (good.verdict, good.seen) == (
        "ok",
        f"http://127.0.0.1:{service}/{health} is healthy, also on the way of jobs",
    )
    assert down.seen == f"http://127.0.0.1:{closed}/{health} gives no answer: Connection refused"
    assert "systemctl restart hpcampus-courses" in down.cure
    assert sick.seen == f"http://127.0.0.1:{behind_nothing}/{health} answers 503"
    assert cut_off.seen == f"healthy, but jobs get 503 on 127.0.0.1:{behind_nothing}"
    assert silent.seen == f"healthy, but jobs get nothing on 127.0.0.1:{closed}"


async def test_a_hub_without_the_course_service() -> None:
    none = await web("").courses()
    assert (none.verdict, none.cure) == ("not tried", "Run: hpcampus apply --step courses")
