#!/bin/sh
# Runs the vendor's TypeScript SDK against a tenant: listing, patching, exporting.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${CARGO_TARGET_DIR:-$here/../../target}/interop/typescript
mkdir -p "$place"
cp "$here/typescript/check.ts" "$place/"
if ! cmp -s "$here/typescript/package-lock.json" "$place/package-lock.json" || [ ! -d "$place/node_modules" ]; then
    cp "$here/typescript/package.json" "$here/typescript/package-lock.json" "$place/"
    (cd "$place" && npm ci --silent --no-audit --no-fund)
fi
cd "$place"
npx tsc --strict --skipLibCheck --esModuleInterop --target es2022 --module commonjs check.ts
exec "$here/with-tenant.sh" --step 50 -- node check.js
