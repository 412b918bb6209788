#!/bin/sh
# Usage: run.sh <st> <document>; the tenant is the one that SAIL_* name.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
variables=$(python3 "$here/prepare.py")
eval "$variables"
SCHEMATHESIS_HOOKS="$here/hooks.py" exec "$1" --config-file "$here/schemathesis.toml" run "$2" \
    --url "$SAIL_BASE_URL/beta" --header "Authorization: Bearer $TOKEN" \
    --checks all --max-examples 30 --seed 1 --continue-on-failure --suppress-health-check all
