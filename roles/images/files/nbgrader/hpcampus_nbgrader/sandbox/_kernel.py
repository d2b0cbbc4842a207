# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program of a child that runs cells in a kernel: ``_kernel SOCKET DIRECTORY``."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from hpcampus_nbgrader.sandbox import kernel

# A kernel sends what programs write to these, and writes it here once more.
nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(nowhere, 1)
os.dup2(nowhere, 2)
os.chdir(sys.argv[2])
kernel.main(int(sys.argv[1]))
