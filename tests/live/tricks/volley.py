#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Opens COUNT connections to HOST PORT at once without blocking, waits until each is decided or SECONDS are over; tally."""
import collections
import errno
import select
import socket
import sys
import time

host, port, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
poll, waiting, tally = select.poll(), {}, collections.Counter()
for _ in range(count):
    mail = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    mail.setblocking(False)
    code = mail.connect_ex((host, port))
    if code in (0, errno.EINPROGRESS):
        waiting[mail.fileno()] = mail
        poll.register(mail, select.POLLOUT)
    else:
        tally[errno.errorcode[code]] += 1
end = time.monotonic() + seconds
while waiting and time.monotonic() < end:
    for fd, _ in poll.poll(100):
        mail = waiting.pop(fd)
        poll.unregister(fd)
        code = mail.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        tally[errno.errorcode[code] if code else 'connected'] += 1
        mail.close()
tally['held'] += len(waiting)
print(' '.join(f'{word}={n}' for word, n in sorted(tally.items())))
