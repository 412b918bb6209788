#!/bin/sh
# Starts a tenant, runs a command with its SAIL_* variables set, and stops the tenant again.
# Usage: with-tenant.sh [options of the tenant] -- command [arguments]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
(cd "$root" && cargo build --quiet -p sailpoint-role-mining-tenant)

options=
while [ "$1" != -- ]; do
    options="$options $1"
    shift
done
shift

lines=$(mktemp)
# shellcheck disable=SC2086 # options hold no blanks
"$target/debug/sailpoint-role-mining-tenant" --port 0 $options >"$lines" &
tenant=$!
trap 'kill "$tenant" 2>/dev/null || :; rm -f "$lines"' EXIT
tries=0
until grep -q '^export SAIL_CLIENT_SECRET=' "$lines"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$tenant" 2>/dev/null; then
        echo "error: the tenant did not start" >&2
        exit 1
    fi
    sleep 0.1
done
. "$lines"
"$@"
