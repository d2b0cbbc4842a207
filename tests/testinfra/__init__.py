# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tests that look at running test hosts; molecule's verify step runs them."""
