#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""One user's flood costs the others nothing: what is above hot_rate the rules refuse by uid alone, and count.

The flooder and the other user's connects are the bench's load generators (build/tests/bench): compiled, since a script
is no flood.
"""

import json
import os
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import TREE, Egress, brief, expect
from harness import SINK, check, equal, main, stranger, user_ids, wait_for
from services import Sink, prepare_box

BENCH = os.path.abspath(os.environ.get('BENCH_TOOLS', os.path.join(TREE, 'build/tests/bench')))
RATE, BURST = 100, 300  # as shipped
WEB, OTHER = user_ids('www-data')[0], user_ids('games')[0]
SOCKETS = 512


def tool(sandbox, name):
    """One of the bench's programs, where every user can execute it."""
    path = os.path.join(sandbox.make_folder('tools'), name)
    if not os.path.exists(path):
        shutil.copyfile(f'{BENCH}/{name}', path)
        os.chmod(path, 0o755)
    return path


def flood(sandbox, dst, rate, seconds):
    """The flooder of www-data under way."""
    return sandbox.box.popen([tool(sandbox, 'flood'), dst, 25, rate, seconds, SOCKETS], 'www-data', stdout=-1)


def tally_of(flooder):
    out, _ = flooder.communicate(timeout=60)
    equal(flooder.returncode, 0, 'exit code of the flooder')
    return json.loads(out)


def others(sandbox, dst, count, pause_ms):
    done = sandbox.box.run([tool(sandbox, 'connect'), 'one', dst, 25, count, '-p', pause_ms * 1000], 'games')
    equal(done.code, 0, str(done))
    return json.loads(done.out.splitlines()[-1])


def kernel_refused(sandbox):
    """{(uid, port): packets} of the rule set's own set."""
    done = sandbox.box.run(['/usr/sbin/nft', '-n', 'list', 'set', 'inet', 'egressd', 'refused'])
    equal(done.code, 0, str(done))
    return {(int(uid), int(port)): int(packets)
            for uid, port, packets in re.findall(r'(\d+) \. (\d+) counter packets (\d+)', done.out)}


def enforce(tap, sandbox):
    prepare_box(sandbox)
    Sink(sandbox)
    egress, cable = Egress(sandbox, hot_rate=RATE, hot_burst=BURST), sandbox.cable
    if not tap.test('egressd starts with its limit for each user', lambda: egress.start() and None):
        return
    check(egress.ctl('rules', 'check').code == 0, 'the rules are not whole')
    cable.forget()

    def one_flood(family):
        bad, good, quiet = (stranger(family, n) for n in (90, 91, 92))
        before, refused = egress.await_sum(), kernel_refused(sandbox)
        unloaded = others(sandbox, quiet, 20, 20)
        start = time.monotonic()
        flooder = flood(sandbox, bad, 0, 3)
        time.sleep(0.3)
        loaded = others(sandbox, good, 20, 100)
        tally = tally_of(flooder)
        seconds = time.monotonic() - start
        sent = tally['sent']
        check(sent > 10000, f'this is no flood: {tally}')
        equal({word: tally[word] for word in ('refused', 'connected', 'unanswered')},
              {'refused': sent, 'connected': 0, 'unanswered': 0}, 'what the flooder saw')
        equal(cable.packets({bad, good, quiet}), [], 'packets at the far end')
        equal((loaded['count'], loaded['refused']), (20, 20), 'what the other user saw')
        check(loaded['max_us'] < 900000, f'a SYN was sent again: {loaded}')
        check(loaded['median_us'] < 20000, f'{loaded}, unloaded {unloaded}')

        after = egress.await_sum(30)
        check(after.adds_up(), str(after))
        grown = {word: after[word] - before[word] for word in ('kernel_held', 'kernel_hot', 'kernel_refused_by_guard',
                                                                'recorded', 'lost', 'retransmits', 'lost_unexplained')}
        equal(grown['kernel_held'], sent + 40, f'held; {grown}')
        equal(grown['recorded'] + grown['lost'], sent + 40, f'recorded and lost; {grown}')
        equal((grown['retransmits'], grown['lost_unexplained']), (0, 0), f'retransmits, lost without a cause; {grown}')
        # By the kernel: counted to the packet, whoever it was that refused.
        now = kernel_refused(sandbox)
        equal({key: n - refused.get(key, 0) for key, n in now.items() if n != refused.get(key)},
              {(WEB, 25): sent, (OTHER, 25): 40}, 'refused by uid and port')
        looked_up = sent - grown['kernel_hot']
        check(BURST <= looked_up <= BURST + RATE * (seconds + 1), f'{looked_up} were looked up in {seconds:.1f} s')

        rows = egress.verdicts(dst=bad)
        named = sum(row['count'] for row in rows if row['exe'] == tool(sandbox, 'flood') and row['pid'] == flooder.pid)
        # On a machine that is this busy a user's share of look-up time may end before its limit does.
        check(named >= RATE, f'{named} named of {looked_up} looked up; ' + '; '.join(map(brief, rows[:8])))
        by_uid = [row for row in rows if row['via'] == 'guard']
        for row in by_uid:
            expect(row, verdict='deny', uid=WEB, pid=None, owner_why='refused-first')
        check(by_uid, 'no record of what was refused by uid alone')
        rows = egress.verdicts(dst=good)
        equal(sum(row['count'] for row in rows), 20, "the other user's records")
        for row in rows:
            expect(row, via='queue', uid=OTHER, exe=tool(sandbox, 'connect'))
        return (f"{sent:,} refused in 3 s, {looked_up} looked up, {named} named, {grown['lost']} without a record; the"
                f" other user's median {loaded['median_us']:.0f} us, longest {loaded['max_us'] / 1000:.1f} ms, unloaded"
                f" {unloaded['median_us']:.0f} us")

    for family in (4, 6):
        tap.test(f"while one user floods over IPv{family} nobody gets out, another user's attempts are refused at once and"
                 ' named, and all is counted', one_flood, family)

    def said():
        status = egress.status()
        check(status['outcomes']['hot'] == status['counters']['kernel_hot'] > 0, json.dumps(status['outcomes']))
        equal(status['rules']['lacks'], None, 'what the kernel lacks')
        page = egress.ctl('status')
        check('too many of one user' in page.out, page.out)

    tap.test('status says how many were refused so', said)

    def mail():
        done = sandbox.box.run([tool(sandbox, 'connect'), 'one', SINK[4], 25, 2 * BURST], 'postfix')
        tally = json.loads(done.out.splitlines()[-1])
        equal(tally['connected'], 2 * BURST, str(done))

    tap.test('the mail server has no limit', mail)

    tap.test('egressd ends cleanly', lambda: equal(egress.stop(), 0, 'exit code'))


def overrun(tap, sandbox):
    """The smallest receive buffer, and a judge that is stopped meanwhile."""
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, hot_rate=RATE, hot_burst=BURST, rcvbuf_bytes=65536)
    if not tap.test('egressd starts with the smallest receive buffer', lambda: egress.start() and None):
        return

    def lost():
        judge = egress.pids()['judge']
        os.kill(judge, signal.SIGSTOP)
        try:
            first = tally_of(flood(sandbox, stranger(4, 93), 5000, 1))
        finally:
            os.kill(judge, signal.SIGCONT)
        time.sleep(0.5)
        second = tally_of(flood(sandbox, stranger(4, 94), 2000, 1))  # the next copy shows the gap
        totals = egress.await_sum(30)
        check(totals.adds_up(), str(totals))
        equal(totals['kernel_held'], first['sent'] + second['sent'] + totals['retransmits'], f'held; {totals}')
        check(totals['lost'] > 1000, f'{totals}; {first}')
        equal(totals['lost_unexplained'], 0, f"lost without a cause; {totals}; {totals.status['losses']}")
        equal(totals['lost'], totals.status['losses']['lost_copies'], str(totals))
        return totals

    tap.test('copies that a stopped judge could not take are counted as lost, each of them', lost)
    tap.test('egressd ends cleanly', lambda: equal(egress.stop(), 0, 'exit code'))


def monitor(tap, sandbox):
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, mode='monitor', hot_rate=RATE, hot_burst=BURST)
    if not tap.test('egressd starts in monitor mode', lambda: egress.start() and None):
        return
    sandbox.cable.forget()

    def passes():
        dst = stranger(4, 95)
        tally = tally_of(flood(sandbox, dst, 600, 2))
        equal((tally['refused'], tally['unanswered'], tally['connected']), (0, 0, tally['sent']), str(tally))
        after = egress.await_sum(30)
        check(after.adds_up() and after['lost'] == 0, str(after))
        check(after['kernel_hot'] > 100, f"{after['kernel_hot']} were above the limit")
        equal(after['kernel_held'], len(sandbox.cable.syns(dst)), 'held, and SYNs at the far end')
        rows = egress.verdicts(dst=dst)
        equal({row['verdict'] for row in rows}, {'would-deny'}, 'verdicts')
        equal(sum(row['count'] for row in rows), tally['sent'], 'records')
        return f"{tally['sent']} connects, {after['kernel_hot']} above the limit"

    tap.test('in monitor mode what is above the limit passes like the rest, and is recorded', passes)


def settings(tap, sandbox):
    """Reloads; and a kernel (here: an nft) that knows no limit."""
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, hot_rate=1, hot_burst=2)
    if not tap.test('egressd starts with a low limit', lambda: egress.start() and None):
        return

    def hot_of_eight(dst):
        before = egress.await_sum()['kernel_hot']
        loop = offenders.Loop(sandbox, 'www-data', [dst], pause_ms=0, count=8)
        equal(loop.stop()[0], {'ECONNREFUSED': 8}, 'eight attempts')
        after = egress.await_sum()
        check(after.adds_up() and after['lost'] == 0, str(after))
        return after['kernel_hot'] - before, sum(row['count'] for row in egress.verdicts(dst=dst, pid=loop.pid))

    def reload(**keys):
        egress.configure(**keys)
        mark = len(egress.log())
        egress.process.send_signal(signal.SIGHUP)
        check(egress.said('rules: loaded', mark), egress.log()[mark:])
        check(wait_for(lambda: egress.status()['rules']['agent_rule'] in ('native', 'compat'), 5, 0.1), 'no agent rule')
        equal(egress.ctl('rules', 'check').code, 0, 'rules check')

    def low():
        equal(hot_of_eight(stranger(4, 80)), (6, 2), 'above the limit, named')

    def none():
        reload(hot_rate=0)
        equal(hot_of_eight(stranger(4, 81)), (0, 8), 'above the limit, named')

    def higher():
        reload(hot_rate=1, hot_burst=5)
        equal(hot_of_eight(stranger(4, 82)), (3, 5), 'above the limit, named')

    tap.test('of eight attempts at once those above the limit are not looked up', low)
    tap.test('after a reload with hot_rate = 0 each is looked up', none)
    tap.test('after a reload with another limit that one holds', higher)

    def without():
        equal(egress.stop(), 0, 'exit code')
        program = sandbox.path('nft')
        with open(program, 'w', encoding='ascii') as file:
            os.chmod(program, 0o755)
            file.write('#!/bin/sh\n[ "$1" = -f ] || exec /usr/sbin/nft "$@"\nrules=$(cat)\n'
                       'case "$rules" in *"limit rate over"*) echo "no limit here" >&2; exit 1;; esac\n'
                       'echo "$rules" | /usr/sbin/nft -f -\n')
        mark = len(egress.log())
        egress.configure(nft_program=program)
        egress.start()
        lines = [line for line in egress.log()[mark:].splitlines() if 'without a limit' in line]
        equal(len(lines), 1, f'lines that say so: {lines}')
        check('no limit here' in lines[0], lines[0])
        check('without a limit' in (egress.status()['rules']['lacks'] or ''), str(egress.status()['rules']))
        check('without a limit for each user' in egress.ctl('status').out, egress.ctl('status').out)
        equal(hot_of_eight(stranger(4, 83)), (0, 8), 'above the limit, named')
        return lines[0]

    tap.test('where the kernel has no such limit egressd says so once, and looks up each', without)
    tap.test('egressd ends cleanly', lambda: equal(egress.stop(), 0, 'exit code'))


if __name__ == '__main__':
    main(enforce, overrun, monitor, settings)
