# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which account of a pool is leased to whom: one file per cluster that outlives the hub.

A lease has no end of its own: the account holds the person's files. It ends when the administrator releases it. The file is read
and written whole, under a lock that the hub and the administrator's command share.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .whole import write_whole

VERSION = 1


class LeaseError(Exception):
    """No account can be leased or released; the text says why and what to do."""


@dataclass(frozen=True)
class Lease:
    """Who holds an account, since when (epoch seconds), and whether it is being released at this moment."""

    user: str
    since: float
    releasing: bool = False


def read_leases(text: str) -> dict[str, Lease]:
    """Leases by account.

    Raises:
        ValueError: the text is not a list of leases, or one person has two.
    """
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("leases"), dict):
        raise ValueError("not a list of leases of this version")
    leases = {}
    for account, record in data["leases"].items():
        if not isinstance(record, dict) or set(record) != {"user", "since", "releasing"}:
            raise ValueError(f"the lease of {account!r} has other fields")
        lease = Lease(**record)
        texts: object = lease.user
        if not isinstance(texts, str) or not texts or type(lease.since) not in (int, float):
            raise ValueError(f"the lease of {account!r} names nobody or no time")
        if type(lease.releasing) is not bool:
            raise ValueError(f"the lease of {account!r} is neither kept nor released")
        leases[account] = lease
    if len({lease.user for lease in leases.values()}) != len(leases):
        raise ValueError("somebody holds two accounts")
    return leases


def write_leases(leases: Mapping[str, Lease]) -> str:
    """The text that :func:`read_leases` reads."""
    records = {account: asdict(lease) for account, lease in sorted(leases.items())}
    return json.dumps({"version": VERSION, "leases": records}, indent=1) + "\n"


class LeaseBook:
    """The leases of one cluster.

    Args:
        path: the file; its directory is made when it is missing.
        pool: the accounts, in the order in which they are leased.
    """

    def __init__(self, path: str, pool: Sequence[str]) -> None:
        self._path = Path(path)
        self._pool = tuple(pool)
        self._seen: tuple[tuple[int, int, int], dict[str, Lease]] | None = None

    def leases(self) -> Mapping[str, Lease]:
        """Every lease by account, also of accounts that are no longer in the pool.

        Raises:
            LeaseError: the file cannot be read.
        """
        try:
            with self._path.open(encoding="utf-8") as stream:
                info = os.fstat(stream.fileno())
                stamp = (info.st_ino, info.st_mtime_ns, info.st_size)
                if self._seen is None or self._seen[0] != stamp:
                    self._seen = (stamp, read_leases(stream.read()))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LeaseError(f"the list of leased accounts {self._path} cannot be read ({error.strerror})") from error
        except (ValueError, TypeError) as error:
            raise LeaseError(
                f"the list of leased accounts {self._path} is damaged ({error}); nothing is leased until it is restored"
                " from a backup"
            ) from error
        return self._seen[1]

    def holder(self, account: str) -> str | None:
        """Who holds an account."""
        lease = self.leases().get(account)
        return lease.user if lease is not None else None

    def is_leased(self, user: str, account: str) -> bool:
        """Whether somebody holds an account and may go on to do so."""
        lease = self.leases().get(account)
        return lease is not None and lease.user == user and not lease.releasing

    def take(self, user: str) -> str:
        """The account of a person: the one that is held already, or the first that nobody holds.

        Raises:
            LeaseError: none is free, theirs is being released, or the file cannot be used.
        """
        with self._change() as leases:
            for account, lease in leases.items():
                if lease.user == user:
                    return self._own(account, lease)
            for account in self._pool:
                if account not in leases:
                    leases[account] = Lease(user, round(time.time(), 3))
                    return account
        raise LeaseError(
            f"all {len(self._pool)} accounts of the pool are leased; the administrator can release one"
            " (hpcampus-accounts release) or add more to the pool"
        )

    def _own(self, account: str, lease: Lease) -> str:
        if lease.releasing:
            raise LeaseError("your account on the cluster is being released; try again in some minutes")
        if account not in self._pool:
            raise LeaseError(f"your account {account} is no longer in the pool; ask the administrator to add it again")
        return account

    def restore(self, user: str, account: str) -> bool:
        """Enter a lease again that was lost, as after a restored backup; False when another holds the account, or the person another.

        Raises:
            LeaseError: the file cannot be used.
        """
        if self.is_leased(user, account):
            return True
        with self._change() as leases:
            if account in leases or account not in self._pool or user in [lease.user for lease in leases.values()]:
                return False
            leases[account] = Lease(user, round(time.time(), 3))
        return True

    def begin_release(self, account: str) -> Lease:
        """Let nothing new be started under an account.

        Raises:
            LeaseError: nobody holds it, or the file cannot be used.
        """
        with self._change() as leases:
            if account not in leases:
                raise LeaseError(f"nobody holds {account}; hpcampus-accounts list shows what is leased")
            leases[account] = replace(leases[account], releasing=True)
            return leases[account]

    def end_release(self, account: str, *, done: bool) -> None:
        """Forget a lease whose files are put aside, or keep it when they could not be."""
        with self._change() as leases:
            if account in leases and done:
                del leases[account]
            elif account in leases:
                leases[account] = replace(leases[account], releasing=False)

    @contextlib.contextmanager
    def _change(self) -> Iterator[dict[str, Lease]]:
        """Hold the lock, yield the leases, and write them whole or not at all if they were changed."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LeaseError(f"the list of leased accounts {self._path} cannot be locked ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            before = self.leases()
            leases = dict(before)
            yield leases
            if leases != before:
                self._write(write_leases(leases))
        finally:
            os.close(descriptor)

    def _write(self, text: str) -> None:
        try:
            write_whole(self._path, text, lasting=True)
        except OSError as error:
            raise LeaseError(
                f"the list of leased accounts {self._path} cannot be written ({error.strerror})"
            ) from error


def lease_row(account: str, lease: Lease | None) -> dict[str, Any]:
    """One account for a person to read."""
    if lease is None:
        return {"account": account, "state": "free", "user": "", "since": ""}
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(lease.since))
    return {
        "account": account,
        "state": "releasing" if lease.releasing else "leased",
        "user": lease.user,
        "since": since,
    }
