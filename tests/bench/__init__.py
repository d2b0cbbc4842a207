# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Figures, measured on test hosts: `make bench`. They inform; the tests do not depend on them."""
