#!/bin/bash
# In the board: the DoorIo contract on the backend named by the argument. One that hangs is ended (the limit is for all of them
# together: node applies it to the file); none at all is a failure.
set -o pipefail
export CARDEA_GPIO_DRIVER="$1"
node --test --test-timeout=280000 --test-reporter=spec dist-board/gpio-door-io.mjs 2>&1 | tee /tmp/door-io.log
status=$?
grep -q 'tests [1-9]' /tmp/door-io.log || { echo 'FAILED: no test ran'; exit 1; }
exit $status
