#!/bin/sh
# All tests of the web console: its units, and its screens in Chromium against a real hub. SYNCLINE_BINARY is the hub
# (build/release/syncline of this repository), CHROMIUM the browser (/usr/bin/chromium); SYNCLINE_SCREENSHOTS a directory
# for pictures of all screens.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$root/web/build.sh" "$out/one"
"$root/web/build.sh" "$out/two"
cmp "$out/one/console.pack" "$out/two/console.pack"  # check 39: the same sources give the same files
(cd "$root/web" && node_modules/.bin/vitest run)
cd "$root/tests/web"
SYNCLINE_CONSOLE_PACK=$out/one/console.pack node --test --test-concurrency=1 sign_in_test.mjs pages_test.mjs
