# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's side of hpcampus: every notebook server is a Slurm job on a cluster that an ssh link reaches."""

import sys

__version__ = "0.1.0"

# jsonschema, which the hub uses for its event log, builds a parser for international addresses with this package: two
# CPU seconds of every start of the hub, for a format that no schema of the hub has. It goes without when it is missing.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
