# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings of every test."""

from hypothesis import settings

# Test machines are shared and slow: a property test fails for what it finds, not for how long it took.
settings.register_profile("hpcampus", deadline=None)
settings.load_profile("hpcampus")
