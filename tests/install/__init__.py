# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sites that the command itself installs on bare test hosts, from its first question to the proof."""
