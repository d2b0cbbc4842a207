# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The API: exchange, grades, progress, audit. It takes tokens of the hub, and never a browser's cookie."""

from .routes import ROUTES

__all__ = ["ROUTES"]
