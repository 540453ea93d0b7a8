#!/bin/sh
# Builds the library and runs all its tests against a real hub and Chromium. SYNCLINE_BINARY is the hub
# (build/release/syncline of this repository), CHROMIUM the browser (/usr/bin/chromium).
set -eu
cd "$(dirname "$0")"
for folder in . test/packaging; do
  [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && continue
  (cd "$folder" && npm ci --ignore-scripts && touch node_modules/.package-lock.json)
done
node build.mjs
node docs.mjs --check
node --test --test-concurrency=1 test/size_test.mjs test/replicator_test.mjs test/doc_text_test.mjs \
  test/vectors_test.mjs test/local_space_test.mjs test/http_test.mjs test/database_test.mjs test/convergence_test.mjs \
  test/kaisho_test.mjs test/kernle_test.mjs test/commands_test.mjs test/readme_test.mjs test/package_test.mjs \
  test/browser_store_test.mjs test/browser_test.mjs test/cors_test.mjs test/checks_test.mjs test/todo_test.mjs
# Node 18 has no SQLite. Where npm has no binary of Node 22, the machine's own Node must have it.
node22=test/packaging/node_modules/node22/bin/node
[ -x "$node22" ] || node22=node
exec "$node22" --no-warnings --test test/sqlite_test.mjs
