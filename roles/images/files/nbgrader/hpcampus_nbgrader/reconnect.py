# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A gradebook's connection that was cut while nobody used it is made anew, and nobody sees an error.

The way to the database leads over the hub. When the hub or the way restarts, connections end, and the next query of a server that has
been running for days would be the one to find out.
"""

from __future__ import annotations

from functools import partial

import nbgrader.api
import sqlalchemy


def install() -> None:
    """Have nbgrader ask a connection that it has had for a while for a sign of life first; again is no harm."""
    nbgrader.api.create_engine = partial(sqlalchemy.create_engine, pool_pre_ping=True)
