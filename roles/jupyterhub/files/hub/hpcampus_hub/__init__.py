# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's side of hpcampus: every notebook server is a Slurm job on a cluster that an ssh link reaches."""

__version__ = "0.1.0"
