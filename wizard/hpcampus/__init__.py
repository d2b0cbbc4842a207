# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""hpcampus: a teaching JupyterHub whose notebooks are Slurm jobs, installed by answering a few questions."""

__version__ = "0.1.0"
