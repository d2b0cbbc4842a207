# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's answer to a page: what was logged while something was done, of this and of nothing that runs beside it."""

from __future__ import annotations

import io
import logging
import threading
import traceback
from typing import Any

from tornado.log import LogFormatter


def capture_log(app: Any, fmt: str = "[%(levelname)s] %(message)s") -> dict[str, Any]:
    """Start `app`, and give `success`, `log` and, when it failed, `error` with the reason."""
    own, buffer = threading.get_ident(), io.StringIO()
    stream = logging.StreamHandler(buffer)
    stream.setFormatter(LogFormatter(fmt=fmt))
    stream.addFilter(lambda record: record.thread == own)
    app.log.addHandler(stream)
    result: dict[str, Any] = {"success": True}
    try:
        app.start()
    except BaseException as error:  # nbgrader's programs end with SystemExit, and all of it belongs on the page
        if isinstance(error, KeyboardInterrupt):
            raise
        result = {"success": False, "error": traceback.format_exc()}
    finally:
        app.log.removeHandler(stream)
    if said := buffer.getvalue():
        result["log"] = said
    return result
