# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Finds the server of an earlier hub process again."""

import time
from collections.abc import Callable
from dataclasses import replace

from .engine import Engine
from .jobs import Log
from .knock import Knock
from .leases import LeaseError
from .ports import NoPortError
from .record import Phase, SpawnRecord
from .server_job import ServerJob
from .start_error import StartError
from .waiting import Wait

_RECONNECT_SECONDS = 150.0


async def find_again(
    engine: Engine, job: ServerJob, wait_for: Callable[[], Wait], record: SpawnRecord, user_name: str, log: Log
) -> None:
    """Enter the port again and wait for the server's first answer.

    Args:
        engine: what the servers of the hub share.
        job: the server's job.
        wait_for: begins a wait.
        record: what the earlier process knew.
        user_name: whose server it is.
        log: the server's log.

    Raises:
        StartError: there is nothing to find.
    """
    if record.phase is Phase.STOPPING:
        raise StartError("it was being stopped.", reason="stopped")
    if record.cluster not in engine.books:
        raise StartError(f"its cluster {record.cluster} is no longer configured.", reason="cluster")
    if not _keeps_account(engine, record, user_name, log):
        raise StartError(f"its account {record.account} is no longer this person's.", reason="account")
    try:
        mine = engine.ports.restore(record.lease)
    except NoPortError as error:
        raise StartError(f"{error}.", reason="port") from error
    if not mine:
        raise StartError(f"its port {record.port} belongs to another server by now.", reason="port")
    wait, limit = wait_for(), record.deadline
    if record.phase is Phase.RUNNING:
        limit = time.time() + _RECONNECT_SECONDS
        job.open(record)
        if await wait.knock(record) is Knock.READY:
            return
    await wait.until_ready(replace(record, deadline=limit))


def _keeps_account(engine: Engine, record: SpawnRecord, user_name: str, log: Log) -> bool:
    """Whether the server may stay where it runs; a list of leases that cannot be used is no reason to end it."""
    try:
        return engine.accounts[record.cluster].keep(user_name, record.account)
    except LeaseError as error:
        log.warning("The server of %s keeps its account %s unseen: %s", user_name, record.account, error)
        return True
