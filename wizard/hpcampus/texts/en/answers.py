# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with an answer."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "wrong.required": "an answer is needed",
    "wrong.type": "expected {expected}, got {value}",
    "wrong.choice": "{value} is not one of {choices}",
    "wrong.profile-demo": "the demo asks nothing: run 'hpcampus demo up'",
    "wrong.url": "{value} is an address; write the name alone, such as jupyter.example.org",
    "wrong.host": "{value} is not a host name or an IPv4 address: letters, digits, hyphens and dots, no hyphen beside a dot or at the ends",
    "wrong.hosts-empty": "name at least one host, such as c1, c2 or node[01-20]",
    "wrong.hosts-range": "{value} is not a range; write it as node[01-20], the smaller number first, at most {most} hosts",
    "wrong.hosts-twice": "{value} is named twice",
    "wrong.user": "{value} is not a user name: lower case letters, digits and . _ @ + -, at most 64, a letter or a digit at both ends",
    "wrong.unix-user": "{value} is not a Unix user name: lower case letters, digits, _ and -, at most 32",
    "wrong.reserved-user": "{value} is used by the platform itself; choose another name",
    "wrong.password-short": "the password has {length} characters; at least 10 are needed",
    "wrong.password-long": "the password is longer than the 72 bytes that bcrypt can take",
    "wrong.password-control": "the password holds a control character",
    "wrong.slug": "{value} is not a short name: lower case letters, digits and hyphens, at most 32, no hyphen at the ends",
    "wrong.partition": "{value} is not a partition name: letters, digits, _ and -, a letter first, at most 32",
    "wrong.title": "a title is one line of 1 to 200 printable characters",
    "wrong.path": "{value} is not a plain absolute path, such as /srv/hpcampus",
    "wrong.file-path": "{value} is not an absolute path of a file",
    "wrong.not-a-file": "{value} is not an ordinary file",
    "wrong.certificate-key": "the file holds a private key; give the certificate alone, the server's first, then the chain",
    "wrong.certificate-first": "something else stands before the certificate; the server's certificate must be the first in the file",
    "wrong.deb-url": "{value} is not an https:// address of a package, which ends in .deb",
    "wrong.checksum": "{value} is not a checksum of the form sha256: and 64 hexadecimal digits",
    "wrong.centre-dir": "{value} is not a path of two to eight plain names, such as /project/p123/hpcampus",
    "wrong.centre-partition": "{value} is not the name of a partition, as sinfo prints it",
    "wrong.host-key": "{value} is not a public host key of the form 'ssh-ed25519 AAAA...'",
    "wrong.program": "{value} is neither the absolute path of a program nor a plain name in lower case",
    "wrong.program-path": "{value} is not an absolute path without blanks",
    "wrong.module": "{value} is not the name of an environment module, such as apptainer/1.4",
    "wrong.count": "{value} is not a whole number of 0 or more",
    "wrong.unknown-answer": "there is no question of this name{hint}",
    "wrong.did-you-mean": "; did you mean {name}?",
    "wrong.decided-by-question": "this variable is decided by the answers to {names}; give those",
    "wrong.derived-variable": "the steps set this variable themselves, from others",
    "wrong.secret-variable": "this variable is a secret; it belongs into vault.yml of the inventory",
    "wrong.record-variable": "this variable is a list of records; write it into main.yml of the inventory by hand",
    "wrong.variable-type": "{value} is not of the type {type}",
    "wrong.variable-template": "{value} holds a template or a control character; write such a value into main.yml by hand",
    "wrong.secret-here": "a password does not belong on the command line or in an answers file; use --admin-password-file",
    "expected.text": "text",
    "expected.list": "a list of host names",
}
