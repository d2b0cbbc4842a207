# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the cells of a submission inside a container that holds nothing worth stealing; ``python3 -I -m hpcampus_nbgrader.sandbox``.

A tar archive comes in through standard input (see :mod:`.task`), the outputs of the cells go out as one JSON object on standard
output (see :mod:`.runner`). What runs the students' code is a child: it may end, loop, or overwrite what it likes; the parent keeps
what arrived and says what did not run. The parent is the container's first process, which the child cannot kill, and it is not
dumpable, so that the child cannot read its memory, where tests wait that have not run yet.

Imports are few on purpose: what a kernel needs besides IPython (sockets, messages, a client) costs more than most submissions.
"""
