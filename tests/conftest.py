# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings of every test."""

import os

from hypothesis import settings

# The tests read what the program says; its language is not that of whoever runs them.
os.environ["HPCAMPUS_LANGUAGE"] = "en"

# Test machines are shared and slow: a property test fails for what it finds, not for how long it took.
settings.register_profile("hpcampus", deadline=None)
settings.load_profile("hpcampus")
