# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which account of a cluster a person's servers run under: the one place that decides, and that judges jobs by their account.

A job's comment says whose server it is, but everybody who may submit jobs can write a comment. Slurm itself says which account
submitted it. A job counts only when the two agree; one with a forged comment is neither shown nor adopted nor cancelled.
"""

import re

from .leases import LeaseBook
from .names import course_of, slug_of
from .protocol import Job
from .settings import Cluster

UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_RESERVED = """
    root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody operator halt shutdown adm
    ftp sshd messagebus dbus polkitd munge slurm slurmdbd postgres mysql tunnel jupyterhub jupyterhub-proxy hpcampus-signer
    hpcampus-principals hpcampus-accounts
"""
RESERVED = frozenset(_RESERVED.split())
"""Accounts of the system and of this platform; names that begin with ``_`` or ``systemd`` are besides."""


class AccountError(Exception):
    """There is no account for a person on a cluster; the text says why and what to do."""


def is_reserved(account: str) -> bool:
    """Whether an account belongs to the system or the platform, so that no person may have it."""
    return account in RESERVED or account.startswith(("_", "systemd"))


class Accounts:
    """The accounts of one cluster.

    Args:
        cluster: its settings; ``cluster.user`` is the service account.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rules = cluster.accounts
        self._leases: LeaseBook | None = None
        if self._rules.mode == "pool":
            self._leases = LeaseBook(f"{self._rules.leases_dir}/{cluster.name}.json", self._rules.pool)

    @property
    def mounts_courses(self) -> bool:
        """Whether a job can mount the directories of courses: they belong to the service account."""
        return self._rules.mode == "one"

    def account_of(self, user_name: str) -> str:
        """The account for a person's servers. In a pool it is leased now, if it was not before, and kept until it is released.

        Raises:
            AccountError: there is none.
            LeaseError: none is free, or the list of leases cannot be used.
        """
        if self._rules.mode == "one":
            return self._cluster.user
        if course_of(user_name) is not None:
            raise AccountError(
                f"courses are not offered on cluster {self._cluster.name}, where students have accounts of their own;"
                " ask the administrator for a profile on another cluster"
            )
        if self._leases is not None:
            return self._leases.take(user_name)
        account = self._rules.prefix + user_name
        if not self._is_students(account):
            raise AccountError(
                f"the user name {user_name!r} gives no account that may be used on cluster {self._cluster.name};"
                " ask the administrator, who finds the rule in the cluster's accounts.prefix and accounts.pattern"
            )
        return account

    def keep(self, user_name: str, account: str) -> bool:
        """Whether a server that was found again may keep its account. A lease that was lost meanwhile is entered again."""
        if account in ("", self._cluster.user):
            return True
        if self._leases is not None:
            return self._leases.restore(user_name, account)
        return (
            self._rules.mode == "students" and account == self._rules.prefix + user_name and self._is_students(account)
        )

    def may_submit(self, user_name: str, account: str) -> bool:
        """Whether the account is the person's at this moment, and not being released."""
        if account in ("", self._cluster.user):
            return self._rules.mode == "one"
        if self._leases is not None:
            return self._leases.is_leased(user_name, account)
        return self.keep(user_name, account)

    def trusts(self, job: Job) -> bool:
        """Whether a job runs under the account that belongs to the person whom its comment names.

        Raises:
            LeaseError: the list of leases cannot be read, so that nothing can be said.
        """
        if job.account == self._cluster.user:  # only the hub submits there
            return True
        if self._rules.mode == "one":
            return job.account == ""  # a gateway that was not upgraded yet does not tell
        if self._leases is not None:
            if job.account not in self._rules.pool:
                return False
            holder = self._leases.holder(job.account)
            return holder is None or slug_of(holder) == job.user_id  # leased to nobody, it runs nobody's programs
        return self._is_students(job.account) and slug_of(job.account[len(self._rules.prefix) :]) == job.user_id

    def _is_students(self, account: str) -> bool:
        return (
            UNIX_USER.fullmatch(account) is not None
            and account.startswith(self._rules.prefix)
            and account != self._rules.prefix
            and re.fullmatch(self._rules.pattern, account) is not None
            and not is_reserved(account)
            and account != self._cluster.user
        )
