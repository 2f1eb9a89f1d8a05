#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo says what it promises: both scripts named with their counts, in time, and nothing stays."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from egress import program
from harness import Tap, check, equal


def run_demo():
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    env = {**os.environ, 'EGRESSD': program('EGRESSD', 'egressd'), 'EGRESSCTL': program('EGRESSCTL', 'egressctl'),
           'COLUMNS': '140'}
    begin = time.monotonic()
    process = subprocess.Popen([os.path.join(tests, 'demo')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, env=env)
    out, _ = process.communicate(timeout=120)
    return process, out, time.monotonic() - begin


def main():
    tap = Tap()
    try:
        process, out, seconds = run_demo()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        tap.ok('the demo runs', False, error)
        sys.exit(tap.end())

    def row(script):
        return [line for line in out.splitlines() if script in line and 'www-data' in line]

    def named():
        check(any(re.search(r'\b4\b', line) for line in row('cache.php')), out)
        check(any(re.search(r'\b9\b', line) for line in row('newsletter.pl')), out)

    def headings():
        for word in ('egressctl status', 'egressctl list-offenders', 'egressctl show '):
            check(f'# {word}' in out, f'{word}: {out}')
        check('campaign=7' in out, f'the request is not shown: {out}')

    def clean():
        name = f'egt-live-{process.pid}-'
        left = [os.path.join(folder, word) for folder in ('/tmp', '/run/netns') if os.path.isdir(folder)
                for word in os.listdir(folder) if word.startswith(name)]
        equal(left, [], 'left behind')

    tap.test('the demo ends well', lambda: check(process.returncode == 0, out[-3000:]))
    tap.test('its list-offenders names both scripts with their counts', named)
    tap.test('it shows status, list-offenders and one verdict with its web request', headings)
    tap.test('it takes less than 30 seconds', lambda: check(seconds < 30, f'{seconds:.1f} s') or f'{seconds:.1f} s')
    tap.test('it leaves nothing behind', clean)
    sys.exit(tap.end())


if __name__ == '__main__':
    main()
