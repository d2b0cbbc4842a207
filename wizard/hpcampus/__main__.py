# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lets `python -m hpcampus` be the command."""

from hpcampus.cli import main

if __name__ == "__main__":
    main()
