#!/bin/sh
# In the board: the DoorIo contract on the backend named by the argument. Fails also when no test ran.
export CARDEA_GPIO_DRIVER="$1"
node --test --test-reporter=spec dist-board/gpio-door-io.mjs > /tmp/door-io.log 2>&1
status=$?
cat /tmp/door-io.log
grep -q 'tests [1-9]' /tmp/door-io.log || { echo 'FAILED: no test ran'; exit 1; }
exit $status
