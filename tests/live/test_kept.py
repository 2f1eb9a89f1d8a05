#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""egressd whole: what a suspicious program was stays in the evidence when it is gone itself."""

import hashlib
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from egress import RECORDER_UID, Egress
from harness import check, equal, main, stranger, wait_for
from services import prepare_box

PYTHON = os.path.realpath('/usr/bin/python3')
CONNECT = "import socket, sys, time\ntry: socket.create_connection((sys.argv[1], 25), 5)\nexcept OSError: time.sleep(60)"
TO_MEMFD = """
import os, sys
fd = os.memfd_create('kworker')
os.write(fd, open('/proc/self/exe', 'rb').read() + b'memfd')
reader = os.open('/proc/self/fd/%d' % fd, os.O_RDONLY)
os.close(fd)
os.execve(reader, ['[kworker/0:1]', '-c', sys.argv[2], sys.argv[1]], os.environ)
"""


def content_of(path):
    with open(path, 'rb') as file:
        return file.read()


def a_copy_of_python(path):
    content = content_of(PYTHON) + path.encode()
    with open(path, 'wb') as file:
        file.write(content)
    os.chmod(path, 0o755)
    return content


class Kept:
    def __init__(self, sandbox):
        self.sandbox, self.next = sandbox, iter(range(10, 200))
        self.egress = Egress(sandbox)
        self.folder = f"{self.egress.keys['state_dir']}/objects"

    def send(self, argv, remove=None):
        """Starts it, removes its file once it runs, and gives the record with what was learnt."""
        dst = stranger(4, next(self.next))
        process = self.sandbox.box.popen([*argv, dst, CONNECT] if argv[-1] == TO_MEMFD else [*argv, dst], user='www-data',
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if remove:
                check(wait_for(lambda: os.readlink(f'/proc/{process.pid}/exe') == remove), 'it does not start')
                os.unlink(remove)
            row = self.egress.one_verdict(dst=dst)
            equal((row['verdict'], row['pid']), ('deny', process.pid), str(row))
            return wait_for(lambda: self.noted(dst), 20)
        finally:
            process.kill()
            process.wait()

    def noted(self, dst):
        row = self.egress.one_verdict(dst=dst)
        return row if row.get('object') else None

    def must_be_kept(self, row, content):
        digest = hashlib.sha256(content).hexdigest()
        check(row, 'nothing was noted of the program')
        equal(row['object'], {'sha256': digest, 'bytes': len(content), 'copied': True}, str(row))
        path = f'{self.folder}/{digest}'
        check(content_of(path) == content, 'the copy is another')
        info = os.stat(path)
        equal((stat.S_IMODE(info.st_mode), info.st_uid), (0o400, RECORDER_UID), path)


def kept(tap, sandbox):
    """Deleted, in memory, in /tmp and /dev/shm; and the system's own, of which nothing is kept."""
    prepare_box(sandbox)
    case = Kept(sandbox)
    if not tap.test('egressd starts', lambda: case.egress.start() and None):
        return
    name = f'egt-kept-{os.getpid()}'

    def deleted():
        path = f'/var/lib/{name}'
        content = a_copy_of_python(path)
        case.must_be_kept(case.send([path, '-c', 'import time; time.sleep(0.5)\n' + CONNECT], remove=path), content)

    def memory():
        row = case.send(['python3', '-c', TO_MEMFD])
        case.must_be_kept(row, content_of(PYTHON) + b'memfd')
        equal(row['poses'], True, str(row))

    def lies_in(folder):
        path = f'{folder}/{name}'
        content = a_copy_of_python(path)
        try:
            case.must_be_kept(case.send([path, '-c', CONNECT]), content)
        finally:
            os.unlink(path)

    def systems_own():
        before = sorted(os.listdir(case.folder))
        dst = stranger(4, next(case.next))
        process = sandbox.box.popen(['python3', '-c', CONNECT, dst], user='www-data')
        try:
            case.egress.one_verdict(dst=dst)
            check(not wait_for(lambda: case.noted(dst), 2), 'something was noted')
            equal(sorted(os.listdir(case.folder)), before, 'the folder')
        finally:
            process.kill()
            process.wait()

    tap.test('a program deleted while it runs is kept, byte by byte', deleted)
    tap.test('a program that never was a file is kept, and poses', memory)
    tap.test('a program in /tmp is kept', lies_in, '/tmp')
    tap.test('a program in /dev/shm is kept', lies_in, '/dev/shm')
    tap.test("of the system's own nothing is kept", systems_own)
    tap.test('egressd ends', lambda: case.egress.stop() and None)


if __name__ == '__main__':
    main(kept)
