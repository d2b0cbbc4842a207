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
    "wrong.profile-remote": "the profile remote-centre is not offered yet; choose single or own-cluster",
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
    "wrong.unknown-answer": "there is no question of this name{hint}",
    "wrong.secret-here": "a password does not belong on the command line or in an answers file; use --admin-password-file",
    "expected.text": "text",
    "expected.list": "a list of host names",
}
