# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where a server is to run: the account, the data path, and whether there is room."""

from dataclasses import replace

from .accounts import AccountError
from .engine import Engine
from .leases import LeaseError
from .options import Choice
from .paths.base import PathError
from .progress import Progress
from .start_error import StartError


def find_account(engine: Engine, progress: Progress, user_name: str, choice: Choice) -> tuple[str, Choice]:
    """The account on the cluster, and the choice without what that account cannot have.

    Raises:
        StartError: there is no account for the person.
    """
    cluster = choice.profile.cluster
    try:
        account = engine.account_of(user_name, cluster)
    except (AccountError, LeaseError) as error:
        raise StartError(f"Not started: {error}.", reason="account") from error
    if choice.memberships and not engine.accounts[cluster].mounts_courses:
        progress.tell(5, f"Cluster {cluster} cannot show your courses: pick another size to work on them.")
        choice = replace(choice, memberships=())
    return account, choice


async def find_path(engine: Engine, progress: Progress, cluster: str) -> str:
    """The data path of a cluster; where it is not known yet the person is told what is waited for.

    Raises:
        StartError: none works.
    """
    if engine.chooser.known(cluster) is None:
        progress.tell(5, f"Finding the way to cluster {cluster}: a short job tries what is possible.")
    try:
        return await engine.chooser.path(cluster)
    except PathError as error:
        raise StartError(f"Not started: {error}. Tell the administrator.", reason="path") from error


def check_room(engine: Engine, cluster: str) -> None:
    """Refuse a start beyond the number of servers that a cluster may have.

    Raises:
        StartError: there is no room.
    """
    if engine.is_full(cluster):
        limit = engine.site.clusters[cluster].max_servers
        raise StartError(
            f"Not started: on cluster {cluster} run as many servers as may run there ({limit})."
            " Try again when somebody has stopped, or pick a size on another cluster.",
            reason="full",
        )
