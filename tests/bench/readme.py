# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts what the bench found into README.md, between two marks: the short table that a reader wants."""

import os
import statistics

from goals import OPENSNITCH, PASS, REFUSE, SS
from report import HOW, NONE, NULL

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'README.md')
BEGIN, END = '<!-- bench: made by `make bench BENCH_README=1` -->\n', '<!-- /bench -->\n'
SIZES = ('100 × 10', '1,000 × 10', '10,000 × 10', '10,000 × 100', '10,000 × 10, one uid')
ROWS = [(form, 'www-data', how) for how in ('one', 'each', 'exec', 'php')
        for form in (NONE, "kernel's owner rule, refuses", NULL, 'null agent, denies', PASS, REFUSE, OPENSNITCH, SS,
                     'walk of every fd, lets pass')]


def number(us):
    return f'{us:,.0f}' if us >= 100 else f'{us:.1f}'


def field(report, cells):
    """The median of both families, and the ratio to the null agent."""
    if not cells:
        return ''
    median = statistics.mean(report.cells[cell].median() for cell in cells)
    ratios = [ratio for ratio in (report.ratio(cell, NULL) for cell in cells) if ratio]
    if cells[0].form == NULL or not ratios:
        return number(median)
    ratio = statistics.mean(ratios)
    return f'{number(median)} ({ratio:,.0f})' if ratio >= 100 else f'{number(median)} ({ratio:.2f})'


def table(report):
    sizes = [size for size in SIZES if report.find(population=size)]
    yield '| connect(2), us (to the null agent that accepts) | ' + ' | '.join(sizes) + ' |\n'
    yield '|---|' + '--:|' * len(sizes) + '\n'
    for form, user, how in ROWS:
        fields = [field(report, report.find(population=size, form=form, user=user, how=how, compared=False))
                  for size in sizes]
        if any(fields):
            yield f'| {form}; {HOW[how]} | ' + ' | '.join(fields) + ' |\n'


def owners(report):
    total = report.total
    return (f'{total.wrong} wrong owners and {total.unknown:,} unknown in {total.answered:,} looked up, of which'
            f' {total.compared:,} were compared with the truth pid by pid.')


def write(report, machine):
    with open(FILE, encoding='utf-8') as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise OSError('README.md has no place for the table')
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(FILE, 'w', encoding='utf-8') as file:
        file.write(head + BEGIN + f'\n{machine}, everything on one CPU; processes × descriptors of each.\n\n'
                   + ''.join(table(report)) + '\n' + owners(report) + '\n\n' + END + tail)
