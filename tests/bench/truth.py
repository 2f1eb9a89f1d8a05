# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what egressd recorded with who it was: the load generator knows the pid behind each address.

Each cell has addresses of its own. A speed cell connects to one address over and over, as spam to one big provider
does, and folds to one row for each program: a wrong program, an unknown owner and the number of attempts show. A
compared cell gives each connect an address, and so a row, of its own: there the pid itself is compared, one by one.
"""

import collections
import ipaddress

Tally = collections.namedtuple('Tally', 'asked answered compared wrong unknown')
NOTHING = Tally(0, 0, 0, 0, 0)
EXAMPLES = 8


def add(one, other):
    return Tally(*(a + b for a, b in zip(one, other)))


def key(address):
    return ipaddress.ip_address(address).packed


class Truth:
    """Of one run of egressd: what was asked of it, cell by cell."""

    def __init__(self):
        self.asked = {}  # address: (cell, count, pid or None, exe, script or None)
        self.why, self.examples = collections.Counter(), []

    def expect_each(self, cell, file, exe, script=None):
        """The load generator's own words: "ADDRESS PID ERRNO" of each connect."""
        with open(file, encoding='ascii') as lines:
            for line in lines:
                address, pid, _ = line.split()
                self.asked[key(address)] = (cell, 1, int(pid), exe, script)

    def expect_many(self, cell, address, count, exe, script=None):
        self.asked[key(address)] = (cell, count, None, exe, script)

    def _compare(self, row, wanted):
        """Whether the row names somebody it was not."""
        _, _, pid, exe, script = wanted
        # Less than everything is not wrong: a text that is not known is empty.
        wrong = ((pid is not None and row['pid'] != pid) or row['exe'] not in (exe, None, '')
                 or (script is not None and row['script'] not in (script, None, '')))
        if wrong and len(self.examples) < EXAMPLES:
            self.examples.append(f"{row['dst']}: pid {row['pid']} {row['exe']} {row['script']} ({row['owner_how']});"
                                 f" in truth {pid or 'one'} of {exe} {script or ''}")
        return wrong

    def close(self, rows):
        """{cell: Tally}."""
        found = {}
        for row in rows:
            wanted = self.asked.get(key(row['dst'])) if row['dst'] else None
            if not wanted:
                continue
            count, unknown = row['count'], not row['pid']
            wrong = not unknown and self._compare(row, wanted)
            if unknown:
                self.why[f"{row['owner_how']} ({row['owner_why']})"] += count
            tally = Tally(0, count, count if wanted[2] is not None else 0, count * wrong, count * unknown)
            found[wanted[0]] = add(found.get(wanted[0], NOTHING), tally)
        for cell, count, *_ in self.asked.values():
            found[cell] = add(found.get(cell, NOTHING), Tally(count, 0, 0, 0, 0))
        return found
