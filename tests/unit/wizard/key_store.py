# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A keyring in memory, and one in a file for tests with processes of their own: PYTHON_KEYRING_BACKEND=key_store.FileKeyring."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class MemoryKeyring(KeyringBackend):
    """Keeps entries for the life of the object."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[f"{service} {username}"] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[f"{service} {username}"]


class FileKeyring(MemoryKeyring):
    """Reads its entries from the file that KEY_STORE names."""

    def get_password(self, service: str, username: str) -> str | None:
        self.entries = json.loads(Path(os.environ["KEY_STORE"]).read_text())
        return super().get_password(service, username)
