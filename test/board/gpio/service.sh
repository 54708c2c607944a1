#!/bin/bash
# In the board: cardea.service as it is shipped, under a real systemd (PID 1 of a namespace), with real GPIO and spidev. A
# stand-in takes the gateway's place. kill -9 and a silent watchdog must end in safe lines and a restart.
set -u
failed=0
expect() { # WHAT WANTED GOT
  if [ "$2" = "$3" ]; then echo "ok: $1: $3"; else echo "FAILED: $1: wanted $2, got $3"; failed=1; fi
}

mkdir -p /opt/cardea/dist /etc/cardea /run/board-job
cp -r systemd /opt/cardea/
# Copied, not linked: the unit sees neither /home nor the /tmp that this checkout may lie below.
mkdir /opt/cardea/node_modules
cp -r node_modules/koffi node_modules/@koromix /opt/cardea/node_modules/
cp dist-board/gpio-service.mjs /opt/cardea/dist/main.js
echo '{ "type": "module" }' > /opt/cardea/package.json
touch /etc/cardea/cardea.yaml
cp systemd/cardea.service /etc/systemd/system/
mkdir -p /etc/systemd/system/cardea.service.d /usr/lib/sysusers.d
# A shorter watchdog for the test's sake; and a slow emulator.
printf '[Service]\nWatchdogSec=8\nTimeoutStartSec=180\nTimeoutStopSec=90\nStandardError=append:/run/board-job/log\n' > /etc/systemd/system/cardea.service.d/test.conf
cp systemd/cardea.sysusers /usr/lib/sysusers.d/cardea.conf
systemd-sysusers cardea.conf || exit 1
chgrp gpio /dev/gpiochip*
chmod 0660 /dev/gpiochip*
chgrp spi /dev/spidev*
chmod 0660 /dev/spidev*
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2> /dev/null

cat > /etc/systemd/system/board.target << 'TARGET'
[Unit]
Wants=cardea.service
TARGET
# The board has no devices to settle, nothing to mount and nobody to log in: only what the service itself needs.
: > /etc/fstab
for unit in /lib/systemd/system/{sysinit,sockets,basic,timers,local-fs}.target.wants/* /etc/systemd/system/*.target.wants/*; do
  case ${unit##*/} in systemd-journald*) continue ;; esac
  ln -sf /dev/null "/etc/systemd/system/${unit##*/}"
done
unshare --pid --fork --mount --mount-proc --uts --ipc \
  env -i container=board PATH="$PATH" /lib/systemd/systemd --system --unit=board.target --log-target=console --show-status=no &
for _ in {1..100}; do [ -S /run/systemd/private ] && break; sleep 0.2; done
init=$(pgrep -f '^/lib/systemd/systemd --system')
ctl() { nsenter --target "$init" --pid --mount systemctl "$@"; }
property() { ctl show -P "$1" cardea.service; }
levels() { echo "$(board-ctl line get 17) $(board-ctl line get 23) $(board-ctl line get 25)"; }
await() { # PROPERTY VALUE
  for _ in {1..120}; do [ "$(property "$1")" = "$2" ] && return; sleep 1; done
  echo "FAILED: $1 is $(property "$1") and never $2"
  failed=1
}

await ActiveState active
expect 'status text' 'unlocked' "$(property StatusText | cut -d' ' -f1)"
property StatusText
expect 'lines while it runs' '1 0 1' "$(levels)"
expect 'its user' cardea "$(ps -o user= -p "$(pgrep -f dist/main.js | head -1)")"
stat -c '%A %U:%G %n' /run/cardea /run/cardea/safe-state /var/lib/cardea /var/lib/cardea/started /etc/cardea

echo '== kill -9'
ctl kill --kill-whom=main --signal=SIGKILL cardea.service
await NRestarts 1
await ActiveState active
sed 's/^/    /' /run/board-job/log
driven() { grep -c '^safe-state: door .* (gpioset)$' /run/board-job/log; }
expect 'lines that safe-state drove' 3 "$(driven)"
expect 'lines after the restart' '1 0 1' "$(levels)"

echo '== watchdog'
ctl kill --kill-whom=main --signal=SIGUSR1 cardea.service
await NRestarts 2
await ActiveState active
expect 'lines that safe-state drove, together' 6 "$(driven)"

echo '== stop'
ctl stop cardea.service
expect 'lines after a stop' '0 1 1' "$(levels)"
expect 'safe-state had nothing left to do' 1 "$(grep -c 'claimed no line' /run/board-job/log)"
expect 'result' success "$(property Result)"
exit $failed
