# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Close the kernel's keyrings to this process and to all that it starts; runs inside the image with the image's Python.

A keyring belongs to an account, and jobs of one account on one node would share it: what a program of one student puts there, her
neighbour could read. Name spaces do not separate keyrings, so the calls that reach them are refused by a filter (seccomp) that every
child inherits and nobody can take off. They fail as on a kernel without keyrings, which programs know how to live with.

The filter judges each call by the door it came through: a 64-bit process can make 32-bit calls too, and those have other numbers.
"""

import ctypes
import errno
import os
import struct
import sys

CALLS = 3
"""add_key, request_key and keyctl have numbers in a row everywhere."""

# Machine -> the doors of its kernel, each as (AUDIT_ARCH_* of linux/audit.h, number of add_key there).
DOORS = {
    "x86_64": ((0xC000003E, 248), (0x40000003, 286)),
    "aarch64": ((0xC00000B7, 217), (0x40000028, 309)),
}
X32_BIT = 0x40000000
"""Marks calls of the third door of x86_64; the numbers below it are those of 64 bits. It is no part of a number elsewhere."""

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, AND, IF_EQUAL, IF_AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
AT_NUMBER, AT_ARCH = 0, 4
"""Where struct seccomp_data has them."""


def filter_program(doors):
    """The filter as instructions (code, jump if true, jump if false, value); jumps count from the next instruction."""
    block = 5
    program = [(LOAD, 0, 0, AT_ARCH)]
    for index, (arch, first) in enumerate(doors):
        to_allow = block * (len(doors) - 1 - index)  # from the end of this block
        program += [
            (IF_EQUAL, 0, block - 1, arch),
            (LOAD, 0, 0, AT_NUMBER),
            (AND, 0, 0, ~X32_BIT & 0xFFFFFFFF),
            (IF_AT_LEAST, 0, to_allow + 1, first),
            (IF_AT_LEAST, to_allow, to_allow + 1, first + CALLS),
        ]
    return [*program, (RETURN, 0, 0, RET_ALLOW), (RETURN, 0, 0, RET_ERRNO | errno.ENOSYS)]


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(instructions):
    """Have the kernel use a filter from now on; OSError when it will not."""
    packed = [struct.pack("=HBBI", *instruction) for instruction in instructions]
    program = Program(len(packed), b"".join(packed))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0),
    ):
        if prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def close_keyring():
    """Close the keyrings; where that is not possible the job's log says so, and the server starts all the same."""
    machine = os.uname().machine
    problem = None
    if machine in DOORS:
        try:
            install(filter_program(DOORS[machine]))
        except OSError as error:
            problem = f"this kernel takes no filter ({error.strerror})"
    else:
        problem = f"the numbers of its calls on {machine} are not known here"
    if problem:
        print(f"start: the kernel's keyring stays open to other jobs of this account: {problem}", file=sys.stderr)
