# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``hpcampus-accounts``: what is leased of a cluster's pool of accounts, and the end of a lease.

It works beside the running hub: both hold the list's lock while they change it.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .doctor.site import ConfigurationError, load_hub
from .hub_account import NotTheHubError, become, find_account
from .leases import LeaseBook, LeaseError, lease_row
from .link import LinkDownError, LinkTimes
from .names import slug_of
from .protocol import GatewayError, ProtocolError
from .sessions import AccountSessions
from .settings import Cluster, Site

ETC = Path("/etc/jupyterhub")
LOG = logging.getLogger("hpcampus-accounts")

UNDER_WAY_SECONDS = LinkTimes().call + 5.0
"""A submit that began before the release is answered or given up by then."""

Say = Callable[[str], None]


class CommandError(Exception):
    """The command cannot do what it was asked for; the text says why and what to do."""


def _pool_of(site: Site, name: str) -> tuple[Cluster, LeaseBook]:
    pools = {cluster.name: cluster for cluster in site.clusters.values() if cluster.accounts.mode == "pool"}
    if name not in pools:
        raise CommandError(f"cluster {name!r} has no pool of accounts; those that have: {', '.join(pools) or 'none'}")
    cluster = pools[name]
    return cluster, LeaseBook(f"{cluster.accounts.leases_dir}/{name}.json", cluster.accounts.pool)


def show(site: Site, say: Say) -> None:
    """Print every account of every pool: cluster, account, state, holder and since when."""
    line = "{:<16} {:<20} {:<10} {:<17} {}"
    say(line.format("CLUSTER", "ACCOUNT", "STATE", "SINCE", "USER"))
    for name, cluster in site.clusters.items():
        if cluster.accounts.mode != "pool":
            continue
        leases = _pool_of(site, name)[1].leases()
        for account in dict.fromkeys([*cluster.accounts.pool, *leases]):
            row = lease_row(account, leases.get(account))
            say(line.format(name, account, row["state"], row["since"], row["user"]).rstrip())


async def release(
    site: Site, name: str, account: str, data_of: str, say: Say, pause: float = UNDER_WAY_SECONDS
) -> None:
    """End a lease: put the person's files aside on the cluster, then let the account be leased to another.

    Args:
        site: the hub's configuration.
        name: the cluster.
        account: the account.
        data_of: id of the directory to put aside when it is not the holder's; "" takes the holder's.
        say: prints a line.
        pause: seconds to wait for starts that are under way.

    Raises:
        CommandError: the files could not be put aside; the lease stays.
    """
    cluster, book = _pool_of(site, name)
    lease = book.begin_release(account)
    done = False
    try:
        say(f"{account} is taken back from {lease.user}; waiting {pause:g} s for starts that are under way.")
        await asyncio.sleep(pause)
        archived = await _archive(cluster, account, data_of or slug_of(lease.user))
        done = True
    except (GatewayError, LinkDownError, ProtocolError) as error:
        raise CommandError(f"{account} stays leased to {lease.user}: {error}") from error
    finally:
        book.end_release(account, done=done)
    kept = f"the files are in archive/{archived} of the account" if archived else "there were no files"
    say(f"{account} is free; {kept}.")


async def _archive(cluster: Cluster, account: str, user_id: str) -> str:
    sessions = AccountSessions(cluster, LOG)
    try:
        answer = await sessions.call(account, "archive", user_id=user_id)
    finally:
        await sessions.stop()
    return str(answer.get("archived", ""))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="hpcampus-accounts", description="Accounts of a cluster that are leased to students.", allow_abbrev=False
    )
    commands = made.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every account and who holds it")
    ending = commands.add_parser("release", help="put a student's files aside and free the account")
    ending.add_argument("cluster")
    ending.add_argument("account")
    ending.add_argument(
        "--data-of",
        default="",
        metavar="ID",
        help="put aside this directory, when the account holds another's than the holder's",
    )
    return made


def run(site: Site, arguments: argparse.Namespace, say: Say = print, pause: float = UNDER_WAY_SECONDS) -> None:
    """Carry out a parsed command line.

    Raises:
        CommandError, LeaseError: it cannot be done.
    """
    if arguments.command == "list":
        show(site, say)
    else:
        asyncio.run(release(site, arguments.cluster, arguments.account, arguments.data_of, say, pause))


def main(argv: Sequence[str] | None = None, etc: Path = ETC) -> int:
    """Run the command as the hub's account; gives its exit status."""
    arguments = parser().parse_args(argv)
    try:
        become(find_account("hpcampus-accounts"))
        os.umask(0o077)
        run(load_hub(etc).site, arguments)
    except (NotTheHubError, ConfigurationError, CommandError, LeaseError) as error:
        print(f"hpcampus-accounts: {error}", file=sys.stderr)
        return 1
    return 0
