# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What an assignment needs to run: the packages that its notebooks import, in the versions that are installed here.

Found in the code alone: nothing of the assignment runs, and what it imports in another way (`importlib`, `%pip install`) is not seen.
"""

from __future__ import annotations

import ast
import json
import platform
import sys
import tarfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from IPython.core.inputtransformer2 import TransformerManager

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Magics of a whole cell below which there is Python.
_PYTHON_MAGICS = frozenset({"%%time", "%%timeit", "%%capture", "%%prun"})


@dataclass(frozen=True)
class Requirements:
    """What an assignment needs.

    Attributes:
        python: Version of Python.
        packages: Versions by the names of distributions, which need not be those of modules.
        missing: Modules that are imported, and that nothing here installs.
    """

    python: str
    packages: Mapping[str, str]
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As the course service takes it."""
        return {"python": self.python, "packages": dict(self.packages), "missing": list(self.missing)}


def requirements_of(content: IO[bytes]) -> Requirements:
    """Find what the notebooks and modules of an assignment import.

    Args:
        content: The assignment as `tar.packed` packs it.
    """
    content.seek(0)
    imported, own = set[str](), set[str]()
    with tarfile.open(fileobj=content, mode="r:") as archive:
        for entry in archive:
            path = PurePosixPath(entry.name)
            if path.suffix == ".py":
                own.add(path.stem)
                own.update(path.parts[:-1])
            file = archive.extractfile(entry) if path.suffix in {".ipynb", ".py"} else None
            if file is not None:
                text = file.read().decode("utf-8", "replace")
                sources = [text] if path.suffix == ".py" else _code_of(text)
                imported.update(_imports(sources))
    return _installed(imported - own - sys.stdlib_module_names)


def _installed(modules: Iterable[str]) -> Requirements:
    providers: Mapping[str, Sequence[str]] = metadata.packages_distributions()
    packages, missing = dict[str, str](), []
    for module in sorted(modules):
        if module not in providers:
            missing.append(module)
        for name in sorted(set(providers.get(module, ()))):
            packages[name] = metadata.version(name)
    return Requirements(platform.python_version(), packages, tuple(missing))


def _code_of(text: str) -> Iterator[str]:
    """The code cells of a notebook in Python; nothing of what is no such notebook."""
    try:
        notebook = json.loads(text)
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
        cells = notebook.get("cells", []) if language == "python" else []
        for cell in cells:
            if cell.get("cell_type") == "code":
                source = cell.get("source", "")
                yield source if isinstance(source, str) else "".join(source)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return


def _imports(sources: Iterable[str]) -> Iterator[str]:
    """Top names of the modules that some code imports; code that cannot be read imports nothing."""
    manager = TransformerManager()
    for source in sources:
        try:
            tree = ast.parse(manager.transform_cell(_python_of(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _python_of(source: str) -> str:
    first, _, rest = source.lstrip().partition("\n")
    if not first.startswith("%%"):
        return source
    return rest if first.split()[0] in _PYTHON_MAGICS else ""
