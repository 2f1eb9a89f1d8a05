#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Positive controls, without egressd: with no firewall every trick and every mail gets through,
and the far end sees it. A refusal in the other tests then means the firewall, not a broken trick."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
import standin
from harness import BOX4, HOLE, LOCAL, MAIL_PORTS, SINK, check, equal, main, stranger, wait_for
from services import DOMAINS, Postfix, Sink, Web, install, mail_from_internet, prepare_box


def open_world(tap, sandbox):
    box, cable = sandbox.box, sandbox.cable
    prepare_box(sandbox)
    sink, postfix, web = Sink(sandbox), Postfix(sandbox), Web(sandbox)
    postfix.start()
    web.start()

    def gets_out(kind, family, port, user):
        dst = stranger(family, offenders.KINDS.index(kind) + 1)
        before = len(cable.syns(dst, port))
        run = offenders.attempt(sandbox, kind, dst, port, user)
        equal((run.result, run.banner), ('connected', '220'), run.words)
        equal(len(cable.syns(dst, port)) - before, 1, 'SYNs at the far end')

    for family in (4, 6):
        for kind in offenders.KINDS:
            for port in MAIL_PORTS:
                tap.test(f"without a firewall www-data's {kind} reaches port {port} over IPv{family}",
                         gets_out, kind, family, port, 'www-data')
        for user in ('root', 'postfix', 64017):
            tap.test(f'without a firewall uid {user} reaches port 25 over IPv{family}',
                     gets_out, 'python', family, 25, user)

    def page_delivers(family):
        install(sandbox, 'page.php', 'public', 'page.php')
        pid, found = offenders.page_lines(web.get(f'/page.php?mx={stranger(family, 9)}'))
        equal(found[stranger(family, 9)][0], 'connected', 'the page')
        check(pid in box.processes(), 'the worker is no process of the box')
        check(wait_for(lambda: sink.mails('victim@stranger.example')), 'its mail is not at the sink')
        for path in os.listdir(sink.folder):
            os.unlink(os.path.join(sink.folder, path))

    def cgi_delivers(family):
        script = install(sandbox, 'page.php', 'public', 'cgi.php')
        done, _ = offenders.cgi(sandbox, script, f'/cgi.php?mx={stranger(family, 8)}')
        body = done.out.partition('\r\n\r\n')[2]
        pid, found = offenders.page_lines(body)
        equal((pid, found[stranger(family, 8)][0]), (done.pid, 'connected'), 'the CGI program')

    def mails_arrive(domain):
        postfix.submit(f'buyer@{domain}')
        port = DOMAINS[domain].rpartition(':')[2]
        check(wait_for(lambda: sink.mails(f'buyer@{domain}', port), 20), postfix.words())

    def local_mail(family):
        script = install(sandbox, 'spool.php', 'public', 'order.php')
        done = box.run(['/usr/bin/php', script, LOCAL[family], f'local{family}@v4-25.example'], 'www-data')
        check('said=221' in done.out, str(done))
        check(wait_for(lambda: sink.mails(f'local{family}@v4-25.example'), 20), postfix.words())

    def inbound(family):
        before = len(postfix.inbox())
        done = mail_from_internet(sandbox, family)
        equal(done.code, 0, str(done))
        check(wait_for(lambda: len(postfix.inbox()) == before + 1, 10), postfix.words())

    for family in (4, 6):
        tap.test(f'a page under nginx and php-fpm delivers a mail itself over IPv{family}', page_delivers, family)
        tap.test(f'php-cgi with a CGI environment gets out over IPv{family}', cgi_delivers, family)
        tap.test(f'a mail handed to {LOCAL[family]}:25 is delivered', local_mail, family)
        tap.test(f"a stranger's mail to the box arrives over IPv{family}", inbound, family)
    for domain in DOMAINS:
        tap.test(f'Postfix delivers to {DOMAINS[domain]}', mails_arrive, domain)

    def retransmits(family):
        loop = offenders.Loop(sandbox, 'www-data', [HOLE[family]], count=1)
        tally, _ = loop.stop()
        equal(tally, {'slow': 1}, 'the connection to a black hole')
        syns = cable.syns(HOLE[family])
        check(len(syns) >= 2 and len({syn.sport for syn in syns}) == 1, f'SYNs at the far end: {syns}')
        return f'{len(syns)} SYNs of one connection in 3 s'

    for family in (4, 6):
        tap.test(f'a black hole over IPv{family} makes the kernel send its SYN again', retransmits, family)


def stand_in_rules(tap, sandbox):
    box, cable = sandbox.box, sandbox.cable
    prepare_box(sandbox)
    Sink(sandbox)
    standin.load(box)

    def refused(kind, family):
        dst = stranger(family, 5)
        run = offenders.attempt(sandbox, kind, dst, 25)
        equal(run.result, 'ECONNREFUSED', run.words)
        equal(cable.packets(dst), [], 'packets at the far end')
        return f'{run.ms} ms' if run.ms is not None else None

    for family in (4, 6):
        for kind in offenders.KINDS:
            tap.test(f"a rule's reset looks like a refusal to {kind} over IPv{family}", refused, kind, family)

    def loops():
        bad = offenders.Loop(sandbox, 'www-data', [stranger(4, 7), stranger(6, 7)])
        good = offenders.Loop(sandbox, 'postfix', list(SINK.values()))
        time.sleep(0.5)
        (bad_tally, _), (good_tally, slowest) = bad.stop(), good.stop()
        equal(set(bad_tally), {'ECONNREFUSED'}, 'what the offender saw')
        equal(set(good_tally), {'connected'}, 'what the mail server saw')
        equal(cable.packets({stranger(4, 7), stranger(6, 7)}), [], 'packets of the offender at the far end')
        equal(len(cable.syns(set(SINK.values()))), good_tally['connected'], 'SYNs of the mail server at the far end')
        return f'{bad_tally} and {good_tally}, slowest {slowest} ms'

    tap.test('two loops side by side are told apart at the far end', loops)

    def judge_sees():
        standin.unload(box)
        dst = stranger(4, 77)
        equal(offenders.attempt(sandbox, 'perl', dst, 25).result, 'connected', 'perl')
        equal([(syn.src, syn.dst, syn.dport) for syn in cable.syns(dst)], [(BOX4, dst, 25)], 'at the far end')

    tap.test('with the rules gone the far end sees the offender again', judge_sees)


if __name__ == '__main__':
    main(open_world, stand_in_rules)
