# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Between the process of a student's cells and that of the tests, when tests are isolated.

Before a test runs, every name that it uses and does not define is asked of the student's process. Plain values come as data, see
:mod:`.plain`; for all else a :class:`Remote` stands, whose calls and attributes are asked anew each time. What the student's code
says about itself is data as well: it cannot change the tests, what they compare with, or what an assertion does.
"""

from __future__ import annotations

import ast
import builtins
import socket
from typing import TYPE_CHECKING, Any

from . import wire
from .plain import PlainError, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "call": lambda value, args, kwargs: value(*args, **kwargs),
    "attribute": lambda value, args, _: getattr(value, args[0]),
    "len": lambda value, _args, _: len(value),
    "item": lambda value, args, _: value[args[0]],
    "list": lambda value, _args, _: list(value),
    "contains": lambda value, args, _: args[0] in value,
    "str": lambda value, _args, _: str(value),
}


class Giver:
    """The student's side: answers what the tests ask.

    Args:
        names: the student's variables.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._kept: list[Any] = []

    def _keep(self, value: Any) -> int:
        self._kept.append(value)
        return len(self._kept) - 1

    def answer(self, request: wire.Message) -> wire.Message:
        """The answer to one question: ``value``, ``missing``, or ``raised`` with name and text of an exception."""
        try:
            if "name" in request:
                if request["name"] not in self._names:
                    return {"missing": True}
                return {"value": encode(self._names[request["name"]], self._keep)}
            args, kwargs = decode(request["args"], self._kept_one), decode(request["kwargs"], self._kept_one)
            value = OPERATIONS[request["do"]](self._kept[request["object"]], args, kwargs)
            return {"value": encode(value, self._keep)}
        except BaseException as error:  # noqa: BLE001 (the student's code raises what it likes)
            return {"raised": [type(error).__name__, str(error)[:10000]]}

    def _kept_one(self, number: int, _name: str) -> Any:
        return self._kept[number]


class Asker:
    """The tests' side.

    Args:
        handle: of the socket that leads to the student's process.
    """

    def __init__(self, handle: int) -> None:
        self._socket = socket.socket(fileno=handle)
        self._reader = wire.Reader()
        self._held: list[wire.Message] = []
        self._errors: dict[str, type[Exception]] = {}
        self._serial = 0

    def fetch(self, source: str, names: dict[str, Any], own: set[str]) -> None:
        """Ask for the names that a test uses; those that tests have defined themselves stay as they are.

        Args:
            source: of the test, as plain Python.
            names: the tests' variables.
            own: which of them the tests have defined.
        """
        for name in used_names(source) - own:
            answer = self._ask({"name": name})
            names.pop(name, None)
            if "value" in answer:
                names[name] = decode(answer["value"], self._remote)

    def do(self, number: int, what: str, *args: Any, **kwargs: Any) -> Any:
        """Have something done with an object of the student's, and give what comes of it, or raise what it raises."""
        asked = {
            "do": what,
            "object": number,
            "args": encode(list(args), _of_remote),
            "kwargs": encode(kwargs, _of_remote),
        }
        answer = self._ask(asked)
        if "raised" in answer:
            name, text = answer["raised"]
            raise self._error(str(name), str(text))
        return decode(answer.get("value"), self._remote)

    def _remote(self, number: int, name: str) -> Remote:
        return Remote(self, number, name)

    def _error(self, name: str, text: str) -> Exception:
        """An exception of that name: one of Python's own, or a new class."""
        known = getattr(builtins, name, None)
        if not (isinstance(known, type) and issubclass(known, Exception)):
            if not name.isidentifier():
                name = "Exception"
            known = self._errors.setdefault(name, type(name, (Exception,), {}))
        try:
            return known(text)
        except TypeError:
            return RuntimeError(f"{name}: {text}")

    def _ask(self, message: wire.Message) -> wire.Message:
        """Ask, and wait for the answer to this question: that to an earlier one, which nobody waited for, is dropped."""
        self._serial += 1
        wire.send(self._socket.fileno(), {**message, "serial": self._serial})
        while True:
            while self._held:
                found = self._held.pop(0)
                if found.get("serial") == self._serial:
                    return found
            data = self._socket.recv(1 << 20)
            if not data:
                raise RuntimeError("the process of the student's code has ended")
            self._held += self._reader.feed(data)


def _of_remote(value: Any) -> int:
    """The number of an object that goes back to where it came from."""
    if type(value) is not Remote:
        raise PlainError(f"a {type(value).__name__} cannot be handed over to the student's code, only plain values")
    return int(object.__getattribute__(value, "_number"))


class Remote:
    """Stands for an object in the student's process. It equals itself and nothing else."""

    __slots__ = ("_asker", "_name", "_number")

    def __init__(self, asker: Asker, number: int, name: str) -> None:
        self._asker = asker
        self._number = number
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Have it called."""
        return self._asker.do(self._number, "call", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._asker.do(self._number, "attribute", name)

    def __len__(self) -> int:
        return int(self._asker.do(self._number, "len"))

    def __getitem__(self, key: Any) -> Any:
        return self._asker.do(self._number, "item", key)

    def __iter__(self) -> Any:
        return iter(list(self._asker.do(self._number, "list")))

    def __contains__(self, value: Any) -> bool:
        return self._asker.do(self._number, "contains", value) is True

    def __str__(self) -> str:
        return str(self._asker.do(self._number, "str"))

    def __repr__(self) -> str:
        return f"<{self._name} of the submission>"


def used_names(source: str) -> set[str]:
    """Names that a text of Python reads and that are none of Python's own."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return {name for name in read if not hasattr(builtins, name) and not name.startswith("__")}
