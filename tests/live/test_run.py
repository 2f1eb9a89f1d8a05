#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make run` guards a box from the build folder in the foreground, and Ctrl-C takes everything away."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import EXIT_OFFENDERS, TREE, program
from harness import check, equal, main, stranger, wait_for
from services import Sink, prepare_box


class Run:
    """deploy/run with a build folder in the sandbox: its configuration and records go there, not into the tree."""

    def __init__(self, sandbox, mode):
        self.box = sandbox.box
        self.build = sandbox.make_folder(f'build-{mode}')
        for variable, name in (('EGRESSD', 'egressd'), ('EGRESSCTL', 'egressctl')):
            os.symlink(program(variable, name), f'{self.build}/{name}')
        self.log = sandbox.path(f'run-{mode}.log')
        with open(self.log, 'wb') as log:
            self.process = sandbox.box.popen([f'{TREE}/deploy/run', self.build, mode], stdout=log,
                                             stderr=subprocess.STDOUT)

    def words(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def interrupt(self):
        """Ctrl-C: the terminal sends SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


def run(tap, sandbox):
    prepare_box(sandbox)
    Sink(sandbox)
    box, cable = sandbox.box, sandbox.cable
    turn = iter(range(10, 100))

    def result(family):
        dst = stranger(family, next(turn))
        return offenders.attempt(sandbox, 'python', dst, 25).result, bool(cable.packets(dst))

    def again(guard, mode):
        """A second one, from the same folder and from another: refused, and the first one guards on."""
        before = box.run(['/usr/sbin/nft', '-s', 'list', 'ruleset']).out
        other = sandbox.make_folder(f'build-{mode}-other')
        for name in ('egressd', 'egressctl'):
            if not os.path.exists(f'{other}/{name}'):
                os.symlink(os.path.realpath(f'{guard.build}/{name}'), f'{other}/{name}')
        for folder, word in ((guard.build, 'it runs already'), (other, 'is there already')):
            done = box.run([f'{TREE}/deploy/run', folder, 'enforce'])
            equal(done.code, 1, str(done))
            check(word in done.err, str(done))
        equal(box.run(['/usr/sbin/nft', '-s', 'list', 'ruleset']).out, before, 'the rules of the first')

    def guards(mode, wanted):
        guard = Run(sandbox, mode)
        try:
            check(wait_for(lambda: 'judging: mode ' + mode in guard.words(), 10), guard.words())
            for family in (4, 6):
                equal(result(family), wanted, guard.words())
            asked = [f'{guard.build}/egressctl', '-c', f'{guard.build}/run/egressd.conf', 'list-offenders']
            check(wait_for(lambda: box.run(asked).code == EXIT_OFFENDERS, 5), str(box.run(asked)))
            again(guard, mode)
        finally:
            code = guard.interrupt()
        equal(code, 130, f'exit code: {guard.words()}')
        rules = box.run(['/usr/sbin/nft', 'list', 'ruleset'])
        equal((rules.code, rules.out), (0, ''), 'rules that stayed')
        left = [pid for pid in box.processes() if os.path.realpath(f'/proc/{pid}/exe').endswith('/egressd')]
        equal(left, [], 'processes that stayed')
        for family in (4, 6):
            equal(result(family), ('connected', True), 'afterwards')

    tap.test('make run refuses in the foreground, and Ctrl-C takes rules and processes away',
             guards, 'enforce', ('ECONNREFUSED', False))
    tap.test('make run MODE=monitor watches, and Ctrl-C takes rules and processes away',
             guards, 'monitor', ('connected', True))


if __name__ == '__main__':
    main(run)
