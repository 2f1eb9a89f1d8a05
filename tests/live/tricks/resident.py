#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives in a container and connects when it is told to. A line: HOST PORT [SPORT|0 [DEVICE]]; an answer: NAME MS.

RAW SRC HOST PORT SPORT sends a SYN made by hand, which is of no socket.
"""
import errno
import socket
import struct
import sys
import time


def connect(host, port, sport='0', device=None):
    mail = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    mail.settimeout(4)
    mail.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if device:
        mail.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    if int(sport):
        mail.bind(('', int(sport)))
    start = time.monotonic()
    result = 'connected'
    try:
        mail.connect((host, int(port)))
    except OSError as error:
        result = errno.errorcode.get(error.errno, 'ETIMEDOUT')
    took = (time.monotonic() - start) * 1000
    mail.close()
    return f'{result} {took:.2f}'


def raw(src, host, port, sport):
    tcp = struct.pack('!HHIIBBHHH', int(sport), int(port), 77, 0, 0x50, 2, 1024, 0, 0)
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 77, 0, 64, 6, 0, socket.inet_aton(src),
                     socket.inet_aton(host))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as by_hand:
        by_hand.sendto(ip + tcp, (host, 0))
    return 'sent 0'


print('ready', flush=True)
for line in sys.stdin:
    words = line.split()
    print(raw(*words[1:]) if words[0] == 'RAW' else connect(*words), flush=True)
