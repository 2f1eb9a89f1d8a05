# SPDX-License-Identifier: GPL-2.0-or-later
"""The tricksters of the trap tests: processes under the test's hand, trick programs, and the judge held still.

What each does is told by the test line by line (tricks/actor.py) or stands in its own program
(tricks/*.c); who they are is read from /proc by the test itself, never asked of egressd.
"""

import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess

from egress import TREE
from harness import check, equal, wait_for
from services import install
from truth import Process, process, told

BUILT = os.path.join(TREE, os.environ.get('BUILD', 'build'), 'tests/live/tricks')
GONE_AT_ONCE = ('fire', 'exec-fire', 'drop')
LIVING_ON = ('long', 'poll', 'spin', 'thread', 'shared', 'passed')  # one process connects again and again
DROPPED_TO = 2999  # tricks/storm.c: whom root becomes
NETS = {4: '10.0.0.0/8', 6: '2001:db8:bad::/48'}


class Addresses:
    """A destination for each connect, and a network of 65,536 for each storm."""

    def __init__(self, sandbox):
        self.turn, self.nets = itertools.count(1), itertools.count(1)
        sandbox.internet.ip('route', 'add', 'local', NETS[4], 'dev', 'lo')

    def one(self, family):
        n = next(self.turn)
        return f'10.1.{n >> 8}.{n & 255}' if family == 4 else f'2001:db8:bad:1::{n:x}'

    def net(self, family):
        n = 1 + next(self.nets)
        return f'10.{n}.0.0' if family == 4 else f'2001:db8:bad:{n:x}::'


@contextlib.contextmanager
def held(egress, packets=None):
    """The judge stands still: every SYN made meanwhile is looked up afterwards. packets: this many wait then."""
    judge = egress.pids()['judge']
    os.kill(judge, signal.SIGSTOP)
    try:
        check(wait_for(lambda: _stopped(judge), 5), 'the judge does not stop')
        yield judge
        if packets:
            check(wait_for(lambda: waiting(egress) >= packets, 5), f'{waiting(egress)} of {packets} packets wait')
    finally:
        os.kill(judge, signal.SIGCONT)


def _stopped(pid):
    with open(f'/proc/{pid}/stat', 'rb') as file:
        return file.read().rsplit(b')', 1)[1].split()[0] == b'T'


def waiting(egress):
    """Packets in the queue: third word of its line in nfnetlink_queue."""
    def read():
        with open('/proc/thread-self/net/netfilter/nfnetlink_queue', encoding='ascii') as file:
            lines = [line.split() for line in file]
        return sum(int(words[2]) for words in lines if words[0] == str(egress.keys.get('queue_num', 2525)))
    return egress.box.inside(read)


def built(sandbox, name, copy=None, user=None, mode=0o755):
    """A trick program, where every user can execute it."""
    folder = sandbox.make_folder('tricks')
    path = os.path.join(folder, copy or name)
    check(os.access(f'{BUILT}/{name}', os.X_OK), f'{BUILT}/{name}: no such program (make helpers)')
    if not os.path.exists(path):
        shutil.copyfile(os.path.join(BUILT, name), path)
        if user is not None:
            os.chown(path, user, user)
        os.chmod(path, mode)
    return path


class Actor:
    """tricks/actor.py as this user, with a copy of the script of its own."""

    def __init__(self, sandbox, user, argv=None, executable=None, role=''):
        """argv: other first words than the interpreter's name. role: part of its script's name."""
        self.script = install(sandbox, 'actor.py', 'tmp', f'actor-{user}{role}.py')
        words = [*(argv or ['/usr/bin/python3']), '-B', self.script]
        self.process = sandbox.box.popen(words, user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         **({'executable': executable} if executable else {}))
        self.pid, self.uid = self.process.pid, user
        self.strays, self.forks = [], False
        self.do('answer = 1')
        self.me = process(self.pid, self.script)

    def tell(self, words):
        """Runs it, and does not wait for the answer."""
        self.process.stdin.write(json.dumps(words) + '\n')
        self.process.stdin.flush()

    def hear(self):
        check(select.select([self.process.stdout], [], [], 30)[0], f'the actor {self.pid} does not answer')
        line = self.process.stdout.readline()
        check(line, f'the actor {self.pid} is gone')
        said = json.loads(line)
        check('error' not in said, said.get('error'))
        return said['answer']

    def fork(self, words):
        """Runs what forks, and so leaves children that its end must end."""
        self.forks = True
        return self.do(words)

    def do(self, words):
        self.tell(words)
        return self.hear()

    def child(self, work='None'):
        """A fork of it, as a Process; work: an expression that the child evaluates first."""
        self.forks = True
        return process(self.do(f'answer = child(lambda: {work})'), self.script)

    def stray(self, pid):
        """A process that left its session, to be ended with it."""
        self.strays.append(pid)
        return process(pid, self.script)

    def end(self):
        # Its number may be another's by now; but not while children of it are a group of that name.
        if self.process.returncode is None or self.forks:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        for pid in self.strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class Trick:
    """A C trick under way: who it says is the caller and who the holders are, read from /proc."""

    def __init__(self, sandbox, words, user, inside=False):
        """inside: it is the child of the program that is started, in a pid namespace of its own."""
        self.process = sandbox.box.popen(words, user, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        line = self.process.stdout.readline()
        match = re.match(r'caller=(\d+)(?: holders=([\d,]+))?$', line.strip())
        if not match:
            self.process.kill()
            raise AssertionError(f'{words}: {line!r} {self.process.communicate()[1]}')
        if inside:
            with open(f'/proc/{self.pid}/task/{self.pid}/children', encoding='ascii') as file:
                self.caller = process(int(file.read()))
            self.holders = [self.caller]
            return
        self.caller = self._process(int(match[1]), words[0])
        self.holders = [self._process(int(pid), words[0]) for pid in (match[2] or match[1]).split(',')]

    @staticmethod
    def _process(pid, program):
        """A thread group without its leader has no exe to be read, but its other threads have."""
        try:
            return process(pid)
        except OSError:
            with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
                status = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
            with open(f'/proc/{pid}/stat', 'rb') as file:
                start = int(file.read().rsplit(b')', 1)[1].split()[19])
            return Process(pid, start, int(status['Uid'].split()[0]), (program,))

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Storm:
    """tricks/storm.c under way as this user, from a copy of its own: many connects, each told before it is made."""

    def __init__(self, sandbox, addresses, user, mode, family, seconds, pause_ms=20, count=65000, wrap=()):
        self.user, self.mode = DROPPED_TO if mode == 'drop' else user, mode
        self.program = built(sandbox, 'storm', f'storm-{user}')
        self.connecting = built(sandbox, 'storm', f'storm-{user}.child') if mode.startswith('exec') else self.program
        net = addresses.net(family)
        self.file = os.path.join(sandbox.make_folder('truth', mode=0o1777), f"{user}-{mode}-{net.replace(':', '_')}")
        words = [self.program, 'send', mode, net, 256, count, seconds, pause_ms * 1000, self.file]
        if wrap:  # as root first, into another namespace
            words = [*wrap, 'setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups', *words]
        self.process = sandbox.box.popen(words, 'root' if wrap else user, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)

    def end(self, timeout=120):
        """Waits until it is over. Its truths."""
        out, err = self.process.communicate(timeout=timeout)
        check(self.process.returncode == 0, f'storm {self.mode}: {self.process.returncode} {err}')
        made, ended = map(int, out.split())
        truths = told(self.file, self.user, (self.connecting,), unknown=self.mode in GONE_AT_ONCE,
                      lives_until=ended if self.mode in LIVING_ON else 0)
        equal(len(truths), made, f'truths of storm {self.mode}')
        return truths


class Cast:
    """Everybody who plays in one case, ended with it."""

    def __init__(self, sandbox):
        self.sandbox, self.players = sandbox, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for player in reversed(self.players):
            player.end()

    def actor(self, user, **kwargs):
        self.players.append(Actor(self.sandbox, user, **kwargs))
        return self.players[-1]

    def trick(self, words, user, inside=False):
        self.players.append(Trick(self.sandbox, words, user, inside))
        return self.players[-1]
