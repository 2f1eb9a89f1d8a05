# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers made by hand: a network namespace with a cable into the box, and processes that have their own pid,
mount and UTS namespaces and a cgroup named as docker, podman, LXC or systemd-nspawn names theirs.

The truth about a connect is the harness's: the pid that the host sees, and the cgroup it was put in.
"""

import contextlib
import json
import os
import shutil
import subprocess

from harness import Host, _write, call, check, wait_for
from services import TRICKS

CGROUP = '/sys/fs/cgroup/unified' if os.path.isdir('/sys/fs/cgroup/unified') else '/sys/fs/cgroup'
KINDS = ('docker', 'docker with systemd', 'podman', 'lxc', 'nspawn')


def names(kind, n):
    """The folders of the n-th one's cgroup, and the name that egressd gives it."""
    number = f'{n:04x}' * 16
    return {
        'docker': (('docker', number), f'docker:{number[:12]}'),
        'docker with systemd': (('system.slice', f'docker-{number}.scope'), f'docker:{number[:12]}'),
        'podman': (('machine.slice', f'libpod-{number}.scope', 'container'), f'podman:{number[:12]}'),
        'lxc': ((f'lxc.payload.web{n}',), f'lxc:web{n}'),
        'nspawn': (('machine.slice', rf'machine-web\x2d{n}.scope', 'payload'), f'machine:web-{n}'),
    }[kind]


def prepare(sandbox):
    """The box forwards, and the internet knows the way to its containers."""
    def sysctl():
        _write('/proc/sys/net/ipv4/ip_forward', '1')
        _write('/proc/sys/net/ipv6/conf/all/forwarding', '1')
        for name in ('all', 'default'):
            _write(f'/proc/sys/net/ipv4/conf/{name}/rp_filter', '0')
    sandbox.box.inside(sysctl)
    sandbox.internet.ip('route', 'add', '172.30.0.0/16', 'via', '192.0.2.10')
    sandbox.internet.ip('-6', 'route', 'add', '2001:db8:c::/48', 'via', '2001:db8:0:2::10')


class Cgroup:
    """A folder of ours in cgroup2, and what is below it."""

    def __init__(self, sandbox, *folders):
        self.root = os.path.join(CGROUP, sandbox.name)
        self.path = os.path.join(self.root, *folders)
        os.makedirs(self.path, exist_ok=True)

    def remove(self):
        """And what is above it, unless another container is there. A process in it keeps it."""
        def gone():
            with contextlib.suppress(OSError):
                os.rmdir(self.path)
            return not os.path.exists(self.path)
        check(wait_for(gone, 5), f'{self.path} stays')
        with contextlib.suppress(OSError):
            for folder in (os.path.dirname(self.path), os.path.dirname(os.path.dirname(self.path)), self.root):
                if folder.startswith(self.root):
                    os.rmdir(folder)


class Container:
    """Number n: 172.30.N.2 and 2001:db8:c:N::2 behind the box's interface ctN."""

    def __init__(self, sandbox, n, kind='docker', address=None, device=None):
        self.sandbox, self.n, self.device = sandbox, n, device or f'ct{n}'
        folders, self.name = names(kind, n)
        self.host = Host(f'{sandbox.name}-c{n}')
        self.address = {4: f'172.30.{address or n}.2', 6: f'2001:db8:c:{address or n:x}::2'}
        sandbox.on_close(self.close)
        self.cgroup = Cgroup(sandbox, *folders)
        self.residents, self.closed = [], False
        self._wire(n, address)

    def _wire(self, n, address):
        box = self.sandbox.box
        call('ip', 'link', 'add', self.device, 'netns', box.name, 'type', 'veth', 'peer', 'name', 'eth0',
             'netns', self.host.name)
        self.host.ip('address', 'add', f'{self.address[4]}/24', 'dev', 'eth0')
        self.host.ip('address', 'add', f'{self.address[6]}/64', 'dev', 'eth0', 'nodad')
        self.host.ip('link', 'set', 'eth0', 'up')
        box.inside(lambda: _write(f'/proc/sys/net/ipv6/conf/{self.device}/accept_dad', '0'))
        box.ip('link', 'set', self.device, 'up')
        # Of two containers with one address the box knows the way to the first only.
        gate4, gate6 = f'172.30.{address or n}.{1 if not address else 10 + n}', f'2001:db8:c:{address or n:x}::{n + 0x10:x}'
        box.ip('address', 'add', f'{gate4}/{24 if not address else 32}', 'dev', self.device)
        box.ip('address', 'add', f'{gate6}/{64 if not address else 128}', 'dev', self.device, 'nodad')
        self.host.ip('route', 'add', 'default', 'via', gate4)
        self.host.ip('-6', 'route', 'add', 'default', 'via', gate6)

    def argv(self, *argv):
        """In the cgroup, then behind new pid, mount and UTS namespaces, as an init of its own."""
        return ['/bin/sh', '-c', 'echo $$ >"$0" && exec "$@"', f'{self.cgroup.path}/cgroup.procs',
                'unshare', '--pid', '--fork', '--kill-child', '--mount', '--uts', '--mount-proc', *argv]

    def run(self, *argv, user='root', **kwargs):
        words = ['setpriv', '--reuid', str(user), '--regid', str(user), '--clear-groups'] if user != 'root' else []
        return self.host.run(self.argv(*words, *argv), **kwargs)

    def resident(self, user='root', *before):
        """tricks/resident.py under way in there. before: words before the interpreter."""
        resident = Resident(self, user, before)
        self.residents.append(resident)
        return resident

    def in_runtime(self, uid=0):
        """A resident that runc, which docker starts its containers with, puts into this network namespace."""
        runtime = Runtime(self, uid)
        self.residents.append(runtime)
        return runtime

    def close(self):
        """A test may end a container before its sandbox does."""
        if self.closed:
            return
        self.closed = True
        for resident in self.residents:
            resident.close()
        self.host.close()
        self.cgroup.remove()


class Told:
    """Something under way that reads lines and answers each."""

    process = None

    def tell(self, *words):
        self.process.stdin.write(' '.join(str(word) for word in words) + '\n')

    def answer(self):
        """('ECONNREFUSED', milliseconds)"""
        result, ms = self.process.stdout.readline().split()
        return result, float(ms)

    def connect(self, *words):
        self.tell(*words)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Runtime(Told):
    """A bundle for runc: the machine's /usr, a script of its own, uid shifted by 100000 when it is not 0."""

    def __init__(self, container, uid):
        sandbox, self.script = container.sandbox, '/srv/resident.py'
        self.id, self.state = f'{sandbox.name}-r{container.n}', sandbox.make_folder('runc')
        bundle = sandbox.make_folder(f'bundle{container.n}')
        root = sandbox.make_folder(f'bundle{container.n}', 'rootfs')
        for name in ('usr', 'proc', 'dev', 'srv', 'tmp'):
            os.makedirs(f'{root}/{name}', exist_ok=True)
        for name in ('bin', 'lib', 'lib64'):
            os.symlink(f'usr/{name}', f'{root}/{name}')
        shutil.copyfile(os.path.join(TRICKS, 'resident.py'), f'{root}/srv/resident.py')
        self.folders = os.path.relpath(container.cgroup.path, CGROUP)
        capabilities = ['CAP_NET_RAW', 'CAP_NET_BIND_SERVICE', 'CAP_SETUID', 'CAP_SETGID']
        shifted = {'uidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536}],
                   'gidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536}]} if uid else {}
        spec = {
            'ociVersion': '1.0.2', 'hostname': 'shop', 'root': {'path': 'rootfs', 'readonly': True},
            'process': {
                'terminal': False, 'cwd': '/', 'user': {'uid': uid, 'gid': uid}, 'noNewPrivileges': True,
                'args': ['/usr/bin/python3', self.script], 'env': ['PATH=/usr/bin', 'LC_ALL=C'],
                'capabilities': {kind: capabilities for kind in ('bounding', 'effective', 'permitted')},
            },
            'mounts': [{'destination': '/usr', 'type': 'bind', 'source': '/usr', 'options': ['rbind', 'ro']},
                       {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                       {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755']}],
            'linux': {
                'cgroupsPath': '/' + self.folders, **shifted,
                'namespaces': [{'type': kind} for kind in ('pid', 'ipc', 'uts', 'mount') + (('user',) if uid else ())]
                + [{'type': 'network', 'path': f'/run/netns/{container.host.name}'}],
            },
        }
        with open(f'{bundle}/config.json', 'w', encoding='ascii') as file:
            json.dump(spec, file)
        self.process = subprocess.Popen(['runc', '--root', self.state, 'run', '-b', bundle, self.id],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, bufsize=1, start_new_session=True)
        line = self.process.stdout.readline()
        check(line == 'ready\n', f'runc: {line}')
        self.pid = json.loads(call('runc', '--root', self.state, 'state', self.id))['pid']

    def close(self):
        super().close()
        subprocess.run(['runc', '--root', self.state, 'delete', '-f', self.id], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        top = self.folders.split('/')[0]
        for hierarchy in os.listdir('/sys/fs/cgroup'):
            path = os.path.join('/sys/fs/cgroup', hierarchy)
            if path != CGROUP and os.path.isdir(os.path.join(path, top)):
                for folder, _, _ in os.walk(os.path.join(path, top), topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(folder)


class Resident(Told):
    def __init__(self, container, user, before):
        folder = container.sandbox.make_folder(f'c{container.n}')
        self.script = os.path.join(folder, 'resident.py')
        shutil.copyfile(os.path.join(TRICKS, 'resident.py'), self.script)
        words = ['setpriv', '--reuid', str(user), '--regid', str(user), '--clear-groups'] if user != 'root' else []
        self.process = container.host.popen(container.argv(*words, *before, '/usr/bin/python3', self.script),
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            text=True, bufsize=1)
        check(self.process.stdout.readline() == 'ready\n', 'the container has no resident')
        self.pid = self._find(self.process.pid)

    def _find(self, pid):
        """The last of the chain of only children: as the host numbers it."""
        while True:
            with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
                children = file.read().split()
            if not children:
                return pid
            pid = int(children[0])
