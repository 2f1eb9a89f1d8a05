#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench` fails when it must: a wrong owner, a missing attempt, too few compared. Made-up rows; nothing runs."""

import contextlib
import io
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'bench'), os.path.join(HERE, '..', 'live')]

import goals
from harness import Tap, check, equal
from report import NULL, Cell, Report
from truth import Truth

CELL = Cell('100 × 10', goals.PASS, 'www-data', 'one', 4, True)
MANY = CELL._replace(compared=False)


def row(dst, pid, count=1, exe='/x', script=None):
    how = ('confirmed', None) if pid else ('unknown', 'deadline')
    return {'dst': dst, 'pid': pid, 'count': count, 'exe': exe if pid else None, 'script': script,
            'owner_how': how[0], 'owner_why': how[1]}


class Totals:
    def __init__(self, good=True):
        self.good = good

    def adds_up(self):
        return self.good


class Form:
    title, looks = goals.PASS, True


def judged(rows, totals=Totals(), lookups=2, strayed=0, script=None):
    """Whether a bench with these rows is good: two pids compared, and ten connects to one address."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (('each', '198.18.0.1 71 0\n2001:2::2 72 111\n'), ('many', '198.18.0.9 73 0\n' * 10)):
            with open(f'{folder}/{name}', 'w', encoding='ascii') as file:
                file.write(text)
        truth, report = Truth(), Report()
        truth.expect_each(CELL, f'{folder}/each', '/x', script)
        truth.expect_many(MANY, f'{folder}/many', '/x')
    report.add(MANY, 0, {'count': 10, 'connected': 10 - strayed, 'median_us': 1, 'wall_us': 9, 'idle_us': 0}, 1, 'connected')
    report.close(Form, truth, rows, totals, '100 × 10')
    with contextlib.redirect_stdout(io.StringIO()) as said:
        good = report.verdict(lookups)
    return good, report, said.getvalue()


RIGHT = [row('198.18.0.1', 71), row('2001:2::2', 72), row('198.18.0.9', 73, 10)]


def fails(rows, **how):
    good, _, said = judged(rows, **how)
    check(not good and 'FAILED' in said, said)


def tests(tap):
    tap.test('rows that say the truth are good', lambda: check(judged(RIGHT)[0], judged(RIGHT)[2]))
    tap.test('another pid is wrong', lambda: fails([row('198.18.0.1', 72), *RIGHT[1:]]))
    tap.test('another program is wrong', lambda: fails([row('198.18.0.1', 71, exe='/y'), *RIGHT[1:]]))
    tap.test('another script is wrong', lambda: fails([row('198.18.0.1', 71, script='/b'), *RIGHT[1:]], script='/a'))
    tap.test('a pid that never connected is wrong in a folded row, too', lambda: fails([*RIGHT[:2], row('198.18.0.9', 74, 10)]))
    tap.test('an attempt that no row counts is missing', lambda: fails([*RIGHT[:2], row('198.18.0.9', 73, 9)]))
    tap.test('too few compared is not enough', lambda: fails(RIGHT, lookups=3))
    tap.test('sums that do not add up are said', lambda: fails(RIGHT, totals=Totals(False)))
    tap.test('a connect that was to come through and did not is said', lambda: fails(RIGHT, strayed=1))

    def unknown():
        good, report, said = judged([row('198.18.0.1', None), *RIGHT[1:]])
        check(good, said)
        equal((report.total.unknown, report.total.wrong), (1, 0), 'unknown, wrong')

    tap.test('an unknown owner is counted as unknown, not as wrong', unknown)

    def missed():
        report = Report()
        for form, us in ((NULL, 10), (goals.PASS, 20)):
            cell = CELL._replace(form=form, compared=False)
            report.add(cell, 0, {'count': 1, 'connected': 1, 'median_us': us, 'wall_us': 1, 'idle_us': 0}, 1000, 'connected')
        found = goals.against(report, goals.PASS, ['one'], NULL)
        equal([ratio for ratio, _ in found], [2.0], 'ratio')
        check(goals.line('x', 1.3, found).startswith('MISSED'), 'missed')
        check(goals.line('x', 2.0, found).startswith('reached'), 'reached')
        check(goals.line('x', 3, found, least=True).startswith('MISSED'), 'missed')

    tap.test('a goal that is missed is printed as missed', missed)


if __name__ == '__main__':
    TAP = Tap()
    tests(TAP)
    sys.exit(TAP.end())
