#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""egressctl as people and scripts meet it: every command against a store with hostile names in it.

Speaks TAP. BUILD names the build folder (default build); needs egressctl and tests/cli/make_store
there. As root it also tries the commands that need it, in a network namespace of its own.
"""
import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
CTL = os.path.join(BUILD, "egressctl")
MAKE_STORE = os.path.join(BUILD, "tests/cli/make_store")
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

tests = []


def test(function):
    tests.append(function)
    return function


class Failed(Exception):
    pass


def want(condition, *what):
    if not condition:
        raise Failed(" ".join(str(w) for w in what))


def same(got, expected, what=""):
    want(got == expected, what, "got", repr(got)[:900], "expected", repr(expected)[:900])


class Box:
    """A state folder with its configuration."""

    all = []

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="egt-cli-")
        Box.all.append(self)
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state)
        self.conf = os.path.join(self.dir, "egressd.conf")
        with open(self.conf, "w") as file:
            file.write('state_dir = "%s"\nmail_users = {"root", "egt-no-such-user"}\n'
                       'judge_user = "65531"\nrecorder_user = "65530"\n' % self.state)

    def store(self, *verb):
        subprocess.run([MAKE_STORE, self.state, *verb], check=True, env=ENV)
        return self

    def run(self, *args, code=0, env=None, conf=True, preexec=None, stdout=subprocess.PIPE):
        words = [CTL] + (["-c", self.conf] if conf else []) + list(args)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, env={**ENV, **(env or {})}, timeout=60,
                              preexec_fn=preexec)
        want(done.returncode == code, args, "ended with", done.returncode, "not", code, ":",
             done.stderr)
        safe(done.stderr)
        return (done.stdout or b""), done.stderr.decode()

    def terminal(self, columns, *args, env=None):
        """Its output as a terminal of so many columns gets it."""
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
            os.execve(CTL, [CTL, "-c", self.conf, *args], {**ENV, **(env or {})})
        out = b""
        while True:
            try:
                more = os.read(fd, 65536)
            except OSError:
                break
            if not more:
                break
            out += more
        os.close(fd)
        _, status = os.waitpid(pid, 0)
        return out.replace(b"\r\n", b"\n"), os.waitstatus_to_exitcode(status)


def safe(out, newline=b"\n"):
    """Nothing that a terminal would obey, or that would mislead a reader, and valid UTF-8."""
    text = out.replace(newline, b"\n").decode("utf-8")
    for character in text:
        want(character == "\n" or unicodedata.category(character) not in FORBIDDEN,
             "character U+%04X in" % ord(character), text[:300])
    return text


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


box = Box()
empty = Box()
LISTS = (("list-offenders", 5), ("list-verdicts", 0))
ISSUE_VERDICT = """id ts count verdict reason rule mode uid gid user pid start_time exe exe_deleted cmdline cwd
script script_from parents unit container login_uid src sport dst dport owner_how owner_why evidence""".split()
ISSUE_OFFENDER = """rank user uid script exe site unit attempts destinations networks ports first_seen last_seen
verdict evidence""".split()
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$")


@test
def no_format_of_any_list_lets_a_hostile_byte_through():
    for command, code in LISTS:
        for form in "table", "json", "jsonl":
            safe(box.run(command, "-o", form, code=code)[0])
        safe(box.run(command, "-o", "csv", code=code)[0])


@test
def no_page_of_any_verdict_lets_a_hostile_byte_through():
    ids = [row["id"] for row in json.loads(box.run("list-verdicts", "-o", "json")[0])]
    want(len(ids) >= 9, ids)
    for number in ids:
        for form in "table", "json", "jsonl":
            safe(box.run("show", str(number), "-o", form)[0])


@test
def no_terminal_gets_a_hostile_byte_whatever_its_width_and_locale():
    for locale in "C.UTF-8", "C":
        for columns in 20, 80, 120, 200, 500:
            for args in ["list-offenders"], ["list-verdicts"], ["show", "7"], ["status"]:
                out, _ = box.terminal(columns, *args, env={"LC_ALL": locale})
                text = safe(out)
                want(locale != "C" or text.isascii(), "not ASCII:", text[:300])


@test
def tables_fit_terminals_of_80_columns_and_more():
    for columns in 80, 100, 132, 200:
        for command, _ in LISTS:
            out, _ = box.terminal(columns, command)
            for line in out.decode().splitlines():
                if not line.startswith("egressctl:"):
                    want(width(line) <= columns, command, columns, width(line), line)


@test
def a_table_in_a_pipe_is_whole():
    out = box.run("list-offenders", code=5)[0].decode()
    head = out.splitlines()[0].split()
    same(head, "ID WHO PROGRAM SITE WORKS_IN UNIT ATTEMPTS DESTINATIONS NETWORKS PORTS FIRST_SEEN LAST_SEEN "
         "LAST_ID VERDICT EVIDENCE".split())
    want("/var/www/shop.example/wp-content/uploads/2026/11/cache.php" in out)
    want("2026-03-10T11:30:57.123+00:00" in out)


@test
def offenders_in_json_have_the_documented_fields_and_types():
    rows = json.loads(box.run("list-offenders", "-o", "json", code=5)[0])
    same(len(rows), 5)
    for number, row in enumerate(rows):
        same(row["schema"], "egressd.offender/1")
        same([name for name in ISSUE_OFFENDER if name not in row], [])
        same(row["rank"], number + 1)
        for name in "attempts", "destinations", "networks", "evidence":
            want(isinstance(row[name], int), name)
        for name in "first_seen", "last_seen":
            want(RFC3339.match(row[name]), row[name])
        want(isinstance(row["ports"], list) and all(isinstance(p, int) for p in row["ports"]))
    first = rows[0]
    same((first["user"], first["uid"], first["attempts"], first["destinations"],
          first["networks"], first["ports"], first["unit"]),
         ("www-data", 33, 12, 4, 1, [25, 587], "php8.2-fpm.service"))
    same(first["script"], "/var/www/shop.example/wp-content/uploads/2026/11/cache.php")
    same(first["first_seen"], "2026-03-10T11:30:46.123456+00:00")
    nobody = [row for row in rows if row["uid"] is None]
    same(len(nobody), 1)
    same((nobody[0]["user"], nobody[0]["script"], nobody[0]["exe"], nobody[0]["ports"]),
         (None, None, None, []))


@test
def an_offender_leads_to_its_newest_verdict_and_to_all_of_them():
    rows = json.loads(box.run("list-offenders", "-o", "json", code=5)[0])
    same([(row["user"], row["last_id"]) for row in rows[:2]], [("www-data", 5), ("alice", 6)])
    for row in rows:
        verdicts = json.loads(box.run("list-verdicts", "--offender", str(row["id"]), "-o", "json")[0])
        same(max(one["id"] for one in verdicts), row["last_id"])
        same(sum(one["count"] for one in verdicts), row["attempts"])
        same({one["offender"] for one in verdicts}, {row["id"]})
        page = box.run("show", str(row["last_id"]))[0].decode()
        want("(egressctl list-verdicts --offender %d)" % row["id"] in page, page)
    same([row["last_id"] for row in json.loads(
        box.run("list-offenders", "-o", "json", "--until", "2026-03-10T11:30:48Z", code=5)[0])], [3])
    same(json.loads(box.run("list-verdicts", "--offender", "4711", "-o", "json")[0]), [])
    _, said = box.run("list-verdicts", "--offender", "0", code=2)
    want("--offender: expected the id of an offender" in said, said)
    want("offender " not in box.run("show", "1")[0].decode(), "an allowed one is no offender")


@test
def verdicts_in_json_have_the_documented_fields_and_types():
    rows = json.loads(box.run("list-verdicts", "-o", "json")[0])
    same([row["id"] for row in rows], list(range(9, 0, -1)))
    for row in rows:
        same(row["schema"], "egressd.verdict/1")
        same([name for name in ISSUE_VERDICT if name not in row], [])
        want(RFC3339.match(row["ts"]), row["ts"])
        for name in "id", "count":
            want(isinstance(row[name], int), name)
        for name in "exe_deleted", "foreign_holder", "many_dst":
            want(isinstance(row[name], bool), name)
    by_id = {row["id"]: row for row in rows}
    php = by_id[2]
    same((php["count"], php["uid"], php["pid"], php["dst"], php["dport"], php["owner_how"],
          php["script_from"], php["cmdline"]),
         (3, 33, 4242, "203.0.113.10", 25, "unique", "fpm-status", "'php-fpm: pool www'"))
    same([(one["comm"], one["pid"]) for one in php["parents"]], [("php-fpm8.2", 812), ("systemd", 1)])
    same(php["request"]["uri"], "/wp-content/uploads/2026/11/cache.php?run=1")
    hostile = by_id[7]
    want(hostile["exe"].startswith("/usr/bin/x\\x0a\\x0d\\x09\\x1b[31m"), hostile["exe"])
    want("\\xe2\\x80\\xae" in hostile["exe"] and "é" in hostile["exe"], hostile["exe"])
    same(hostile["cut"], ["exe", "cmdline", "cwd", "script", "request", "parents", "holders"])
    same(by_id[9]["uid"], None)
    same(by_id[9]["dport"], None)
    same(by_id[9]["flow_error"], "fragment")


@test
def json_lines_are_one_object_each_and_the_same_as_the_array():
    for command, code in LISTS:
        array = json.loads(box.run(command, "-o", "json", code=code)[0])
        lines = box.run(command, "-o", "jsonl", code=code)[0].splitlines()
        same([json.loads(line) for line in lines], array)


@test
def csv_is_read_back_and_no_cell_is_a_formula():
    for command, code in LISTS:
        out = box.run(command, "-o", "csv", code=code)[0].decode()
        want(out.endswith("\n") and "\r" not in out)
        rows = list(csv.reader(io.StringIO(out, newline=""), strict=True))
        want(all(len(row) == len(rows[0]) for row in rows), "ragged")
        for row in rows[1:]:
            for name, cell in zip(rows[0], row):
                want(not cell or cell[0] not in "=+-@\t\r", name, cell)
        flat = [cell for row in rows for cell in row]
        want("'=HYPERLINK(\"http://x\")" in flat)
        same(len(box.run(command, "-o", "csv", "--no-header", code=code)[0].splitlines()),
             len(rows) - 1)


@test
def columns_limit_sort_and_user_choose_what_is_shown():
    out = box.run("list-offenders", "--columns", "uid,attempts", "--limit", "2", code=5)[0]
    same([line.split() for line in out.decode().splitlines()],
         [["UID", "ATTEMPTS"], ["33", "12"], ["1001", "1"]])
    out = box.run("list-offenders", "--no-header", "--columns", "uid", "--sort", "last", code=5)[0]
    same(out.decode().split()[0], "-")
    out = box.run("list-verdicts", "--sort", "oldest", "--columns", "id", "--no-header")[0]
    same(out.decode().split(), [str(n) for n in range(1, 10)])
    out = box.run("list-verdicts", "--user", "1001", "-o", "json")[0]
    same([row["id"] for row in json.loads(out)], [6])
    same(json.loads(box.run("list-verdicts", "--user", "root", "-o", "json")[0]), [])
    row = json.loads(box.run("list-verdicts", "--columns", "id,dst", "-n", "1", "-o", "json")[0])[0]
    same(list(row), ["schema", "id", "dst"])


@test
def since_and_until_choose_by_time_in_the_zone_asked_for():
    def ids(*args, env=None):
        return [row["id"] for row in json.loads(
            box.run("list-verdicts", "-o", "json", "--sort", "oldest", *args, env=env)[0])]

    same(ids("--since", "2026-03-10T11:31:00Z"), [6, 7, 8, 9])
    same(ids("--until", "2026-03-10T11:30:46Z"), [1])
    same(ids("--since", "2026-03-10T12:31:00"), [])
    same(ids("--since", "2026-03-10T12:31:00", env={"TZ": "CET-1"}), [6, 7, 8, 9])
    same(ids("--since", "2026-03-10T12:31:00", "--utc", env={"TZ": "CET-1"}), [])
    same(ids("--until", "2026-03-10"), [])
    same(ids("--since", "2026-03-10", "--until", "2026-03-11"), list(range(1, 10)))
    same(json.loads(box.run("list-offenders", "-o", "json", "--since", "2026-03-11")[0]), [])


@test
def times_are_local_or_utc_always_with_their_zone():
    def ts(*args, env=None):
        return json.loads(box.run("show", "1", "-o", "json", *args, env=env)[0])["ts"]

    same(ts(), "2026-03-10T11:30:45.123456+00:00")
    same(ts("--utc"), "2026-03-10T11:30:45.123456Z")
    same(ts(env={"TZ": "IST-5:30"}), "2026-03-10T17:00:45.123456+05:30")


@test
def the_page_of_a_verdict_tells_its_story():
    text = box.run("show", "2")[0].decode()
    for part in ("Verdict 2: deny, because only the mail server may send",
                 "user          www-data (uid 33, gid 33)",
                 "script        /var/www/shop.example/wp-content/uploads/2026/11/cache.php",
                 "request       POST /wp-content/uploads/2026/11/cache.php?run=1",
                 "seen first    2026-", "attempts      3, folded into this one row; all below is of the first",
                 "first by pid  4242 (php-fpm8.2), started 2026-03-10T10:30:45.123+00:00",
                 "started by    php-fpm8.2(812) < systemd(1)",
                 "to            203.0.113.10:25", "kept in       %s/evidence/evidence-" % box.state,
                 "0010  cb 00 71 0a 9c 40 00 19"):
        want(part in text, "no", part, "in", text)
    text = box.run("show", "6")[0].decode() # one attempt: nothing came first
    want("\n  seen          2026-" in text and "\n  pid           4242" in text, text)
    text = box.run("show", "9")[0].decode()
    want("user          not known" in text, text)
    want("refused it before it could be looked up" in text, text)
    want("none kept" in text, text)


SITE_OF_SHOP = {"from": "vhost", "account": "shop", "vhost": "shop.example", "root": "/var/www/shop.example",
                "source": "/etc/nginx/sites-enabled/shop:12"}


@test
def which_site_it_is_stands_beside_the_offender_with_how_it_is_known():
    rows = json.loads(box.run("list-offenders", "-o", "json", code=5)[0])
    same([(row["site"], row["site_from"], row["account"]) for row in rows[:2]],
         [("shop.example", "vhost", "shop"), ("/home/alice/bin", "script", "alice")])
    same((rows[0]["site_root"], rows[0]["site_source"]),
         ("/var/www/shop.example", "/etc/nginx/sites-enabled/shop:12"))
    for columns in 80, 200:
        out, _ = box.terminal(columns, "list-offenders")
        want("shop.example (vhost)" in out.decode(), columns, out)


@test
def the_numbers_that_a_narrow_list_shows_are_those_that_the_commands_take():
    lines = box.terminal(80, "list-offenders")[0].decode().splitlines()
    head = lines[0].split()
    same((head[0], head[-1]), ("ID", "LAST_ID"))
    want("RANK" not in head, head)
    one = next(line for line in lines if " alice " in line).split()
    want("Offender %s\n  user          alice" % one[0] in box.run("show", "--offender", one[0])[0].decode())
    text = box.run("show", one[-1])[0].decode()
    want("user          alice" in text and "offender      %s " % one[0] in text, text)
    same(box.run("list-offenders", "--columns", "rank,id", code=5)[0].split()[:4], [b"RANK", b"ID", b"1", b"1"])


@test
def list_and_pages_name_one_site_for_one_script():
    for row, number, name in zip(json.loads(box.run("list-offenders", "-o", "json", code=5)[0]), ("2", "6"),
                                 ("shop.example (vhost)", "/home/alice/bin (script)")):
        site = json.loads(box.run("show", number, "-o", "json")[0])["site"]
        same([site["vhost"] or site["root"], site["from"], site["root"], site["source"], site["account"]],
             [row[key] for key in ("site", "site_from", "site_root", "site_source", "account")])
        for args in ["show", number], ["show", "--offender", str(row["id"])]:
            text = box.run(*args)[0].decode()
            want("\n  site          %s: " % name in text, "no", name, "in", text)
            want("/etc/passwd" not in text, "the home folder's source, said of another folder:", text)


@test
def an_offenders_requests_are_grouped_the_most_frequent_first():
    row = json.loads(box.run("list-offenders", "-o", "json", code=5)[0])[0]
    same(row["n_triggers"], 7)
    same([(one["match"], one["n"], one["method"], one["client"], one["status"], one["count"])
          for one in row["triggers"]],
         [("probable", 1, "POST", "203.0.113.9", 200, 4), ("candidates", 3, "POST", "203.0.113.200", 200, 3)])
    same({one["uri"] for one in row["triggers"]}, {"/wp-content/uploads/2026/11/cache.php?run=1"})
    alice = json.loads(box.run("list-offenders", "-o", "json", code=5)[0])[1]
    same((alice["triggers"], alice["n_triggers"]), ([], 0))


@test
def the_page_of_an_offender_names_site_requests_and_newest_verdict():
    text = box.run("show", "--offender", "1")[0].decode()
    for part in ("Offender 1", "user          www-data (uid 33)",
                 "site          shop.example (vhost): the script lies below its document root",
                 "said by       /etc/nginx/sites-enabled/shop:12",
                 "4 times       probable trigger: POST /wp-content/uploads/2026/11/cache.php?run=1 from 203.0.113.9",
                 "3 times       candidates for the trigger (3), the next: POST ",
                 "attempts      12, the last verdict: deny", "destinations  4, in 1 network\n", "newest        verdict 5 (egressctl show 5)"):
        want(part in text, "no", part, "in", text)
    same(json.loads(box.run("show", "--offender", "1", "-o", "json")[0])["site"], "shop.example")
    for number in range(1, 6):
        for form in "table", "json":
            safe(box.run("show", "--offender", str(number), "-o", form)[0])
    _, said = box.run("show", "--offender", "99", code=1)
    want("no offender 99" in said, said)
    for args in ["show"], ["show", "1", "--offender", "1"], ["show", "--offender", "1", "--pcap", "-"]:
        box.run(*args, code=2)


@test
def a_verdict_carries_what_was_learnt_of_it():
    row = json.loads(box.run("show", "3", "-o", "json")[0])
    same(row["site"], SITE_OF_SHOP)
    same({name: row["trigger"][name] for name in ("match", "n", "method", "client", "vhost", "status", "log")},
         {"match": "probable", "n": 1, "method": "POST", "client": "203.0.113.9", "vhost": "shop.example",
          "status": 200, "log": "/var/log/nginx/shop.access.log"})
    same(row["trigger"]["ts"], "2026-03-10T11:30:45+00:00")
    same((row["object"], row["poses"], row["caller"]), (None, False, None))
    same(json.loads(box.run("show", "1", "-o", "json")[0])["site"], None)
    text = box.run("show", "3")[0].decode()
    for part in ("trigger       probable trigger: POST /wp-content/uploads/2026/11/cache.php?run=1 from 203.0.113.9 "
                 "(shop.example, access log)", "log time      2026-03-10T11:30:45+00:00 (nginx: when", "answered      200",
                 "in the log    /var/log/nginx/shop.access.log"):
        want(part in text, "no", part, "in", text)
    want("no trigger known: no request was open" in box.run("show", "6")[0].decode())
    lacks = Box().store().store("web")
    want("trigger       not known yet, or none was looked for" in lacks.run("show", "10")[0].decode())
    want("trigger " not in box.run("show", "8")[0].decode(), "a program that is none of the web")
    want("candidates" not in box.run("show", "4")[0].decode(), "a repeat's request, said of the first")


@test
def a_program_that_hides_is_told_with_its_object_holders_and_caller():
    hidden = Box().store().store("hidden")
    row = json.loads(hidden.run("show", "10", "-o", "json")[0])
    same((row["poses"], row["exe_deleted"]), (True, True))
    same(row["object"], {"sha256": "ab" * 32, "bytes": 1258291, "copied": True})
    same((row["caller"]["pid"], row["caller"]["uid"]), (4243, 33))
    same([(one["pid"], one["uid"]) for one in row["holders"]], [(4242, 33), (4243, 33), (900, 0)])
    text = hidden.run("show", "10")[0].decode()
    for part in ("poses as      nginx: worker process, nginx: no name that its file ever had",
                 "object        sha256 %s, 1.2 MiB\n" % ("ab" * 32),
                 "copy kept in  %s/objects/%s\n" % (hidden.state, "ab" * 32),
                 "held by       3: nginx(4242) uid 33, nginx(4243) uid 33, cron(900) uid 0",
                 "made by       uid 33", "connect by    nginx(4243) uid 33"):
        want(part in text, "no", part, "in", text)
    text = hidden.store("fd").run("show", "11")[0].decode()
    want("poses as      [kworker/0:1]: no name" in text, "3 claims nothing:", text)


@test
def a_packets_comment_carries_what_was_learnt_after_it_was_written():
    path = os.path.join(box.dir, "noted.pcapng")
    box.run("show", "3", "--pcap", path)
    data = open(path, "rb").read()
    comment = data[data.index(b'{"id"'):]
    comment = json.loads(comment[:comment.rindex(b"}") + 1])
    same((comment["id"], comment["site"]), (3, SITE_OF_SHOP))
    same(comment["trigger"]["client"], "203.0.113.9")


@test
def help_words_explains_every_word_that_the_output_has():
    text = box.run("help", "words", conf=False)[0].decode()
    want(max(map(len, text.splitlines())) <= 80, text)
    for word in ("deny would-deny not-allowed forwarded queue guard unique in-flight netns no-status-page not-trusted "
                 "argv environ fpm-status vhost host pool panel user home script exact probable candidates "
                 "too-big not-asked poses object caller holders folded lost compat").split():
        want(re.search(r"^  %s +\S+ \S+" % word, text, re.M), "no sentence for", word, text)
    rows = [row for row in json.loads(box.run("list-verdicts", "-o", "json")[0])]
    for name in "verdict", "reason", "via", "owner_how", "owner_why", "script_from", "script_why":
        for word in {row[name] for row in rows} - {None}:
            want(re.search(r"^  %s +\w+" % word, text, re.M), "no sentence for", name, word)
    want("help words" in box.run("help", conf=False)[0].decode())
    watch = box.run("help", "watch", conf=False)[0].decode()
    want("in the table" not in watch and "id*" not in watch, watch)


@test
def help_explains_each_word_of_how_an_owner_is_known():
    text = box.run("help", "show", conf=False)[0].decode()
    for word in ("unique shared in-flight exited no-kernel-socket foreign-netns unknown confirmed caller given vhost "
                 "panel home exact probable candidates").split():
        want(re.search(r"^  %s +\w+ \w+" % word, text, re.M), word, text)


def pcapng_blocks(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        want(length >= 12 and length % 4 == 0 and at + length <= len(data), "bad block")
        same(struct.unpack_from("<I", data, at + length - 4)[0], length)
        yield kind, data[at + 8:at + length - 4]
        at += length


@test
def the_packet_of_a_verdict_is_written_as_pcapng_and_never_over_a_file():
    path = os.path.join(box.dir, "one.pcapng")
    _, said = box.run("show", "2", "--pcap", path)
    want("one packet written" in said, said)
    with open(path, "rb") as file:
        data = file.read()
    blocks = list(pcapng_blocks(data))
    same([kind for kind, _ in blocks], [0x0A0D0D0A, 1, 6])
    want(bytes.fromhex("cb00710a9c400019") in blocks[2][1])
    want(b'{"id":2' in blocks[2][1], blocks[2][1])
    same(os.stat(path).st_mode & 0o777, 0o600)
    _, said = box.run("show", "2", "--pcap", path, code=1)
    want("not overwritten" in said, said)
    with open(path, "rb") as file:
        same(file.read(), data)
    link = os.path.join(box.dir, "link")
    os.symlink(os.path.join(box.dir, "nowhere"), link)
    box.run("show", "2", "--pcap", link, code=1)
    want(not os.path.exists(os.path.join(box.dir, "nowhere")))
    same(box.run("show", "2", "--pcap", "-")[0], data)
    box.run("show", "2", "--pcap", "/nonexistent/x", code=1)
    box.run("show", "2", "--pcap", "-", code=1, stdout=open("/dev/full", "wb"))


@test
def a_packet_whose_evidence_is_gone_comes_from_the_store_and_that_is_said():
    gone = Box().store()
    shutil.rmtree(os.path.join(gone.state, "evidence"))
    out, said = gone.run("show", "2", "--pcap", "-")
    want("writing the store's copy of its first 40 bytes" in said, said)
    blocks = list(pcapng_blocks(out))
    want(bytes.fromhex("cb00710a9c400019") in blocks[-1][1])
    want(b'"verdict":"deny"' in blocks[-1][1])
    _, said = gone.run("show", "9", "--pcap", os.path.join(gone.dir, "x"), code=1)
    want("no byte of its packet was kept" in said, said)


@test
def an_evidence_file_that_is_a_link_or_a_pipe_is_not_followed():
    odd = Box().store()
    folder = os.path.join(odd.state, "evidence")
    name = os.listdir(folder)[0]
    os.unlink(os.path.join(folder, name))
    os.mkfifo(os.path.join(folder, name))
    _, said = odd.run("show", "2", "--pcap", "-")
    want("writing the store's copy" in said, said)
    os.unlink(os.path.join(folder, name))
    os.symlink("/etc/passwd", os.path.join(folder, name))
    out, said = odd.run("show", "2", "--pcap", "-")
    want("writing the store's copy" in said and b"root:" not in out, said)


@test
def the_status_adds_up_and_names_what_is_missing():
    text = safe(box.run("status")[0])
    want("egt-no-such-user: NO SUCH USER" in text, text)
    want(re.search(r"not running: last report \d+ (h|days) ago, from pid 999999", text), text)
    for label, count in (("seen by the kernel", 22), ("recorded", 17),
                         ("retransmits of recorded ones", 3), ("lost: seen, but not recorded", 2)):
        want(re.search(r"^  %s +%d\b" % (label, count), text, re.M), label, text)
    want("the judge does not run: nobody is named" in text, text)
    want(re.search(r"^ +2  attempts are not on record", text, re.M), text)
    want("rows 9, folded 8" in text, text)
    status = json.loads(box.run("status", "-o", "json")[0])
    same(status["schema"], "egressd.status/1")
    same(status["seen"], status["recorded_at_report"] + status["retransmits"] + status["lost"])
    same(status["folded"], status["recorded"] - status["rows"])
    same(status["judge"]["runs"], False)
    same(status["offenders"], 5)
    want(status["store"]["evidence_bytes"] > 0 and status["store"]["store_bytes"] > 0)
    same(status["mail_users"], [{"name": "root", "uid": 0}, {"name": "egt-no-such-user", "uid": None}])
    same(len(box.run("status", "-o", "jsonl")[0].splitlines()), 1)


@test
def a_judge_that_reports_and_lives_is_said_to_run():
    live = Box().store().store("report")
    text = live.run("status")[0].decode()
    want(re.search(r"running since \S+ \(pid %d\)\n +last report \d s ago" % os.getpid(), text), text)
    want("judge does not run" not in text, text)


@test
def a_missing_store_is_exit_3_and_says_what_to_do():
    for args in ["list-offenders"], ["list-verdicts"], ["show", "1"], ["status"]:
        _, said = empty.run(*args, code=3)
        want("no store at %s/egressd.db" % empty.state in said, said)
        want("state_dir" in said, said)


@test
def a_store_that_may_not_be_read_is_exit_3_and_says_so():
    if os.getuid():
        return "not root"

    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    # The program and the configuration can lie where that user may not go.
    folder = tempfile.mkdtemp(prefix="egt-cli-")
    os.chmod(folder, 0o755)
    program = shutil.copy(CTL, folder)
    os.chmod(box.dir, 0o755)
    os.chmod(box.conf, 0o644)
    done = subprocess.run([program, "-c", box.conf, "list-offenders"], preexec_fn=nobody,
                          capture_output=True, env=ENV, cwd="/")
    shutil.rmtree(folder)
    same(done.returncode, 3, done.stderr)
    want(b"no permission" in done.stderr and b"root" in done.stderr, done.stderr)
    return None


@test
def a_damaged_store_is_exit_3():
    bad = Box().store().store("damage")
    _, said = bad.run("list-offenders", code=3)
    want("egressd.db" in said, said)


@test
def list_offenders_says_by_its_exit_code_whether_there_are_some():
    box.run("list-offenders", code=5)
    same(box.run("list-offenders", "--until", "1971-01-01", code=0)[0], b"")
    same(box.run("list-offenders", "--until", "1971-01-01", "-o", "json", code=0)[0], b"[]\n")


@test
def an_empty_list_says_so_on_a_terminal_only():
    for command, what in ("list-offenders", "offenders"), ("list-verdicts", "verdicts"):
        out, code = box.terminal(80, command, "--user", "4711")
        same((out, code), (b"egressctl: no %s\n" % what.encode(), 0))
        out, _ = box.terminal(80, command, "--since", "1971-01-01", "--until", "1971-02-01T00:00:00Z")
        same(out.decode(), "egressctl: no %s since 1971-01-01T00:00:00+00:00 before "
             "1971-02-01T00:00:00+00:00\n" % what)
        same(box.terminal(80, command, "--user", "4711", "-o", "jsonl")[0], b"")
        same(box.run(command, "--user", "4711"), (b"", ""))


@test
def a_verdict_that_is_not_there_is_exit_1():
    _, said = box.run("show", "4711", code=1)
    want("there is no verdict 4711" in said, said)


@test
def a_wrong_command_line_is_exit_2_and_one_line():
    for args, part in (
            (["frob"], 'unknown command "frob"'), (["--frob"], 'unknown option "--frob"'),
            ([], "expected a command"), (["status", "x"], "one argument too many"),
            (["show"], "expected ID or --offender"), (["show", "1", "--offender", "1"], "not both"),
            (["show", "--offender", "1", "--pcap", "x"], "--pcap is for one verdict"),
            (["show", "abc"], "expected the ID of a verdict"), (["show", "0"], "expected the ID"),
            (["show", "1", "-o", "csv"], "expected table, json or jsonl"),
            (["status", "-o", "csv"], "expected table, json or jsonl"),
            (["rules", "frob"], "expected load, unload, show or check"),
            (["config", "frob"], "expected show or check"), (["help", "frob"], "unknown command"),
            (["list-verdicts", "--since", "\x1b[31mx"], 'got "\\x1b[31mx"'),
            (["list-verdicts", "--user", "egt-no-such-user"], "expected a user of this box"),
            (["list-offenders", "--columns", "rank,rank"], "twice")):
        out, said = box.run(*args, code=2, conf=False)
        same(out, b"")
        want(part in said and said.count("\n") == 1, said)


@test
def help_names_every_command_option_and_exit_code():
    text = box.run("help", conf=False)[0].decode()
    for word in ("status", "list-offenders", "list-verdicts", "show", "watch", "replay", "rules",
                 "config", "version", "help"):
        want(re.search(r"^  %s\b" % word, text, re.M), word)
        more = box.run("help", word, conf=False)[0].decode()
        want(more.startswith("Usage: egressctl "), more)
        same(box.run(word, "--help", conf=False)[0].decode(), more)
    for option in ("--since", "--until", "--user", "--sort", "--limit", "--columns", "--no-header",
                   "--utc", "--pcap", "--owners"):
        want(option in text, option)
    for code in range(6):
        want(re.search(r"^  %d  " % code, text, re.M), code)
    want(all(len(line) <= 100 for line in text.splitlines()), "too wide")
    want(re.match(r"egressctl \S+\n", box.run("version", conf=False)[0].decode()))


@test
def help_of_a_command_names_the_exit_codes_it_can_give_and_no_others():
    for args, codes in ((["version"], "012"), (["help"], "012"), (["replay"], "0124"), (["rules"], "0124"),
                        (["rules", "load"], "0124"), (["show"], "01234"), (["list-offenders"], "012345")):
        text = box.run("help", *args, conf=False)[0].decode()
        part = text.split("Exit codes:\n")[1]
        same("".join(line[2] for line in part.splitlines()), codes, args)
        want("list-offenders:" not in part, part)
    want("one row spans up to fold_s" in box.run("help", "list-verdicts", conf=False)[0].decode())
    _, said = box.run("help", "rules", "frob", code=2, conf=False)
    want('rules knows no "frob"' in said, said)
    box.run("help", "status", "load", code=2, conf=False)


@test
def config_and_output_are_taken_by_every_command_also_where_they_mean_nothing():
    for args in ["help"], ["version"], ["help", "rules", "load"]:
        box.run("-c", "/nonexistent", "-o", "json", *args, conf=False)
        box.run(*args, "-o", "csv", "-c", "/nonexistent", conf=False)
    box.run("-o", "json", "config", "check")


@test
def an_option_is_called_as_it_was_typed():
    for args, start in ((["-o", "frob", "status"], "-o: expected table"),
                        (["status", "--output", "frob"], "--output: expected table"),
                        (["-ofrob", "status"], "-o: expected table"), (["status", "-o"], "-o: expected a value"),
                        (["status", "-o", "csv"], "status: -o: expected table, json or jsonl"),
                        (["status", "--output=csv"], "status: --output: expected table, json or jsonl"),
                        (["list-verdicts", "-n", "x"], "-n: expected a number"),
                        (["list-verdicts", "--limit=x"], "--limit: expected a number"),
                        (["status", "-n", "1"], '-n means nothing to "status"')):
        _, said = box.run(*args, code=2)
        same(said[:len("egressctl: " + start)], "egressctl: " + start)


@test
def blanks_round_the_names_of_columns_are_no_error():
    for args, code in ((["list-offenders"], 5), (["list-verdicts"], 0)):
        same(box.run(*args, "--columns", " user , script", code=code)[0],
             box.run(*args, "--columns", "user,script", code=code)[0])
    box.run("list-verdicts", "--columns", "user script", code=2)
    box.run("list-verdicts", "--columns", "user, ,script", code=2)


@test
def a_wrong_configuration_is_exit_4_and_named_by_file_and_line():
    bad = os.path.join(box.dir, "bad.conf")
    with open(bad, "w") as file:
        file.write('mode = "enforce"\nqueue_num = "many"\n')
    for args in ["config", "check"], ["list-offenders"], ["status"], ["rules", "show"]:
        out, said = box.run("-c", bad, *args, code=4, conf=False)
        want(said.startswith("%s:2: queue_num: expected" % bad), said)
    box.run("-c", "/nonexistent", "status", code=4, conf=False)


@test
def config_check_wants_users_for_the_processes_that_exist_and_are_not_root():
    conf = os.path.join(box.dir, "users.conf")
    for judge, recorder, lines in (
            ("egt-no-such-user", "65530",
             ['judge_user: there is no user "egt-no-such-user": expected an existing user or a number']),
            ("65531", "root", ['recorder_user: "root" is root: expected a user without rights']),
            ("0", "egt-none", ['judge_user: "0" is root: expected a user without rights',
                               'recorder_user: there is no user "egt-none": expected an existing user or a number'])):
        with open(conf, "w") as file:
            file.write('judge_user = "%s"\nrecorder_user = "%s"\n' % (judge, recorder))
        out, said = box.run("-c", conf, "config", "check", code=4, conf=False)
        same((out, said.splitlines()), (b"", ["%s:%d: %s" % (conf, 1 + line.startswith("recorder"), line) for line in lines]))


@test
def config_check_says_first_that_there_is_no_file():
    default = "/etc/egressd/egressd.conf"
    if os.path.exists(default):
        return
    done = subprocess.run([CTL, "config", "check"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=ENV)
    same(done.stderr.decode().splitlines()[0],
         "egressctl: %s: can't be read: No such file or directory; the defaults hold" % default)


@test
def config_show_prints_what_config_check_takes():
    text = box.run("config", "show")[0]
    again = os.path.join(box.dir, "again.conf")
    with open(again, "wb") as file:
        file.write(text)
    same(box.run("config", "show", "-c", again, conf=False)[0], text)
    out, said = box.run("config", "check")
    same(out.decode(), "OK: %s\n" % box.conf)
    want('mail user "egt-no-such-user" does not exist: only the other mail users may send to '
         "ports 25, 465, 587 until it does and the rules are loaded again" in said, said)


@test
def a_full_disk_and_a_closed_pipe_are_exit_1():
    full = open("/dev/full", "wb")
    for args in ["list-offenders"], ["list-verdicts", "-o", "json"], ["show", "2"], ["status"]:
        _, said = box.run(*args, code=1, stdout=full)
        want("No space left on device" in said, said)
    box.run("help", code=1, stdout=full, conf=False)
    reader, writer = os.pipe()
    os.close(reader)
    _, said = box.run("list-verdicts", "-o", "csv", code=1, stdout=writer)
    os.close(writer)
    same(said, "")


def write_pcap(path, packets, linktype=101, cut=0):
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    for second, packet in enumerate(packets):
        data += struct.pack("<IIII", 1773142245 + second, 0, len(packet), len(packet)) + packet
    with open(path, "wb") as file:
        file.write(data[:len(data) - cut])


def syn(dst, dport, sport=40000):
    tcp = struct.pack(">HHIIBBHHH", sport, dport, sport, 0, 0x50, 2, 64240, 0, 0)
    return (struct.pack(">BBHHHBBH", 0x45, 0, 40, 1, 0x4000, 64, 6, 0) + bytes([192, 0, 2, 7]) +
            bytes(dst) + tcp)


@test
def replay_prints_the_records_and_sums_up_each_file():
    capture = os.path.join(box.dir, "a.pcap")
    owners = os.path.join(box.dir, "a.owners")
    write_pcap(capture, [syn((203, 0, 113, 1), 25), syn((203, 0, 113, 1), 25),
                         syn((203, 0, 113, 2), 587, 40001)])
    with open(owners, "w") as file:
        file.write('192.0.2.7:40000 > 203.0.113.1:25 uid=33 exe=/usr/bin/php '
                   'script="/var/www/\\x1b[31m\\x0ax.php"\n'
                   "192.0.2.7:40001 > 203.0.113.2:587 uid=0 exe=/bin/sh\n")
    out, said = box.run("replay", capture, "--owners", owners, "-o", "json")
    rows = json.loads(safe(out))
    same([(row["verdict"], row["uid"], row["dport"], row["via"]) for row in rows],
         [("deny", 33, 25, "replay"), ("allow", 0, 587, "replay")])
    same(rows[0]["script"], "/var/www/\\x1b[31m\\x0ax.php")
    want("a.pcap: frames 3, SYNs 3 (25: 2, 465: 0, 587: 1), retransmits 1, attempts 2" in said, said)
    for form in "table", "jsonl", "csv":
        out, _ = box.run("replay", capture, "--owners", owners, "-o", form)
        safe(out)
    same(len(json.loads(box.run("replay", capture, capture, "-o", "json")[0])), 4)


@test
def replay_of_several_files_names_the_file_of_each_row():
    a, b = (os.path.join(box.dir, name) for name in ("one\x1b[31m.pcap", "two.pcap"))
    write_pcap(a, [syn((203, 0, 113, 1), 25)])
    write_pcap(b, [syn((203, 0, 113, 2), 25)])
    rows = json.loads(safe(box.run("replay", a, b, "-o", "json")[0]))
    same([(row["file"], row["dst"]) for row in rows],
         [(a.replace("\x1b", "\\x1b"), "203.0.113.1"), (b, "203.0.113.2")])
    head, one, two = safe(box.run("replay", a, b)[0]).splitlines()
    want(head.startswith("FILE ") and two.startswith(b), head, two)
    want("file" not in json.loads(box.run("replay", b, "-o", "json")[0])[0])
    want("FILE" not in safe(box.run("replay", b)[0]))
    same(safe(box.run("replay", b, "--columns", "file,dport", "--no-header")[0]).split(), [b, "25"])
    box.run("list-verdicts", "--columns", "file", code=2)


@test
def replay_of_a_folder_says_in_one_line_what_it_wants():
    _, said = box.run("replay", box.dir, code=1)
    want("egressctl: %s: is a folder, expected a capture\n" % box.dir in said, said)
    same(said.count(box.dir), 1, said)
    capture = os.path.join(box.dir, "folder.pcap")
    write_pcap(capture, [syn((203, 0, 113, 1), 25)])
    _, said = box.run("replay", capture, "--owners", box.dir, code=1)
    want("egressctl: %s: is a folder, expected an owners file\n" % box.dir in said, said)


@test
def help_of_replay_shows_an_owners_line_that_replay_takes():
    text = box.run("help", "replay", conf=False)[0].decode()
    line = [line.strip() for line in text.splitlines() if line.strip().startswith("192.0.2.")]
    same(len(line), 1, text)
    owners, capture = os.path.join(box.dir, "help.owners"), os.path.join(box.dir, "help.pcap")
    with open(owners, "w") as file:
        file.write(line[0] + "\nlocal 192.0.2.7\n")
    write_pcap(capture, [syn((203, 0, 113, 1), 25)])
    row = json.loads(box.run("replay", capture, "--owners", owners, "-o", "json")[0])[0]
    want(row["uid"] == 33 and row["script"], row)
    for key in ("uid", "gid", "pid", "holder_uid", "holder_euid", "exe", "cmdline", "cwd", "script", "unit",
                "container", "comm", "how", "why", "local"):
        want(re.search(r"\b%s\b" % key, text), key, "in", text)


@test
def many_errors_of_an_owners_file_are_cut_after_20():
    owners, capture = os.path.join(box.dir, "bad20.owners"), os.path.join(box.dir, "bad20.pcap")
    write_pcap(capture, [syn((203, 0, 113, 1), 25)])
    for n, last in (20, "bad20.owners:20:"), (21, "… and 1 more"), (5000, "… and 4980 more"):
        with open(owners, "w") as file:
            file.write("nonsense\n" * n)
        _, said = box.run("replay", capture, "--owners", owners, code=1)
        lines = said.splitlines()
        lines = [line for line in lines if "mail user" not in line]
        same(len(lines), min(n, 21), said)
        want(last in lines[-1], said)


@test
def replay_refuses_what_it_cannot_read_after_what_it_can():
    good, cut, odd = (os.path.join(box.dir, name) for name in ("good.pcap", "cut.pcap", "odd.pcap"))
    write_pcap(good, [syn((203, 0, 113, 1), 25)])
    write_pcap(cut, [syn((203, 0, 113, 2), 25), syn((203, 0, 113, 3), 25)], cut=7)
    write_pcap(odd, [b"x" * 40], linktype=147)
    out, said = box.run("replay", cut, odd, "/nonexistent.pcap", good, "-o", "json", code=1)
    same([row["dst"] for row in json.loads(out)], ["203.0.113.2", "203.0.113.1"])
    lines = [line for line in said.splitlines() if line.startswith("egressctl: /")]
    same(len(lines), 4, said)
    want(lines[0].startswith("egressctl: " + cut) and lines[1].startswith("egressctl: " + odd) and
         "/nonexistent.pcap" in lines[2] and "frames 1" in lines[3], said)
    bad = os.path.join(box.dir, "bad.owners")
    with open(bad, "w") as file:
        file.write("nonsense\n")
    _, said = box.run("replay", good, "--owners", bad, code=1)
    want("bad.owners:1:" in said, said)
    box.run("replay", good, "--owners", "/nonexistent", code=1)


def start_watch(where, *args):
    return subprocess.Popen([CTL, "-c", where.conf, "watch", *args], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=ENV)


def read_lines(process, n, seconds=10):
    os.set_blocking(process.stdout.fileno(), False)
    out = b""
    end = time.monotonic() + seconds
    while out.count(b"\n") < n and time.monotonic() < end:
        out += process.stdout.read() or b""
        time.sleep(0.05)
    want(out.count(b"\n") == n, "lines:", out)
    return out


@test
def watch_shows_each_new_row_and_what_is_folded_into_it_until_interrupted():
    live = Box().store()
    process = start_watch(live)
    try:
        time.sleep(1)
        live.store("add", "7", "2")
        first, again = safe(read_lines(process, 2)).splitlines()
        want("deny" in first and "www-data" in first and "198.51.100.7:25" in first, first)
        want("198.51.100.7:25 x2 " in again, again)
        live.store("add", "8", "1")
        want("198.51.100.8:25" in safe(read_lines(process, 1)))
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=10)
        same((process.returncode, out, said), (0, b"", b""))
    finally:
        process.kill()
        process.wait()


@test
def watch_waits_for_a_store_that_is_not_there_yet():
    late = Box()
    process = start_watch(late, "-o", "jsonl")
    try:
        time.sleep(0.7)
        late.store()
        rows = [json.loads(line) for line in read_lines(process, 9).splitlines()]
        same([row["id"] for row in rows], list(range(1, 10)))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
        same(process.returncode, 0)
        same(said.count(b"\n"), 1, said)
        want(b"waiting" in said, said)
    finally:
        process.kill()
        process.wait()


@test
def watch_ends_with_exit_1_when_its_reader_goes():
    process = start_watch(box)
    try:
        time.sleep(0.5)
        process.stdout.close()
        same(process.wait(timeout=10), 1)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@test
def watch_json_is_one_array_when_it_ends():
    process = start_watch(box, "-o", "json", "--since", "2026-03-10")
    try:
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
        same((process.returncode, len(json.loads(out))), (0, 9))
    finally:
        process.kill()
        process.wait()


@test
def rules_need_root_and_say_so():
    done = subprocess.run(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                           CTL, "rules", "show"] if os.getuid() == 0 else [CTL, "rules", "show"],
                          capture_output=True, env=ENV)
    same(done.returncode, 1, done.stderr)
    want(b"rules show: needs root (CAP_NET_ADMIN)" in done.stderr, done.stderr)


@test
def rules_are_loaded_renewed_checked_and_taken_away():
    if os.getuid():
        return "not root"
    name = "egt-cli-%d" % os.getpid()
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        def rules(*args, code=0):
            done = subprocess.run(["ip", "netns", "exec", name, CTL, "-c", box.conf, *args],
                                  capture_output=True, env=ENV)
            same(done.returncode, code, (args, done.stderr))
            safe(done.stderr)
            return done.stdout.decode(), done.stderr.decode()

        want("not loaded" in rules("rules", "show", code=1)[1])
        out, said = rules("rules", "load")
        want("counters start at 0" in out, out)
        want('mail user "egt-no-such-user" does not exist' in said, said)
        want("counters were kept" in rules("rules", "load")[0])
        want("is whole" in rules("rules", "check")[0])
        want("table inet egressd" in rules("rules", "show")[0])
        want("is loaded and whole" in rules("status")[0])
        subprocess.run(["ip", "netns", "exec", name, "nft", "add", "rule", "inet", "egressd",
                        "guard", "accept"], check=True)
        out, _ = rules("rules", "check", code=1)
        want("differs" in out and "foreign" in out, out)
        want("BUT DIFFERS" in rules("status")[0])
        want("taken away" in rules("rules", "unload")[0])
        want("was not loaded" in rules("rules", "unload")[0])
        same(subprocess.run(["ip", "netns", "exec", name, "nft", "list", "ruleset"],
                            capture_output=True).stdout, b"")
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
    return None


def main():
    failed = 0
    print("1..%d" % len(tests))
    try:
        box.store()
        for number, function in enumerate(tests, 1):
            name = function.__name__.replace("_", " ")
            try:
                skipped = function()
                print("ok %d - %s%s" % (number, name, " # SKIP " + skipped if skipped else ""))
            except Exception as error:  # a test that dies has failed, the others go on
                failed += 1
                print("not ok %d - %s" % (number, name))
                for line in ("%s: %s" % (type(error).__name__, error)).splitlines():
                    print("# " + line.encode("unicode_escape").decode()[:1500])
            sys.stdout.flush()
    finally:
        for one in Box.all:
            shutil.rmtree(one.dir)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
