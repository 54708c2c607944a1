#!/bin/bash
# guest.sh BOARD OPTIONS... JOB [ARGS...]: `BOARD run`, again when the emulated machine gave up before it reached the job. On a
# busy host the guest's kernel now and then misses the ticks of its own timer while it boots, and panics; nothing has run by then.
set -uo pipefail
board=${1:?usage: guest.sh BOARD OPTIONS... JOB [ARGS...]}
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for attempt in 1 2 3 4 5; do
  # Standard error, where the board says why a guest did not finish, is kept and passed on.
  { "$board" run "$@" 2>&1 >&3 3>&- | tee "$log" >&2; } 3>&1
  status=$?
  { [ "$status" = 125 ] && grep -q "IO-APIC + timer doesn't work" "$log"; } || break
  echo "guest.sh: the machine did not boot (attempt $attempt of 5)" >&2
done
exit "$status"
