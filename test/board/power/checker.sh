#!/bin/bash
# The side of the power cut that looks at what is left.
exec node dist-board/power.mjs check "$1"
