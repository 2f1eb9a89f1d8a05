# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of the bench, kept by cell and made into its table and its goals. It measures nothing."""

import collections
import statistics

from truth import NOTHING, add

NULL = 'null agent, accepts'
HOW = {'one': 'one process', 'each': 'new, fork', 'exec': 'new, exec', 'php': 'new, php', 'forks': 'fork + exit'}


class Sample:
    """The rounds of one cell."""

    def __init__(self):
        self.us, self.cpu_us, self.busy_us = [], [], []
        self.tally = NOTHING

    def median(self):
        return statistics.median(self.us)


def ratios(samples, base):
    """Of rounds, pair by pair: what slows one round down slows both."""
    pairs = [one / other for one, other in zip(samples, base) if other]
    return statistics.median(pairs) if pairs else None


class Report:
    def __init__(self):
        self.cells = collections.defaultdict(Sample)  # (population, form, user, how, family, compared)
        self.strayed, self.sums, self.why = 0, [], collections.Counter()
        self.examples, self.memory = [], collections.defaultdict(list)
        self.total = NOTHING

    def add(self, name, done, cpu_ns, busy_ns, strayed, measured):
        cell = self.cells[name]
        if strayed:
            self.strayed += strayed
            self.examples.append(f"{strayed} of {' '.join(str(word) for word in name)}: {done}")
        if measured:
            cell.us.append(done['median_us'])
            cell.cpu_us.append(cpu_ns / 1000 / done['count'])
            cell.busy_us.append(busy_ns / 1000 / done['count'])

    def add_forks(self, name, done, cpu_ns, measured):
        if measured:
            self.cells[name].us.append(done['mean_us'])
            self.cells[name].cpu_us.append(cpu_ns / 1000 / done['count'])

    def close(self, form, truth, rows, totals, memory_kib, population):
        for name, tally in truth.close(rows).items():
            self.cells[name].tally = add(self.cells[name].tally, tally)
            self.total = add(self.total, tally)
        self.why.update(truth.why)
        self.examples += truth.examples
        if not totals.adds_up():
            self.sums.append(f'{form.title}: {totals}')
        self.memory[population].append(memory_kib)

    def ratio(self, name, base_form, field):
        population, _, user, how, family, _ = name
        base = self.cells.get((population, base_form, user, how, family, False))
        if base is None:
            return None
        return ratios(getattr(self.cells[name], field), getattr(base, field))

    def table(self):
        print(f"{'':26} {'who':9} {'sender':12} {'IP':3} {'connect, us':>24} {'to null':>8} {'to none':>8}"
              f" {'agent us':>9} {'to null':>8} {'wrong':>7} {'unknown':>8} {'of':>8}")
        last = None
        for name, cell in self.cells.items():
            population, form, user, how, family, compared = name
            if not cell.us:
                continue
            if population != last:
                print(f'\n{population} descriptors')
                last = population
            spread = f'{cell.median():8.1f} ({min(cell.us):.1f}-{max(cell.us):.1f})'
            columns = []
            for base, field in ((NULL, 'us'), ('no firewall', 'us'), (None, None), (NULL, 'cpu_us')):
                if base is None:
                    columns.append(f"{statistics.median(cell.cpu_us):9.2f}" if any(cell.cpu_us) else ' ' * 9)
                    continue
                ratio = self.ratio(name, base, field)
                columns.append(f'{ratio:8.2f}' if ratio else ' ' * 8)
            tally = cell.tally
            owners = f'{tally.wrong:7} {tally.unknown:8} {tally.answered:8}' if tally.asked else ''
            sender = HOW[how] + (' *' if compared else '')
            print(f"{form:26} {user:9} {sender:12} {f'v{family}' if family else '':3} {spread:>24}"
                  f" {' '.join(columns)} {owners}")
        print('* each connect to another address: a new row with its packet for each')

    def print(self, machine, rounds, seconds, lookups):
        print(f'{machine}; everything on one CPU; {rounds} interleaved rounds in {seconds:.0f} s; medians of rounds'
              ' (lowest-highest); ratios are medians of ratios round by round\n')
        self.table()
        good = True
        total = self.total
        for what, bad in ((f'connects that did not end as they must: {self.strayed}', self.strayed),
                          (f'owners: {total.wrong} wrong, {total.unknown} unknown of {total.answered} looked up, of'
                           f' which {total.compared} compared by pid; {total.asked - total.answered} not recorded',
                           total.wrong or total.asked != total.answered),
                          (f'fewer than {lookups} looked up', total.answered < lookups),
                          *((f'does not add up: {text}', True) for text in self.sums)):
            if bad or not what.startswith('fewer'):
                print(('' if not bad else 'FAILED: ') + what)
            good = good and not bad
        for why, n in self.why.most_common():
            print(f'  unknown: {why}: {n}')
        for text in self.examples:
            print(f'  bad: {text}')
        return 0 if good else 1
