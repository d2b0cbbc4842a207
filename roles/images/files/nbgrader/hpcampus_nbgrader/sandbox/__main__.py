# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program of the sandbox: an archive in, a result out."""

import sys

from .runner import main

sys.exit(main())
