# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Values as data that cannot do anything: how what a student made reaches tests in another process.

Numbers, texts, bytes, lists, tuples, sets, mappings and numpy arrays cross as what they are, by their exact types: an object that
compares as it likes is none of them. Modules, and functions of modules, are imported anew on the other side. All else stays where it
is and gets a number.
"""

from __future__ import annotations

import base64
import importlib
import re
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH_MAX = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_DTYPE = re.compile(r"[<>|=]?[biufcSU][0-9]{1,6}")
_CONTAINERS: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MAKERS: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_OWN_MODULES = frozenset(
    {"__main__", "builtins", "sys", "os", "posix", "gc", "ctypes", "inspect", "IPython", "hpcampus_nbgrader"}
)
"""From these nothing is imported for a student's code."""


class PlainError(TypeError):
    """A value cannot cross; the text says why."""


def encode(value: Any, keep: Callable[[Any], int] | None, depth: int = 0) -> Any:
    """A value as JSON.

    Args:
        value: anything.
        keep: gives a number to an object that stays here; without it such an object is refused.
        depth: of the containers around it.

    Raises:
        PlainError: it cannot cross.
    """
    kind = type(value)
    if depth > DEPTH_MAX:
        raise PlainError("a value is too deep to be handed over")
    if value is None or kind in (bool, str):
        return value
    if kind in _CONTAINERS:
        return {_CONTAINERS[kind]: [encode(one, keep, depth + 1) for one in value]}
    if kind is dict:
        return {"dict": [[encode(one, keep, depth + 1) for one in pair] for pair in value.items()]}
    found = _simple(value) or _numpy(value) or _imported(value)
    if found is not None:
        return found
    if keep is None:
        raise PlainError(f"a {kind.__name__} cannot be handed over to the student's code, only plain values")
    return {"object": [keep(value), str(getattr(value, "__name__", kind.__name__))[:100]]}


def _simple(value: Any) -> Any:
    """A number, or bytes."""
    kind = type(value)
    if kind in (int, float, complex):
        return {kind.__name__: repr(value)}
    return {"bytes": base64.b64encode(value).decode()} if kind is bytes else None


def _numpy(value: Any) -> Any:
    """An array or a number of numpy's own types."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not (type(value) is numpy.ndarray or type(value).__module__ == "numpy"):
        return None
    if not isinstance(value, numpy.ndarray | numpy.generic) or not _DTYPE.fullmatch(value.dtype.str):
        return None
    array = numpy.ascontiguousarray(value)
    shape = list(value.shape) if isinstance(value, numpy.ndarray) else None
    return {"numpy": [value.dtype.str, shape, base64.b64encode(array.tobytes()).decode()]}


def _imported(value: Any) -> Any:
    """A module, or a function or class that a module has under its own name."""
    if type(value) is types.ModuleType:
        return {"module": value.__name__} if _may_import(value.__name__) else None
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or not callable(value) or not _may_import(module):
        return None
    holder = sys.modules.get(module)
    return {"imported": [module, name]} if getattr(holder, name, None) is value else None


def _may_import(module: str) -> bool:
    return bool(_NAME.fullmatch(module)) and module.partition(".")[0] not in _OWN_MODULES


def decode(data: Any, remote: Callable[[int, str], Any] | None, depth: int = 0) -> Any:
    """The value of such JSON, made of the types that the module's text names and of nothing else.

    Args:
        data: what came.
        remote: makes what stands for an object that stayed on the other side.
        depth: of the containers around it.

    Raises:
        PlainError: it is not of this form.
    """
    if data is None or isinstance(data, bool | str):
        return data
    if depth > DEPTH_MAX or not isinstance(data, dict) or len(data) != 1:
        raise PlainError("the student's code gave a value that cannot be read")
    ((kind, content),) = data.items()
    try:
        return _decode(kind, content, remote, depth)
    except PlainError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ImportError, OverflowError) as error:
        raise PlainError(f"the student's code gave a {kind} that cannot be read: {type(error).__name__}") from None


def _decode(kind: str, content: Any, remote: Callable[[int, str], Any] | None, depth: int) -> Any:
    if kind in _READERS:
        return _READERS[kind](content)
    if kind in _MAKERS:
        return _MAKERS[kind](decode(one, remote, depth + 1) for one in content)
    if kind == "dict":
        return {decode(key, remote, depth + 1): decode(one, remote, depth + 1) for key, one in content}
    if kind == "object" and remote is not None:
        return remote(int(content[0]), str(content[1]))
    raise PlainError("the student's code gave a value that cannot be read")


def _module(name: str) -> Any:
    if not _may_import(name):
        raise PlainError("the student's code gave a module that is not handed over")
    return importlib.import_module(name)


def _attribute(content: list[str]) -> Any:
    module, name = content
    if not name.isidentifier():
        raise PlainError("the student's code gave a name that is none")
    return getattr(_module(module), name)


def _array(dtype: str, shape: list[int] | None, content: str) -> Any:
    numpy: Any = importlib.import_module("numpy")  # only where the submission has it too

    if not _DTYPE.fullmatch(dtype):
        raise PlainError("the student's code gave an array of another kind")
    flat = numpy.frombuffer(base64.b64decode(content), dtype=numpy.dtype(dtype))
    return flat[0] if shape is None else flat.reshape(shape).copy()


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(str(text)),
    "float": lambda text: float(str(text)),
    "complex": lambda text: complex(str(text)),
    "bytes": base64.b64decode,
    "numpy": lambda content: _array(*content),
    "module": _module,
    "imported": _attribute,
}
