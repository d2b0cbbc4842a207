# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program of a child that runs tests: ``_tests SOCKET DIRECTORY PEER``."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from hpcampus_nbgrader.sandbox import tests

os.chdir(sys.argv[2])
tests.main(int(sys.argv[1]), int(sys.argv[3]))
