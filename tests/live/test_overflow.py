#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the queue cannot take goes to the guard (NFQA_CFG_F_FAIL_OPEN): refused at once, never let out. And who runs.

Proven for both ways of overflow: more packets than queue_len, and a receive buffer that is full.
"""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import JUDGE_UID, RECORDER_UID, Egress
from harness import SINK, check, equal, main, stranger
from services import Sink, install, prepare_box

CAPABILITIES = {'NET_ADMIN': 12, 'SYS_PTRACE': 19, 'DAC_READ_SEARCH': 2}


def volley(sandbox, dst, count, seconds):
    script = install(sandbox, 'volley.py', 'tmp', 'volley.py')
    done = sandbox.box.run(['/usr/bin/python3', script, dst, '25', str(count), str(seconds)], 'www-data', timeout=60)
    check(done.code == 0, str(done))
    return {word: int(n) for word, n in re.findall(r'(\w+)=(\d+)', done.out)}


def full_queue(tap, sandbox):
    """queue_len = 2 and a judge that is stopped."""
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, queue_len=2)
    if not tap.test('egressd starts with a queue of two packets', lambda: egress.start() and None):
        return
    sandbox.cable.forget()

    def overflow(family):
        dst = stranger(family, 60)
        judge = egress.pids()['judge']
        os.kill(judge, signal.SIGSTOP)
        try:
            tally = volley(sandbox, dst, 8, 1.0)
        finally:
            os.kill(judge, signal.SIGCONT)
        equal(tally, {'ECONNREFUSED': 6, 'held': 2}, 'eight connects')
        equal(sandbox.cable.packets(dst), [], 'packets at the far end')
        egress.await_sum()  # the two are judged: the queue is empty for the next

    for family in (4, 6):
        tap.test(f'of eight connects to a stopped judge two are held, six refused at once, over IPv{family}', overflow, family)
    tap.test('egressd ends cleanly', lambda: equal(egress.stop(), 0, 'exit code'))


def full_buffer(tap, sandbox):
    """The smallest receive buffer, a long queue, and a judge that is stopped."""
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, rcvbuf_bytes=65536, queue_len=100000)
    if not tap.test('egressd starts with the smallest receive buffer', lambda: egress.start() and None):
        return
    sandbox.cable.forget()

    def overflow(family):
        dst = stranger(family, 61)
        judge = egress.pids()['judge']
        os.kill(judge, signal.SIGSTOP)
        good = offenders.Loop(sandbox, 'postfix', list(SINK.values()), pause_ms=10)
        try:
            tally = volley(sandbox, dst, 900, 0.5)
        finally:
            os.kill(judge, signal.SIGCONT)
        mail, slowest = good.stop()
        equal(set(tally), {'ECONNREFUSED', 'held'}, 'nine hundred connects')
        check(tally['ECONNREFUSED'] > 100, str(tally))
        equal(sandbox.cable.packets(dst), [], 'packets at the far end')
        equal(set(mail), {'connected'}, 'what the mail server saw')
        return f'{tally}; the mail server: {mail}, slowest {slowest} ms'

    for family in (4, 6):
        tap.test(f'what finds the receive buffer full is refused at once by the guard, over IPv{family}', overflow, family)

    def goes_on():
        run = offenders.attempt(sandbox, 'perl', stranger(4, 62), 25)
        equal(run.result, 'ECONNREFUSED', run.words)
        egress.one_verdict(pid=run.pid)
        totals = egress.await_sum()
        check(totals.adds_up(), str(totals))
        return totals

    tap.test('afterwards the next attempt is named, and the counts add up', goes_on)


def privileges(tap, sandbox):
    """What each process may do, read from /proc/PID/status."""
    prepare_box(sandbox)
    egress = Egress(sandbox)
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return

    def status(role):
        with open(f'/proc/{egress.pids()[role]}/status', encoding='ascii', errors='replace') as file:
            return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)

    def judge():
        words = status('judge')
        three = sum(1 << bit for bit in CAPABILITIES.values())
        equal(words['Uid'].split(), [str(JUDGE_UID)] * 4, 'uids')
        for kind in ('CapPrm', 'CapEff', 'CapBnd'):
            equal(int(words[kind], 16), three, kind)
        equal((int(words['CapInh'], 16), int(words['CapAmb'], 16)), (0, 0), 'inheritable, ambient')
        equal((words['NoNewPrivs'], words['Groups'].split()), ('1', []), 'no new privileges, groups')

    def recorder():
        words = status('recorder')
        equal(words['Uid'].split(), [str(RECORDER_UID)] * 4, 'uids')
        for kind in ('CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb'):
            equal(int(words[kind], 16), 0, kind)
        equal((words['NoNewPrivs'], words['Groups'].split()), ('1', []), 'no new privileges, groups')

    def witness():
        words = status('witness')
        two = sum(1 << CAPABILITIES[word] for word in ('SYS_PTRACE', 'DAC_READ_SEARCH'))
        equal(words['Uid'].split(), [str(JUDGE_UID)] * 4, 'uids')
        for kind in ('CapPrm', 'CapEff', 'CapBnd'):
            equal(int(words[kind], 16), two, kind)
        equal((int(words['CapInh'], 16), int(words['CapAmb'], 16)), (0, 0), 'inheritable, ambient')
        equal((words['NoNewPrivs'], words['Groups'].split()), ('1', []), 'no new privileges, groups')

    tap.test('the judge has three capabilities and no way to more', judge)
    tap.test('the witness has two of them and no way to more', witness)
    tap.test('the recorder has none', recorder)

    def recorder_back():
        egress.await_sum()  # the store is there
        before = egress.pids()['recorder']
        os.kill(before, signal.SIGKILL)
        run = offenders.attempt(sandbox, 'perl', stranger(4, 63), 25)
        equal(run.result, 'ECONNREFUSED', run.words)
        egress.one_verdict(pid=run.pid)
        check(egress.pids()['recorder'] != before, 'the same recorder')
        time.sleep(0.1)

    tap.test('a recorder that was killed is started again, and keeps what was judged meanwhile', recorder_back)


if __name__ == '__main__':
    main(full_queue, full_buffer, privileges)
