# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The gateway: the only thing the hub's ssh key can run on the login node.

Standard library only, Python 3.6 or newer.
"""
