#!/bin/sh
# Runs schemathesis, with all its checks, on a tenant and the document that is its contract.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${CARGO_TARGET_DIR:-$here/../../target}/interop/schemathesis
mkdir -p "$place"
place=$(cd "$place" && pwd)
if ! cmp -s "$here/schemathesis/requirements.txt" "$place/installed.txt"; then
    python3 -m venv --clear "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check -r "$here/schemathesis/requirements.txt"
    cp "$here/schemathesis/requirements.txt" "$place/installed.txt"
fi
cd "$place"
exec "$here/with-tenant.sh" --identities 200 --step 0 --rate-limit off --experimental beta -- \
    "$here/schemathesis/run.sh" "$place/bin/st" "$here/../../spec/role-mining.yaml"
