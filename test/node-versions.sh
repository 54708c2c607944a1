#!/bin/bash
# Installs and tests a copy of this project with the newest Node 22 and 24 (or the versions named), with no compiler in PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
[ $# -gt 0 ] || set -- 22 24
for major in "$@"; do
  work=$(mktemp -d)
  git ls-files -z | xargs -0 cp --parents -t "$work"
  mkdir "$work/tools"
  # Node of that version from the registry; only it and the shell's own tools are in PATH, so that nothing can be compiled.
  npm install --silent --no-audit --no-fund --prefix "$work/tools" "node@$major"
  mkdir "$work/bin"
  for tool in mkfifo touch tr cut wc date stat readlink realpath mktemp tee true false diff ps kill sh bash env ls cat grep sed awk chmod mkdir rm cp mv ln dirname basename uname id sleep find git xargs head tail sort npm npx systemd-analyze; do
    found=$(command -v "$tool" || true)
    [ -n "$found" ] && ln -s "$found" "$work/bin/$tool"
  done
  path="$work/tools/node_modules/node/bin:$work/bin"
  ( cd "$work" && PATH=$path && hash -r && echo "== Node $(node --version), $(command -v cc gcc g++ make python3 || echo 'no compiler')" &&
    npm ci --no-audit --no-fund && npm run --silent build && node test/run.mjs )
  cd "$root"
  rm -rf "$work"
done
