# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Bytes that the hub sends through ssh, of a size that it announced."""

import hashlib

CHUNK_BYTES = 1024 * 1024


def copy(source, sink, size, error_class):
    """Copy so many bytes and return their SHA-256; ``error_class`` when fewer come."""
    hashed, left = hashlib.sha256(), size
    while left:
        data = source.read(min(CHUNK_BYTES, left))
        if not data:
            raise error_class(f"what was sent ended {left} bytes too early")
        hashed.update(data)
        sink.write(data)
        left -= len(data)
    sink.flush()
    return hashed.hexdigest()
