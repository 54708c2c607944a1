#!/bin/bash
# The side of the power cut that is cut off.
exec node dist-board/power.mjs write
