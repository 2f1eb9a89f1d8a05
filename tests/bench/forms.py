# SPDX-License-Identifier: GPL-2.0-or-later
"""What is compared: nothing, the kernel's own rule, agents that look at nothing or at everything, and egressd.

Each is set up in the box, on the one CPU, and taken away again without a trace; between the two it says which
processes its CPU time is made of.
"""

import os
import shutil
import signal
import subprocess
import time

from egress import Egress
from harness import check, user_ids, wait_for
from kit import descendants, status_kib

MARKS = {'accept': '0x00a00000', 'deny': '0x00d00000'}
QUEUE, OPENSNITCH_QUEUE = 2525, 2600
# As tests/bench/unpack leaves it, or as it is installed.
OPENSNITCH = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../build/bench-packages/usr/bin/opensnitchd'),
              '/usr/bin/opensnitchd']
OWNER_RULE = '''table inet owner {
    chain out {
        type filter hook output priority 0; policy accept;
        meta skuid != { %s } tcp dport { 25, 465, 587 } reject with tcp reset
    }
}
'''


class Form:
    """No firewall."""

    title, refuses = 'no firewall', False
    settles = False  # what it does after the verdict is its cost, too
    fresh = False  # each connect goes to an address of its own, by which its answers are told apart

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

    def answers(self):
        """{address: pid} that it found, after take_away(); None: it does not say."""
        return None


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


class Rules(Form):
    """egressd's rules without egressd: they refuse by uid alone."""

    title, refuses = "egressd's rules alone, refuse", True

    def rules(self, *verbs):
        for verb in verbs:
            # What is let pass goes on only where later packets are not judged again: monitor's rules.
            words = ['-u', user_ids('postfix')[0], '-q', QUEUE, *([] if self.refuses else ['-m']), verb]
            done = self.box.run([self.bench.live_tool('ruleset-tool'), *words])
            check(done.code == 0, str(done))

    def set_up(self):
        self.rules('load')

    def take_away(self):
        self.rules('unload')


class Agent(Rules):
    """One of the bench's own, behind egressd's rules: what differs is who answers the queue."""

    def __init__(self, bench, title, mark, refuses=False, look=None):
        super().__init__(bench)
        self.title, self.refuses, self.mark, self.look, self.fresh = title, refuses, mark, look, look is not None
        self.process = None
        self.file = bench.sandbox.path('answers')

    def set_up(self):
        program = ['walk_agent', QUEUE, self.mark, self.look, self.file] if self.look else ['null_agent', QUEUE, self.mark]
        self.process = self.box.popen(self.bench.pin() + [self.bench.tool(program[0]), *program[1:]],
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

    def answers(self):
        if not self.look:
            return None
        with open(self.file, encoding='ascii') as lines:
            return {address: int(pid) for address, pid in (line.split() for line in lines)}


class OpenSnitch(Form):
    """Debian's daemon with Debian's settings, but for its folder and how it looks for processes, and without its window:
    it looks up each new connection, and its default lets it pass."""

    title = 'OpenSnitch, lets pass'
    CONFIG = '''{"Server": {"Address": "unix://%(folder)s/ui.sock", "LogFile": "%(folder)s/log"}, "DefaultAction": "allow",
"DefaultDuration": "once", "InterceptUnknown": false, "ProcMonitorMethod": "proc", "LogLevel": 2,
"Firewall": "iptables", "Stats": {"MaxEvents": 150, "MaxStats": 25}}'''
    TABLES = [(family, table) for family in ('ip', 'ip6') for table in ('mangle', 'filter')]

    def __init__(self, bench):
        super().__init__(bench)
        self.folder, self.process = bench.opensnitch_folder, None
        self.program = next((path for path in OPENSNITCH if os.access(path, os.X_OK)), None)
        for name, text in (('default-config.json', self.CONFIG % {'folder': self.folder}),
                           ('system-fw.json', '{"SystemRules": []}')):
            with open(f'{self.folder}/{name}', 'w', encoding='ascii') as file:
                file.write(text)

    def set_up(self):
        os.makedirs(f'{self.folder}/rules', exist_ok=True)
        self.process = self.box.popen(self.bench.pin() + [
            self.program, '-rules-path', f'{self.folder}/rules', '-process-monitor-method', 'proc',
            '-queue-num', OPENSNITCH_QUEUE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def ready():
            rules = self.box.run(['/usr/sbin/nft', 'list', 'ruleset']).out
            return all(f'table {family} {table}' in rules for family, table in self.TABLES)

        check(wait_for(ready, 15, 0.1), 'OpenSnitch has no rules')
        time.sleep(0.2)

    def take_away(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        for family, table in self.TABLES:
            self.box.run(['/usr/sbin/nft', 'delete', 'table', family, table])

    def pids(self):
        return [self.process.pid]


class Egressd(Form):
    """The whole of it. Each start has a store of its own, which is compared with the truth before it ends."""

    settles = True

    def __init__(self, bench, mode, title, **keys):
        super().__init__(bench)
        self.mode, self.title, self.refuses, self.tree = mode, title, mode == 'enforce', []
        # As it is shipped, but that rows are not capped: the comparison needs every one.
        self.egress = Egress(bench.sandbox, f'egressd-{len(bench.names)}', mode=mode, rows_per_offender=1000000,
                             lookup_ms=100, script_ms=20, **keys)
        bench.names.append(title)

    def takes_its_configuration(self):
        return self.box.run([self.egress.egressd, '-t', '-c', self.egress.file]).code == 0

    def set_up(self):
        shutil.rmtree(f'{self.egress.folder}/state', ignore_errors=True)
        with open(self.egress.log_file, 'ab') as log:
            log.truncate(0)
        self.egress.start(60)
        self.tree = descendants(self.egress.process.pid)
        for pid in self.tree:
            for tid in os.listdir(f'/proc/{pid}/task'):
                os.sched_setaffinity(int(tid), self.bench.cpus())

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
        """Of the judge: what it has, and the most it ever had."""
        return status_kib(self.judge(), 'VmRSS'), status_kib(self.judge(), 'VmHWM')
