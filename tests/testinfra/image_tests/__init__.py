# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of molecule scenarios; see the table in molecule/README.md."""
