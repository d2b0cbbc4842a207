# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What can be wrong with an inventory, found by reading it.

Every message has the same shape: the variable (or group), its value, what is wrong with it, and the cure.
"""

from __future__ import annotations

import typing as t

from .accounts import account_problems, login_problems
from .centres import centre_problems
from .certificates import certificate_problems
from .cluster_accounts import authenticator_problems, cluster_account_problems
from .courses import course_problems
from .files import file_problems
from .findings import Record, problem
from .groups import group_problems, profile_shape_problems
from .image_tests import image_of
from .images import apptainer_problems, image_problems
from .names import name_problems, unknown_problems
from .partitions import partition_problems
from .profiles import profile_problems

__all__ = [
    "account_problems",
    "certificate_problems",
    "group_problems",
    "image_of",
    "name_problems",
    "problem",
    "site_problems",
    "unknown_problems",
]


def site_problems(
    variables: Record,
    site: Record,
    groups: t.Mapping[str, t.Sequence[str]],
    hosts: t.Mapping[str, Record] | None = None,
    inventory: str | None = None,
) -> list[str]:
    """Find everything that is wrong with an inventory whose variables have the shapes that the roles want.

    Args:
        variables: All variables of one host, for names that do not exist and for what other roles are told.
        site: The ``site_`` variables with their defaults filled in.
        groups: Host names of each group.
        hosts: What is known of the variables of every host, for the login nodes of centres.
        inventory: Its directory, for files of it that a course names; None where it is not known.

    Returns:
        One message for each problem, in a stable order; empty when all is well.
    """
    problems = [
        *group_problems(groups),
        *profile_shape_problems(site, groups),
        *unknown_problems(variables, site),
        *name_problems(site),
        *centre_problems(site, groups, hosts or {}),
        *cluster_account_problems(site, groups),
        *partition_problems(site),
        *image_problems(site),
        *profile_problems(site, groups),
        *course_problems(site, inventory),
        *account_problems(site),
        *file_problems(site),
        *apptainer_problems(variables),
        *authenticator_problems(site, variables),
    ]
    # A site without any account is one that is not finished yet, such as the worked example of the demo.
    if site["site_accounts"]:
        problems += login_problems(site, str(variables.get("jupyterhub_authenticator", "local")))
    if variables.get("apache_certificate") == "provided":
        problems += certificate_problems(
            str(variables.get("apache_certificate_file", "")),
            str(variables.get("apache_certificate_key_file", "")),
            str(site["site_hub_name"]),
            aliases=[str(name) for name in variables.get("apache_server_aliases", [])],
        )
    return problems
