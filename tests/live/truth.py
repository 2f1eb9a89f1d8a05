# SPDX-License-Identifier: GPL-2.0-or-later
"""Who made a connection, as the test knows it, and what egressd's records say against it. Wrong: 0, ever.

The truth of a connect has its destination for a name: every connect of these tests has one of its own.
A record that names nobody may say so, if it says why; a record that names somebody else is wrong, and
so is one that says more than was the case (`unique` of a socket that two hold, `in-flight` of one that
somebody holds, `no-kernel-socket` of one that is there).
"""

import collections
import dataclasses
import datetime
import os
import time

from egress import brief
from harness import check, wait_for

TICKS = os.sysconf('SC_CLK_TCK')
LISTED_MAX = 8  # OWNER_HOLDERS, bpf-free/owner.h
NAMING = ('unique', 'shared', 'confirmed', 'caller')


@dataclasses.dataclass(frozen=True)
class Process:
    """One process of this boot, and everything that it may rightly be called by. None: not looked at."""
    pid: int
    start: int  # clock ticks since boot: field 22 of /proc/PID/stat
    uid: int = None
    exes: tuple = None
    scripts: tuple = None

    @property
    def name(self):
        return self.pid, self.start

    def also(self, other):
        """The same process, also after it executed another program."""
        check(self.name == other.name, f'{self} is not {other}')
        return dataclasses.replace(self, exes=(self.exes or ()) + (other.exes or ()),
                                   scripts=(self.scripts or ()) + (other.scripts or ()))


def start_of(pid):
    with open(f'/proc/{pid}/stat', 'rb') as file:
        return int(file.read().rsplit(b')', 1)[1].split()[19])


def process(pid, *scripts):
    """A live process, as /proc shows it to the test. Its script is what the test started it with."""
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
        uid = next(int(line.split()[1]) for line in file if line.startswith('Uid:'))
    return Process(pid, start_of(pid), uid, (os.readlink(f'/proc/{pid}/exe'),), scripts or None)


@dataclasses.dataclass
class Truth:
    dst: str
    uid: int  # who made the socket: the kernel's word for it
    callers: list  # who called connect(2), or wrote first where that sends the SYN
    holders: list  # whose descriptor tables showed it, from the SYN to the end of the look-up
    settled: bool = True  # and nobody came or went meanwhile
    unknown: bool = False  # it may stay unknown (with a reason): gone at once, or in nobody's table
    parked: bool = False  # on its way between two processes, in nobody's hands
    poses: bool = False  # its title lies
    lives_until: float = 0  # whoever it names lives at least as long (seconds since the epoch)

    def people(self):
        found = {}
        for one in (*self.callers, *self.holders):
            found[one.name] = one
        return found


def about(ticks):
    """Start ticks as the moment that a record would show; a thousandth of a tick is lost in it."""
    booted = time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / TICKS


def row_start(row):
    return datetime.datetime.fromisoformat(row['start_time']).timestamp() if row['start_time'] else None


def same_process(row, one):
    """The record's process, by pid and start time (rounded where it is shown as a date)."""
    exact = [ref['start_ticks'] for ref in row['holders'] or () if ref['pid'] == row['pid']]
    start = row_start(row)
    return (row['pid'] == one.pid and all(ticks == one.start for ticks in exact)
            and (start is None or abs(start - about(one.start)) < 0.3))


def wrong_process(row, truth):
    """Of the process that a record names: is it one of the true ones, and described as itself?"""
    how, pid = row['owner_how'], row['pid']
    allowed = {'caller': truth.callers, 'exited': [*truth.callers, *truth.holders]}.get(how, truth.holders)
    one = next((one for one in allowed if same_process(row, one)), None)
    if one is None:
        yield f'{how}: pid {pid} ({row["exe"]}, since {row["start_time"]}) is none of {[p.name for p in allowed]}'
        return
    seen = datetime.datetime.fromisoformat(row['ts']).timestamp()
    if how == 'exited' and (truth.settled and one in truth.holders or seen + 1 < truth.lives_until):
        yield f'exited, but pid {pid} lives'
    if one.uid is not None and row['ruid'] not in (None, one.uid):
        yield f'real uid {row["ruid"]}, not {one.uid}'
    for field, known in (('exe', one.exes), ('script', one.scripts)):
        if known is not None and row[field] is not None and row[field] not in known:
            yield f'{field} {row[field]!r} is none of {known}'
    if truth.poses:
        if row.get('poses') is False:
            yield 'its title lies, and the record does not say so'
        if row['request'] or (row['site'] if 'site' in row else None) is not None and 'other' in str(row['site']):
            yield f"a request or a site that its title made up: {row['request']} {row.get('site')}"


def wrong_holders(row, truth):
    """Of the list of holders: nobody in it who holds nothing, and nobody left out where all were seen."""
    listed = [(ref['pid'], ref['start_ticks']) for ref in row['holders'] or ()]
    true = {one.name for one in truth.holders}
    for one in listed:
        if one not in true and row['owner_how'] not in ('caller', 'exited'):
            yield f'holder {one} is none of {sorted(true)}'
    if not truth.settled:
        return
    if row['owner_how'] == 'unique' and len(true) != 1:
        yield f'unique, but {len(true)} hold it'
    if row['owner_how'] == 'shared':
        if row['n_holders'] != len(true):
            yield f"shared by {row['n_holders']}, but {len(true)} hold it"
        if len(true) <= LISTED_MAX and set(listed) != true:
            yield f'shared by {listed}, but held by {sorted(true)}'


def wrong(row, truth):
    """Everything that this record says and that is not so."""
    how = row['owner_how']
    if row['dst'] != truth.dst:
        yield f'another destination than {truth.dst}'
    if row['uid'] != truth.uid:
        yield f"uid {row['uid']}, but the socket was made by {truth.uid}"
    caller = row.get('caller') or None
    if isinstance(caller, dict) and caller.get('pid'):
        name = caller['pid'], caller['start_ticks']
        # Of one that had ended before anybody looked at it only the pid is known.
        if name not in {one.name for one in truth.callers} | {(one.pid, 0) for one in truth.callers}:
            yield f'caller {name} is none of {[one.name for one in truth.callers]}'
    yield from wrong_holders(row, truth)
    if row['pid']:
        if how not in (*NAMING, 'exited'):
            yield f'{how}, and still names pid {row["pid"]}'
        yield from wrong_process(row, truth)
        return
    if how in NAMING:
        yield f'{how}, and names nobody'
    if how == 'unknown' and not row['owner_why']:
        yield 'unknown without a reason'
    alive = bool(truth.holders) and truth.settled and not truth.unknown
    if how == 'in-flight' and alive:
        yield 'in flight, but it is held'
    if how == 'in-flight' and not truth.holders and not truth.parked and truth.settled:
        yield 'in flight, but it never was on its way'
    if how == 'no-kernel-socket' and alive:
        yield 'no socket, but there is one'
    if how == 'foreign-netns':
        yield 'it is in this network namespace'


def word(row):
    """named, exited (with a name), parked, unknown."""
    if row['owner_how'] in NAMING:
        return 'named'
    if row['owner_how'] == 'exited' and row['pid']:
        return 'exited'
    return 'parked' if row['owner_how'] == 'in-flight' else 'unknown'


class Comparison:
    """Records against truths: what is wrong, and how many are named, exited, parked, unknown."""

    def __init__(self, rows, truths):
        self.wrong, self.tally, self.reasons = [], collections.Counter(), collections.Counter()
        self.missing, self.silent = [], []
        by_dst = collections.defaultdict(list)
        for row in rows:
            by_dst[row['dst']].append(row)
        for truth in truths:
            rows_of = by_dst.get(truth.dst, ())
            if not rows_of:
                self.missing.append(truth.dst)
            for row in rows_of:
                self.wrong += [f'{text}: {brief(row)}' for text in wrong(row, truth)]
                self.tally[word(row)] += 1
                if not row['pid']:
                    self.reasons[f"{row['owner_how']}/{row['owner_why']}"] += 1
                    if not truth.unknown and not (truth.parked and word(row) == 'parked'):
                        self.silent.append(row)

    def share(self, *words):
        return sum(self.tally[one] for one in words) / max(1, sum(self.tally.values()))

    def require(self, unknown_share=0.0):
        """No record wrong, none missing, and of those alive at most this share unknown."""
        check(not self.wrong, f'{len(self.wrong)} WRONG: ' + '\n'.join(self.wrong[:10]))
        check(not self.missing, f'{len(self.missing)} without a record: {self.missing[:5]}')
        silent, all_of_them = len(self.silent), sum(self.tally.values())
        check(silent <= unknown_share * all_of_them,
              f'{silent} of {all_of_them} unknown: ' + '; '.join(brief(row) for row in self.silent[:6]))

    def __str__(self):
        total = sum(self.tally.values())
        shares = ', '.join(f'{one} {n} ({100 * n / total:.1f} %)' for one, n in self.tally.most_common())
        reasons = ', '.join(f'{one} {n}' for one, n in self.reasons.most_common())
        return f'{total} records: wrong {len(self.wrong)}; {shares}' + (f'; without a name: {reasons}' if reasons else '')


def await_rows(egress, truths, seconds=10.0):
    """The records of these connects, when each has one (or after that time)."""
    wanted = {truth.dst for truth in truths}

    def question():
        rows = [row for row in egress.verdicts() if row['dst'] in wanted]
        return rows if {row['dst'] for row in rows} == wanted else None

    return wait_for(question, seconds, 0.15) or [row for row in egress.verdicts() if row['dst'] in wanted]


def compare(egress, truths, seconds=10.0):
    return Comparison(await_rows(egress, truths, seconds), truths)


def told(path, uid, exes=None, unknown=False, lives_until=0):
    """The truths of a file that tricks/storm.c wrote: ADDRESS CALLER HOLDER[,HOLDER]."""
    truths = []
    with open(path, encoding='ascii') as file:
        for line in file:
            dst, caller, holders = line.split()
            named = [Process(*map(int, one.split(':')), uid, exes) for one in (caller, *holders.split(','))]
            truths.append(Truth(dst, uid, named[:1], named[1:], settled=False, unknown=unknown, lives_until=lives_until))
    return truths
