# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Test hosts are containers, and starting those needs root."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say at once what is missing."""
    if items and os.geteuid() != 0:
        raise pytest.UsageError("the installs need root: start them with python -m tools.run_tests install")
