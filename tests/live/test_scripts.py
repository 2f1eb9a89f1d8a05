#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What really runs against what is named: each command line of tests/unit/script_lines.h is executed by its own
program, which says itself what it runs while it holds a connection to port 25. TAP; root."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
import zipfile

from harness import CLONE_NEWNET, CLONE_NEWNS, HOLE4, check, equal, main, setns, user_ids, wait_for

from services import newest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('BUILD', os.path.join(TREE, 'build'))
USER = 50000 + os.getpid() % 10000  # whose processes are ours only
PORT = 25

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
        tool = sandbox.path('owner_tool')
        if not os.path.exists(tool):
            shutil.copy(os.path.join(BUILD, 'tests/live/owner_tool'), tool)
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
        self.tool = Owner(sandbox, '-f', '4096', '-h', '1000')  # the machine may be busy
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
        for pid in self.box.processes():  # also those that left its group
            with contextlib.suppress(OSError):
                if os.stat(f'/proc/{pid}').st_uid == USER or pid == process.pid:
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait_for(lambda: not flows(self.tool.process.pid), 3)


def popen(box, argv, executable, stdin, cwd, env, inherit, user):
    """As Host.popen, with argv[0] of its own and a connection that is inherited."""
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
    tap.ok('no command line is named wrongly', counts['wrong'] == 0 and counts['right'] > 150, str(counts))



# What connects itself, and says who and what it is before.
REAL = {
    'php': '#!%s\n<?php echo"PID:".getmypid()."\nRAN:FILE:".__FILE__."\n";@fsockopen("' + HOLE4 + '",25,$e,$s,60);',
    'perl': '#!%s\nuse IO::Socket::INET;$|=1;print "PID:$$\nRAN:FILE:$0\n";'
            'IO::Socket::INET->new(PeerAddr=>"' + HOLE4 + '",PeerPort=>25);',
    'python3': '#!%s\nimport os,socket,sys\nprint("PID:%%d\\nRAN:FILE:%%s"%%(os.getpid(),sys.argv[0]),flush=True)\n'
               'socket.socket().connect(("' + HOLE4 + '",25))\n',
    'ruby': '#!%s\nrequire "socket";$stdout.sync=true;puts "PID:#{$$}\nRAN:FILE:#{$0}";'
            'TCPSocket.new("' + HOLE4 + '",25)\n',
    'node': '#!%s\nconsole.log("PID:"+process.pid+"\\nRAN:FILE:"+__filename);'
            'require("net").connect(25,"' + HOLE4 + '")\n',
    'bash': '#!%s\necho PID:$$;echo RAN:FILE:$0;exec 3<>/dev/tcp/' + HOLE4 + '/25\n',
    'tclsh': '#!%s\nputs "PID:[pid]\nRAN:FILE:[info script]";flush stdout;socket ' + HOLE4 + ' 25\n',
}
NAMES = {'php': '/usr/bin/php', 'perl': '/usr/bin/perl', 'python3': '/usr/bin/python3', 'ruby': '/usr/bin/ruby',
         'node': '/usr/bin/node', 'bash': '/bin/bash', 'tclsh': '/usr/bin/tclsh'}


def ending(name):
    return 'js' if name == 'node' else name


def all_said(process, seconds=8.0):
    """Everything up to the line RAN:, as {PID: …, RAN: …}."""
    found, end = {}, time.monotonic() + seconds
    have = b''
    while 'RAN' not in found and time.monotonic() < end:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready:
            some = os.read(process.stdout.fileno(), 65536)
            if not some:
                break
            have += some
        found = {key.decode(): value.decode('utf-8', 'surrogateescape')
                 for key, value in re.findall(rb'^([A-Z]+):(.*?)\r?\n', have, re.M)}
    check('RAN' in found, f'it says nothing: {have[:300]}')
    return found


def real_run(bench, argv, cwd=None, env=None, stdin=None):
    """What a program that connects said of itself, and what the tool says of it."""
    process = popen(bench.box, argv, None, stdin or subprocess.DEVNULL, cwd or bench.folder, env, False, USER)
    try:
        words = all_said(process)
        answer = bench.ask(process)
        equal(answer['pid'], int(words['PID']), 'pid')
        return words['RAN'], answer
    finally:
        bench.end(process)


def right(bench, argv, cwd=None, env=None):
    word, answer = real_run(bench, argv, cwd, env)
    equal((answer['script_from'], os.path.normpath(answer['script'])), truth(word, cwd or bench.folder, None),
          f'{argv} {answer}')
    return answer


def forms(tap, sandbox):
    bench = Bench(sandbox)
    deep = sandbox.make_folder('scripts', 'deep', 'er', user=USER)
    paths = {}
    here = [name for name in REAL if os.path.exists(NAMES[name])]
    for name in here:
        text = REAL[name]
        paths[name] = bench.put(f'real.{ending(name)}', text % NAMES[name])
        bench.put(f'env.{ending(name)}', text % f'/usr/bin/env {name}')
        bench.put(f'env-s.{ending(name)}', text % f'/usr/bin/env -S A=b {name}')

    def shebang(name):
        end = ending(name)
        for kind in ('real', 'env', 'env-s'):
            right(bench, [f'{bench.folder}/{kind}.{end}', 'x'])
            right(bench, [f'./{kind}.{end}'])
            right(bench, [f'../../{kind}.{end}'], deep)
            right(bench, [f'./{kind}.{end}'], env={'PWD': '/nonexistent'})

    def wrapped(name):
        path = paths[name]
        for words in (['env', 'A=b', name, path], ['env', '-i', NAMES[name], path], ['nice', '-n', '1', name, path],
                      ['timeout', '60', name, path], ['nohup', name, path], ['setsid', '-w', name, path],
                      ['sh', '-c', f'exec {name} {path}'], ['sh', '-c', f'{name} {path}; true'],
                      ['sh', '-c', f'cd / && A=1 {name} {path}; true'], ['xargs', '-a', '/dev/null', name, path],
                      ['sh', '-c', f'cd {bench.folder} && {name} real.{ending(name)}; true']):
            right(bench, words)
        right(bench, ['sh', '-c', f'cd .. && cd er && {name} ../../real.{ending(name)}; true'], deep)

    for name in here:
        tap.test(f'{name} through #!, env and env -S is named with its script, from any folder', shebang, name)
        tap.test(f'{name} behind env, nice, timeout, nohup and sh -c is named with its script', wrapped, name)

    def parents():
        _, answer = real_run(bench, ['sh', '-c', f'timeout 60 php {paths["php"]}; true'])
        check(len(answer['parents']) >= 2, str(answer))

    tap.test('the wrappers of a script are its parents, not guessed at', parents)

    def namesake():
        """x.php of /a goes to /b, where there is an x.php too."""
        sandbox.make_folder('scripts', 'a', user=USER)
        sandbox.make_folder('scripts', 'b', user=USER)
        here, there = f'{bench.folder}/a', f'{bench.folder}/b'
        bench.put('a/n.php', '<?php chdir("../b");' + REAL['php'].split('<?php ', 1)[1])
        bench.put('b/n.php', '<?php')
        _, answer = real_run(bench, ['php', 'n.php'], here, {'PWD': here})
        equal((answer['script'], answer['script_from'], answer['cut'] & 8), ('n.php', 'argv', 8), answer)
        equal(answer['cwd'], there, 'cwd')
        os.unlink(f'{there}/n.php')
        _, answer = real_run(bench, ['php', 'n.php'], here, {'PWD': here})
        equal((answer['script'], answer['script_from']), ('n.php', 'argv'), answer)
        os.symlink(here, f'{bench.folder}/link')
        right(bench, ['php', '../real.php'], here, {'PWD': f'{bench.folder}/link'})
        right(bench, ['sh', '-c', f'cd {bench.folder}/link && php ../real.php; true'], here)

    tap.test('a script that went to a folder with a namesake is not taken for that one', namesake)

    def titles():
        for argv, line in (
                (['perl', '-e', '$0="perl /etc/passwd";' + TEXT['perl'][0]], ''),
                (['perl', '-e', '$0="perl";' + TEXT['perl'][0], 'a', 'b'], ''),
                (['perl', '-e', '$0="perl\\0/etc/passwd";' + TEXT['perl'][0]], ''),
                (['php', '-r', 'cli_set_process_title("php /etc/passwd");' + TEXT['php'][0]], ''),
                (['php', '-r', 'cli_set_process_title("php");' + TEXT['php'][0]], ''),
                (['ruby', '-e', '$0="ruby /etc/passwd";' + TEXT['ruby'][0]], ''),
                (['ruby', '-e', 'Process.setproctitle("ruby");' + TEXT['ruby'][0]], ''),
                (['node', '--title=node', '-e', TEXT['node'][0]], ''),
                (['node', '-e', 'process.title="node /etc/passwd";' + TEXT['node'][0]], '')):
            if not shutil.which(argv[0]):
                continue
            process, word = bench.start(argv, None)
            try:
                equal(word, 'INLINE', argv)
                answer = bench.ask(process)
                check((answer['script_from'], answer['script']) in (('none', line), ('inline', '')),
                      f'{argv}: {answer}')
            finally:
                bench.end(process)

    tap.test('a title in place of the arguments is not read as a script, nor as standard input', titles)

    def inputs():
        for argv, text in ((['php', '/dev/stdin'], 'php'), (['bash', '/dev/stdin'], 'shell'),
                           (['perl', '/dev/fd/0'], 'perl'), (['python3', '/proc/self/fd/0'], 'python')):
            stdin = f'{bench.folder}/stdin.{text}'
            process, word = bench.start(argv, '/usr/bin/python3' if text == 'python' else None, stdin)
            try:
                check(word, f'{argv} says nothing')
                answer = bench.ask(process)
                equal((answer['script_from'], answer['script']), ('stdin', stdin), answer)
            finally:
                bench.end(process)
        process, word = bench.start(['bash', '-c', f'exec perl <(cat stdin.perl)'], None)
        try:
            answer = bench.ask(process)
            equal((answer['script_from'], answer['script'][:8]), ('argv', '/dev/fd/'), answer)
        finally:
            bench.end(process)
        reader, writer = os.pipe()
        os.write(writer, TEXT['python'][2].encode())
        os.close(writer)
        process, word = bench.start(['/usr/bin/python3'], None, os.fdopen(reader, 'rb'))
        try:
            equal(word, 'STDIN', 'python')
            answer = bench.ask(process)
            equal((answer['script_from'], answer['script']), ('stdin', ''), answer)
        finally:
            bench.end(process)

    tap.test('a program from a pipe, /dev/stdin or a substituted process is told from a file', inputs)

    def folders():
        sandbox.make_folder('scripts', 'app', user=USER)
        bench.put('app/__main__.py', TEXT['python'][1].replace('sys.argv[0]', '__file__'))
        bench.put('app/index.js', TEXT['node'][1])
        os.makedirs(f'{bench.folder}/other', exist_ok=True)
        bench.put('other/package.json', '{"main": "second.js"}')
        bench.put('other/index.js', '')
        bench.put('other/second.js', TEXT['node'][1])
        bench.put('both/index.js', '')
        bench.put('both.js', TEXT['node'][1])
        for argv, named in ((['python3', 'app'], 'app/__main__.py'), (['node', 'app'], 'app/index.js'),
                            (['node', f'{bench.folder}/app/'], 'app/index.js'), (['node', 's'], 's.js'),
                            (['node', './both'], 'both.js'), (['node', 'other'], None)):
            if not shutil.which(argv[0]):
                continue
            process, word = bench.start(argv, '/usr/bin/python3' if argv[0] == 'python3' else None)
            try:
                check(word, f'{argv} says nothing')
                answer = bench.ask(process)
                if named:
                    equal(truth(word, bench.folder, '')[1], f'{bench.folder}/{named}', 'what it runs')
                equal((answer['script_from'], answer['script']),
                      ('argv', f'{bench.folder}/{named}') if named else ('none', ''), answer)
            finally:
                bench.end(process)

    tap.test('a folder is named by the file in it that runs, or not at all', folders)

    def gone():
        path = bench.put('gone.pl', TEXT['perl'][1])
        process, _ = bench.start(['perl', path], None)
        os.unlink(path)
        try:
            answer = bench.ask(process)
            equal((answer['script_from'], answer['script']), ('argv', path), answer)
        finally:
            bench.end(process)

    tap.test('a script that was removed since is named as it was called', gone)


CGI = {'GATEWAY_INTERFACE': 'CGI/1.1', 'REQUEST_METHOD': 'POST', 'REDIRECT_STATUS': '200', 'REQUEST_URI': '/x.php?a=1',
       'HTTP_HOST': 'shop.example', 'SERVER_NAME': 'www.shop.example', 'REMOTE_ADDR': '192.0.2.7',
       'CONTENT_LENGTH': '0'}
REQUEST = ('POST', '/x.php?a=1', 'shop.example', '192.0.2.7')


def request_of(answer):
    return tuple(answer[key] for key in ('method', 'uri', 'host', 'client'))


def cgi(tap, sandbox):
    bench = Bench(sandbox)
    page, other = f'{bench.folder}/x.php', f'{bench.folder}/y.php'

    def ask(env, argv=('php-cgi',), cwd=None, stdin=None):
        process, word = bench.start(list(argv), None, stdin, cwd, env)
        try:
            check(word, f'{argv} {env} says nothing')
            return truth(word, cwd or bench.folder, ''), bench.ask(process)
        finally:
            bench.end(process)

    def variants():
        for env, argv in (
                ({**CGI, 'SCRIPT_FILENAME': page}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': page}, ['php-cgi', other]),
                ({**CGI, 'SCRIPT_FILENAME': page, 'PATH_TRANSLATED': other}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': '/usr/lib/cgi-bin/php', 'PATH_TRANSLATED': page, 'REDIRECT_URL': '/x.php'},
                 ['php-cgi']),
                ({**CGI, 'PATH_TRANSLATED': page}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': page + '/path/info'}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': page + '//info/'}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': 'x.php'}, ['php-cgi']),
                ({**CGI, 'SCRIPT_FILENAME': './x.php'}, ['php-cgi']),
                ({**CGI, 'HTTP_COOKIE': 'c' * 100000, 'SCRIPT_FILENAME': page}, ['php-cgi'])):
            real, answer = ask(env, argv)
            equal((answer['script_from'], answer['script']), ('environ', real[1]), f'{argv} {env}'[:400])
            equal(request_of(answer), REQUEST, answer)

    tap.test('php-cgi as a CGI program is named with what it runs, in all that servers say', variants)

    def no_host():
        _, answer = ask({**{key: CGI[key] for key in CGI if key != 'HTTP_HOST'}, 'SCRIPT_FILENAME': page})
        equal(answer['host'], 'www.shop.example', 'host')

    tap.test('without a Host header the server name is the host', no_host)

    def command_line():
        for env, argv in (({'SCRIPT_FILENAME': other}, ['php-cgi', 'x.php', 'a=1']), ({}, ['php-cgi', '-q', 'x.php']),
                          ({}, ['php-cgi', '-qf', page])):
            real, answer = ask(env, argv)
            equal((answer['script_from'], answer['script']), ('argv', real[1]), answer)
            equal(request_of(answer), ('', '', '', ''), answer)
        real, answer = ask({'SCRIPT_FILENAME': page})
        equal((answer['script_from'], answer['script']), ('environ', real[1]), answer)

    tap.test('php-cgi on a command line is named by its arguments, and has no request', command_line)

    def inherited():
        """A cron script in an environment with a request's words, below nobody who serves CGI."""
        process, word = bench.start(['perl', 'm.pl'], None, None, None, CGI)
        try:
            answer = bench.ask(process)
            equal(request_of(answer), ('', '', '', ''), answer)
            equal(answer['script'], f'{bench.folder}/m.pl', 'script')
        finally:
            bench.end(process)

    tap.test('who is not below a web server has no request, whatever its environment says', inherited)

    def lsphp():
        """As lsapi_main.c writes its title: ':' and the last 45 characters of the path."""
        program = bench.put('lsphp', '')
        shutil.copy('/usr/bin/perl', program)
        bench.put('public_html/a/rather/long/folder/name/for/it/index.php', '')
        long = f'{bench.folder}/public_html/a/rather/long/folder/name/for/it'
        for path, cwd, named in ((page, bench.folder, None), ('/srv/x.php', '/', '/srv/x.php'),
                                 (f'{long}/index.php', long, f'{long}/index.php'),
                                 (f'{long}/index.php', '/', None), (f'{long}/gone.php', long, None),
                                 ('/' + 'x' * 60 + '/public_html/index.php', long, None)):
            title = 'lsphp:' + path[-45:]
            if path == page:
                named = page if len(page) < 45 else None if not path.startswith('/') else page
            process, _ = bench.start(['lsphp' + ' ' * 60, '-e', f'$0="{title}";' + TEXT['perl'][0]], program, None, cwd)
            try:
                answer = bench.ask(process)
                equal(answer['script'], named or '', f'{title} in {cwd}')
                equal((answer['script_from'], answer['script_why']),
                      ('title', 'none') if named else ('none', 'not-told'), answer)
            finally:
                bench.end(process)

    tap.test('the title of lsphp, cut at the left, is a script only together with its folder', lsphp)



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
                       ('apart', f'pm.max_children = 4\npm.status_listen = 127.0.0.1:9178'),
                       ('apart6', f'pm.max_children = 4\npm.status_listen = [::1]:9179'),
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


if __name__ == '__main__':
    main(table, forms, cgi, web, pools, answers)
