# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What counts as an answer: each function returns what was given in its proper form, or says what is wrong. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The same rules as in the collection's check of an inventory and in its roles; tests compare them.
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
PARTITION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
USER = re.compile(r"^[a-z0-9]([a-z0-9._@+-]{0,62}[a-z0-9])?\Z")
UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# The hub's name, in lower case as the web server wants it; hosts that only ssh reaches may be spelled as they are.
HOST = re.compile(r"^(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z")
OTHER_HOST = re.compile(
    r"^(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\Z"
)
PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+")
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
DEB_URL = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?/[A-Za-z0-9._~%/+:@-]*\.deb")
RANGE = re.compile(r"(?P<before>[^\[\],\s]*)\[(?P<first>[0-9]{1,6})[-:](?P<last>[0-9]{1,6})\](?P<after>[^\[\],\s]*)")

HOST_KEY = re.compile(
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) AAAA[A-Za-z0-9+/]{36,2000}={0,2}(?: .*)?"
)
CENTRE_DIR = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){2,8}")
CENTRE_PARTITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
PROGRAM_PATH = re.compile(r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
PROGRAM = re.compile(rf"[a-z][a-z0-9-]{{0,31}}|{PROGRAM_PATH.pattern}")
MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,63}){0,4}")

PROFILES = ("single", "own-cluster", "remote-centre")
MOST_HOSTS = 4000
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD_BYTES = 72
LONGEST_TITLE = 200
RESERVED_USERS = ("verify", "root", "jupyterhub", "tunnel")

Wrong = ValueError
"""Raised by every validator; its text is for the person who answered."""


def wrong(key: str, /, **values: object) -> ValueError:
    """Make the error that says what is wrong; values are shown quoted and short."""
    shown = {name: show(value) if name == "value" else value for name, value in values.items()}
    return Wrong(t(f"wrong.{key}", **shown))


def show(value: object) -> str:
    """Quote a value for a message, so that control characters are visible and length is bounded."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def text(value: object) -> str:
    """Take a text that is not empty, without spaces around it."""
    if not isinstance(value, str):
        raise wrong("type", expected=t("expected.text"), value=value)
    stripped = value.strip()
    if not stripped:
        raise wrong("required")
    return stripped


def matching(pattern: re.Pattern[str], key: str) -> Callable[[object], str]:
    """Make a validator of texts that match a pattern as a whole."""

    def check(value: object) -> str:
        stripped = text(value)
        if not pattern.fullmatch(stripped):
            raise wrong(key, value=stripped)
        return stripped

    return check


def one_of(choices: Sequence[str]) -> Callable[[object], str]:
    """Make a validator of choices."""

    def check(value: object) -> str:
        stripped = text(value)
        if stripped not in choices:
            raise wrong("choice", value=stripped, choices=", ".join(choices))
        return stripped

    return check


def profile(value: object) -> str:
    """Take a profile that setup can write."""
    stripped = text(value)
    if stripped == "demo":
        raise wrong("profile-demo")
    return one_of(PROFILES)(stripped)


def hub_name(value: object) -> str:
    """Take the name that people type, in lower case however it was written."""
    return host(value, HOST)


def host(value: object, pattern: re.Pattern[str] = OTHER_HOST) -> str:
    """Take a host name or an IPv4 address; only the name of the hub is brought into lower case."""
    stripped = text(value)
    if "://" in stripped:
        raise wrong("url", value=stripped)
    name = stripped.lower() if pattern is HOST else stripped
    if not pattern.fullmatch(name):
        raise wrong("host", value=stripped)
    return name


def hosts(value: object) -> list[str]:
    """Take host names: a list, or one text with commas, spaces and ranges such as node[01-20]."""
    if isinstance(value, str):
        parts = [part for part in re.split(r"[,\s]+", value.strip()) if part]
    elif isinstance(value, list):
        parts = [text(part) for part in value]
    else:
        raise wrong("type", expected=t("expected.list"), value=value)
    names: list[str] = []
    for part in parts:
        names.extend(host(name) for name in _expand(part, MOST_HOSTS - len(names)))
    if not names:
        raise wrong("hosts-empty")
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise wrong("hosts-twice", value=name)
        seen.add(name.lower())
    return names


def _expand(part: str, room: int) -> list[str]:
    """Expand one range; leading zeros of its first number give the width."""
    if "[" not in part and "]" not in part:
        return [part]
    found = RANGE.fullmatch(part)
    if not found:
        raise wrong("hosts-range", value=part, most=MOST_HOSTS)
    first, last = int(found["first"]), int(found["last"])
    if last < first or last - first >= room:
        raise wrong("hosts-range", value=part, most=MOST_HOSTS)
    width = len(found["first"])
    return [f"{found['before']}{number:0{width}d}{found['after']}" for number in range(first, last + 1)]


def user(value: object) -> str:
    """Take a user name of the hub that the platform does not use itself."""
    name = matching(USER, "user")(value)
    if name in RESERVED_USERS or name.startswith("course-"):
        raise wrong("reserved-user", value=name)
    return name


def password(value: object) -> str:
    """Take a password; it is never shown in a message."""
    if not isinstance(value, str):
        raise wrong("required")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise wrong("password-control")
    if len(value) < SHORTEST_PASSWORD:
        raise wrong("password-short", length=len(value))
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        raise wrong("password-control") from None
    if length > LONGEST_PASSWORD_BYTES:
        raise wrong("password-long")
    return value


def title(value: object) -> str:
    """Take one line of printable text."""
    stripped = text(value)
    if len(stripped) > LONGEST_TITLE or not stripped.isprintable() or "{{" in stripped or "{%" in stripped:
        raise wrong("title")
    return stripped


def plain_path(value: object) -> str:
    """Take an absolute path that needs no quoting anywhere."""
    stripped = text(value)
    if not PLAIN_PATH.fullmatch(stripped) or "/.." in stripped:
        raise wrong("path", value=stripped)
    return stripped


def file_path(value: object) -> str:
    """Take the absolute path of a file on this machine."""
    stripped = text(value)
    if not stripped.startswith("/") or not stripped.isprintable() or "{{" in stripped or "{%" in stripped:
        raise wrong("file-path", value=stripped)
    return stripped


def count(value: object) -> int:
    """Take a whole number that is not negative, as a number or as its digits."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value
    raise wrong("count", value=value)


BY_NAME: dict[str, Callable[[object], Any]] = {
    "centre_dir": matching(CENTRE_DIR, "centre-dir"),
    "centre_partition": matching(CENTRE_PARTITION, "centre-partition"),
    "checksum": matching(CHECKSUM, "checksum"),
    "count": count,
    "deb_url": matching(DEB_URL, "deb-url"),
    "file_path": file_path,
    "host": host,
    "host_key": matching(HOST_KEY, "host-key"),
    "hosts": hosts,
    "hub_name": hub_name,
    "module": matching(MODULE, "module"),
    "partition": matching(PARTITION, "partition"),
    "password": password,
    "plain_path": plain_path,
    "profile": profile,
    "program": matching(PROGRAM, "program"),
    "program_path": matching(PROGRAM_PATH, "program-path"),
    "slug": matching(SLUG, "slug"),
    "title": title,
    "unix_user": matching(UNIX_USER, "unix-user"),
    "user": user,
}
"""Validators by the name that `questions.yml` gives them."""
BY_TYPE: dict[str, Callable[[object], Any]] = {"str": text, "path": plain_path, "int": count}
"""Validators for variables of a type, where no other is named."""
