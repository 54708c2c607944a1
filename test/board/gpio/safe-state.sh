#!/bin/bash
# In the board: a gateway dies with every strike unlocked (kill -9); safe-state, without Node, takes them off power.
# Lines of the contract: 17 secure, active high; 23 secure, active low; 25 safe, active low: safe at 0, 1, 1.
set -u
file=/run/cardea/safe-state
failed=0

expect() { # WHAT WANTED GOT
  if [ "$2" = "$3" ]; then echo "ok: $1: $3"; else echo "FAILED: $1: wanted $2, got $3"; failed=1; fi
}
levels() { echo "$(board-ctl line get 17) $(board-ctl line get 23) $(board-ctl line get 25)"; }
# What a relay board's own resistors do once nobody drives the lines.
wire_relay_board() { board-ctl line pull 17 0; board-ctl line pull 23 1; board-ctl line pull 25 1; }
unwire_relay_board() { for line in 17 23 25; do board-ctl line float $line; done; }

crash() { # BACKEND: leaves the lines as a killed gateway does
  rm -f $file
  node dist-board/gpio-holder.mjs "$1" $file > /tmp/holder.log 2>&1 &
  holder=$!
  for _ in {1..400}; do grep -q unlocked /tmp/holder.log && break; sleep 0.05; done
  expect "$1: strikes unlocked" '1 0 1' "$(levels)"
  kill -9 $holder
  wait $holder 2> /dev/null
  sleep 0.1
  echo "$1 killed, released lines: $BOARD_ON_RELEASE: levels $(levels)"
}

safe_state() { # LABEL [PATH]: as ExecStopPost runs it
  env -i PATH="${2:-$PATH}" RUNTIME_DIRECTORY=/run/cardea /bin/dash systemd/safe-state 2> /tmp/safe-state.log
  status=$?
  sed 's/^/    /' /tmp/safe-state.log
  expect "$1: status" 0 $status
  expect "$1: off power" '0 1 1' "$(levels)"
}

restart() { # BACKEND: what safe-state left behind must not keep the next gateway from starting
  node dist-board/gpio-holder.mjs "$1" $file > /tmp/holder.log 2>&1 &
  holder=$!
  for _ in {1..400}; do grep -q unlocked /tmp/holder.log && break; sleep 0.05; done
  expect "$1: claims the lines again" unlocked "$(cat /tmp/holder.log)"
  kill -9 $holder
  wait $holder 2> /dev/null
}

mkdir -p /run/cardea /run/no-gpiod
for tool in cat; do ln -sf "$(command -v $tool)" /run/no-gpiod/$tool; done

# Nothing but the pin's own pull holds a line that became an input.
unwire_relay_board
crash gpiochip
safe_state 'gpiochip, gpioset'
restart gpiochip

# Without gpiod only sysfs is left, and it knows no pull.
wire_relay_board
crash gpiochip
safe_state 'gpiochip, sysfs' /run/no-gpiod
restart gpiochip

if [ "$BOARD_BASE" = 0 ]; then
  crash rpi-gpio
  expect 'sysfs goes on driving after the crash' '1 0 1' "$(levels)"
  unwire_relay_board
  safe_state 'rpi-gpio, exported lines'
  wire_relay_board
  restart rpi-gpio
  for line in 17 23 25 27 22 24 26; do echo $line > /sys/class/gpio/unexport; done
fi

# Somebody holds a line, and no tool can reach past it: says so.
gpioset -m signal "$BOARD_CHIP" 17=1 & holder=$!
for _ in {1..100}; do [ "$(board-ctl line get 17)" = 1 ] && break; sleep 0.05; done
echo "$BOARD_LABEL 17 0 front" > $file
dash systemd/safe-state $file 2> /tmp/safe-state.log
expect 'a held line: status' 1 $?
sed 's/^/    /' /tmp/safe-state.log
expect 'a held line: message' 1 "$(grep -c "door front: line 17 .* could not be driven to 0; cut the strike's supply" /tmp/safe-state.log)"
kill $holder
exit $failed
