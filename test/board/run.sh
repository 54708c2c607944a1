#!/bin/bash
# Runs the suites that need the virtual board: a Linux guest with real spidev, GPIO and sysfs. Fails, and says why, when the
# board cannot be set up or a suite ran no test.
set -euo pipefail
cd "$(dirname "$0")/../.."
board=${CARDEA_BOARD:-../shared/virtual-board/board}
if [ ! -x "$board" ]; then
  echo "test:board: no virtual board at $board; set CARDEA_BOARD to its command" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo 'test:board: the virtual board needs root (it installs packages and boots a machine)' >&2
  exit 1
fi
"$board" setup
command -v mosquitto > /dev/null || { echo 'test:board: mosquitto is missing: apt-get install -y mosquitto' >&2; exit 1; }
npm run --silent build
npx esbuild gateway=test/board/gateway.board.ts doors=test/board/doors.board.ts power=test/board/power/store.board.ts --bundle --external:classic-level --platform=node --format=esm --target=node20 --log-level=warning \
  --outdir=dist-board --out-extension:.js=.mjs \
  --banner:js="import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);"

failed=0
suite() { # LABEL, then board options and job
  local label=$1 log
  shift
  log=$(mktemp)
  echo "== $label"
  test/board/guest.sh "$board" "$@" 2>&1 | tee "$log" || { echo "FAILED: $label"; failed=1; }
  grep -qE '(ℹ|#) tests [1-9]' "$log" || { echo "FAILED: $label ran no test"; failed=1; }
  rm -f "$log"
}
suite 'gateway on gpiochip' --rst-line 25 --timeout 600 --env CARDEA_GPIO=gpiochip node --test-reporter=spec dist-board/gateway.mjs
suite 'gateway on rpi-gpio' --kernel-base 0 --rst-line 25 --timeout 600 --env CARDEA_GPIO=rpi-gpio node --test-reporter=spec dist-board/gateway.mjs
suite 'doors and readers on gpiochip' --readers 2 --timeout 600 --env CARDEA_GPIO=gpiochip node --test-reporter=spec dist-board/doors.mjs
# What differs with the backend: outputs and inputs.
suite 'doors and readers on rpi-gpio' --kernel-base 0 --readers 2 --timeout 600 --env CARDEA_GPIO=rpi-gpio \
  node --test-reporter=spec --test-name-pattern='LEDs|tampering|shunts|pulse' dist-board/doors.mjs
bash test/board/gpio/run.sh "$board" || failed=1
for job in reader-check.ts two-readers.ts; do
  readers=1
  [ "$job" = two-readers.ts ] && readers=2
  echo "== reader driver: $job"
  node test/board/reader/run.mjs "$board" "test/board/reader/$job" --readers "$readers" || { echo "FAILED: $job"; failed=1; }
done
echo '== power cuts'
bash test/board/power/run.sh "$board" "${CARDEA_POWER_CUTS:-20}" || { echo 'FAILED: power cuts'; failed=1; }
exit $failed
