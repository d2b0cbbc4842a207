# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's own extension, with our handlers."""

from __future__ import annotations

import os
from typing import Any

import nbgrader.apps.api
from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

from hpcampus_nbgrader.harmless import Harmless

from . import logs
from .handlers import ours
from .publisher import PUBLISHER, Publisher


class Formgrader(FormgradeExtension):
    """nbgrader's extension; what submissions show is cleaned of scripts, which would run with the rights of who looks at them."""

    name = "formgrade"

    def build_extra_config(self) -> Any:
        """Clean what students have written."""
        config = super().build_extra_config()
        config.HTMLExporter.preprocessors = [Harmless]
        return config


def load(server: Any) -> None:
    """Load formgrader for the course whose server this is."""
    server.log.info("Load the formgrader of a course")
    formgrader = Formgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    # nbgrader goes there for everything that it converts, and back; with several at once there must be only one place.
    os.chdir(formgrader.coursedir.root)
    nbgrader.apps.api.capture_log = logs.capture_log
    handlers.default_handlers = ours(handlers.default_handlers)
    apihandlers.default_handlers = ours(apihandlers.default_handlers)
    formgrader.init_tornado_settings(server.web_app)
    server.web_app.settings[PUBLISHER] = Publisher(formgrader)
    formgrader.init_handlers(server.web_app)
