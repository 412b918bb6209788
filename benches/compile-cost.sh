#!/usr/bin/env bash
# What a crate that depends on ours pays to compile: cold, dev profile, dependencies included, for each
# choice of TLS. Prints a Markdown table. Needs bash, cargo and a network (or a filled cargo cache).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
echo 'pub fn client(base_url: &str) -> bool { sailpoint_role_mining::Client::new(base_url).is_ok() }' >"$work/src/lib.rs"
cp "$root/Cargo.lock" "$work/"
TIMEFORMAT='%R %U'
echo '| features | wall, s | user, s | crates |'
echo '| --- | --- | --- | --- |'
for features in '' rustls native-tls; do
  cat >"$work/Cargo.toml" <<EOF
[package]
name = "user"
version = "0.1.0"
edition = "2024"
[workspace]
[dependencies]
sailpoint-role-mining = { path = "$root", default-features = false, features = [${features:+\"$features\"}] }
EOF
  rm -rf "$work/target"
  (cd "$work" && cargo fetch --quiet)
  spent=$( { time (cd "$work" && cargo build --quiet); } 2>&1 )
  crates=$(cd "$work" && cargo tree --prefix none --edges normal,build | sed 's/ (\*)$//' | sort -u | wc -l)
  echo "| ${features:-none (no TLS)} | ${spent% *} | ${spent#* } | $crates |"
done
