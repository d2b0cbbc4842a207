# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader in a notebook job: exchange, grades and the log of a course are kept by the course service on the hub.

Who is who follows from the tokens of the servers, and from nothing that a file or a person at a keyboard claims.
"""
