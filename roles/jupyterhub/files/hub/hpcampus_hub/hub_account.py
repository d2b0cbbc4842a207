# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's own account: programs that an administrator starts as root go on as it, so that they see and make what the hub does."""

import contextlib
import os
import pwd

NAME = "jupyterhub"


class NotTheHubError(Exception):
    """The program cannot work here, or for whom it was started by; the text says what to do."""


def find_account(program: str) -> pwd.struct_passwd:
    """The hub's account, for a program that was started as root or as that account.

    Args:
        program: name of the program, for the message.

    Raises:
        NotTheHubError: started as somebody else, or not on a hub.
    """
    try:
        account = pwd.getpwnam(NAME)
    except KeyError:
        raise NotTheHubError(f"there is no account {NAME} here; run {program} on the hub's host") from None
    if os.geteuid() not in (0, account.pw_uid):
        raise NotTheHubError(f"only root and {NAME} may read what it needs; start it with: sudo {program}")
    return account


def become(account: pwd.struct_passwd) -> None:
    """Go on as the account for good, in its home; what root may is given up."""
    if os.geteuid() == 0:
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    os.environ["HOME"] = account.pw_dir
    with contextlib.suppress(OSError):  # that the home is missing is found where something in it is needed
        os.chdir(account.pw_dir)
