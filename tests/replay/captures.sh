#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The captures of pcaps/ are what pcaps/make-captures makes, and the MANIFEST names each of them.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
made=$(mktemp -d) || exit 1
trap 'rm -rf "$made"' EXIT
failed=0 n=0
tell() { # tell CODE SENTENCE
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		failed=1
	fi
}
/usr/bin/python3 "$here/pcaps/make-captures" "$made" || failed=1
for file in "$made"/*; do
	name=${file##*/}
	cmp -s "$file" "$here/pcaps/$name"
	same=$?
	[ "$(cut -f1 "$here/pcaps/MANIFEST" | grep -cxF "$name")" = 1 ] || same=1
	tell "$same" "$name is as make-captures makes it, and the MANIFEST names it once"
done
strangers=$(cd "$here/pcaps" && for file in *.pcap *.pcapng; do [ -e "$made/$file" ] || echo "$file"; done)
[ -z "$strangers" ]
tell $? "no capture comes from elsewhere $strangers"
lost=$(cd "$here/pcaps" && grep -v '^#' MANIFEST | cut -f2-4 | tr '\t' '\n' | grep -vx - | sort -u |
	while read -r file; do [ -f "$file" ] || echo "$file"; done)
[ -z "$lost" ]
tell $? "each file that the MANIFEST names is there $lost"
unused=$(cd "$here/pcaps" && for file in *.owners *.conf *.expected; do
	grep -q "	$file	" MANIFEST || echo "$file"; done)
[ -z "$unused" ]
tell $? "each owners, config and expected file is used $unused"
echo "1..$n"
exit $failed
