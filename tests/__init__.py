# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tests: unit, contract, testinfra (on running hosts), e2e and bench."""
