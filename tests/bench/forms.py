# SPDX-License-Identifier: GPL-2.0-or-later
"""What is compared: nothing, the kernel's own rule, agents that look at nothing or at everything, and egressd.

Each is set up in the box, on the one CPU, and taken away again without a trace; between the two it says which
processes its CPU time is made of.
"""

import os
import shutil
import signal
import subprocess

from egress import Egress
from harness import check, user_ids, wait_for
from kit import CPU, PINNED, descendants, status_kib

MARKS = {'accept': '0x00a00000', 'deny': '0x00d00000'}
QUEUE = 2525
OWNER_RULE = '''table inet owner {
    chain out {
        type filter hook output priority 0; policy accept;
        meta skuid != { %s } tcp dport { 25, 465, 587 } reject with tcp reset
    }
}
'''


class Form:
    """No firewall."""

    title, refuses, settles = 'no firewall', False, False
    fresh = False  # each connect to an address of its own: its answers are told apart by it

    def __init__(self, bench):
        self.bench, self.box = bench, bench.box

    def set_up(self):
        pass

    def take_away(self):
        pass

    def pids(self):
        return []

    def expects(self, user):
        """What must come of this user's connect: 'connected' or 'refused'."""
        return 'refused' if self.refuses and user != 'postfix' else 'connected'


class OwnerRule(Form):
    def __init__(self, bench, refuses):
        super().__init__(bench)
        self.refuses = refuses
        self.title = f"kernel's owner rule, {'refuses' if refuses else 'allows'}"

    def set_up(self):
        users = ('postfix',) if self.refuses else ('postfix', 'www-data')
        done = self.box.run(['/usr/sbin/nft', '-f', '-'],
                            input=OWNER_RULE % ', '.join(str(user_ids(user)[0]) for user in users))
        check(done.code == 0, str(done))

    def take_away(self):
        check(self.box.run(['/usr/sbin/nft', 'delete', 'table', 'inet', 'owner']).code == 0, 'no table owner')


class Agent(Form):
    """One of the bench's own, behind egressd's own rules: what differs is who answers the queue."""

    program = 'null_agent'

    def __init__(self, bench, title, *words, refuses=False, program=None, fresh=False):
        super().__init__(bench)
        self.title, self.words, self.refuses, self.fresh = title, words, refuses, fresh
        self.program = program or self.program
        self.process = None

    def rules(self, *verbs):
        for verb in verbs:
            # What is let pass goes on only where later packets are not judged again: monitor's rules.
            words = ['-u', user_ids('postfix')[0], '-q', QUEUE, *([] if self.refuses else ['-m']), verb]
            done = self.box.run([self.bench.live_tool('ruleset-tool'), *words])
            check(done.code == 0, str(done))

    def set_up(self):
        self.process = self.box.popen(PINNED + [self.bench.tool(self.program), QUEUE, *self.words],
                                      stdout=subprocess.PIPE)
        check(self.process.stdout.readline() == b'ready\n', self.title)
        self.rules('load', 'fill')

    def take_away(self):
        self.rules('unload')
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()

    def pids(self):
        return [self.process.pid]


class Egressd(Form):
    """The whole of it. Each start has a store of its own, which is compared with the truth before it ends."""

    settles = True  # what it does after the verdict is its cost, too

    def __init__(self, bench, mode, title):
        super().__init__(bench)
        self.mode, self.title, self.refuses = mode, title, mode == 'enforce'
        # The channel's and the fold's keys as they are shipped. Rows are not capped: the comparison needs them.
        self.egress = Egress(bench.sandbox, f'egressd-{mode}', mode=mode, rows_per_offender=1000000,
                             lookup_ms=100, script_ms=20)
        self.tree = []

    def set_up(self):
        shutil.rmtree(f'{self.egress.folder}/state', ignore_errors=True)
        with open(self.egress.log_file, 'ab') as log:
            log.truncate(0)
        self.egress.start(60)
        self.tree = descendants(self.egress.process.pid)
        for pid in self.tree:
            for tid in os.listdir(f'/proc/{pid}/task'):
                os.sched_setaffinity(int(tid), {CPU})

    def take_away(self):
        check(self.egress.stop(60) == 0, f'egressd: {self.egress.log()}')
        check(self.egress.ctl('rules', 'unload').code == 0, 'rules unload')

    def pids(self):
        return self.tree

    def judge(self):
        for pid in self.tree:
            with open(f'/proc/{pid}/comm', encoding='ascii', errors='replace') as file:
                if file.read().startswith('egressd-judge'):
                    return pid
        raise AssertionError('no judge')

    def memory_kib(self):
        return status_kib(self.judge(), 'VmRSS'), status_kib(self.judge(), 'VmHWM')
