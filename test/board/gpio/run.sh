#!/bin/sh
# Runs the GPIO jobs in the virtual board: every backend, kernel numbering and behaviour of released lines. Argument: the board's
# command (see its README). Fails when any job fails.
set -eu
board=${1:?usage: test/board/gpio/run.sh PATH-TO-BOARD-COMMAND}
cd "$(dirname "$0")/../../.."
for source in door-io holder service; do
  npx esbuild "test/board/gpio/$source.board.ts" --bundle --platform=node --format=esm --target=node20 --log-level=warning \
    --external:koffi --external:rpi-gpio --outfile="dist-board/gpio-$source.mjs"
done
# The thread for the inputs of rpi-gpio, beside them.
npx esbuild src/drivers/gpio/input-worker.ts --bundle --platform=node --format=esm --target=node20 --log-level=warning \
  --outfile=dist-board/input-worker.js
failed=0
run() { # LABEL, then board options and job
  label=$1
  shift
  echo "== $label"
  test/board/guest.sh "$board" "$@" || { echo "FAILED: $label"; failed=1; }
}
for release in persist input; do
  run "gpiochip, released lines: $release" --on-release "$release" test/board/gpio/door-io.sh gpiochip
  run "safe-state, base 512, released lines: $release" --on-release "$release" test/board/gpio/safe-state.sh
  run "safe-state, base 0, released lines: $release" --kernel-base 0 --on-release "$release" test/board/gpio/safe-state.sh
  run "rpi-gpio, released lines: $release" --kernel-base 0 --on-release "$release" test/board/gpio/door-io.sh rpi-gpio
done
run 'gpiochip on a Pi 5' --label pinctrl-rp1 --lines 54 --revision d04170 --model 'Raspberry Pi 5 Model B Rev 1.0' \
  test/board/gpio/door-io.sh gpiochip
run 'cardea.service under a real systemd' --timeout 600 test/board/gpio/service.sh
run 'rpi-gpio where numbering does not start at 0' test/board/gpio/base-512.sh
exit $failed
