# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual strategy, with one Python on every host for a whole run instead of a new one for every module."""

from __future__ import annotations

import ansible_mitogen.affinity
import ansible_mitogen.loaders
import ansible_mitogen.strategy

DOCUMENTATION = """
name: one_python
short_description: Runs the tasks of a play as the strategy linear does, by Mitogen
description:
  - A new Python compiles Ansible's library for every module, which takes most of the time of a run on test hosts.
    Mitogen keeps one on the host and forks it.
  - The demo and the installs of C(tests/install) go without it, as a site does.
"""

# Mitogen binds each process to a processor; on a machine with two, all workers of all runs to the same one.
ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()

# Mitogen counts its plugins by the module they come from, so this is asked from its own loader.
_Linear = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, _Linear):
    """The strategy linear, by Mitogen."""
