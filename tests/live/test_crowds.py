#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pids that come round again, crowds, bursts of forks and storms of connects: named wrongly none, ever.

The storms write down who connects and who holds before each SYN (tricks/storm.c); every record is compared.
EGT_SECONDS: how long the last storm blows (60). The traps one by one are in test_traps.py.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from actors import Cast, Storm, built, held
from egress import Egress
from harness import Skip, check, equal, main, wait_for
from test_traps import FAMILIES, Scene, both, bound, opened
from truth import Comparison, Truth

SECONDS = int(os.environ.get('EGT_SECONDS', '60'))
LIVE = ('long', 'poll', 'spin', 'fork', 'linger', 'thread', 'shared', 'passed', 'exec', 'double')
ALIVE_UNKNOWN = 0.01  # of the connects of processes that live on, at most this share without a name


def weigh(scene, storms, unknown_share=ALIVE_UNKNOWN):
    """Every record of these storms against what they told. By mode: how many named, exited, unknown."""
    by_mode, truths = {}, []
    for storm in storms:
        told = storm.end()
        by_mode.setdefault(storm.mode, []).extend(told)
        truths += told
    scene.truths += truths
    scene.egress.await_sum()
    rows = scene.egress.verdicts()
    words = []
    for mode, some in by_mode.items():
        dsts = {truth.dst for truth in some}
        words.append(f'{mode}: {Comparison([row for row in rows if row["dst"] in dsts], some)}')
    dsts = {truth.dst for truth in truths}
    comparison = Comparison([row for row in rows if row['dst'] in dsts], truths)
    try:
        comparison.require(unknown_share)
    except AssertionError as error:
        raise AssertionError('\n'.join([str(error), *words])) from None
    return '\n'.join(words)


def blow(scene, seconds, *casts, **keys):
    """Storms at once: (user, mode) each, in turn over IPv4 and IPv6."""
    return [Storm(scene.sandbox, scene.addresses, user, mode, FAMILIES[turn % 2], seconds, **keys)
            for turn, (user, mode) in enumerate(casts)]


def ready(tap, scene, words='egressd starts'):
    return tap.test(words, lambda: scene.egress.start() and None)


def done(tap, scene):
    tap.test('nothing else was recorded, and nothing wrong', scene.all_told)
    tap.test('egressd ends cleanly', lambda: equal(scene.egress.stop(), 0, 'exit code'))


# --- pids that come round again --------------------------------------------------------------------


def reborn(cast, pid, user):
    """An actor whose pid is the one that another has just left (ns_last_pid, proc(5))."""
    for _ in range(100):
        with open('/proc/sys/kernel/ns_last_pid', 'w', encoding='ascii') as file:
            file.write(str(pid - 1))
        actor = cast.actor(user)
        if actor.pid == pid:
            return actor
        cast.players.remove(actor)
        actor.end()
        if os.path.exists(f'/proc/{pid}'):
            break
    raise Skip(f'somebody else has pid {pid}')


def next_life(cast, actor, user):
    """It ends, and what comes after it has its pid and started at another time that a date shows."""
    actor.end()
    time.sleep(0.7)
    return reborn(cast, actor.pid, user)


def stubborn(case):
    """Whoever else forks on this machine may take the pid first: then once more, from the beginning."""
    def play_again(scene, cast, family):
        for _ in range(4):
            with Cast(scene.sandbox) as others, contextlib.suppress(Skip):
                return case(scene, others, family)
        return case(scene, cast, family)
    return play_again


def passed_on(scene, cast, family):
    """It connected, gave the socket away and ended; its pid is another's when it is looked up."""
    first, holder = cast.actor(2011), cast.actor(2012)
    dst, name = scene.addresses.one(family), f"'\\0egt-{first.pid}-{family}'"
    holder.do(f'u = socket.socket(socket.AF_UNIX); u.bind({name}); u.listen()')
    scene.taken.append(Truth(dst, 2011, [], []))
    with held(scene.egress, 1):
        first.do(opened(family, dst) + f'; u = socket.socket(socket.AF_UNIX); u.connect({name}); '
                 "socket.send_fds(u, [b'x'], [s.fileno()])")
        holder.do('c, _ = u.accept(); s = socket.socket(fileno=socket.recv_fds(c, 9, 1)[1][0])')
        second = next_life(cast, first, 2011)
    equal(second.pid, first.pid, 'pid')
    scene.judged(Truth(dst, 2011, [first.me], [holder.me]))


def gone(connects, user, scene, cast, family):
    """It connected and ended, and who has its pid now is another; connects: that one, too, elsewhere."""
    first = cast.actor(2011)
    dst, other = scene.addresses.one(family), scene.addresses.one(family)
    scene.taken.append(Truth(dst, 2011, [], []))
    with held(scene.egress, 2 if connects else 1):
        first.do(opened(family, dst))
        second = next_life(cast, first, user)
        if connects:
            second.do(opened(family, other))
    truths = [Truth(dst, 2011, [first.me], [], unknown=True)]
    if connects:
        truths.append(Truth(other, user, [second.me], [second.me]))
    return str(scene.judged(*truths))


def remembered(user, scene, cast, family):
    """It has been named often, at this descriptor; then another has its pid, and a socket at that descriptor."""
    first = cast.actor(2013)
    truths = []
    for _ in range(5):
        dst = scene.addresses.one(family)
        first.do(f's = opened({family}, False); s.settimeout(5); s.connect_ex(({dst!r}, 25)); s.close()')
        truths.append(Truth(dst, 2013, [first.me], [first.me]))
    scene.taken += truths
    second = next_life(cast, first, user)
    dst = scene.addresses.one(family)
    second.do(f's = opened({family}, False); s.settimeout(5); s.connect_ex(({dst!r}, 25))')
    truths.append(Truth(dst, user, [second.me], [second.me]))
    scene.judged(*truths)


def same_tuple(scene, cast, family):
    """The next life of a pid connects with the addresses and ports of the first: two SYNs, two processes."""
    first = cast.actor(2011)
    dst, port = scene.addresses.one(family), 36000 + family
    scene.taken.append(Truth(dst, 2011, [], []))
    with held(scene.egress, 2):
        first.do(bound(family, port) + f'; connect(s, {dst!r})')
        second = next_life(cast, first, 2011)
        second.do(bound(family, port) + f'; connect(s, {dst!r})')
    wait_for(lambda: sum(row['count'] for row in scene.egress.verdicts(dst=dst)) == 2, 5)
    rows = scene.egress.verdicts(dst=dst)
    said = [(row['pid'], row['start_time'], row['owner_how'], row['count']) for row in rows]
    named = [row for row in rows if any(ref['start_ticks'] == second.me.start for ref in row['holders'] or ())]
    check(sum(row['count'] for row in named) <= 1, f'WRONG: both SYNs are said to be of the second: {said}')
    return str(said)


def lives(tap, sandbox):
    scene = Scene(sandbox)
    if not ready(tap, scene):
        return
    part = functools.partial

    def each(sentence, case):
        both(scene, tap, sentence, stubborn(case))

    each('a socket that was passed on is not of who has the pid of its maker now', passed_on)
    each('a connect whose process has ended is not of who has its pid now', part(gone, False, 2011))
    each('nor if that one is another user\'s', part(gone, False, 2014))
    each('nor if that one connects as well', part(gone, True, 2011))
    each('nor if that one connects with the same addresses and ports', same_tuple)
    each('what was remembered of a pid is not said of its next process', part(remembered, 2013))
    each('nor of one of another user', part(remembered, 2014))
    done(tap, scene)


class NestedEgress(Egress):
    """egressd as a process of a pid namespace, whose pids come round after a few hundred."""

    wrap = ()

    def spawn(self):
        with open(self.log_file, 'ab') as log:
            self.process = self.box.popen([*self.wrap, self.egressd, '-c', self.file], stdout=log, stderr=log,
                                          env={'NOTIFY_SOCKET': f'{self.folder}/notify'})
        return self.process

    def ctl(self, *words, timeout=30):
        """Inside, too: there the judge has the pid that its store knows."""
        return self.box.run([*self.wrap, self.egressctl, '-c', self.file, *words], timeout=timeout)

    def stop(self, seconds=20.0):
        os.kill(self.pids()['keeper'], signal.SIGTERM)
        return self.process.wait(seconds)


def pid_namespace(sandbox, most):
    """nsenter(1)'s words for a new pid namespace whose pids end at this number (Linux 6.14: each has its own)."""
    holder = sandbox.box.popen(
        ['unshare', '--pid', '--fork', '--kill-child', '--mount', '--propagation', 'private', '/bin/sh', '-c',
         'mount -t proc proc /proc && echo "$1" >/proc/sys/kernel/pid_max && cat /proc/sys/kernel/pid_max && '
         'exec env --ignore-signal=CHLD sleep infinity', 'sh', most], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    sandbox.on_close(lambda: end(holder))
    before = open('/proc/sys/kernel/pid_max', encoding='ascii').read()
    said = holder.stdout.readline()
    if said != f'{most}\n' or before != open('/proc/sys/kernel/pid_max', encoding='ascii').read():
        raise Skip(f'no pid_max for a namespace of its own: {said!r}')
    with open(f'/proc/{holder.pid}/task/{holder.pid}/children', encoding='ascii') as file:
        first = file.read().split()[0]
    return ['nsenter', f'--pid=/proc/{first}/ns/pid', f'--mount=/proc/{first}/ns/mnt']


def end(process):
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def few_pids(tap, sandbox):
    scene = Scene(sandbox)
    scene.egress = NestedEgress(sandbox, **scene.egress.keys)
    most, seconds = 400, max(5, SECONDS // 6)  # after the first round they begin at 300 (RESERVED_PIDS, kernel/pid.c)

    def start():
        scene.egress.wrap = pid_namespace(sandbox, most)
        scene.egress.start()

    if not tap.test(f'egressd starts in a pid namespace of {most} pids', start):
        return

    def storm():
        casts = [(2021, 'fork'), (2022, 'fire'), (2023, 'exec'), (2024, 'double'), (2026, 'exec-fire'), (2021, 'linger'), (2025, 'long')]
        churn = sandbox.box.popen([*scene.egress.wrap, built(sandbox, 'crowd'), 'churn', 200, seconds],
                                  stdout=subprocess.PIPE, text=True)
        storms = [Storm(sandbox, scene.addresses, user, mode, FAMILIES[turn % 2], seconds, 20, wrap=scene.egress.wrap)
                  for turn, (user, mode) in enumerate(casts)]
        words = weigh(scene, storms)
        forks = int(churn.communicate(timeout=30)[0])
        pids = [one.pid for truth in scene.truths for one in truth.callers]
        check(max(pids) <= most, f'pid {max(pids)}')
        again = len(pids) - len(set(pids))
        check(len(pids) + forks > 5 * most, f'only {len(pids) + forks} processes')
        return f'{forks} other forks; {len(pids)} connects by {len(set(pids))} pids\n{words}'

    tap.test('where every pid comes round again each second, none is mistaken for the one before', storm)
    done(tap, scene)


# --- crowds ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def crowd(sandbox, n, user):
    words = [built(sandbox, 'crowd'), 'stay', n]
    process = sandbox.box.popen(words, user, stdout=subprocess.PIPE, text=True)
    try:
        check(process.stdout.readline() == 'ready\n', 'no crowd')
        yield
    finally:
        end(process)  # and its children with it
        wait_for(lambda: len(sandbox.box.processes()) < n // 2, 30, 0.2)


def churn(sandbox, rate, seconds, user):
    return sandbox.box.popen([built(sandbox, 'crowd'), 'churn', rate, seconds], user, stdout=subprocess.PIPE, text=True)


def crowds(tap, sandbox):
    scene = Scene(sandbox)
    seconds = max(5, SECONDS // 4)
    if not ready(tap, scene):
        return

    def gone_at_once():
        return weigh(scene, blow(scene, seconds, (2041, 'fire'), (2042, 'fire'), (2045, 'exec-fire'), (0, 'drop'), pause_ms=20))

    def in_a_crowd(user):
        """user: the crowd's, who connects as well."""
        with crowd(sandbox, 10000, user):
            forks = churn(sandbox, 500, seconds, user)
            storms = blow(scene, seconds, *((2030 + turn, mode) for turn, mode in enumerate(LIVE)),
                          (user, 'fork'), (user, 'long'), (2043, 'fire'), pause_ms=40)
            words = weigh(scene, storms)
            made = int(forks.communicate(timeout=30)[0])
        return f'{made / seconds:.0f} forks a second beside them\n{words}'

    tap.test('processes that connect and are gone at once are named as themselves, or not', gone_at_once)
    tap.test('among 10,000 processes, with 500 forks a second, every connect is its own', in_a_crowd, 2044)
    done(tap, scene)


def bursts(tap, sandbox):
    """More forks than any buffer holds while the judge stands still: what it was told of them is lost."""
    scene = Scene(sandbox)
    if not ready(tap, scene):
        return

    def burst(forks):
        with Cast(sandbox) as cast:
            actors = [cast.actor(2051 + n) for n in range(4)]
            truths = []
            with held(scene.egress):
                before = blow(scene, 60, (2055, 'fork'), (2056, 'exec'), (2057, 'thread'), pause_ms=5, count=100)
                made = sandbox.box.run([built(sandbox, 'crowd'), 'burst', forks], 2058, timeout=120)
                check(made.code == 0, str(made))
                for actor in actors:
                    family = FAMILIES[actor.uid % 2]
                    dst = scene.addresses.one(family)
                    actor.do(opened(family, dst))
                    truths.append(Truth(dst, actor.uid, [actor.me], [actor.me]))
            after = blow(scene, 5, (2061, 'fork'), (2062, 'long'), (2063, 'linger'), (2064, 'exec'), pause_ms=20)
            scene.judged(*truths)
            return f'{forks} forks in {made.seconds:.1f} s\n{weigh(scene, before + after)}'

    tap.test('after 50,000 forks that nobody listened to, every connect is its own', burst, 50000)
    done(tap, scene)


def storms(tap, sandbox):
    scene = Scene(sandbox)
    if not ready(tap, scene):
        return

    def storm():
        modes = (*LIVE, 'fire', 'exec-fire')
        casts = [(2101 + n % 20, modes[(n + n // 20) % len(modes)]) for n in range(40)]
        return weigh(scene, blow(scene, SECONDS, *casts, pause_ms=100))

    tap.test(f'twenty users connect in every way for {SECONDS} s, and no record is wrong', storm)
    done(tap, scene)


if __name__ == '__main__':
    main(lives, few_pids, crowds, bursts, storms)
