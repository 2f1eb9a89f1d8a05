# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what an agent says with who it was: the load generator knows the pid behind each address.

Each cell has addresses of its own. A speed cell connects to one address over and over, as spam to one big provider
does, and folds to one row for each program: a wrong program, a pid that never connected, an unknown owner and the
number of attempts show. A compared cell gives each connect an address, and so a row, of its own: there the pid itself
is compared, one by one.
"""

import collections
import ipaddress

# asked: connects; answered: rows' counts; compared: by pid; wrong, unknown: owners; nameless: its script is not named
Tally = collections.namedtuple('Tally', 'asked answered compared wrong unknown nameless')
NOTHING = Tally(0, 0, 0, 0, 0, 0)
EXAMPLES = 8

Asked = collections.namedtuple('Asked', 'cell count pids exe script')


def add(one, other):
    return Tally(*(a + b for a, b in zip(one, other)))


def key(address):
    return ipaddress.ip_address(address).packed


class Truth:
    """Of one run of an agent: what was asked of it, cell by cell."""

    def __init__(self):
        self.asked, self.why, self.examples = {}, collections.Counter(), []

    def expect_each(self, cell, file, exe, script=None):
        """The load generator's own words: "ADDRESS PID ERRNO" of each connect."""
        with open(file, encoding='ascii') as lines:
            for line in lines:
                address, pid, _ = line.split()
                self.asked[key(address)] = Asked(cell, 1, {int(pid)}, exe, script)

    def expect_many(self, cell, file, exe, script=None):
        """The same, of connects that all went to one address."""
        with open(file, encoding='ascii') as lines:
            words = [line.split() for line in lines]
        self.asked[key(words[0][0])] = Asked(cell, len(words), {int(pid) for _, pid, _ in words}, exe, script)

    def _compare(self, row, asked):
        """Whether the row names somebody it was not. Less than everything is not wrong: what is not known is empty."""
        wrong = (row['pid'] not in asked.pids or row['exe'] not in (asked.exe, None, '')
                 or (asked.script is not None and row['script'] not in (asked.script, None, '')))
        if wrong and len(self.examples) < EXAMPLES:
            self.examples.append(f"{row['dst']}: pid {row['pid']} {row['exe']} {row['script']} ({row['owner_how']});"
                                 f" in truth {sorted(asked.pids)[:4]} of {asked.exe} {asked.script or ''}")
        return wrong

    def close(self, rows):
        """{cell: Tally} of egressd's rows."""
        found = {}
        for row in rows:
            asked = self.asked.get(key(row['dst'])) if row['dst'] else None
            if not asked:
                continue
            count, unknown = row['count'], not row['pid']
            wrong = not unknown and self._compare(row, asked)
            if unknown and asked.cell[2] != 'postfix':
                self.why[f"{row['owner_how']} ({row['owner_why']})"] += count
            nameless = asked.script is not None and row['script'] != asked.script
            tally = Tally(0, count, count if asked.count == 1 else 0, count * wrong, count * unknown,
                          count * nameless)
            found[asked.cell] = add(found.get(asked.cell, NOTHING), tally)
        return self._asked(found)

    def close_answers(self, answers):
        """The same of {address: pid}."""
        found = {}
        for address, pid in answers.items():
            asked = self.asked.get(key(address))
            if asked:
                tally = Tally(0, 1, 1, int(pid not in {0} | asked.pids), int(not pid), 0)
                found[asked.cell] = add(found.get(asked.cell, NOTHING), tally)
        return self._asked(found)

    def _asked(self, found):
        for asked in self.asked.values():
            found[asked.cell] = add(found.get(asked.cell, NOTHING), Tally(asked.count, 0, 0, 0, 0, 0))
        return found
