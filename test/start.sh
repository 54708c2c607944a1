#!/bin/bash
# Does what the README's first command promises: npm start, then the three commands that it suggests.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
# A copy of the demo on ports and paths of its own, so that a gateway that is running already does not matter.
port=$((20000 + RANDOM % 20000))
sed -e "s/port: 1883/port: $port/" -e "s#\./data#$work/data#" config/demo.yaml > "$work/demo.yaml"

npm run --silent build
node dist/main.js gateway --config "$work/demo.yaml" --banner > "$work/output" 2>&1 &
gateway=$!
trap 'kill $gateway 2> /dev/null; wait $gateway 2> /dev/null; rm -rf "$work"' EXIT
for _ in {1..100}; do grep -q 'Try in another terminal' "$work/output" && break; sleep 0.1; done
cat "$work/output"

expect() { # WHAT, wanted text, command
  local what=$1 wanted=$2 answer
  shift 2
  answer=$("$@" 2>&1) || true
  case $answer in
    *"$wanted"*) echo "ok: $what" ;;
    *) printf 'FAILED: %s\nwanted: %s\ngot: %s\n' "$what" "$wanted" "$answer"; exit 1 ;;
  esac
}
cardea() { npx cardea "$@" --config "$work/demo.yaml"; }
expect 'an unknown card is denied' 'unknown-card' cardea tap front-in 04A2B3C4D5E680
expect 'a card is bound' 'applied' cardea desk bind 04A2B3C4D5E680 --cardholder E1001
expect 'it opens the door' 'granted' cardea tap front-in 04A2B3C4D5E680
expect 'the events tell' 'access-granted' cardea events
expect 'a second gateway on the same store says so' 'running already' node dist/main.js gateway --config "$work/demo.yaml"
