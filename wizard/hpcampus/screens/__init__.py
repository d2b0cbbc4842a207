# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees: the only modules that draw on a terminal or ask there."""
