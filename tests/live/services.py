# SPDX-License-Identifier: GPL-2.0-or-later
"""The real programs of a hosting box and of the world around it: Postfix, php-fpm, nginx, smtp-sink.

Each has its own configuration, queue and sockets in the sandbox's folder; none of the machine's
own instances is touched, asked, or needed. No DNS, no syslog, no systemd.
"""

import glob
import os
import re
import shutil
import subprocess

from harness import BOX, MAIL_PORTS, SINK, check, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
TRICKS = os.path.join(HERE, 'tricks')
SITE = 'shop.example'
SITE_FOLDER = f'/srv/www/{SITE}'  # as the box sees it


def newest(pattern):
    found = sorted(glob.glob(pattern))
    if not found:
        raise RuntimeError(f'no program {pattern}')
    return found[-1]


def prepare_box(sandbox):
    """The box's own mounts: its sites under /srv, and Postfix's folders over the machine's."""
    sandbox.box.private_mounts({**Postfix.prepare(sandbox), sandbox.make_folder('srv'): '/srv'})


def install(sandbox, trick, *place):
    """Puts a trick where an intruder would: under the site's folder. Its path as the box sees it."""
    folder = sandbox.make_folder('srv', 'www', SITE, *place[:-1])
    path = os.path.join(folder, place[-1])
    shutil.copyfile(os.path.join(TRICKS, trick), path)
    os.chmod(path, 0o755)
    return '/'.join((SITE_FOLDER, *place))


class Sink:
    """smtp-sink on the internet, on every mail port and both families: keeps each mail as a file."""

    def __init__(self, sandbox, think_s=0):
        """think_s: seconds before it answers DATA, as real servers think about a mail."""
        self.folder = sandbox.make_folder('sink', user='nobody')
        think = ['-w', str(think_s)] if think_s else []
        for port in MAIL_PORTS:
            for address in ('0.0.0.0', '[::]'):
                sandbox.internet.popen(['/usr/sbin/smtp-sink', '-u', 'nobody', '-m', '500', *think,
                                        '-d', f'{self.folder}/{port}.', f'{address}:{port}', '100'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in MAIL_PORTS:
            for address in SINK.values():
                check(wait_for(lambda: sandbox.internet.listens(address, port)), f'no sink on {address} {port}')

    def mails(self, recipient=None, port=None):
        """Whole mails (smtp-sink renames nothing: one that is under way has no X-Rcpt-Args yet)."""
        found = []
        for path in glob.glob(f"{self.folder}/{port or '*'}.*"):
            with open(path, encoding='utf-8', errors='replace') as file:
                text = file.read()
            match = re.search(r'^X-Rcpt-Args: <([^>]*)>', text, re.M)
            if match and 'Subject:' in text and recipient in (None, match[1]):
                found.append(text)
        return found


MASTER_CF = '''
25        inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
'''

# Which recipient's domain goes where: by address and port, so nothing asks DNS.
DOMAINS = {f'v{family}-{port}.example': f'smtp:[{SINK[family]}]:{port}'
           for family in (4, 6) for port in MAIL_PORTS}


class Postfix:
    """The box's mail server: /etc/postfix and its queue lie over the machine's in the box's own
    mount namespace, so sendmail(1) and the set-gid postdrop work unchanged, for www-data too."""

    def __init__(self, sandbox):
        self.sandbox, self.box = sandbox, sandbox.box
        self.log = sandbox.path('postfix.log')
        self.mail = sandbox.make_folder('mailboxes', user=5000)
        self._config()

    @staticmethod
    def prepare(sandbox):
        """The folders that lie over the machine's; before the box's mount namespace is made."""
        etc = sandbox.path('postfix-etc')
        shutil.copytree('/etc/postfix', etc, symlinks=True)
        os.chmod(etc, 0o755)
        queue = sandbox.make_folder('postfix-queue')
        data = sandbox.make_folder('postfix-data', user='postfix', mode=0o700)
        return {etc: '/etc/postfix', queue: '/var/spool/postfix', data: '/var/lib/postfix'}

    def _config(self):
        etc = self.sandbox.path('postfix-etc')
        with open(f'{etc}/transport', 'w', encoding='ascii') as file:
            file.writelines(f'{domain} {where}\n' for domain, where in DOMAINS.items())
        with open(f'{etc}/master.cf', 'w', encoding='ascii') as file:
            file.write(MASTER_CF)
        with open(f'{etc}/main.cf', 'w', encoding='ascii') as file:
            file.write(f'''
compatibility_level = 3.6
myhostname = box.example
mydestination =
local_transport = error:no local users
alias_maps =
alias_database =
virtual_mailbox_domains = box.example
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {self.mail}
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
inet_interfaces = all
inet_protocols = all
mynetworks = 127.0.0.0/8 [::1]/128
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_connection_cache_on_demand = no
smtp_host_lookup = native
smtp_tls_security_level = none
transport_maps = texthash:/etc/postfix/transport
maillog_file = {self.log}
maillog_file_prefixes = {self.sandbox.folder}
biff = no
initial_destination_concurrency = 5
minimal_backoff_time = 5s
queue_run_delay = 5s
''')

    def start(self):
        done = self.box.run(['/usr/sbin/postfix', 'start'], timeout=60)
        check(done.code == 0, f'{done}\n{self.words()}')
        for address in ('127.0.0.1', '::1'):
            check(wait_for(lambda: self.box.listens(address, 25), 10), f'postfix does not listen: {self.words()}')
        self.sandbox.on_close(self.stop)

    def stop(self):
        self.box.run(['/usr/sbin/postfix', 'stop'], timeout=30)

    def words(self):
        try:
            with open(self.log, encoding='utf-8', errors='replace') as file:
                return file.read()[-4000:]
        except OSError:
            return '(no log)'

    def submit(self, recipient, user='www-data', times=1):
        """Mail by sendmail(1), as a page's mail() does."""
        text = f'From: orders@{SITE}\nTo: {recipient}\nSubject: Your order\n\nThank you.\n'
        for _ in range(times):
            done = self.box.run(['/usr/sbin/sendmail', '-i', '-f', f'orders@{SITE}', recipient], user, input=text)
            check(done.code == 0, str(done))

    def inbox(self):
        return glob.glob(f'{self.mail}/inbox/new/*')


def mail_from_internet(sandbox, family):
    """One mail from a stranger to a mailbox of the box, by smtp-source(1). Its exit code and words."""
    return sandbox.internet.run(['/usr/sbin/smtp-source', '-m', '1', '-M', 'mx.stranger.example', '-f',
                                 'friend@stranger.example', '-t', 'anybody@box.example',
                                 f'{BOX[family]}:25' if family == 4 else f'[{BOX[family]}]:25'])


class Web:
    """nginx and php-fpm serving one site as www-data; the pool's status page on its own address."""

    PORT, STATUS = 8080, '127.0.0.1:9001'

    def __init__(self, sandbox, status=True):
        self.sandbox, self.box = sandbox, sandbox.box
        self.folder = sandbox.make_folder('web')
        sandbox.make_folder('srv', 'www', SITE, 'public')
        self.fpm_socket = f'{self.folder}/fpm.sock'
        self._write('fpm.conf', f'''
[global]
pid = {self.folder}/fpm.pid
error_log = {self.folder}/fpm.log
daemonize = no
[{SITE}]
user = www-data
group = www-data
listen = {self.fpm_socket}
listen.owner = www-data
listen.group = www-data
pm = static
pm.max_children = 3
''' + (f'pm.status_path = /fpm-status\npm.status_listen = {self.STATUS}\n' if status else ''))
        servers = ''.join(f'listen {address}:{self.PORT};\n' for address in ('127.0.0.1', '[::1]'))
        temp = ''.join(f'{kind}_temp_path {self.folder}/tmp-{kind};\n'
                       for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        self._write('nginx.conf', f'''
user www-data;
worker_processes 1;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
access_log off;
{temp}
server {{
{servers}
server_name {SITE};
root {SITE_FOLDER}/public;
location ~ \\.php$ {{
fastcgi_pass unix:{self.fpm_socket};
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
}}
}}
}}
''')

    def _write(self, name, text):
        with open(f'{self.folder}/{name}', 'w', encoding='ascii') as file:
            file.write(text)

    def start(self):
        quiet = {'stdout': subprocess.DEVNULL, 'stderr': open(f'{self.folder}/stderr', 'ab')}
        self.box.popen([newest('/usr/sbin/php-fpm[0-9]*'), '--fpm-config', f'{self.folder}/fpm.conf', '-n'], **quiet)
        self.box.popen(['/usr/sbin/nginx', '-c', f'{self.folder}/nginx.conf', '-p', self.folder], **quiet)
        quiet['stderr'].close()
        check(wait_for(lambda: os.path.exists(self.fpm_socket), 10), 'php-fpm does not listen')
        check(wait_for(lambda: self.box.listens('127.0.0.1', self.PORT), 10), 'nginx does not listen')

    def get(self, target, seconds=20.0):
        """The page's body; the client is inside the box, over 127.0.0.1."""
        with self.box.connect('127.0.0.1', self.PORT, seconds) as connection:
            connection.sendall(f'GET {target} HTTP/1.0\r\nHost: {SITE}\r\n\r\n'.encode())
            answer = b''
            while True:
                some = connection.recv(65536)
                if not some:
                    break
                answer += some
        head, _, body = answer.decode('utf-8', 'replace').partition('\r\n\r\n')
        check(' 200 ' in head.splitlines()[0], answer[:500])
        return body

