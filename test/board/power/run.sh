#!/bin/bash
# Cuts the power of a store that is being written to: run.sh BOARD [CUTS]. Two machines at a time; the second keeps its disk, so
# that one store goes through all of its cuts. Last comes a writer that does not sync its batches: the check must fail there, or it
# proves nothing.
set -euo pipefail
cd "$(dirname "$0")/../../.."
board=$1
cuts=${2:-20}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Two machines with two processors each would wait for each other where there are only two.
export BOARD_SMP=${BOARD_SMP:-1}
cut() { "$board" power-cut --run-seconds 0.5..4 "$@" test/board/power/writer.sh test/board/power/checker.sh; }

# cuts LOG COUNT OPTIONS...: a round whose machine did not boot (see guest.sh) was no cut, and is made up for.
cuts() {
  local log=$1 left=$2 unbooted kept
  shift 2
  : > "$log"
  for attempt in 1 2 3; do
    cut --cuts "$left" "$@" > "$log.part" 2>&1 && { cat "$log.part" >> "$log"; return 0; }
    cat "$log.part" >> "$log"
    unbooted=0
    for kept in $(sed -n 's/^power-cut: .*logs kept: //p' "$log.part"); do
      grep -q "IO-APIC + timer doesn't work" "$kept/console.log" || return 1
      unbooted=$((unbooted + 1))
      rm -r "$kept"
    done
    [ $unbooted -gt 0 ] || return 1
    echo "$unbooted of these machines did not boot: as many cuts again" >> "$log"
    left=$unbooted
  done
  return 1
}

failed=0
began=$SECONDS
cuts "$logs/fresh" $((cuts - cuts / 2)) & fresh=$!
cuts "$logs/kept" $((cuts / 2)) --keep-disk & kept=$!
wait $fresh || failed=1
wait $kept || failed=1
sed 's/^/a disk each: /' "$logs/fresh"
sed 's/^/one disk: /' "$logs/kept"
echo "$cuts power cuts took $((SECONDS - began)) s"

for attempt in 1 2 3; do # until a machine boots
  cut --cuts 1 --env BOARD_SYNC=0 > "$logs/control" 2>&1 && break
  grep -q 'acknowledged steps are lost' "$logs/control" && break
done
if ! grep -q 'acknowledged steps are lost' "$logs/control"; then
  cat "$logs/control"
  echo 'FAILED: what was written without a sync outlived a power cut: these cuts prove nothing'
  failed=1
else
  echo "without a sync: $(grep 'acknowledged steps are lost' "$logs/control")"
  sed -n 's/.*logs kept: //p' "$logs/control" | xargs -r rm -r
fi
exit $failed
