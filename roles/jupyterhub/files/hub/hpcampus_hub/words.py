# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Slurm's reasons and states in words for the person who waits."""

from .protocol import PENDING, START_MAX, Job, shown

REASONS = {
    "None": "Slurm is about to look at it",
    "Priority": "other jobs are ahead of it",
    "Resources": "it waits for free CPUs or memory",
    "BeginTime": "it may not begin yet",
    "Dependency": "it waits for another job",
    "Reservation": "its reservation has not begun",
    "Licenses": "it waits for a licence",
    "NodeDown": "a node it needs is down",
    "PartitionDown": "the partition is switched off",
    "PartitionInactive": "the partition is switched off",
    "ReqNodeNotAvail": "the nodes it needs are reserved or down",
    "Nodes required for job are DOWN": "the nodes it needs are reserved or down",
    "JobHeldAdmin": "an administrator holds it back",
    "JobHeldUser": "it is held back",
    "QOSMaxJobsPerUserLimit": "as many jobs run as the cluster allows this hub",
    "QOSMaxCpuPerUserLimit": "as many CPUs are in use as the cluster allows this hub",
    "QOSGrpCpuLimit": "as many CPUs are in use as the cluster allows this hub",
    "QOSGrpNodeLimit": "as many nodes are in use as the cluster allows this hub",
    "AssocMaxJobsLimit": "as many jobs run as the cluster allows this hub",
    "AssocGrpCpuLimit": "as many CPUs are in use as the cluster allows this hub",
    "AssocGrpMemLimit": "as much memory is in use as the cluster allows this hub",
}

NEVER = {
    "BadConstraints": "no node of the partition can ever satisfy it",
    "InvalidAccount": "its Slurm account is not valid",
    "InvalidQOS": "its QOS is not valid",
    "PartitionConfig": "the partition does not offer what the profile asks for",
    "PartitionNodeLimit": "it asks for more than the partition allows",
    "PartitionTimeLimit": "it asks for more time than the partition allows",
}
"""Reasons with which a job will never start."""


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return "in about a minute"
    if seconds < 90 * 60:
        return f"in about {round(seconds / 60)} minutes"
    return f"in about {round(seconds / 3600)} hours"


def reason(text: str) -> str:
    """A Slurm reason in plain words; an unknown one is shown as Slurm names it."""
    name = text.split(",", 1)[0].strip()
    return REASONS.get(name) or NEVER.get(name) or f"Slurm says {shown(name) or 'nothing'}"


def will_never_start(job: Job) -> str | None:
    """Why a waiting job can never start, or None."""
    return NEVER.get(job.reason.split(",", 1)[0].strip()) if job.state == PENDING else None


def queued(job: Job, now: float) -> str:
    """A sentence on a waiting job: why it waits, and when Slurm expects to start it.

    Args:
        job: the job as listed.
        now: epoch seconds.
    """
    sentence = f"Job {job.job_id} is queued: {reason(job.reason)}"
    if job.start is not None and now < job.start <= START_MAX:
        sentence += f"; Slurm expects to start it {_minutes(job.start - now)}"
    return sentence + "."


ENDED = {
    "OUT_OF_MEMORY": "it used more memory than its profile gives; pick a larger one",
    "TIMEOUT": "its time was over",
    "NODE_FAIL": "its node failed; start again",
    "PREEMPTED": "the cluster took the node back; start again",
    "CANCELLED": "it was cancelled",
}


def ended(job: Job | None) -> str:
    """How a job ended, in plain words."""
    if job is None:
        return "it is no longer in the queue"
    return ENDED.get(job.state, f"Slurm says {shown(job.state)}")
