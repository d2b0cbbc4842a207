# Managed by hpcampus (hpcampus.platform.jupyterhub). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Load the parts of the configuration: conf.d is ours, local.d the administrator's; each in the order of names."""

import sys
import traceback
from pathlib import Path

c = get_config()  # noqa: F821 (put here by JupyterHub)

CONFIGURATION_ERROR = 78  # EX_CONFIG; the unit is not started again and again for it


def load(path: Path) -> None:
    """Run one part; a broken one ends the start and is named: half a configuration could let the wrong people in."""
    try:
        names = {"__file__": str(path), "__name__": f"hpcampus_config_{path.stem}", "c": c, "get_config": get_config}  # noqa: F821
        exec(compile(path.read_bytes(), path, "exec"), names)  # noqa: S102 (a configuration file is a program)
    except Exception as error:  # noqa: BLE001 (whatever it is, the message must name the file)
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [0])[-1]
        sys.stderr.write(
            f"hpcampus: {path}, line {line}: {type(error).__name__}: {error}\n"
            f"hpcampus: JupyterHub does not start with a broken configuration. Mend {path} or move it away, "
            "then: systemctl restart jupyterhub\n"
        )
        raise SystemExit(CONFIGURATION_ERROR) from None


for part in ("conf.d", "local.d"):
    for file in sorted(Path("/etc/jupyterhub", part).glob("*.py")):
        load(file)
