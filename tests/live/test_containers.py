#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes out of containers: refused at once, counted once, and named by the process that did it, never by another.

Containers are made by hand (containers.py); the pid that a test expects is the one that the host sees.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from containers import KINDS, Container, prepare
from egress import JUDGE_UID, Egress, expect
from harness import HOLE, Skip, call, check, equal, main, stranger, wait_for
from services import Sink

NAMED = ('unique', 'confirmed')  # after the verdict the first becomes the other


def is_named(row, resident, container):
    check(row['owner_how'] in NAMED, f"how: {row['owner_how']}, {row['owner_why']}")
    expect(row, via='forward', pid=resident.pid, container=container.name, script=resident.script, owner_why=None,
           exe=os.path.realpath('/usr/bin/python3'), indev=container.device)


def is_unnamed(row, container, family, why='netns'):
    expect(row, via='forward', owner_how='foreign-netns', owner_why=why, pid=None, container=None,
           indev=container.device, src=container.address[family])


def refused(sandbox, resident, dst, port=25, *words):
    result, ms = resident.connect(dst, port, *words)
    equal((result, sandbox.cable.packets(dst)), ('ECONNREFUSED', []), f'{dst} in {ms} ms')
    return ms


def sums(egress):
    totals = egress.await_sum()
    check(totals.adds_up(), str(totals))
    equal(totals['lost'], 0, str(totals))
    return totals


def without(tap, sandbox):
    """containers = false: refused and recorded, by address and interface."""
    prepare(sandbox)
    container = Container(sandbox, 1)
    egress = Egress(sandbox)
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return
    resident = container.resident()
    sandbox.cable.forget()

    def unnamed(family, port):
        dst = stranger(family, 10)
        times = [refused(sandbox, resident, dst, port) for _ in range(5)]
        row = egress.one_verdict(dst=dst, dport=port, count=5)
        is_unnamed(row, container, family)
        expect(row, verdict='deny', reason='forwarded', rule='default', uid=None, charged_uid=None)
        return f'{statistics.median(times):.2f} ms'

    for family in (4, 6):
        for port in (25, 465, 587):
            tap.test(f'without egressd-enter a container is refused at once on {port} over IPv{family}, known by '
                     'address and interface', unnamed, family, port)

    def no_process():
        check('enter' not in egress.pids(), str(egress.pids()))

    def page():
        row = egress.verdicts(dst=stranger(4, 10), dport=25)[0]
        done = egress.ctl('show', str(row['id']))
        check(f'known by its address only: {container.address[4]} by {container.device}' in done.out, done.out)
        check('foreign-netns' in done.out, done.out)

    def others():
        """Two containers are two, though nothing is known of either but where it is."""
        second = Container(sandbox, 2)
        refused(sandbox, second.resident(), stranger(4, 10))
        rows = egress.await_verdicts(dst=stranger(4, 10), dport=25, indev='ct2')
        equal([(row['src'], row['count']) for row in rows], [(second.address[4], 1)], 'the second one')

    tap.test('and no process runs that could enter it', no_process)
    tap.test('egressctl show says where it came from', page)
    tap.test('two containers are told apart', others)
    tap.test('what is forwarded is counted exactly', sums, egress)

    def dead_judge(family):
        before = egress.totals()
        pids = egress.pids()
        os.kill(pids['judge'], signal.SIGKILL)
        check(egress.all_gone(), 'egressd ends with its judge')
        refused(sandbox, resident, stranger(family, 11))
        egress.start()
        totals = egress.await_sum()
        check(totals.adds_up(), str(totals))
        # Nobody was there to keep the record, but the kernel counted.
        equal((totals['seen'] - before['seen'], totals['lost'] - before['lost']), (1, 1), str(totals))

    for family in (4, 6):
        tap.test(f'with the judge dead nothing gets out of a container over IPv{family}', dead_judge, family)

    def stopped():
        egress.stop()
        refused(sandbox, resident, stranger(4, 12))
        refused(sandbox, resident, stranger(6, 12))

    tap.test('nor with egressd stopped', stopped)


def helper(tap, sandbox):
    """containers = true: the process is named, and proven."""
    prepare(sandbox)
    egress = Egress(sandbox, containers=True)
    if not tap.test('egressd starts with egressd-enter', lambda: egress.start() and None):
        return
    cable = sandbox.cable
    cable.forget()
    turn = iter(range(10, 250))
    boxes = {kind: Container(sandbox, n, kind) for n, kind in enumerate(KINDS, 1)}
    residents = {kind: container.resident() for kind, container in boxes.items()}

    def rights():
        with open(f"/proc/{egress.pids()['enter']}/status", encoding='ascii') as file:
            status = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
        equal((status['Uid'].split()[0], int(status['CapEff'], 16), int(status['CapBnd'], 16), status['NoNewPrivs']),
              (str(JUDGE_UID), 1 << 21 | 1 << 19, 1 << 21 | 1 << 19, '1'), 'its rights')  # SYS_ADMIN, SYS_PTRACE

    tap.test('egressd-enter has two capabilities and no way to more', rights)

    def named(kind, family):
        dst, container, resident = stranger(family, next(turn)), boxes[kind], residents[kind]
        times = [refused(sandbox, resident, dst) for _ in range(5)]
        row = egress.one_verdict(dst=dst, count=5)
        is_named(row, resident, container)
        expect(row, verdict='deny', reason='forwarded', src=container.address[family])
        return f"{statistics.median(times):.2f} ms, {row['owner_how']}, {row['lookup_us']} us"

    for kind in KINDS:
        for family in (4, 6):
            tap.test(f'a process in {kind} is refused at once and named over IPv{family}', named, kind, family)

    def php():
        script = os.path.join(sandbox.make_folder('html'), 'mail.php')
        shutil.copyfile(os.path.join(os.path.dirname(__file__), 'tricks', 'connect.php'), script)
        dst = stranger(4, next(turn))
        done = boxes['docker'].run('/usr/bin/php', script, dst, '25', user=33)
        check('errno=111' in done.out, str(done))
        row = egress.one_verdict(dst=dst)
        expect(row, script=script, user='www-data', charged_uid=33, ruid=33, container=boxes['docker'].name)

    tap.test('a PHP script of a moment ago is named with its user, as the host knows it', php)

    def user_namespace():
        """uid 0 in there is uid 33 out here."""
        resident = boxes['lxc'].resident(33, 'unshare', '--user', '--map-root-user')
        dst = stranger(4, next(turn))
        refused(sandbox, resident, dst)
        row = egress.one_verdict(dst=dst)
        is_named(row, resident, boxes['lxc'])
        expect(row, charged_uid=33, ruid=33, socket_uid=33)

    tap.test('root in a user namespace of its own is who it is outside', user_namespace)

    def born_now():
        container = Container(sandbox, 20, 'podman')
        resident = container.resident()
        dst = stranger(6, next(turn))
        refused(sandbox, resident, dst)
        is_named(egress.one_verdict(dst=dst), resident, container)

    tap.test('a container that has just been started is known', born_now)

    def many():
        """One of sixty in one container, each with a descriptor that the others have not."""
        container = Container(sandbox, 21, 'docker')
        crowd = [container.resident() for _ in range(12)]
        for resident in crowd[::4]:
            dst = stranger(4, next(turn))
            refused(sandbox, resident, dst)
            is_named(egress.one_verdict(dst=dst), resident, container)

    tap.test('the right one of many in a container is named', many)

    def device():
        dst = stranger(4, next(turn))
        refused(sandbox, residents['docker'], dst, 25, 0, 'eth0')
        is_named(egress.one_verdict(dst=dst), residents['docker'], boxes['docker'])

    tap.test('a socket that is bound to a device in there is found', device)

    def by_hand():
        container, dst = boxes['docker'], stranger(4, next(turn))
        residents['docker'].connect('RAW', container.address[4], dst, 25, 41000)
        is_unnamed(egress.one_verdict(dst=dst), container, 4, 'no-socket')
        dst = stranger(4, next(turn))
        residents['docker'].connect('RAW', '172.30.99.99', dst, 25, 41000)
        row = egress.one_verdict(dst=dst)
        expect(row, owner_how='foreign-netns', owner_why='netns', pid=None, src='172.30.99.99', indev=container.device)
        equal(cable.packets(dst), [], 'at the far end')

    tap.test('a SYN made by hand is nobody\'s, whatever address it claims', by_hand)

    def one_address():
        first, second = boxes['docker'], Container(sandbox, 22, 'lxc', address=1)
        other, dst = second.resident(), stranger(4, next(turn))
        refused(sandbox, residents['docker'], dst)
        is_named(egress.one_verdict(dst=dst), residents['docker'], first)
        # The box's answer goes to the first of the two, so this one hears nothing: but it is the one who asked.
        dst = stranger(4, next(turn))
        equal(other.connect(dst, 25)[0], 'ETIMEDOUT', 'the second, to whom the box knows no way')
        rows = egress.await_verdicts(dst=dst)
        equal({(row['pid'], row['container'], row['indev']) for row in rows},
              {(other.pid, second.name, second.device)}, 'who it was')
        # Both at once with the same ports: either could be it, so nobody is named.
        dst = stranger(4, next(turn))
        other.tell(dst, 25, 45000)
        first_rows = egress.await_verdicts(dst=dst, indev=second.device)
        equal([row['pid'] for row in first_rows], [other.pid], 'the first of two')
        refused(sandbox, residents['docker'], dst, 25, 45000)
        rows = egress.await_verdicts(dst=dst, indev=first.device)
        equal([(row['pid'], row['owner_how'], row['owner_why'], row['container']) for row in rows],
              [(None, 'unknown', 'netns', None)], 'one of two')
        other.answer()
        second.close()

    tap.test('of two namespaces with one address the one whose socket it is is named, and neither when both fit',
             one_address)

    def gone():
        """What egressd-enter keeps of a container must not keep it alive: its cable goes with it."""
        container = Container(sandbox, 23, 'nspawn')
        resident = container.resident()
        dst = stranger(4, next(turn))
        refused(sandbox, resident, dst)
        is_named(egress.one_verdict(dst=dst), resident, container)
        container.close()
        check(wait_for(lambda: 'ct23' not in sandbox.box.ip('-o', 'link'), 4), 'its interface stays in the box')

    tap.test('a container that ends is let go of', gone)

    def masqueraded(family):
        word = {4: 'ip', 6: 'ip6'}[family]
        nft(sandbox, f'table {word} egt_nat {{ chain post {{ type nat hook postrouting priority 100; '
                     f'oifname "eth0" masquerade; }}; }}')
        try:
            return named('podman', family)
        finally:
            nft(sandbox, f'delete table {word} egt_nat')

    for family in (4, 6):
        tap.test(f'a masquerading box names the process behind it over IPv{family}', masqueraded, family)

    def flood():
        """One container sends as fast as it can; another one's few are judged beside it, and credited to nobody else."""
        script = os.path.join(sandbox.make_folder('html'), 'loop.py')
        shutil.copyfile(os.path.join(os.path.dirname(__file__), 'tricks', 'loop.py'), script)
        target, dst = stranger(4, next(turn)), stranger(4, next(turn))
        flooder, quiet = boxes['lxc'], residents['nspawn']
        process = flooder.host.popen(flooder.argv('/usr/bin/python3', script, target, '25', '0', '3000'),
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        process.stdout.readline()
        times = []
        while process.poll() is None and len(times) < 200:
            times.append(refused(sandbox, quiet, dst))
            time.sleep(0.005)
        tally = process.communicate(timeout=60)[0]
        check('ECONNREFUSED=3000' in tally, tally)
        equal(cable.packets(target), [], 'at the far end')
        check({row['pid'] for row in egress.await_verdicts(dst=dst)} <= {quiet.pid, None}, 'a wrong one')
        rows = egress.verdicts(dst=target)
        check({row['script'] for row in rows} <= {script, None}, 'a wrong script')
        check(any(row['script'] == script for row in rows), 'never named')
        sums(egress)
        return f'{tally.strip()}; {len(times)} of the other, median {statistics.median(times):.2f} ms'

    tap.test('a container that floods is refused each time, and takes nobody else with it', flood)
    tap.test('what is forwarded and held is counted exactly', sums, egress)
    dies(tap, sandbox, egress, boxes['docker'], residents['docker'], turn)


def dies(tap, sandbox, egress, container, resident, turn):
    def again(family):
        def is_known():
            dst = stranger(family, next(turn))
            refused(sandbox, resident, dst)
            return egress.one_verdict(dst=dst)['pid'] == resident.pid
        check(wait_for(is_known, 10, 0.3), 'never named again')

    def hangs(family):
        pid = egress.pids()['enter']
        os.kill(pid, signal.SIGSTOP)
        dst = stranger(family, next(turn))
        ms = refused(sandbox, resident, dst)
        is_unnamed(egress.one_verdict(dst=dst), container, family, 'deadline')
        check(ms < egress.keys['lookup_ms'] + 500, f'{ms} ms')
        check(egress.said('does not answer', seconds=15), egress.log()[-800:])
        check(wait_for(lambda: egress.pids().get('enter', pid) != pid, 10), 'it was not started anew')
        again(family)
        return f'{ms:.0f} ms for the one that waited'

    def killed(family):
        pid = egress.pids()['enter']
        os.kill(pid, signal.SIGKILL)
        check(wait_for(lambda: egress.pids().get('enter', pid) != pid, 40), 'it was not started anew')
        again(family)

    def while_down(family):
        """Killed a second time it is given a pause, and nobody waits long for it."""
        deaths = egress.log().count('egressd-enter ended')
        for _ in range(3):
            pid = wait_for(lambda: egress.pids().get('enter'), 40)
            os.kill(pid, signal.SIGKILL)
            deaths += 1
            check(wait_for(lambda: egress.log().count('egressd-enter ended') >= deaths, 5), egress.log()[-800:])
        dst = stranger(family, next(turn))
        ms = refused(sandbox, resident, dst)
        check(ms < egress.keys['lookup_ms'] + 500, f'{ms} ms')
        row = egress.one_verdict(dst=dst)
        check(row['pid'] in (None, resident.pid), f"pid {row['pid']}")
        if row['pid'] is None:
            is_unnamed(row, container, family, 'deadline')
        check(wait_for(lambda: 'enter' in egress.pids(), 40), 'it was not started anew')
        again(family)

    tap.test('egressd-enter that hangs is waited for once, ended and started anew', hangs, 4)
    tap.test('egressd-enter that is killed is started anew', killed, 6)
    tap.test('while it is down a container is refused all the same, known by its address', while_down, 4)
    tap.test('and counts stay exact', sums, egress)

    def ends():
        equal(egress.stop(), 0, 'exit code')
        check(egress.all_gone(), str(egress.pids()))
        refused(sandbox, resident, stranger(4, next(turn)))

    tap.test('it ends with egressd', ends)


def runtime(tap, sandbox):
    """The same out of what docker starts its containers with."""
    prepare(sandbox)
    egress = Egress(sandbox, containers=True)
    if not tap.test('egressd starts before a container', lambda: egress.start() and None):
        return
    turn = iter(range(10, 250))

    def named(n, family, uid, outside):
        if not shutil.which('runc'):
            raise Skip('no runc')
        container = Container(sandbox, n, 'docker')
        resident = container.in_runtime(uid)
        try:
            dst = stranger(family, next(turn))
            ms = refused(sandbox, resident, dst)
            row = egress.one_verdict(dst=dst)
            is_named(row, resident, container)
            expect(row, ruid=outside, charged_uid=outside, verdict='deny', reason='forwarded')
        finally:
            container.close()
        return f"{ms:.2f} ms, {row['owner_how']}, {row['lookup_us']} us"

    for n, (family, uid, outside, words) in enumerate(((4, 0, 0, 'root'), (6, 0, 0, 'root'),
                                                      (4, 33, 100033, 'www-data in a user namespace of its own')), 40):
        tap.test(f'{words} in a container that runc started is named over IPv{family}', named, n, family, uid, outside)
    tap.test('and all of it is counted exactly', sums, egress)


def monitor(tap, sandbox):
    """mode = "monitor": what is forwarded passes, and is named."""
    prepare(sandbox)
    Sink(sandbox)
    egress = Egress(sandbox, mode='monitor', containers=True)
    if not tap.test('egressd starts in monitor mode', lambda: egress.start() and None):
        return
    container = Container(sandbox, 1, 'lxc')
    resident = container.resident()
    sandbox.cable.forget()

    def passes(family):
        dst = stranger(family, 10)
        result, ms = resident.connect(dst, 25)
        equal(result, 'connected', f'after {ms} ms')
        equal([syn.src for syn in sandbox.cable.syns(dst)], [container.address[family]], 'at the far end')
        row = egress.one_verdict(dst=dst)
        expect(row, verdict='would-deny', reason='forwarded', mode='monitor', pid=resident.pid,
               container=container.name)

    def again():
        result, _ = resident.connect(HOLE[4], 25)
        equal(result, 'ETIMEDOUT', 'a black hole')
        syns = len(sandbox.cable.syns(HOLE[4]))
        check(syns >= 2, f'{syns} SYNs')
        expect(egress.one_verdict(dst=HOLE[4]), count=1, pid=resident.pid)
        return f'{syns} SYNs, one attempt'

    for family in (4, 6):
        tap.test(f'monitor lets a container pass over IPv{family}, named and on record as would-deny', passes, family)
    tap.test('a SYN of a container that is sent again is one attempt', again)
    tap.test('monitor mode counts what is forwarded exactly', sums, egress)


def nft(sandbox, text):
    done = sandbox.box.run(['/usr/sbin/nft', '-f', '-'], input=text + '\n')
    check(done.code == 0, str(done))


main(without, helper, runtime, monitor)
