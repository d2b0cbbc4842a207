# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What breaks on the way between hub and cluster: what the student sees, what recovers, in what time, what is left over."""
