# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The child: an IPython shell that runs cells as a kernel would, and sends what they put out to its parent.

Whatever is in here belongs to the student as soon as the first cell runs. Nothing relies on it behaving.
"""

from __future__ import annotations

import asyncio
import base64
import builtins
import contextlib
import getpass
import io
import os
import signal
import sys
import time
from typing import Any

from IPython.core import page
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import CBool, Type, default

from . import confine, wire
from .bridge import Giver
from .task import Limits

FLUSH_SECONDS = 0.2
FLUSH_CHARACTERS = 64 * 1024


class Line:
    """The way to the parent.

    Args:
        handle: of the socket.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._owner = os.getpid()

    def send(self, message: wire.Message) -> None:
        """Send a message, unless this is a fork of the process that owns the line."""
        if os.getpid() == self._owner:
            wire.send(self.handle, message)

    def output(self, output: dict[str, Any], **more: Any) -> None:
        """Send an output, after the text that was printed before it."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        self.send({"output": output, **more})


class Stream(io.TextIOBase):
    """Standard output or standard error of the cells; forks write to the file descriptor, where the parent reads too."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, line: Line, name: str, number: int) -> None:
        super().__init__()
        self._line, self._number = line, number
        self.name = f"<{name}>"
        self._kind = name
        self._owner = os.getpid()
        self._held: list[str] = []
        self._size = 0
        self._flushed = time.monotonic()

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def isatty(self) -> bool:
        """It is no terminal."""
        return False

    def fileno(self) -> int:
        """The file descriptor that programs write to."""
        return self._number

    def write(self, text: str) -> int:
        """Keep text, and send it now and then."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._owner:
            os.write(self._number, text.encode("utf-8", "replace"))
            return len(text)
        self._held.append(text)
        self._size += len(text)
        if self._size > FLUSH_CHARACTERS or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what is held."""
        if os.getpid() != self._owner:
            return
        held, self._held, self._size = "".join(self._held), [], 0
        self._flushed = time.monotonic()
        for start in range(0, len(held), 1 << 20):
            text = held[start : start + (1 << 20)]
            self._line.send({"output": {"output_type": "stream", "name": self._kind, "text": text}})


class SandboxHook(DisplayHook):
    """Sends the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """The number is part of the message."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Send the representations."""
        output = {
            "output_type": "execute_result",
            "data": jsonable(format_dict),
            "metadata": md_dict or {},
            "execution_count": self.prompt_count,
        }
        shell: Any = self.shell
        shell.line.output(output)

    def finish_displayhook(self) -> None:
        """Nothing is printed after it."""


class SandboxPublisher(DisplayPublisher):
    """Sends what is displayed."""

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,  # noqa: ARG002 (IPython's own signature)
        *,
        transient: Any = None,
        update: bool = False,
        **kwargs: Any,  # noqa: ARG002 (the same)
    ) -> None:
        """Send the representations, with the id by which they can be replaced."""
        output = {"output_type": "display_data", "data": jsonable(data), "metadata": metadata or {}}
        self.shell.line.output(output, display_id=(transient or {}).get("display_id"), update=update)

    def clear_output(self, wait: bool = False) -> None:
        """Have the outputs of the cell removed, now or before the next one."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self.shell.line.send({"clear": True, "wait": bool(wait)})


class SandboxShell(InteractiveShell):
    """A shell like that of a kernel, without sockets."""

    line: Any = AnyTrait()
    displayhook_class = Type(SandboxHook)
    display_pub_class = Type(SandboxPublisher)
    colors_force = CBool(True)
    readline_use = CBool(False)
    autoindent = CBool(False)

    @default("banner1")
    def _banner1(self) -> str:
        return ""

    def init_history(self) -> None:
        """Keep no file."""
        self.config.HistoryManager.enabled = False
        super().init_history()

    def init_hooks(self) -> None:
        """What a pager would show is shown nowhere."""
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(no_page), 99)

    def system(self, cmd: str) -> None:
        """Run a command line; its output is that of the cell."""
        self.system_piped(cmd)

    def fetch(self, source: str) -> None:
        """Get what a cell needs from elsewhere: nothing here."""

    def enable_gui(self, gui: Any = None) -> None:
        """There are no windows."""

    def ask_exit(self) -> None:
        """The sandbox decides when it is over."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.show_error(etype, evalue, stb)

    def show_error(self, etype: Any, evalue: Any, stb: Any) -> None:
        """Send an exception with its traceback."""
        self.line.output(
            {"output_type": "error", "ename": str(etype.__name__), "evalue": str(evalue), "traceback": list(stb)}
        )


def jsonable(data: Any) -> dict[str, Any]:
    """Representations as JSON can hold them: bytes become base64, as in every notebook."""
    found: dict[str, Any] = {}
    for mime, content in dict(data).items():
        found[str(mime)] = base64.encodebytes(content).decode("ascii") if isinstance(content, bytes) else content
    return found


def no_page(*_args: Any, **_kwargs: Any) -> None:
    """Stands in for the pager."""


def no_input(*_args: Any, **_kwargs: Any) -> str:
    """Stands in for input and getpass."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def make_shell(handle: int, kind: type[SandboxShell]) -> SandboxShell:
    """The shell; from now on what is printed goes to the parent."""
    line = Line(handle)
    sys.stdout = Stream(line, "stdout", 1)
    sys.stderr = Stream(line, "stderr", 2)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.update(
        TERM="xterm-color", CLICOLOR="1", FORCE_COLOR="1", CLICOLOR_FORCE="1", PAGER="cat", GIT_PAGER="cat"
    )
    shell: SandboxShell = kind.instance(line=line)
    builtins.input = no_input
    getpass.getpass = no_input
    return shell


async def run_cell(shell: SandboxShell, source: str, counted: bool) -> BaseException | None:
    """Run a cell as a kernel does; returns what it raised. One that is not counted is not in the history either."""
    transformed, trouble = source, None
    try:
        transformed = shell.transform_cell(source)
    except Exception:  # noqa: BLE001 (a transformer of the student's raises what it likes)
        trouble = sys.exc_info()
    if shell.should_run_async(source, transformed_cell=transformed, preprocessing_exc_tuple=trouble):
        future = asyncio.ensure_future(
            shell.run_cell_async(
                source, store_history=counted, transformed_cell=transformed, preprocessing_exc_tuple=trouble
            )
        )
        previous = signal.signal(signal.SIGINT, lambda *_: future.get_loop().call_soon_threadsafe(future.cancel))
        try:
            result = await future
        finally:
            signal.signal(signal.SIGINT, previous)
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=counted)
    raised: BaseException | None = result.error_before_exec or result.error_in_exec
    return raised


async def run_one(shell: SandboxShell, request: wire.Message) -> wire.Message:
    """Run the cell of a request; returns the message that says it is done."""
    raised: BaseException | None = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            shell.fetch(request["source"])
        except Exception as error:  # noqa: BLE001 (what the student's process answers can be anything)
            shell.show_error(type(error), error, [f"{type(error).__name__}: {error}"])
            return {"done": request["cell"], "count": shell.execution_count - 1, "raised": raised_as(error)}
        raised = await run_cell(shell, request["source"], not request.get("quiet"))
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        raised = KeyboardInterrupt()
        shell.show_error(KeyboardInterrupt, error, ["KeyboardInterrupt"])
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if request.get("forget") and not request.get("quiet"):
        forget_source(shell)
    done: wire.Message = {"done": request["cell"], "count": shell.execution_count - 1}
    if raised is not None:
        done["raised"] = raised_as(raised)
    return done


def raised_as(error: BaseException) -> dict[str, str]:
    """What a cell raised, for the parent."""
    return {"ename": type(error).__name__, "evalue": str(error)[:2000]}


def forget_source(shell: SandboxShell) -> None:
    """Take a test out of the history: no cell after it prints it by accident."""
    manager: Any = shell.history_manager
    for kept in (manager.input_hist_raw, manager.input_hist_parsed):
        kept[-1] = ""
    for name in ("_i", "_ii", "_iii", f"_i{shell.execution_count - 1}"):
        shell.user_ns.pop(name, None)
    manager._i00 = ""  # noqa: SLF001 (from it the next cell's _i is made)


async def serve(handle: int, kind: type[SandboxShell] = SandboxShell, peer: int | None = None) -> None:
    """Run cells for as long as the parent sends some.

    Args:
        handle: of the socket that leads to the parent.
        kind: of the shell.
        peer: of the socket on which the process of isolated tests asks.
    """
    shell = make_shell(handle, kind)
    loop = asyncio.get_running_loop()
    reader, requests = wire.Reader(), asyncio.Queue[wire.Message | None]()

    def arrived() -> None:
        try:
            data = os.read(handle, 1 << 20)
        except BlockingIOError:
            return
        for message in reader.feed(data):
            requests.put_nowait(message)
        if not data:
            loop.remove_reader(handle)
            requests.put_nowait(None)

    loop.add_reader(handle, arrived)
    if peer is not None:
        answer_tests(loop, peer, Giver(shell.user_ns))
    while (request := await requests.get()) is not None:
        if "limits" in request:
            confine.limit(Limits.from_json(request["limits"]))
            shell.line.send({"ready": True})
        else:
            shell.line.send(await run_one(shell, request))


def answer_tests(loop: asyncio.AbstractEventLoop, peer: int, giver: Giver) -> None:
    """Answer what the process of isolated tests asks, between the cells."""
    reader = wire.Reader()

    def asked() -> None:
        data = os.read(peer, 1 << 20)
        if not data:
            loop.remove_reader(peer)
        for request in reader.feed(data):
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                answer = giver.answer(request)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            wire.send(peer, {**answer, "serial": request.get("serial")})

    loop.add_reader(peer, asked)


def main(handle: int, peer: int | None = None) -> None:
    """The child's life, from the imports on.

    Args:
        handle: of the socket that leads to the parent.
        peer: of the socket on which the process of isolated tests asks.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine.show_memory()
    sys.path.insert(0, "")
    asyncio.run(serve(handle, SandboxShell, peer))
