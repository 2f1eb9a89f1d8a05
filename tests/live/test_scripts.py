#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What really runs against what is named: each command line of tests/unit/script_lines.h is executed by its own
program, which says itself what it runs while it holds a connection to port 25. TAP; root."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile

from harness import HOLE4, Sandbox, Tap, check, equal, main, wait_for  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('BUILD', os.path.join(TREE, 'build'))
USER = 50000 + os.getpid() % 10000  # whose processes are ours only
PORT = 25

# Where the parent leaves nothing behind and the program needs no network of its own: the socket is opened before
# exec, so that every language holds one.
HOLD = 'HOLD'

# What each language says of itself, and how it stays: FILE is its own word for its file.
PHP_STAY = 'while(ob_get_level())ob_end_flush();flush();sleep(60);'
TEXT = {
    'php': ('echo"RAN:INLINE\\n";' + PHP_STAY, '<?php echo"RAN:FILE:".__FILE__."\\n";' + PHP_STAY,
            '<?php echo"RAN:STDIN\\n";' + PHP_STAY),
    'perl': ('$|=1;print "RAN:INLINE\\n";sleep 60', '$|=1;print "RAN:FILE:$0\\n";sleep 60;',
             '$|=1;print "RAN:STDIN\\n";sleep 60;'),
    'python': ('import time;print("RAN:INLINE",flush=True);time.sleep(60)',
               '# the first line\nimport sys,time\nn=__spec__.name if __spec__ else "__main__"\n'
               'print("RAN:FILE:"+sys.argv[0] if n=="__main__" else "RAN:MODULE:"+n,flush=True)\ntime.sleep(60)\n',
               'import time;print("RAN:STDIN",flush=True);time.sleep(60)'),
    'ruby': ('$stdout.sync=true;puts "RAN:INLINE";sleep 60', '$stdout.sync=true;puts "RAN:FILE:#{$0}";sleep 60',
             '$stdout.sync=true;puts "RAN:STDIN";sleep 60'),
    'node': ('console.log("RAN:INLINE");setTimeout(()=>0,60000)',
             'console.log("RAN:FILE:"+__filename);setTimeout(()=>0,60000)',
             'console.log("RAN:STDIN");setTimeout(()=>0,60000)'),
    'lua': ('print("RAN:INLINE")io.stdout:flush()io.open("fifo"):read()',
            'print("RAN:FILE:"..arg[0])io.stdout:flush()io.open("fifo"):read()',
            'print("RAN:STDIN")io.stdout:flush()io.open("fifo"):read()'),
    'tcl': ('', 'puts "RAN:FILE:[info script]";flush stdout;after 60000\n',
            'puts "RAN:STDIN";flush stdout;after 60000\n'),
    'awk': ('BEGIN{print "RAN:INLINE";fflush();getline x < "fifo"}',
            'BEGIN{print "RAN:FILE:s.awk";fflush();getline x < "fifo"}\n', ''),
    'shell': ('echo RAN:INLINE;read x <fifo', 'echo RAN:FILE:$0;read x <fifo\n', 'echo RAN:STDIN;read x <fifo\n'),
    'java': ('', '', ''),
}
JAVA = '''public class %s { public static void main(String[] a) throws Exception {
String c = System.getProperty("sun.java.command").split(" ")[0];
System.out.println(%s); System.out.flush(); Thread.sleep(60000); } }'''

# Lines that can't be run here as they stand, and why.
NOT_RUN = {
    'perl|-d:Trace=x|m.pl': 'no such module', 'perl|-dt:Trace|m.pl': 'no such module',
    'perl|-d|m.pl': 'the debugger waits for commands', 'perl|-dw|-e|@': 'the debugger waits for commands',
    'perl|-x/srv|m.pl': 'wants a #! line', 'perl|-S|/srv/m.pl': 'no such file',
    'php|-z|ext.so|x.php': 'no such extension',
    'java|-m|a.module/com.example.Main': 'no such module', 'java|--module=a.module': 'no such module',
    'java|-cp|lib/*|com.example.Main|x.jar': 'no such class', 'java|--disable-@files|@x': 'no such class',
    'bash|-i': 'a terminal is wanted', '-bash': 'a login shell reads its profile',
}
# What is not told, though something runs, and why.
NOT_TOLD = {'node|--title|foo|s.js': 'the title takes the place of the arguments',
            'node|--title=foo|s.js': 'the title takes the place of the arguments'}


def lines():
    """The table of the unit test."""
    with open(os.path.join(TREE, 'tests/unit/script_lines.h'), encoding='utf-8') as file:
        text = file.read()
    string = r'"((?:[^"\\]|\\.)*)"'
    return [(exe, argv.replace('\\"', '"'), word, path)
            for exe, argv, word, path in re.findall(
                r'\{\s*' + string + r',\s*' + string + r',\s*([A-Z]+),\s*(?:' + string + r'|NULL)\s*\}', text)]


def language(exe):
    name = os.path.basename(exe)
    for key, stems in (('php', ('php', 'lsphp')), ('perl', ('perl',)), ('python', ('python', 'platform')),
                       ('ruby', ('ruby',)), ('node', ('node',)), ('lua', ('lua',)), ('tcl', ('tcl',)),
                       ('awk', ('mawk', 'gawk')), ('java', ('java',)),
                       ('shell', ('bash', 'dash', 'zsh', 'ksh', 'mksh', 'busybox'))):
        if name.startswith(stems):
            return key
    return None


class Owner:
    """owner_tool inside the box."""

    def __init__(self, sandbox, *options, wrap=()):
        tool = shutil.copy(os.path.join(BUILD, 'tests/live/owner_tool'), sandbox.path('owner_tool'))
        os.chmod(tool, 0o755)
        self.process = sandbox.box.popen([*wrap, tool, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def ask(self, flow, uid=USER):
        self.process.stdin.write('%s %d %s %d %d 0\n' % (*flow, uid))
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        for key in ('cmdline', 'script', 'exe', 'uri'):
            answer[key] = answer[key].encode('latin-1').decode('utf-8', 'surrogateescape')
        return answer


def flows(pid, dport=PORT):
    """The connections under way in that process's network namespace."""
    found = []
    with open(f'/proc/{pid}/net/tcp', encoding='ascii') as file:
        for line in file.readlines()[1:]:
            field = line.split()
            ends = []
            for text in field[1:3]:
                raw, port = text.split(':')
                ends += [socket.inet_ntoa(int(raw, 16).to_bytes(4, 'little')), int(port, 16)]
            if field[3] == '02' and ends[3] == dport:
                found.append(tuple(ends))
    return found


def hold():
    """In the child before exec: a connection under way that the program inherits."""
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((HOLE4, PORT))
    os.dup2(one.fileno(), 77)
    os.set_inheritable(77, True)


class Bench:
    """A folder with a script for every language, and what runs there."""

    def __init__(self, sandbox):
        self.sandbox, self.box = sandbox, sandbox.box
        self.folder = sandbox.make_folder('scripts', user=USER)
        self.tool = Owner(sandbox)
        for key, names in (('php', ('x.php', 'y.php', '-')), ('perl', ('m.pl', '-odd.pl')),
                           ('python', ('s.py', 'mod.py', 'pkg/part.py', 'pkg/__init__.py')), ('ruby', ('s.rb',)),
                           ('node', ('s.js',)), ('lua', ('s.lua',)), ('tcl', ('s.tcl',)), ('awk', ('s.awk',)),
                           ('shell', ('s.sh',))):
            for name in names:
                self.put(name, TEXT[key][1])
            self.put(f'stdin.{key}', TEXT[key][2])
        self.put('pkg/__init__.py', '')
        self.put('stdin.java', '')
        self.put('stdin.a', TEXT['php'][0] + '\n')
        for name in ('pre.js', 'x', 'lib/empty', 'php.ini'):
            self.put(name, '')
        os.makedirs(f'{self.folder}/sub', exist_ok=True)
        os.mkfifo(f'{self.folder}/fifo')
        os.chmod(f'{self.folder}/fifo', 0o666)
        with zipfile.ZipFile(f'{self.folder}/x.zip', 'w') as file:
            file.writestr('__main__.py', TEXT['python'][1])
        self.java()

    def put(self, name, text, mode=0o755):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def java(self):
        if not shutil.which('javac'):
            return
        self.put('Main.java', JAVA % ('Main', '(c.endsWith(".jar") ? "RAN:FILE:" : "RAN:MODULE:") + c'))
        self.put('Src.java', JAVA % ('Src', '"RAN:FILE:Src.java"'))
        self.put('source.txt', JAVA % ('Txt', '"RAN:FILE:source.txt"'))
        done = subprocess.run(['javac', '-d', self.folder, f'{self.folder}/Main.java'], check=False)
        if done.returncode == 0:
            with zipfile.ZipFile(f'{self.folder}/x.jar', 'w') as file:
                file.writestr('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\nMain-Class: Main\n\n')
                file.write(f'{self.folder}/Main.class', 'Main.class')

    def start(self, argv, executable=None, stdin=None, cwd=None, env=None, inherit=True, user=USER):
        """The process and what it said: a text behind "RAN:", or None when it ended or said nothing."""
        source = open(stdin, 'rb') if isinstance(stdin, str) else stdin or subprocess.DEVNULL
        process = popen(self.box, argv, executable, source, cwd or self.folder, env, inherit, user)
        if hasattr(source, 'close'):
            source.close()
        return process, said(process)

    def ask(self, process):
        found = wait_for(lambda: flows(process.pid), 3)
        check(len(found) == 1, f'{len(found)} connections')
        return self.tool.ask(found[0])

    def end(self, process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait_for(lambda: not flows(self.tool.process.pid), 3)


def popen(box, argv, executable, stdin, cwd, env, inherit, user):
    """As Host.popen, with argv[0] of its own and a connection that is inherited."""
    from harness import CLONE_NEWNET, CLONE_NEWNS, setns, user_ids

    def enter():
        setns(box.net_fd, CLONE_NEWNET)
        if box.mounts_fd is not None:
            setns(box.mounts_fd, CLONE_NEWNS)
        os.chdir(cwd)
        uid, gid = user_ids(user)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        if inherit:
            hold()

    clean = {'PATH': '/usr/local/bin:/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'HOME': '/nonexistent', **(env or {})}
    return subprocess.Popen([os.fsencode(word) for word in argv], executable=executable, stdin=stdin,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean, preexec_fn=enter,
                            close_fds=False, start_new_session=True)


def said(process, seconds=8.0):
    import select
    import time
    have, end = b'', time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready:
            some = os.read(process.stdout.fileno(), 65536)
            if not some:
                return None
            have += some
        match = re.search(rb'^RAN:([^\r\n]*)[\r\n]', have, re.M)
        if match:
            return match[1].decode('utf-8', 'surrogateescape')
    return None


def truth(word, folder, stdin):
    """(script_from, script) of what a program said of itself."""
    kind, _, name = word.partition(':')
    if kind == 'FILE':
        return 'argv', os.path.normpath(os.path.join(folder, name))
    return {'INLINE': ('inline', ''), 'STDIN': ('stdin', stdin), 'MODULE': ('module', name)}[kind]


def run_line(bench, exe, argv, word, path):
    """None, or what is wrong about it; and what the tool said of it."""
    key = 'awk' if argv.startswith(('awk', 'busybox|awk')) else language(exe)
    words = [part.replace('@', TEXT[key][0]) if '@' in part and key != 'java' else part for part in argv.split('|')]
    stdin = f'{bench.folder}/stdin.{key}'
    if key == 'php' and ('-a' in words or '--interactive' in words):
        stdin = f'{bench.folder}/stdin.a'
    process, word_said = bench.start(words, exe, stdin)
    try:
        if word_said is None:
            return None if word == 'NONE' else f'{argv}: it says nothing of what it runs', 'silent'
        answer = bench.ask(process)
        if word_said == 'INLINE' and stdin.endswith('.a'):
            word_said = 'STDIN'
        real = truth(word_said, bench.folder, stdin)
        got = answer['script_from'], os.path.normpath(answer['script']) if answer['script'] else ''
        if got[0] == 'module':
            got = 'module', answer['script']
        if answer['pid'] != process.pid:
            return f'{argv}: pid {answer["pid"]}, expected {process.pid}: {answer}', 'wrong'
        if got[0] == 'none' and (word == 'NONE' or argv in NOT_TOLD):
            return None, 'unknown'
        if got != real:
            return f'{argv}: {got}, and it runs {real}', 'wrong'
        return None, 'right'
    finally:
        bench.end(process)


def table(tap, sandbox):
    bench = Bench(sandbox)
    by_program, counts = {}, {'right': 0, 'unknown': 0, 'silent': 0, 'wrong': 0}
    for line in lines():
        by_program.setdefault(line[0], []).append(line)

    def program(exe, rows):
        bad = []
        for _, argv, word, path in rows:
            if NOT_RUN.get(argv) or (word == 'NONE' and argv.split('|')[0] != os.path.basename(argv.split('|')[0])):
                continue
            wrong, kind = run_line(bench, exe, argv, word, path)
            counts[kind] += 1
            if wrong:
                bad.append(wrong)
        check(not bad, '\n'.join(bad))

    for exe, rows in by_program.items():
        if (not language(exe) or 'php-fpm' in exe or 'lsphp' in exe or not os.path.exists(exe) or
                (rows[0][1] == 'php|x.php' and rows[0][2] == 'NONE')):
            continue
        if 'java' in exe and not os.path.exists(f'{bench.folder}/x.jar'):
            tap.say('java: no compiler')
            continue
        tap.test(f'what {os.path.basename(exe)} really runs is what is named, in each of its forms', program, exe, rows)
    tap.say(', '.join(f'{number} {kind}' for kind, number in counts.items()))
    tap.ok('no command line is named wrongly', counts['wrong'] == 0 and counts['right'] > 200, str(counts))


if __name__ == '__main__':
    main(table)
