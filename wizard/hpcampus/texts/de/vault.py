# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Der Schlüssel des Vaults."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "vault.kind.keyring": "im Keyring dieses Kontos",
    "vault.kind.ask": "jedes Mal erfragt, nirgends aufgehoben",
    "vault.ask": "Schlüssel des Vaults {path}",
    "vault.ask-again": "Der öffnet {path} nicht. Schlüssel des Vaults",
    "vault.choose": "Einen Schlüssel für den Vault {path} wählen, mindestens {least} Zeichen",
    "vault.choose-longer": "Nötig sind mindestens {least} druckbare Zeichen. Einen Schlüssel wählen",
    "vault.choose-again": "Denselben Schlüssel noch einmal",
    "vault.choose-differs": "Die beiden sind verschieden. Einen Schlüssel wählen, mindestens {least} Zeichen",
}
