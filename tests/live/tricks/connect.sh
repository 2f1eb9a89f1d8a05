#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connects to HOST PORT with the shell alone, and says what became of it, and when.
result=connected banner=-
start=${EPOCHREALTIME/./}
exec 3<>"/dev/tcp/$1/$2" || result=failed # bash says the reason on stderr
took=$((${EPOCHREALTIME/./} - start))
[ $result = failed ] || read -r -N 3 -t 5 banner <&3
printf 'pid=%d result=%s banner=%s ms=%d.%02d\n' $$ $result "$banner" $((took / 1000)) $((took % 1000 / 10))
