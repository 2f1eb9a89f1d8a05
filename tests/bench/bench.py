# SPDX-License-Identifier: GPL-2.0-or-later
"""One bench in its sandbox: runs a cell under a form and hands what came of it to the report."""

import os
import time

from forms import Egressd
from harness import SINK, check, user_ids, wait_for
from kit import CPU, FRESH_ROUTES, PORT, Cgroup, Loads, cpu_ns, fresh_address
from report import Cell
from truth import Truth

HERE = os.path.dirname(os.path.abspath(__file__))
PHP = '/usr/bin/php'
OPENSNITCH_ETC = '/etc/opensnitchd'
SLOW_MS, LEAST = 600, 3  # a cell that takes longer is cut short, but not below so many connects
VAST = 1000000  # descriptors, all together: one connect is enough of who walks them
WARM, WARM_MS = 100, 50
COMMIT_S = 0.13  # egressd's commits come each 100 ms


class Bench:
    def __init__(self, sandbox, build, report):
        self.sandbox, self.box, self.build = sandbox, sandbox.box, os.path.abspath(build)
        sandbox.cable.close()  # a copy of each packet to the harness would be measured, too
        sandbox.cable = None
        self.opensnitch_folder = sandbox.make_folder('opensnitch')
        if not os.path.isdir(OPENSNITCH_ETC):  # compiled in: it reads its configuration nowhere else
            os.mkdir(OPENSNITCH_ETC)
            sandbox.on_close(lambda: os.rmdir(OPENSNITCH_ETC))
        sandbox.box.private_mounts({self.opensnitch_folder: OPENSNITCH_ETC})
        self.cgroup = Cgroup(sandbox.name)
        sandbox.on_close(self.cgroup.close)
        self.loads, self.report, self.names = Loads(self), report, []
        self.pinned = True
        self.population, self.truth, self.next_fresh, self.turn = None, None, {}, None
        self.truth_file = sandbox.path('truth')
        with open(self.truth_file, 'w', encoding='ascii'):
            os.chmod(self.truth_file, 0o666)
        for family, words in ((4, ()), (6, ('-6',))):
            sandbox.internet.ip(*words, 'route', 'add', 'local', FRESH_ROUTES[family], 'dev', 'lo')
        for address in ('0.0.0.0', '::'):
            sandbox.internet.popen(self.pin() + [self.tool('connect'), 'listen', address, str(PORT)])
        for address in SINK.values():
            check(wait_for(lambda: sandbox.internet.listens(address, PORT)), 'no listener')

    def tool(self, name):
        return f'{self.build}/tests/bench/{name}'

    def live_tool(self, name):
        return f'{self.build}/tests/live/{name}'

    def cpus(self):
        return {CPU} if self.pinned else set(range(os.cpu_count()))

    def pin(self):
        return ['/usr/bin/taskset', '-c', ','.join(str(cpu) for cpu in sorted(self.cpus()))]

    def take_addresses(self, family, count):
        """The first of `count` that nobody connected to since this form was set up."""
        first = self.next_fresh.get(family, 0)
        self.next_fresh[family] = first + count
        check(fresh_address(family, first + count), 'no addresses left')
        return fresh_address(family, first)

    def sender_folder(self):
        return self.population.sender_folder(self)

    def program(self, how):
        """What the load generator executes for it, and which exe and script egressd should name."""
        if how == 'exec':
            return [self.tool('sender')], self.tool('sender'), None
        if how == 'php':
            script = f'{HERE}/send.php'
            return [PHP, script], os.path.realpath(PHP), script
        return [], self.tool('connect'), None

    def settle(self, form):
        """Until what it does after the verdict is done; its CPU time then."""
        if not form.settles:
            return cpu_ns(form.pids())
        end, before = time.monotonic() + 2, None
        time.sleep(COMMIT_S)
        while True:
            now = cpu_ns(form.pids())
            if (before is not None and now - before < 30000) or time.monotonic() > end:
                return now
            before = now
            time.sleep(0.02)

    def measure(self, form, plan):
        """plan: (user, how, family, count, compared): one cell."""
        user, how, family, count, compared = plan
        cell = Cell(str(self.population), form.title, user, how, family, compared)
        steps = compared or form.fresh
        address = self.take_addresses(family, count if steps else 1)
        program, exe, script = self.program(how)
        least = 1 if form.fresh and self.population.processes * self.population.fds >= VAST else LEAST
        words = [how, address, PORT, count, '-t', SLOW_MS, '-l', least, '-o', self.truth_file, *(['-s'] if steps else [])]
        before = cpu_ns(form.pids())
        done = self.loads.run(words + program, user, self.sender_folder())
        cpu = self.settle(form) - before
        self.report.add(cell, self.turn, done, cpu, form.expects(user))
        if steps:
            self.truth.expect_each(cell, self.truth_file, exe, script)
        else:
            self.truth.expect_many(cell, self.truth_file, exe, script)

    def warm_up(self, form):
        """Not measured; compared with the truth all the same."""
        if form.fresh:  # each of its look-ups takes milliseconds, the first, too
            return
        for how in ('one', 'each'):
            for family in (4, 6):
                cell = Cell(str(self.population), form.title, 'www-data', f'{how}, warming up', family, False)
                words = [how, self.take_addresses(family, 1), PORT, WARM, '-t', WARM_MS, '-l', 1, '-o', self.truth_file]
                self.loads.run(words, 'www-data', self.sender_folder())
                self.truth.expect_many(cell, self.truth_file, self.tool('connect'))

    def measure_forks(self, form, count):
        before = cpu_ns(form.pids())
        done = self.loads.run(['forks', count], 'www-data', self.sender_folder())
        self.report.add_forks(Cell(str(self.population), form.title, 'www-data', 'forks', 0, False), self.turn, done,
                              self.settle(form) - before)

    def begin(self, form):
        self.next_fresh, self.truth = {}, Truth()
        form.set_up()

    def compare(self, form):
        """What egressd recorded since begin(), against the truth."""
        totals = form.egress.await_sum()
        rows = form.egress.verdicts()
        self.report.close(form, self.truth, rows, totals, str(self.population))
        self.report.memory[str(self.population)].append(form.memory_kib())
        return rows

    def run_form(self, form, cells, forks=0):
        """All cells of a form, from its set-up to its end."""
        self.begin(form)
        try:
            self.warm_up(form)
            for plan in cells:
                self.measure(form, plan)
            if forks:
                self.measure_forks(form, forks)
            if isinstance(form, Egressd):
                self.compare(form)
        finally:
            form.take_away()
        answers = form.answers()
        if answers is not None:
            self.report.close_answers(self.truth, answers)

    def uid(self, user):
        return user_ids(user)[0]
