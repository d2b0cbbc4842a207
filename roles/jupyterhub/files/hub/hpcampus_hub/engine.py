# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What all spawners of a hub share: the links, the job books and the ports."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .accounts import Accounts
from .jobs import BookTimes, JobBook, Log
from .link import Link, LinkTimes
from .paths.base import DataPath, PathError
from .paths.carried import WORDS, Carried, Desk
from .paths.choice import Chooser
from .paths.reach import Reach, ReachError, reach
from .paths.reverse import Reverse
from .ports import PortRegistry
from .protocol import Job, decode_jobs
from .record import Phase, SpawnRecord
from .sessions import AccountLink, AccountSessions, Caller
from .settings import Cluster, Site
from .signer import make_account_keys

if TYPE_CHECKING:
    from .standby import StandbyPool

SETTINGS_KEY = "hpcampus_engine"
"""Where the hub's tornado settings hold the engine."""

Route = Callable[[Any, str], Awaitable[None]]


class Engine:
    """Links, job books and ports of one hub.

    Args:
        site: the configuration.
        log: the hub's log.
        route: adds a server to the proxy, called as ``route(user, server_name)``.
        records: tells the jobs of all servers of the hub, the starting and stopping ones too.
        link_times: waiting times of the links.
        book_times: pauses between queries.
        api_port: loopback port on which jobs reach the hub's API and the services; 0 is the hub's own port.
    """

    def __init__(
        self,
        site: Site,
        log: Log,
        route: Route,
        records: Callable[[], Iterable[SpawnRecord]],
        link_times: LinkTimes | None = None,
        book_times: BookTimes | None = None,
        api_port: int = 0,
    ) -> None:
        self.site = site
        self.log = log
        self.route = route
        self._records = records
        self._api_port = api_port
        self.closing = False
        self.standbys: StandbyPool | None = None
        self.ports = PortRegistry(site.tunnel.registry_dir, site.tunnel.port_min, site.tunnel.port_max)
        desk = Desk(site.carrier_dir)
        self.paths: dict[str, DataPath] = {
            Reverse.name: Reverse(site.tunnel),
            **{name: Carried(name, site.clusters, desk) for name in WORDS},
        }
        self.links = {name: Link(cluster, log, link_times) for name, cluster in site.clusters.items()}
        self.accounts = {name: Accounts(cluster) for name, cluster in site.clusters.items()}
        self.sessions = {
            name: AccountSessions(cluster, log, link_times, self._keys_of(cluster))
            for name, cluster in site.clusters.items()
        }
        self.books = {name: self._book(cluster, book_times) for name, cluster in site.clusters.items()}

        self.chooser = Chooser(site.clusters, self.reach, log, Path(site.carrier_dir) / "chosen.json")

    def port_for_jobs(self, hub_port: int) -> int:
        """The loopback port to which a job's way to the hub leads, on a hub that listens on ``hub_port``."""
        return self._api_port or hub_port

    async def reach(self, cluster: str) -> Reach:
        """Try every data path of a cluster with a short job, as the first of its profiles would run.

        Raises:
            ReachError: nothing was found out.
        """
        profile = next((one for one in self.site.profiles.values() if one.cluster == cluster), None)
        if profile is None:
            raise ReachError(f"no profile runs on cluster {cluster}")
        return await reach(self.links[cluster], self.site.tunnel, profile)

    def _book(self, cluster: Cluster, times: BookTimes | None) -> JobBook:
        link = self.links[cluster.name]

        async def fetch() -> tuple[Job, ...]:
            return decode_jobs(await link.call("list"))

        return JobBook(fetch, self.site.hub_id, self.log, times, self.accounts[cluster.name].trusts)

    @staticmethod
    def _keys_of(cluster: Cluster) -> Callable[[str], Awaitable[Sequence[Any]]] | None:
        """Students' accounts are entered with a certificate for each, those of a pool with the hub's own key."""
        if cluster.accounts.mode != "students":
            return None

        async def keys_of(account: str) -> Sequence[Any]:
            return await make_account_keys(cluster.accounts.signer_socket, account)

        return keys_of

    def account_of(self, user_name: str, cluster: str) -> str:
        """The account under which a person's servers run on a cluster; see :meth:`.accounts.Accounts.account_of`."""
        return self.accounts[cluster].account_of(user_name)

    def link_of(self, cluster: str, account: str) -> Caller:
        """The way to the gateway as an account; "" is the service account, whose session is always open."""
        link = self.links[cluster]
        return link if account in ("", link.cluster.user) else AccountLink(self.sessions[cluster], account)

    def path(self, name: str) -> DataPath:
        """The data path of that name.

        Raises:
            PathError: another version of the hub knew it.
        """
        try:
            return self.paths[name]
        except KeyError:
            raise PathError(f"the data path {name!r} is not known here") from None

    def new_record(self, cluster: str, path: str, account: str = "") -> SpawnRecord:
        """The record of a new job, with a port of its own.

        Raises:
            NoPortError: no port is free.
        """
        lease = self.ports.take()
        return SpawnRecord(
            spawn_id=uuid.uuid4().hex,
            cluster=cluster,
            port=lease.port,
            serial=lease.serial,
            path=path,
            account=account,
            phase=Phase.SUBMITTING,
            deadline=0.0,
        )

    def is_full(self, name: str) -> bool:
        """Whether as many servers have a job on a cluster, or are getting one, as it may have."""
        limit = self.site.clusters[name].max_servers
        if not limit:
            return False
        return len({record.spawn_id for record in self._records() if record.cluster == name}) >= limit

    def start(self) -> None:
        """Open the links and begin to ask for jobs, in the background."""
        for link in self.links.values():
            link.start()
        for book in self.books.values():
            book.start()
        self.chooser.start()

    async def stop(self) -> None:
        """Close everything."""
        self.closing = True
        await self.chooser.stop()
        await asyncio.gather(*(book.stop() for book in self.books.values()))
        await asyncio.gather(*(sessions.stop() for sessions in self.sessions.values()))
        await asyncio.gather(*(link.stop() for link in self.links.values()))
