# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Hands a job to a cluster, again and again while the cluster cannot be reached."""

import asyncio
import time

from .engine import Engine
from .leases import LeaseError
from .link import LinkDownError
from .progress import Progress
from .protocol import GatewayError, ProtocolError, Submit, decode_job_id
from .record import SpawnRecord
from .sessions import AccountDeniedError
from .start_error import StartError

_SLURM_SECONDS = 30.0


async def submit(
    engine: Engine, progress: Progress, record: SpawnRecord, request: Submit, user_name: str, patience: float
) -> int:
    """Submit; the spawn id keeps it from being done twice, however often it is tried.

    Args:
        engine: links, books and accounts.
        progress: hears what is waited for.
        record: the server's record.
        request: what the gateway is told.
        user_name: whose account it is to be.
        patience: seconds for which an unreachable cluster is tried again, within the record's deadline.

    Returns:
        Slurm's job id.

    Raises:
        StartError: the cluster refused, or could not be reached in time.
    """
    link, main = engine.link_of(record.cluster, record.account), engine.links[record.cluster]
    give_up = min(record.deadline, time.time() + patience)
    away = False
    while True:
        if not main.up:
            progress.tell(10, f"Waiting: cluster {record.cluster} cannot be reached: {main.trouble}.")
        _check_account(engine, record, user_name)
        try:
            return decode_job_id(await link.call("submit", **request.fields()))
        except GatewayError as error:
            trouble = error.message
            # Slurm may have come back after it was asked: what it refuses then is tried once more.
            was_away, away = away, error.code == "slurm" and await _slurm_is_away(engine, record)
            if away:
                trouble = f"Slurm on cluster {record.cluster} does not answer"
            elif error.code != "busy" and not was_away:
                raise StartError(
                    f"Cluster {record.cluster} refused: {trouble}. Pick another size, or ask the administrator.",
                    reason="refused",
                ) from None
        except (LinkDownError, ProtocolError) as error:
            trouble = str(error)
            if isinstance(error, AccountDeniedError):
                give_up = 0.0
        if time.time() > give_up:
            raise StartError(f"Not started: {trouble}. Try again later, or tell the administrator.", reason="link")
        progress.tell(10, f"Waiting: {trouble}.")
        await asyncio.sleep(1.0)


async def _slurm_is_away(engine: Engine, record: SpawnRecord) -> bool:
    """Whether the queue cannot be read either: then Slurm did not refuse the job, it is not there."""
    book = engine.books[record.cluster]
    with book.watch():
        await book.turn(_SLURM_SECONDS)
    return bool(book.trouble)


def _check_account(engine: Engine, record: SpawnRecord, user_name: str) -> None:
    """Submit nothing under an account that is taken back at this moment."""
    try:
        mine = engine.accounts[record.cluster].may_submit(user_name, record.account)
    except LeaseError as error:
        raise StartError(f"Not started: {error}.", reason="account") from error
    if not mine:
        raise StartError("Not started: your account on the cluster is being released.", reason="account")
