# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for egressd's rules, for the tests that test the tests: it refuses everybody but one
user, with a reset, in both families. Enough to see that a refusal looks like one from here."""

from harness import check, user_ids

RULES = '''
table inet egt_standin {
	chain output {
		type filter hook output priority 10; policy accept
		fib daddr type local accept
		tcp dport { 25, 465, 587 } meta skuid != %d reject with tcp reset
	}
}
'''


def load(box, user='postfix'):
    done = box.run(['/usr/sbin/nft', '-f', '-'], input=RULES % user_ids(user)[0])
    check(done.code == 0, str(done))


def unload(box):
    box.run(['/usr/sbin/nft', 'delete', 'table', 'inet', 'egt_standin'])
