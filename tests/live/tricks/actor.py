#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A process under a test's hand: each line of its standard input is Python in a JSON string, and is run as it comes.

The answer is the JSON of what `answer` was set to. It decides nothing: what it does stands in the test.
"""
import ctypes
import errno
import json
import os
import signal
import socket
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def opened(family, quick=True):
    """A TCP socket; quick: connect() comes back at once."""
    made = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET)
    made.setblocking(not quick)
    return made


def connect(sock, host, port=25):
    """Connects, and says its source port when it is under way."""
    code = sock.connect_ex((host, port))
    if code not in (0, errno.EINPROGRESS):
        raise OSError(code, os.strerror(code))
    return sock.getsockname()[1]


def child(work=None):
    """fork(2): the child does its work and waits to be ended. Its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if work:
            work()
        while True:
            signal.pause()
    finally:
        os._exit(1)


def main():
    world = dict(globals(), answer=None)
    for line in sys.stdin:
        world['answer'] = None
        try:
            exec(json.loads(line), world)  # pylint: disable=exec-used
            said = {'answer': world['answer']}
        except Exception as error:  # pylint: disable=broad-except
            said = {'error': repr(error)}
        print(json.dumps(said), flush=True)


main()
