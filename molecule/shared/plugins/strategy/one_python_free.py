# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strategy free, with one Python on every host for a whole run, as one_python is the strategy linear."""

from __future__ import annotations

import ansible_mitogen.affinity
import ansible_mitogen.loaders
import ansible_mitogen.strategy

DOCUMENTATION = """
name: one_python_free
short_description: Runs the tasks of a play as the strategy free does, by Mitogen
description:
  - Hosts that do different things need not wait for each other; see C(one_python).
"""

# As in one_python.
ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()

_Free = ansible_mitogen.loaders.strategy_loader.get("free", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, _Free):
    """The strategy free, by Mitogen."""
