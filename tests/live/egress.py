# SPDX-License-Identifier: GPL-2.0-or-later
"""egressd and egressctl in the box: a configuration of its own, started, asked, ended.

What they say is read as an admin's script would: JSON on stdout, exit codes, the log on stderr.
The programs are build/egressd and build/egressctl unless EGRESSD and EGRESSCTL say otherwise.
"""

import contextlib
import datetime
import json
import os
import signal
import socket
import time

from harness import check, equal, wait_for

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGE_UID, RECORDER_UID = 64101, 64102
EXIT_OFFENDERS = 5


def program(variable, name):
    path = os.path.abspath(os.environ.get(variable) or os.path.join(TREE, 'build', name))
    check(os.access(path, os.X_OK), f'{path}: no such program (make all, or {variable}=PATH)')
    return path


def config_value(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (list, tuple)):
        return '{' + ', '.join(config_value(one) for one in value) + '}'
    return f'"{value}"' if isinstance(value, str) else str(value)


class Egress:
    """One configuration and, after start(), its running egressd."""

    def __init__(self, sandbox, name='egressd', **keys):
        self.box, self.name = sandbox.box, name
        self.egressd, self.egressctl = program('EGRESSD', 'egressd'), program('EGRESSCTL', 'egressctl')
        self.folder = sandbox.make_folder(name)
        self.file, self.log_file = f'{self.folder}/egressd.conf', f'{self.folder}/log'
        self.keys = {'mode': 'enforce', 'judge_user': str(JUDGE_UID), 'recorder_user': str(RECORDER_UID),
                     'state_dir': f'{self.folder}/state', 'journal_socket': '',
                     # A noisy machine may be slow to answer; what is tested is who, not how soon.
                     'lookup_ms': 1000, 'script_ms': 300,
                     # One user makes thousands of attempts here, and each is to be named (test_hot.py: not so).
                     'hot_rate': 0, **keys}
        self.process = None
        self.configure()

    def configure(self, **keys):
        self.keys.update(keys)
        with open(self.file, 'w', encoding='utf-8') as file:
            file.writelines(f'{key} = {config_value(value)}\n' for key, value in self.keys.items())

    # --- the daemon ---

    def spawn(self):
        with open(self.log_file, 'ab') as log:
            self.process = self.box.popen([self.egressd, '-c', self.file], stdout=log, stderr=log,
                                          env={'NOTIFY_SOCKET': f'{self.folder}/notify'})
        return self.process

    def start(self, seconds=10.0):
        """Starts it and waits for READY=1, as a service manager does. How long that took."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f'{self.folder}/notify')
        begin = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(f'{self.folder}/notify')
            self.spawn()
            notify.settimeout(0.2)
            while time.monotonic() < begin + seconds:
                try:
                    if b'READY=1' in notify.recv(4096).split(b'\n'):
                        return time.monotonic() - begin
                except TimeoutError:
                    check(self.process.poll() is None, f'egressd ended: {self.log()}')
        raise AssertionError(f'egressd is not ready after {seconds} s: {self.log()}')

    def stop(self, seconds=20.0):
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        return code

    def pids(self):
        """{'keeper': pid, 'judge': pid, 'recorder': pid, 'enter': pid}, as far as they run, by the name each gave itself."""
        found = {}
        for pid in self.box.processes():
            with contextlib.suppress(OSError):
                if os.path.realpath(f'/proc/{pid}/exe') != os.path.realpath(self.egressd):
                    continue
                with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
                    status = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
                if status['State'][0] != 'Z':
                    role = {'egressd-judge': 'judge', 'egressd-rec': 'recorder', 'egressd-witness': 'witness',
                            'egressd-enter': 'enter'}.get(status['Name'], 'keeper')
                    found[role] = pid
        return found

    def all_gone(self, seconds=20.0):
        def question():
            if self.process is not None:
                self.process.poll()
            return not self.pids()
        return wait_for(question, seconds)

    def log(self):
        with contextlib.suppress(OSError), open(self.log_file, encoding='utf-8', errors='replace') as file:
            return file.read()
        return ''

    def said(self, text, since=0, seconds=5.0):
        """The log says it, after its first `since` characters."""
        return wait_for(lambda: text in self.log()[since:], seconds)

    # --- the command line ---

    def ctl(self, *words, timeout=30):
        return self.box.run([self.egressctl, '-c', self.file, *words], timeout=timeout)

    def rows(self, *words, codes=(0,)):
        done = self.ctl('-o', 'jsonl', *words)
        check(done.code in codes, str(done))
        return [json.loads(line) for line in done.out.splitlines()]

    def verdicts(self, *words, **wanted):
        """Verdicts, all of them, whose fields are as wanted."""
        rows = self.rows('list-verdicts', '--limit', '0', *words)
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    def await_verdicts(self, seconds=5.0, **wanted):
        """The same, when the recorder has committed them."""
        return wait_for(lambda: self.verdicts(**wanted), seconds, 0.1)

    def one_verdict(self, **wanted):
        rows = self.await_verdicts(**wanted)
        if len(rows) != 1:
            raise AssertionError(f'{len(rows)} verdicts with {wanted}, expected 1; there are: '
                                 + '; '.join(brief(row) for row in self.verdicts()[-12:]))
        return rows[0]

    def offenders(self):
        return self.rows('list-offenders', codes=(0, EXIT_OFFENDERS))

    def status(self):
        done = self.ctl('-o', 'json', 'status')
        check(done.code == 0, str(done))
        return json.loads(done.out)

    def totals(self):
        return Totals(self.status())

    def await_sum(self, seconds=10.0):
        """Totals when nothing is under way any more: a report of the judge was made after this call began, and
        two readings are alike. The last reading, if that does not come."""
        asked = datetime.datetime.now(datetime.timezone.utc)
        end, before = time.monotonic() + seconds, None
        while self.ctl('-o', 'json', 'status').code == 3 and time.monotonic() < end:
            time.sleep(0.05)  # its recorder has not made the store yet
        while True:
            totals = self.totals()
            rest = totals.reported_after(asked) and before and totals.same(before)
            if rest or time.monotonic() > end:
                return totals
            before = totals
            time.sleep(0.3)


class Totals:
    """The numbers of `egressctl -o json status`: seen, recorded, folded, retransmits, lost, and each counter's."""

    def __init__(self, status):
        self.status = status
        self.numbers = {**status.get('counters', {}), **{word: n for word, n in status.items() if isinstance(n, int)}}

    def __getitem__(self, word):
        check(word in self.numbers, f'status has no number "{word}": {json.dumps(self.status)}')
        return self.numbers[word]

    def reported_after(self, moment):
        judge = self.status['judge']
        return not judge['runs'] or (datetime.datetime.fromisoformat(judge['last_report']) > moment)

    def same(self, other):
        words = ('seen', 'recorded', 'retransmits', 'lost')
        return [self[word] for word in words] == [other[word] for word in words]

    def adds_up(self):
        """At rest: the sum, and nothing recorded that the last report does not know."""
        return (self['seen'] + self['unseen'] == self['recorded'] + self['retransmits'] + self['lost']
                and self['recorded'] == self['recorded_at_report'])

    def __str__(self):
        return (f"seen {self['seen']} + unseen {self['unseen']} = recorded {self['recorded']} + retransmits {self['retransmits']}"
                f" + lost {self['lost']} (recorded at the last report {self['recorded_at_report']},"
                f" rows {self['rows']}, folded {self['folded']})")


def brief(row):
    return (f"#{row['id']} {row['verdict']}/{row['reason']} x{row['count']} uid {row['uid']} pid {row['pid']}"
            f" {row['exe']} {row['script']} -> {row['dst']}:{row['dport']}"
            f" ({row['owner_how']}, {row['owner_why']})")


def expect(row, **wanted):
    """These fields of a row are as wanted."""
    equal({key: row[key] for key in wanted}, wanted, brief(row))
