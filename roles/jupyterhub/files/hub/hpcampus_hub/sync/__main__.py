# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``python -m hpcampus_hub.sync``, which the timer starts."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
