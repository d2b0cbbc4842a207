# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program of a child that runs Python cells: ``_shell SOCKET DIRECTORY [PEER]``."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from hpcampus_nbgrader.sandbox import shell

os.chdir(sys.argv[2])
shell.main(int(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
