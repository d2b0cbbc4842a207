# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What every kernel of the image's Python reads before it opens its sockets."""

from hpcampus_nbgrader.kernels import forks_write_to_a_unix_socket

forks_write_to_a_unix_socket()
