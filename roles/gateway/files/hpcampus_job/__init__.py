# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job: one notebook server in a container, one way to the hub, nothing left behind.

Standard library only, Python 3.6 or newer.
"""
