#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an admin may do to egressd: watch only, reload, start it twice, name a user that is not there, unload."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import Egress, expect
from harness import HOLE, MAIL_PORTS, SINK, check, equal, main, stranger, user_ids, wait_for
from services import Postfix, Sink, mail_from_internet, prepare_box


def refused(sandbox, kind, dst, user='www-data', port=25):
    run = offenders.attempt(sandbox, kind, dst, port, user)
    equal((run.result, sandbox.cable.packets(dst)), ('ECONNREFUSED', []), run.words)
    return run


def passes(sandbox, kind, dst, user='www-data', port=25):
    run = offenders.attempt(sandbox, kind, dst, port, user)
    equal((run.result, run.banner), ('connected', '220'), run.words)
    check(sandbox.cable.syns(dst, port), 'no SYN at the far end')
    return run


def monitor(tap, sandbox):
    """mode = "monitor": everything passes, everything is on record."""
    prepare_box(sandbox)
    sink, postfix, cable = Sink(sandbox), Postfix(sandbox), sandbox.cable
    postfix.start()
    egress = Egress(sandbox, mode='monitor')
    if not tap.test('egressd starts in monitor mode', lambda: egress.start() and None):
        return
    cable.forget()

    def watched(kind, family, port):
        run = passes(sandbox, kind, stranger(family, 10 + offenders.KINDS.index(kind)), port=port)
        row = egress.one_verdict(pid=run.pid, dst=run.dst, dport=port)
        expect(row, verdict='would-deny', reason='not-allowed', mode='monitor', exe=run.exe, script=run.script,
               user='www-data', count=1)

    for family in (4, 6):
        for kind in offenders.KINDS:
            port = MAIL_PORTS[offenders.KINDS.index(kind) % 3]
            tap.test(f"monitor lets {kind} pass to port {port} over IPv{family}, on record as would-deny",
                     watched, kind, family, port)

    def delivers(family):
        postfix.submit(f'buyer@v{family}-25.example', times=2)
        check(wait_for(lambda: len(sink.mails(f'buyer@v{family}-25.example')) == 2, 20), postfix.words())

    def inbound(family):
        before = len(postfix.inbox())
        done = mail_from_internet(sandbox, family)
        equal(done.code, 0, str(done))
        check(wait_for(lambda: len(postfix.inbox()) == before + 1, 10), postfix.words())

    for family in (4, 6):
        tap.test(f'Postfix delivers in monitor mode over IPv{family}', delivers, family)
        tap.test(f"a stranger's mail to the box arrives in monitor mode over IPv{family}", inbound, family)

    def retransmits(family):
        before = egress.await_sum()
        loop = offenders.Loop(sandbox, 'www-data', [HOLE[family]], count=1)
        tally, _ = loop.stop()
        equal(tally, {'slow': 1}, 'the connection to a black hole')
        syns = cable.syns(HOLE[family])
        check(len(syns) >= 2, f'{len(syns)} SYNs at the far end')
        row = egress.one_verdict(dst=HOLE[family])
        expect(row, count=1, pid=loop.pid, verdict='would-deny')
        after = egress.await_sum()
        equal((after['retransmits'] - before['retransmits'], after['recorded'] - before['recorded']),
              (len(syns) - 1, 1), f'retransmits and recorded; {after}')
        return f'{len(syns)} SYNs, one attempt'

    for family in (4, 6):
        tap.test(f'a SYN that is sent again is one attempt over IPv{family}', retransmits, family)

    def sums():
        totals = egress.await_sum()
        check(totals.adds_up(), str(totals))
        equal(totals['lost'], 0, str(totals))
        return totals

    tap.test('monitor mode counts exactly', sums)

    def dead_agent(family):
        egress.stop()
        passes(sandbox, 'python', stranger(family, 60))

    def record_grows():
        egress.start()
        run = passes(sandbox, 'perl', stranger(4, 61))
        egress.one_verdict(pid=run.pid)

    tap.test('with egressd stopped, monitor mode still lets pass', dead_agent, 4)
    tap.test('started again it goes on recording', record_grows)


def reload(tap, sandbox):
    """SIGHUP: a good file takes effect, a bad one changes nothing and says so."""
    prepare_box(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox)
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return
    turn = iter(range(10, 200))

    def hup():
        mark = len(egress.log())
        egress.process.send_signal(signal.SIGHUP)
        return mark

    def bad_file():
        pids = egress.pids()
        good = open(egress.file, encoding='utf-8').read()
        with open(egress.file, 'w', encoding='utf-8') as file:
            file.write('mode = "monitor"\nports = {25, 70000}\n')
        mark = hup()
        check(egress.said('old configuration stays', mark), egress.log()[mark:])
        check(re.search(re.escape(egress.file) + r':2: ports: ', egress.log()[mark:]), egress.log()[mark:])
        for family in (4, 6):
            refused(sandbox, 'perl', stranger(family, next(turn)))
        equal(egress.pids(), pids, 'its processes')
        with open(egress.file, 'w', encoding='utf-8') as file:
            file.write(good)

    def no_file():
        os.rename(egress.file, egress.file + '.away')
        mark = hup()
        check(egress.said('old configuration stays', mark), egress.log()[mark:])
        refused(sandbox, 'perl', stranger(4, next(turn)))
        os.rename(egress.file + '.away', egress.file)

    def fixed_key():
        egress.configure(queue_num=2626, mode='monitor')
        mark = hup()
        check(egress.said('queue_num', mark) and egress.said('old configuration stays', mark), egress.log()[mark:])
        refused(sandbox, 'perl', stranger(6, next(turn)))
        egress.configure(queue_num=2525, mode='enforce')

    def becomes(result, dst):
        check(wait_for(lambda: offenders.attempt(sandbox, 'python', dst, 25).result == result, 5), f'never {result}')

    def to_monitor():
        pids = egress.pids()
        egress.configure(mode='monitor')
        mark = hup()
        check(egress.said('mode monitor', mark), egress.log()[mark:])
        for family in (4, 6):
            dst = stranger(family, next(turn))
            becomes('connected', dst)
            run = passes(sandbox, 'perl', stranger(family, next(turn)))
            equal(egress.one_verdict(pid=run.pid)['verdict'], 'would-deny', 'its record')
        equal(egress.pids(), pids, 'its processes')

    def to_enforce():
        egress.configure(mode='enforce')
        mark = hup()
        check(egress.said('mode enforce', mark), egress.log()[mark:])
        dst = stranger(4, next(turn))
        becomes('ECONNREFUSED', dst)
        for family in (4, 6):
            run = refused(sandbox, 'perl', stranger(family, next(turn)))
            equal(egress.one_verdict(pid=run.pid)['verdict'], 'deny', 'its record')

    def counts_survive():
        totals = egress.await_sum()
        check(totals.adds_up() and totals['lost'] == 0, str(totals))
        return totals

    tap.test('SIGHUP with a bad file names file, line and key, and changes nothing', bad_file)
    tap.test('SIGHUP without a file changes nothing and says so', no_file)
    tap.test('SIGHUP with a key that needs a restart changes nothing and names the key', fixed_key)
    tap.test('SIGHUP switches to monitor without a new process', to_monitor)
    tap.test('SIGHUP switches back to enforce', to_enforce)
    tap.test('the counts stay exact over reloads', counts_survive)

    # --- a second one ---

    def second():
        other = Egress(sandbox, 'second')
        other.spawn()
        code = other.process.wait(15)
        check(code != 0, 'the second ended well')
        port = sandbox.box.run(['/bin/cat', '/proc/net/netfilter/nfnetlink_queue']).out.split()
        wanted = f'queue {port[0]} is held by netlink port {port[1]}'
        check(wanted in other.log(), f'expected "{wanted}" in: {other.log()}')
        equal(len(other.pids()), 4, 'processes of the first')
        for family in (4, 6):
            run = refused(sandbox, 'perl', stranger(family, next(turn)))
            egress.one_verdict(pid=run.pid)

    def same_folder():
        other = Egress(sandbox, 'third', queue_num=2700, state_dir=egress.keys['state_dir'])
        other.spawn()
        check(other.process.wait(15) != 0, 'the second ended well')
        check(egress.keys['state_dir'] in other.log(), other.log())

    tap.test('a second egressd on the same queue ends and says who holds it; the first goes on', second)
    tap.test('a second egressd on the same state folder ends and names the folder', same_folder)

    # --- unload ---

    def unloads():
        egress.stop()
        done = egress.ctl('rules', 'unload')
        equal(done.code, 0, str(done))
        rules = sandbox.box.run(['/usr/sbin/nft', 'list', 'ruleset'])
        equal((rules.code, rules.out), (0, ''), 'rules that stayed')
        for family in (4, 6):
            passes(sandbox, 'perl', stranger(family, next(turn)))

    def unloads_twice():
        equal(egress.ctl('rules', 'unload').code, 0, 'the second unload')

    def foreign_table():
        text = ('table inet admin { chain output { type filter hook output priority 0; policy accept; '
                'tcp dport 9999 counter; }; }')
        equal(sandbox.box.run(['/usr/sbin/nft', '-f', '-'], input=text).code, 0, 'nft')
        before = sandbox.box.run(['/usr/sbin/nft', 'list', 'ruleset']).out
        for word in ('load', 'unload'):
            done = egress.ctl('rules', word)
            equal(done.code, 0, str(done))
        equal(sandbox.box.run(['/usr/sbin/nft', 'list', 'ruleset']).out, before, "the admin's table")

    def no_tracking():
        equal(egress.ctl('rules', 'load').code, 0, 'load')
        passes(sandbox, 'perl', stranger(4, next(turn)), 'postfix')
        count = sandbox.box.run(['/bin/cat', '/proc/sys/net/netfilter/nf_conntrack_count'])
        check(count.code != 0 or count.out.strip() == '0', f'tracked connections: {count.out}')
        egress.ctl('rules', 'unload')

    tap.test('unload leaves no rule, and the far end is reached again', unloads)
    tap.test('unload of what is not there is no error', unloads_twice)
    tap.test("load and unload leave the admin's own table as it was", foreign_table)
    tap.test('the rules make the kernel track no connection', no_tracking)


def nobody(tap, sandbox):
    """mail_users names a user that is not there: one line says so, and nobody gets out."""
    prepare_box(sandbox)
    Sink(sandbox)
    postfix = Postfix(sandbox)
    postfix.start()
    egress = Egress(sandbox, mail_users=['no-such-mailer'])

    def starts():
        egress.start()
        lines = [line for line in egress.log().splitlines() if 'no-such-mailer' in line]
        equal(len(lines), 1, f'lines that name the user: {lines}')
        return lines[0]

    def out(user, family):
        run = refused(sandbox, 'python', stranger(family, 20), user)
        row = egress.one_verdict(pid=run.pid, dst=run.dst)
        expect(row, verdict='deny', uid=user_ids(user)[0])

    def inbound(family):
        before = len(postfix.inbox())
        done = mail_from_internet(sandbox, family)
        equal(done.code, 0, str(done))
        check(wait_for(lambda: len(postfix.inbox()) == before + 1, 10), postfix.words())

    def waits():
        postfix.submit('buyer@v4-25.example')
        check(wait_for(lambda: 'Connection refused' in postfix.words(), 15), postfix.words())
        equal(sandbox.cable.packets(SINK[4]), [], 'packets at the far end')

    if not tap.test('a mail user that does not exist is named in one line', starts):
        return
    for family in (4, 6):
        for user in ('postfix', 'www-data', 'root'):
            tap.test(f'then {user} does not get out either, over IPv{family}', out, user, family)
        tap.test(f"then a stranger's mail to the box still arrives over IPv{family}", inbound, family)
    tap.test("then Postfix's own mail waits in its queue", waits)


if __name__ == '__main__':
    main(monitor, reload, nobody)
