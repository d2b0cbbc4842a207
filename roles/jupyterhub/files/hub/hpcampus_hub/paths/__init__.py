# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The ways on which a notebook's data travels between the hub and its job, behind one interface."""
