# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The session: request lines in, answer lines out, in any order."""

import concurrent.futures
import contextlib
import json
import sys
import threading

from .errors import BadRequestError, BusyError, GatewayError

MAX_LINE_BYTES = 256 * 1024
MAX_RUNNING = 8
MAX_WAITING = 128


def lasts():
    """Say that nothing has changed."""
    return False


class Session:
    """Reads requests line by line and writes answers as they come.

    ``outdated`` says whether a session that begins now would run otherwise: with other settings, or other programs.
    """

    def __init__(self, operations, source, sink, outdated=lasts):
        self._operations = operations
        self._source = source
        self._sink = sink
        self._outdated = outdated
        self._writing = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)

    def write(self, message):
        """Write one message; a hub that has gone away is no error, the end of input follows."""
        line = (json.dumps(message) + "\n").encode("ascii")
        with self._writing, contextlib.suppress(BrokenPipeError):
            self._sink.write(line)
            self._sink.flush()

    def lines(self):
        """Yield each line, or None for one that is too long."""
        while True:
            line = self._source.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if len(line) <= MAX_LINE_BYTES:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = self._source.readline(MAX_LINE_BYTES)
            yield None

    @staticmethod
    def parse(line):
        """Return (id, operation, fields) of a line."""
        if line is None:
            raise BadRequestError(f"a line may have {MAX_LINE_BYTES} bytes at most")
        try:
            request = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            raise BadRequestError("a line must be one JSON object in UTF-8") from None
        if not isinstance(request, dict):
            raise BadRequestError("a line must be one JSON object in UTF-8")
        number = request.pop("id", None)
        operation = request.pop("op", None)
        if type(number) is not int or not 0 <= number < 2**53:
            raise BadRequestError("id: expected a whole number")
        return number, operation, request

    def answer(self, number, operation, fields):
        """Run one operation and write its answer."""
        message = {"id": number, "ok": True}
        try:
            message.update(self._operations.handle(operation, fields))
        except GatewayError as error:
            message = {"id": number, "ok": False, "code": error.code, "message": str(error)}
        except OSError as error:  # in words that name no file: a full disk is the account's to clear
            text = f"the cluster account cannot use its files ({error.strerror})"
            message = {"id": number, "ok": False, "code": "internal", "message": text}
            print(f"gateway: {type(error).__name__}: {error.strerror}", file=sys.stderr)
        except Exception as error:  # noqa: BLE001 (the session must outlive any one request)
            message = {"id": number, "ok": False, "code": "internal", "message": type(error).__name__}
            print(f"gateway: {type(error).__name__}", file=sys.stderr)
        self.write(message)

    def answer_and_release(self, number, operation, fields):
        """``answer`` for a worker thread."""
        try:
            self.answer(number, operation, fields)
        finally:
            self._waiting.release()

    def run(self, hello):
        """Serve until the end of input, or until the session is outdated; requests under way are finished.

        The request that finds it outdated gets no answer: the hub connects again and asks anew.
        """
        self.write({"hello": hello})
        with concurrent.futures.ThreadPoolExecutor(max_workers=MAX_RUNNING) as pool:
            for line in self.lines():
                if self._outdated():
                    return
                try:
                    number, operation, fields = self.parse(line)
                except BadRequestError as error:
                    self.write({"id": None, "ok": False, "code": error.code, "message": str(error)})
                    continue
                if operation == "ping":
                    self.answer(number, operation, fields)
                elif self._waiting.acquire(blocking=False):
                    pool.submit(self.answer_and_release, number, operation, fields)
                else:
                    self.write({"id": number, "ok": False, "code": BusyError.code, "message": "too many requests wait"})
