# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Logging in with a local account file: names and bcrypt hashes in JSON, made for demo, tests and small sites."""

import asyncio
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
from jupyterhub.auth import Authenticator
from traitlets import Unicode

from .names import course_of

MOST_PASSWORD_BYTES = 72
"""bcrypt looks at no more; a longer password is refused rather than cut."""

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}")
_DEFAULT_COST = 12


class AccountsError(ValueError):
    """The account file cannot be used; the text says why and what to do."""


def is_username(name: str) -> bool:
    """Say whether a name is harmless: 1 to 64 of a-z, 0-9, . _ @ + -, no sign at either end, no two dots in a row."""
    return _USERNAME.fullmatch(name) is not None and ".." not in name


def password_fits(password: str) -> bool:
    """Say whether bcrypt can take a password whole."""
    raw = password.encode("utf-8", "surrogatepass")
    return 0 < len(raw) <= MOST_PASSWORD_BYTES and b"\0" not in raw


def check_password(password: str, hashed: str) -> bool:
    """Compare a password with a bcrypt hash; takes as long as the hash's cost says."""
    if not password_fits(password):
        bcrypt.checkpw(b"x", hashed.encode("ascii"))
        return False
    return bcrypt.checkpw(password.encode("utf-8", "surrogatepass"), hashed.encode("ascii"))


@dataclass(frozen=True)
class Accounts:
    """The file's content: hashes by name, and a hash that no password matches, as costly as the costliest."""

    hashes: Mapping[str, str]
    decoy: str


def read_accounts(data: object) -> Accounts:
    """Check the content of an account file.

    Args:
        data: parsed JSON, ``{"alice": {"password_hash": "$2b$12$..."}}``.

    Returns:
        The accounts.

    Raises:
        AccountsError: names the account that is wrong, never its hash.
    """
    if not isinstance(data, dict):
        raise AccountsError("the account file must hold an object with an entry for each user")
    hashes = {}
    for name, entry in data.items():
        if not is_username(name):
            raise AccountsError(f"{name!r} is not a user name; use a-z, 0-9 and . _ @ + -, at most 64")
        if course_of(name) is not None:
            raise AccountsError(f"{name!r}: names that begin with course- belong to courses; choose another")
        hashed = entry.get("password_hash") if isinstance(entry, dict) and set(entry) == {"password_hash"} else None
        if not isinstance(hashed, str) or not _HASH.fullmatch(hashed):
            raise AccountsError(f'{name!r} needs one key, "password_hash", with a bcrypt hash that begins with $2b$')
        hashes[name] = hashed
    cost = max((int(hashed.split("$")[2]) for hashed in hashes.values()), default=_DEFAULT_COST)
    return Accounts(hashes, bcrypt.gensalt(cost).decode("ascii") + "." * 31)


class AccountsFile:
    """The account file on disk, read again when it changes.

    Args:
        path: the file; only its owner and group may read it, only its owner may write it.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._mark: tuple[int, ...] = ()
        self._accounts: Accounts | None = None

    def load(self) -> Accounts:
        """The accounts as they are now.

        Raises:
            AccountsError: the file is missing, open to others, or wrong.
        """
        try:
            with self._path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                self._check_mode(status)
                mark = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
                if self._accounts is None or mark != self._mark:
                    self._accounts = read_accounts(json.loads(stream.read()))
                    self._mark = mark
                return self._accounts
        except OSError as error:
            raise AccountsError(f"the account file {self._path} cannot be read: {error.strerror}") from error
        except AccountsError as error:
            raise AccountsError(f"account file {self._path}: {error}") from None
        except ValueError as error:
            raise AccountsError(f"the account file {self._path} is not JSON: {error}") from None

    def _check_mode(self, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o027:
            raise AccountsError(f"its mode {mode:04o} lets others read it or the group write it; set it to 0640")


class AccountsFileAuthenticator(Authenticator):
    """Lets in who is in the account file and knows the password; nobody else."""

    accounts_file = Unicode("/etc/jupyterhub/accounts.json", help="Account file: JSON, mode 0640.").tag(config=True)

    any_allow_config = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._file = AccountsFile(self.accounts_file)

    def check_allow_config(self) -> None:
        """Refuse to start with a file that cannot be used."""
        self._file.load()

    def validate_username(self, username: str) -> bool:
        """Refuse names that could mean something to a shell, a path or a page."""
        return is_username(username) and bool(super().validate_username(username))

    def _accounts(self) -> Accounts | None:
        try:
            return self._file.load()
        except AccountsError as error:
            self.log.error("Nobody can log in: %s", error)  # noqa: TRY400 (the sentence says it all)
            return None

    async def authenticate(self, _handler: Any, data: Mapping[str, Any]) -> str | None:
        """Check name and password; an unknown name takes as long as a wrong password."""
        accounts = self._accounts()
        if accounts is None:
            return None
        name = self.normalize_username(str(data.get("username", "")))
        hashed = accounts.hashes.get(name)
        matches = await asyncio.to_thread(check_password, str(data.get("password", "")), hashed or accounts.decoy)
        return name if matches and hashed is not None else None

    def check_allowed(self, username: str, _authentication: Any = None) -> bool:
        """Whoever is in the file is allowed; with ``allowed_users``, only those of them."""
        accounts = self._accounts()
        known = accounts is not None and username in accounts.hashes
        return known and (self.allow_all or not self.allowed_users or username in self.allowed_users)

    async def refresh_user(self, user: Any, _handler: Any = None) -> bool:
        """Ask for a new login when an account was taken out of the file."""
        return course_of(user.name) is not None or self.check_allowed(user.name)


def refuse_reserved_names(authenticator: Any) -> None:
    """Let nobody log in under a course's name, whatever the authenticator; its own hook runs after that.

    Args:
        authenticator: the hub's authenticator, any class.
    """
    hook = authenticator.post_auth_hook

    async def guard(_authenticator: Any, handler: Any, authentication: dict[str, Any]) -> dict[str, Any] | None:
        if course_of(authentication["name"]) is not None:
            authenticator.log.warning("Refused a login as %r: the name belongs to a course", authentication["name"])
            return None
        if hook is None:
            return authentication
        result = hook(authenticator, handler, authentication)
        return await result if asyncio.iscoroutine(result) else result  # type: ignore[no-any-return]

    authenticator.post_auth_hook = guard
