# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bench measures with: CPU clocks, loads, populations of idle processes, words about the machine.

It knows neither what is compared (forms.py) nor what is made of the numbers (report.py).
"""

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import time

from harness import check, user_ids

CPU = 0
PORT = 25
# For benchmarks (RFC 2544 and RFC 5180): each connect to its own address, so that each has a row of its own.
FRESH_ROUTES = {4: '198.18.0.0/15', 6: '2001:2::/48'}
FRESH_MAX = {4: 1 << 17, 6: 1 << 20}


def fresh_address(family, n):
    """The n-th of them."""
    check(n < FRESH_MAX[family], 'no addresses left')
    return (f'198.{18 + (n >> 16)}.{n >> 8 & 255}.{n & 255}' if family == 4
            else f'2001:2::{n >> 16:x}:{n & 0xffff:x}')


def cpu_ns(pids):
    """CPU time of these processes, all threads, dead ones too; and of the children they waited for."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += time.clock_gettime_ns((~pid << 3) | 2)  # CPUCLOCK_SCHED, clock_getcpuclockid(3)
            with open(f'/proc/{pid}/stat', 'rb') as file:
                fields = file.read().rsplit(b')', 1)[1].split()
            total += (int(fields[13]) + int(fields[14])) * (1000000000 // os.sysconf('SC_CLK_TCK'))
    return total


def descendants(pid):
    """A process and all below it."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for tid in os.listdir(f'/proc/{one}/task'):
                with open(f'/proc/{one}/task/{tid}/children', encoding='ascii') as file:
                    found += [int(word) for word in file.read().split()]
    return found


def status_kib(pid, key):
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
        return int(re.search(rf'^{key}:\s+(\d+) kB', file.read(), re.M)[1])


class Cgroup:
    """A cgroup2 folder of the bench's own, with whatever populations make below it; None where there is none."""

    def __init__(self, name):
        self.path = None
        with open('/proc/mounts', encoding='utf-8') as file:
            for line in file:
                where, kind = line.split()[1:3]
                if kind == 'cgroup2':
                    self.path = f'{where}/{name}'
        if self.path:
            self.folder('')

    def folder(self, name):
        if not self.path:
            return None
        path = f'{self.path}/{name}'.rstrip('/')
        os.makedirs(path, exist_ok=True)
        return path

    def close(self):
        if not self.path:
            return
        for folder, _, _ in os.walk(self.path, topdown=False):
            for _ in range(100):  # the dead leave it a little later
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
                    break
                time.sleep(0.05)


class Population:
    """Idle processes. own: each its own uid and cgroup; one: all of one uid (the sender's) in one cgroup."""

    FIRST_UID = 300000

    def __init__(self, processes, fds, kind='own'):
        self.processes, self.fds, self.kind = processes, fds, kind
        self.process = None

    def __str__(self):
        text = f'{self.processes:,} × {self.fds}'
        return text if self.kind == 'own' else f'{text}, one uid'

    def start(self, bench):
        own = self.kind == 'own'
        uid = self.FIRST_UID if own else user_ids('www-data')[0]
        folder = bench.cgroup.folder('many' if own else 'one')
        argv = [bench.tool('population'), self.processes, self.fds, uid, self.processes if own else 1]
        self.process = bench.box.popen(argv + ([folder] if folder else []), stdout=subprocess.PIPE)
        check(self.process.stdout.readline() == b'ready\n', f'population of {self}')
        self.process.stdout.close()

    def sender_folder(self, bench):
        """Where a sender of this box would be: in the one cgroup with all, or in its own."""
        return bench.cgroup.folder('one' if self.kind == 'one' else 'sender')

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None


class Loads:
    """Runs the load generator in the box, as a user, on the one CPU, in the cgroup of the population's senders."""

    def __init__(self, bench):
        self.bench = bench

    def argv(self, words, user, folder):
        uid, gid = user_ids(user)
        enter = ['/usr/bin/setpriv', f'--reuid={uid}', f'--regid={gid}', '--clear-groups']
        argv = self.bench.pin() + enter + [self.bench.tool('connect'), *[str(word) for word in words]]
        if folder:
            argv = ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', folder] + argv
        return argv

    def run(self, words, user, folder=None, timeout=120):
        done = self.bench.box.run(self.argv(words, user, folder), timeout=timeout)
        check(done.code == 0, str(done))
        return json.loads(done.out.splitlines()[-1])

    def spawn(self, words, user, folder=None):
        return self.bench.box.popen(self.argv(words, user, folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        text = file.read()
    model = re.search(r'model name\s*: (.*)', text)
    with open('/proc/meminfo', encoding='ascii') as file:
        memory = int(re.search(r'MemTotal:\s+(\d+)', file.read())[1]) >> 20
    virtual = ', virtual' if re.search(r'^flags\s*:.*\bhypervisor\b', text, re.M) else ''
    return (f"{model[1] if model else platform.machine()}{virtual}, {os.cpu_count()} CPUs, {memory} GiB,"
            f" Linux {platform.release()}")
