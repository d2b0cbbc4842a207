# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Passwords: made at random, hashed with bcrypt."""

from __future__ import annotations

import secrets

import bcrypt

# Without characters that look alike: people type these.
ALPHABET = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679"
BCRYPT_ROUNDS = 12
VAULT_KEY_BYTES = 32


def generate_password(length: int = 14) -> str:
    """Make a password of `length` characters, 5.6 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def generate_vault_key() -> str:
    """Make a key for a vault."""
    return secrets.token_urlsafe(VAULT_KEY_BYTES)


def hash_password(password: str) -> str:
    """Hash a password of at most 72 bytes for `site_accounts`."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()


def matches(password: str, password_hash: str) -> bool:
    """Tell whether a hash was made from a password."""
    return bcrypt.checkpw(password.encode(), password_hash.encode())
