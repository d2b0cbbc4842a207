# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service on the hub: exchange of assignments, grades, progress, audit and the pages of courses.

Jobs reach its API with the token of their server, people its pages with their login at the hub. What it keeps is a database
and the files that were handed out, in and back, below one directory.
"""
