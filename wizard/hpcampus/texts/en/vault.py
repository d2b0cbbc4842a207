# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The key of the vault."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "vault.kind.keyring": "in the keyring of this account",
    "vault.kind.ask": "asked each time, kept nowhere",
    "vault.ask": "Key of the vault {path}",
    "vault.ask-again": "That does not open {path}. Key of the vault",
    "vault.choose": "Choose a key for the vault {path}, at least {least} characters",
    "vault.choose-longer": "It needs at least {least} printable characters. Choose a key",
    "vault.choose-again": "The same key again",
    "vault.choose-differs": "The two differ. Choose a key, at least {least} characters",
}
