# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which submissions of an assignment have code in common, for an instructor to look at. It is no proof of anything.

What students have typed is compared by the winnowing of `copydetect`: names, texts and comments count for nothing, the order of the code
does, and what was released to everybody is left out. All of it happens in the course's server, and the report stays in its directory.
"""
