# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images that the hub sends: taken in, checked, and put in the place where jobs look for them.

``BASE/images/NAME.sif`` is a link to ``NAME/SHA256.sif``. A new version is written beside the old ones and counts from the moment
the link is replaced; running jobs keep the file they have open.
"""

import contextlib
import os
import re
import time

from .config import SLUG_RULE
from .errors import BadRequestError, GatewayError
from .files import PART, remove, whole
from .receiving import copy

IMAGE_MAX_BYTES = 32 * 1024**3
LEFTOVER_SECONDS = 86400
LISTED_MAX = 200
# A SIF file begins with a line that starts it as a program, 32 bytes long, and then says what it is.
MAGIC_AT = 32
MAGIC = b"SIF_MAGIC\x00"
_WORD = re.compile(r"\Aimage (?P<name>" + SLUG_RULE + r") (?P<sha256>[0-9a-f]{64}) (?P<size>[1-9][0-9]{0,11})\Z")
_VERSION = re.compile(r"\A(?P<sha256>[0-9a-f]{64})\.sif\Z")


class ImageError(GatewayError):
    """An image was not taken; what was there before is still there."""

    code = "image"


def parse_word(command):
    """Read ``image NAME SHA256 SIZE``; None for anything else.

    Returns:
        Name, hash of the whole file in hexadecimal digits, size in bytes.
    """
    match = _WORD.match(command)
    return None if match is None else (match.group("name"), match.group("sha256"), int(match.group("size")))


def listed(base_dir):
    """The images that jobs can use: name, hash if it is known without reading the file, size in bytes."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for entry in sorted(os.listdir(base_dir + "/images"))[:LISTED_MAX]:
            path = f"{base_dir}/images/{entry}"
            if entry.endswith(".sif") and os.path.isfile(path):
                version = _VERSION.match(os.path.basename(os.readlink(path))) if os.path.islink(path) else None
                sha256 = "" if version is None else version.group("sha256")
                found.append({"name": entry[: -len(".sif")], "sha256": sha256, "size_bytes": os.path.getsize(path)})
    return found


def version(folder, name):
    """What tells a version of a published image from every other: its file's name where that says it, else size and time as well.

    Raises:
        BadRequestError: there is no such image.
    """
    path = f"{folder}/{name}.sif"
    try:
        info = os.stat(path)
    except OSError:
        raise BadRequestError(f"image: {name} is not published on this cluster") from None
    return "{}:{}:{}".format(os.path.basename(os.path.realpath(path)), info.st_size, int(info.st_mtime))


def receive(base_dir, name, sha256, size, source, say):
    """Take an image from a stream and publish it.

    Args:
        base_dir: the directory of the platform.
        name: short name of the image.
        sha256: hash that the whole file must have.
        size: its size in bytes.
        source: binary stream of the file.
        say: called with a line for whoever waits.

    Raises:
        BadRequestError: the size is beyond every image's.
        ImageError: the file is not what was announced, or cannot be kept; nothing has changed.
    """
    if size > IMAGE_MAX_BYTES:
        raise BadRequestError(f"size: an image has {IMAGE_MAX_BYTES} bytes at most")
    folder = f"{base_dir}/images/{name}"
    path = f"{folder}/{sha256}.sif"
    try:
        make_own_directories(base_dir, folder)
        remove_leftovers(folder)
        if os.path.lexists(path) and not os.path.islink(path) and os.path.getsize(path) == size:
            say(f"{name}: this version is here already")
        else:
            began = time.time()
            say(f"{name}: receiving {size / 1e6:.0f} MB")
            with whole(path) as sink:
                take(source, sink, sha256, size)
            say(f"{name}: received and checked in {time.time() - began:.0f} s")
        point(f"{base_dir}/images/{name}.sif", f"{name}/{sha256}.sif")
    except OSError as error:
        raise ImageError(
            f"{name} cannot be kept in {folder}: {error.strerror}. See whether the account's quota is used up."
        ) from error


def make_own_directories(base_dir, folder):
    """Make the directory of an image's versions where it is missing; a link on the way is refused."""
    for path in (base_dir + "/images", folder):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        if os.path.islink(path) or not os.path.isdir(path):
            raise ImageError(f"{path} is a link or no directory. Remove it, then send the image again.")


def remove_leftovers(folder):
    """Remove what transfers left that were cut off long ago."""
    for entry in os.listdir(folder):
        path = f"{folder}/{entry}"
        with contextlib.suppress(OSError):
            if entry.endswith(PART) and time.time() - os.lstat(path).st_mtime > LEFTOVER_SECONDS:
                remove(path)


def take(source, sink, sha256, size):
    """Take a file that is an image of this size and hash; ImageError says what is wrong with another."""
    digest = copy(source, sink, size, ImageError)
    if source.read(1):
        raise ImageError("the file goes on after the size announced")
    if digest != sha256:
        raise ImageError("the file does not have the hash announced: it was damaged on its way")
    sink.seek(MAGIC_AT)
    if sink.read(len(MAGIC)) != MAGIC:
        raise ImageError("the file is not an image in Apptainer's format SIF")


def point(link, target):
    """Let a link lead to a target, in one step."""
    if os.path.islink(link) and os.readlink(link) == target:
        return
    new = f"{link}.{os.getpid()}{PART}"
    os.symlink(target, new)
    try:
        os.rename(new, link)
    except OSError:
        remove(new)
        raise
