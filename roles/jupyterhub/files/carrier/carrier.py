#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps the hub's connections to its jobs up: ``carrier.py DIRECTORY``. A unit of its own, so that a restart of the hub cuts nobody off.

Standard library only. See ``hpcampus_carrier``.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hpcampus_carrier.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
