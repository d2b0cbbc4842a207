# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Legs of the web: from the public name through Apache and the proxy to the hub."""

import asyncio
import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from .finding import Said
from .network import addresses, knock, reason, refused
from .site import Hub
from .words import say

SOON_DAYS = 21
HTTP_SECONDS = 5.0
HEALTH = "/hub/health"
COURSES_HEALTH = "/services/courses/api/v1/health"
_WRONG_NAME = (62, 64)
"""OpenSSL's codes for a name and for an address that the certificate is not for."""


def anybody() -> ssl.SSLContext:
    """A context for looking only: it shows whatever certificate there is. Nothing secret may be sent through it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """The system's trust, and that in one more file."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


async def _status(url: str) -> int:
    """Status of a GET; OSError when there is no answer."""
    client = SimpleAsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(
            url,
            raise_error=False,
            follow_redirects=False,
            ssl_options=anybody(),
            connect_timeout=HTTP_SECONDS,
            request_timeout=HTTP_SECONDS,
        )
    except (OSError, HTTPClientError, StreamClosedError) as error:
        raise OSError(reason(error)) from error
    finally:
        client.close()
    return answer.code


async def _shown(host: str, port: int, context: ssl.SSLContext) -> x509.Certificate:
    """The certificate that a server shows, if the context lets it."""
    _, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname=host, ssl_handshake_timeout=HTTP_SECONDS
    )
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der)


@dataclass(frozen=True)
class Web:
    """The web legs of a hub; ``ca_file`` is trusted besides what the system trusts."""

    hub: Hub
    ca_file: Path | None = None

    async def name(self) -> Said:
        """The public name has an address."""
        if not self.hub.host:
            return say("name.no-url")
        try:
            found = await addresses(self.hub.host)
        except OSError as error:
            return say("name.unknown", host=self.hub.host, error=reason(error))
        return say("name.good", host=self.hub.host, addresses=", ".join(found))

    async def port(self) -> Said:
        """Something accepts connections there."""
        where = {"host": self.hub.host, "port": self.hub.port}
        try:
            await knock(self.hub.host, self.hub.port)
        except OSError as error:
            return say("port.refused", **where) if refused(error) else say("port.silent", **where, error=reason(error))
        return say("port.good", **where)

    async def certificate(self) -> Said:
        """A browser would accept the certificate."""
        host, port = self.hub.host, self.hub.port
        try:
            await _shown(host, port, trusting(self.ca_file))
            problem = None
        except ssl.SSLCertVerificationError as error:
            problem = error
        except OSError as error:
            return say("certificate.none", host=host, port=port, error=reason(error))
        shown = await _shown(host, port, anybody())
        return judge(shown, host, problem, dt.datetime.now(dt.UTC))

    async def apache(self) -> Said:
        """Apache answers, and passes on what the proxy says."""
        url = f"{self.hub.public.scheme}://{self.hub.public.netloc}{HEALTH}"
        try:
            status = await _status(url)
        except OSError as error:
            return say("apache.closed", url=url, error=reason(error))
        if status == 200:
            return say("apache.good", url=url, status=status)
        try:
            behind = str(await _status(self._at(self.hub.proxy_port)))
        except OSError:
            behind = "nothing"
        if behind == "200":
            return say("apache.status", url=url, status=status)
        return say("apache.passes-on", status=behind)

    async def proxy(self) -> Said:
        """The proxy answers on its own port."""
        port = self.hub.proxy_port
        try:
            return say("proxy.good", port=port, status=await _status(self._at(port)))
        except OSError as error:
            return say("proxy.closed", port=port, error=reason(error))

    async def hub_itself(self) -> Said:
        """The hub says that it is well, and the proxy knows the way to it."""
        port = self.hub.hub_port
        try:
            status = await _status(self._at(port))
        except OSError as error:
            return say("hub.closed", port=port, error=reason(error))
        if status != 200:
            return say("hub.status", port=port, status=status)
        try:
            through = str(await _status(self._at(self.hub.proxy_port)))
        except OSError:
            return say("hub.good", port=port)  # the proxy has a leg of its own
        return (
            say("hub.good", port=port) if through == "200" else say("hub.not-behind-proxy", port=port, status=through)
        )

    async def api_port(self) -> Said:
        """The port at which the ways of jobs end leads to the hub."""
        port = self.hub.port_for_jobs
        try:
            status = await _status(self._at(port))
        except OSError as error:
            return say("api-port.closed", port=port, error=reason(error))
        return say("api-port.good", port=port) if status == 200 else say("api-port.status", port=port, status=status)

    async def courses(self) -> Said:
        """The course service says that it is well, and jobs have a way to it."""
        if not self.hub.courses_url:
            return say("courses.none")
        url = self.hub.courses_url.rstrip("/") + COURSES_HEALTH
        try:
            status = await _status(url)
        except OSError as error:
            return say("courses.closed", url=url, error=reason(error))
        if status != 200:
            return say("courses.status", url=url, status=status)
        port = self.hub.port_for_jobs
        try:
            through = str(await _status(self._at(port, COURSES_HEALTH)))
        except OSError:
            through = "nothing"
        return say("courses.good", url=url) if through == "200" else say("courses.no-way", port=port, status=through)

    @staticmethod
    def _at(port: int, path: str = HEALTH) -> str:
        return f"http://127.0.0.1:{port}{path}"


def judge(
    certificate: x509.Certificate, host: str, problem: ssl.SSLCertVerificationError | None, now: dt.datetime
) -> Said:
    """What is to be said of a certificate.

    Args:
        certificate: what the server shows.
        host: the name that it has to carry.
        problem: why this host does not accept it, or None.
        now: the time.
    """
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    days = (until - now).days
    if until < now:
        return say("certificate.expired", until=f"{until:%Y-%m-%d}", days=(now - until).days)
    if since > now:
        return say("certificate.early", since=f"{since:%Y-%m-%d %H:%M} UTC")
    self_signed = certificate.issuer == certificate.subject
    if problem is not None and problem.verify_code in _WRONG_NAME:
        return say("certificate.name", names=", ".join(names_of(certificate)) or "nobody", host=host)
    if problem is not None:
        issuer = "itself" if self_signed else _name(certificate.issuer)
        return say("certificate.chain", issuer=issuer, error=problem.verify_message)
    if days < SOON_DAYS:
        return say("certificate.soon", days=days, until=f"{until:%Y-%m-%d}")
    case = "certificate.self-signed" if self_signed else "certificate.good"
    return say(case, host=host, until=f"{until:%Y-%m-%d}", days=days, issuer=_name(certificate.issuer))


def names_of(certificate: x509.Certificate) -> list[str]:
    """Every name and address that a certificate is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in extension]


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
