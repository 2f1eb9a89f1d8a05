#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL and SIGSTOP of egressd at random moments, while an offender and the mail server connect without a pause.

The offender never reaches the far end, the mail server always does, and the counters show what happened.
EGT_SEED repeats a run, EGT_ROUNDS lengthens it.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import Egress
from harness import SINK, check, equal, main, stranger, wait_for
from services import Postfix, Sink, mail_from_internet, prepare_box

ROUNDS = int(os.environ.get('EGT_ROUNDS', '25'))
SEED = int(os.environ.get('EGT_SEED', time.time_ns() % 1000000))
VICTIMS = ('judge', 'keeper', 'recorder', 'witness', 'all', 'starting')  # starting: all, before it is ready


def kill(tap, sandbox):
    prepare_box(sandbox)
    sink, postfix, cable = Sink(sandbox), Postfix(sandbox), sandbox.cable
    postfix.start()
    egress = Egress(sandbox)
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return
    cable.forget()
    tap.say(f'seed {SEED}, {ROUNDS} rounds')
    dice = random.Random(SEED)
    targets = {stranger(family, n) for family in (4, 6) for n in (70, 71)}
    bad = offenders.Loop(sandbox, 'www-data', sorted(targets), pause_ms=3)
    good = offenders.Loop(sandbox, 'postfix', list(SINK.values()), pause_ms=20)
    problems, restarts, shown = [], [], {}

    def one_round(victim):
        time.sleep(dice.uniform(0, 0.25))
        if victim == 'starting':
            equal(egress.stop(), 0, 'exit code of SIGTERM')
            egress.spawn()
            time.sleep(dice.uniform(0, 0.15))
        else:
            shown.update({row['id']: row['count'] for row in egress.verdicts()})
        pids = egress.pids()
        chosen = list(pids.values()) if victim in ('all', 'starting') else [pids[victim]] if victim in pids else []
        if victim == 'starting' and egress.process.pid not in chosen and egress.process.poll() is None:
            chosen.append(egress.process.pid)  # it has not even called exec yet
        dice.shuffle(chosen)
        for pid in chosen:
            with contextlib.suppress(ProcessLookupError):  # it ended with the keeper
                os.kill(pid, signal.SIGKILL)
        time.sleep(dice.uniform(0, 0.25))
        if victim in ('recorder', 'witness'):
            check(egress.process.poll() is None, f'egressd ended with its {victim}: {egress.log()[-800:]}')
            return
        if not egress.all_gone(20):
            raise AssertionError(f'after SIGKILL of {victim} there stays {egress.pids()}')
        restarts.append(egress.start())

    for turn in range(ROUNDS):
        victim = VICTIMS[turn % len(VICTIMS)]
        try:
            one_round(victim)
        except Exception as error:  # pylint: disable=broad-except
            problems.append(f'round {turn} ({victim}): {error}')
            if not egress.all_gone(1):
                for pid in egress.pids().values():
                    os.kill(pid, signal.SIGKILL)
                egress.all_gone(5)
            if egress.process.poll() is not None:
                try:
                    egress.start()
                except AssertionError as error:
                    problems.append(str(error))
                    break

    def killed():
        check(not problems, '\n'.join(problems))
        return f'{len(restarts)} restarts, slowest {max(restarts) * 1000:.0f} ms'

    tap.test(f'{ROUNDS} times one of its processes or all are killed, the rest ends, and egressd starts again', killed)
    bad_tally, _ = bad.stop()
    good_tally, slowest = good.stop()

    def kept_out():
        equal(cable.packets(targets), [], 'packets of the offender at the far end')
        check('connected' not in bad_tally and bad_tally.get('ECONNREFUSED', 0) > ROUNDS, str(bad_tally))
        return f'the offender: {bad_tally}'

    def let_out():
        equal(set(good_tally), {'connected'}, 'what the mail server saw')
        check(slowest < 1000, f'slowest {slowest} ms')
        return f'the mail server: {good_tally}, slowest {slowest} ms'

    tap.test('meanwhile the offender never once reaches the far end', kept_out)
    tap.test('meanwhile the mail server always connects, and at once', let_out)

    def sums():
        totals = egress.await_sum(40)
        attempts = sum(bad_tally.values())
        check(totals.adds_up(), str(totals))
        check(totals['kernel_held'] >= attempts, f"held {totals['kernel_held']}, attempts {attempts}")
        # A SYN that was held when the judge died is sent again a second later: at most one a round.
        check(totals['kernel_held'] <= attempts + 2 * ROUNDS, f"held {totals['kernel_held']}, attempts {attempts}")
        equal(totals['kernel_mail'], len(cable.syns(set(SINK.values()))), 'SYNs of the mail server, kernel and far end')
        check(totals['kernel_refused_by_guard'] > 0, 'the guard refused nothing by itself')
        return f"{totals}; the guard alone refused {totals['kernel_refused_by_guard']}"

    def goes_on():
        before = egress.await_sum()
        run = offenders.attempt(sandbox, 'perl', stranger(4, 80), 25)
        equal(run.result, 'ECONNREFUSED', run.words)
        egress.one_verdict(pid=run.pid)
        after = egress.await_sum()
        equal((after['seen'] - before['seen'], after['recorded'] - before['recorded'], after['lost'] - before['lost']),
              (1, 1, 0), f'seen, recorded, lost; {after}')

    tap.test('the counters show what was seen, recorded and lost, and add up', sums)
    tap.test('after all that one attempt is one record, and the counts go on', goes_on)

    def shown_is_kept():
        kept = {row['id']: row['count'] for row in egress.verdicts()}
        gone = [row for row, count in shown.items() if kept.get(row, 0) < count]
        check(shown and not gone, f'rows that were shown before a kill and are gone or smaller after it: {gone}')
        return f'{len(shown)} rows'

    def store_whole():
        done = sandbox.box.run(['/usr/bin/sqlite3', f"{egress.keys['state_dir']}/egressd.db", 'PRAGMA integrity_check'])
        equal(done.out.strip(), 'ok', str(done))

    tap.test('every verdict that was shown before a kill is there after it', shown_is_kept)
    tap.test('the store is whole', store_whole)

    # --- stopped, not dead ---

    def stopped():
        judge, before = egress.pids()['judge'], egress.await_sum()
        cable.forget()
        loop = offenders.Loop(sandbox, 'postfix', list(SINK.values()), pause_ms=10)
        os.kill(judge, signal.SIGSTOP)
        try:
            run = sandbox.box.popen(offenders.argv_of(sandbox, 'python', stranger(4, 81), 25)[0], 'www-data',
                                    stdout=subprocess.PIPE, text=True)
            time.sleep(1.5)
            postfix.submit('stopped@v4-25.example')
            arrived = wait_for(lambda: sink.mails('stopped@v4-25.example'), 10)
        finally:
            os.kill(judge, signal.SIGCONT)
        said, _ = run.communicate(timeout=10)
        tally, slow = loop.stop()
        equal(offenders.outcome('', said), 'ECONNREFUSED', 'what the offender saw when the judge went on')
        check(arrived, postfix.words())
        equal(set(tally), {'connected'}, 'what the mail server saw')
        check(slow < 500, f'slowest {slow} ms')
        equal(cable.packets(stranger(4, 81)), [], 'packets of the offender at the far end')
        egress.one_verdict(dst=stranger(4, 81))
        after = egress.await_sum()
        equal((after['recorded'] - before['recorded'], after['lost'] - before['lost']),
              (len(cable.syns(set(SINK.values()))) + 1, 0), f'recorded and lost; {after}')
        return f'the mail server: {tally}, slowest {slow} ms'

    tap.test('a stopped judge holds up no mail and lets nobody out; when it goes on, all is on record', stopped)

    # --- dead ---

    def dead(family):
        for pid in egress.pids().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        check(egress.all_gone(5), 'it does not die')
        run = offenders.attempt(sandbox, 'php', stranger(family, 90), 25)
        equal((run.result, cable.packets(stranger(family, 90))), ('ECONNREFUSED', []), run.words)
        postfix.submit(f'dead@v{family}-25.example')
        check(wait_for(lambda: sink.mails(f'dead@v{family}-25.example'), 20), postfix.words())
        before = len(postfix.inbox())
        done = mail_from_internet(sandbox, family)
        equal(done.code, 0, str(done))
        check(wait_for(lambda: len(postfix.inbox()) == before + 1, 10), postfix.words())

    for family in (4, 6):
        tap.test(f'with egressd dead PHP is refused, Postfix delivers and mail arrives, over IPv{family}', dead, family)

    def counted_dead():
        egress.start()
        totals = egress.await_sum()
        check(totals.adds_up(), str(totals))
        check(totals['lost'] >= 2, f'what the guard refused alone is not counted: {totals}')
        return totals

    tap.test('started again it counts what the guard refused meanwhile', counted_dead)


if __name__ == '__main__':
    main(kill)
