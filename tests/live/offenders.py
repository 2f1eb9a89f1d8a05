# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that go round the box's mail server, and the truth about each run of them.

The truth is the harness's own: the pid that it started, the file that it installed, the address
it named. What egressd says is compared with it, never the other way round.
"""

import collections
import errno
import os
import re
import subprocess

from harness import check
from services import TRICKS, install, newest

Attempt = collections.namedtuple('Attempt', 'kind pid exe script dst port result banner ms seconds words')

# kind: the trick's file, where an intruder would put it, its interpreter
SCRIPTS = {
    'php': ('connect.php', ('public', 'uploads', 'cache.php'), '/usr/bin/php'),
    'perl': ('connect.pl', ('tmp', 'dm.pl'), '/usr/bin/perl'),
    'python': ('connect.py', ('tmp', 'mailer.py'), '/usr/bin/python3'),
    'shell': ('connect.sh', ('tmp', '.x.sh'), '/bin/bash'),
}
KINDS = ('php', 'perl', 'python', 'swaks', 'shell')


def outcome(words, out):
    """'connected', or the errno's name: from the program's own line, or from what the shell and swaks say."""
    match = re.search(r'result=(\S+)', out)
    if match and match[1].startswith('errno='):
        return errno.errorcode.get(int(match[1][6:]), match[1])
    if match and match[1] == 'connected':
        return 'connected'
    for text, name in (('Connection refused', 'ECONNREFUSED'), ('timed out', 'ETIMEDOUT'),
                       ('aborted', 'ECONNABORTED'), ('unreachable', 'EHOSTUNREACH')):
        if text in words:
            return name
    return 'connected' if '<-  220' in words else f'unclear: {words[:300]}'


def argv_of(sandbox, kind, dst, port):
    """(argv, exe, script, environment) of one run."""
    if kind == 'swaks':
        program = '/usr/bin/swaks'
        argv = ['/usr/bin/perl', program, '--server', dst, '--port', str(port), '--helo', 'shop.example',
                '--from', 'win@shop.example', '--to', 'victim@stranger.example', '--timeout', '5',
                '--quit-after', 'RCPT'] + (['-6'] if ':' in dst else [])
        # A copy: www-data may not read the folder that the tree was cloned into.
        shim = install(sandbox, 'perl5/IO/Socket/INET6.pm', 'perl5', 'IO', 'Socket', 'INET6.pm')
        library = os.path.dirname(os.path.dirname(os.path.dirname(shim)))
        return argv, os.path.realpath('/usr/bin/perl'), program, {'PERL5LIB': library}
    trick, place, interpreter = SCRIPTS[kind]
    script = install(sandbox, trick, *place)
    return [interpreter, script, dst, str(port)], os.path.realpath(interpreter), script, {}


def attempt(sandbox, kind, dst, port, user='www-data'):
    argv, exe, script, env = argv_of(sandbox, kind, dst, port)
    done = sandbox.box.run(argv, user, env)
    words = done.out + done.err
    banner = re.search(r'banner=(\S+)', done.out) or re.search(r'<-\s+(220)', words)
    ms = re.search(r'ms=([\d.]+)', done.out)
    return Attempt(kind, done.pid, exe, script, dst, port, outcome(words, done.out), banner[1] if banner else '-',
                   float(ms[1]) if ms else None, done.seconds, words)


def page_lines(body):
    """page.php's answer: the worker's pid, and {address: (result, ms)}."""
    pid = int(re.match(r'pid=(\d+)', body)[1])
    found = {}
    for address, result, ms in re.findall(r'^(\S+) result=(\S+) banner=\S+ ms=([\d.]+)', body, re.M):
        if result.startswith('errno='):
            result = errno.errorcode.get(int(result[6:]), result)
        found[address] = (result, float(ms))
    return pid, found


def cgi(sandbox, script, uri, user='www-data'):
    """php-cgi as a web server starts it: the request is in its environment, and in no argument."""
    env = {'GATEWAY_INTERFACE': 'CGI/1.1', 'REDIRECT_STATUS': '200', 'REQUEST_METHOD': 'GET',
           'SCRIPT_FILENAME': script, 'SCRIPT_NAME': '/' + os.path.basename(script), 'REQUEST_URI': uri,
           'QUERY_STRING': uri.partition('?')[2], 'HTTP_HOST': 'shop.example', 'REMOTE_ADDR': '203.0.113.250',
           'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_NAME': 'shop.example'}
    program = newest('/usr/bin/php-cgi[0-9]*')
    done = sandbox.box.run([program], user, env, cwd=os.path.dirname(script))
    check(done.code == 0, str(done))
    return done, os.path.realpath(program)


class Loop:
    """tricks/loop.py under way: connects again and again until stop(), which gives its tally."""

    def __init__(self, sandbox, user, hosts, port=25, pause_ms=5, count=None):
        self.script = install(sandbox, 'loop.py', 'tmp', f'loop-{user}.py')
        argv = ['/usr/bin/python3', self.script, ','.join(hosts), port, pause_ms] + ([count] if count else [])
        self.process = sandbox.box.popen(argv, user, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        check(self.process.stdout.readline() == f'pid={self.pid}\n', 'the loop did not start')

    def stop(self, timeout=30):
        out, err = self.process.communicate(timeout=timeout)
        check(self.process.returncode == 0, err)
        tally = dict(re.findall(r'(\w+)=([\d.]+)', out))
        slowest = float(tally.pop('slowest_ms'))
        return {word: int(n) for word, n in tally.items()}, slowest
