# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Parts of the course service that the command uses as well, taken from the collection; they need nothing but Python."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.errors import CollectionError

if TYPE_CHECKING:
    from types import ModuleType

SERVICE = Path("roles/courses/files/hub/hpcampus_courses")


@functools.cache
def course_module(collection: Path, name: str) -> ModuleType:
    """Load a module of the course service, such as ``links`` or ``archive/check``.

    Raises:
        CollectionError: The collection has none.
    """
    path = collection / SERVICE / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"hpcampus_course_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CollectionError("collection-missing", searched=path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
