#!/bin/sh
# In the board, numbered from 512: rpi-gpio is refused with advice instead of failing on a line number.
output=$(node dist-board/gpio-holder.mjs rpi-gpio /run/safe-state 2>&1) && { echo "FAILED: it started: $output"; exit 1; }
echo "$output" | grep 'is numbered from 512.*use gpio.driver: gpiochip' || { echo "FAILED: $output"; exit 1; }
