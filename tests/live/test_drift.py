#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules under a running egressd: taken away or changed by another program, they come back; by its admin, they don't.

And who can't have the queue must not touch the rules of who has it.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import Egress
from harness import check, equal, main, stranger, wait_for
from services import Sink, prepare_box


def drift(tap, sandbox):
    prepare_box(sandbox)
    Sink(sandbox)
    box, cable = sandbox.box, sandbox.cable
    egress = Egress(sandbox)
    turn = iter(range(10, 250))
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return

    def nft(*words):
        done = box.run(['/usr/sbin/nft', *words])
        check(done.code == 0, str(done))
        return done.out

    def refused(family=4):
        run = offenders.attempt(sandbox, 'python', stranger(family, next(turn)), 25)
        return (run.result, cable.packets(run.dst)) == ('ECONNREFUSED', [])

    def whole():
        return egress.ctl('rules', 'check').code == 0

    def queues():
        return egress.status()['rules']['agent_rule'] in ('native', 'compat')

    def back(*words):
        start = time.monotonic()
        nft(*words)
        check(wait_for(whole, 8, 0.05), egress.log()[-600:])
        seconds = time.monotonic() - start
        check(wait_for(queues, 5, 0.1), 'no agent rule')
        run = offenders.attempt(sandbox, 'perl', stranger(6, next(turn)), 25)
        equal((run.result, cable.packets(run.dst)), ('ECONNREFUSED', []), run.words)
        egress.one_verdict(pid=run.pid)
        return f'back after {seconds:.1f} s'

    tap.test('rules that `nft flush ruleset` took away come back, and egressd names again', back, 'flush', 'ruleset')
    tap.test('a table that was deleted comes back', back, 'delete', 'table', 'inet', 'egressd')
    tap.test('a chain that was emptied is filled again', back, 'flush', 'chain', 'inet', 'egressd', 'opening')
    tap.test('a rule that somebody slipped in is taken out again', back, 'insert', 'rule', 'inet', 'egressd',
             'out_guard_before_nat', 'accept')

    def others_rules():
        said = len(egress.log())
        nft('add', 'table', 'inet', 'somebody')
        time.sleep(3.5)
        equal(egress.log()[said:], '', 'what egressd says of the rules of others')
        check('table inet somebody' in nft('list', 'ruleset'), 'the table of others is gone')
        nft('delete', 'table', 'inet', 'somebody')

    tap.test('rules of others are none of its business', others_rules)

    def second(**keys):
        before = nft('-s', 'list', 'table', 'inet', 'egressd')
        other = Egress(sandbox, f'other{len(keys)}', mode='monitor', **keys)
        code = other.spawn().wait(15)
        check(code != 0, 'it runs')
        check('held by' in other.log() or 'another program holds it' in other.log(), other.log())
        equal(nft('-s', 'list', 'table', 'inet', 'egressd'), before, 'the rules of the first')
        check(refused(4) and refused(6), 'an offender got out')

    tap.test('a second egressd with the same queue in monitor mode ends, and the first one guards on', second)

    def own_queue():
        second(queue_num=2526, mail_users=['postfix'])

    tap.test('so does one with a queue of its own, but the same NFLOG groups', own_queue)

    def unloaded():
        done = egress.ctl('rules', 'unload')
        equal(done.code, 0, str(done))
        time.sleep(3.5)
        equal(nft('list', 'ruleset'), '', 'rules that came back')
        check(egress.said('egressctl rules unload'), egress.log()[-600:])
        equal(egress.ctl('rules', 'load').code, 0, 'rules load')
        check(wait_for(lambda: whole() and refused(), 8, 0.2), egress.log()[-600:])
        check(wait_for(queues, 5, 0.2), 'no agent rule')

    tap.test('what its admin unloads stays away until it is loaded again', unloaded)
    tap.test('egressd ends cleanly', lambda: equal(egress.stop(), 0, 'exit code'))


if __name__ == '__main__':
    main(drift)
