#!/bin/sh
# Reads 100 pages of 250 potential roles, at 50 ms a request, with the vendor's Python and TypeScript SDKs and with this
# client, from the same server, and prints what each took.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/interop/python" "$target/interop/typescript"
target=$(cd "$target" && pwd)

# As tests/interop/*.sh install them.
python=$target/interop/python
asked=$root/tests/interop/python/requirements.txt
if ! cmp -s "$asked" "$python/installed.txt"; then
    python3 -m venv --clear "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r "$asked"
    cp "$asked" "$python/installed.txt"
fi
node=$target/interop/typescript
asked=$root/tests/interop/typescript
if ! cmp -s "$asked/package-lock.json" "$node/package-lock.json" || [ ! -d "$node/node_modules" ]; then
    cp "$asked/package.json" "$asked/package-lock.json" "$node/"
    (cd "$node" && npm ci --silent --no-audit --no-fund)
fi
bench=$(cd "$root" && cargo bench --quiet --bench paging --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*paging-[^"]*\)".*/\1/p' | tail -n 1)

scratch=$(mktemp -d)
"$bench" serve >"$scratch/env" &
server=$!
trap 'kill "$server" 2>/dev/null || :; rm -rf "$scratch"' EXIT
tries=0
until grep -q SAIL_CLIENT_SECRET "$scratch/env"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "error: the server did not start" >&2; exit 1; }
    sleep 0.1
done
. "$scratch/env"
# No settings but these.
export HOME="$scratch"
cd "$scratch"

# name, command ..: the wall time, the processor time and the peak memory, as the system counted them.
measure() {
    name=$1
    shift
    python3 - "$name" "$@" <<'PY'
import resource, subprocess, sys, time
start = time.monotonic()
run = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
last = run.stdout.strip().splitlines()[-1] if run.stdout.strip() else ""
if run.returncode != 0 or last != "25000":
    sys.exit(f"error: {sys.argv[1]} read {last or 'nothing'}")
cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(f"| {sys.argv[1]} | {wall:.2f} s | {cpu:.2f} s | {memory:.0f} MiB |")
PY
}
echo "| 25,000 potential roles, 50 ms a request | wall | CPU | peak memory |"
echo "| --- | --- | --- | --- |"
measure "this client, \`.prefetch(8)\`" "$bench" list 8
measure "this client, one page after another" "$bench" list 1
measure "TypeScript SDK" env NODE_PATH="$node/node_modules" node "$here/sdks/list.js"
measure "Python SDK" "$python/bin/python" "$here/sdks/list.py"
