#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Owners of real sockets of real programs, looked up while their SYN goes nowhere. TAP; root.

A veth pair whose far end nobody answers keeps every connect in SYN_SENT, as a held packet does.
"""
import atexit, ctypes, json, os, shutil, signal, socket, struct, subprocess, sys, tempfile, threading, time
import traceback

if os.environ.get("EGT_OWNER") != "inside":
    # Namespaces of its own, which end with it: network, pids (everybody in it can be read, so
    # that "unique" can be proven) and mounts.
    os.environ["EGT_OWNER"] = "inside"
    os.execvp("unshare", ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc",
                          sys.executable, os.path.abspath(__file__)])
NS = "egt-owner-%x" % time.time_ns()
WEB, NOBODY = 33, 65534
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
procs, cgroups = [], []
count, failed = 0, 0
home = None


def sh(*args, check=True):
    return subprocess.run(args, check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def clean():
    for p in procs:
        if p.poll() is None:
            p.kill()
    for p in procs:
        try:
            p.wait(5)
        except Exception:
            pass
    for c in cgroups:
        try:
            os.rmdir(c)
        except OSError:
            pass
    sh("umount", os.path.join(home or "/nonexistent", "fuse"), check=False)
    if home:
        shutil.rmtree(home, ignore_errors=True)


def setup():
    global home
    atexit.register(clean)
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, lambda *_: sys.exit(1))
    home = tempfile.mkdtemp(prefix="egt-owner-")
    os.chmod(home, 0o755)
    for line in ("link set lo up", "link add e0 type veth peer name e1", "link set e1 up",
                 "addr add 10.77.0.1/24 dev e0", "addr add fd77::1/64 dev e0 nodad",
                 "link set e0 up", "neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev e0",
                 "neigh add fd77::2 lladdr 02:00:00:00:00:02 dev e0"):
        sh("ip", *line.split())
    shutil.copy(os.path.join(BUILD, "tests/live/owner_tool"), home + "/owner_tool")
    os.chmod(home + "/owner_tool", 0o755)


class Tool:
    def __init__(self, *args, wrap=()):
        self.p = subprocess.Popen([*wrap, home + "/owner_tool", *args], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        procs.append(self.p)

    def ask(self, flow, uid, more=False, ifindex=0):
        self.p.stdin.write("%s %d %s %d %s %d %s\n" % (*flow, uid, ifindex,
                                                       "continue" if more else ""))
        self.p.stdin.flush()
        answer = json.loads(self.p.stdout.readline())
        for key in ("cmdline", "script", "exe"):
            answer[key] = answer[key].encode("latin-1").decode("utf-8", "surrogateescape")
        return answer


def run(args, uid=WEB, **kw):
    def become():
        if uid:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
    p = subprocess.Popen(args, preexec_fn=become, stdin=kw.pop("stdin", subprocess.DEVNULL),
                         stdout=kw.pop("stdout", subprocess.DEVNULL), stderr=subprocess.DEVNULL,
                         **kw)
    procs.append(p)
    return p


def flows(dport, states=("02",)):
    """Every socket to that port, from /proc/net; a v4-mapped one is given as IPv4."""
    found = []
    for name, v6 in (("tcp", False), ("tcp6", True)):
        for line in open("/proc/self/net/" + name).readlines()[1:]:
            f = line.split()
            if f[3] not in states or int(f[2].split(":")[1], 16) != dport:
                continue
            ends = []
            for text in f[1:3]:
                raw, port = text.split(":")
                raw = b"".join(struct.pack("=I", int(raw[i:i + 8], 16))
                               for i in range(0, len(raw), 8))
                if v6 and raw[:12] == bytes(10) + b"\xff\xff":
                    raw = raw[12:]
                ends += [socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6,
                                          raw), int(port, 16)]
            found.append(tuple(ends))
    return found


def flow_to(dport, n=1, seconds=10, states=("02",)):
    end = time.time() + seconds
    while time.time() < end:
        found = flows(dport, states)
        if len(found) >= n:
            time.sleep(0.03)  # into the system call in which it waits
            return found[0] if n == 1 else found
        time.sleep(0.01)
    raise AssertionError("no socket to port %d appeared" % dport)


port = 2500


def next_port():
    global port
    port += 1
    return port


def put(name, text, mode=0o755):
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def eq(got, want, answer=None):
    assert got == want, "got %r, wanted %r%s" % (got, want, " in %s" % answer if answer else "")


def test(name):
    def wrap(f):
        global count, failed
        count += 1
        mark = len(procs)
        try:
            why = f()
            print("ok %d - %s%s" % (count, name, " # SKIP " + why if why else ""), flush=True)
        except Exception as e:
            failed += 1
            print("not ok %d - %s" % (count, name), flush=True)
            for line in (traceback.format_exc() if not isinstance(e, AssertionError)
                         else str(e)).splitlines():
                print("#   " + line, flush=True)
        for p in procs[mark:]:
            if p.poll() is None and not getattr(p, "stays", False):
                p.kill()
                p.wait()
        return f
    return wrap


setup()
tool = Tool()
tool.p.stays = True

PHP = put("site/public/mailer.php", """<?php
$t = microtime(true);
@fsockopen('10.77.0.2', (int)($argv[1] ?? $_GET['port']), $e, $s, 30);
""", 0o644)
PY = put("site/app/send.py", """
import socket, sys
s = socket.socket()
if len(sys.argv) > 2: s.settimeout(float(sys.argv[2]))
s.connect(('10.77.0.2', int(sys.argv[1])))
""", 0o644)
PERL = put("site/app/cron mailer.pl", """
use IO::Socket::INET;
my %o = (PeerAddr => '10.77.0.2', PeerPort => $ARGV[0], Proto => 'tcp');
$o{Timeout} = $ARGV[1] if $ARGV[1];
IO::Socket::INET->new(%o);
""", 0o644)
BASH = put("site/app/send.sh", "#!/bin/bash\nexec 3<>/dev/tcp/10.77.0.2/$1\n")
RUBY = put("site/app/send.rb", "require 'socket'\nTCPSocket.new('10.77.0.2', ARGV[0].to_i)\n")
PYTHON = os.path.realpath("/usr/bin/python3")


def one(args, script, uid=WEB, source="argv", **kw):
    dport = next_port()
    p = run([a.replace("PORT", str(dport)) for a in args], uid, **kw)
    answer = tool.ask(flow_to(dport), uid)
    eq(answer["pid"], p.pid, answer)
    eq(answer["how"], "confirmed", answer)
    eq(answer["why"], "none", answer)
    eq(answer["uid"], uid, answer)
    eq(answer["script"], script, answer)
    eq(answer["script_from"], source, answer)
    assert answer["fds"] <= 6, "%d descriptors were read: %s" % (answer["fds"], answer)
    return answer


@test("php's fsockopen is found with its script, absolute")
def _(): one(["php", PHP, "PORT"], PHP)


@test("a relative php script is resolved against the working folder")
def _():
    a = one(["php", "-d", "display_errors=0", "./mailer.php", "PORT"], PHP,
            cwd=os.path.dirname(PHP))
    eq(a["cwd"], os.path.dirname(PHP))


@test("python in a blocking connect is found")
def _(): one(["/usr/bin/python3", PY, "PORT"], PY)


@test("python that waits in poll with a timeout is found")
def _(): one(["/usr/bin/python3", PY, "PORT", "30"], PY, uid=NOBODY)


@test("perl in a blocking connect is found")
def _(): one(["perl", "-w", PERL, "PORT"], PERL)


@test("perl that waits in select with a timeout is found")
def _(): one(["perl", PERL, "PORT", "30"], PERL)


@test("bash's /dev/tcp is found with the script of its interpreter line")
def _(): one([BASH, "PORT"], BASH)


@test("ruby is found")
def _(): one(["ruby", RUBY, "PORT"], RUBY)


@test("an inline program is said to be inline, and no script is named")
def _(): one(["perl", "-MSocket", "-e", "socket(S,2,1,6);connect(S,pack_sockaddr_in(PORT,"
              "inet_aton('10.77.0.2')))"], "", source="inline")


@test("a program on standard input is said to be there, with its file")
def _():
    with open(PY) as f:
        one(["/usr/bin/python3", "-", "PORT"], PY, source="stdin", stdin=f)


@test("an epoll program over IPv6 is found")
def _():
    src = ("import socket,select,time\ns=socket.socket(10);s.setblocking(0)\n"
           "s.connect_ex(('fd77::2',PORT))\ne=select.epoll();e.register(s,4)\ne.poll(30)\n")
    a = one(["/usr/bin/python3", "-c", src], "", source="inline")
    eq(a["exe"], PYTHON)


@test("a v4-mapped IPv6 socket is found by the IPv4 tuple")
def _():
    src = "import socket\ns=socket.socket(10)\ns.connect(('::ffff:10.77.0.2',PORT))"
    one(["/usr/bin/python3", "-c", src], "", source="inline")


@test("a connect in a thread is found")
def _():
    src = ("import socket,threading,time\n"
           "t=threading.Thread(target=lambda:socket.socket().connect(('10.77.0.2',PORT)))\n"
           "t.start();time.sleep(60)")
    one(["/usr/bin/python3", "-c", src], "", source="inline")


@test("a process that may not be dumped is found and described")
def _():
    src = ("import socket,ctypes\nctypes.CDLL(None).prctl(4,0)\n"
           "socket.socket().connect(('10.77.0.2',PORT))")
    a = one(["/usr/bin/python3", "-c", src], "", source="inline")
    eq(a["exe"], PYTHON)


@test("a set-user-id program's real uid is the user")
def _():
    helper = home + "/suid-perl"
    shutil.copy("/usr/bin/python3", helper)
    os.chown(helper, NOBODY, NOBODY)
    os.chmod(helper, 0o4755)
    dport = next_port()
    src = "import socket\nsocket.socket().connect(('10.77.0.2',%d))" % dport
    p = run([helper, "-c", src], WEB)
    a = tool.ask(flow_to(dport), NOBODY)
    os.unlink(helper)
    eq((a["pid"], a["uid"], a["euid"], a["socket_uid"]), (p.pid, WEB, NOBODY, NOBODY), a)


@test("a deleted executable is flagged, without the kernel's suffix")
def _():
    helper = home + "/gone python"
    shutil.copy("/usr/bin/python3", helper)
    dport = next_port()
    p = run([helper, "-c", "import socket\nsocket.socket().connect(('10.77.0.2',%d))" % dport])
    flow = flow_to(dport)
    os.unlink(helper)
    a = tool.ask(flow, WEB)
    eq((a["pid"], a["exe"], a["exe_deleted"], a["exe_memfd"]), (p.pid, helper, True, False), a)


@test("an executable that is named as a deleted one is named so, and is not deleted")
def _():
    helper = home + "/python3 (deleted)"
    shutil.copy("/usr/bin/python3", helper)
    dport = next_port()
    p = run([helper, "-c", "import socket\nsocket.socket().connect(('10.77.0.2',%d))" % dport])
    flow = flow_to(dport)
    a = tool.ask(flow, WEB)
    eq((a["pid"], a["exe"], a["exe_deleted"]), (p.pid, helper, False), a)
    os.unlink(helper)
    a = tool.ask(flow, WEB)
    eq((a["pid"], a["exe"], a["exe_deleted"]), (p.pid, helper, True), a)


@test("a relative script in a folder too deep to have a path is said to be cut")
def _():
    dport = next_port()
    src = ("import os\nos.chdir('%s')\n"
           "for _ in range(21): os.mkdir('D'*200); os.chdir('D'*200)\n"
           "open('s.py','w').write(open('%s').read())\n"
           "os.execv('/usr/bin/python3',['python3','s.py','%d'])" % (home, PY, dport))
    p = run(["/usr/bin/python3", "-c", src], 0)
    a = tool.ask(flow_to(dport), 0)
    eq((a["pid"], a["cwd"], a["script"], a["script_from"]), (p.pid, "", "s.py", "argv"), a)
    eq(a["cut"], 1 << 2 | 1 << 3, a)  # cwd and script


@test("an executable in a memfd is flagged")
def _():
    dport = next_port()
    src = ("import os\nfd=os.memfd_create('kworker')\n"
           "os.write(fd,open('/usr/bin/python3','rb').read())\n"
           "os.execve(fd,['kworker','-c','import socket;"
           "socket.socket().connect((\"10.77.0.2\",%d))'],os.environ)" % dport)
    p = run(["/usr/bin/python3", "-c", src])
    a = tool.ask(flow_to(dport), WEB)
    eq((a["pid"], a["exe"], a["exe_memfd"]), (p.pid, "/memfd:kworker", True), a)


SHARED = """
import socket, os, time
s = socket.socket(); s.setblocking(0); s.connect_ex(('10.77.0.2', %d))
if os.fork() == 0: pass
time.sleep(60)
"""


@test("a socket shared over fork names both holders")
def _():
    dport = next_port()
    p = run(["/usr/bin/python3", "-c", SHARED % dport], start_new_session=True)
    try:
        a = tool.ask(flow_to(dport), WEB)
        eq((a["how"], a["n_holders"]), ("shared", 2), a)
        assert p.pid in a["holders"] and a["pid"] in a["holders"], a
    finally:
        os.killpg(p.pid, signal.SIGKILL)


@test("a whole search names two strangers who share a socket, and one as unique")
def _():
    dport = next_port()
    src = ("import socket,os,time,sys,array\n"
           "a,b=socket.socketpair(1)\n"
           "if os.fork()==0:\n"
           "  os.setsid(); m,anc,_,_=b.recvmsg(1,99)\n"
           "  time.sleep(60)\n"
           "s=socket.socket();s.setblocking(0)\n"
           "[os.dup(0) for _ in range(9)]\n"
           "s.connect_ex(('10.77.0.2',%d))\n"
           "a.sendmsg([b'x'],[(1,1,array.array('i',[s.fileno()]))])\ntime.sleep(60)" % dport)
    p = run(["/usr/bin/python3", "-c", src], start_new_session=True)
    flow = flow_to(dport)
    a = tool.ask(flow, WEB, more=True)
    other = [h for h in a["holders"] if h != p.pid]
    try:
        eq((a["how"], a["n_holders"]), ("shared", 2), a)
        assert p.pid in a["holders"], a
        dport = next_port()
        q = run(["/usr/bin/python3", PY, str(dport)])
        a = tool.ask(flow_to(dport), WEB, more=True)
        eq((a["how"], a["pid"], a["holders"]), ("unique", q.pid, [q.pid]), a)
    finally:
        for pid in other:
            os.kill(pid, signal.SIGKILL)


@test("a socket parked in a unix socket is in flight, and nobody is named")
def _():
    dport = next_port()
    src = ("import socket,os,time,array\na,b=socket.socketpair(1)\n"
           "s=socket.socket();s.setblocking(0);s.connect_ex(('10.77.0.2',%d))\n"
           "a.sendmsg([b'x'],[(1,1,array.array('i',[s.fileno()]))])\ns.close()\ntime.sleep(60)"
           % dport)
    run(["/usr/bin/python3", "-c", src])
    a = tool.ask(flow_to(dport), WEB, more=True)
    eq((a["how"], a["why"], a["pid"], a["result"]), ("in-flight", "in-flight", 0, "ENOENT"), a)


@test("a process that ends after connecting leaves no socket and no name")
def _():
    dport = next_port()
    src = ("import socket,sys\ns=socket.socket();s.setblocking(0)\n"
           "s.connect_ex(('10.77.0.2',%d));print(s.getsockname()[1],flush=True)" % dport)
    p = run(["/usr/bin/python3", "-c", src], stdout=subprocess.PIPE)
    sport = int(p.stdout.readline())
    p.wait()
    a = tool.ask(("10.77.0.1", sport, "10.77.0.2", dport), WEB)
    eq((a["how"], a["why"], a["pid"], a["inode"]), ("no-kernel-socket", "no-socket", 0, 0), a)


@test("a listener on the same local port is not credited")
def _():
    s = socket.socket()
    s.bind(("0.0.0.0", 0))
    s.listen()
    a = tool.ask(("10.77.0.1", s.getsockname()[1], "10.77.0.2", 25), WEB)
    eq((a["how"], a["pid"], a["inode"]), ("no-kernel-socket", 0, 0), a)


@test("a socket in TIME_WAIT belongs to nobody")
def _():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    c = socket.create_connection(s.getsockname())
    mine, theirs = c.getsockname(), c.getpeername()
    peer = s.accept()[0]
    c.close()
    peer.close()
    time.sleep(0.1)
    a = tool.ask((*mine, *theirs), 0)
    eq((a["how"], a["why"], a["pid"], a["state"]), ("unknown", "closed", 0, 6), a)


@test("a socket bound to a device is found when the packet's device is given")
def _():
    dport = next_port()
    src = ("import socket\ns=socket.socket();s.setsockopt(1,25,b'e0')\n"
           "s.connect(('10.77.0.2',%d))" % dport)
    p = run(["/usr/bin/python3", "-c", src])
    a = tool.ask(flow_to(dport), WEB, ifindex=socket.if_nametoindex("e0"))
    eq(a["pid"], p.pid, a)


@test("fchown of the socket does not hide its holder")
def _():
    dport = next_port()
    src = ("import socket,os\ns=socket.socket();os.fchown(s.fileno(),65534,65534)\n"
           "s.connect(('10.77.0.2',%d))" % dport)
    p = run(["/usr/bin/python3", "-c", src], 0)
    a = tool.ask(flow_to(dport), 0)
    eq((a["pid"], a["socket_uid"], a["uid"]), (p.pid, NOBODY, 0), a)


@test("a thread with a descriptor table of its own is found")
def _():
    dport = next_port()
    src = ("import socket,threading,time,ctypes\n"
           "def f():\n"
           "  assert ctypes.CDLL(None).unshare(0x400)==0\n"
           "  s=socket.socket();s.setblocking(0);s.connect_ex(('10.77.0.2',%d));time.sleep(60)\n"
           "threading.Thread(target=f).start();time.sleep(60)" % dport)
    p = run(["/usr/bin/python3", "-c", src])
    a = tool.ask(flow_to(dport), WEB, more=True)
    eq((a["pid"], a["how"]), (p.pid, "unique"), a)


@test("a socket of a process whose leader has exited is found")
def _():
    dport = next_port()
    src = ("import socket,threading,time,ctypes\n"
           "def f():\n"
           "  time.sleep(.3);s=socket.socket();s.connect(('10.77.0.2',%d))\n"
           "threading.Thread(target=f).start();ctypes.CDLL(None).syscall(60,0)" % dport)
    p = run(["/usr/bin/python3", "-c", src])
    a = tool.ask(flow_to(dport), WEB)
    eq((a["pid"], a["exe"], a["cwd"], a["script_from"]), (p.pid, PYTHON, os.getcwd(), "inline"), a)
    assert a["cmdline"].startswith("/usr/bin/python3\0-c\0"), a


@test("two programs that execute each other are never told as one")
def _():
    dport = next_port()
    for name in ("alpha", "beta"):
        shutil.copy("/bin/dash", home + "/" + name)
    src = ("import socket,os\ns=socket.socket();s.setblocking(0);s.set_inheritable(True)\n"
           "s.connect_ex(('10.77.0.2',%d));os.execve('%s/alpha',['%s/alpha','-c','eval \"$A\"'],"
           "{'A':'exec %s/beta -c \\'eval \"$B\"\\'','B':'exec %s/alpha -c \\'eval \"$A\"\\''})"
           % (dport, home, home, home, home))
    p = run(["/usr/bin/python3", "-c", src])
    flow, seen = flow_to(dport), {}
    for _ in range(1500):
        a = tool.ask(flow, WEB)
        eq(a["pid"], p.pid, a)
        argv0 = a["cmdline"].split("\0")[0]
        if a["script_why"] == "exec":
            eq((a["exe"], a["cmdline"], a["cwd"], a["script"]), ("", "", "", ""), a)
        elif argv0:
            eq(a["exe"], argv0, a)
        what = a["script_why"] if a["script_why"] != "none" else os.path.basename(argv0)
        seen[what] = seen.get(what, 0) + 1
    print("#   %s" % seen)
    assert seen.get("alpha", 0) > 50 and seen.get("beta", 0) > 50, seen


@test("one of 300 processes with 10 sockets each is found within 64 descriptors, and not after")
def _():
    dport = next_port()
    src = ("import os,socket,time,sys\nk=[socket.socket() for _ in range(7)]\n"
           "for i in range(300):\n"
           "  if os.fork()==0:\n"
           "    own=[socket.socket() for _ in range(3)]\n"
           "    if i==137: own[1].connect(('10.77.0.2',%d))\n"
           "    time.sleep(90)\n"
           "time.sleep(90)" % dport)
    p = run(["/usr/bin/python3", "-c", src], start_new_session=True)
    try:
        flow = flow_to(dport, seconds=30)
        time.sleep(1)
        a = tool.ask(flow, WEB)
        assert a["pid"] and a["fds"] <= 64, a
        print("#   first: %d descriptors, %d us" % (a["fds"], a["us"]))
        a = tool.ask(flow, WEB)
        print("#   again: %d descriptors, %d us" % (a["fds"], a["us"]))
        assert a["pid"] and a["fds"] <= 3, a
        eq(a["how"], "confirmed", a)
    finally:
        os.killpg(p.pid, signal.SIGKILL)


@test("a socket among 15,000 descriptors, in no call, stays within the budget; then it is found")
def _():
    dport = next_port()
    src = ("import os,socket,time,resource\nresource.setrlimit(7,(16000,16000))\n"
           "s=socket.socket();s.setblocking(0)\n"
           "k=[os.dup(0) for _ in range(15000)]\n"
           "s.connect_ex(('10.77.0.2',%d));time.sleep(60)" % dport)
    p = run(["/usr/bin/python3", "-c", src])
    flow = flow_to(dport)
    fresh = Tool()
    a = fresh.ask(flow, WEB)
    eq((a["result"], a["why"], a["pid"]), ("EAGAIN", "budget", 0), a)
    assert a["fds"] == 64 and a["us"] < 100000, a
    print("#   held: %d us, again: %d us" % (a["us"], fresh.ask(flow, WEB)["us"]))
    a = fresh.ask(flow, WEB, more=True)
    eq((a["pid"], a["how"]), (p.pid, "unique"), a)
    print("#   after: %d descriptors, %d us" % (a["fds"], a["us"]))


@test("the processes of the socket's cgroup are looked at first")
def _():
    base = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
    if not os.path.exists(base + "/cgroup.procs"):
        return "no cgroup2 mount"
    path = base + "/" + NS + ".service"
    os.mkdir(path)
    cgroups.append(path)
    dport = next_port()
    src = ("import os\nopen('%s/cgroup.procs','w').write(str(os.getpid()))\n"
           "os.setgroups([]);os.setuid(33)\nimport socket\n"
           "socket.socket().connect(('10.77.0.2',%d))" % (path, dport))
    p = run(["/usr/bin/python3", "-c", src], 0)
    a = Tool().ask(flow_to(dport), WEB)
    p.kill()
    p.wait()
    os.rmdir(path)
    eq((a["pid"], a["unit"]), (p.pid, NS + ".service"), a)
    assert a["cgroup_id"] > 1, a


@test("php-cgi's script and request come from its environment")
def _():
    dport = next_port()
    page = put("site/public/cgi.php", "<?php @fsockopen('10.77.0.2', %d, $e, $s, 30);" % dport, 0o644)
    env = {"PATH": "/usr/bin", "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
           "SCRIPT_FILENAME": page, "SCRIPT_NAME": "/cgi.php", "REQUEST_URI": "/cgi.php?x=1",
           "HTTP_HOST": "shop.example", "REMOTE_ADDR": "192.0.2.7", "REDIRECT_STATUS": "1",
           "SECRET": "not read", "CONTENT_LENGTH": "0"}
    p = run(["php-cgi"], env=env)
    a = tool.ask(flow_to(dport), WEB)
    eq((a["pid"], a["script"], a["script_from"]), (p.pid, page, "environ"), a)
    eq((a["method"], a["uri"], a["host"], a["client"]),
       ("POST", "/cgi.php?x=1", "shop.example", "192.0.2.7"), a)


def fcgi(where, params):
    """Sends a request and leaves it."""
    s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    s.connect(where)
    pairs = [(k.encode(), os.fsencode(v)) for k, v in params.items()]
    body = b"".join(bytes([len(k)]) + struct.pack(">I", len(v) | 1 << 31) + k + v
                    for k, v in pairs)
    rec = lambda t, b: struct.pack(">BBHHBB", 1, t, 1, len(b), 0, 0) + b
    s.sendall(rec(1, b"\0\1\0\0\0\0\0\0") + rec(4, body) + rec(4, b"") + rec(5, b""))
    return s


def page(where, path, dport, uri="/mailer.php", query=""):
    return fcgi(where, {"REQUEST_METHOD": "GET", "SCRIPT_FILENAME": path, "SCRIPT_NAME": uri,
                        "REQUEST_URI": uri, "QUERY_STRING": "port=%d%s" % (dport, query),
                        "HTTP_HOST": "shop.example", "SERVER_PROTOCOL": "HTTP/1.1"})


def start_fpm():
    exe = shutil.which("php-fpm8.2") or shutil.which("php-fpm")
    if not exe:
        return None
    pools = {
        "site": "pm.max_children = 3\npm.status_path = /egt-status",
        "tcp": "pm.max_children = 2\npm.status_path = /egt-status\n"
               "pm.status_listen = 127.0.0.1:9177",
        "plain": "pm.max_children = 2",
        "busy": "pm.max_children = 1\npm.status_path = /egt-status",
    }
    os.makedirs(home + "/pool.d", exist_ok=True)
    conf = put("php-fpm.conf", "[global]\nerror_log = %s/fpm.log\npid = %s/fpm.pid\n"
               "daemonize = no\ninclude=%s/pool.d/*.conf\n" % (home, home, home), 0o644)
    for name, more in pools.items():
        put("pool.d/%s.conf" % name, "; pool\n[%s]\nuser = www-data\ngroup = www-data\n"
            "listen = %s/$pool.sock\nlisten.owner = www-data\nlisten.group = www-data\n"
            "listen.mode = 0660\npm = static\n%s\n" % (name, home, more), 0o644)
    p = run([exe, "-n", "-F", "-y", conf], 0)
    p.stays = True
    for _ in range(100):
        if all(os.path.exists("%s/%s.sock" % (home, n)) for n in pools):
            return p
        time.sleep(0.05)
    raise AssertionError("php-fpm did not start")


master = start_fpm()
held = []


def fpm_ask(pool, who=None, **kw):
    dport = next_port()
    held.append(page("%s/%s.sock" % (home, pool), kw.pop("script", PHP), dport, **kw))
    flow = flow_to(dport)
    a = (who or tool).ask(flow, WEB)
    assert a["pid"], a
    os.kill(a["pid"], signal.SIGKILL)  # the worker, so that the next test has one
    time.sleep(0.2)
    assert master.pid in a["parents"], a
    return a


@test("a php-fpm worker's script and request come from its pool's status page")
def _():
    a = fpm_ask("site")
    eq((a["script"], a["script_from"], a["script_why"]), (PHP, "fpm-status", "none"), a)
    eq((a["method"], a["uri"].split("?")[0]), ("GET", "/mailer.php"), a)
    print("#   %d us, %d descriptors" % (a["us"], a["fds"]))


@test("a request that writes an entry into the status page does not get another script believed")
def _():
    other = tool.p.pid
    entry = "".join("%-22s%s\n" % (k + ":", v) for k, v in (
        ("content length", 0), ("user", "-"), ("script", "/innocent.php"),
        ("last request cpu", "0.00"), ("last request memory", 0))) + "\n" + "*" * 24 + "\n" + \
        "".join("%-22s%s\n" % (k + ":", v) for k, v in (
            ("pid", other), ("state", "Idle"), ("start time", "-"), ("start since", 0),
            ("requests", 0), ("request duration", 0), ("request method", "-"))) + \
        "%-22s" % "request URI:"
    a = fpm_ask("site", query="\n" + entry)
    eq((a["script"], a["script_from"], a["script_why"]), ("", "none", "not-trusted"), a)


@test("a script with strange bytes in its name is named exactly, or not at all")
def _():
    for name, told in (('a"b\\u0041 \u00e9.php', True), ("a\udcff.php", True),
                       ("a\n.php", False)):
        odd = put("site/public/" + name, open(PHP).read(), 0o644)
        a = fpm_ask("site", script=odd)
        eq((a["script"], a["script_why"]),
           (odd, "none") if told else ("", "not-trusted"), a)


@test("a status page on a listener of its own is asked")
def _():
    a = fpm_ask("tcp")
    eq((a["script"], a["script_from"]), (PHP, "fpm-status"), a)


@test("a pool without a status page leaves the script unknown, and says so")
def _():
    a = fpm_ask("plain")
    eq((a["script"], a["script_from"], a["script_why"]), ("", "none", "no-status-page"), a)
    eq(a["cwd"], os.path.dirname(PHP), a)


@test("a pool whose only worker is held can't answer in time, and says so")
def _():
    a = fpm_ask("busy")
    eq((a["script"], a["script_why"]), ("", "deadline"), a)


@test("a pool that a user made up is not believed, whatever its page says")
def _():
    exe = home + "/php-fpm8.2"
    shutil.copy("/usr/bin/python3", exe)
    conf = put("made-up.conf", "[www]\nlisten = 127.0.0.1:9778\npm.status_path = /s\n"
               "pm.status_listen = 127.0.0.1:9777\n", 0o644)
    dport = next_port()
    worker = ("import socket,time\ntime.sleep(.3)\ns=socket.socket();s.settimeout(60)\n"
              "s.connect(('10.77.0.2',%d))" % dport)
    page = ("pool:                 www\\nprocess manager:      static\\n\\n" + "*" * 24 +
            "\\n" + "".join("%-22s%s\\n" % (k + ":", v) for k, v in (
                ("pid", "%d"), ("state", "Running"), ("start time", "01/Jan/2026"),
                ("start since", 1), ("requests", 1), ("request duration", 9000000),
                ("request method", "GET"), ("request URI", "/index.php"), ("content length", 0),
                ("user", "-"), ("script", "/srv/innocent.php"), ("last request cpu", "0.00"),
                ("last request memory", 0))))
    master = ("import os,socket,struct\nl=socket.socket();l.bind(('127.0.0.1',9777));l.listen()\n"
              "k=os.fork()\nif not k: os.execv('%s',['php-fpm: pool www','-c',%r])\n"
              "while 1:\n  c,_=l.accept();c.recv(9999)\n"
              "  p=('Status: 200 OK\\r\\nContent-type: text/plain\\r\\n\\r\\n%s'%%k).encode()\n"
              "  c.sendall(struct.pack('>BBHHBB',1,6,1,len(p),0,0)+p+"
              "struct.pack('>BBHHBB',1,3,1,8,0,0)+bytes(8));c.close()" % (exe, worker, page))
    for uid in (WEB, 0):
        p = run(["php-fpm: master process (%s)" % conf, "-c", master], uid, executable=exe,
                start_new_session=True)
        try:
            a = tool.ask(flow_to(dport), uid)
            assert p.pid in a["parents"], a
            # Root's is asked: this page is all that a user's would have needed.
            eq((a["script"], a["script_why"]),
               ("/srv/innocent.php", "none") if uid == 0 else ("", "not-trusted"), a)
        finally:
            os.killpg(p.pid, signal.SIGKILL)
            time.sleep(0.2)


@test("a pool whose page never answers is asked three times, and then left alone")
def _():
    seen = []
    for _ in range(5):
        dport = next_port()
        held.append(page("%s/busy.sock" % home, PHP, dport))
        flow = flow_to(dport)
        for _ in range(2):
            start = time.time()
            a = tool.ask(flow, WEB)
            seen.append(int((time.time() - start) * 1000))
            eq((a["script"], a["script_why"]), ("", "deadline"), a)
        os.kill(a["pid"], signal.SIGKILL)
        time.sleep(0.2)
    print("#   %s ms" % seen)
    assert min(seen[:2]) >= 19 and max(seen[3:]) < 15, seen
    a = fpm_ask("site")
    eq((a["script"], a["script_from"]), (PHP, "fpm-status"), a)


CAPS = "net_admin,+sys_ptrace,+dac_read_search"


def judge_args(*groups):
    return ("setpriv", "--reuid=64999", "--regid=64999",
            "--groups=" + ",".join(groups) if groups else "--clear-groups",
            "--inh-caps=-all,+" + CAPS, "--ambient-caps=-all,+" + CAPS,
            "--bounding-set=-all,+" + CAPS, "--no-new-privs")


def judge(*groups):
    return Tool(wrap=judge_args(*groups))


def stay(t):
    t.p.stays = True
    return t


small = stay(judge())


@test("three capabilities and another uid are enough to find and describe")
def _():
    global tool
    root, tool = tool, small
    try:
        one(["php", PHP, "PORT"], PHP)
        one(["/usr/bin/python3", PY, "PORT", "30"], PY, uid=NOBODY)
        one(["perl", PERL, "PORT", "30"], PERL)
        src = ("import socket,ctypes\nctypes.CDLL(None).prctl(4,0)\n"
               "socket.socket().connect(('10.77.0.2',PORT))")
        one(["/usr/bin/python3", "-c", src], "", source="inline")
        one(["/usr/bin/python3", PY, "PORT"], PY, uid=0)
    finally:
        tool = root


@test("three capabilities are enough for the cgroup, the thread tables and a whole search")
def _():
    dport = next_port()
    p = run(["/usr/bin/python3", PY, str(dport)])
    a = small.ask(flow_to(dport), WEB, more=True)
    eq((a["pid"], a["how"]), (p.pid, "unique"), a)


@test("without the group of php-fpm's socket the page is denied, and that is said")
def _():
    a = fpm_ask("site", small)
    eq((a["script"], a["script_why"]), ("", "denied"), a)


@test("with that group it is asked")
def _():
    a = fpm_ask("site", judge("33"))
    eq((a["script"], a["script_from"]), (PHP, "fpm-status"), a)


@test("a status page on the loopback needs no group")
def _():
    a = fpm_ask("tcp", small)
    eq((a["script"], a["script_from"]), (PHP, "fpm-status"), a)


@test("without any capability nobody else's process is named, and the answer is denied")
def _():
    dport = next_port()
    run(["/usr/bin/python3", PY, str(dport)])
    t = Tool(wrap=("setpriv", "--reuid=64999", "--regid=64999", "--clear-groups"))
    a = t.ask(flow_to(dport), WEB, more=True)
    eq((a["pid"], a["how"], a["why"]), (0, "unknown", "denied"), a)


@test("a /proc mounted with hidepid=2 hides nothing from three capabilities")
def _():
    dport = next_port()
    p = run(["/usr/bin/python3", PY, str(dport), "30"], NOBODY)
    t = Tool(wrap=("unshare", "-m", "sh", "-c",
                   "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "sh", *judge_args()))
    a = t.ask(flow_to(dport), NOBODY)
    eq((a["pid"], a["script"]), (p.pid, PY), a)


class Fuse:
    """A FUSE mount with one file, /f, that stops answering when told to."""

    def __init__(self, where, content):
        os.mkdir(where)
        self.where, self.content, self.stuck = where, content, False
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.dev = os.open("/dev/fuse", os.O_RDWR)
        if self.libc.mount(b"egt", where.encode(), b"fuse", 0, b"fd=%d,rootmode=40000,user_id=0,"
                           b"group_id=0,allow_other" % self.dev):
            raise OSError(ctypes.get_errno(), "mount")
        threading.Thread(target=self.serve, daemon=True).start()

    def attr(self, ino):
        size, mode = (0, 0o40755) if ino == 1 else (len(self.content), 0o100644)
        return struct.pack("=QQQQQQIIIIIIIIII", ino, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0,
                           4096, 0)

    def serve(self):
        while True:
            try:
                request = os.read(self.dev, 1 << 20)
            except OSError:
                return
            _, op, unique, node = struct.unpack("=IIQQ", request[:24])
            error, body = 0, b""
            if self.stuck or op in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET
                continue
            if op == 26:    # INIT
                body = struct.pack("=IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0,
                                   *[0] * 7)
            elif op == 1:   # LOOKUP, valid for no time
                if request[40:].split(b"\0")[0] == b"f":
                    body = struct.pack("=QQQQII", 2, 0, 0, 0, 0, 0) + self.attr(2)
                else:
                    error = -2
            elif op == 3:   # GETATTR
                body = struct.pack("=QII", 0, 0, 0) + self.attr(node)
            elif op in (14, 27):  # OPEN, OPENDIR
                body = struct.pack("=QII", 1, 0, 0)
            elif op == 15:  # READ
                offset, size = struct.unpack("=QI", request[48:60])
                body = self.content[offset:offset + size]
            elif op not in (18, 25, 28, 29):  # RELEASE, FLUSH, READDIR, RELEASEDIR
                error = -38
            os.write(self.dev, struct.pack("=IiQ", 16 + len(body), error, unique) + body)

    def end(self):
        if self.dev < 0:
            return
        self.libc.umount2(self.where.encode(), 1)  # MNT_FORCE: whoever hangs comes back
        self.libc.umount2(self.where.encode(), 2)
        os.close(self.dev)
        self.dev = -1


def with_fuse(test_of):
    """Calls test_of(fuse) unless there is no FUSE; whoever hangs on it comes back after."""
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse"
    fuse = Fuse(home + "/fuse", open(PY, "rb").read())
    mark = len(procs)
    try:
        test_of(fuse)
    finally:
        for p in procs[mark:]:
            if not getattr(p, "stays", False):
                p.kill()
        fuse.end()
        time.sleep(0.2)
        os.rmdir(fuse.where)


def ends(t):
    """It can be killed: nothing of it waits where a signal does not reach."""
    t.p.kill()
    t.p.wait(5)


def trap(fuse, program, uid=NOBODY):
    """Starts a program that has `page` on the FUSE mount, not read yet, and `s` connecting."""
    dport = next_port()
    p = run(["/usr/bin/python3", "-c", """
import ctypes, os, select, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
f = os.open(%r, os.O_RDONLY)
page = libc.mmap(None, 4096, 3, 2, f, 0)
s = socket.socket(); s.setblocking(0); s.connect_ex(('10.77.0.2', %d))
print("ready", flush=True)
sys.stdin.readline()
%s""" % (fuse.where + "/f", dport, program)], uid, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, start_new_session=True)
    eq(p.stdout.readline(), "ready\n")
    fuse.stuck = True
    p.stdin.write("go\n")
    p.stdin.flush()
    flow = flow_to(dport)
    time.sleep(0.3)
    return p, flow


@test("a script on a FUSE mount that does not answer costs nothing")
def _():
    def body(fuse):
        dport = next_port()
        p = run(["/usr/bin/python3", fuse.where + "/f", str(dport)])
        flow = flow_to(dport)
        t = Tool()
        fuse.stuck = True
        for _ in range(3):
            a = t.ask(flow, WEB)
            eq((a["pid"], a["exe"], a["script"], a["script_from"]),
               (p.pid, PYTHON, fuse.where + "/f", "argv"), a)
            assert a["us"] < 50000, a
        eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 2)
        ends(t)
    return with_fuse(body)


@test("a process whose epoll is locked over a fault that never ends hangs nobody")
def _():
    def body(fuse):
        p, flow = trap(fuse, """
e = select.epoll(); e.register(s.fileno(), 5); e.register(os.pipe()[1], 4)
libc.epoll_wait(e.fileno(), ctypes.c_void_p(page), 4, -1)
""")
        t = Tool()
        for _ in range(3):
            a = t.ask(flow, NOBODY)
            eq((a["pid"], a["why"]), (p.pid, "none"), a)
            assert a["us"] < 50000, a
        eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 2)
        ends(t)
    return with_fuse(body)


@test("a process that polls memory which can't be read hangs nobody")
def _():
    def body(fuse):
        for call in ("libc.poll(ctypes.c_void_p(area), 1, -1)",
                     "libc.select(s.fileno() + 1, None, ctypes.c_void_p(area), None, None)"):
            fuse.stuck = False
            p, flow = trap(fuse, """
area = libc.mmap(None, 4096, 3, 0x22, -1, 0)
if "poll" in %r:
    ctypes.memmove(area, bytes([s.fileno(), 0, 0, 0, 1, 0, 0, 0]), 8)
def cover():
    time.sleep(0.1)
    libc.mmap(area, 4096, 3, 0x12, f, 0)
threading.Thread(target=cover).start()
%s
""" % (call, call))
            t = Tool()
            for _ in range(3):
                a = t.ask(flow, NOBODY)
                eq((a["pid"], a["why"]), (p.pid, "none"), a)
                assert a["us"] < 50000, a
            eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 2)
            ends(t)
    return with_fuse(body)


# The parent reads the page through /proc/PID/mem and so holds the child's mmap_lock for ever; a
# thread of the child wants to change the map, and whoever wants to read it waits behind that.
@test("a process that locks its memory hangs one thread for its user, and costs others nothing")
def _():
    def body(fuse):
        second = next_port()
        t = Tool()
        p, flow = trap(fuse, """
s2 = socket.socket(); s2.setblocking(0); s2.connect_ex(('10.77.0.2', %d))
for own, other in ((s, s2), (s2, s)):
    r, w = os.pipe()
    child = os.fork()
    if not child:
        other.close()
        os.read(r, 1)
        time.sleep(0.1)
        threading.Thread(target=lambda: libc.mmap(None, 4096, 3, 0x22, -1, 0)).start()
        time.sleep(60)
    m = os.open('/proc/%%d/mem' %% child, os.O_RDONLY)
    threading.Thread(target=lambda m=m: os.pread(m, 1, page)).start()
    os.write(w, b'x')
s.close(); s2.close()
time.sleep(60)
""" % second)
        try:
            a = t.ask(flow, NOBODY)
            assert a["pid"] and p.pid in a["parents"], a
            eq((a["exe"], a["cmdline"], a["script"], a["script_why"]), (PYTHON, "", "", "deadline"),
               a)
            assert 60000 < a["us"] < 110000, a  # it did hang
            eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 3)
            other = flow_to(second)
            for ask in (flow, other, other):
                a = t.ask(ask, NOBODY)
                assert a["pid"], a
                eq((a["exe"], a["script_why"]), (PYTHON, "deadline"), a)
                assert a["us"] < 20000, a
            eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 3)
            dport = next_port()
            q = run(["/usr/bin/python3", PY, str(dport)])
            a = t.ask(flow_to(dport), WEB)
            eq((a["pid"], a["script"]), (q.pid, PY), a)
            fresh = Tool()
            fresh.ask(flow, NOBODY)
            ends(fresh)
        finally:
            os.killpg(p.pid, signal.SIGKILL)
            fuse.end()
        time.sleep(0.3)
        dport = next_port()
        q = run(["/usr/bin/python3", PY, str(dport)], NOBODY)
        a = t.ask(flow_to(dport), NOBODY)
        eq((a["pid"], a["script"]), (q.pid, PY), a)
        eq(len(os.listdir("/proc/%d/task" % t.p.pid)), 2)
    return with_fuse(body)


def done():
    print("1..%d" % count)
    sys.exit(failed > 0)


done()
