#!/bin/sh
# Runs this client against Prism, which makes a server of the vendor's own document and holds every
# request against it: all 25 operations, in each edition. Prism follows the document's references itself.
# Usage: prism.sh [folder with the vendor's documents]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
vendor=${1:-$root/../shared/vendor/idn}
if [ ! -d "$vendor" ]; then
    echo "prism: LEFT OUT, as the vendor's documents are not at $vendor"
    exit 0
fi
vendor=$(cd "$vendor" && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/interop/prism"
target=$(cd "$target" && pwd)
place=$target/interop/prism
if ! cmp -s "$here/prism/package-lock.json" "$place/package-lock.json" || [ ! -d "$place/node_modules" ]; then
    cp "$here/prism/package.json" "$here/prism/package-lock.json" "$place/"
    (cd "$place" && npm ci --silent --no-audit --no-fund --ignore-scripts)
fi
(cd "$root" && cargo build --quiet --example prism)
cd "$place"
rm -rf documents
cp -R "$vendor" documents
chmod -R u+w documents
# In v2024, an operation declares a path parameter `sessionId` that its path does not hold, so that no
# request at all would do; it becomes a second declaration of the parameter that the path does hold.
wrong=v2024/paths/role-mining-potential-role.yaml
sed 's/name: sessionId/name: potentialRoleId/' "$vendor/$wrong" >"documents/$wrong"

prism=
trap '[ -z "$prism" ] || kill "$prism" 2>/dev/null || :' EXIT
for edition in beta v2024; do
    # Prism leaves the path of the document's `servers` aside; here it stands before each path instead.
    sed "s|^  /role-mining-|  /$edition/role-mining-|" "$vendor/sailpoint-api.$edition.yaml" >"documents/$edition.yaml"
    : >"$edition.log"
    node node_modules/@stoplight/prism-cli/dist/index.js mock --errors --host 127.0.0.1 --port 0 \
        "documents/$edition.yaml" >>"$edition.log" 2>&1 &
    prism=$!
    tries=0
    until address=$(sed -n 's/.*Prism is listening on \(http.*\)$/\1/p' "$edition.log") && [ -n "$address" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ] || ! kill -0 "$prism" 2>/dev/null; then
            echo "error: Prism did not start:" >&2
            tail -n 5 "$edition.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    echo "== $edition"
    "$target/debug/examples/prism" "$address/$edition"
    kill "$prism"
    wait "$prism" 2>/dev/null || :
    prism=
done
echo "Prism takes all requests of this client, in both editions."
