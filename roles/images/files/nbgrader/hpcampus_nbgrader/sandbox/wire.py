# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How parent and child talk: JSON objects, each with its length before it, over a pair of sockets."""

from __future__ import annotations

import json
import os
import select
import struct
from typing import Any

HEAD = struct.Struct(">I")
MESSAGE_MAX_BYTES = 16 * 1024 * 1024
Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """One message; what JSON does not know becomes text."""
    body = json.dumps(message, default=str).encode()
    return HEAD.pack(len(body)) + body


def send(handle: int, message: Message) -> None:
    """Write a whole message, waiting as long as it takes."""
    data = memoryview(encode(message))
    while data:
        try:
            data = data[os.write(handle, data) :]
        except BlockingIOError:
            select.select([], [handle], [])


def _object(value: Any) -> Message:
    """The value, if it is an object."""
    try:
        return {**value}
    except TypeError:
        raise ValueError("a message that is no object") from None


class Reader:
    """Takes messages out of what arrives; what is no message is an error, for a child can send anything."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now.

        Raises:
            ValueError: what came is no message, or one that is too long.
        """
        self._held += data
        found: list[Message] = []
        while len(self._held) >= HEAD.size:
            (length,) = HEAD.unpack_from(self._held)
            if length > MESSAGE_MAX_BYTES:
                raise ValueError("a message that is too long")
            if len(self._held) < HEAD.size + length:
                break
            try:
                message = json.loads(bytes(self._held[HEAD.size : HEAD.size + length]))
            except RecursionError:
                raise ValueError("a message that is too deep") from None
            del self._held[: HEAD.size + length]
            found.append(_object(message))
        return found
