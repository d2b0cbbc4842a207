# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The filter in front of the kernel's keyrings: read as the kernel reads it, and put on in a process of its own."""

import errno
import json
import os
import subprocess
import sys

import pytest

from tests.unit.gateway.loading import FILES, load

keyring = load("closed_keyring")

X86_64, I386, AARCH64, ARM = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028
PROCESS_KEYRING = -2
ADD_KEY = {"x86_64": 248, "aarch64": 217}[os.uname().machine]

# Tries every call, through Python and a child of it, before and after; prints the errors by name, and the seconds it took to close.
TRY = """
import ctypes, errno, json, subprocess, sys, time
sys.path.insert(0, {files!r})
TRIES = '''
import ctypes, errno, json
libc = ctypes.CDLL(None, use_errno=True)
def told(*call):
    ctypes.set_errno(0)
    libc.syscall(*call)
    return errno.errorcode.get(ctypes.get_errno(), "")
first = {first}
def tries():
    return [told(first, b"user", b"test", b"text", 4, {ring}), told(first + 1, b"user", b"no-such-key", None, 0),
            told(first + 2, 0, {ring}, 1)]
'''
exec(TRIES)
before = tries()
began = time.process_time()
import closed_keyring
closed_keyring.close_keyring()
seconds = time.process_time() - began
child = subprocess.run([sys.executable, "-c", TRIES + "print(json.dumps(tries()))"], capture_output=True, text=True, check=True)
x32 = told(0x40000000 + first, b"user", b"test", b"text", 4, {ring})
print(json.dumps([before, tries(), json.loads(child.stdout), x32, seconds]))
"""

# keyctl as 32-bit programs call it: push rbx; eax, ebx, ecx, edx; int 0x80; pop rbx; ret. A kernel without that door ends it.
OTHER_DOOR = """
import ctypes, mmap, sys
sys.path.insert(0, {files!r})
import closed_keyring
numbers = zip((0xB8, 0xBB, 0xB9, 0xBA), (288, 0, {ring}, 1))
code = bytes([0x53]) + b"".join(bytes([load]) + number.to_bytes(4, "little", signed=True) for load, number in numbers)
room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write(code + bytes([0xCD, 0x80, 0x5B, 0xC3]))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
before = call()
closed_keyring.close_keyring()
print(before > 0, call())
"""


def judged(doors: object, arch: int, number: int) -> int:
    """What the filter answers, by running its instructions."""
    program = keyring.filter_program(doors)
    data = {keyring.AT_ARCH: arch, keyring.AT_NUMBER: number}
    at = value = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == keyring.LOAD:
            value = data[operand]
        elif code == keyring.AND:
            value &= operand
        elif code == keyring.IF_EQUAL:
            at += if_true if value == operand else if_false
        elif code == keyring.IF_AT_LEAST:
            at += if_true if value >= operand else if_false
        else:
            assert code == keyring.RETURN
            return int(operand)


@pytest.mark.parametrize(
    ("machine", "arch", "numbers"),
    [
        ("x86_64", X86_64, range(248, 251)),
        ("x86_64", X86_64, range(0x40000000 + 248, 0x40000000 + 251)),
        ("x86_64", I386, range(286, 289)),
        ("aarch64", AARCH64, range(217, 220)),
        ("aarch64", ARM, range(309, 312)),
    ],
)
def test_the_calls_of_keyrings_are_refused_at_every_door_and_no_others(machine: str, arch: int, numbers: range) -> None:
    doors = keyring.DOORS[machine]
    refused = keyring.RET_ERRNO | errno.ENOSYS
    for number in (0, 1, *range(numbers.start - 3, numbers.stop + 3), 435, 0xFFFFFFFF):
        assert judged(doors, arch, number) == (refused if number in numbers else keyring.RET_ALLOW), number
    others = {X86_64, I386, AARCH64, ARM} - {known for known, _ in doors}
    assert {judged(doors, other, number) for other in others for number in numbers} == {keyring.RET_ALLOW}


def test_a_process_and_its_children_lose_the_keyrings() -> None:
    code = TRY.format(files=str(FILES), first=ADD_KEY, ring=PROCESS_KEYRING)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after, child, x32, seconds = json.loads(done.stdout)
    assert before == ["", "ENOKEY", ""]
    assert after == child == ["ENOSYS"] * 3
    assert x32 == "ENOSYS"
    assert seconds < 0.5


def test_the_call_of_32_bit_programs_is_refused_too() -> None:
    """Or ends the program: not every kernel has this door, and no other machine than x86_64."""
    code = OTHER_DOOR.format(files=str(FILES), ring=PROCESS_KEYRING)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode < 0 or done.stdout.split() == ["True", str(-errno.ENOSYS)], done.stderr


def test_a_kernel_that_takes_no_filter_is_told_of_and_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(keyring, "install", refuse)
    keyring.close_keyring()
    assert capsys.readouterr().err.splitlines() == [
        "start: the kernel's keyring stays open to other jobs of this account: this kernel takes no filter (Invalid argument)"
    ]


def test_a_kernel_that_refuses_is_an_error() -> None:
    """Here since the filter is empty; in a process of its own, as always when a filter might be put on."""
    code = f"import sys; sys.path.insert(0, {str(FILES)!r}); import closed_keyring as k; k.install(())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OSError: [Errno 22] Invalid argument" in done.stderr


def test_an_unknown_machine_is_told_of_and_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(keyring.os, "uname", lambda: type("Machine", (), {"machine": "riscv64"}))
    keyring.close_keyring()
    assert "on riscv64 are not known here" in capsys.readouterr().err
