#!/bin/sh
# Runs the vendor's Python SDK against a tenant: all 25 operations.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${CARGO_TARGET_DIR:-$here/../../target}/interop/python
mkdir -p "$place"
place=$(cd "$place" && pwd)
if ! cmp -s "$here/python/requirements.txt" "$place/installed.txt"; then
    python3 -m venv --clear "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
    cp "$here/python/requirements.txt" "$place/installed.txt"
fi
cd "$place"
exec "$here/with-tenant.sh" --step 50 -- "$place/bin/python" "$here/python/check.py"
