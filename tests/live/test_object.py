#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that are deleted, in memory, or where anybody may write connect to port 25, and are kept. TAP; root.

A veth pair whose far end nobody answers keeps every connect in SYN_SENT, as a held packet does. object_tool does
with the owner what judge, witness and recorder do.
"""
import atexit
import ctypes
import hashlib
import json
import os
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

if os.environ.get('EGT_OBJECT') != 'inside':
    # Namespaces of its own, which end with it: network, mounts, and pids.
    os.environ['EGT_OBJECT'] = 'inside'
    os.execvp('unshare', ['unshare', '-n', '-m', '-p', '-f', '--kill-child', '--mount-proc', sys.executable,
                          os.path.abspath(__file__)])

WEB, NOBODY = 33, 65534
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(os.environ.get('BUILD', os.path.join(TREE, 'build')), 'tests/live/object_tool')
FILE, FOLDER, UNKNOWN = 1, 2, 4  # enum owner_place
MIB = 1 << 20
CONNECT = """
import socket, time
s = socket.socket()
s.connect(('10.77.0.2', 25))
"""
STATIC = """
#include <arpa/inet.h>
#include <sys/socket.h>
int main(void)
{
	struct sockaddr_in to = { AF_INET, htons(25), { inet_addr("10.77.0.2") } };
	return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof(to));
}
"""
home = None
processes = []
count = failed = 0


def sh(*words, check=True):
    return subprocess.run(words, check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def clean():
    for process in processes:
        if process.poll() is None:
            process.kill()
    for process in processes:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            pass
    if home:
        shutil.rmtree(home, ignore_errors=True)


def setup():
    global home
    atexit.register(clean)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    # Where nobody else may write on the way: not below /tmp.
    home = tempfile.mkdtemp(prefix='egt-object-', dir='/var/lib')
    os.chmod(home, 0o755)
    for line in ('link set lo up', 'link add e0 type veth peer name e1', 'link set e1 up', 'addr add 10.77.0.1/24 dev e0',
                 'link set e0 up', 'neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev e0'):
        sh('ip', *line.split())
    shutil.copy(TOOL, home + '/object_tool')  # whoever runs it may not see this tree
    sh('mount', '-t', 'tmpfs', '-o', 'mode=1777', 'egt', '/dev/shm')


def syn():
    """The one socket to port 25 that waits for an answer, or None."""
    with open('/proc/self/net/tcp') as file:
        for line in file.readlines()[1:]:
            words = line.split()
            address, port = words[1].split(':')
            if words[3] == '02' and words[2].endswith(':0019'):
                return socket.inet_ntoa(struct.pack('=I', int(address, 16))), int(port, 16)
    return None


def wait_for(question, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError('it never came')


class Sender:
    """A program, as a user's, that connects to port 25 and waits; ended with the block."""

    def __init__(self, argv, executable=None, uid=WEB, pass_fds=()):
        def become():
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        self.uid = uid
        self.process = subprocess.Popen(argv, executable=executable, preexec_fn=become, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=pass_fds, cwd='/')
        processes.append(self.process)
        self.pid = self.process.pid

    def __enter__(self):
        self.address, self.port = wait_for(syn)
        time.sleep(0.03)  # into the system call in which it waits
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not syn())


class Tool:
    """object_tool with a folder of its own; ended with the block."""

    def __init__(self, object_bytes=16 * MIB, objects_bytes=256 * MIB, wrap=(), owner=0):
        self.folder = tempfile.mkdtemp(prefix='objects-', dir=home)
        os.chown(self.folder, owner, owner)
        self.process = subprocess.Popen([*wrap, home + '/object_tool', self.folder, str(object_bytes), str(objects_bytes)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # nothing of it waits where a signal does not reach
        self.process.wait(5)
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, sender):
        self.process.stdin.write(f'{sender.address} {sender.port} 10.77.0.2 25 {sender.uid}\n')
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], 60)[0]:
            raise AssertionError('no answer: it hangs')
        answer = json.loads(self.process.stdout.readline())
        same(answer['pid'], sender.pid, answer)
        return answer

    def kept(self):
        return sorted(os.listdir(self.folder))

    def must_keep(self, answer, content):
        """The answer's digest is the content's, and the copy has it byte by byte."""
        digest = hashlib.sha256(content).hexdigest()
        same((answer['why'], answer['sha256'], answer['bytes'], answer['copy']), ('none', digest, len(content), True),
             answer)
        path = os.path.join(self.folder, digest)
        said = sh('sha256sum', path).stdout.split()[0].decode()
        same(said, digest)
        with open(path, 'rb') as file:
            assert file.read() == content, 'the copy is another'
        same(stat.S_IMODE(os.stat(path).st_mode), 0o400)


def same(got, wanted, context=None):
    if got != wanted:
        raise AssertionError(f'got {got!r}, wanted {wanted!r}; {context}')


def content_of(path):
    with open(path, 'rb') as file:
        return file.read()


PYTHON = os.path.realpath('/usr/bin/python3')


def copy_python(path, mode=0o755):
    """An interpreter of its own content: each test's is another file."""
    content = content_of(PYTHON) + path.encode()
    with open(path, 'wb') as file:
        file.write(content)
    os.chmod(path, mode)
    return content


def test(name):
    def run(body):
        global count, failed
        count += 1
        try:
            skip = body()
            print(f'ok {count} - {name}' + (f' # SKIP {skip}' if skip else ''), flush=True)
        except Exception:
            failed += 1
            print(f'not ok {count} - {name}', flush=True)
            for line in traceback.format_exc().splitlines():
                print('# ' + line, flush=True)
    return run


setup()


@test('an interpreter of the system is not suspicious, and nothing is said of it')
def _():
    with Tool() as tool, Sender(['python3', '-c', CONNECT], PYTHON) as sender:
        answer = tool.ask(sender)
        same((answer['suspicious'], answer['place'], answer['note'], answer['poses']), (False, 0, False, False), answer)


@test('an interpreter that was deleted while it runs is kept, by its file and not by its name')
def _():
    path = home + '/php'
    content = copy_python(path)
    with Tool() as tool, Sender([path, '-c', CONNECT]) as sender:
        os.unlink(path)
        shutil.copy('/bin/true', path)
        answer = tool.ask(sender)
        os.unlink(path)
        same((answer['suspicious'], answer['opened']), (True, True), answer)
        tool.must_keep(answer, content)


@test('a program that never was a file is kept')
def _():
    content = content_of(PYTHON) + b'memfd'
    fd = os.memfd_create('kworker', 0)
    with os.fdopen(os.dup(fd), 'wb') as file:
        file.write(content)
    reader = os.open(f'/proc/self/fd/{fd}', os.O_RDONLY)
    os.close(fd)
    with Tool() as tool, Sender(['[kworker/0:1]', '-c', CONNECT], f'/proc/self/fd/{reader}',
                                pass_fds=(reader,)) as sender:
        answer = tool.ask(sender)
        same((answer['suspicious'], answer['poses']), (True, True), answer)
        tool.must_keep(answer, content)
    os.close(reader)


def in_folder(folder):
    path = f'{folder}/egt-{os.getpid()}'
    content = copy_python(path)
    try:
        with Tool() as tool, Sender([path, '-c', CONNECT]) as sender:
            answer = tool.ask(sender)
            same(answer['place'], FOLDER, answer)
            tool.must_keep(answer, content)
    finally:
        os.unlink(path)


@test('a program in /tmp is kept')
def _():
    in_folder('/tmp')


@test('a program in /dev/shm is kept')
def _():
    in_folder('/dev/shm')


@test('a program below a folder that anybody may write to is kept, also when it lies deeper')
def _():
    os.makedirs('/var/tmp/egt-deep/a/b', 0o755, exist_ok=True)
    try:
        in_folder('/var/tmp/egt-deep/a/b')
    finally:
        shutil.rmtree('/var/tmp/egt-deep')


@test('a program whose file anybody may write to is kept')
def _():
    path = home + '/loose'
    content = copy_python(path, 0o757)
    with Tool() as tool, Sender([path, '-c', CONNECT]) as sender:
        answer = tool.ask(sender)
        same(answer['place'], FILE, answer)
        tool.must_keep(answer, content)


@test('a program in a folder of its user is not suspicious')
def _():
    os.mkdir(home + '/user', 0o700)
    os.chown(home + '/user', WEB, WEB)
    copy_python(home + '/user/x')
    with Tool() as tool, Sender([home + '/user/x', '-c', CONNECT]) as sender:
        answer = tool.ask(sender)
        same((answer['suspicious'], answer['place']), (False, 0), answer)


@test('three capabilities are enough to keep a program that its owner alone may read')
def _():
    path = home + '/private'
    content = copy_python(path, 0o700)
    os.chown(path, WEB, WEB)
    capabilities = '+sys_ptrace,+dac_read_search,+net_admin'
    wrap = ('setpriv', '--reuid', str(NOBODY), '--regid', str(NOBODY), '--clear-groups', '--inh-caps', capabilities,
            '--ambient-caps', capabilities, '--bounding-set', '-all,' + capabilities)
    with Tool(wrap=wrap, owner=NOBODY) as tool, Sender([path, '-c', CONNECT]) as sender:
        os.unlink(path)
        tool.must_keep(tool.ask(sender), content)


@test('in a chroot the folders are those that lead to the file')
def _():
    root = home + '/jail'
    os.makedirs(root + '/drop', 0o755)
    os.chmod(root + '/drop', 0o1777)
    built = subprocess.run(['gcc', '-static', '-x', 'c', '-', '-o', root + '/drop/x'], input=STATIC.encode(), check=False)
    same(built.returncode, 0)
    with Tool() as tool, Sender(['chroot', root, '/drop/x'], uid=0) as sender:
        same(tool.ask(sender)['place'], FOLDER)


@test('a second question about the same process reads nothing again')
def _():
    path = home + '/again'
    content = copy_python(path)
    with Tool() as tool, Sender([path, '-c', CONNECT]) as sender:
        os.unlink(path)
        tool.must_keep(tool.ask(sender), content)
        answer = tool.ask(sender)
        tool.must_keep(answer, content)
        assert answer['longest_us'] < 5000, answer
        same(len(tool.kept()), 1)


@test('what is larger than one object may be has its digest and no copy')
def _():
    path = home + '/large'
    content = copy_python(path)
    with Tool(object_bytes=MIB) as tool, Sender([path, '-c', CONNECT]) as sender:
        os.unlink(path)
        answer = tool.ask(sender)
        same((answer['why'], answer['sha256'], answer['bytes'], answer['copy']),
             ('too-big', hashlib.sha256(content).hexdigest(), len(content), False), answer)
        same(tool.kept(), [])


@test('when the budget is spent the digest stands alone, and what was kept stays')
def _():
    size = os.path.getsize(PYTHON)
    kept = None
    with Tool(objects_bytes=size * 6) as tool:  # a user has a quarter of it
        for number in (1, 2):
            path = f'{home}/budget{number}'
            content = copy_python(path)
            with Sender([path, '-c', CONNECT]) as sender:
                os.unlink(path)
                answer = tool.ask(sender)
                if number == 1:
                    tool.must_keep(answer, content)
                    kept = tool.kept()
                else:
                    same((answer['why'], answer['sha256'], answer['copy']),
                         ('budget', hashlib.sha256(content).hexdigest(), False), answer)
        same(tool.kept(), kept)


@test('a program of 1 GiB of nothing stalls no step, and has its digest')
def _():
    path = home + '/sparse'
    copy_python(path)
    os.truncate(path, 1 << 30)
    with Tool() as tool, Sender([path, '-c', CONNECT]) as sender:
        os.unlink(path)
        answer = tool.ask(sender)
        same((answer['why'], answer['bytes'], answer['copy']), ('too-big', 1 << 30, False), answer)
        # 256 KiB take a millisecond or two; the rest is what else this machine does
        assert answer['longest_us'] < 200000, answer
        digest = hashlib.sha256(content_of(PYTHON) + path.encode())
        left = (1 << 30) - os.path.getsize(PYTHON) - len(path.encode())
        for _ in range(left // MIB):
            digest.update(bytes(MIB))
        digest.update(bytes(left % MIB))
        same(answer['sha256'], digest.hexdigest(), answer)


class Fuse:
    """A FUSE mount with one program, /x, that stops answering when told to."""

    def __init__(self, where, content):
        os.makedirs(where)
        self.where, self.content, self.stuck = where, content, False
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.dev = os.open('/dev/fuse', os.O_RDWR)
        options = b'fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other' % self.dev
        if self.libc.mount(b'egt', where.encode(), b'fuse', 0, options):
            raise OSError(ctypes.get_errno(), 'mount')
        self.asked_while_stuck = []
        threading.Thread(target=self.serve, daemon=True).start()

    def attr(self, ino):
        size, mode = (0, 0o40777) if ino == 1 else (len(self.content), 0o100757)
        return struct.pack('=QQQQQQIIIIIIIIII', ino, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def serve(self):
        while True:
            try:
                request = os.read(self.dev, 1 << 20)
            except OSError:
                return
            _, op, unique, node = struct.unpack('=IIQQ', request[:24])
            error, body = 0, b''
            if op in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET
                continue
            if self.stuck:
                self.asked_while_stuck.append(op)
                continue
            if op == 26:    # INIT
                body = struct.pack('=IIIIHHIIHHI7I', 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7)
            elif op == 1:   # LOOKUP, valid for no time
                if request[40:].split(b'\0')[0] == b'x':
                    body = struct.pack('=QQQQII', 2, 0, 0, 0, 0, 0) + self.attr(2)
                else:
                    error = -2
            elif op == 3:   # GETATTR
                body = struct.pack('=QII', 0, 0, 0) + self.attr(node)
            elif op in (14, 27):  # OPEN, OPENDIR
                body = struct.pack('=QII', 1, 0, 0)
            elif op == 15:  # READ
                offset, size = struct.unpack('=QI', request[48:60])
                body = self.content[offset:offset + size]
            elif op not in (18, 25, 28, 29):  # RELEASE, FLUSH, READDIR, RELEASEDIR
                error = -38
            os.write(self.dev, struct.pack('=IiQ', 16 + len(body), error, unique) + body)

    def detach(self):
        """Out of every namespace; who runs its program keeps it."""
        same(self.libc.umount2(self.where.encode(), 2), 0)

    def end(self):
        self.stuck = False
        self.libc.umount2(self.where.encode(), 1)  # MNT_FORCE: whoever hangs comes back
        self.libc.umount2(self.where.encode(), 2)
        os.close(self.dev)


def on_fuse(detached):
    if not os.path.exists('/dev/fuse'):
        return 'no /dev/fuse'
    fuse = Fuse(f'{home}/fuse-{detached}', content_of(PYTHON))
    try:
        with Sender([fuse.where + '/x', '-c', CONNECT]) as sender, Tool() as tool:
            fuse.stuck = True
            if detached:
                fuse.detach()
            begun = time.monotonic()
            answer = tool.ask(sender)
            assert time.monotonic() - begun < 2, answer
            # The kernel has the file's mode at hand; the folders' it would have to ask for.
            same((answer['place'], answer['opened']), (FILE | UNKNOWN, True), answer)
            same((answer['why'], answer['sha256'], answer['copy']), ('not-asked', '', False), answer)
            same(tool.kept(), [])
            same(fuse.asked_while_stuck, [], answer)
            tool.process.kill()
            tool.process.wait(5)
            fuse.stuck = False
    finally:
        fuse.end()
    return None


@test('a program on a FUSE mount that does not answer is not asked about, and hangs nothing')
def _():
    return on_fuse(False)


@test('nor is one whose FUSE mount is in no namespace any more')
def _():
    return on_fuse(True)


print(f'1..{count}')
sys.exit(failed > 0)
