#!/bin/bash
# The side of the power cut that looks at what is left. Its log is empty when the machine did not come up to here.
echo 'looking at what is left'
exec node dist-board/power.mjs check "$1"
