# SPDX-License-Identifier: GPL-2.0-or-later
"""What no round of cells shows: a flood, the callers that cost most, and both CPUs.

A flood is held against the null agent, which says what the machine itself can bear: at the greatest rate at which it
loses nothing egressd must lose nothing, and another user must hardly notice.
"""

import json
import statistics

from forms import MARKS, Agent, Egressd
from harness import check
from kit import PORT
from report import NULL, Cell

RATES = (0, 80000, 40000, 20000, 10000, 5000)  # connects a second; 0: as fast as it can
SECONDS, SOCKETS = 3, 4096
OTHER, OTHER_PAUSE_US = 'games', 15000  # another uid that may not send mail; below hot_rate


def syns_sent_again(bench):
    """TCPSynRetrans of the box."""
    text = bench.box.inside(lambda: open('/proc/thread-self/net/netstat', encoding='ascii').read())
    heads, values = [line.split()[1:] for line in text.splitlines() if line.startswith('TcpExt:')]
    return int(dict(zip(heads, values))['TCPSynRetrans'])


def dropped(bench):
    """What the queue lost: full (4th from the end of nfqnl's seq_show()), or its socket's buffer."""
    text = bench.box.inside(lambda: open('/proc/thread-self/net/netfilter/nfnetlink_queue', encoding='ascii').read())
    return sum(int(fields[5]) + int(fields[6]) for fields in (line.split() for line in text.splitlines()))


def others_median(bench, address, seconds):
    """Another uid's connects, fewer than hot_rate: each is looked up."""
    return bench.loads.run(['one', address, PORT, 100000, '-p', OTHER_PAUSE_US, '-t', int(seconds * 1000)], OTHER,
                           bench.cgroup.folder('other'))


def flood_once(bench, form, rate):
    """{lost, again, sent_per_s, median, unloaded} of one flood against a form that is set up."""
    quiet = others_median(bench, bench.take_addresses(4, 1), 1)
    again, gone = syns_sent_again(bench), dropped(bench)
    argv = bench.pin() + [bench.tool('flood'), bench.take_addresses(4, 1), PORT, rate, SECONDS, SOCKETS]
    flooder = bench.box.popen(argv, 'www-data', stdout=-1)
    loaded = others_median(bench, bench.take_addresses(4, 1), SECONDS - 0.5)
    out, _ = flooder.communicate(timeout=60)
    check(flooder.returncode == 0, 'flood')
    sent = json.loads(out)
    again = syns_sent_again(bench) - again
    slow = loaded['max_us'] > 900000  # a SYN is sent again after a second (RFC 6298)
    return {'lost': again + dropped(bench) - gone + sent['unanswered'], 'again': int(slow), 'rate': sent['sent'] / SECONDS,
            'median': loaded['median_us'], 'unloaded': quiet['median_us'], 'max': loaded['max_us'], 'flood': sent,
            'strayed': loaded['count'] - loaded[form.expects(OTHER)]}


def flood(bench, rounds):
    report, found = bench.report, []
    null = Agent(bench, 'null agent, denies', MARKS['deny'], refuses=True)
    for one in RATES:
        bench.begin(null)
        try:
            result = flood_once(bench, null, one)
        finally:
            null.take_away()
        if not result['lost']:
            break
    notes = report.extra.setdefault('notes', [])
    rate = int(result['rate'])
    notes.append(f"flood: the null agent loses {result['lost']} at {rate:,} connects/s"
                 f"{'' if one else ', which is all that the flooder can'}; another uid's median then"
                 f" {result['median']:.1f} us, unloaded {result['unloaded']:.1f}, longest {result['max'] / 1000:.1f} ms")
    form = Egressd(bench, 'enforce', 'egressd, flooded', hot_rate=100)
    for _ in range(rounds):
        bench.begin(form)
        try:
            found.append(flood_once(bench, form, rate))
            totals = form.egress.await_sum(30)
            if not totals.adds_up():
                report.sums.append(f'flood: {totals}')
        finally:
            form.take_away()
        notes.append(f"flood: egressd, {found[-1]['rate']:,.0f} connects/s: another uid's median"
                     f" {found[-1]['median']:.1f} us, unloaded {found[-1]['unloaded']:.1f}, longest"
                     f" {found[-1]['max'] / 1000:.1f} ms; {found[-1]['flood']}; detail lost {totals['lost']}")
        report.strayed += found[-1]['strayed']
    where = f"{rate:,} connects/s asked for, 4,096 sockets; {bench.population}"
    report.extra['flood_lost'] = [(float(max(one['lost'] for one in found)), where)]
    report.extra['flood_median'] = [(statistics.median(one['median'] / one['unloaded'] for one in found), where)]
    report.extra['flood_again'] = [(float(sum(one['again'] for one in found)), where)]


def worst(bench, count):
    """Each in a run of its own: what a caller cost the users after it is not asked here."""
    report = bench.report
    for kind in ('fds', 'sockets', 'uring'):
        form = Egressd(bench, 'enforce', f'egressd, worst caller: {kind}')
        bench.begin(form)
        try:
            address = bench.take_addresses(4, count)
            done = bench.box.run(bench.pin() + [bench.tool('worst'), kind, address, PORT, count, bench.truth_file],
                                 'www-data', timeout=120)
            notes = report.extra.setdefault('notes', [])
            if done.code == 3:
                notes.append(f'worst caller, {kind}: this kernel has none')
                continue
            check(done.code == 0, str(done))
            cell = Cell(str(bench.population), form.title, 'www-data', kind, 4, True)
            bench.truth.expect_each(cell, bench.truth_file, bench.tool('worst'))
            rows = [row for row in bench.compare(form) if row['uid'] == bench.uid('www-data')]
        finally:
            form.take_away()
        tally = report.cells[cell].tally
        filled = json.loads(done.out)['filled']
        most = max(row['lookup_fds'] for row in rows)
        times = statistics.median(row['lookup_us'] for row in rows)
        report.extra.setdefault('worst_fds', []).append((float(most), kind))
        notes.append(f'worst caller, {kind} ({filled:,} open): {most} descriptors read at most, look-up {times:,} us'
                     f' (median); {tally.wrong} wrong, {tally.unknown} unknown of {tally.answered}')


def unpinned(bench, rounds, count):
    """The same two agents on all CPUs: figures apart, since the scheduler's placing is in them."""
    found, bench.pinned = {}, False
    try:
        for _ in range(rounds):
            for form in (Agent(bench, NULL, MARKS['accept']), Egressd(bench, 'monitor', 'egressd, lets pass')):
                bench.begin(form)
                try:
                    for how in ('one', 'each'):
                        words = [how, bench.take_addresses(4, 1), PORT, count if how == 'one' else count // 4]
                        done = bench.loads.run(words, 'www-data', bench.sender_folder())
                        found.setdefault((form.title, how), []).append(done['median_us'])
                finally:
                    form.take_away()
    finally:
        bench.pinned = True
    for (title, how), medians in found.items():
        ratio = statistics.median(a / b for a, b in zip(medians, found[NULL, how]))
        bench.report.extra.setdefault('unpinned', []).append(
            f'{title:29} {how:5} v4 {statistics.median(medians):8.1f} us ({min(medians):.1f}-{max(medians):.1f}),'
            f' to null {ratio:.2f}')
