# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub with a wrong configuration ends with one sentence."""

import asyncio
import sys
from collections.abc import Callable

import pytest

from tests.unit.forks import ROOT
from tests.unit.hub.hub_process import HubProcess

pytestmark = pytest.mark.processes


def _profile(hub: HubProcess) -> None:
    hub.settings["profiles"][0]["memory"] = "1"


def _cluster(hub: HubProcess) -> None:
    hub.settings["profiles"][0]["cluster"] = "other"


def _accounts(hub: HubProcess) -> None:
    hub.accounts_file.chmod(0o644)


def _slug(hub: HubProcess) -> None:
    hub.settings["courses"][0]["slug"] = "Py 1"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_profile, "HpcHub.profiles[0].memory: '1' is not a memory size"),
        (_cluster, "HpcHub.profiles[small].cluster: 'other' is not one of lab"),
        (_accounts, "account file "),
        (_slug, "HpcHub.courses[0].slug: 'Py 1' is not a slug"),
    ],
)
async def test_a_wrong_setting_ends_the_hub_with_a_sentence(
    hub: HubProcess, spoil: Callable[[HubProcess], None], sentence: str
) -> None:
    spoil(hub)
    hub.launch()
    assert await hub.wait() == 78
    assert f"The hub's configuration is wrong. {sentence}" in hub.log
    assert "Traceback" not in hub.log


async def test_nothing_of_the_hub_imports_batchspawner_or_the_slow_parser() -> None:
    code = (
        "import sys, hpcampus_hub.app, hpcampus_hub.native, hpcampus_hub.probe;"
        "assert not [name for name in sys.modules if 'batchspawner' in name or 'wrapspawner' in name];"
        "assert not sys.modules.get('rfc3987_syntax')"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT / "roles/jupyterhub/files/hub", env={"PATH": "/usr/bin:/bin"}
    )
    assert await process.wait() == 0
