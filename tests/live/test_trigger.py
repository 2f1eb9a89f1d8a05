#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The request behind a refused connect, against real web servers: the test knows the true one of each.

Clients have addresses of their own (127.0.0.N), so that a line taken for another's shows.
"""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import offenders
from egress import Egress
from harness import check, equal, main, stranger, wait_for
from services import TRICKS, newest

NGINX, APACHE, WAIT_S = 8080, 8081, 5
SHOP, BLOG, PHP = 'shop.example', 'blog.example', 'php.example'
TRIGGER = re.compile(r'witness: record (\d+): trigger (\S+) n=(\d+) method="(.*?)" client="(.*?)" status=(\d+)'
                     r' log="(.*?)" uri="(.*)"')
SITE_LINE = re.compile(r'witness: record (\d+): site (\S+) account="(.*?)" vhost="(.*?)" root="(.*?)"')


class Noted(Egress):
    """An egressd that says its notes in its log."""

    def spawn(self):
        with open(self.log_file, 'ab') as log:
            self.process = self.box.popen([self.egressd, '-v', '-c', self.file], stdout=log, stderr=log,
                                          env={'NOTIFY_SOCKET': f'{self.folder}/notify'})
        return self.process

    def mark(self):
        return len(self.log())

    def triggers(self, since):
        """The last note of each record: {record: (word, n, method, client, status, log, uri)}."""
        found = {}
        for match in TRIGGER.finditer(self.log()[since:]):
            record, word, n, method, client, status, log, uri = match.groups()
            found[int(record)] = (word, int(n), method, client, int(status), os.path.basename(log), uri)
        return found

    def await_triggers(self, since, count=1, seconds=WAIT_S + 4):
        """When no more can come: each record's own time is up, or it was told and rested."""
        check(wait_for(lambda: len(self.triggers(since)) >= count, seconds),
              f'{len(self.triggers(since))} triggers, expected {count}: {self.log()[since:][-3000:]}')
        time.sleep(2.5)  # a word that is taken back is taken back by now
        return self.triggers(since)

    def one_trigger(self, since):
        found = self.await_triggers(since)
        equal(len(found), 1, f'triggers: {found}')
        return next(iter(found.values()))

    def sites(self, since):
        return [match.groups()[1:] for match in SITE_LINE.finditer(self.log()[since:])]


class Servers:
    """nginx, php-fpm and Apache with their own configurations laid over the machine's."""

    def __init__(self, sandbox):
        self.sandbox, self.folder = sandbox, sandbox.make_folder('servers')
        self.logs = sandbox.make_folder('servers', 'logs')
        binds = {sandbox.make_folder('srv'): '/srv'}
        for place in ('/etc/nginx', '/etc/apache2', newest('/etc/php/*/fpm/pool.d')):
            binds[sandbox.make_folder('over' + place.replace('/', '-'))] = place
        self.pool, self.nginx, self.apache = (sandbox.path('over' + place.replace('/', '-'), name) for place, name in (
            (newest('/etc/php/*/fpm/pool.d'), 'www.conf'), ('/etc/nginx', 'nginx.conf'), ('/etc/apache2', 'apache2.conf')))
        self.there = dict(binds.items())
        for site in (SHOP, BLOG, PHP):
            public = sandbox.make_folder('srv', 'www', site, 'uploads')
            for path in (f'{public}/x.php', f'{public}/y.php', f'{os.path.dirname(public)}/index.php'):
                with open(os.path.join(TRICKS, 'hold.php'), encoding='ascii') as here, open(path, 'w', encoding='ascii') as file:
                    file.write(here.read())
            with open(f'{os.path.dirname(public)}/style.css', 'w', encoding='ascii') as file:
                file.write('a {}\n')
        self._configure()
        sandbox.box.private_mounts(binds)

    def _configure(self):
        folder, logs = self.folder, self.logs
        temp = ''.join(f'{kind}_temp_path {folder}/tmp-{kind};\n'
                       for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        site = '''
server {
listen 127.0.0.1:%(port)d;
server_name %(name)s;
root /srv/www/%(name)s;
access_log %(logs)s/%(name)s.log%(form)s;
location / { try_files $uri /index.php?$args; }
location ~ \\.php$ {
fastcgi_pass unix:%(folder)s/fpm.sock;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param HTTP_HOST $http_host;
}
}
'''
        timed = ('\'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
                 ' "$http_referer" "$http_user_agent" $msec $request_time\'')
        with open(self.nginx, 'w', encoding='ascii') as file:
            file.write(f'''
user www-data;
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
{temp}
log_format timed {timed};
''' + ''.join(site % {'port': NGINX, 'name': name, 'logs': logs, 'folder': folder, 'form': form}
              for name, form in ((SHOP, ''), (BLOG, ' timed'))) + '}\n')
        with open(f'{folder}/fpm.conf', 'w', encoding='ascii') as file:
            file.write(f'[global]\npid = {folder}/fpm.pid\nerror_log = {folder}/fpm.log\ndaemonize = no\n'
                       f'include = {newest("/etc/php/*/fpm/pool.d")}/www.conf\n')
        with open(self.pool, 'w', encoding='ascii') as file:
            file.write(f'[www]\nuser = www-data\ngroup = www-data\nlisten = {folder}/fpm.sock\nlisten.owner = www-data\n'
                       'pm = static\npm.max_children = 5\npm.status_path = /fpm-status\n'
                       'pm.status_listen = 127.0.0.1:9001\n')
        modules = '/usr/lib/apache2/modules'
        with open(self.apache, 'w', encoding='ascii') as file:
            file.write(f'''
ServerRoot /etc/apache2
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
User www-data
Group www-data
Listen 127.0.0.1:{APACHE}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_host_module {modules}/mod_authz_host.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule status_module {modules}/mod_status.so
LoadModule php_module {newest(modules + '/libphp*.so')}
TypesConfig /etc/mime.types
StartServers 4
ExtendedStatus On
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
LogFormat "%h %l %u %t \\"%r\\" %>s %b %P %D" pids
<Directory /srv/www>
Require all granted
</Directory>
<Location /server-status>
SetHandler server-status
Require local
</Location>
<FilesMatch \\.php$>
SetHandler application/x-httpd-php
</FilesMatch>
<VirtualHost 127.0.0.1:{APACHE}>
ServerName {PHP}
DocumentRoot /srv/www/{PHP}
CustomLog {logs}/{PHP}.log common
</VirtualHost>
<VirtualHost 127.0.0.1:{APACHE}>
ServerName pids.example
DocumentRoot /srv/www/{PHP}
CustomLog {logs}/pids.example.log pids
</VirtualHost>
''')

    def start(self, apache=False):
        box, folder = self.sandbox.box, self.folder
        with open(f'{folder}/stderr', 'ab') as errors:
            quiet = {'stdout': subprocess.DEVNULL, 'stderr': errors}
            if apache:
                box.popen(['/usr/sbin/apache2', '-DFOREGROUND', '-f', '/etc/apache2/apache2.conf'], **quiet)
            else:
                box.popen([newest('/usr/sbin/php-fpm[0-9]*'), '--fpm-config', f'{folder}/fpm.conf', '-n'], **quiet)
                box.popen(['/usr/sbin/nginx', '-c', '/etc/nginx/nginx.conf', '-p', folder], **quiet)
        with open(f'{folder}/stderr', encoding='utf-8') as errors:
            check(wait_for(lambda: box.listens('127.0.0.1', APACHE if apache else NGINX), 10), errors.read())
        check(apache or wait_for(lambda: os.path.exists(f'{folder}/fpm.sock'), 10), 'php-fpm does not listen')

    def say(self, client, data, port=NGINX, seconds=15):
        """Bytes from 127.0.0.client as they are; what came back."""
        import socket
        connection = self.sandbox.box.socket(socket.AF_INET)
        with connection:
            connection.settimeout(seconds)
            connection.bind((f'127.0.0.{client}', 0))
            connection.connect(('127.0.0.1', port))
            connection.sendall(data)
            answer = b''
            while some := connection.recv(65536):
                answer += some
        return answer.decode('utf-8', 'replace')

    def ask(self, client, method, uri, host=SHOP, port=NGINX, agent='test', **fields):
        body = urllib.parse.urlencode(fields)
        return self.say(client, (f'{method} {uri} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: {agent}\r\n'
                                 'Content-Type: application/x-www-form-urlencoded\r\n'
                                 f'Content-Length: {len(body)}\r\n\r\n{body}').encode('latin-1'), port)

    def post(self, client, uri, number, **fields):
        """A POST whose script connects to the number-th stranger; it must be refused."""
        keys = {key: fields.pop(key) for key in ('host', 'port', 'agent') if key in fields}
        answer = self.ask(client, 'POST', uri, mx=stranger(4, number), **keys, **fields)
        check('refused' in answer, answer[:400])

    def later(self, work, *words, **fields):
        thread = threading.Thread(target=work, args=words, kwargs=fields)
        thread.start()
        return thread


def begin(tap, sandbox, apache=False):
    servers = Servers(sandbox)
    servers.start(apache)
    egress = Noted(sandbox, trigger_wait_s=WAIT_S, server_status=f'http://127.0.0.1:{APACHE}/server-status')
    if not tap.test('egressd starts', lambda: egress.start() and None):
        return None, None
    check(egress.said('witness: ready'), egress.log())
    time.sleep(1.2)  # a mark of where the logs end
    return servers, egress


def nginx(tap, sandbox):
    """nginx with php-fpm, which names its request."""
    servers, egress = begin(tap, sandbox)
    if not egress:
        return

    def alone():
        since = egress.mark()
        servers.post(9, '/uploads/x.php?a=1', 1)
        equal(egress.one_trigger(since), ('exact', 1, 'POST', '127.0.0.9', 200, f'{SHOP}.log', '/uploads/x.php?a=1'),
              'the trigger')
        equal(egress.sites(since), [('vhost', 'www-data', SHOP, f'/srv/www/{SHOP}')], 'the site')

    def with_noise():
        since = egress.mark()
        noise = [servers.later(servers.ask, 20, 'GET', '/style.css'),
                 servers.later(servers.ask, 21, 'GET', '/uploads/x.php?a=1'),
                 servers.later(servers.ask, 22, 'POST', '/uploads/y.php', before=400),
                 servers.later(servers.ask, 23, 'POST', '/uploads/x.php', before=400),
                 servers.later(servers.ask, 24, 'POST', '/uploads/x.php?a=1', host=BLOG, before=400)]
        servers.post(10, '/uploads/x.php?a=1', 2, before=100, after=300)
        for thread in noise:
            thread.join()
        equal(egress.one_trigger(since), ('exact', 1, 'POST', '127.0.0.10', 200, f'{SHOP}.log', '/uploads/x.php?a=1'),
              'the trigger')

    def two_alike():
        since = egress.mark()
        threads = [servers.later(servers.post, 11 + i, '/uploads/y.php', 3 + i, before=100, after=600 + 300 * i)
                   for i in range(2)]
        for thread in threads:
            thread.join()
        found = egress.await_triggers(since, 2)
        equal(sorted(note[:3] + note[6:] for note in found.values()),
              [('candidates', 2, 'POST', '/uploads/y.php')] * 2, f'the triggers {found}')

    def rewritten():
        since = egress.mark()
        servers.post(13, '/pretty/page', 6, after=200)
        word, n, method, client, _, _, uri = egress.one_trigger(since)
        equal((word, n, method, client, uri), ('probable', 1, 'POST', '127.0.0.13', '/pretty/page'), 'the trigger')

    def timed():
        since = egress.mark()
        before = servers.later(servers.ask, 30, 'POST', '/uploads/x.php', host=BLOG)
        before.join()
        time.sleep(1.5)
        since = egress.mark()
        servers.post(14, '/uploads/x.php', 7, host=BLOG, after=300)
        servers.ask(31, 'POST', '/uploads/x.php', host=BLOG)  # it began after the SYN, and says so
        equal(egress.one_trigger(since), ('exact', 1, 'POST', '127.0.0.14', 200, f'{BLOG}.log', '/uploads/x.php'),
              'the trigger')

    def rotated(how):
        path, since = f'{servers.logs}/{SHOP}.log', egress.mark()
        thread = servers.later(servers.post, 15, f'/uploads/x.php?{how}', 8, after=1500)
        time.sleep(0.6)
        if how == 'rename':
            os.rename(path, f'{path}.1')
            servers.ask(32, 'GET', '/uploads/y.php')  # into the old file, whose name is another by now
            with open(f'{servers.folder}/nginx.pid', encoding='ascii') as file:
                os.kill(int(file.read()), 10)
        else:
            os.truncate(path, 0)
        thread.join()
        equal(egress.one_trigger(since),
              ('exact', 1, 'POST', '127.0.0.15', 200, f'{SHOP}.log', f'/uploads/x.php?{how}'), 'the trigger')

    def hostile():
        since = egress.mark()
        forged = 'GET /x" 200 5 "-" "-"\\x22 HTTP/1.1'
        lines = [f'{forged}\r\nHost: {SHOP}\r\n\r\n'.encode(),
                 f'GET /a HTTP/1.0\r\nHost: {SHOP}\r\nUser-Agent: "\\\\" \\x22\r\nReferer: " 200 5 "-" "-"\n127.0.0.66 - - '
                 f'[01/Jan/2030:00:00:00 +0000] "POST /uploads/x.php?h HTTP/1.0" 200 5 "-" "\r\n\r\n'.encode(),
                 f'GET /a HTTP/1.0\r\nHost: {SHOP}\r\nAuthorization: Basic eCBbMDEvSmFuLzIwMzA6MDA6MDA6MDAgKzAwMDBdICJQ'
                 'T1NUIC91cGxvYWRzL3gucGhwP2ggSFRUUC8xLjAiIDIwMCA1OnA=\r\n\r\n'.encode(),
                 b'\x16\x03\x01\x00\xff\x00\xfe"\n', b'GET /\x00" HTTP/1.0\r\n\r\n',
                 f'GET /{"%22" * 2000} HTTP/1.0\r\nHost: {SHOP}\r\nUser-Agent: {chr(34) * 4000}\r\n\r\n'.encode()]
        thread = servers.later(servers.post, 16, '/uploads/x.php?h', 9, after=800)
        time.sleep(0.2)
        for line in lines:
            try:
                servers.say(66, line)
            except OSError:
                pass
        thread.join()
        equal(egress.one_trigger(since), ('exact', 1, 'POST', '127.0.0.16', 200, f'{SHOP}.log', '/uploads/x.php?h'),
              'the trigger')

    def child(noise):
        since = egress.mark()
        threads = [servers.later(servers.ask, 33, 'GET', '/style.css')]
        if noise:
            threads.append(servers.later(servers.ask, 34, 'GET', '/uploads/y.php'))
        servers.post(17, '/uploads/x.php?c', 10, by='shell', after=300)
        for thread in threads:
            thread.join()
        found = egress.await_triggers(since)
        for word, n, method, client, _, _, uri in found.values():
            check(word == 'candidates' if noise else word in ('probable', 'candidates'), str(found))
            check(n >= (2 if noise else 1), str(found))
            check(noise or (method, client, uri) == ('POST', '127.0.0.17', '/uploads/x.php?c'), str(found))

    def no_request():
        since = egress.mark()
        thread = servers.later(servers.ask, 35, 'POST', '/uploads/y.php', before=600)
        time.sleep(0.2)
        run = offenders.attempt(sandbox, 'perl', stranger(4, 11), 25)
        thread.join()
        equal(run.result, 'ECONNREFUSED', run.words)
        check(egress.said('site ', since), egress.log()[since:])
        time.sleep(WAIT_S + 1)
        equal(egress.triggers(since), {}, 'triggers')

    def killed():
        since, victim = egress.mark(), egress.pids()['witness']
        os.kill(victim, 9)
        servers.post(18, '/uploads/x.php?k', 12, after=100)
        check(wait_for(lambda: egress.pids().get('witness') not in (None, victim), 8), egress.log()[since:])
        check(egress.process.poll() is None, 'egressd ended with its witness')
        egress.await_triggers(since)
        time.sleep(2)
        since = egress.mark()
        servers.post(19, '/uploads/x.php?l', 13)
        equal(egress.one_trigger(since), ('exact', 1, 'POST', '127.0.0.19', 200, f'{SHOP}.log', '/uploads/x.php?l'),
              'the trigger')

    def stopped():
        victim, since = egress.pids()['witness'], egress.mark()
        os.kill(victim, 19)
        try:
            for i in range(5):
                start = time.monotonic()
                servers.post(40 + i, f'/uploads/y.php?s{i}', 20 + i)
                check(time.monotonic() - start < 2, 'a verdict waited')
        finally:
            os.kill(victim, 18)
        found = egress.await_triggers(since, 5)
        for word, n, _, client, _, _, uri in found.values():
            if word == 'exact':
                equal(client, f'127.0.0.{40 + int(uri[-1])}', f'the client of {uri}')

    def reload():
        since, before = egress.mark(), egress.pids()['witness']
        egress.configure(witness=False)
        egress.process.send_signal(1)
        check(wait_for(lambda: 'witness' not in egress.pids(), 8), egress.log()[since:])
        egress.configure(witness=True)
        egress.process.send_signal(1)
        check(wait_for(lambda: egress.pids().get('witness') not in (None, before), 8), egress.log()[since:])
        check('the witness ended' not in egress.log()[since:], egress.log()[since:])

    tap.test("a POST's script is refused: its request is exact, its site the vhost", alone)
    tap.test('requests beside it change nothing', with_noise)
    tap.test('two of the same URI at once are two candidates', two_alike)
    tap.test('a rewritten URI is probable', rewritten)
    tap.test('a log that tells how long a request took rules out what began later', timed)
    tap.test('a log that is renamed meanwhile is read to its end, and the new one', rotated, 'rename')
    tap.test('a log that is cut meanwhile is read from its start', rotated, 'cut')
    tap.test('hostile lines move no field', hostile)
    tap.test("a script's child is never more than probable", child, False)
    tap.test("a script's child among several requests has candidates", child, True)
    tap.test('what no web server started is asked no request', no_request)
    tap.test('a witness that was killed comes back, and verdicts go on', killed)
    tap.test('a witness that hangs holds up nobody', stopped)
    tap.test('a reload takes the witness away and brings it back', reload)


def apache(tap, sandbox):
    """Apache with mod_php: mod_status knows the request, or the log has the pid."""
    if not os.path.exists('/usr/sbin/apache2'):
        tap.test('Apache with mod_php', lambda: (_ for _ in ()).throw(AssertionError('no apache2: make deps-test')))
        return
    servers, egress = begin(tap, sandbox, True)
    if not egress:
        return

    def page():
        since = egress.mark()
        servers.post(9, '/uploads/x.php?a=1', 1, host=PHP, port=APACHE, after=1500)
        found = egress.one_trigger(since)
        equal(found[:4] + found[6:], ('exact', 1, 'POST', '127.0.0.9', '/uploads/x.php?a=1'), 'the trigger')
        check(('vhost', 'www-data', PHP, f'/srv/www/{PHP}') in egress.sites(since), f'sites {egress.sites(since)}')

    def gone_on():
        """The worker ended that request before anybody could ask."""
        since = egress.mark()
        for i in range(7):
            servers.post(20 + i, f'/uploads/y.php?n{i}', 10 + i, host=PHP, port=APACHE)
        found = egress.await_triggers(since, 7)
        clients = {f'/uploads/y.php?n{i}': f'127.0.0.{20 + i}' for i in range(7)}
        first = min(found)
        for record, (word, _, _, client, _, _, uri) in found.items():
            if word == 'exact':
                equal((uri, client), (f'/uploads/y.php?n{record - first}', clients[uri]), f'record {record}')

    def pids():
        since = egress.mark()
        noise = servers.later(servers.ask, 31, 'POST', '/uploads/y.php', host='pids.example', port=APACHE, before=700)
        servers.post(10, '/uploads/x.php?p', 30, host='pids.example', port=APACHE, before=200, after=300)
        noise.join()
        found = egress.one_trigger(since)
        equal(found[:4] + found[6:], ('exact', 1, 'POST', '127.0.0.10', '/uploads/x.php?p'), 'the trigger')

    tap.test('mod_status names the request of mod_php, and with it the vhost', page)
    tap.test('requests that ended at once are never mixed up', gone_on)
    tap.test('a log with pids names the request', pids)


if __name__ == '__main__':
    main(*[chapter for chapter in (nginx, apache) if len(sys.argv) < 2 or chapter.__name__ in sys.argv[1:]])
