# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
# Build the hub's environment. Arguments: its directory, and the directory of the locks. Run with sh -eu.
# It holds what its lock says and nothing else: what installs it goes into a directory of its own and away again.
umask 022
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
/usr/bin/python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" install --quiet --no-deps --require-hashes \
  --only-binary :all: --no-compile --target "$tools" --requirement "$2/build.txt"
: "${UV_DEFAULT_INDEX:=$(sed -n 's/^ *index-url *= *//p' /etc/pip.conf 2>/dev/null | tail -n 1)}"
[ -z "$UV_DEFAULT_INDEX" ] || export UV_DEFAULT_INDEX
rm -rf "$1"
/usr/bin/python3 -m venv --without-pip "$1"
PYTHONPATH=$tools "$tools/bin/uv" pip install --quiet --no-config --no-cache --python "$1/bin/python" --no-deps \
  --require-hashes --no-build-isolation --compile-bytecode --link-mode copy --requirement "$2/hub.txt"
touch "$1/.complete"
