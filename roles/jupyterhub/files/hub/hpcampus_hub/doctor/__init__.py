# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor: walks every leg from the public name to a cell's result, in order, and says for each what it saw and what cures it.

``words`` holds all that it can say, ``catalogue`` the legs in their order; a leg is one small function with declared needs.
"""
