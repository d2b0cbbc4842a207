# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``python -m hpcampus_nbgrader.similarity ASSIGNMENT``."""

import sys

from .command import main

sys.exit(main())
