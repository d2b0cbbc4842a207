# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image's own package on the path, and a cluster that runs tasks as the job does, without Slurm and without a container."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.images.grading.local_cluster import SOURCE, LocalCluster

sys.path.insert(0, str(SOURCE))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    found = LocalCluster(tmp_path / "runs")
    yield found
    found.close()
