# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Setup: from questions to an inventory on disk. What a person sees and types comes through an `Asker`."""

from __future__ import annotations

from hpcampus.setup.asker import LEAVE, WRITE, Asker, Back, Menu, Row
from hpcampus.setup.model import NewAccount, Outcome, Request
from hpcampus.setup.run import Setup

__all__ = ["LEAVE", "WRITE", "Asker", "Back", "Menu", "NewAccount", "Outcome", "Request", "Row", "Setup"]
