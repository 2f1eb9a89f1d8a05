# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds of the fuzz targets whose input is no capture: target -> name -> bytes. For make-corpus."""
import os
import re
import struct

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

V4 = bytes([192, 0, 2, 10]), bytes([198, 51, 100, 25])
V6 = bytes.fromhex("20010db8000000000000000000000010"), bytes.fromhex("20010db8002500000000000000000025")


def span(data):
    """A length of 16 bits and the bytes: agent/wire.c's texts, and take_span() of tests/fuzz/take.h."""
    return struct.pack("<H", len(data)) + data


def pad(data):
    return data + bytes(-len(data) % 4)


# --- agent/wire.c, in the order of its walks --------------------------------------------------

WIRE_HEAD = b"\xe9\x02"  # magic and form


def wire_ref(pid, uid, comm):
    return struct.pack("<iIQ", pid, uid, 12345) + span(comm)


def wire_record(how=1, exe=b"/usr/bin/php8.2", cmdline=b"php\0/srv/x.php\0", family=2, parents=(), holders=(),
                excerpt=b"E" * 40, indev=b""):
    src, dst = V4 if family == 2 else V6 if family == 10 else (b"", b"")
    flow = bytes([family, 6]) + src + dst + struct.pack("<HHIIBB???Q", 40000, 25, 1, 0, 2, 64, True, False, False, 40)
    owner = bytes([how, 0, 0, 1]) + struct.pack("<I?BIIQQ", 0, True, 2, 1000, 4711, 77, 88)
    owner += wire_ref(321, 1000, b"php") + struct.pack("<IIIq??", 1000, 1000, 1000, 10**18, False, False)
    owner += span(exe) + span(cmdline) + b"".join(span(text) for text in (
        b"/srv", b"/srv/x.php", b"cron.service", b"docker:0123456789ab", b"GET", b"/x?y=1", b"example.org",
        b"203.0.113.9"))
    owner += struct.pack("<II", len(parents), len(holders)) + b"".join(parents) + b"".join(holders)
    owner += b"\0" + wire_ref(321, 1000, b"php") + struct.pack("<II", 150, 12)
    head = struct.pack("<Qq5B", 7, 1_800_000_000_000_000_000, 0, 0, 1, 1, 0)
    return (WIRE_HEAD + b"\x01" + head + span(b"default") + struct.pack("<?II?", True, 1000, 1000, False) + span(indev) + flow + owner +
            struct.pack("<I", 60) + span(excerpt))


def wire_status(counters):
    return (WIRE_HEAD + b"\x02" + span(b"judge") + span(b"kernel") + bytes(8 * counters) +
            struct.pack("<qqi6I", 10**18, 10**18, 99, 1, 0, 2, 1, 3, 4))


def wire_note(parts, uri=b"/wp-content/uploads/x.php", digest=1):
    site = b"\x01" + b"".join(span(text) for text in (b"shop", b"shop.example", b"/srv/shop", b"/etc/nginx/shop:12"))
    trigger = b"\x02" + struct.pack("<I", 1) + b"".join(span(text) for text in (
        b"POST", uri, b"203.0.113.9", b"shop.example")) + struct.pack("<Hq", 200, 10**18) + span(b"/var/log/access.log")
    thing = bytes([0, digest, 1]) + b"\xab" * 32 + struct.pack("<Q", 1258291)
    return (WIRE_HEAD + b"\x04" + struct.pack("<QqI", 7, 10**18, parts) + (site if parts & 1 else b"") +
            (trigger if parts & 2 else b"") + (thing if parts & 4 else b""))


WIRE = {
    "record": wire_record(),
    "record-v6": wire_record(family=10, parents=[wire_ref(1, 0, b"init")] * 3, holders=[wire_ref(321, 1000, b"php")]),
    "record-forwarded": wire_record(how=8, indev=b"docker0"), "record-indev": wire_record(indev=b"sixteen-letters-"),
    "record-no-flow": wire_record(family=0, how=0, cmdline=b"", excerpt=b""),
    "record-long": wire_record(exe=b"/" + b"x" * 4094, cmdline=b"y\0" * 2048, excerpt=b"z" * 60,
                               parents=[wire_ref(1, 0, b"fifteen-letters")] * 8,
                               holders=[wire_ref(1, 0, b"fifteen-letters")] * 8),
    "record-nul": wire_record(exe=b"/bin/\0sh"),
    "record-parents": wire_record(parents=[wire_ref(1, 0, b"")] * 9),
    "options": WIRE_HEAD + b"\x03" + struct.pack("<4IQ?QQQII", 300, 20, 500, 90, 1 << 30, True, 1 << 26, 1 << 20, 1 << 30,
        512, 60),
    "options-long": WIRE_HEAD + b"\x03" + struct.pack("<4IQ?QQQII", 0, 0, 0, 0, 0, False, 0, 0, 0, 513, 0),
    "form": b"\xe9\x01\x01", "short": WIRE_HEAD,
    "note": wire_note(7), "note-site": wire_note(1), "note-trigger": wire_note(2), "note-object": wire_note(4),
    "note-of-nothing": wire_note(0), "note-new-part": wire_note(8), "note-copy": wire_note(4, digest=0),
    "note-nul": wire_note(2, uri=b"/a\0b"), "note-hostile": wire_note(7, uri=b"/\n\x1b[2J\xff\\\xe2\x80\xae" * 70),
}


def wire_item(kind, body, slot=3, serial=9, length=None):
    body = struct.pack("<HI", slot, serial) + body
    return struct.pack("<BH", kind, len(body) if length is None else length) + body


def wire_again(family=2, flags=(True, True, True), verdict=1, uid=33):
    return (struct.pack("<QqIHH???", 8, 10**18, uid, 40000, 25, *flags) + bytes([0, 0, verdict, 2, family]) +
            (V4[1] if family == 2 else V6[1]))


BATCH_HEAD = WIRE_HEAD + b"\x05"
WHOLE, AGAIN = wire_item(1, wire_record()[3:]), wire_item(2, wire_again())
BATCH = {
    "both": BATCH_HEAD + WHOLE + AGAIN * 3, "again-v6": BATCH_HEAD + wire_item(2, wire_again(10)),
    "nobody": BATCH_HEAD + wire_item(2, wire_again(flags=(False, False, False))),
    "charged": BATCH_HEAD + wire_item(2, wire_again(flags=(False, True, True))),
    "uid-none": BATCH_HEAD + wire_item(2, wire_again(flags=(False, True, True), uid=2**32 - 1)),
    "no-slot": BATCH_HEAD + wire_item(1, wire_record()[3:], slot=65535, serial=0),
    "again-no-slot": BATCH_HEAD + wire_item(2, wire_again(), slot=65535), "slot": BATCH_HEAD + wire_item(2, wire_again(), 256),
    "serial": BATCH_HEAD + wire_item(2, wire_again(), serial=0), "family": BATCH_HEAD + wire_item(2, wire_again(0)),
    "verdict": BATCH_HEAD + wire_item(2, wire_again(verdict=9)), "kind": BATCH_HEAD + wire_item(3, b"x"),
    "cut": BATCH_HEAD + WHOLE[:-1], "long": BATCH_HEAD + wire_item(2, wire_again() + b"x"), "empty": BATCH_HEAD,
    "length": BATCH_HEAD + wire_item(2, wire_again(), length=65535), "short": BATCH_HEAD + AGAIN + b"\x01\x05",
}


def members(header, enum, prefix):
    """How many names an enum has before its PREFIX..._N."""
    with open(os.path.join(TREE, header)) as file:
        body = re.search(r"enum %s \{(.*?)\};" % enum, file.read(), re.S).group(1)
    names = re.split(r"\b%s_(?:\w+_)?N\b" % prefix, body)[0]
    return len(re.findall(r"^\t%s_\w+," % prefix, names, re.M))


COUNTERS = members("agent/stats.h", "stat_id", "STAT") + members("nft/ruleset.h", "ruleset_counter", "RULESET")
WIRE.update({"status": wire_status(COUNTERS), "status-less": wire_status(COUNTERS - 1),
    "status-more": wire_status(COUNTERS + 1)})


# --- pcapng, as agent/evidence_block.c writes it ----------------------------------------------

def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, data):
    return struct.pack("<HH", code, len(data)) + pad(data)


def packet(data, comment=b"{}", at=10**18, kept=None, had=None, interface=0, end=option(0, b"")):
    return block(6, struct.pack("<5I", interface, at >> 32, at & 0xffffffff, len(data) if kept is None else kept,
                                len(data) if had is None else had) + pad(data) + option(1, comment) + end)


HEAD = (block(0x0a0d0d0a,
    struct.pack("<IHHQ", 0x1a2b3c4d, 1, 0, 2**64 - 1) + option(4, b"egressd") + option(0, b"")) +
        block(1, struct.pack("<HHI", 101, 0, 0) + option(2, b"egressd") + option(9, b"\x09") + option(0, b"")))
ONE = packet(b"E" * 41, b'{"verdict":"deny"}', had=60)
EVIDENCE = {
    "head": HEAD, "one": HEAD + ONE, "three": HEAD + ONE + packet(b"", b"") + ONE,
    "cut-block": HEAD + ONE + ONE[:-5], "cut-start": HEAD + ONE + b"\x06\0\0", "cut-head": HEAD[:-1],
    "other-block": HEAD + block(5, bytes(20)), "interface": HEAD + packet(b"E", interface=1),
    "kept-too-long": HEAD + packet(b"E" * 8, kept=60), "had-less": HEAD + packet(b"E" * 8, had=4),
    "no-end-option": HEAD + packet(b"E" * 8, end=b""),
    "behind-end-option": HEAD + packet(b"E", end=option(0, b"") * 2),
    "option-too-long": HEAD + packet(b"E", end=struct.pack("<HH", 1, 65535)),
    "nul-comment": HEAD + packet(b"E", b"a\0b"),
    "block": ONE, "block-huge": struct.pack("<II", 6, 0xfffffffc) + ONE[8:], "block-zero": bytes(8),
    "two-comments": packet(b"E" * 3, end=option(1, b"second") + option(2, b"x") + option(0, b"")),
    "length-behind": ONE[:-4] + struct.pack("<I", len(ONE) + 4), "longest-comment": packet(b"E", b"c" * 65000),
    "comment-past-longest": packet(b"E", b"c" * 65001), "negative-time": packet(b"E", at=2**64 - 1),
}

# --- texts ------------------------------------------------------------------------------------

ESCAPE = {
    "plain": b"\x10/usr/bin/php\0-f\0/srv/x y.php\0", "backslash": b"\x09a\\b\\x41\\\\",
    "controls": b"\x20\x1b]0;x\x07\r\n\t\x7f\xc2\x9b31m",
    "bidi": "\x16a\u202eb\u2066c\u061cd\ufeff\u2028\ufff9\U000e0041".encode(),
    "broken": b"\x21\xc3(\xe2\x82\xf0\x9f\x98\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xff\xef\xbf\xbe\xef\xb7\x90",
    "emoji-cut": "\x07abc\U0001f600\u20ac\u00e9".encode(), "quotes": b"\xffsh\0-c\0echo 'a' \"b\"\0\0\0",
    "padding": b"\x30title\0" + bytes(30), "only-nuls": b"\x04" + bytes(5), "empty-first": b"\x40\0\0a",
    "no-room": b"\0x",
    "no-nul-at-end": b"\x40a\0b c", "apostrophe": b"\x05'", "empty": b"",
}


def when(text, zone=0, utc=False, now=1_795_433_445_123_456_789):
    return bytes([zone * 2 + utc]) + struct.pack("<Q", now) + text


TIMES = ("now", "today", "yesterday", "-90s", "-15m", "-1h30m", "-2w", "-1d", "2026-11-23", "2026-11-23T10:00",
         "2026-11-23 10:00:00.5", "2026-11-23T10:00:00+01:00", "2026-11-23t10:00:60Z", "2024-02-29",
         "1970-01-01T00:00:00-0930",
         "2262-04-11T23:47:15.999999999Z", "9999-12-31", "2026-02-30", "-9223372036s", "-9223372037s",
         "-99999999999999999999s",
         "2026-03-29T02:30", "2026-10-25T02:30:00.000000000123", "--1h", "-", "1969-12-31T23:59:59Z",
         "2026-11-23T10:00:00.")
TIME = {"utc-%02d" % i: when(text.encode(), utc=True) for i, text in enumerate(TIMES)}
TIME.update({"zone-%d-%02d" % (zone, i): when(TIMES[i].encode(), zone) for zone in range(1, 8) for i in (1, 2, 8, 21,
    22)})
TIME.update({"near-the-epoch-%d" % zone: when(b"yesterday", zone, now=5) for zone in range(8)})
TIME["before-the-epoch-today"] = when(b"today", 2, now=5)


def journal(texts, fixed=bytes([0, 1, 1, 0, 1]), family=1, cmdline=b"php\0x.php\0", user=b"alice", held_back=3,
room=100):
    """As fuzz_journal.c takes it."""
    comm, exe, script, unit, container, host, uri, client, rule = texts
    return (struct.pack("<QIH", 42, held_back, room) + span(user) + fixed + struct.pack("<I",
        1000) + bytes([family, 1]) +
            V6[0] + V6[1] + struct.pack("<HH", 40000, 25) + span(rule) + bytes([1, 0, 1]) + struct.pack("<III", 1000,
                321, 1000) +
            span(comm) + span(exe) + span(cmdline) + span(script) + span(unit) + span(container) + span(host) +
            span(uri) + span(client))


PLAIN = (b"php", b"/usr/bin/php8.2", b"/srv/x.php", b"cron.service", b"lxc:box", b"example.org", b"/x?y",
b"203.0.113.9", b"default")
HOSTILE = tuple(b"a\n=\nMESSAGE=b\nPRIORITY=0\n\x1b[2J"[:n] for n in (15, 30, 30, 30, 30, 30, 30, 30, 30))
JOURNAL = {
    "plain": journal(PLAIN), "hostile": journal(HOSTILE, user=b"e\nve"), "v6": journal(PLAIN, family=2),
    "empty": journal((b"",) * 9, family=0, cmdline=b"", user=b"", held_back=0), "none": b"",
    "foreign": journal(PLAIN, fixed=bytes([2, 0, 0, 1, 0])),
    "repeated": journal(PLAIN, fixed=bytes([3, 1, 2, 0, 1]), room=5000),
    "long": journal(tuple(b"\n" * n for n in (15, 4095, 4095, 255, 255, 255, 1023, 63, 63)), cmdline=b"\n" * 4096),
    "long-utf8": journal((PLAIN[0], ("x" + "\u20ac" * 1000).encode()) + PLAIN[2:],
        cmdline=("y" + "\u20ac" * 1000).encode()),
}
# A cut within an escape: of each of its bytes one.
JOURNAL.update({"cut-escape-%d" % n: journal(PLAIN, cmdline=b"x" * (1019 + n) + b"\n\\\n\\") for n in range(6)})


def diag(family=2, src=V4[0], dst=V4[1], state=1, inode=4711, uid=1000, attrs=b"", seq=7, kind=20, length=None,
ports=(40000, 25)):
    """struct nlmsghdr, struct inet_diag_msg (linux/inet_diag.h), attributes."""
    ident = struct.pack(">HH", *ports) + src.ljust(16, b"\0") + dst.ljust(16, b"\0") + struct.pack("<III", 0, 77, 88)
    body = bytes([family, state, 0, 0]) + ident + struct.pack("<IIIII", 0, 0, 0, uid, inode) + attrs
    return struct.pack("<IHHII", 16 + len(body) if length is None else length, kind, 0, seq, 1) + body


MAPPED = bytes(10) + b"\xff\xff"
CGROUP_ID = struct.pack("<HHQ", 12, 21, 99)
SOCKDIAG = {
    "v4": diag(), "v4-cgroup": diag(attrs=struct.pack("<HHI", 5, 8, 1) + CGROUP_ID), "v6": diag(10, *V6),
    "mapped": diag(10, MAPPED + V4[0], MAPPED + V4[1]), "listen": diag(state=10),
    "time-wait": diag(state=6, inode=0, uid=0),
    "syn-recv": diag(state=12), "orphan": diag(inode=0), "other-seq": diag(seq=8),
    "other-port": diag(ports=(40000, 26)),
    "error": struct.pack("<IHHIIi", 36, 2, 0, 7, 1, -2) + bytes(16),
    "eagain": struct.pack("<IHHIIi", 20, 2, 0, 7, 1, -11),
    "ack": struct.pack("<IHHIIi", 20, 2, 0, 7, 1, 0), "no-error": struct.pack("<IHHII", 16, 2, 0, 7, 1),
    "too-long": diag(length=4096), "too-short": diag(length=15), "cut": diag()[:60], "other-kind": diag(kind=21),
    "attr-zero": diag(attrs=bytes(8)), "attr-long": diag(attrs=struct.pack("<HH", 4096, 21) + bytes(8)),
    "attr-odd": diag(attrs=struct.pack("<HH", 5, 1) + b"x"),
    "attr-flag": diag(attrs=struct.pack("<HHQ", 12, 21 | 0x8000, 99)),
}

STAT = b"321 (php) S 1 321 321 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 20 18446744073709551615\n"
STATUS = (b"Name:\tphp\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t321\nUid:\t1000\t1001\t1000\t1000\nGid:\t100\t100\t100\t100\n"
          b"FDSize:\t64\nVmSize:\t  100 kB\n")
CALL = b"7 0x7ffd00000000 0x1 0x1388 0x0 0x8 0x0 0x7ffd00000010 0x7f0000000000\n"
PROC = {"%s-%s" % (kind, name): bytes([which, cut]) + text for which, kind, cut, texts in (
    (0, "stat", 0,
        {"plain": STAT, "parentheses": STAT.replace(b"(php)", b"(a) R 1 (\n))"), "cut": STAT[:90],
            "no-comm": b"321 (",
                    "kernel": STAT.replace(b"php", b"kworker/u4:0-events_unbound"),
                    "huge": STAT.replace(b"12345", b"9" * 30)}),
    (1, "status", 12,
        {"plain": STATUS, "zombie": STATUS.replace(b"S (sleeping)", b"Z (zombie)").replace(b"VmSize", b"X"),
                       "no-gid": STATUS[:80], "uid-too-big": STATUS.replace(b"1001", b"4294967296"),
                       "kernel": STATUS[:-20],
                       "name": STATUS.replace(b"php", b"Uid:\\n")}),
    (2, "number", 0,
        {"uid": b"1000\n", "none": b"4294967295", "more": b"1\n\n", "too-big": b"4294967296", "empty": b"",
            "sign": b"-1"}),
    (3, "environ", 0,
        {"plain": b"A=1\0SCRIPT_FILENAME=/srv/x.php\0REQUEST_URI=/x\0", "cut": b"REQUEST_URI=/x\0HTTP_HOST=exa",
                       "empty": b"A=\0\0=\0A\0", "inside": b"XA=1\0 A=2\0"}),
    (4, "call", 0,
        {"plain": CALL, "running": b"running\n", "none": b"-1 0x7ffd 0x7f\n", "cut": CALL[:40], "no-end": CALL[:54],
                    "huge": CALL.replace(b"0x1388", b"0x" + b"f" * 17), "short": b"7 0x"}),
) for name, text in texts.items()}

ID = b"0123456789abcdef" * 4
CGROUP = {name: b"".join(line + b"\n" for line in lines) for name, lines in {
    "service": [b"0::/system.slice/php8.2-fpm.service"],
    "user": [b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service"],
    "docker": [b"0::/system.slice/docker-" + ID + b".scope"],
    "docker-v1": [b"12:pids:/docker/" + ID, b"1:name=systemd:/docker/" + ID],
    "podman": [b"0::/machine.slice/libpod-" + ID + b".scope/container"],
    "kube": [b"0::/kubepods/burstable/pod1/" + ID],
    "cri": [b"4:memory:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + ID],
    "lxc": [b"0::/lxc.payload.box/system.slice/cron.service"], "lxc-v1": [b"1:name=systemd:/lxc/box"],
    "machine": [b"0::/machine.slice/machine-a\\x2db\\x00.scope"],
    "nspawn": [b"0::/machine.slice/systemd-nspawn@b\\x2dc.service/x"],
    "escaped": [b"0::/_cgroup.service"], "root": [b"0::/"], "no-path": [b"0:", b"::", b""],
    "slices": [b"0::/a.slice/b.slice/"],
    "long": [b"0::/" + b"a" * 248 + b".service"], "long-name": [b"0::/lxc/" + b"b" * 260],
    "escape-at-end": [b"0::/lxc/a\\x4", b"0::/lxc/\\x41"],
    "unit-id": [b"0::/machine-" + ID + b".scope/docker/" + ID], "nul": [b"0::/a\0b.service"],
    "fail-after": [b"0::/lxc/box/lxc/\\x00y"],
}.items()}

SCRIPT = {"%02d-%s" % (which, name): bytes([which, flags]) + cmdline for which, name, flags, cmdline in (
    (1, "php", 0x40, b"php8.2\0-d\0a=b\0-f\0/srv/x.php\0y\0"), (1, "php-dashes", 0x40, b"php\0--\0a\0"),
    (1, "php-run", 0, b"php\0-r\0phpinfo();\0"),
    (2, "cgi", 0, b"php-cgi\0-c/etc\0x.php\0"), (3, "pool", 0, b"php-fpm: pool www\0" + bytes(9)),
    (3, "master", 0, b"php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)\0"),
    (3, "master-open", 0, b"php-fpm: master process (/e"),
    (4, "lsphp", 0, b"lsphp5.6:/srv/x.php\0"), (4, "lsphp-digits", 0, b"lsphp7777777"),
    (4, "busybox", 0, b"busybox\0sh\0-eo\0pipefail\0x.sh\0"),
    (6, "perl", 0x81, b"perl\0-I/x\0-we\0print\0"), (6, "perl-cut", 0x81, b"perl\0/srv/a/very/long/na"),
    (6, "perl-stdin", 0, b"perl\0-\0x\0"),
    (7, "python", 0x20, b"python3\0-W\0ignore\0./../x.py\0"), (7, "python-module", 0, b"python3\0-m\0http.server\0"),
    (8, "ruby", 0x20, b"ruby\0--encoding=utf-8\0-C\0/srv\0x.rb\0"),
    (9, "node", 0x20, b"node\0--require\0a\0inspect\0"), (9, "node-eval", 0, b"node\0--eval=1\0"),
    (17, "sh", 0x7f, b"-bash\0"), (17, "sh-plus", 0x11, b"sh\0+o\0posix\0-\0/x//./y.sh\0"),
    (17, "sh-value-missing", 0, b"sh\0-ooo\0"),
    (17, "empty-words", 0x30, b"sh\0\0\0\0"), (0, "nothing", 0, b""), (0, "join-dots", 0x10, b"/.\0./././\0"),
    (0, "join-root", 2, b"/\0/\0"),
    (0, "name", 0, b"x-linux-gnu\0"), (0, "digits", 0, b"/bin/5.36-linux-\0"),
    (4, "lsphp-cut", 0, b"lsphp:e/u/public_html/a/very/long/folder/x/index.php\0\0"),
    (6, "perl-digits", 0x81, b"perl\0-l012ne\0-w -0xFF\0-dt:X\0-x/d\0m.pl\0"),
    (10, "deno", 0x20, b"deno\0run\0--config\0c\0npm:x\0"), (11, "bun", 0x20, b"bun\0--cwd\0/x\0run\0./s.ts\0"),
    (12, "java", 0x20, b"java\0-cp\0a\0-jar\0x.jar\0"), (12, "java-args", 0, b"java\0--module=m/c\0@x\0"),
    (13, "lua", 0x20, b"lua\0-e\0a\0-l\0b\0s.lua\0"), (14, "tcl", 0x20, b"tclsh\0-encoding\0x\0s.tcl\0"),
    (15, "awk", 0x20, b"gawk\0-F:\0-v\0a=1\0--file\0s\0-f\0t\0"),
    (16, "r", 0x20, b"R\0--file=s.R\0--args\0"), (17, "sh-long", 0x11, b"bash\0-rcfile\0x\0y.sh\0"),
)}


def fcgi(kind, content, padding=0, ident=1, version=1):
    return struct.pack(">BBHHBB", version, kind, ident, len(content), padding, 0) + content + bytes(padding)


def process(pid, uri=b"/x.php", state=b"Running", script=b"/srv/x.php"):
    lines = ((b"pid", b"%d" % pid), (b"state", state), (b"start time", b"23/Nov/2026:10:00:00 +0000"),
    (b"start since", b"9"), (b"requests", b"1"),
             (b"request duration", b"99"), (b"request method", b"GET"), (b"request URI", uri),
             (b"content length", b"0"), (b"user", b"-"),
             (b"script", script), (b"last request cpu", b"0.00"), (b"last request memory", b"0"))
    return b"*" * 24 + b"\n" + b"".join((key + b":").ljust(22) + value + b"\n" for key, value in lines)


POOL = b"".join((key + b":").ljust(22) + value + b"\n" for key, value in (
    (b"pool", b"www"), (b"process manager", b"dynamic"), (b"accepted conn", b"9"), (b"idle processes", b"1"))) + b"\n"
PAGE = POOL + process(321) + b"\n" + process(322, state=b"Idle", script=b"-")
HTTP = b"Content-type: text/plain\r\nX: y\r\n\r\n"
END, REFUSED = fcgi(3, bytes(8)), fcgi(3, bytes(4) + b"\x02" + bytes(3))
FCGI = {name: bytes([which, step]) + struct.pack("<H", pid) + data for name, which, step, pid, data in (
    ("whole", 0, 5, 321, fcgi(6, HTTP + PAGE) + fcgi(6, b"") + END),
    ("pieces", 0, 1, 322, fcgi(6, HTTP[:9], 7) + fcgi(7, b"warning") + fcgi(6, HTTP[9:] + PAGE, 255) + END),
    ("not-listed", 0, 64, 1, fcgi(6, HTTP + PAGE) + END),
    ("status-404", 0, 8, 321, fcgi(6, b"Status: 404 Not Found\r\n" + HTTP + PAGE) + END),
    ("status-200", 0, 8, 321, fcgi(6, b"status:200 OK\n" + HTTP + PAGE) + END),
    ("status-short", 0, 8, 321, fcgi(6, b"Status: 20\r\n\r\nx") + END),
    ("refused", 0, 8, 1, REFUSED), ("refused-and-more", 0, 3, 1, REFUSED + fcgi(6, b"x")),
    ("more-behind", 0, 3, 1, fcgi(6, HTTP) + END + b"more"),
    ("end-short", 0, 2, 1, fcgi(3, bytes(4))), ("end-long", 0, 2, 1, fcgi(3, bytes(9))),
    ("end-padded", 0, 2, 1, fcgi(3, bytes(8), 8)),
    ("other-request", 0, 9, 1, fcgi(6, b"x", ident=2)), ("other-version", 0, 9, 1, fcgi(6, b"x", version=2)),
    ("other-kind", 0, 9, 1, fcgi(11, b"x")),
    ("only-end", 0, 9, 1, END), ("empty-out", 0, 9, 1, fcgi(6, b"", 3) + END), ("nothing", 0, 1, 1, b""),
    ("no-blank-line", 0, 9, 1, fcgi(6, b"A: b\r\n") + END),
    ("page", 1, 0, 321, PAGE),
    ("page-forged", 1, 0, 321, POOL + process(321, b"/x\n" + process(999).split(b"\n", 1)[1][:60])),
    ("page-twice", 1, 0, 321, POOL + process(321) + b"\n" + process(321)), ("page-cut", 1, 0, 321, PAGE[:-1]),
    ("page-empty", 1, 0, 321, POOL),
    ("page-pid", 1, 0, 321, POOL + process(0) + b"\n" + process(1234567890)),
    ("page-many", 1, 0, 9, POOL + b"\n".join(process(1000 + i) for i in range(20))),
    ("page-behind", 1, 0, 321, PAGE + b"x\n"), ("request", 2, 0, 600, b"/fpm-status"),
    ("request-long", 2, 0, 5000, b"/" + b"s" * 900),
    ("request-no-room", 2, 0, 100, b"/status"), ("request-too-long", 2, 0, 65535, b"/" + b"s" * 1024),
)}


def fpm_conf(text, pool=b"www"):
    """As fuzz_fpm_conf.c takes it."""
    return bytes([len(pool) > 15]) + span(pool) + text


FPM_CONF = {name: fpm_conf(text) for name, text in {
    "unix": b"[global]\npid = /run/x.pid\n[www]\nuser = www-data\nlisten = /run/php/php8.2-fpm.sock\npm.status_path = /status\n",
    "tcp": b"[www]\nlisten = 127.0.0.1:9000 ; here\npm.status_path = \"/status\"\n",
    "tcp6": b"[www]\nlisten='[::1]:9000'\npm.status_path=/s\n",
    "any": b"[www]\nlisten = *:9000\npm.status_path=/s\n[other]\nlisten = 1\n",
    "port": b"[ www ]\nlisten = 9000\npm.status_path=/s\n",
    "any6": b"[www]\nlisten = [::]:9000\npm.status_path=/s\n",
    "empty-host": b"[www]\nlisten=[]:9000\npm.status_path=/s\n",
    "status-listen": b"[www]\nlisten = /a\npm.status_listen = :9001\npm.status_path = /$pool\n",
    "far": b"[www]\nlisten = 192.0.2.1:9000\npm.status_path=/s\n",
    "prefix": b"[www]\nprefix = /srv/$pool\nlisten = run/$pool.sock\npm.status_path = /s\n",
    "no-prefix": b"[www]\nlisten = run/x.sock\npm.status_path=/s\n",
    "include": b"include = /etc/php/8.2/fpm/pool.d/*.conf\ninclude=${X}\n[www]\ninclude=\"x\n",
    "host": b"[www]\nlisten = localhost:9000\npm.status_path=/s\n",
    "environment": b"[www]\nlisten = ${SOCK}\npm.status_path=/s\n",
    "unclosed": b"[www\nlisten = \"/a\n[]\n=\n;\n \t\r\n",
    "port-bad": b"[www]\nlisten=127.0.0.1:99999\npm.status_path=/s\n",
    "long": b"[www]\nlisten = /" + b"x" * 600 + b"\npm.status_path = /" + b"$pool" * 200 + b"\n",
    "nul": b"[www]\nlisten = /a\0b\npm.status_path=/s\0\n",
    "prefix-long": b"[www]\nprefix=/" + b"p" * 500 + b"\nlisten=" + b"l" * 20 + b"\npm.status_path=/s\n",
    "fits-just": b"[www]\nlisten=/" + b"x" * 510 + b"\npm.status_path=/s\n",
    "global-pool": b"[global]\nlisten = /a\n", "port-space": b"[www]\nlisten = ' 9000'\npm.status_path=/s\n",
}.items()}
FPM_CONF["environment-made"] = fpm_conf(b"[{X}]\ninclude = $$pool{Y}\nlisten = $$pool\n", b"{X}")
FPM_CONF["long-pool"] = fpm_conf(b"[" + b"p" * 520 + b"]\nlisten = /$pool\npm.status_path = /$pool$pool\n",
b"p" * 520)
FPM_CONF["empty-pool"] = fpm_conf(b"[]\nlisten = /a$pool\npm.status_path = /s\n", b"")
FPM_CONF["global-as-pool"] = fpm_conf(b"[global]\nlisten=/a\npm.status_path=/s\n", b"global")


def nft(*objects):
    return b'{"nftables":[{"metainfo":{"version":"1.0.6"}},' + b",".join(objects) + b"]}"


def rule(expr, chain=b"out", table=b"fw"):
    return b'{"rule":{"family":"inet","table":"%s","chain":"%s","handle":4,"expr":[%s]}}' % (table, chain, expr)


def match(right, op=b"==", left=b'{"payload":{"protocol":"tcp","field":"dport"}}'):
    return b'{"match":{"op":"%s","left":%s,"right":%s}}' % (op, left, right)


OUT = b'{"chain":{"family":"inet","table":"fw","name":"out","handle":1,"type":"filter","hook":"output","prio":0,"policy":"accept"}}'
SET = b'{"set":{"family":"inet","name":"s","table":"fw","type":"inet_service","elem":[25,{"range":[400,600]},{"elem":{"val":587,"counter":{}}},"*"]}}'
CONCAT = b'{"concat":[{"payload":{"protocol":"ip","field":"daddr"}},{"payload":{"protocol":"th","field":"dport"}}]}'
IPTABLES = (b"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [1:2]\n:SMTPOUTPUT - [0:0]\n-A OUTPUT -p tcp -m multiport --dports 25,465,587 -j SMTPOUTPUT\n"
            b"-A SMTPOUTPUT -m owner --uid-owner 8 -m comment --comment \"a \\\"b\\\" -j DROP\" -j ACCEPT\n-A SMTPOUTPUT -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n")
QUEUES = b"    7   4242     0 2 65535     0     0       12  1\n    8  -4242     0 2 65535     0     0       12  1\n"
CLASH = {
    "nft-drop": b"\0" + nft(OUT, rule(match(b"25") + b',{"drop":null}')),
    "nft-set": b"\0" + nft(SET, OUT, rule(match(b'"@s"', b"!=") + b',{"reject":{}}')),
    "nft-anonymous": b"\0" + nft(OUT,
        rule(match(b'{"set":[25,{"range":[460,600]}]}', b"in") + b',{"queue":{"num":{"range":[5,9]}}}')),
    "nft-jump": b"\0" + nft(OUT, rule(match(b"100", b"<") + b',{"jump":{"target":"j"}}'),
        rule(b'{"drop":null}', b"j"), rule(b'{"goto":{"target":"out"}}', b"j")),
    "nft-vmap": b"\0" + nft(OUT,
        rule(b'{"vmap":{"key":{"payload":{"protocol":"tcp","field":"dport"}},"data":{"set":[[25,{"drop":null}],[{"range":[1,9]},{"jump":{"target":"k"}}]]}}}')),
    "nft-vmap-named": b"\0" + nft(SET.replace(b'"set"', b'"map"'), OUT, rule(b'{"vmap":{"key":1,"data":"@s"}}')),
    "nft-concat": b"\0" + nft(OUT,
        rule(match(b'{"set":[{"concat":["192.0.2.1",25]},{"elem":{"val":{"concat":["192.0.2.1",{"range":[1,99]}]}}}]}', left=CONCAT) + b',{"drop":null}')),
    "nft-udp": b"\0" + nft(OUT, rule(match(b'"udp"', left=b'{"meta":{"key":"l4proto"}}') + b',{"drop":null}'),
        rule(match(b'{"set":["tcp","udp"]}',
            left=b'{"payload":{"protocol":"ip","field":"protocol"}}') + b',{"queue":{"num":7}}')),
    "nft-own": b"\0" + nft(rule(b'{"drop":null}', table=b"egressd")),
    "nft-hostile": b"\0" + nft(OUT, rule(match(b"25") + b',{"drop":null}', b"a\\n\\u001b\\\\\\u202e")),
    "nft-numbers": b"\0" + nft(OUT,
        *(rule(match(n, op) + b',{"drop":null}') for n in (b"-1", b"65536", b"4294967295", b"9223372036854775807",
            b"1.5", b"null") for op in (b"==", b">", b">=", b"<", b"<=", b"x"))),
    "nft-set-in-itself": b"\0" +
    nft(b'{"set":{"family":"inet","name":"s","table":"fw","elem":[%s]}}' % b",".join([b'"@s"'] * 300), OUT,
        rule(match(b'"@s"') + b',{"drop":null}')),
    "nft-and-iptables": b"\0" + nft(OUT.replace(b"inet", b"ip").replace(b"fw", b"filter"), OUT,
        rule(b'{"drop":null}')) + b"\f" + IPTABLES,
    "nft-no-array": b'\0{"nftables":{"rule":1}}', "nft-none": b"\0",
    "nft-deep": b"\0" + nft(OUT, rule(match(b"[" * 40 + b"25" + b"]" * 40) + b',{"drop":null}')),
    "nft-wrong-kinds": b"\0" + nft(b"1", b"[]", b'{"rule":[]}', b'{"chain":{"name":1}}',
        b'{"rule":{"family":"inet","table":"t","chain":"c","expr":{"match":1}}}'),
    "iptables": b"\x01" + IPTABLES,
    "iptables-queue": b"\x01*mangle\n:POSTROUTING ACCEPT\n-A POSTROUTING ! -p udp -j NFQUEUE --queue-balance 0:9 --queue-bypass\n",
    "iptables-not": b"\x01*filter\n:FORWARD DROP\n-A FORWARD -p tcp ! --dport 25 -j DROP\n-A FORWARD -p udp --dport 25 -j DROP\n-A FORWARD -p 6 --dports :30,400: -g X\n-A X -j TARPIT\n",
    "iptables-odd": b"\x01:A B\n-A B\n*\n:\n-A \n-A x\n-A x -j\n-A x ! -j y -j \"\n-A x --dport 99999999999999999999:,,: -j DROP\n*" + b"t" * 400 + b"\n-A c -j DROP",
    "iptables-words": b"\x01*filter\n:OUTPUT ACCEPT\n-A OUTPUT " + b"-m x " * 80 + b"-j DROP\n-A OUTPUT --dport " +
    b"1," * 300 + b"25 -j DROP --comment \xff\x1b\n",
    "iptables-many": b"\x01*filter\n:OUTPUT ACCEPT\n" + b"-A OUTPUT -p tcp --dport 25 -j DROP\n" * 60,
    "iptables-loop": b"\x01*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp --dport 25 -j A\n-A A -j B\n-A B -j A\n-A B -j REJECT\n",
    "queues": b"\x02" + QUEUES, "queues-none": b"\x02 8 1\n", "queues-cut": b"\x02    7",
    "queues-odd": b"\x02x\n\n7\n-7 1\n 7 -1\n",
}


def render(template=None, flags=0, table=b"egressd", ports=(25, 465, 587), uids=(107,),
marks=(0xf0000000, 0x40000000, 0x80000000), group=100):
    return (bytes([flags | (template is not None) * 2]) + span(table) + span(struct.pack("<%dH" % len(ports),
        *ports)) +
            span(struct.pack("<%dI" % len(uids), *uids)) + struct.pack("<IIIHH", *marks, group,
                7) + (template or b""))


ALL_PLACES = b"".join(b"x ${%s} y\n" % word for word in b"table ports mail_uids mark_mask mark_keep mark_allow mark_deny group_refused group_mail group_local mode".split())
RENDER = {
    "built-in": render(), "built-in-monitor": render(flags=1, uids=()), "all": render(ALL_PLACES),
    "all-in-a-line": render(ALL_PLACES.replace(b"\n", b" ")),
    "no-uids": render(ALL_PLACES + b"${ports}${mail_uids}", uids=()), "unknown": render(b"${nothing}\n"),
    "unclosed": render(b"a ${table\n"),
    "hostile": render(b"${\x1b]0;x\x07\xff}\n"), "missing": render(ALL_PLACES[10:]),
    "comments": render(ALL_PLACES + b"# ${x}\n\"#${table}\" # \"${x}\n"),
    "nul": render(ALL_PLACES + b"table \0 ${x}\n"), "empty": render(b""), "table-wrong": render(table=b"a b"),
    "table-empty": render(table=b""),
    "table-long": render(table=b"t" * 64), "table-longest": render(table=b"_" * 63), "no-ports": render(ports=()),
    "ports-65": render(ports=range(65)),
    "uids-65": render(uids=range(65)), "marks-same": render(marks=(15, 1, 1)),
    "marks-outside": render(marks=(1, 2, 1)), "group": render(group=65534),
    "placeholder-long": render(b"${" + b"a" * 5000 + b"}"),
}

TABLE = (b"table inet egressd {\n\tcounter held {\n\t\tcomment \"x\"\n\t\tpackets 1 bytes 2\n\t}\n\n\tset smtp_ports {\n\t\ttype inet_service\n"
         b"\t\telements = { 25, 465,\n\t\t\t     587 }\n\t}\n\n\tset refused {\n\t\tflags dynamic\n\t\telements = { 1 . 25 counter packets 1 bytes 60 }\n\t}\n\n"
         b"\tchain agent {\n\t\tqueue flags bypass to 7\n\t}\n\n\tchain guard {\n\t\ttype filter hook output priority -149; policy accept;\n\t\tdrop\n\t}\n}\n")
LISTING = {
    "same": TABLE + b"\f" + TABLE, "one": TABLE, "none": b"\f",
    "foreign": TABLE + b"\f" + TABLE.replace(b"\t\tdrop\n", b"\t\taccept\n\t\tdrop\n\x1b\n"),
    "missing": TABLE + b"\f" + TABLE.replace(b"\t\tdrop\n", b""),
    "elements": TABLE + b"\f" + TABLE.replace(b"465,\n\t\t\t     587", b"587"),
    "elements-cut": TABLE[:150],
    "elements-odd": b"t {\n\tset a {\n\t\telements = {\n\t\t\t,,}\n\t}\n\tset b {\n\t\telements = { , }\n",
    "block-open": b"\tchain x {\n\tset y {\n\t\telements = { 1",
    "agent-twice": TABLE.replace(b"to 7\n",
        b"to 7\n\t\tqueue num 7 bypass\n\t\txt target \"NFQUEUE\"\n") + b"\f" + TABLE,
        "block-twice": TABLE + TABLE + b"\f" + TABLE,
    "comment": TABLE.replace(b"inet egressd {\n", b"inet egressd {\n\tcomment \"c\"\n\tflags x\n") + b"\f" + TABLE,
    "tabs": b"\t\n\t\t\n\t}\n\t {\n\t{\n\t\tx\n",
    "many": TABLE + b"\f" + TABLE.replace(b"\t\tdrop\n", b"".join(b"\t\trule %d\n" % i for i in range(130))),
    "long": b"\tchain c {\n\t\t" + b"\\\xff" * 500 + b"\n\t}\n",
}

# --- network namespaces: which of fuzz_netns.c's readers, then what it reads --------------------

def address(family, attrs, seq=7, kind=20, length=None):
    body = bytes([family, 24, 0, 0]) + struct.pack("<I", 3) + b"".join(
        struct.pack("<HH", 4 + len(value), number) + pad(value) for number, value in attrs)
    return struct.pack("<IHHII", 16 + len(body) if length is None else length, kind, 2, seq, 1) + body


ADDRESS = address(2, [(1, V4[1]), (2, V4[0]), (3, b"eth0\0"), (8, bytes(4))])
DONE = struct.pack("<IHHIIi", 20, 3, 2, 7, 1, 0)
NETNS = {
    "link": b"\0net:[4026531840]", "link-zero": b"\0net:[0]", "link-zeros": b"\0net:[007]", "link-none": b"\0net:[]",
    "link-huge": b"\0net:[99999999999999999999]", "link-other": b"\0mnt:[4026531840]",
    "status": b"\x01Name:\tTgid:\t5\nUmask:\t0022\nTgid:\t321\nNgid:\t0\n", "status-cut": b"\x01Name:\tx\nTgid:\t3",
    "last-pid": b"\x01321\n", "loadavg": b"\x010.10 0.20 0.30 1/114 4711\n", "pid-zero": b"\x010\n",
    "addresses": b"\x02" + ADDRESS + address(10, [(1, V6[0])]) + DONE,
    "addresses-at-home": b"\x02" + address(2, [(2, b"\x7f\0\0\1")]) + address(10, [(1, b"\xfe\x80" + bytes(14))]) +
        address(10, [(1, bytes(15) + b"\1")]),
    "addresses-twice": b"\x02" + ADDRESS * 3, "addresses-none": b"\x02" + address(2, []) + DONE,
    "addresses-other-seq": b"\x02" + address(2, [(2, V4[0])], seq=8), "addresses-cut": b"\x02" + ADDRESS[:-6],
    "addresses-other-family": b"\x02" + address(7, [(2, V4[0])]), "addresses-short": b"\x02" + ADDRESS + ADDRESS[:9],
    "addresses-refused": b"\x02" + struct.pack("<IHHIIi", 36, 2, 0, 7, 1, -1) + bytes(16),
    "addresses-long": b"\x02" + address(2, [(2, V4[0])], length=4096), "addresses-attr": b"\x02" + address(
        2, [(2, V4[0])]).replace(b"\x08\0\x02\0", b"\xff\xff\x02\0"),
    "question": b"\x03" + struct.pack("<QQ", 1, 2) + bytes([2]) + bytes(55), "message-short": b"\x03" + bytes(8),
    "answer": b"\x03" + struct.pack("<QI4xQB3xII4xQQI64i4x", 1, 0, 4026531840, 2, 33, 4711, 7, 8, 2, 321, 322, *bytes(62)),
    "answer-none": b"\x03" + struct.pack("<QI308x", 1, 1),
}

MOUNTINFO = (b"22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n40 22 0:50 / /m\\040t rw - fuse.sshfs u@h: rw\n"
             b"43 22 0:52 / /o rw - overlay overlay rw\n44 22 0:53 / /tmp rw optional:1 - tmpfs tmpfs rw\n")
MOUNTS = {
    "root": b"\x16\x08\x01" + MOUNTINFO, "fuse": b"\x28\x00\x32" + MOUNTINFO, "cut": b"\x2c\x00\x35" + MOUNTINFO[:-9],
    "odd": b"\x16\x08\x01" + b"22 - ext4 x\n22 1 8 1\n\n - \n99999999999 1 8:1 / / rw - x y\n22 1 8:1 / / rw - \n",
}


def title(exe, comm, *words):
    return span(exe) + span(comm) + span(b"".join(word + b"\0" for word in words))


POSES = {
    "nginx": title(b"/usr/bin/perl", b"nginx", b"nginx: worker process"), "kworker": title(b"/tmp/x", b"kworker/0:1", b"[kworker/0:1]"),
    "apache": title(b"/usr/bin/php8.2", b"php", b"/usr/sbin/apache2", b"-k", b"start"), "empty": title(b"/tmp/x", b"x", b"", b""),
    "postfix": title(b"/usr/bin/perl", b"smtp", b"smtp", b"-t", b"unix", b"-u"), "login": title(b"/usr/bin/bash", b"bash", b"-bash"),
    "blank": title(b"/tmp/nginx a/b", b"b", b"/tmp/nginx a/b"), "dovecot": title(b"/usr/bin/perl", b"x", b"dovecot/imap"),
    "sendmail": title(b"/usr/bin/perl", b"x", b"sendmail: accepting"),
}

# --- web/sites*.c ------------------------------------------------------------------------------

# A byte of flags (1 nginx, 2 apache, 4 php-fpm, 8 panel, 16 envvars), then files, each up to a byte 0xff.
SITES = {
    "nginx": b"\x01http{include a;log_format f escape=json '$a' \"b\";access_log /l f buffer=1k;\nserver{server_name a .b *.c ~d _;"
             b"root /r/./;location ~ \\.php$ {fastcgi_pass u;}}upstream u{server unix:/s;}}\xffserver{root r;access_log off;}\xff",
    "nginx-odd": b"\x01http{server{root \"a\\tb\";x_by_lua_block{ --[[}]] '}' }listen ${a}{}}}}server{;\0;",
    "nginx-open": b"\x01http{server{location /{include x;}\xffserver_name a;{{{\xff",
    "apache": b"\x12export A=/l\nB=$A\\\n\xffDefine R /r\nLogFormat \"%h\" n\nCustomLog ${A}/x n\n<VirtualHost *>\nServerName https://a:1\n"
              b"ServerAlias *.b\nDocumentRoot ${R}\nInclude v\nSuexecUserGroup u g\n</VirtualHost>\n\xff"
              b"<FilesMatch \\.php$>\nSetHandler \"proxy:unix:/s|fcgi://x\"\n</FilesMatch>\nTransferLog t\n\xff",
    "apache-if": b"\x02LoadModule a_module x\n<IfModule !mod_a.c>\n<IfDefine X>\n</IfDefine>\n</IfModule>\n<IfFile a>\n<VirtualHost *>\n"
                 b"ProxyPassMatch ^/.php fcgi://[::1]:9/$1\nGlobalLog /g \\\n  %r\n</VirtualHost>\nDocumentRoot d\n",
    "apache-macro": b"\x02<Macro M $a>\nUse M $a\nUse M x\n<VirtualHost *>\nServerName $a\n</VirtualHost>\n</Macro>\nUse M b\nUse M\n<Macro O>\n",
    "pools": b"\x04[a]\nuser = u ; x\nlisten = /run/$pool\ninclude=/x/*.conf\n\xff[b]\nprefix='/p'\nlisten=s\n[global]\n[c]\nlisten=9000\n",
    "panel": b"\x08a.example: u\nb.example: v==o==main==b.example==/home/v/www==1:80\n*: nobody\nx:y:1000:1::/:\n",
    "all": b"\x0fhttp{server{server_name a;root /a;}}\xff<VirtualHost *>\nServerName a\n</VirtualHost>\n\xff[p]\nlisten=1\n\xffa: u\n",
}

# --- web/trigger.h: which, how, the format's text, a line ---------------------------------------

COMBINED = {0: b'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
            1: b'%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\" %D %P'}
TRIGGER = {
    "nginx": bytes([0, 0x3c]) + span(COMBINED[0]) + b'203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] "POST /a.php?b HTTP/1.1" '
        b'200 5 "-" "a\\x22b"',
    "apache": bytes([1, 0x3c]) + span(COMBINED[1]) + b'shop.example:80 203.0.113.9 - a b [16/Nov/2026:09:00:00 +0000] '
        b'"GET /\\" HTTP/1.0" 404 - "-" "\\\\" 1500 4711',
    "json": bytes([2, 7]) + span(b'{"t":"$time_iso8601","m":"$request_method","u":"$request_uri","d":"$request_time"}') +
        b'{"t":"2026-11-16T10:00:00+01:00","m":"GET","u":"/\\u0001\\"","d":"0.250"}',
    "epochs": bytes([1, 1]) + span(b'%{begin:usec}t %{end:msec}t %{ms}T %m %U%q') + b'1794819600000000 1794819600500 500 GET /a?b',
    "guess": bytes([9, 4]) + span(b'') + b'shop.example:80 203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 5',
    "year": bytes([1, 1]) + span(b'%t %r') + b'[16/Nov/6026:09:00:00 +0000] GET / HTTP/1.0',
    "ways": bytes([0, 0]) + span(b'$http_a $http_b $http_c $msec $request') + b' ' * 300,
    "honest": bytes([7, 0]) + b'"\\ \0\xff HTTP/1.1\" 200' * 20,
}

# --- web/trigger_status.h: a pid, an answer -----------------------------------------------------

STATUS_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><table><tr><th>Srv</th><th>PID</th><th>M</th>"
               b"<th>Client</th><th>VHost</th><th>Request</th></tr>\n")


def status_row(pid, mode, request):
    return (b"<tr><td><b>0-0</b></td><td>%d</td><td>%s\n</td><td>203.0.113.9</td><td nowrap>shop.example:80</td>"
            b"<td nowrap>%s</td></tr>\n" % (pid, mode, request))


SERVER_STATUS = {
    "one": struct.pack("<H", 77) + STATUS_HEAD + status_row(77, b"<b>W</b>", b"POST /a.php?b&amp;c HTTP/1.1") +
        status_row(78, b"_", b"GET / HTTP/1.1") + b"</table></html>",
    "cut": struct.pack("<H", 77) + STATUS_HEAD + status_row(77, b"<b>W</b>", b"POST /" + b"a" * 57) + b"</table></html>",
    "two": struct.pack("<H", 77) + STATUS_HEAD + status_row(77, b"<b>W</b>", b"GET / HTTP/1.1") * 2 + b"</table></html>",
    "unclosed": struct.pack("<H", 77) + STATUS_HEAD + b"<tr><td>77<td><b>W</b",
}

# --- bpf-free/caller_parse.c, connector.c ----------------------------------------------------------

CALLER = {
    "format": b"ID: 2287\n" + b"".join(b"\tfield:__u16 %s;\toffset:%d;\tsize:%d;\tsigned:0;\n" % field for field in (
        (b"skaddr", 8, 8), (b"oldstate", 16, 4), (b"newstate", 20, 4), (b"sport", 24, 2), (b"dport", 26, 2), (b"family", 28, 2), (b"protocol", 30, 2),
        (b"saddr[4]", 32, 4), (b"daddr[4]", 36, 4), (b"saddr_v6[16]", 40, 16), (b"daddr_v6[16]", 56, 16))),
    "v4": struct.pack("<HBBiQiiHHHH", 2287, 0, 1, 7, 8, 7, 2, 0, 25, 2, 6) + V4[0] + V4[1] + bytes(32),
    "v6": struct.pack("<HBBiQiiHHHH", 2287, 0, 1, 7, 8, 7, 2, 40000, 25, 10, 6) + bytes(8) + V6[0] + V6[1],
    "mapped": struct.pack("<HBBiQiiHHHH", 2287, 0, 1, 7, 8, 7, 2, 0, 25, 10, 6) + V4[0] + V4[1] + (
        bytes(10) + b"\xff\xff" + V4[0] + bytes(10) + b"\xff\xff" + V4[1]),
}
for name, what, rest in (("fork", 1, (7, 7, 500, 500)), ("thread", 1, (7, 7, 501, 500)), ("exec", 2, (500, 500, 0, 0)),
                         ("uid", 4, (500, 500, 33, 33)), ("comm", 0x200, (500, 500, 0, 0)),
                         ("exit", 0x80000000, (500, 500, 0, 17))):
    event = struct.pack("<IIQ", what, 1, 10**12) + struct.pack("<4I", *rest) + bytes(8)
    CALLER["event-" + name] = struct.pack("<IHHII", 36 + len(event), 3, 0, 5, 0) + struct.pack(
        "<IIIIHH", 1, 1, 5, 0, len(event), 0) + event

SEEDS = {
    "netns": NETNS,
    "mounts": MOUNTS, "poses": POSES,
    "trigger": TRIGGER, "server_status": SERVER_STATUS,
    "wire": WIRE, "batch": BATCH, "note": {name: data for name, data in WIRE.items() if name.startswith("note")}, "evidence": EVIDENCE, "escape": ESCAPE, "time": TIME, "journal": JOURNAL, "sockdiag": SOCKDIAG,
    "proc": PROC,
    "cgroup": CGROUP, "script": SCRIPT, "fcgi": FCGI, "fpm_conf": FPM_CONF, "clash": CLASH, "render": RENDER,
    "listing": LISTING, "caller": CALLER, "sites": SITES,
}
