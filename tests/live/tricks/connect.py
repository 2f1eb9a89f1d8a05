#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connects to HOST PORT and says what became of it, and when."""
import os
import socket
import sys
import time

host, port = sys.argv[1], int(sys.argv[2])
mail = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
mail.settimeout(5)
start = time.monotonic()
result, banner = 'connected', '-'
try:
    mail.connect((host, port))
except OSError as error:
    result = f'errno={error.errno}'
ms = (time.monotonic() - start) * 1000
if result == 'connected':
    banner = mail.recv(3).decode('ascii', 'replace')
print(f'pid={os.getpid()} result={result} banner={banner} ms={ms:.2f}')
