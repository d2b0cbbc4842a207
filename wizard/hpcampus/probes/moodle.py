# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A Moodle, or another platform of OpenID Connect: what it says of itself for LTI. Pure but for `look` and `fetch`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hpcampus.probes.finding import Finding, Line, note, ok, problem

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from http.client import HTTPMessage
    from typing import IO

NAME = "moodle"
SECONDS = 30.0
FETCH_SECONDS = 8.0
MOST_BYTES = 1024 * 1024
# Moodle's own place for tools that register themselves, and the usual one of OpenID Connect.
PLACES = ("/mod/lti/openid-configuration.php", "/.well-known/openid-configuration")
KEYS = "/mod/lti/certs.php"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Answer:
    """What an address answered.

    Attributes:
        data: The object of JSON; None when it was none.
        error: Why there is none.
        missing: Whether the server is there and has nothing at the address.
    """

    data: Mapping[str, Any] | None = None
    error: str = ""
    missing: bool = False


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows a server to other addresses of https, and to no others."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Give the next request."""
        if urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"redirected to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def look(url: str, context: ssl.SSLContext | None = None) -> Finding:
    """Look at a platform.

    Args:
        url: Its address, as people type it.
        context: Whom to trust; the system's authorities by default.
    """
    opener = urllib.request.build_opener(_OnlyHttps, urllib.request.HTTPSHandler(context=context))
    return examine(url, lambda address: fetch(address, opener))


def examine(url: str, get: Callable[[str], Answer]) -> Finding:
    """Give the finding.

    Args:
        url: Address of the platform.
        get: Asks an address.
    """
    base = url.rstrip("/")
    if not _is_https(base):
        return Finding(NAME, (problem("moodle.not-https", url=url),))
    first = Answer()
    for place in PLACES:
        answer = get(base + place)
        if answer.data is not None:
            return _described(base, answer.data, get)
        first = answer if not first.error else first
        if not answer.missing and not answer.error.startswith("4"):
            break
    if not first.missing:
        return Finding(NAME, (problem("moodle.failed", url=base, problem=first.error),))
    if _key_count(get(base + KEYS)):
        # Without registration by itself: the values are entered by hand, and are the same in every Moodle.
        facts = {"issuer": base, "jwks_uri": base + KEYS}
        return Finding(NAME, (ok("moodle.keys-only", url=base), note("moodle.by-hand")), facts=facts)
    return Finding(NAME, (problem("moodle.none", url=base),))


def _described(base: str, data: Mapping[str, Any], get: Callable[[str], Answer]) -> Finding:
    issuer = data.get("issuer")
    endpoints = {name: data[name] for name in ENDPOINTS if isinstance(data.get(name), str)}
    lines: list[Line] = []
    if issuer in (base, f"{base}/"):
        lines.append(ok("moodle.issuer", issuer=issuer))
    else:
        lines.append(problem("moodle.issuer-other", issuer=repr(issuer)[:200], url=base))
    missing = [name for name in ENDPOINTS if name not in endpoints]
    if missing:
        lines.append(problem("moodle.endpoints-missing", names=", ".join(missing)))
    insecure = [address for address in endpoints.values() if not _is_https(address)]
    if insecure:
        lines.append(problem("moodle.endpoints-insecure", addresses=", ".join(insecure)))
    keys = endpoints.get("jwks_uri")
    if keys and keys not in insecure:
        count = _key_count(get(keys))
        lines.append(ok("moodle.keys", count=count) if count else problem("moodle.no-keys", url=keys))
    product = _product(data)
    if product:
        lines.append(ok("moodle.product", product=product))
    return Finding(NAME, tuple(lines), facts={"issuer": issuer, **endpoints})


def _product(data: Mapping[str, Any]) -> str:
    configuration = data.get("https://purl.imsglobal.org/spec/lti-platform-configuration")
    if not isinstance(configuration, dict):
        return ""
    parts = (configuration.get("product_family_code"), configuration.get("version"))
    return " ".join(str(part)[:60] for part in parts if part)


def _key_count(answer: Answer) -> int:
    keys = (answer.data or {}).get("keys")
    return len(keys) if isinstance(keys, list) else 0


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def fetch(address: str, opener: urllib.request.OpenerDirector) -> Answer:
    """Ask an address of https for an object of JSON."""
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 -- https, checked
    try:
        with opener.open(request, timeout=FETCH_SECONDS) as response:
            data = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        return Answer(error=f"{error.code} {error.reason}", missing=error.code == HTTPStatus.NOT_FOUND)
    except urllib.error.URLError as error:
        return Answer(error=str(error.reason))
    except (OSError, HTTPException) as error:
        return Answer(error=str(error) or type(error).__name__)
    except ValueError:
        return Answer(error="no JSON", missing=True)
    return Answer(data) if isinstance(data, dict) else Answer(error="no object of JSON", missing=True)
