# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader in a notebook job: who is who follows from what is mounted, not from what a file claims.

In a student's server `<exchange>/<course>/inbound` is that student's own directory. In the course's server it holds one
directory for each student, made by the job wrapper and named by the student's id.
"""
