#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What web servers really run against what is named: apache's ways, fcgiwrap, FastCGI, php-fpm and its status page.
Each page writes down what it is, and connects to port 25. TAP; root."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

from egress import Egress
from harness import HOLE4, check, equal, main, stranger, user_ids, wait_for
from services import SITE, SITE_FOLDER, Web, newest, prepare_box
from test_scripts import CGI, REQUEST, USER, Owner, flows, popen, request_of


def fastcgi(box, path, params):
    """Sends a request and leaves it (FastCGI Specification 1.0)."""
    pairs = [(key.encode(), os.fsencode(value)) for key, value in params.items()]
    body = b''.join(bytes([len(key)]) + struct.pack('>I', len(value) | 1 << 31) + key + value for key, value in pairs)

    def record(kind, content):
        return struct.pack('>BBHHBB', 1, kind, 1, len(content), 0, 0) + content
    connection = box.socket(socket.AF_UNIX if isinstance(path, str) else socket.AF_INET)
    connection.connect(path)
    connection.sendall(record(1, b'\0\1\0\0\0\0\0\0') + record(4, body) + record(4, b'') + record(5, b''))
    return connection


class Site:
    """Pages that write down what they are, as DIR/truth.PID, and connect; and the servers that run them."""

    def __init__(self, sandbox):
        self.sandbox, self.box = sandbox, sandbox.box
        self.www = sandbox.make_folder('www')
        suexec = sandbox.make_folder('suexec')
        with open(f'{suexec}/www-data', 'w', encoding='ascii') as file:
            file.write('/var/www\npublic_html\n')
        self.box.private_mounts({self.www: '/var/www', **(
            {suexec: '/etc/apache2/suexec'} if os.path.isdir('/etc/apache2/suexec') else {})})
        self.truth = sandbox.make_folder('truth', mode=0o777)
        self.tool = Owner(sandbox, '-f', '4096', '-h', '400', '-s', '200')

    def put(self, name, text, user='root'):
        path = os.path.join(self.www, name)
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, 0o755)
        uid, gid = user_ids(user)
        for each in (path, folder):
            os.chown(each, uid, gid)
        return '/var/www/' + name

    def php(self, more=''):
        return (f'<?php file_put_contents("{self.truth}/".getmypid(),__FILE__);{more}'
                f'@fsockopen("{HOLE4}",25,$e,$s,60);')

    def perl(self, first='#!/usr/bin/perl -w'):
        return (f'{first}\nuse Cwd "abs_path";open F,">{self.truth}/$$";print F abs_path($0);close F;'
                f'use IO::Socket::INET;IO::Socket::INET->new(PeerAddr=>"{HOLE4}",PeerPort=>25);\n')

    def look(self, ask):
        """ask() sends the request and returns its connection; then what really runs, and the owner."""
        connection = ask()
        found = wait_for(lambda: flows(self.tool.process.pid), 8)
        try:
            check(len(found) == 1, f'{len(found)} connections: {self.words(connection)}')
            answer = self.tool.ask(found[0], uid=int(uid_of(self.tool.process.pid, found[0])))
            check(answer['pid'], answer)
            with open(f'{self.truth}/{answer["pid"]}', encoding='utf-8') as file:
                return file.read(), answer
        finally:
            for pid in self.box.processes():
                if flows_of(pid):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
            connection.close()
            wait_for(lambda: not flows(self.tool.process.pid), 3)

    @staticmethod
    def words(connection):
        connection.settimeout(0.2)
        with contextlib.suppress(OSError):
            return connection.recv(2000)
        return b''


def uid_of(pid, flow):
    with open(f'/proc/{pid}/net/tcp', encoding='ascii') as file:
        for line in file.readlines()[1:]:
            field = line.split()
            if field[1].endswith(f':{flow[1]:04X}') and field[3] == '02':
                return field[7]
    return None


def flows_of(pid):
    """Does it hold a connection under way?"""
    try:
        inodes = {os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')}
        with open(f'/proc/{pid}/net/tcp', encoding='ascii') as file:
            return any(f'socket:[{line.split()[9]}]' in inodes for line in file.readlines()[1:]
                       if line.split()[3] == '02')
    except OSError:
        return False


APACHE = """
ServerRoot /etc/apache2
PidFile %(folder)s/apache.pid
DefaultRuntimeDir %(folder)s
ErrorLog %(folder)s/apache.log
ServerName shop.example
Listen 127.0.0.1:8080
User www-data
Group www-data
LoadModule mpm_prefork_module %(modules)s/mod_mpm_prefork.so
LoadModule authz_core_module %(modules)s/mod_authz_core.so
LoadModule alias_module %(modules)s/mod_alias.so
LoadModule mime_module %(modules)s/mod_mime.so
LoadModule cgi_module %(modules)s/mod_cgi.so
LoadModule actions_module %(modules)s/mod_actions.so
LoadModule env_module %(modules)s/mod_env.so
TypesConfig /dev/null
StartServers 3
DocumentRoot /var/www
<Directory /var/www>
Options ExecCGI
Require all granted
</Directory>
<Directory /usr/bin>
Require all granted
Options ExecCGI
SetHandler cgi-script
</Directory>
ScriptAlias /php-cgi /usr/bin/php-cgi8.2
<Directory /var/www/action>
AddHandler php-action .php
Action php-action /php-cgi
</Directory>
<Directory /var/www/cgi>
SetHandler cgi-script
</Directory>
<IfFile %(modules)s/libphp8.2.so>
LoadModule php_module %(modules)s/libphp8.2.so
<Directory /var/www/mod>
SetHandler application/x-httpd-php
</Directory>
</IfFile>
<IfFile %(modules)s/mod_fcgid.so>
LoadModule fcgid_module %(modules)s/mod_fcgid.so
FcgidIPCDir %(folder)s
FcgidProcessTableFile %(folder)s/fcgid_shm
FcgidInitialEnv REQUEST_METHOD GET
FcgidInitialEnv REQUEST_URI /start.php
FcgidInitialEnv SCRIPT_FILENAME /var/www/cgi/page.pl
<Directory /var/www/fcgid>
SetHandler fcgid-script
FcgidWrapper /usr/bin/php-cgi8.2 .php
</Directory>
</IfFile>
<IfFile /etc/apache2/suexec>
LoadModule suexec_module %(modules)s/mod_suexec.so
<VirtualHost 127.0.0.1:8080>
ServerName main.example
</VirtualHost>
<VirtualHost 127.0.0.1:8080>
ServerName suexec.example
SuexecUserGroup nobody nogroup
<Directory /var/www/suexec>
SetHandler cgi-script
</Directory>
</VirtualHost>
</IfFile>
"""
MODULES = '/usr/lib/apache2/modules'


def web(tap, sandbox):
    if not os.path.exists('/usr/sbin/apache2'):
        tap.ok('apache\'s ways to run a script # SKIP no apache2')
        return
    site = Site(sandbox)
    folder = sandbox.make_folder('apache', mode=0o777)
    with open(f'{folder}/conf', 'w', encoding='ascii') as file:
        file.write(APACHE % {'folder': folder, 'modules': MODULES})
    pages = {name: site.put(name, text, user) for name, text, user in (
        ('mod/page.php', site.php(), 'root'), ('action/page.php', site.php(), 'root'),
        ('fcgid/page.php', site.php(), 'root'), ('cgi/page.pl', site.perl(), 'root'),
        ('cgi/page.php', '#!/usr/bin/php-cgi -dcgi.force_redirect=0\n' + site.php(), 'root'),
        ('suexec/page.pl', site.perl(), 'nobody'),
        ('action/child.php', f'<?php system("exec perl {site.put("lib/child.pl", site.perl())}");', 'root'))}
    server = sandbox.box.popen(['/usr/sbin/apache2', '-D', 'FOREGROUND', '-f', f'{folder}/conf'],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log():
        with contextlib.suppress(OSError), open(f'{folder}/apache.log', encoding='utf-8') as file:
            return file.read()[-1500:]
        return f'exit {server.poll()}'

    check(wait_for(lambda: sandbox.box.listens('127.0.0.1', 8080), 10), log())

    def get(target, host='shop.example'):
        connection = sandbox.box.connect('127.0.0.1', 8080, 20)
        connection.sendall(f'GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n'.encode())
        return connection

    def look(target, host='shop.example'):
        return site.look(lambda: get(target, host))

    def mod_php():
        real, answer = look('/mod/page.php')
        equal((real, answer['script'], answer['script_from'], answer['script_why']),
              (pages['mod/page.php'], '', 'none', 'not-told'), answer)
        equal((answer['cwd'], request_of(answer)), (os.path.dirname(real), ('', '', '', '')), answer)

    def by(target, source, host='shop.example', name=None):
        real, answer = look(target + '?a=b', host)
        equal((answer['script_from'], answer['script']), (source, real), f'{answer} {log()}')
        equal(real, pages[target[1:]] if name is None else name, 'what runs')
        equal(request_of(answer), ('GET', target + '?a=b', host, '127.0.0.1'), answer)
        by.uid = answer['uid']

    def fcgid():
        for _ in range(2):
            real, answer = look('/fcgid/page.php')
            equal((real, answer['script'], answer['script_from'], answer['script_why']),
                  (pages['fcgid/page.php'], '', 'none', 'not-told'), f'{answer} {log()}')
            equal((answer['cwd'], request_of(answer)), (os.path.dirname(real), ('', '', '', '')), answer)

    def suexec():
        by('/suexec/page.pl', 'argv', 'suexec.example')
        equal(by.uid, user_ids('nobody')[0], 'uid')

    if os.path.exists(f'{MODULES}/libphp8.2.so'):
        tap.test("mod_php's script is not told, and its folder is the working folder, never a script", mod_php)
    tap.test("mod_cgi's perl is named by its arguments, its request by its environment", by, '/cgi/page.pl', 'argv')
    tap.test("mod_cgi's php-cgi is named by its environment", by, '/cgi/page.php', 'environ')
    tap.test("php-cgi behind an Action is named with the page, not with itself", by, '/action/page.php', 'environ')
    tap.test('what a CGI page starts has its own script, and the request of the page', by, '/action/child.php', 'argv',
             'shop.example', '/var/www/lib/child.pl')
    if os.path.exists(f'{MODULES}/mod_fcgid.so'):
        tap.test("mod_fcgid's php-cgi serves many: the environment of its start is no request", fcgid)
    if os.path.exists('/usr/lib/apache2/suexec') and os.path.isdir('/etc/apache2/suexec'):
        tap.test("suexec's script is named below the site's own user", suexec)

    def wrapped():
        path = site.put('wrap/page.pl', site.perl())
        sandbox.box.popen(['/usr/bin/spawn-fcgi', '-n', '-u', 'www-data', '-s', f'{folder}/wrap.sock', '/usr/sbin/fcgiwrap'],
                          env={'REQUEST_URI': '/no'}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check(wait_for(lambda: os.path.exists(f'{folder}/wrap.sock'), 5), 'fcgiwrap does not listen')
        real, answer = site.look(lambda: fastcgi(sandbox.box, f'{folder}/wrap.sock', {
            **CGI, 'SCRIPT_FILENAME': path, 'DOCUMENT_ROOT': '/var/www', 'SCRIPT_NAME': '/wrap/page.pl'}))
        equal((real, answer['script_from'], answer['script'], request_of(answer)), (path, 'argv', path, REQUEST), answer)

    def spawned():
        path = site.put('spawn/page.php', site.php())
        sandbox.box.popen(['/usr/bin/spawn-fcgi', '-n', '-u', 'www-data', '-s', f'{folder}/php.sock', '/usr/bin/php-cgi8.2'],
                          env={**CGI, 'SCRIPT_FILENAME': '/var/www/start.php', 'PHP_FCGI_CHILDREN': '2'},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check(wait_for(lambda: os.path.exists(f'{folder}/php.sock'), 5), 'php-cgi does not listen')
        real, answer = site.look(lambda: fastcgi(sandbox.box, f'{folder}/php.sock', {**CGI, 'SCRIPT_FILENAME': path}))
        equal((real, answer['script_from'], answer['script'], answer['script_why'], request_of(answer)),
              (path, 'none', '', 'not-told', ('', '', '', '')), answer)

    def inherits():
        """A server that was itself started by a request: its children have that one's words."""
        perl = shutil.copy('/usr/bin/perl', f'{folder}/httpd')
        child = site.put('lib/inherits.pl', site.perl())
        sandbox.box.popen([perl, '-e', f'system("/usr/bin/perl {child}; true")'], env=CGI, user='www-data',
                          stderr=subprocess.DEVNULL)
        real, answer = site.look(lambda: socket.socket())
        equal((real, answer['script'], request_of(answer)), (child, child, ('', '', '', '')), answer)

    if os.path.exists('/usr/bin/spawn-fcgi'):
        if os.path.exists('/usr/sbin/fcgiwrap'):
            tap.test("fcgiwrap's script is named by its arguments, its request by its environment", wrapped)
        tap.test("spawn-fcgi's php-cgi serves many: the environment of its start is no request", spawned)
    tap.test('a server that a request started has not that request', inherits)



POOL = """[%(name)s]
user = www-data
group = www-data
listen = %(folder)s/%(name)s.sock
pm = static
pm.status_path = /egt-status
%(more)s
"""


def pools(tap, sandbox):
    """php-fpm itself: several workers of one pool held at once."""
    site = Site(sandbox)
    folder = sandbox.make_folder('fpm', mode=0o777)
    conf = f'[global]\npid = {folder}/pid\nerror_log = {folder}/log\ndaemonize = no\n'
    for name, more in (('plain', 'pm.max_children = 6'), ('full', 'pm.max_children = 3'),
                       ('apart', 'pm.max_children = 4\npm.status_listen = 127.0.0.1:9178'),
                       ('apart6', 'pm.max_children = 4\npm.status_listen = [::1]:9179'),
                       ('file', f'pm.max_children = 2\npm.status_listen = {folder}/status.sock')):
        conf += POOL % {'name': name, 'folder': folder, 'more': more}
    with open(f'{folder}/conf', 'w', encoding='ascii') as file:
        file.write(conf)
    sandbox.box.popen([newest('/usr/sbin/php-fpm[0-9]*'), '-n', '-F', '-y', f'{folder}/conf'],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check(wait_for(lambda: os.path.exists(f'{folder}/file.sock'), 10), 'php-fpm does not listen')

    def held(pool, number, wanted):
        """So many pages of a pool at once; each one's owner must be itself."""
        paths = [site.put(f'{pool}/{n}/page{n}.php', site.php()) for n in range(number)]
        open_now = [fastcgi(sandbox.box, f'{folder}/{pool}.sock', {
            'REQUEST_METHOD': 'GET', 'SCRIPT_FILENAME': path, 'SCRIPT_NAME': f'/page{n}.php',
            'REQUEST_URI': f'/page{n}.php', 'QUERY_STRING': f'n={n}'}) for n, path in enumerate(paths)]
        try:
            found = wait_for(lambda: len(flows(site.tool.process.pid)) == number and
                             flows(site.tool.process.pid), 10)
            check(found, f'{len(flows(site.tool.process.pid))} connections of {number}')
            seen = set()
            for _ in range(2):
                for flow in found:
                    answer = site.tool.ask(flow, 33)
                    with open(f'{site.truth}/{answer["pid"]}', encoding='utf-8') as file:
                        real = file.read()
                    if wanted == 'none':
                        equal((answer['script'], answer['script_why'], answer['cwd'], answer['uri']),
                              ('', 'deadline', os.path.dirname(real), ''), answer)
                    else:
                        equal((answer['script_from'], answer['script']), ('fpm-status', real), answer)
                        equal(answer['uri'], f'/{os.path.basename(real)}?n={real[-5]}', answer)
                    seen.add(answer['pid'])
            equal(len(seen), number, 'workers')
        finally:
            for pid in sandbox.box.processes():
                if flows_of(pid):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
            for connection in open_now:
                connection.close()
            wait_for(lambda: not flows(site.tool.process.pid), 3)

    tap.test('four workers of one pool held at once are each named with their own script', held, 'plain', 4, 'fpm')
    tap.test('a pool of which every worker is held is asked at its pm.status_listen', held, 'apart', 4, 'fpm')
    tap.test('pm.status_listen may be IPv6', held, 'apart6', 4, 'fpm')
    tap.test('pm.status_listen may be a unix socket', held, 'file', 2, 'fpm')
    tap.test('a pool of which every worker is held, and nobody else to ask, is not told', held, 'full', 3, 'none')


FAKE = r"""
import os, socket, struct, sys, time
exe, how, port, hole, uid = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
l = socket.socket(); l.setsockopt(1, 2, 1); l.bind(('127.0.0.1', port)); l.listen()
code = ("import socket,time\ntime.sleep(.2)\ns=socket.socket();s.settimeout(60)\n"
        "s.connect(('%s',25))" % hole)
def worker(code):
    pid = os.fork()
    if not pid:
        os.setgroups([]); os.setgid(uid); os.setuid(uid)
        os.execv(exe, ['php-fpm: pool www', '-c', code])
    return pid
k, other = worker(code), worker('import time\ntime.sleep(60)')
def entry(pid, script, state='Running', duration='9000000', uri='/index.php', keys=()):
    lines = [('pid', pid), ('state', state), ('start time', '01/Jan/2026'), ('start since', 1), ('requests', 1),
             ('request duration', duration), ('request method', 'GET'), ('request URI', uri), ('content length', 0),
             ('user', '-'), ('script', script), ('last request cpu', '0.00'), ('last request memory', 0)]
    return '\n' + '*' * 24 + '\n' + ''.join('%-22s%s\n' % (key + ':', value) for key, value in lines)
def head(pool='www'):
    return 'pool:                 %s\nprocess manager:      static\n' % pool
good = head() + entry(k, '/srv/page.php') + entry(other, '-', 'Idle')
forged = '/x\n' + entry(other, '/evil')[1:].split('request URI', 1)[0]
pages = {
    'good': good, 'slow': good, 'drip': good, 'cut': good, 'closes': good, 'silent': good, 'reset': good,
    'pool': head('other') + entry(k, '/srv/innocent.php'),
    'twice': head() + entry(k, '/srv/innocent.php') + entry(k, '/srv/page.php'),
    'stranger': head() + entry(k, '/srv/innocent.php') + entry(1, '/srv/x.php'),
    'missing': head() + entry(other, '/srv/innocent.php'),
    'idle': head() + entry(k, '/srv/innocent.php', 'Idle'),
    'young': head() + entry(k, '/srv/innocent.php', duration='1'),
    'negative': head() + entry(k, '/srv/innocent.php', duration='-5'),
    'duration': head() + entry(k, '/srv/innocent.php', duration='18446744073709551615'),
    'line': head() + entry(k, '/srv/page.php', uri=forged),
    'folder': head() + entry(k, '/srv/'), 'relative': head() + entry(k, 'page.php'), 'dash': head() + entry(k, '-'),
    'json': '{"pool":"www","process manager":"static","processes":[{"pid":%d,"state":"Running","script":"/srv/innocent.php"}]}' % k,
    'html': '<html><body>pool: www</body></html>', 'empty': '', 'behind': good + 'more\n',
    'many': head() + entry(k, '/srv/innocent.php') + ''.join(entry(100000 + n, '-') for n in range(1500)),
    'huge': good + 'x' * (3 << 20), 'missing page': good,
}
page = ('Status: %s\r\nContent-type: text/plain\r\n\r\n' % ('404 Not Found' if how == 'missing page' else '200 OK')
        ).encode() + pages[how].encode()
if how == 'huge':
    page = page[:4000] + b'y' * (3 << 20)
body = b''.join(struct.pack('>BBHHBB', 1, 6, 1, len(page[at:at + 60000]), 0, 0) + page[at:at + 60000]
                for at in range(0, len(page), 60000)) + struct.pack('>BBHHBB', 1, 3, 1, 8, 0, 0) + bytes(8)
while True:
    c, _ = l.accept()
    try:
        if how == 'reset':
            c.setsockopt(1, 13, struct.pack('ii', 1, 0)); c.close(); continue
        if how == 'closes':
            c.close(); continue
        c.recv(9999)
        if how == 'silent':
            time.sleep(1)
        if how == 'slow':
            time.sleep(.3)
        if how == 'cut':
            c.sendall(body[:len(body) // 2]); c.close(); continue
        if how == 'drip':
            for at in range(len(body)):
                c.sendall(body[at:at + 1]); time.sleep(.005)
        c.sendall(body)
        c.close()
    except OSError:
        pass
"""

# How a page may be, what is said of the script then.
PAGES = {
    'good': ('/srv/page.php', 'none'), 'slow': ('', 'deadline'), 'drip': ('', 'deadline'), 'silent': ('', 'deadline'),
    'cut': ('', 'error'), 'closes': ('', 'error'), 'reset': ('', 'error'), 'pool': ('', 'not-trusted'),
    'twice': ('', 'not-trusted'), 'stranger': ('', 'not-trusted'), 'missing': ('', 'not-told'),
    'idle': ('', 'not-told'), 'young': ('', 'not-told'), 'negative': ('', 'not-told'), 'duration': ('', 'not-told'),
    'line': ('', 'not-trusted'), 'folder': ('', 'not-trusted'), 'relative': ('', 'not-trusted'),
    'dash': ('', 'not-told'), 'json': ('', 'not-trusted'), 'html': ('', 'not-trusted'), 'empty': ('', 'not-trusted'),
    'behind': ('', 'not-trusted'), 'many': ('', 'not-trusted'), 'huge': ('', 'error'),
    'missing page': ('', 'no-status-page'),
}


def answers(tap, sandbox):
    """A root's php-fpm that answers as it likes."""
    exe = shutil.copy('/usr/bin/python3', sandbox.path('php-fpm8.2'))
    conf = sandbox.path('fake.conf')
    with open(conf, 'w', encoding='ascii') as file:
        file.write('[www]\nlisten = 127.0.0.1:9778\npm.status_path = /s\npm.status_listen = 127.0.0.1:9777\n')
    took = []

    def ask(how, wanted):
        tool = Owner(sandbox, '-f', '4096', '-h', '200')
        popen(sandbox.box, [f'php-fpm: master process ({conf})', '-c', FAKE, exe, how, '9777', HOLE4, str(USER)],
              exe,
              subprocess.DEVNULL, '/', None, False, 'root')
        try:
            found = wait_for(lambda: flows(tool.process.pid), 10)
            check(found, 'no connection')
            time.sleep(0.05)
            start = time.monotonic()
            answer = tool.ask(found[0])
            took.append((int((time.monotonic() - start) * 1000), how))
            equal((answer['script'], answer['script_why']), wanted, answer)
            equal(answer['uri'] != '', wanted[0] != '', answer)
        finally:
            for pid in sandbox.box.processes():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not sandbox.box.processes() or all(
                open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[0] == 'Z'
                for pid in sandbox.box.processes()), 3)

    for how, wanted in PAGES.items():
        tap.test(f"a status page that is '{how}' is answered with {wanted[0] or 'no script'}: {wanted[1]}", ask, how, wanted)
    took.sort()
    tap.ok('no page made a look-up longer than its time', took[-1][0] < 250, str(took[-3:]))
    tap.say(f'longest: {took[-1]}')


PAGES_ASKED = 120


def held(tap, sandbox):
    """egressd itself, with pages that connect as soon as they begin: each to a mail server of its own."""
    prepare_box(sandbox)
    server = Web(sandbox)
    server.start()
    folder = sandbox.make_folder('srv', 'www', SITE, 'public')
    for n in range(1, 5):
        with open(f'{folder}/page{n}.php', 'w', encoding='ascii') as file:
            file.write(f'<?php @fsockopen("{stranger(4, n)}",25,$e,$s,5);')
    egress = Egress(sandbox)
    egress.start()
    for n in range(PAGES_ASKED):
        server.get(f'/page{n % 4 + 1}.php')
    egress.await_sum()
    right = unknown = 0
    wrong = []
    for row in egress.verdicts():
        n = row['dst'].rsplit('.', 1)[1]
        if row['script'] == f'{SITE_FOLDER}/public/page{n}.php' and row['script_from'] == 'fpm-status':
            right += row['count']
        elif row['script'] is None:
            unknown += row['count']
        else:
            wrong.append(f'{row["dst"]}: {row["script"]}')
    tap.say(f'{right} right, {unknown} unknown')
    tap.ok('no page under php-fpm is taken for another', not wrong and right + unknown == PAGES_ASKED, str(wrong))
    tap.ok('pages that connect as soon as they begin are named', right >= PAGES_ASKED * 9 // 10, f'{right}, {unknown}')


if __name__ == '__main__':
    main(web, pools, answers, held)
