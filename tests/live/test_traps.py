#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The traps: sockets and processes arranged so that the wrong one looks right. Named wrongly: none, ever.

Each case knows who called connect(2) and who holds the socket; most of them keep the judge still while
they arrange it, so that what is looked up is what was arranged. Crowds, storms and pids that come round
again are in test_crowds.py.
"""

import functools
import os
import shutil
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from actors import Addresses, Cast, built, held
from egress import Egress, brief
from harness import BOX, _write, check, equal, main, wait_for
from services import install, prepare_box
from truth import Comparison, Truth, await_rows, compare, process, wrong

MAILER = 2050  # a mail user of these tests
FAMILIES = (4, 6)
TCP_FASTOPEN_CONNECT, MSG_FASTOPEN, IPPROTO_MPTCP = 30, 0x20000000, 262


class Scene:
    """A box with egressd, and every truth that was told in it."""

    def __init__(self, sandbox, **keys):
        prepare_box(sandbox)
        self.sandbox = sandbox
        self.addresses = Addresses(sandbox)
        # Folding would hide who came second. The budgets of a look-up are the product's own.
        self.egress = Egress(sandbox, **{'mail_users': ['postfix', str(MAILER)], 'fold_s': 1,
                                         'rows_per_offender': 1000000, 'lookup_ms': 100, 'script_ms': 20, **keys})
        self.truths = []
        self.stranger = process(os.getpid())
        self.taken = []  # destinations of two SYNs, judged by their case

    def judged(self, *truths, unknown_share=0.0):
        """Compares their records; what a case has no other words for."""
        self.truths += truths
        found = compare(self.egress, truths)
        found.require(unknown_share)
        return found

    def rows(self, truth):
        return await_rows(self.egress, [truth])

    def all_told(self):
        """Every record of the chapter is of a connect whose truth was told, and is true of it."""
        totals = self.egress.await_sum()
        rows = self.egress.verdicts()
        known = {truth.dst for truth in (*self.truths, *self.taken)}
        equal([row['dst'] for row in rows if row['dst'] not in known], [], 'records of no known connect')
        check(totals.adds_up(), str(totals))
        comparison = Comparison(rows, self.truths)
        check(not comparison.wrong, '\n'.join(comparison.wrong[:10]))
        return str(comparison)


def sees_lies(scene, cast, family):
    """The comparison itself: a true record changed in one word is no true record any more."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        actor.do(opened(family, dst))
    truth = Truth(dst, 2001, [actor.me], [actor.me])
    scene.judged(truth)
    row, = scene.rows(truth)
    two = Truth(dst, 2001, [actor.me], [actor.me, scene.stranger])
    stranger = {'pid': scene.stranger.pid, 'uid': 0, 'comm': 'x', 'start_ticks': scene.stranger.start}
    lies = ({'pid': scene.stranger.pid}, {'uid': 2002}, {'ruid': 2002}, {'exe': '/usr/bin/perl'}, {'script': '/other.php'},
            {'dst': '10.0.0.1'}, {'start_time': '2020-01-01T00:00:00+00:00'}, {'holders': [stranger]},
            {'owner_how': 'shared', 'n_holders': 2}, {'owner_how': 'unknown'}, {'owner_how': 'exited'},
            {'pid': None}, {'owner_how': 'unknown', 'owner_why': None, 'pid': None}, {'owner_how': 'in-flight', 'pid': None},
            {'owner_how': 'no-kernel-socket', 'pid': None}, {'owner_how': 'foreign-netns', 'pid': None},
            {'caller': {'pid': scene.stranger.pid, 'start_ticks': scene.stranger.start}})
    for lie in lies:
        check(list(wrong({**row, **lie}, truth)), f'not seen: {lie}')
    for lie in ({'owner_how': 'unique'}, {'owner_how': 'shared', 'n_holders': 3}, {'owner_how': 'shared', 'n_holders': 2}):
        check(list(wrong({**row, **lie}, two)), f'not seen where two hold it: {lie}')
    for other in (Truth(dst, 2001, [scene.stranger], [scene.stranger]), Truth(dst, 2001, [actor.me], [])):
        check(list(wrong(row, other)), f'not seen: {other}')


def both(scene, tap, sentence, case):
    for family in FAMILIES:
        tap.test(f'{sentence}, over IPv{family}', play, case, scene, family)


def play(case, scene, family):
    with Cast(scene.sandbox) as cast:
        return case(scene, cast, family)


def bound(family, port, option='SO_REUSEADDR'):
    """What an actor runs to have a socket `s` with this source port."""
    return (f's = opened({family}); s.setsockopt(socket.SOL_SOCKET, socket.{option}, 1); '
            f"s.bind(('', {port}))")


def opened(family, dst):
    return f's = opened({family}); answer = connect(s, {dst!r})'


# --- tuples: what a look-up by port, or by half a tuple, gets wrong --------------------------------


def same_port(option, users, scene, cast, family):
    first, second = (cast.actor(user) for user in users)
    one, two = scene.addresses.one(family), scene.addresses.one(family)
    port = 33000 + family
    with held(scene.egress, 2):
        for actor, dst in ((first, one), (second, two)):
            actor.do(bound(family, port, option))
            equal(actor.do(f'answer = connect(s, {dst!r})'), port, 'source port')
    truths = [Truth(one, users[0], [first.me], [first.me]), Truth(two, users[1], [second.me], [second.me])]
    scene.judged(*truths)
    equal({row['sport'] for truth in truths for row in scene.rows(truth)}, {port}, 'source ports')


def listener(gone, scene, cast, family):
    """Who listens on a port has nothing to do with who connects from it."""
    offender, bystander = cast.actor(2001), cast.actor(2002)
    dst, port = scene.addresses.one(family), 34000 + family + (10 if gone else 0)
    with held(scene.egress, 1):
        offender.do(bound(family, port))
        offender.do(f'connect(s, {dst!r})')
        bystander.do(bound(family, port))
        bystander.do('s.listen()')
        if gone:
            offender.do('s.close()')
    truth = Truth(dst, 2001, [offender.me], [] if gone else [offender.me], unknown=gone)
    scene.judged(truth)


def time_wait(scene, cast, family):
    """A copy that is looked at when the connection is over already: its inode is 0."""
    mailer, bystander = cast.actor(MAILER), cast.actor(MAILER)
    dst = scene.addresses.one(family)
    server = far_end(scene, family)
    bystander.do('many = [opened(4) for _ in range(8)]')
    try:
        with held(scene.egress):
            mailer.do(f's = opened({family}, False); s.settimeout(5); connect(s, {dst!r}); s.close()')
            check(wait_for(lambda: has_time_wait(scene, family), 5), 'no TIME_WAIT')
    finally:
        server.close()
    truth = Truth(dst, MAILER, [mailer.me], [], unknown=True)
    scene.judged(truth)
    row, = scene.rows(truth)
    check(row['owner_how'] in ('unknown', 'caller', 'exited'), row)
    equal(row['inode'] or None, None, 'inode')


def far_end(scene, family):
    """A mail server of the internet that takes each connection, and ends it after its client did."""
    server = scene.sandbox.internet.socket(socket.AF_INET6 if family == 6 else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('', 25))
    server.listen()

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    return Far(server)


class Far:
    def __init__(self, server):
        self.server = server

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def has_time_wait(scene, family):
    def read():
        with open(f"/proc/thread-self/net/{'tcp6' if family == 6 else 'tcp'}", encoding='ascii') as file:
            return any(line.split()[3] == '06' for line in file.readlines()[1:])
    return scene.sandbox.box.inside(read)


def mapped(scene, cast, _family):
    """The socket is IPv6, the packet is not."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(4)
    actor.do(f"s = opened(6, False); s.settimeout(5); s.connect_ex(('::ffff:{dst}', 25))")
    scene.judged(Truth(dst, 2001, [actor.me], [actor.me]))


def fchowned(scene, cast, family):
    """The socket's inode says 2003; root made it, and root's is the process."""
    actor = cast.actor(0)
    dst = scene.addresses.one(family)
    actor.do(f's = opened({family}); os.fchown(s.fileno(), 2003, 2003); connect(s, {dst!r})')
    truth = Truth(dst, 0, [actor.me], [actor.me])
    scene.judged(truth)
    row, = scene.rows(truth)
    equal((row['uid'], row['ruid']), (0, 0), 'uid, ruid')


def multipath(scene, cast, family):
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    kind = 'AF_INET6' if family == 6 else 'AF_INET'
    actor.do(f's = socket.socket(socket.{kind}, socket.SOCK_STREAM, {IPPROTO_MPTCP}); s.setblocking(False); '
             f'connect(s, {dst!r})')
    scene.judged(Truth(dst, 2001, [actor.me], [actor.me]))


def fast_open(way, scene, cast, family):
    """connect(2) sends nothing; the first write does, of whoever has the socket."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    deferred = f's = opened({family}); s.setsockopt(socket.IPPROTO_TCP, {TCP_FASTOPEN_CONNECT}, 1); s.connect(({dst!r}, 25))'
    with held(scene.egress, 1):
        if way == 'send':
            actor.do(f's = opened({family})\n'
                     f'try:\n s.sendto(b"EHLO", {MSG_FASTOPEN}, ({dst!r}, 25))\nexcept BlockingIOError: pass')
            people = [actor.me]
        else:
            actor.do(deferred)
            time.sleep(0.05)
            if way == 'child':
                people = [actor.me, actor.child('s.send(b"EHLO")')]
            else:
                actor.do('s.send(b"EHLO")')
                people = [actor.me]
    scene.judged(Truth(dst, 2001, people, people))


def taken_over(users, order, scene, cast, family):
    """The SYN waits, its socket is closed, and another process connects with the very same addresses and ports."""
    if order == 'older':
        other, offender = cast.actor(users[1]), cast.actor(users[0])
    else:
        offender = cast.actor(users[0])
    dst, port = scene.addresses.one(family), 35000 + 10 * family + users[1] % 10 + (5 if order == 'older' else 0)
    with held(scene.egress, 2):
        offender.do(bound(family, port))
        offender.do(f'connect(s, {dst!r}); s.close()')
        time.sleep(0.7)
        if order == 'younger':
            other = cast.actor(users[1])
        other.do(bound(family, port))
        other.do(f'connect(s, {dst!r})')
    truth = Truth(dst, users[0], [offender.me, other.me], [other.me], settled=False, unknown=True)
    rows = wait_for(lambda: enough(scene.egress.verdicts(dst=dst), 2), 5)
    check(rows, f'two SYNs left, recorded are {scene.egress.verdicts(dst=dst)}')
    scene.taken.append(truth)
    # Of two SYNs one is the second process's; no more than one may carry its name.
    named = [row for row in rows if row['pid'] == other.pid]
    said = [(row['uid'], row['pid'], row['owner_how'], row['owner_why'], row['count']) for row in rows]
    check(sum(row['count'] for row in named) <= 1, f"WRONG: both SYNs are said to be {other.pid}'s: {said}")
    for row in named:
        equal(row['uid'], users[1], f'uid of the SYN that carries its name: {said}')
    return str(said)


def by_port(scene, dst, people):
    """Several SYNs to one destination, told apart by their source ports: {port: (Process, does it hold it?)}.

    One program's repeats would be one row; so everybody has a script of its own, and who is named has one SYN.
    """
    rows = wait_for(lambda: enough(scene.egress.verdicts(dst=dst), len(people)), 5)
    check(rows, f'{len(people)} SYNs left, recorded are {[brief(row) for row in scene.egress.verdicts(dst=dst)]}')
    seen = []
    for row in rows:
        if not row['pid']:
            continue
        one, holds = people.get(row['sport'], (None, False))
        check(one and row['count'] == 1, f"WRONG: {row['count']} SYNs are said to be one process's: {brief(row)}")
        truth = Truth(dst, one.uid, [one], [one], settled=holds, unknown=not holds)
        check(not list(wrong(row, truth)), f"WRONG: port {row['sport']}: {list(wrong(row, truth))}")
        seen.append(row['sport'])
    silent = [port for port, (_, holds) in people.items() if holds and port not in seen]
    check(not silent, f'{len(silent)} of those that hold theirs are not named: {[brief(row) for row in rows]}')
    return f'{len(seen)} of {len(people)} named: ' + ', '.join(f"{row['owner_how']} x{row['count']}" for row in rows)


def one_server(users, stay, scene, cast, family):
    """Eight processes connect to one server at once; of those that do not stay, the socket is closed or the process ends."""
    actors = [cast.actor(users[n % len(users)], role=f'-{n}') for n in range(8)]
    dst, people = scene.addresses.one(family), {}
    scene.taken.append(Truth(dst, 0, [], []))
    with held(scene.egress, len(actors)):
        for n, actor in enumerate(actors):
            stays = n in stay
            people[actor.do(opened(family, dst))] = actor.me, stays
            if not stays and n % 4 == 1:
                actor.do('s.close()')
            elif not stays:
                actor.end()
    return by_port(scene, dst, people)


def by_hand(after, scene, cast, family):
    """A SYN that root writes through a raw socket is not the connect of root's other process to the same server."""
    writer, caller = cast.actor(0, role='-raw'), cast.actor(0, role='-tcp')
    dst, port = scene.addresses.one(family), 37000 + family + (10 if after else 0)
    scene.taken.append(Truth(dst, 0, [], []))
    source = BOX[family]
    write = f'''
ip = {{4: socket.AF_INET, 6: socket.AF_INET6}}[{family}]
raw = socket.socket(ip, socket.SOCK_RAW, socket.IPPROTO_TCP)
tcp = struct.pack('>HHIIBBHHH', {port}, 25, 1, 0, 5 << 4, 2, 1024, 0, 0)
pseudo = socket.inet_pton(ip, {source!r}) + socket.inet_pton(ip, {dst!r}) + struct.pack('>HH', 6, len(tcp))
words = struct.unpack('>%dH' % (len(pseudo + tcp) // 2), pseudo + tcp)
total = sum(words)
total = (total & 0xffff) + (total >> 16)
total = (total & 0xffff) + (total >> 16)
raw.sendto(tcp[:16] + struct.pack('>H', ~total & 0xffff) + tcp[18:], ({dst!r}, 0))'''
    with held(scene.egress, 2):
        if after:
            people = {caller.do(opened(family, dst)): (caller.me, True)}
        writer.do(write)
        if not after:
            people = {caller.do(opened(family, dst)): (caller.me, True)}
    people[port] = writer.me, False
    said = by_port(scene, dst, people)
    row, = scene.egress.verdicts(dst=dst, sport=port)
    check(row['pid'] is None and row['owner_how'] in ('no-kernel-socket', 'unknown'), f'the one by hand: {brief(row)}')
    return said


def deferred_beside(ends, scene, cast, family):
    """A SYN long after its connect(2), which the first write sends, and another's connect to the same server right after."""
    writer, caller = cast.actor(2001, role='-writes'), cast.actor(2001, role='-calls')
    dst = scene.addresses.one(family)
    scene.taken.append(Truth(dst, 0, [], []))
    writer.do(f's = opened({family}); s.setsockopt(socket.IPPROTO_TCP, {TCP_FASTOPEN_CONNECT}, 1); s.connect(({dst!r}, 25))')
    time.sleep(1)
    with held(scene.egress, 2):
        port = writer.do('s.send(b"EHLO"); answer = s.getsockname()[1]')
        if ends:
            writer.end()
        else:
            writer.do('s.close()')
        people = {caller.do(opened(family, dst)): (caller.me, True), port: (writer.me, False)}
    return by_port(scene, dst, people)


def enough(rows, attempts):
    return rows if sum(row['count'] for row in rows) >= attempts else None


def tuples(tap, sandbox):
    scene = Scene(sandbox)
    if not tap.test('egressd starts', lambda: scene.egress.start() and None):
        return
    sandbox.box.inside(lambda: _write('/proc/sys/net/ipv4/tcp_fastopen', '5'))
    each = functools.partial(both, scene, tap)
    each('a record that is changed in one word is seen to be wrong', sees_lies)
    each('two users connect from one source port to two servers, and each is named', functools.partial(same_port, 'SO_REUSEADDR', (2001, 2002)))
    each('two processes of one user do so by SO_REUSEPORT', functools.partial(same_port, 'SO_REUSEPORT', (2001, 2001)))
    each('who listens on the same local port is not named', functools.partial(listener, False))
    each('nor when the one that connected has closed its socket', functools.partial(listener, True))
    each('a connection in TIME_WAIT, whose inode is 0, is nobody else\'s', time_wait)
    tap.test('a v4-mapped socket is found', play, mapped, scene, 4)
    each('a socket given away by fchown(2) is still of who made it, and who has it', fchowned)
    each('an MPTCP socket is found', multipath)
    for way, words in (('write', 'and written to'), ('child', 'and written to by a child'), ('send', 'by the first send')):
        each(f'a deferred connect (TCP fast open) {words} is found', functools.partial(fast_open, way))
    for users, words in (((2001,), 'one user'), ((2001, 2002, 2003), 'three users')):
        for stay, rest in ((range(8), 'each is named'), ((0, 3, 4, 7), 'those that close or end are not taken for the others'),
                           ((7,), 'the last, which stays, is not taken for the seven others'),
                           ((0,), 'the first, which stays, is not taken for the seven others')):
            each(f'eight processes of {words} connect to one server, and {rest}', functools.partial(one_server, users, stay))
    for ends in (False, True):
        each(f"a SYN of a deferred connect whose {'process has ended' if ends else 'socket is closed'} is not another's connect",
             functools.partial(deferred_beside, ends))
    for after in (False, True):
        each(f"a SYN written by hand {'after' if after else 'before'} a connect to the same server is not that connect's",
             functools.partial(by_hand, after))
    for users in ((2001, 2002), (2003, 2003)):
        for order in ('younger', 'older'):
            both_of = 'another user' if users[0] != users[1] else 'the same user'
            each(f"a SYN whose addresses and ports a {order} process of {both_of} takes over is not that one's",
                 functools.partial(taken_over, users, order))
    tap.test('nothing else was recorded, and nothing wrong', scene.all_told)
    tap.test('egressd ends cleanly', lambda: equal(scene.egress.stop(), 0, 'exit code'))


# --- hands: who has the socket ---------------------------------------------------------------------


def passed(when, scene, cast, family):
    """SCM_RIGHTS from one user to another."""
    maker, taker = cast.actor(2001), cast.actor(2002)
    dst = scene.addresses.one(family)
    name = f"'\\0egt-{maker.pid}'"
    taker.do(f'u = socket.socket(socket.AF_UNIX); u.bind({name}); u.listen()')
    maker.do(f'u = socket.socket(socket.AF_UNIX); u.connect({name}); s = opened({family})')
    give = "socket.send_fds(u, [b'x'], [s.fileno()])"
    take = 'c, _ = u.accept(); s = socket.socket(fileno=socket.recv_fds(c, 9, 1)[1][0])'
    with held(scene.egress, 1):
        if when == 'after':
            maker.do(f'connect(s, {dst!r}); {give}; s.close()')
            taker.do(take)
            truth = Truth(dst, 2001, [maker.me], [taker.me])
        else:
            maker.do(give)
            taker.do(f'{take}; connect(s, {dst!r})')
            truth = Truth(dst, 2001, [taker.me], [maker.me, taker.me])
    scene.judged(truth)
    row, = scene.rows(truth)
    if row['pid'] == taker.pid and when == 'after':
        equal(row['foreign_holder'], True, 'foreign holder')


def connects_twice(scene, cast, family):
    """One socket, refused twice: the parent's connect, then its child's. Both hold it; each called once."""
    actor = cast.actor(2001)
    first, second = scene.addresses.one(family), scene.addresses.one(family)
    actor.do(f's = opened({family}, False)')
    child = process(actor.fork(f"""
ready, go = os.pipe()
def later():
    os.read(ready, 1)
    s.connect_ex(({second!r}, 25))
answer = child(later)"""), actor.script)
    with held(scene.egress, 1):
        actor.tell(f's.connect_ex(({first!r}, 25))')
    actor.hear()
    with held(scene.egress, 1):
        actor.do("os.write(go, b'x')")
    scene.judged(Truth(first, 2001, [actor.me], [actor.me, child]), Truth(second, 2001, [child], [actor.me, child]))


def parked(scene, cast, family):
    """In a unix socket, and in no process."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        actor.do(f's = opened({family}); connect(s, {dst!r}); a, b = socket.socketpair(); '
                 "socket.send_fds(a, [b'x'], [s.fileno()]); s.close()")
    scene.judged(Truth(dst, 2001, [actor.me], [], parked=True))


def forked(children, parent_ends, scene, cast, family):
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        actor.do(opened(family, dst))
        holders = [actor.child() for _ in range(children)]
        if parent_ends:
            os.kill(actor.pid, signal.SIGKILL)
            actor.process.wait()
        else:
            holders.insert(0, actor.me)
    scene.judged(Truth(dst, 2001, [actor.me], holders))


def executed(keeps, scene, cast, family):
    """It connects, and is another program by the time it is looked at; keeps: the socket, too."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        actor.do(opened(family, dst) + f'; s.set_inheritable({keeps})')
        actor.tell("os.execv('/bin/sleep', ['sleep', '600'])")
        check(wait_for(lambda: os.readlink(f'/proc/{actor.pid}/exe') == os.path.realpath('/bin/sleep'), 5), 'no exec')
    later = process(actor.pid)
    if keeps:
        scene.judged(Truth(dst, 2001, [actor.me.also(later)], [actor.me.also(later)]))
    else:  # the later program never had the socket
        scene.judged(Truth(dst, 2001, [actor.me], [], unknown=True))


def remembered(scene, cast, family):
    """It was named as one program; then it is another, in the same process and with the same descriptor."""
    actor = cast.actor(2001)
    later = install(scene.sandbox, 'actor.py', 'tmp', 'later.py')
    program = os.path.join(scene.sandbox.make_folder('tricks'), 'other-python3')
    shutil.copyfile('/usr/bin/python3', program)
    os.chmod(program, 0o755)
    truths = []
    for turn in range(2):
        for _ in range(3):
            dst = scene.addresses.one(family)
            actor.do(f's = opened({family}, False); s.settimeout(5); s.connect_ex(({dst!r}, 25)); s.close()')
            me = process(actor.pid, later if turn else actor.script)
            truths.append(Truth(dst, 2001, [me], [me]))
        if not turn:
            actor.tell(f"os.execv({program!r}, [{program!r}, '-B', {later!r}])")
            check(wait_for(lambda: os.readlink(f'/proc/{actor.pid}/exe') == program, 5), 'no exec')
            actor.do('answer = 1')
    equal(truths[0].callers[0].name, truths[-1].callers[0].name, 'the process')
    check(truths[0].callers[0].exes != truths[-1].callers[0].exes, 'it is no other program')
    scene.judged(*truths)


def executes_at_once(scene, cast, family):
    """Nobody waits for anybody: twenty children connect and become another program."""
    actor = cast.actor(2001)
    sleep = os.path.realpath('/bin/sleep')
    truths = []
    for _ in range(20):
        dst = scene.addresses.one(family)
        pid = actor.fork(f'answer = child(lambda: (globals().update(s=opened({family})), s.set_inheritable(True), '
                       f"connect(s, {dst!r}), os.execv('/bin/sleep', ['sleep', '600'])))")
        one = process(pid, actor.script)
        one = one.also(actor.me.__class__(one.pid, one.start, one.uid, (sleep, *actor.me.exes)))
        truths.append(Truth(dst, 2001, [one], [one]))
    scene.judged(*truths)


def table(mode, still, scene, cast, family):
    dst = scene.addresses.one(family)
    program = built(scene.sandbox, 'tables')
    if still:
        with held(scene.egress, 1):
            trick = cast.trick([program, mode, dst], 2001)
    else:
        trick = cast.trick([program, mode, dst], 2001)
    scene.judged(Truth(dst, 2001, [trick.caller], trick.holders))


def nested(rootless, scene, cast, family):
    """In a pid namespace of its own, where it has pid 1; rootless: and root is what it calls itself."""
    dst = scene.addresses.one(family)
    enter = ['unshare', '--pid', '--fork', '--kill-child']
    if rootless:
        words, user = [*enter, '--user', '--map-root-user'], 2001
    else:
        words, user = [*enter, 'setpriv', '--reuid=2001', '--regid=2001', '--clear-groups'], 0
    trick = cast.trick([*words, built(scene.sandbox, 'tables'), 'plain', dst], user, inside=True)
    equal(trick.caller.uid, 2001, 'real uid')
    scene.judged(Truth(dst, 2001, [trick.caller], trick.holders))


def set_user_id(scene, cast, family):
    dst = scene.addresses.one(family)
    helper = built(scene.sandbox, 'tables', 'helper', 2007, 0o4755)
    trick = cast.trick([helper, 'plain', dst], 2006)
    equal(trick.caller.uid, 2006, 'real uid of the helper')
    truth = Truth(dst, 2007, [trick.caller], trick.holders)
    scene.judged(truth)
    row, = scene.rows(truth)
    equal((row['ruid'], row['euid']), (2006, 2007), 'real and effective uid')


def ring(mode, still, scene, cast, family):
    dst = scene.addresses.one(family)
    words = [built(scene.sandbox, 'uring'), mode, dst]
    if still:
        with held(scene.egress, 1):
            trick = cast.trick(words, 2001)
    else:
        trick = cast.trick(words, 2001)
    direct = mode.startswith('direct')
    truth = Truth(dst, 2001, [trick.caller], [] if direct else trick.holders, unknown=direct)
    return str(scene.judged(truth))


def double_fork(scene, cast, family):
    """A daemon: its parent is gone, and so is its session."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        pid = actor.fork(f'''
r, w = os.pipe()
def daemon():
    if os.fork():
        os._exit(0)
    os.setsid()
    global s
    s = opened({family}); connect(s, {dst!r})
    os.write(w, str(os.getpid()).encode())
os.waitpid(child(daemon), 0)
answer = int(os.read(r, 99))''')
        orphan = actor.stray(pid)
    scene.judged(Truth(dst, 2001, [orphan], [orphan]))


LIE = 'lsphp:/home/other/public_html/mailer.php'
OVERWRITE = '''
words = open('/proc/self/stat').read().rsplit(')', 1)[1].split()
start, end = int(words[45]), int(words[46])
ctypes.memset(start, 0, end - start)
ctypes.memmove(start, {lie!r}, min(len({lie!r}), end - start - 1))
libc.prctl(15, {comm!r}, 0, 0, 0)
'''


def poses(lie, scene, cast, family):
    """Another site's title, arguments and name; the file it runs, and who it is, can't be changed so."""
    dst = scene.addresses.one(family)
    other = scene.sandbox.make_folder('srv', 'www', 'other.example', 'public')
    with open(f'{other}/mailer.py', 'w', encoding='ascii') as file:
        file.write('# an honest page of another site\n')
    actor = (cast.actor(2001, argv=['php-fpm: pool other.example'], executable='/usr/bin/python3') if lie == 'argv0'
             else cast.actor(2001))
    if lie == 'title':
        actor.do(OVERWRITE.format(lie=LIE.encode(), comm=b'lsphp'))
    elif lie == 'script':
        actor.do(OVERWRITE.format(lie=b'/usr/bin/python3\0/srv/www/other.example/public/mailer.py', comm=b'python3'))
    else:
        actor.do("libc.prctl(15, b'php-fpm8.2', 0, 0, 0)")
    actor.do(f's = opened({family}, False); s.settimeout(5); s.connect_ex(({dst!r}, 25))')
    truth = Truth(dst, 2001, [actor.me], [actor.me], poses=lie != 'script')
    scene.judged(truth)


def many_descriptors(where, scene, cast, family):
    """20,000 descriptors, as far as the machine lets one have them, and the socket among them."""
    actor = cast.actor(2001)
    dst = scene.addresses.one(family)
    with held(scene.egress, 1):
        actor.do('import resource; most = min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]); '
                 'resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))')
        if where == 'first':
            actor.do(f's = opened({family})')
        number = actor.do('''
fds, null = [], os.open('/dev/null', os.O_RDONLY)
while len(fds) < most - 40:
    fds.append(os.dup(null))
answer = len(fds)''')
        if where == 'last':
            actor.do(f's = opened({family})')
        if where == 'blocked':
            actor.tell(f's = opened({family}, False); s.connect_ex(({dst!r}, 25))')
        else:
            actor.do(f'connect(s, {dst!r})')
    truth = Truth(dst, 2001, [actor.me], [actor.me])
    scene.judged(truth)
    row, = scene.rows(truth)
    return f"of {number} descriptors {row['lookup_fds']} were read, in {row['lookup_us']} us: {row['owner_how']}"


def many_sockets(scene, cast, family):
    """4,096 sockets of one process, connecting at once."""
    actor = cast.actor(2001)
    net = scene.addresses.net(family)
    actor.do('import resource; most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; '
             'resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))')
    dsts = actor.do(f'''
import ipaddress
net = ipaddress.ip_address({net!r})
many = [(opened({family}), str(net + 256 + n)) for n in range(4096)]
for s, dst in many:
    connect(s, dst)
answer = [dst for _, dst in many]''')
    time.sleep(0.2)
    found = scene.judged(*(Truth(dst, 2001, [actor.me], [actor.me]) for dst in dsts), unknown_share=0.01)
    return str(found)


def hands(tap, sandbox):
    scene = Scene(sandbox)
    if not tap.test('egressd starts', lambda: scene.egress.start() and None):
        return
    each = functools.partial(both, scene, tap)
    part = functools.partial
    each('a socket passed on after its connect is said to be held by who has it now', part(passed, 'after'))
    each('a socket passed on before its connect is said to be held by both', part(passed, 'before'))
    each('a socket that connects twice, for two processes, is each time said to be held by both', connects_twice)
    each('a socket parked in a unix socket is said to be under way, or whose connect it was', parked)
    each('a socket that two children have, too, is said to be shared by three', part(forked, 2, False))
    each('a socket that eleven children have, too, is said to be shared by twelve', part(forked, 11, False))
    each('a socket whose maker has ended is said to be held by its children', part(forked, 2, True))
    each('a process that became another program with its socket is named', part(executed, True))
    each('a program that never had the socket is not named for the one before it', part(executed, False))
    each('a process that was named, and is another program since, is named as what it is', remembered)
    each('twenty processes that become another program at once are named', executes_at_once)
    for mode, words in (('plain', 'a plain process'), ('own-files', 'a thread with its own descriptor table'),
                        ('leader-gone', 'a thread whose leader has ended'),
                        ('thread-exec', 'a program that another thread than the leader executed'),
                        ('vfork', 'a child of vfork(2)'), ('vfork-exec', "the program of vfork(2)'s child"),
                        ('shared-table', 'a process that shares its table with another')):
        each(f'{words} is named', part(table, mode, False))
        each(f'{words} is named after a while', part(table, mode, True))
    each('a process of another pid namespace is named by the pid it has here', part(nested, False))
    each('a process that is root in a user namespace of its own is named with its real user', part(nested, True))
    each('a set-user-id helper is named, with both its users', set_user_id)
    for mode, words in (('enter', 'by io_uring'), ('sqpoll', "by io_uring's polling thread"),
                        ('direct', 'with a direct descriptor of io_uring'), ('direct-sqpoll', 'with both')):
        each(f'who connects {words} is named, or it is said why not', part(ring, mode, False))
        each(f'who connects {words} is named after a while, or it is said why not', part(ring, mode, True))
    each("a daemon whose parents are gone is named", double_fork)
    for lie, words in (('title', "another site's title"), ('argv0', "another program's name"), ('script', "another site's script among its arguments")):
        each(f'a process with {words} is named as what it is', part(poses, lie))
    for where, words in (('blocked', 'that waits in connect'), ('last', 'whose socket is the newest of them'),
                         ('first', 'whose socket is the oldest of them')):
        each(f'a process with 20,000 descriptors {words} is named', part(many_descriptors, where))
    each('4,096 sockets of one process are all its own', many_sockets)
    tap.test('nothing else was recorded, and nothing wrong', scene.all_told)
    tap.test('egressd ends cleanly', lambda: equal(scene.egress.stop(), 0, 'exit code'))


# --- a /proc that hides ----------------------------------------------------------------------------


class HidingEgress(Egress):
    """egressd in a mount namespace of its own, whose /proc shows each user its own processes only (hidepid=2)."""

    def spawn(self):
        with open(self.log_file, 'ab') as log:
            self.process = self.box.popen(
                ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c',
                 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', 'sh', self.egressd, '-c', self.file],
                stdout=log, stderr=log, env={'NOTIFY_SOCKET': f'{self.folder}/notify'})
        return self.process


def hidden(tap, sandbox):
    scene = Scene(sandbox)
    scene.egress = HidingEgress(sandbox, **scene.egress.keys)
    if not tap.test('egressd starts under a /proc that hides (hidepid=2)', lambda: scene.egress.start() and None):
        return

    def hides():
        with open(f"/proc/{scene.egress.pids()['judge']}/mountinfo", encoding='ascii') as file:
            last = [line for line in file if line.split()[4] == '/proc'][-1]
        check('hidepid=invisible' in last or 'hidepid=2' in last, last)

    tap.test("the judge's /proc does hide", hides)
    each = functools.partial(both, scene, tap)
    each('a process of another user is named', functools.partial(table, 'plain', False))
    each('a thread with its own descriptor table is named', functools.partial(table, 'own-files', False))
    each('a socket passed on is said to be held by who has it now', functools.partial(passed, 'after'))
    each('a socket that two children have, too, is said to be shared by three', functools.partial(forked, 2, False))
    tap.test('nothing else was recorded, and nothing wrong', scene.all_told)
    tap.test('egressd ends cleanly', lambda: equal(scene.egress.stop(), 0, 'exit code'))


if __name__ == '__main__':
    main(tuples, hands, hidden)
