#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connects to HOST[,HOST] PORT every PAUSE ms until its standard input ends; then says how often what happened.

With COUNT it stops by itself after so many. A connection that does not come within 3 s is a `slow`.
"""
import collections
import errno
import os
import select
import socket
import sys
import time

hosts, port, pause = sys.argv[1].split(','), int(sys.argv[2]), float(sys.argv[3]) / 1000
count = int(sys.argv[4]) if len(sys.argv) > 4 else None
tally, slowest, turn = collections.Counter(), 0.0, 0
print(f'pid={os.getpid()}', flush=True)
while count is None or turn < count:
    host = hosts[turn % len(hosts)]
    turn += 1
    with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as mail:
        mail.settimeout(3)
        start = time.monotonic()
        try:
            mail.connect((host, port))
            word = 'connected'
        except TimeoutError:
            word = 'slow'
        except OSError as error:
            word = errno.errorcode[error.errno]
        if word in ('connected', 'slow'):
            slowest = max(slowest, time.monotonic() - start)
    tally[word] += 1
    if count is None and select.select([0], [], [], pause)[0]:
        break
    if count is not None and pause:
        time.sleep(pause)
print(' '.join(f'{word}={n}' for word, n in sorted(tally.items())), f'slowest_ms={slowest * 1000:.1f}')
