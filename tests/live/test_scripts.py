#!/usr/bin/python3 -B
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
import subprocess
import time
import zipfile

from harness import CLONE_NEWNET, CLONE_NEWNS, HOLE4, check, equal, main, setns, user_ids, wait_for

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
        process, word = bench.start(['bash', '-c', 'exec perl <(cat stdin.perl)'], None)
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



if __name__ == '__main__':
    main(table, forms, cgi)
