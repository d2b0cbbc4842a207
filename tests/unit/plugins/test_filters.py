# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compute nodes as slurm.conf needs them."""

import pytest
from ansible.plugins.loader import filter_loader, init_plugin_loader

FACTS = {"hostname": "c1", "processor_vcpus": 4, "memtotal_mb": 1000}


@pytest.fixture(scope="module")
def slurm_nodes():
    """Load the filter the way ansible does: through the collection's name."""
    init_plugin_loader()
    return filter_loader.get("hpcampus.platform.slurm_nodes").j2_function


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ({"ansible_facts": FACTS}, {"name": "c1", "cpus": 4, "memory_mb": 900, "gres": ""}),
        (
            {"ansible_facts": FACTS, "site_node_cpus": 8, "site_node_memory_mb": 8000, "site_node_gres": "gpu:1"},
            {"name": "c1", "cpus": 8, "memory_mb": 8000, "gres": "gpu:1"},
        ),
        (
            {"ansible_facts": FACTS, "site_node_cpus": 0, "site_node_memory_mb": 0},
            {"name": "c1", "cpus": 4, "memory_mb": 900, "gres": ""},
        ),
    ],
)
def test_a_node(slurm_nodes, host, wanted):
    assert slurm_nodes([host]) == [wanted]
