# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces that hold a hosting box and an internet, and the clean way out of them.

A Sandbox is two namespaces joined by one cable. Processes are started inside by setns(2) before
exec, so the pid that a test knows is the pid that the kernel sees. The far end is the judge of
what got out: Cable reads every packet as it arrives at the internet's end. Only documentation
addresses (RFC 5737, RFC 3849) are used, and nothing leaves the two namespaces.

It knows nothing of egressd (egress.py does) nor of mail and web servers (services.py).
"""

import atexit
import collections
import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PREFIX = 'egt-live'
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000  # linux/sched.h
MAIL_PORTS = (25, 465, 587)

BOX4, BOX6 = '192.0.2.10', '2001:db8:0:2::10'
GATE4, GATE6 = '192.0.2.1', '2001:db8:0:2::1'
SINK4, SINK6 = '198.51.100.25', '2001:db8:25::25'  # where the box's own mail goes
HOLE4, HOLE6 = '198.51.100.200', '2001:db8:dead::1'  # packets arrive and nobody answers
LOCAL = {4: '127.0.0.1', 6: '::1'}
BOX = {4: BOX4, 6: BOX6}
SINK = {4: SINK4, 6: SINK6}
HOLE = {4: HOLE4, 6: HOLE6}


def stranger(family, n):
    """The n-th mail server of somebody else (1..254). All are answered by the same sink."""
    return f'203.0.113.{n}' if family == 4 else f'2001:db8:bad:{n:x}::1'


_libc = ctypes.CDLL(None, use_errno=True)


def setns(fd, kind):
    if _libc.setns(fd, kind) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), 'setns')


def user_ids(user):
    """A name or a number to uid and gid; a number without a passwd entry has gid = uid."""
    if isinstance(user, str):
        entry = pwd.getpwnam(user)
        return entry.pw_uid, entry.pw_gid
    try:
        return user, pwd.getpwuid(user).pw_gid
    except KeyError:
        return user, user


def wait_for(question, seconds=5.0, every=0.02):
    """Asks until the answer is true, and returns the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(every)


def call(*argv):
    """A command of ours on the real machine; what it printed, or RuntimeError with its words."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout.strip() or done.returncode}")
    return done.stdout


class Finished:
    """A command that ended: what it was, what it said."""

    def __init__(self, argv, pid, code, out, err, seconds):
        self.argv, self.pid, self.code = argv, pid, code
        self.out, self.err, self.seconds = out, err, seconds

    def __str__(self):
        return f"{' '.join(self.argv)}: exit {self.code}: {(self.out + self.err).strip()[:2000]}"


class Host:
    """One side: a network namespace, and the mount namespace its processes see (or ours)."""

    def __init__(self, name):
        self.name, self.mounts_fd, self.holder = name, None, None
        call('ip', 'netns', 'add', name)
        self.net_fd = os.open(f'/run/netns/{name}', os.O_RDONLY | os.O_CLOEXEC)
        self.inode = os.fstat(self.net_fd).st_ino
        self.ip('link', 'set', 'lo', 'up')

    def ip(self, *words):
        return call('ip', '-n', self.name, *words)

    def private_mounts(self, binds):
        """A mount namespace of its own, in which each folder of binds lies over its place."""
        script = ''.join(f'mount --bind "{here}" "{there}" && ' for here, there in binds.items())
        self.holder = subprocess.Popen(
            ['unshare', '--mount', '--propagation', 'private', 'nsenter', f'--net=/run/netns/{self.name}',
             '/bin/sh', '-c', script + 'echo ready && exec sleep infinity'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        if self.holder.stdout.readline() != 'ready\n':
            raise RuntimeError(f'{self.name}: no mount namespace')
        self.mounts_fd = os.open(f'/proc/{self.holder.pid}/ns/mnt', os.O_RDONLY | os.O_CLOEXEC)

    def popen(self, argv, user='root', env=None, cwd='/', **kwargs):
        uid, gid = user_ids(user)

        def enter():
            setns(self.net_fd, CLONE_NEWNET)
            if self.mounts_fd is not None:
                setns(self.mounts_fd, CLONE_NEWNS)
            os.chdir(cwd)
            if uid != 0:
                os.setgroups([])
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)

        clean = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
                 'LANG': 'C', 'LC_ALL': 'C', 'HOME': '/nonexistent', **(env or {})}
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen([str(word) for word in argv], preexec_fn=enter, env=clean,
                                start_new_session=True, **kwargs)

    def run(self, argv, user='root', env=None, cwd='/', input=None, timeout=30):
        start = time.monotonic()
        process = self.popen(argv, user, env, cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
        try:
            out, err = process.communicate(input.encode() if input is not None else None, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += b'\n(harness: ended after its time)'
        return Finished([str(word) for word in argv], process.pid, process.returncode,
                        out.decode('utf-8', 'backslashreplace'), err.decode('utf-8', 'backslashreplace'),
                        time.monotonic() - start)

    def inside(self, work):
        """Runs work() in a thread that is inside the namespace: a socket made there stays there."""
        box = []

        def body():
            try:
                setns(self.net_fd, CLONE_NEWNET)
                box.append((True, work()))
            except BaseException as error:  # handed to the caller, not swallowed
                box.append((False, error))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        good, value = box[0]
        if not good:
            raise value
        return value

    def socket(self, family, kind=socket.SOCK_STREAM, protocol=0):
        return self.inside(lambda: socket.socket(family, kind, protocol))

    def connect(self, address, port, seconds=5.0):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        connection = self.socket(family)
        connection.settimeout(seconds)
        try:
            connection.connect((address, port))
        except BaseException:
            connection.close()
            raise
        return connection

    def listens(self, address, port):
        try:
            self.connect(address, port, 1.0).close()
            return True
        except OSError:
            return False

    def processes(self):
        """Every process in this network namespace, also those that left their parents."""
        found = []
        for word in os.listdir('/proc'):
            if word.isdigit():
                try:
                    if os.stat(f'/proc/{word}/ns/net').st_ino == self.inode:
                        found.append(int(word))
                except OSError:
                    continue
        return found

    def end_processes(self):
        """By pid, and only what stands in this namespace; SIGTERM first, then SIGKILL."""
        for number, seconds in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
            end = time.monotonic() + seconds
            pids = self.processes()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            while time.monotonic() < end:
                _reap()
                pids = [pid for pid in self.processes() if not _zombie(pid)]
                if not pids:
                    return
                if number == signal.SIGKILL:
                    for pid in pids:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)

    def close(self):
        self.end_processes()
        if self.holder:
            self.holder.kill()
            self.holder.wait()
            self.holder.stdout.close()
        for fd in (self.net_fd, self.mounts_fd):
            if fd is not None:
                os.close(fd)
        call('ip', 'netns', 'del', self.name)


def _reap():
    """Children of ours that nobody waits for any more must not stay as zombies."""
    for process in list(subprocess._active):  # pylint: disable=protected-access
        process.poll()


def _zombie(pid):
    try:
        with open(f'/proc/{pid}/stat', 'rb') as file:
            return file.read().rsplit(b')', 1)[1].split()[0] == b'Z'
    except OSError:
        return True


Arrival = collections.namedtuple('Arrival', 'time src dst sport dport flags')
SYN, ACK = 0x02, 0x10


class Cable:
    """What arrives at the internet's end of the cable for the mail ports: the judge of every test.

    The packets wait in an AF_PACKET socket's buffer until a question is asked; a dropped one is
    an error, never a smaller number.
    """

    def __init__(self, internet):
        self.arrivals, self.lost = [], 0
        self.socket = internet.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.socket.bind(('eth0', 3))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    @staticmethod
    def _tcp(frame):
        """(src, dst, offset of TCP) of an Ethernet frame, or None."""
        kind = frame[12:14]
        if kind == b'\x08\x00' and len(frame) >= 34 and frame[23] == 6:
            if struct.unpack('>H', frame[20:22])[0] & 0x1fff:
                return None
            return (socket.inet_ntop(socket.AF_INET, frame[26:30]),
                    socket.inet_ntop(socket.AF_INET, frame[30:34]), 14 + (frame[14] & 15) * 4)
        if kind == b'\x86\xdd' and len(frame) >= 54:
            header, at = frame[20], 54
            while header in (0, 43, 44, 60) and at + 8 <= len(frame):  # RFC 8200 4.1
                size = 8 if header == 44 else (frame[at + 1] + 1) * 8
                header, at = frame[at], at + size
            if header == 6:
                return (socket.inet_ntop(socket.AF_INET6, frame[22:38]),
                        socket.inet_ntop(socket.AF_INET6, frame[38:54]), at)
        return None

    def drain(self):
        while True:
            try:
                frame, (_, _, direction, *_) = self.socket.recvfrom(65536)
            except BlockingIOError:
                break
            tcp = self._tcp(frame) if direction != 4 else None  # 4: PACKET_OUTGOING
            if tcp and tcp[2] + 14 <= len(frame):
                src, dst, at = tcp
                sport, dport = struct.unpack('>HH', frame[at:at + 4])
                if dport in MAIL_PORTS:
                    self.arrivals.append(Arrival(time.time(), src, dst, sport, dport, frame[at + 13]))
        _, dropped = struct.unpack('II', self.socket.getsockopt(263, 6, 8))  # PACKET_STATISTICS
        self.lost += dropped
        if self.lost:
            raise RuntimeError(f'the judge lost {self.lost} packets')

    def packets(self, dst=None, dport=None, flags=0):
        """Arrived packets for this destination (a text, or several) with all these flags."""
        self.drain()
        wanted = {dst} if isinstance(dst, str) else dst
        return [arrival for arrival in self.arrivals
                if (wanted is None or arrival.dst in wanted) and (dport is None or arrival.dport == dport)
                and arrival.flags & flags == flags]

    def syns(self, dst=None, dport=None):
        return [arrival for arrival in self.packets(dst, dport, SYN) if not arrival.flags & ACK]

    def forget(self):
        self.drain()
        self.arrivals.clear()


class Sandbox:
    """The box and the internet, a folder for everything, and the promise that nothing stays."""

    def __init__(self):
        self.name = f'{PREFIX}-{os.getpid()}'
        self.folder = None
        self.box = self.internet = self.cable = None
        self.closers = collections.deque()  # last opened, first closed
        self.closed = False

    def path(self, *words):
        return os.path.join(self.folder, *words)

    def make_folder(self, *words, user=None, mode=0o755):
        path = self.path(*words)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if user is not None:
            os.chown(path, *user_ids(user))
        return path

    def __enter__(self):
        if os.geteuid() != 0:
            raise SystemExit('Bail out! network namespaces need root')
        reap_stale()
        atexit.register(self.close)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        self.folder = tempfile.mkdtemp(prefix=f'{self.name}-', dir='/tmp')
        os.chmod(self.folder, 0o755)
        try:
            self._wire()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _wire(self):
        self.internet = Host(f'{self.name}-net')
        self.box = Host(f'{self.name}-box')
        call('ip', 'link', 'add', 'eth0', 'netns', self.box.name, 'type', 'veth', 'peer', 'name', 'eth0',
             'netns', self.internet.name)
        for host, four, six in ((self.box, BOX4, BOX6), (self.internet, GATE4, GATE6)):
            host.inside(lambda: _write('/proc/sys/net/ipv6/conf/eth0/accept_dad', '0'))
            host.ip('address', 'add', f'{four}/24', 'dev', 'eth0')
            host.ip('address', 'add', f'{six}/64', 'dev', 'eth0', 'nodad')
            host.ip('link', 'set', 'eth0', 'up')
        self.box.ip('route', 'add', 'default', 'via', GATE4)
        self.box.ip('-6', 'route', 'add', 'default', 'via', GATE6)
        # Any address of these networks is the internet's own, without naming each.
        for network in ('198.51.100.0/25', '203.0.113.0/24'):
            self.internet.ip('route', 'add', 'local', network, 'dev', 'lo')
        for network in ('2001:db8:25::/48', '2001:db8:bad::/48'):
            self.internet.ip('-6', 'route', 'add', 'local', network, 'dev', 'lo')
        self.internet.ip('route', 'add', 'blackhole', '198.51.100.128/25')
        self.internet.ip('-6', 'route', 'add', 'blackhole', '2001:db8:dead::/48')
        self.cable = Cable(self.internet)
        # The first packet must not wait for a neighbour's address.
        for address in (GATE4, GATE6):
            wait_for(lambda: self._answers(address), 5)

    def _answers(self, address):
        try:
            self.box.connect(address, 9, 1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True

    def on_close(self, closer):
        self.closers.appendleft(closer)

    def close(self):
        if self.closed:
            return
        self.closed = True
        old = [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        for closer in self.closers:
            try:
                closer()
            except Exception as error:  # pylint: disable=broad-except
                print(f'# while cleaning up: {error}')
        if self.cable:
            self.cable.close()
        self.inodes = [host.inode for host in (self.box, self.internet) if host]
        for host in (self.box, self.internet):
            if host:
                host.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)
        for number, handler in zip((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), old):
            signal.signal(number, handler)

    def leftovers(self):
        """What stayed behind after close(): nothing, or a line each."""
        left = []
        for word in os.listdir('/proc'):
            with contextlib.suppress(OSError):
                if word.isdigit() and os.stat(f'/proc/{word}/ns/net').st_ino in self.inodes:
                    left.append(f'process {word}')
        left += [f'namespace {word}' for word in os.listdir('/run/netns') if word.startswith(self.name + '-')]
        with open('/proc/self/mountinfo', encoding='utf-8') as file:
            left += [f'mount {line.split()[4]}' for line in file if self.name in line]
        if os.path.exists(self.folder):
            left.append(f'folder {self.folder}')
        return left


def _write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def _leave(number, _frame):
    raise SystemExit(128 + number)


def reap_stale():
    """Takes away what a harness that was killed could not: namespaces and folders named by its pid."""
    if not os.path.isdir('/run/netns'):
        return
    dead = set()
    for folder in ('/run/netns', '/tmp'):
        for word in os.listdir(folder):
            match = re.fullmatch(PREFIX + r'-(\d+)-.*', word)
            if match and not os.path.exists(f'/proc/{match[1]}'):
                dead.add((folder, word))
    for folder, word in sorted(dead):
        if folder == '/tmp':
            continue
        host = Host.__new__(Host)
        host.name, host.holder, host.mounts_fd = word, None, None
        host.net_fd = os.open(f'/run/netns/{word}', os.O_RDONLY)
        host.inode = os.fstat(host.net_fd).st_ino
        host.close()
    for folder, word in dead:
        if folder == '/tmp':
            shutil.rmtree(os.path.join(folder, word), ignore_errors=True)


class Skip(Exception):
    """This test can't be made here; its text says why."""


class Tap:
    """TAP, version 12: a sentence for each behaviour."""

    def __init__(self):
        self.number = self.failed = 0

    @staticmethod
    def say(text):
        for line in str(text).splitlines():
            print(f'# {line}', flush=True)

    def ok(self, sentence, good=True, detail=''):
        self.number += 1
        print(f"{'ok' if good else 'not ok'} {self.number} - {sentence}", flush=True)
        if not good:
            self.failed += 1
            self.say(detail)
        return good

    def test(self, sentence, work, *args):
        """Runs work(*args): what it raises is the failure; a text it returns is a comment."""
        try:
            comment = work(*args)
        except Skip as why:
            self.number += 1
            print(f'ok {self.number} - {sentence} # SKIP {why}', flush=True)
            return False
        except AssertionError as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            detail = str(error) or place.line
            return self.ok(sentence, False, f'{os.path.basename(place.filename)}:{place.lineno}: {detail}')
        except Exception:  # pylint: disable=broad-except
            return self.ok(sentence, False, traceback.format_exc(limit=-4))
        self.ok(sentence)
        if comment:
            self.say(comment)
        return True

    def end(self):
        print(f'1..{self.number}', flush=True)
        return 1 if self.failed or not self.number else 0


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError(f'{what}: {got!r}, expected {wanted!r}')


def check(good, what):
    if not good:
        raise AssertionError(what)


def main(*chapters):
    """Runs each chapter(tap, sandbox) in a sandbox of its own, then asks what stayed behind."""
    tap = Tap()
    sys.stdout.reconfigure(line_buffering=True, errors='backslashreplace')
    for chapter in chapters:
        sandbox = Sandbox()
        try:
            with sandbox:
                chapter(tap, sandbox)
        except Exception:  # pylint: disable=broad-except
            tap.ok(f'{chapter.__name__} comes to its end', False, traceback.format_exc())
        left = sandbox.leftovers() if sandbox.folder else []
        tap.ok(f"no process, namespace, mount or file of '{chapter.__name__}' stays behind", not left, '\n'.join(left))
    sys.exit(tap.end())
