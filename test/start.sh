#!/bin/bash
# Does what the README's first command promises: npm start, then the commands that it suggests.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
# A copy of the demo on ports and paths of its own, so that a gateway that is running already does not matter.
port=$((20000 + RANDOM % 20000))
sed -e "s/port: 1883/port: $port/" -e "s#\./data#$work/data#" config/demo.yaml > "$work/demo.yaml"
sed -e "s/127.0.0.1:1883/127.0.0.1:$port/" -e "s/port: 8470/port: $((port + 1))/" -e "s#\./data#$work/data#" \
  config/desk-demo.yaml > "$work/desk.yaml"

npm run --silent build
node dist/main.js gateway --config "$work/demo.yaml" --with-desk "$work/desk.yaml" --banner > "$work/output" 2>&1 &
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
# The session of whoever is at this machine stays as it is.
desk() { XDG_CONFIG_HOME=$work npx cardea desk "$@" --url "http://127.0.0.1:$((port + 1))"; }
echo 'correct horse battery' > "$work/password"
expect 'an unknown card is denied' 'unknown-card' cardea tap front-in 04A2B3C4D5E680
expect 'an account is made' 'admin' \
  desk operator add ada --role admin clerk security --config "$work/desk.yaml" --password-file "$work/password"
expect 'it signs in' 'ada' desk login ada --password-file "$work/password"
expect 'a person is added' 'E1001' desk employee add E1001 --name Grace
expect 'a card is bound, and the gateway says so' 'confirmed' desk card bind E1001 04A2B3C4D5E680 --yes --wait
expect 'it opens the door' 'granted' cardea tap front-in 04A2B3C4D5E680
expect 'it is replaced' 'confirmed' desk replace E1001 --new-card 04A2B3C4D5E681 --reason lost --yes --wait
expect 'the old one opens nothing' 'replaced' cardea tap front-in 04A2B3C4D5E680
expect 'the new one opens the door' 'granted' cardea tap front-in 04A2B3C4D5E681
expect 'the events tell' 'access-granted' cardea events
expect 'a second gateway on the same store says so' 'running already' node dist/main.js gateway --config "$work/demo.yaml"
