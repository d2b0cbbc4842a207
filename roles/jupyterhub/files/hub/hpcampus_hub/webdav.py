# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's WebDAV folder (Nextcloud, Sciebo): the rules of what may be entered, and the question whether it works.

The hub asks only servers that the administrator named, by https, and follows no redirect: what a student enters cannot make it
talk to anything else.
"""

import re
import ssl
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from urllib.parse import unquote, urlsplit

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from .settings import SettingsError

HTTPS_PORT = 443
MULTI_STATUS = 207
TEST_SECONDS = 10.0
_ANSWER_BYTES = 256 * 1024

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ALLOWED_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})+)(?::([1-9][0-9]{{0,4}}))?")
_URL = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:/(?:[A-Za-z0-9._~@+-]|%[0-9A-Fa-f]{2}|/)*)?")
_USER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._@+'-]{0,126}[A-Za-z0-9._@+'-])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_LONGEST = 1000


class FolderError(ValueError):
    """What was entered cannot be used; the text tells the person why and never holds the password."""


@dataclass(frozen=True)
class Folder:
    """Address and login of a folder, and the directory in the home where it appears."""

    url: str
    user: str
    password: str = field(repr=False)
    name: str

    def fields(self) -> dict[str, str]:
        """The folder as the gateway expects it."""
        return asdict(self)


def read_hosts(value: object) -> frozenset[str]:
    """The servers that folders may be on, each ``host:port``.

    Args:
        value: list of host names, with a port where it is not 443.

    Raises:
        SettingsError: an entry is neither.
    """
    if not isinstance(value, (list, tuple)):
        raise SettingsError(f"HpcHub.webdav_hosts: expected a list, not {value!r}")
    return frozenset(_read_host(item) for item in value)


def _read_host(value: object) -> str:
    match = _ALLOWED_HOST.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2] or HTTPS_PORT) <= 65535:
        raise SettingsError(
            f"HpcHub.webdav_hosts: {value!r} is not a host; write its name in lower case, with a port if it is not 443,"
            ' such as "cloud.example.org"'
        )
    return f"{match[1]}:{match[2] or HTTPS_PORT}"


def shown_hosts(hosts: Iterable[str]) -> list[str]:
    """The servers as a person reads them."""
    return sorted(host.removesuffix(f":{HTTPS_PORT}") for host in hosts)


def check_url(text: str, hosts: Collection[str]) -> str:
    """The address if it is one that may be used.

    Raises:
        FolderError: no https, credentials or a query in it, a way out of its path, or a server that is not allowed.
    """
    text = text.strip()
    if len(text) > _LONGEST or not _URL.fullmatch(text):
        raise FolderError(
            "The address must begin with https:// and have a host name, and may have a path of letters, digits and"
            " . _ ~ @ + - / in which everything else is written as %20 is. It holds no user name, password or question mark."
        )
    parts = urlsplit(text)
    if any(part in (".", "..") or not part.isprintable() for part in unquote(parts.path).split("/")):
        raise FolderError("The path of the address may not have . or .. or a control character in it.")
    host = (parts.hostname or "").lower()
    try:
        port = parts.port or HTTPS_PORT
    except ValueError:
        port = 0
    if f"{host}:{port}" not in hosts:
        raise FolderError(f"Folders may be on {', '.join(shown_hosts(hosts))} only. Ask your administrator for others.")
    return parts._replace(netloc=host if port == HTTPS_PORT else f"{host}:{port}", path=parts.path or "/").geturl()


def check_folder(url: str, user: str, password: str, name: str, hosts: Collection[str]) -> Folder:
    """What was entered on the page, checked.

    Raises:
        FolderError: names the first field that is wrong.
    """
    url = check_url(url, hosts)
    if not _USER.fullmatch(user):
        raise FolderError("The user name may have letters, digits, blanks and . _ @ + ' - in it, at most 128.")
    if not 1 <= len(password) <= 256 or not password.isprintable():
        raise FolderError("The password must have 1 to 256 characters on one line.")
    if not _NAME.fullmatch(name):
        raise FolderError("The name of the directory may have letters, digits, _ and - in it, at most 32.")
    return Folder(url, user, password, name)


def judge(status: int) -> tuple[bool, str]:
    """What a server's answer means: whether the folder works, and a sentence for the person."""
    if status == MULTI_STATUS:
        return True, "The server answers, and user name and password are right."
    if status in (401, 403):
        return False, "The server refuses user name or password. Enter them again; a cloud may want an app password."
    if status == 404:
        return False, "The server has no folder at this address."
    if 300 <= status < 400:
        return False, "The server sends you to another address. Enter the one that its settings page shows for WebDAV."
    return False, f"The server does not answer as a WebDAV server does (status {status})."


async def probe_folder(folder: Folder) -> tuple[bool, str]:
    """Ask the server for the folder once.

    Args:
        folder: a folder whose address was checked against the list of hosts just now.

    Returns:
        Whether it works, and a sentence for the person.
    """
    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=_ANSWER_BYTES)
    request = HTTPRequest(
        folder.url,
        method="PROPFIND",
        headers={"Depth": "0"},
        auth_username=folder.user,
        auth_password=folder.password,
        allow_nonstandard_methods=True,
        follow_redirects=False,
        connect_timeout=TEST_SECONDS,
        request_timeout=TEST_SECONDS,
        ssl_options=ssl.create_default_context(),
    )
    try:
        answer = await client.fetch(request, raise_error=False)
    except (OSError, HTTPError, ValueError) as error:
        return False, f"The server could not be reached ({type(error).__name__})."
    finally:
        client.close()
    return judge(answer.code)
