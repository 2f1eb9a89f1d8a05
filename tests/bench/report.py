# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of the bench, kept by cell, and its table. It measures nothing."""

import collections
import statistics

from truth import NOTHING, add

NULL, NONE = 'null agent, accepts', 'no firewall'
HOW = {'one': 'one process', 'each': 'new: fork', 'exec': 'new: exec', 'php': 'new: php', 'forks': 'fork + exit'}

Cell = collections.namedtuple('Cell', 'population form user how family compared')


class Sample:
    """The rounds of one cell, by their number."""

    def __init__(self):
        self.us, self.cpu_us = {}, {}
        self.busy_us = self.count = 0
        self.tally = NOTHING

    def median(self, field='us'):
        values = getattr(self, field).values()
        return statistics.median(values) if values else None

    def spread(self):
        return f'{self.median():8.1f} ({min(self.us.values()):.1f}-{max(self.us.values()):.1f})'


class Report:
    def __init__(self):
        self.cells = collections.defaultdict(Sample)
        self.strayed, self.sums, self.bad = 0, [], []
        self.why, self.total = collections.Counter(), NOTHING
        self.memory = collections.defaultdict(list)  # population: [(rss, hwm) in KiB]
        self.extra = {}  # what flood, the worst callers and the unpinned rounds found

    # --- taking them in ---

    def add(self, cell, turn, done, cpu_ns, wanted):
        """turn None: warming up; what ended wrong counts all the same."""
        sample, strayed = self.cells[cell], done['count'] - done[wanted]
        if strayed:
            self.strayed += strayed
            self.bad.append(f"{strayed} not {wanted}: {' '.join(str(word) for word in cell)}: {done}")
        if turn is not None:
            sample.us[turn] = done['median_us']
            sample.cpu_us[turn] = cpu_ns / 1000 / done['count']
            sample.busy_us += max(0, done['wall_us'] - done['idle_us'])
            sample.count += done['count']

    def add_forks(self, cell, turn, done, cpu_ns):
        if turn is not None:
            self.cells[cell].us[turn] = done['mean_us']
            self.cells[cell].cpu_us[turn] = cpu_ns / 1000 / done['count']

    def _take(self, found):
        for cell, tally in found.items():
            self.cells[cell].tally = add(self.cells[cell].tally, tally)

    def close(self, form, truth, rows, totals, population):
        found = truth.close(rows)
        self._take(found)
        for cell, tally in found.items():
            if cell.user != 'postfix':  # not looked up while held, and gone when the copy is: counted beside
                self.total = add(self.total, tally)
            elif tally.asked != tally.answered or tally.wrong:
                self.bad.append(f'copies: {tally}')
        self.why.update(truth.why)
        self.bad += truth.examples
        if not totals.adds_up():
            self.sums.append(f'{form.title}, {population}: {totals}')

    def close_answers(self, truth, answers):
        self._take(truth.close_answers(answers))

    # --- asking ---

    def ratio(self, cell, base_form, field='us', how=None):
        """Against the same cell of another form, round by round: what slows a round down slows both. None: no such."""
        base = self.cells.get(cell._replace(form=base_form, compared=False, how=how or cell.how))
        mine = getattr(self.cells[cell], field)
        theirs = getattr(base, field) if base else {}
        pairs = [mine[turn] / theirs[turn] for turn in mine if theirs.get(turn)]
        return statistics.median(pairs) if pairs else None

    def find(self, **wanted):
        """Cells that were measured and are so."""
        return [cell for cell, sample in self.cells.items()
                if sample.us and all(getattr(cell, name) == value for name, value in wanted.items())]

    # --- saying ---

    def row(self, cell):
        sample = self.cells[cell]
        columns = [f'{self.ratio(cell, base, field):8.2f}' if self.ratio(cell, base, field) else ' ' * 8
                   for base, field in ((NULL, 'us'), (NONE, 'us'), (NULL, 'cpu_us'))]
        agent = f"{sample.median('cpu_us'):9.2f}" if any(sample.cpu_us.values()) else ' ' * 9
        busy = f'{sample.busy_us / sample.count:8.1f}' if sample.count else ' ' * 8
        tally = sample.tally
        owners = (f'{tally.wrong:6} {tally.unknown:8} {tally.answered:8}'
                  if tally.answered else '')
        return (f"{cell.form:29} {cell.user:8} {HOW[cell.how]:11}{'*' if cell.compared else ' '}"
                f" {f'v{cell.family}' if cell.family else '':2} {sample.spread():>26} {columns[0]} {columns[1]}"
                f" {agent} {columns[2]} {busy} {owners}".rstrip())

    def table(self):
        print(f"{'':29} {'who':8} {'sender':12} {'IP':2} {'connect, us':>26} {'to null':>8} {'to none':>8}"
              f" {'agent us':>9} {'to null':>8} {'CPU us':>8} {'wrong':>6} {'unknown':>8} {'of':>8}")
        populations = list(dict.fromkeys(cell.population for cell in self.find()))
        for population in populations:
            print(f'\nprocesses × descriptors: {population}')
            for cell in self.find(population=population):
                print(self.row(cell))
        print('\nto null, to none: against the null agent that accepts, and no firewall. agent us: CPU time of all of'
              " the agent's\nprocesses for a connect, with the record's commit. CPU us: the whole CPU's for a connect"
              ' (of ticks of 10 ms).\n* each connect to another address: a new row, with its packet, for each; pids are'
              ' compared one by one.')

    def verdict(self, lookups):
        """Prints what must hold whatever the speed; whether it does."""
        total, facts = self.total, []
        facts.append((not self.strayed, f'{self.strayed} connects that did not end as they must'))
        facts.append((not total.wrong, f'{total.wrong} wrong owners, {total.unknown} unknown'
                      f' ({100 * total.unknown / max(1, total.answered):.3f} %) of {total.answered} looked up; of'
                      f' {total.compared} the pid was compared, one by one'))
        facts.append((total.compared >= lookups, f'{total.compared} pids compared, at least {lookups} asked for'))
        facts.append((total.asked == total.answered, f'{total.asked - total.answered} connects not recorded'))
        facts.append((not self.sums, f'{len(self.sums)} sums that do not add up, and other faults'))
        print()
        for good, text in facts:
            print(f"{'ok' if good else 'FAILED'}: {text}")
        for why, n in self.why.most_common():
            print(f'  unknown: {why}: {n}')
        for text in self.sums + self.bad[:12]:
            print(f'  {text}')
        return all(good for good, _ in facts)
