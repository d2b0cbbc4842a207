# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Meeting the hosts: their keys are fetched, compared with what is pinned, confirmed and pinned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hpcampus import host_keys
from hpcampus.errors import HostKeyError
from hpcampus.render import ssh_users

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpcampus.host_keys import Comparison, HostKey
    from hpcampus.questions import Answers
    from hpcampus.setup.asker import Asker
    from hpcampus.setup.model import Request

AT_ONCE = 16


@dataclass
class Hosts:
    """The hosts that were met so far.

    Attributes:
        request: Which keys may be pinned without asking.
        asker: Who confirms the others; None when nobody can.
        fetch: Asks a host for its keys.
        pinned: Text of the known_hosts file, with what was confirmed.
    """

    request: Request
    asker: Asker | None
    fetch: Callable[[str], list[HostKey]]
    pinned: str = ""
    _met: set[str] = field(default_factory=set)
    _silent: dict[str, HostKeyError] = field(default_factory=dict)

    def unmet(self, answers: Answers) -> list[str]:
        """Name the hosts of the answers that have not been met, and have not been found silent."""
        return [host for host in ssh_users(answers) if host not in self._met and host not in self._silent]

    def meet(self, answers: Answers) -> dict[str, HostKey]:
        """Fetch the keys of new hosts and have them confirmed, all at once.

        Args:
            answers: The answers so far.

        Returns:
            For each host that was met now, the key to pin where only one can be.

        Raises:
            HostKeyError: A key was not confirmed.
        """
        met, comparisons = {}, []
        published = host_keys.parse_keys(_published(answers))
        pinned = host_keys.parse_keys(self.pinned)
        for host, keys in self._fetch_all(self.unmet(answers)):
            if isinstance(keys, HostKeyError):
                self._silent[host] = keys
                continue
            told = [key for key in published if key.host == host]
            # Of a host whose key its operators publish, no other kind of key is pinned on the network's word.
            shown = [key for key in keys if key.kind in {one.kind for one in told}] or keys
            comparisons.append(host_keys.compare(host, shown, told or pinned))
            met[host] = min(shown, key=lambda key: host_keys.KINDS.index(key.kind))
        self._confirm([comparison for comparison in comparisons if comparison.changed or comparison.new])
        self.pinned = host_keys.pin(self.pinned, _as_new(comparisons, pinned))
        self._met |= set(met)
        return met

    def silent(self, answers: Answers) -> list[HostKeyError]:
        """Give the errors of the hosts of the answers that gave no key."""
        return [self._silent[host] for host in ssh_users(answers) if host in self._silent]

    def try_again(self) -> None:
        """Forget which hosts were silent."""
        self._silent.clear()

    def _fetch_all(self, hosts: Sequence[str]) -> list[tuple[str, list[HostKey] | HostKeyError]]:
        def one(host: str) -> tuple[str, list[HostKey] | HostKeyError]:
            try:
                return host, self.fetch(host)
            except HostKeyError as error:
                return host, error

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, hosts))

    def _confirm(self, comparisons: Sequence[Comparison]) -> None:
        accepted = [
            comparison
            for comparison in comparisons
            if (self.request.accept_changed if comparison.changed else self.request.accept_new)
        ]
        asked = [comparison for comparison in comparisons if comparison not in accepted]
        if not asked:
            return
        first = next((comparison for comparison in asked if comparison.changed), asked[0])
        if self.asker is None:
            raise HostKeyError(
                "host-key-changed" if first.changed else "host-key-unconfirmed",
                host=first.host,
                fingerprints=first.fingerprints,
            )
        if not self.asker.confirm_keys(asked):
            raise HostKeyError("host-key-refused", host=", ".join(comparison.host for comparison in asked))


def _published(answers: Answers) -> str:
    """Give the key that a centre publishes as a line of known_hosts, if it was given."""
    login, key = answers.get("centre_login"), answers.get("centre_host_key")
    return f"{login} {key}\n" if login and key else ""


def _as_new(comparisons: Sequence[Comparison], pinned: Sequence[HostKey]) -> list[Comparison]:
    """Have every key pinned that is not yet, also one that only its centre's word made known."""
    lines = {key.line for key in pinned}
    return [
        host_keys.Comparison(known.host, known.keys, changed=known.changed, new=True)
        if known.changed or not any(key.line in lines for key in known.keys)
        else known
        for known in comparisons
    ]
