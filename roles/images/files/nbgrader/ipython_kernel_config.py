# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What every kernel of the image's Python reads before it opens its sockets."""

from hpcampus_nbgrader.kernels import forks_write_to_a_unix_socket

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the loader provides it

# The history of all kernels of all servers of a person would be one SQLite file in the home, which a network file system may not lock.
c.HistoryManager.hist_file = ":memory:"

forks_write_to_a_unix_socket()
