#!/bin/sh
# Builds the console: build.sh OUT makes OUT/dist and OUT/console.pack. Installs the packages only if the lock has changed.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"
exec 9>"${TMPDIR:-/tmp}/syncline-web-$(id -u).lock"
flock 9  # two builds would install into the same folder
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
  cp package-lock.json node_modules/.installed-lock.json
fi
flock -u 9
node_modules/.bin/tsc
node_modules/.bin/vite build --outDir "$out/dist" --emptyOutDir --logLevel warn
node build/pack.mjs "$out/dist" "$out/console.pack"
