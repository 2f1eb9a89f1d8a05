#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rule set alone, in namespaces: who gets out, who is refused, and that each packet is counted
and copied exactly once. TAP. Needs root, build/tests/live/ruleset-tool (or TOOL=...)."""
import atexit, ctypes, errno, os, re, select, signal, socket, struct, subprocess, sys, time

TOOL = os.path.abspath(os.environ.get("TOOL", "build/tests/live/ruleset-tool"))
WEB, MAIL, ROOT = 33, 105, 0
PORTS = (25, 465, 587)
BOX, PEER, FAR = (f"egt-rules-{name}-{os.getpid()}" for name in ("box", "peer", "far"))
PEER_ADDRESS = {4: "10.99.0.2", 6: "fd99::2"}
OWN_ADDRESS = {4: "10.99.0.1", 6: "fd99::1"}
FAR_ADDRESS = {4: "10.99.1.2", 6: "fd99:1::2"}
libc = ctypes.CDLL(None, use_errno=True)
main_pid, children, tests, failures = os.getpid(), [], 0, 0


def run(*words, text=None, ok=True):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if ok and done.returncode:
        raise RuntimeError(f"{words}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


def enter(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def clean():
    if os.getpid() != main_pid:
        return
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    for name in (BOX, PEER, FAR):
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def spawn(work):
    """A child that runs work() and ends with it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work() or 0
        except BaseException as error:  # the parent sees the code
            print(f"# child: {error!r}", file=sys.stderr)
        os._exit(code)
    return pid


def listen_on(sockets, ready):
    """Takes connections, says one word on each and closes it."""
    os.write(ready, b".")
    while True:
        for s in select.select(sockets, [], [])[0]:
            try:
                c, _ = s.accept()
                c.settimeout(0.5)
                c.recv(16)
                c.close()
            except OSError:
                pass


def listener(name, ports):
    def work():
        enter(name)
        sockets = []
        for port in ports:
            for family in (socket.AF_INET, socket.AF_INET6):
                s = socket.socket(family)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("", port))
                s.listen(64)
                sockets.append(s)
        listen_on(sockets, w)
    r, w = os.pipe()
    children.append(spawn(work))
    os.read(r, 1)


def setup():
    for name in (BOX, PEER, FAR):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
    for a, b, net in ((PEER, "peer", 0), (FAR, "far", 1)):
        run("ip", "-n", BOX, "link", "add", b, "type", "veth", "peer", "name", "eth0", "netns", a)
        for ns, dev, host in ((BOX, b, 1), (a, "eth0", 2)):
            run("ip", "-n", ns, "addr", "add", f"10.99.{net}.{host}/24", "dev", dev)
            v6 = "fd99::" if net == 0 else "fd99:1::"
            run("ip", "-n", ns, "addr", "add", f"{v6}{host}/64", "dev", dev, "nodad")
            run("ip", "-n", ns, "link", "set", dev, "up")
    run("ip", "-n", PEER, "route", "add", "10.99.1.0/24", "via", "10.99.0.1")
    run("ip", "-n", FAR, "route", "add", "10.99.0.0/24", "via", "10.99.1.1")
    run("ip", "-n", PEER, "route", "add", "fd99:1::/64", "via", "fd99::1")
    run("ip", "-n", FAR, "route", "add", "fd99::/64", "via", "fd99:1::1")
    run("ip", "netns", "exec", BOX, "sysctl", "-qw", "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1")
    listener(PEER, PORTS + (2525,))
    listener(FAR, PORTS)
    listener(BOX, PORTS)
    enter(BOX)


def connect(uid, address, port, mark=None, netns=None):
    """How a connect of this uid ends: "ok" or an errno's name. The socket is made by the uid."""
    def work():
        if netns:
            enter(netns)
        s = None
        os.seteuid(uid)
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        os.seteuid(0)
        if mark is not None:
            s.setsockopt(socket.SOL_SOCKET, 36, struct.pack("=I", mark))  # SO_MARK
        s.settimeout(2)
        start = time.monotonic()
        try:
            s.connect((address, port))
            s.send(b"QUIT\r\n")
            s.recv(16)  # to the far end's FIN, so that the flow is over
        except OSError as error:
            code = error.errno or errno.ETIMEDOUT
            return 98 if time.monotonic() - start > 0.5 and code == errno.ECONNREFUSED else code
        return 0
    code = os.waitstatus_to_exitcode(os.waitpid(spawn(work), 0)[1])
    return "ok" if code == 0 else errno.errorcode.get(code, f"exit {code}")


class Netfilter:
    """nfnetlink_log and nfnetlink_queue, as far as the tests need them."""
    def __init__(self):
        self.s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.s.bind((0, 0))
        self.seq = 0

    def send(self, subsys, kind, res, attrs):
        body = struct.pack("!BBH", 0, 0, res)
        for type_, data in attrs:
            body += struct.pack("=HH", len(data) + 4, type_) + data + b"\0" * (-len(data) % 4)
        self.seq += 1
        self.s.send(struct.pack("=IHHII", len(body) + 16, subsys << 8 | kind, 1, self.seq, 0) + body)

    def packets(self, wait):
        """(subsystem, resource, attributes) of what has come, until it is quiet for `wait`."""
        while select.select([self.s], [], [], wait)[0]:
            data = self.s.recv(1 << 20)
            while len(data) >= 16:
                size, type_ = struct.unpack_from("=IH", data)
                message, data = data[16:size], data[(size + 3) & ~3:]
                if type_ < 16 or type_ & 0xff:
                    if type_ & 0xff or len(message) < 4 or struct.unpack_from("=i", message)[0] == 0:
                        continue
                    raise OSError(-struct.unpack_from("=i", message)[0], "netlink")
                attrs, at = {}, 4
                while at + 4 <= len(message):
                    n, t = struct.unpack_from("=HH", message, at)
                    attrs[t & 0x3fff] = message[at + 4:at + n]
                    at += (n + 3) & ~3
                yield type_ >> 8, struct.unpack_from("!H", message, 2)[0], attrs


class Copies(Netfilter):
    def __init__(self):
        super().__init__()
        for group in (25, 26, 27):
            self.send(4, 1, group, [(1, struct.pack("B", 1)),  # BIND
                                    (2, struct.pack("!IBB", 128, 2, 0)),  # COPY_PACKET
                                    (5, struct.pack("!I", 1)), (4, struct.pack("!I", 1))])
        list(self.packets(0.05))

    def take(self):
        return sorted((group, attrs.get(10, b"\0")[:-1].decode(),
                       struct.unpack("!I", attrs[11])[0] if 11 in attrs else None)
                      for subsys, group, attrs in self.packets(0.05) if subsys == 4)


class Agent(Netfilter):
    """Answers every queued packet with accept and this mark."""
    def __init__(self, number):
        super().__init__()
        self.number = number
        self.send(3, 2, number, [(1, struct.pack("!BBH", 1, 0, 2))])  # BIND
        self.send(3, 2, number, [(2, struct.pack("!IB", 128, 2))])  # COPY_PACKET

    def serve(self, mark):
        while True:
            for subsys, number, attrs in self.packets(None):
                if subsys == 3 and 1 in attrs:
                    self.send(3, 1, number, [(2, struct.pack("!I", 1) + attrs[1][:4]),
                                             (3, struct.pack("!I", mark))])


def tool(*words, ok=True):
    return run(TOOL, "-u", str(MAIL), *words, ok=ok)


def counters():
    lines = (line.split() for line in tool("counters").stdout.splitlines())
    return {name: int(value) for name, value in lines}


def seen(work):
    """What work() gave, the counters that moved, the copies that came."""
    copies.take()
    before = counters()
    result = work()
    time.sleep(0.05)
    got = copies.take()
    return result, {k: v - before[k] for k, v in counters().items() if v != before[k]}, got


def check(name, got, wanted):
    global tests, failures
    tests += 1
    good = got == wanted
    failures += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {name}", flush=True)
    if not good:
        print(f"#   got    {got!r}\n#   wanted {wanted!r}", flush=True)


def raw(*packets, to=PEER_ADDRESS[4], uid=ROOT, mark=None):
    """Sends whole IPv4 packets, from a raw socket of that uid."""
    libc.setfsuid(uid)  # a packet's uid is the fsuid of who opened its socket; CAP_NET_RAW stays
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    libc.setfsuid(ROOT)
    if mark is not None:
        s.setsockopt(socket.SOL_SOCKET, 36, struct.pack("=I", mark))  # SO_MARK
    for packet in packets:
        try:
            s.sendto(packet, (to, 0))
        except PermissionError:
            pass
    s.close()


def ip4(payload, offset=0, src="10.99.0.1", dst="10.99.0.2"):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 77, offset, 64, 6, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + payload


def raw_forwarded(payload, offset=0):
    """A packet made by hand on the peer, for the far host: this box forwards it."""
    def work():
        enter(PEER)
        raw(ip4(payload, offset, PEER_ADDRESS[4], FAR_ADDRESS[4]), to=FAR_ADDRESS[4])
    os.waitpid(spawn(work), 0)


def tcp(flags, dport=25):
    return struct.pack("!HHIIBBHHH", 40000, dport, 1, 1, 0x50, flags, 1024, 0, 0)


def raw6_fragment():
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    payload = struct.pack("!BBHI", 6, 0, 1, 77) + tcp(2)
    try:
        s.sendto(struct.pack("!IHBB16s16s", 6 << 28, len(payload), 44, 64,
                             socket.inet_pton(10, OWN_ADDRESS[6]),
                             socket.inet_pton(10, PEER_ADDRESS[6])) + payload,
                 (PEER_ADDRESS[6], 0))
    except PermissionError:
        pass
    s.close()


def nat(rule):
    run("nft", "-f", "-", text=f"""table inet egt_nat {{ chain out {{
        type nat hook output priority -100; policy accept; {rule}; }}; }}""")


def no_nat():
    run("nft", "delete", "table", "inet", "egt_nat")


def test_loading():
    check("a table that is not there: check and show say so, unload is fine",
          [tool(v, ok=False).returncode for v in ("check", "show", "counters", "fill", "form", "unload")],
          [102, 102, 102, 102, 102, 0])
    check("the rules load", tool("load").stdout, "")
    check("what was loaded is whole", tool("check", ok=False).returncode, 0)
    connect(WEB, PEER_ADDRESS[4], 25)
    first = counters()
    check("a second load says nothing, keeps the table and its counters",
          (tool("load").stdout, counters(), tool("refused").stdout), ("", first, f"{WEB} 25 1\n"))
    check("and is whole", tool("check", ok=False).returncode, 0)
    check("a load with other ports and users replaces the old ones",
          (tool("-u", "7", "-p", "26", "load").stdout,
           tool("-u", "7", "-p", "26", "check", ok=False).returncode, counters()), ("", 0, first))
    tool("load")
    check("the file in the tree is the copy in the program; doubled values do no harm",
          (tool("-f", "nft/egressd.nft", "check", ok=False).returncode,
           tool("-p", "25", "-p", "25", "-u", str(MAIL), "load").returncode,
           tool("-p", "25", "-p", "25", "-u", str(MAIL), "check", ok=False).returncode), (0, 0, 0))
    tool("load")
    listing = run("nft", "-a", "list", "chain", "inet", "egressd", "guard").stdout
    handle = re.search(r"goto opening # handle (\d+)", listing).group(1)
    run("nft", "delete", "rule", "inet", "egressd", "guard", "handle", handle)
    gone = tool("check", ok=False)
    check("check names a rule that was taken out", (gone.returncode, gone.stdout),
          (1, "missing: chain guard: tcp flags & syn == syn goto opening\n"))
    tool("load")
    run("nft", "insert", "rule", "inet", "egressd", "guard", "tcp", "dport", "25", "accept")
    check("check names a foreign rule", tool("check", ok=False).stdout,
          "foreign: chain guard: tcp dport 25 accept\n")
    tool("load")
    run("nft", "add", "rule", "inet", "egressd", "agent", "accept")
    check("check names a foreign rule in the agent's chain", tool("check", ok=False).stdout,
          "foreign: chain agent: accept\n")
    tool("load")
    run("nft", "delete", "element", "inet", "egressd", "smtp_ports", "{ 465 }")
    check("check names a set element that was taken out", tool("check", ok=False).stdout,
          "missing: set smtp_ports: element 465\n")
    run("nft", "add", "element", "inet", "egressd", "mta_uids", f"{{ {WEB} }}")
    check("check names a uid that was put in", tool("check", ok=False).stdout,
          f"missing: set smtp_ports: element 465\nforeign: set mta_uids: element {WEB}\n")
    tool("load")
    check("a load mends all of that and keeps the counters", (tool("check").returncode, counters()),
          (0, first))
    run("nft", "add", "chain", "inet", "egressd", "mine")
    said = tool("load").stdout
    check("a foreign chain makes the load replace the table, and say so",
          ("made anew" in said, tool("check").returncode, counters()["refused_by_guard"]), (True, 0, 0))
    bad = tool("-n", "/nonexistent/nft", "load", ok=False)
    check("a missing nft is named", (bad.returncode, bad.stdout),
          (102, "/nonexistent/nft: No such file or directory\n"))
    check("and the rules that were there stay", tool("check").returncode, 0)
    check("show prints the table as nft lists it",
          tool("show").stdout, run("nft", "list", "table", "inet", "egressd").stdout)


def test_guard(version):
    peer, own = PEER_ADDRESS[version], OWN_ADDRESS[version]
    tool("load")
    for who, uid in (("www-data", WEB), ("root", ROOT)):
        for port in PORTS:
            check(f"IPv{version}: {who} is refused at once on {port}, counted and copied once",
                  seen(lambda: connect(uid, peer, port)),
                  ("ECONNREFUSED", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", uid)]))
    for port in PORTS:
        check(f"IPv{version}: the mail server's user gets out on {port}, counted and copied once",
              seen(lambda: connect(MAIL, peer, port)), ("ok", {"mail": 1}, [(26, "mail", MAIL)]))
    for address in (own, "127.0.0.1" if version == 4 else "::1"):
        check(f"IPv{version}: local submission of www-data to {address} passes, counted and copied once",
              seen(lambda: connect(WEB, address, 25)), ("ok", {"local": 1}, [(27, "local", WEB)]))
    check(f"IPv{version}: inbound mail arrives, and nothing is counted",
          seen(lambda: connect(ROOT, own, 25, netns=PEER)), ("ok", {}, []))
    check(f"IPv{version}: another port is nobody's business",
          seen(lambda: connect(WEB, peer, 2525)), ("ok", {}, []))
    for mark in (0x00a00000, 0xffffffff, 0x00d00000):
        check(f"IPv{version}: a forged mark 0x{mark:08x} changes nothing",
              seen(lambda: connect(WEB, peer, 25, mark=mark)),
              ("ECONNREFUSED", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", WEB)]))
    check(f"IPv{version}: forwarded openings are refused, counted and copied once",
          seen(lambda: connect(ROOT, FAR_ADDRESS[version], 25, netns=PEER)),
          ("ECONNREFUSED", {"forwarded": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", None)]))


def test_nat(version):
    peer = PEER_ADDRESS[version]
    guard = ("ECONNREFUSED", {"refused_by_guard": 1, "unheld": 1}, [(25, "refused_by_guard", WEB)])
    family = "ip" if version == 4 else "ip6"
    address = peer if version == 4 else f"[{peer}]"
    nat(f"meta nfproto ipv{version} tcp dport 2525 dnat {family} to {address}:25")
    check(f"IPv{version}: what a DNAT rule turns to port 25 is refused, counted and copied once",
          seen(lambda: connect(WEB, peer, 2525)), guard)
    check(f"IPv{version}: also with a forged mark", seen(lambda: connect(WEB, peer, 2525, mark=0x00a00000)),
          guard)
    check(f"IPv{version}: also with the mail server's mark, forged",
          seen(lambda: connect(WEB, peer, 2525, mark=0x00f00000)), guard)
    check(f"IPv{version}: the mail server gets out by it", seen(lambda: connect(MAIL, peer, 2525)), ("ok", {}, []))
    check(f"IPv{version}: also with a forged deny mark", seen(lambda: connect(WEB, peer, 2525, mark=0x00d00000)),
          guard)
    tool("-m", "load")
    check(f"IPv{version}: monitor lets what a DNAT rule turns to port 25 pass, counted and copied once",
          seen(lambda: connect(WEB, peer, 2525)), ("ok",) + guard[1:])
    tool("load")
    no_nat()
    nat(f"meta nfproto ipv{version} tcp dport 25 dnat {family} to {address}:2525")
    check(f"IPv{version}: what a DNAT rule turns away from port 25 is refused before it",
          seen(lambda: connect(WEB, peer, 25)),
          ("ECONNREFUSED", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", WEB)]))
    no_nat()


def test_odd_packets():
    check("an 8-byte fragment is refused, counted and copied once",
          seen(lambda: raw(ip4(tcp(2)[:8], 0x2000))), (None, {"fragment": 1}, [(25, "fragment", ROOT)]))
    check("a first fragment with its SYN is counted as fragment alone",
          seen(lambda: raw(ip4(tcp(2), 0x2000))), (None, {"fragment": 1}, [(25, "fragment", ROOT)]))
    check("an IPv6 fragment is refused, counted and copied once",
          seen(raw6_fragment), (None, {"fragment": 1}, [(25, "fragment", ROOT)]))
    check("a packet without SYN of a uid that may send nothing is refused, counted and copied once",
          seen(lambda: raw(ip4(tcp(0x10)))), (None, {"not_opening": 1}, [(25, "not_opening", ROOT)]))
    check("a SYN|ACK opens: refused by the guard, never held",
          seen(lambda: raw(ip4(tcp(0x12)))), (None, {"refused_by_guard": 1, "unheld": 1}, [(25, "refused_by_guard", ROOT)]))
    for mark in (None, 0x00f00000):
        said = f"{', forged mark' if mark else ''}"
        check(f"a fragment of the mail server's user is refused, too{said}",
              seen(lambda: raw(ip4(tcp(2), 0x2000), ip4(tcp(2)[:8], 0x2000), uid=MAIL, mark=mark)),
              (None, {"fragment": 2}, [(25, "fragment", MAIL)] * 2))
        check(f"a SYN of the mail server's user is counted once, however it was made{said}",
              seen(lambda: raw(ip4(tcp(2)), ip4(tcp(0xc2)), uid=MAIL, mark=mark)),
              (None, {"mail": 2}, [(26, "mail", MAIL)] * 2))
        check(f"what else the mail server's user sends is no opening{said}",
              seen(lambda: raw(ip4(tcp(0x12)), ip4(tcp(0x10)), ip4(tcp(0x14)), uid=MAIL, mark=mark)),
              (None, {}, []))
        check(f"a packet of another uid is never taken for the mail server's{said}",
              seen(lambda: raw(ip4(tcp(0x10)), ip4(tcp(0x11)), uid=WEB, mark=mark)),
              (None, {"not_opening": 2}, [(25, "not_opening", WEB)] * 2))
    check("a SYN with other flags (ECN) is a SYN",
          seen(lambda: raw(ip4(tcp(0xc2)))),
          (None, {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", ROOT)]))
    for flags, words in ((0x03, "SYN|FIN"), (0x06, "SYN|RST")):
        check(f"a {words} is made by hand: refused by the guard, never held",
              seen(lambda: raw(ip4(tcp(flags)))),
              (None, {"refused_by_guard": 1, "unheld": 1}, [(25, "refused_by_guard", ROOT)]))
    for words, work, counted in (
            ("SYN|ACK", lambda: raw_forwarded(tcp(0x12)), {"refused_by_guard": 1, "unheld": 1}),
            ("SYN|FIN", lambda: raw_forwarded(tcp(0x03)), {"refused_by_guard": 1, "unheld": 1}),
            ("ACK", lambda: raw_forwarded(tcp(0x10)), {"not_opening": 1}),
            ("first fragment", lambda: raw_forwarded(tcp(2), 0x2000), {"fragment": 1}),
            ("SYN with ECN", lambda: raw_forwarded(tcp(0xc2)), {"refused_by_guard": 1, "forwarded": 1})):
        check(f"a forwarded {words} is refused, counted and copied once",
              seen(work), (None, counted, [(25, next(iter(counted)), None)]))
    before = dict(line.rsplit(" ", 1) for line in tool("refused").stdout.splitlines())
    connect(WEB, PEER_ADDRESS[4], 587)
    connect(WEB, PEER_ADDRESS[6], 587)
    after = dict(line.rsplit(" ", 1) for line in tool("refused").stdout.splitlines())
    check("the set `refused` counts by uid and port",
          {k: int(v) - int(before.get(k, 0)) for k, v in after.items() if v != before.get(k)},
          {f"{WEB} 587": 2})


def test_older_flows():
    tool("unload")
    flows = []
    for uid in (WEB, WEB, MAIL):
        os.seteuid(uid)
        s = socket.create_connection((PEER_ADDRESS[4], 587), 2) if uid == MAIL else socket.socket()
        os.seteuid(0)
        if uid != MAIL:
            s.connect((PEER_ADDRESS[4], 587))
        flows.append(s)
    tool("load")
    check("an older flow of www-data is reset at its next packet, counted and copied once",
          seen(lambda: talk(flows[0])), ("ECONNRESET", {"not_opening": 1}, [(25, "not_opening", WEB)]))
    check("or at its close", seen(flows[1].close), (None, {"not_opening": 1}, [(25, "not_opening", WEB)]))
    check("an older flow of the mail server goes on", seen(lambda: talk(flows[2])), ("ok", {}, []))


def talk(s):
    try:
        s.settimeout(3)
        s.send(b"QUIT\r\n")
        s.recv(16)
        return "ok"
    except OSError as error:
        return errno.errorcode.get(error.errno, repr(error))


def test_far_end_on_a_mail_port():
    """Our SYN|ACK to a far end that connects from a mail port can't be told from an opening."""
    def work():
        enter(PEER)
        s = socket.socket()
        s.bind((PEER_ADDRESS[4], 26))
        s.settimeout(0.4)
        try:
            s.connect((OWN_ADDRESS[4], 25))
        except OSError as error:
            return error.errno or errno.ETIMEDOUT
        return 0
    tool("-p", "26", "load")
    check("who connects to us from a mail port gets no answer: it is refused without a uid, never held",
          seen(lambda: os.waitstatus_to_exitcode(os.waitpid(spawn(work), 0)[1])),
          (errno.ETIMEDOUT, {"refused_by_guard": 1, "unheld": 1}, [(25, "refused_by_guard", None)]))
    tool("load")


def test_monitor(version):
    peer = PEER_ADDRESS[version]
    tool("-m", "load")
    for port in PORTS:
        check(f"IPv{version}: monitor lets www-data out on {port}, counted and copied once",
              seen(lambda: connect(WEB, peer, port)),
              ("ok", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", WEB)]))
    check(f"IPv{version}: monitor lets forwarded openings pass, counted and copied once",
          seen(lambda: connect(ROOT, FAR_ADDRESS[version], 25, netns=PEER)),
          ("ok", {"forwarded": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", None)]))
    check(f"IPv{version}: monitor changes nothing for the mail server",
          seen(lambda: connect(MAIL, peer, 25)), ("ok", {"mail": 1}, [(26, "mail", MAIL)]))
    check("the table is whole for monitor, and says what differs from enforce",
          (tool("-m", "check").returncode, tool("check", ok=False).returncode), (0, 1))
    tool("load")


def with_agent(mark, work):
    agent = Agent(2525)
    pid = spawn(lambda: agent.serve(mark))
    try:
        return seen(work)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        agent.s.close()


def forwarded(form):
    """The same for what this box only forwards."""
    by_guard = ("ECONNREFUSED", {"forwarded": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", None)])
    for version in (4, 6):
        opening = lambda: connect(ROOT, FAR_ADDRESS[version], 25, netns=PEER)
        check(f"IPv{version}: nobody bound to the queue: what is forwarded is refused at once", seen(opening), by_guard)
        check(f"IPv{version}: the agent's deny of what is forwarded: counted once, not copied, refused at once",
              with_agent(0x00d00000, opening), ("ECONNREFUSED", {"forwarded": 1, "refused_by_agent": 1}, []))
        check(f"IPv{version}: a verdict without a mark on what is forwarded is the guard's to judge",
              with_agent(0, opening), by_guard)
        for mark in (0x00a00000, 0xffffffff, 0x00d00000):
            run("nft", "-f", "-", text=f"""table inet egt_mark {{ chain pre {{
                type filter hook prerouting priority 0; meta mark set {mark}; }}; }}""")
            check(f"IPv{version}: a mark 0x{mark:08x} that another table sets before the forward hook changes nothing",
                  seen(opening), by_guard)
            run("nft", "delete", "table", "inet", "egt_mark")
        tool("-m", "load")
        tool("fill")
        check(f"IPv{version}: monitor lets what is forwarded pass on the agent's allow, counted once, not copied",
              with_agent(0x00a00000, opening), ("ok", {"forwarded": 1, "allowed": 1}, []))
        check(f"IPv{version}: and on its deny", with_agent(0x00d00000, opening),
              ("ok", {"forwarded": 1, "refused_by_agent": 1}, []))
        tool("load")
        check("the agent's rule is put back", tool("fill").stdout, form)


def test_agent():
    peer = PEER_ADDRESS[4]
    check("the agent's chain is empty after a load", tool("form").stdout, "none\n")
    form = tool("fill").stdout
    check("it is filled in a form that the kernel has", form in ("native\n", "compat\n"), True)
    print(f"# this kernel takes the form: {form}", end="")
    check("and says so afterwards; a second fill leaves one rule",
          (tool("fill").stdout, tool("form").stdout,
           run("nft", "-a", "list", "chain", "inet", "egressd", "agent").stdout.count("handle")),
          (form, form, 2))
    check("the table is whole with the agent's rule", tool("check", ok=False).returncode, 0)
    check("a rule of another queue number is not the agent's",
          tool("-q", "7", "check", ok=False).returncode, 1)
    check("nobody bound to the queue: the guard refuses at once",
          seen(lambda: connect(WEB, peer, 25)),
          ("ECONNREFUSED", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", WEB)]))
    check("the agent's deny: counted once, not copied, refused at once",
          with_agent(0x00d00000, lambda: connect(WEB, peer, 25)),
          ("ECONNREFUSED", {"held": 1, "refused_by_agent": 1}, []))
    forwarded(form)
    # The flow's later packets are of a uid that may not send: an exception is a uid in may_send.
    run("nft", "add", "element", "inet", "egressd", "may_send", f"{{ {WEB} }}")
    for version in (4, 6):
        check(f"IPv{version}: the agent's allow: counted once, not copied, let out",
              with_agent(0x00a00000, lambda: connect(WEB, PEER_ADDRESS[version], 25)),
              ("ok", {"held": 1, "allowed": 1}, []))
    check("a verdict without a mark is the guard's to judge",
          with_agent(0, lambda: connect(WEB, peer, 25)),
          ("ECONNREFUSED", {"held": 1, "refused_by_guard": 1}, [(25, "refused_by_guard", WEB)]))
    check("others' mark bits are kept", with_agent(0x00a00000, lambda: connect(WEB, peer, 25, mark=0x1))[0], "ok")
    tool("-m", "load")
    check("monitor: a load leaves the agent's chain empty, fill fills it",
          (tool("form").stdout, tool("fill").stdout), ("none\n", form))
    check("monitor: the agent's deny is counted once, not copied, let pass",
          with_agent(0x00d00000, lambda: connect(WEB, peer, 25)),
          ("ok", {"held": 1, "refused_by_agent": 1}, []))
    agent = Agent(2525)
    clashes = tool("clashes", ok=False)
    check("a queue that is bound already is named with its portid",
          (clashes.returncode, bool(re.match(r"queue 2525 is bound already, by netlink portid \d+", clashes.stdout))),
          (1, True))
    agent.s.close()
    tool("load")
    check("emptied, the form is none", (tool("fill").stdout, tool("empty").returncode, tool("form").stdout),
          (form, 0, "none\n"))


def test_hot():
    peer = PEER_ADDRESS[4]

    def five(uid=WEB):
        return [connect(uid, peer, 25) for _ in range(5)]

    def limited(rate, burst, *words):
        limit = ("-l", str(rate), "-b", str(burst)) + words
        return tool(*limit, "load").stdout, tool(*limit, "check", ok=False).returncode, tool("fill").returncode

    refused = ["ECONNREFUSED"] * 5
    hot = (refused, {"held": 5, "hot": 2, "refused_by_agent": 3, "refused_by_guard": 2},
           [(25, "refused_by_guard", WEB)] * 2)
    check("a limit for each user loads, and the table is whole", limited(1, 3), ("", 0, 0))
    check("a table with another limit differs", tool("-l", "2", "-b", "3", "check", ok=False).returncode, 1)
    check("what one user makes too many is never held: refused by the guard, counted and copied once",
          with_agent(0x00d00000, five), hot)
    check("another user is held meanwhile", with_agent(0x00d00000, lambda: connect(ROOT, peer, 25)),
          ("ECONNREFUSED", {"held": 1, "refused_by_agent": 1}, []))
    check("the mail server's user has no limit", with_agent(0x00d00000, lambda: five(MAIL)),
          (["ok"] * 5, {"mail": 5}, [(26, "mail", MAIL)] * 5))
    check("nor has submission to this box",
          with_agent(0x00d00000, lambda: [connect(WEB, OWN_ADDRESS[4], 25) for _ in range(5)]),
          (["ok"] * 5, {"local": 5}, [(27, "local", WEB)] * 5))
    limited(1, 3)
    check("a load gives every user a new allowance", with_agent(0x00d00000, five), hot)
    limited(1, 100)
    check("a load with another limit holds for users of the last one, too", with_agent(0x00d00000, five),
          (refused, {"held": 5, "refused_by_agent": 5}, []))
    limited(1, 3, "-m")
    check("monitor lets what is too many pass, counted and copied once", with_agent(0x00d00000, five),
          (["ok"] * 5,) + hot[1:])
    limited(1000000, 1000000)
    check("the largest limit loads", with_agent(0x00d00000, five)[1], {"held": 5, "refused_by_agent": 5})
    no_limit = f"/tmp/{BOX}-nft"
    with open(no_limit, "w") as file:
        os.chmod(no_limit, 0o755)
        file.write("""#!/bin/sh
[ "$1" = -f ] || exec /usr/sbin/nft "$@"
rules=$(cat)
case "$rules" in *"limit rate over"*) echo "no limit here" >&2; exit 1;; esac
echo "$rules" | /usr/sbin/nft -f -
""")
    try:
        words = "without a limit for each user (hot_rate), which this kernel or nft refuses: no limit here\n"
        check("without limits in the kernel the rules load without this one, and say so",
              limited(1, 3, "-n", no_limit), (words, 0, 0))
        check("so does their check", tool("-l", "1", "-b", "3", "-n", no_limit, "check").stdout, words)
        check("and all are held", with_agent(0x00d00000, five), (refused, {"held": 5, "refused_by_agent": 5}, []))
        check("a limit of another kernel is no fault of other rules",
              tool("-l", "1", "-b", "3", "-n", no_limit, "-t", "1", "load", ok=False).stdout,
              "table: a name of letters, digits and _ was expected\n")
    finally:
        os.unlink(no_limit)
    tool("load")


def test_no_mail_user():
    run(TOOL, "load")
    check("without a mail user nobody gets out", [connect(uid, PEER_ADDRESS[4], 25) for uid in (MAIL, WEB, ROOT)],
          ["ECONNREFUSED"] * 3)
    check("and the table is whole", run(TOOL, "check", ok=False).returncode, 0)
    tool("load")


def test_clashes():
    check("no clash in an empty namespace, our own table is none",
          (tool("clashes", ok=False).stdout, tool("clashes", ok=False).returncode), ("", 0))
    run("nft", "-f", "-", text="""table inet egt_other {
        set s { type inet_service; flags interval; elements = { 20-30 }; }
        chain smtp { meta skuid 5 accept; drop; }
        chain out { type filter hook output priority 0; policy accept; tcp dport @s jump smtp; }
        chain in { type filter hook input priority 0; policy accept; tcp dport 25 drop; }
    }""")
    found = tool("clashes", ok=False)
    check("a drop in a chain that a rule of ours ports jumps to is named", (found.returncode, re.sub(r"\d+:", "N:", found.stdout)),
          (1, "table inet egt_other, chain smtp: rule with handle N: drops 25\n"))
    run("nft", "delete", "table", "inet", "egt_other")
    run("iptables-nft", "-N", "SMTPOUTPUT")
    run("iptables-nft", "-A", "OUTPUT", "-p", "tcp", "-m", "multiport", "--dports", "25,465", "-j", "SMTPOUTPUT")
    run("iptables-nft", "-A", "SMTPOUTPUT", "-j", "REJECT")
    found = tool("clashes", ok=False)
    check("csf's chain is named, and what it rejects", (found.returncode, found.stdout.splitlines()),
          (2, ["iptables table filter, chain SMTPOUTPUT: csf's SMTP_BLOCK, which judges the same ports",
               "iptables table filter, chain SMTPOUTPUT: -A SMTPOUTPUT -j REJECT --reject-with "
               "icmp-port-unreachable: rejects 25, 465"]))
    run("nft", "delete", "table", "ip", "filter")


if os.geteuid():
    print("ok 1 - # SKIP needs root")
    sys.exit(0)
atexit.register(clean)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
setup()
copies = Copies()
test_loading()
for v in (4, 6):
    test_guard(v)
    test_nat(v)
    test_monitor(v)
test_odd_packets()
test_older_flows()
test_far_end_on_a_mail_port()
test_agent()
test_hot()
test_no_mail_user()
test_clashes()
tool("unload")
check("unload leaves nothing", run("nft", "list", "ruleset").stdout, "")
print(f"1..{tests}")
sys.exit(failures > 0)
