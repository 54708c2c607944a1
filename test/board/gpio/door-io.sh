#!/bin/sh
# In the board: the DoorIo contract on the backend named by the argument.
CARDEA_GPIO_DRIVER=$1 exec node --test --test-reporter=spec dist-board/gpio-door-io.mjs
