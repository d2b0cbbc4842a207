# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Submissions that try to harm whoever grades them, or to get points for nothing."""
