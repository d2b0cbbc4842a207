# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Autograding in the server of a course: what students wrote runs on the cluster, points are given here.

nbgrader sanitises each submission as ever. Its cells then run as a task of a Slurm job, in a container that has nothing (see
:mod:`hpcampus_nbgrader.sandbox`); only outputs come back, by position, and nbgrader's own preprocessors score them. The gradebook is
never near a student's code. Without the cluster nothing is graded: there is no way back to running submissions here.
"""
