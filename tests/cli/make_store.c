/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make_store DIR: begins a store in DIR as the recorder would, with honest and hostile records,
 * their evidence, what was learnt of them, and a report of the judge. make_store DIR hidden: adds
 * one of a program that hides; fd: of one that was executed by descriptor; web: of a php-fpm
 * worker. make_store DIR add N TIMES: adds a row whose destination ends in N, then repeats of it,
 * each committed 0.6 s after the one before. make_store DIR report: a report of a judge that runs
 * now (its pid is the caller's). make_store DIR damage: writes over the store.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/store.h"

#define T0_NS	  (1773142245LL * 1000000000LL + 123456789) /* 2026-03-10T11:30:45Z */
#define SECOND_NS 1000000000LL
#define HOSTILE                                                                                    \
	"x\n\r\t\x1b[31m\x1b]0;owned\x07\x7f\xc2\x9b\xff\xc0\x80\xe2\x80\xae\xef\xbb\xbf\"',"      \
	"\\\xc3\xa9"

static struct config config;
static struct evidence *evidence;
static int64_t last_row; /* that the last record went to */
static bool last_fresh;

static void die(const char *what, int error)
{
	fprintf(stderr, "make_store: %s: %s\n", what, strerror(-error));
	exit(1);
}

static void removed(void *context, const char *file)
{
	(void)context;
	(void)file;
}

/* A SYN from 192.0.2.7 (20 bytes of IPv4, 20 of TCP), as the queue gives it. */
static void make_packet(struct record *record)
{
	static const uint8_t head[40] = {
		0x45, 0, 0, 40, 0x12, 0x34, 0x40, 0,	64, 6, 0,    0,	   192,	 0,
		2,    7, 0, 0,	0,    0,    0,	  0,	0,  0, 0xde, 0xad, 0xbe, 0xef,
		0,    0, 0, 0,	0x50, 2,    0xfa, 0xf0, 0,  0, 0,    0,
	};

	memcpy(record->excerpt, head, sizeof(head));
	memcpy(record->excerpt + 16, record->flow.dst, 4);
	record->excerpt[20] = (uint8_t)(record->flow.sport >> 8);
	record->excerpt[21] = (uint8_t)record->flow.sport;
	record->excerpt[22] = (uint8_t)(record->flow.dport >> 8);
	record->excerpt[23] = (uint8_t)record->flow.dport;
	record->excerpt_bytes = sizeof(head);
	record->packet_bytes = sizeof(head);
}

static struct record *new_record(int64_t ts_ns, uint32_t uid, const char *dst, uint16_t dport)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record)
		die("memory", -ENOMEM);
	record->ts_ns = ts_ns;
	record->via = VIA_QUEUE;
	record->mode = MODE_ENFORCE;
	record->verdict = VERDICT_DENY;
	record->reason = REASON_NOT_ALLOWED;
	strcpy(record->rule, "default");
	record->has_uid = true;
	record->uid = record->gid = uid;
	owner_init(&record->owner);
	record->flow.family = AF_INET;
	record->flow.protocol = IPPROTO_TCP;
	record->flow.tcp_flags = FLOW_TCP_SYN;
	record->flow.has_ports = true;
	record->flow.sport = 40000;
	record->flow.dport = dport;
	inet_pton(AF_INET, "192.0.2.7", record->flow.src);
	if (inet_pton(AF_INET, dst, record->flow.dst) != 1)
		die(dst, -EINVAL);
	make_packet(record);
	return record;
}

static void make_process(struct record *record, const char *comm, const char *exe,
			 const char *script)
{
	struct owner *owner = &record->owner;

	owner->how = OWNER_UNIQUE;
	owner->has_socket = true;
	owner->socket_uid = record->uid;
	owner->inode = 123456;
	owner->cookie = 789;
	owner->proc.pid = 4242;
	owner->proc.uid = owner->euid = record->uid;
	owner->gid = record->gid;
	owner->proc.start_ticks = 99;
	owner->start_ns = T0_NS - 3600 * SECOND_NS;
	snprintf(owner->proc.comm, sizeof(owner->proc.comm), "%s", comm);
	snprintf(owner->exe, sizeof(owner->exe), "%s", exe);
	snprintf(owner->script, sizeof(owner->script), "%s", script);
	owner->script_from = *script ? OWNER_SCRIPT_ARGV : OWNER_SCRIPT_NONE;
	owner->n_holders = 1;
	owner->holders[0] = owner->proc;
}

static void add(struct store *store, struct record *record, const char *user)
{
	struct store_row row = { 0 };
	struct evidence_packet packet = {
		.ts_ns = record->ts_ns,
		.bytes = record->excerpt,
		.len = record->excerpt_bytes,
		.packet_bytes = record->packet_bytes,
	};
	const char *file;
	char comment[64];
	uint64_t offset;
	int error = store_add(store, record, user, &row);

	if (error)
		die("store_add", error);
	last_row = row.id;
	last_fresh = row.fresh;
	snprintf(comment, sizeof(comment), "{\"id\":%lld,\"user\":\"%s\"}", (long long)row.id,
		 user ? "named" : "none");
	packet.comment = comment;
	packet.offender = row.offender;
	if (row.fresh && evidence && record->excerpt_bytes &&
	    !evidence_add(evidence, &packet, &file, &offset)) {
		error = store_set_evidence(store, row.id, file, offset);
		if (error)
			die("store_set_evidence", error);
	}
	free(record);
}

/* What the witness would have learnt of the last record. */
static void note(struct store *store, uint32_t parts, const char *vhost, enum note_match match,
		 const char *method, const char *uri, const char *client)
{
	struct note *learnt = calloc(1, sizeof(*learnt));
	int64_t group = 0, offender;
	int got;

	if (!learnt)
		die("memory", -ENOMEM);
	learnt->ts_ns = T0_NS + SECOND_NS;
	learnt->parts = parts;
	learnt->site.from = *vhost ? SITE_FROM_VHOST : SITE_FROM_HOME;
	strcpy(learnt->site.account, *vhost ? "shop" : "alice");
	snprintf(learnt->site.vhost, sizeof(learnt->site.vhost), "%s", vhost);
	snprintf(learnt->site.root, sizeof(learnt->site.root),
		 *vhost ? "/var/www/%s" : "/home/alice%s", vhost);
	strcpy(learnt->site.source, *vhost ? "/etc/nginx/sites-enabled/shop:12" : "/etc/passwd:31");
	learnt->trigger.match = match;
	learnt->trigger.n = match == MATCH_CANDIDATES ? 3 : 1;
	snprintf(learnt->trigger.method, sizeof(learnt->trigger.method), "%s", method);
	snprintf(learnt->trigger.uri, sizeof(learnt->trigger.uri), "%s", uri);
	snprintf(learnt->trigger.client, sizeof(learnt->trigger.client), "%s", client);
	snprintf(learnt->trigger.vhost, sizeof(learnt->trigger.vhost), "%s", vhost);
	learnt->trigger.status = 200;
	learnt->trigger.ts_ns = T0_NS;
	strcpy(learnt->trigger.log, "/var/log/nginx/shop.access.log");
	learnt->object.has_digest = learnt->object.has_copy = true;
	memset(learnt->object.sha256, 0xab, sizeof(learnt->object.sha256));
	learnt->object.bytes = 1258291;
	got = store_note(store, last_row, last_fresh, learnt, &group, &offender);
	if (got != 1)
		die("store_note", got ? got : -ENOENT);
	free(learnt);
}

static void add_honest(struct store *store)
{
	struct record *record = new_record(T0_NS, 102, "198.51.100.25", 25);

	record->via = VIA_MAIL;
	record->verdict = VERDICT_ALLOW;
	record->reason = REASON_MAIL_SERVER;
	strcpy(record->rule, "mail-users");
	make_process(record, "smtp", "/usr/lib/postfix/sbin/smtp", "");
	strcpy(record->owner.unit, "postfix@-.service");
	add(store, record, "postfix");

	for (int i = 0; i < 12; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "203.0.113.%d", 10 + i % 4);
		record = new_record(T0_NS + (i + 1) * SECOND_NS, 33, dst, i % 4 == 3 ? 587 : 25);
		make_process(record, "php-fpm8.2", "/usr/sbin/php-fpm8.2",
			     "/var/www/shop.example/wp-content/uploads/2026/11/cache.php");
		record->owner.script_from = OWNER_SCRIPT_FPM_STATUS;
		memcpy(record->owner.cmdline, "php-fpm: pool www", 18);
		record->owner.cmdline_bytes = 18;
		strcpy(record->owner.cwd, "/var/www/shop.example");
		strcpy(record->owner.unit, "php8.2-fpm.service");
		strcpy(record->owner.request_method, "POST");
		strcpy(record->owner.request_uri, "/wp-content/uploads/2026/11/cache.php?run=1");
		strcpy(record->owner.request_host, "shop.example");
		strcpy(record->owner.request_client, "192.0.2.99");
		record->owner.n_parents = 2;
		record->owner.parents[0] = (struct owner_ref){ 812, 0, 50, "php-fpm8.2" };
		record->owner.parents[1] = (struct owner_ref){ 1, 0, 1, "systemd" };
		add(store, record, "www-data");
		if (i < 7)
			note(store, NOTE_SITE | NOTE_TRIGGER, "shop.example",
			     i == 6 ? MATCH_CANDIDATES : MATCH_PROBABLE, "POST",
			     "/wp-content/uploads/2026/11/cache.php?run=1",
			     i % 3 ? "203.0.113.9" : "203.0.113.200");
	}
	record = new_record(T0_NS + 20 * SECOND_NS, 1001, "203.0.113.77", 25);
	make_process(record, "perl", "/usr/bin/perl", "/home/alice/bin/newsletter.pl");
	memcpy(record->owner.cmdline, "perl\0bin/newsletter.pl\0--to all", 32);
	record->owner.cmdline_bytes = 32;
	strcpy(record->owner.unit, "cron.service");
	add(store, record, "alice");
	note(store, NOTE_SITE | NOTE_TRIGGER, "", MATCH_NONE, "", "", "");
}

static void fill(char *text, size_t size, const char *with)
{
	size_t len = strlen(with), at;

	for (at = 0; at + len < size; at += len)
		memcpy(text + at, with, len);
	memset(text + at, 'z', size - 1 - at);
	text[size - 1] = '\0';
}

static void add_hostile(struct store *store)
{
	struct record *record = new_record(T0_NS + 30 * SECOND_NS, 1002, "203.0.113.80", 465);
	struct owner *owner = &record->owner;

	make_process(record, "e\x1b[2J\nvil", "/usr/bin/" HOSTILE, "/home/" HOSTILE "/\n.php");
	fill(owner->cwd, sizeof(owner->cwd), "\x1b[31m/");
	fill(owner->unit, sizeof(owner->unit), "\xe2\x80\xae");
	fill(owner->container, sizeof(owner->container), "\x9b");
	fill(owner->request_uri, sizeof(owner->request_uri), HOSTILE);
	strcpy(owner->request_host, HOSTILE);
	strcpy(owner->request_client, HOSTILE);
	strcpy(owner->request_method, "=1+1\x1b");
	fill(owner->cmdline, sizeof(owner->cmdline), HOSTILE);
	owner->cmdline_bytes = sizeof(owner->cmdline) - 1;
	owner->cut = 0x7f;
	owner->exe_deleted = true;
	owner->n_parents = 1;
	owner->parents[0] = (struct owner_ref){ 7, 0, 1, "p\x1b[H\n\xff" };
	record->owner.poses = true;
	record->owner.caller = (struct owner_ref){ 8, 1002, 1, "c\x1b[2J\n\xff" };
	add(store, record, HOSTILE);
	note(store, NOTE_SITE | NOTE_TRIGGER | NOTE_OBJECT, HOSTILE, MATCH_EXACT, "\x1bP", HOSTILE,
	     HOSTILE);

	record = new_record(T0_NS + 31 * SECOND_NS, 1003, "203.0.113.81", 25);
	make_process(record, "f", "=HYPERLINK(\"http://x\")", "");
	add(store, record, "=cmd");

	/* Nobody: no uid, no ports, no packet. */
	record = new_record(T0_NS + 32 * SECOND_NS, 0, "203.0.113.82", 25);
	record->has_uid = false;
	record->reason = REASON_FRAGMENT;
	record->via = VIA_GUARD;
	record->flow_error = FLOW_FRAGMENT;
	record->flow.has_ports = false;
	record->excerpt_bytes = 0;
	record->owner.why = OWNER_WHY_REFUSED_FIRST;
	add(store, record, NULL);
}

static void add_report(struct store *store, int64_t ts_ns, int32_t pid)
{
	struct wire_status status = {
		.ts_ns = ts_ns,
		.started_ns = ts_ns - 86400 * SECOND_NS,
		.judge_pid = pid,
		.queue_form = RULESET_QUEUE_NATIVE,
		.mode = MODE_ENFORCE,
		.n_mail_uids = 1,
		.rules_whole = 1,
	};
	uint64_t *value = status.stats.value;
	int error;

	strcpy(status.stats.judge_epoch, "judge");
	strcpy(status.stats.kernel_epoch, "kernel");
	value[STAT_QUEUED] = 18;
	value[STAT_DENIED] = 18;
	value[STAT_RETRANSMITS] = 3;
	value[STAT_COPIES_MAIL] = 1;
	value[STAT_SENT] = 17;
	value[STAT_LOST_COPIES] = 2;
	value[STAT_OWNER_NAMED] = 16;
	value[STAT_OWNER_UNKNOWN] = 1;
	value[STAT_KERNEL_FIRST + RULESET_MAIL] = 1;
	value[STAT_KERNEL_FIRST + RULESET_HELD] = 18;
	value[STAT_KERNEL_FIRST + RULESET_BY_AGENT] = 18;
	value[STAT_KERNEL_FIRST + RULESET_FRAGMENT] = 3;
	error = store_add_status(store, &status);
	if (error)
		die("store_add_status", error);
}

/* A program that hides: deleted, with another's title, its socket in three hands. */
static void add_hidden(struct store *store)
{
	struct record *record = new_record(T0_NS + 25 * SECOND_NS, 33, "203.0.113.90", 25);

	make_process(record, "nginx", "/dev/shm/.x/kworker", "");
	record->owner.how = OWNER_SHARED;
	record->owner.exe_deleted = true;
	record->owner.poses = true;
	memcpy(record->owner.cmdline, "nginx: worker process", 22);
	record->owner.cmdline_bytes = 22;
	record->owner.n_holders = 3;
	record->owner.holders[1] = (struct owner_ref){ 4243, 33, 100, "nginx" };
	record->owner.holders[2] = (struct owner_ref){ 900, 0, 60, "cron" };
	record->owner.caller = record->owner.holders[1];
	add(store, record, "www-data");
	note(store, NOTE_OBJECT, "", MATCH_NONE, "", "", "");
}

/* Executed by descriptor, with the title of a thread of the kernel. */
static void add_by_descriptor(struct store *store)
{
	struct record *record = new_record(T0_NS + 26 * SECOND_NS, 33, "203.0.113.91", 25);

	make_process(record, "3", "/memfd:x", "");
	record->owner.exe_memfd = record->owner.poses = true;
	memcpy(record->owner.cmdline, "[kworker/0:1]", 14);
	record->owner.cmdline_bytes = 14;
	add(store, record, "www-data");
}

/* A worker whose request nobody has noted. */
static void add_web(struct store *store)
{
	struct record *record = new_record(T0_NS + 27 * SECOND_NS, 33, "203.0.113.92", 25);

	make_process(record, "php-fpm8.2", "/usr/sbin/php-fpm8.2", "");
	record->owner.script_why = OWNER_WHY_NO_STATUS_PAGE;
	add(store, record, "www-data");
}

static void add_numbered(struct store *store, const char *number)
{
	char dst[32];
	struct timespec now;
	struct record *record;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(dst, sizeof(dst), "198.51.100.%s", number);
	record = new_record(now.tv_sec * SECOND_NS + now.tv_nsec, 33, dst, 25);
	make_process(record, "php", "/usr/bin/php8.2", "/var/www/" HOSTILE ".php");
	add(store, record, "www-data");
}

static void write_over(void)
{
	static const char noise[4096] = "this is no database";
	int fd = open(STORE_FILE, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, noise, sizeof(noise)) != sizeof(noise) || close(fd))
		die(STORE_FILE, -errno);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[2] : "begin";
	struct timespec now;
	struct store *store = NULL;
	char *what = NULL;
	int dir, error;

	if (argc < 2 || chdir(argv[1]))
		die(argc < 2 ? "expected DIR" : argv[1], argc < 2 ? -EINVAL : -errno);
	if (!strcmp(verb, "damage")) {
		write_over();
		return 0;
	}
	config_defaults(&config);
	error = store_create(&store, &config, &what);
	if (error)
		die("store_create", error);
	mkdir("evidence", 0750);
	dir = open("evidence", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	error = evidence_open(&evidence, dir, &config, removed, NULL);
	if (error)
		die("evidence_open", error);
	error = store_begin(store);
	if (error)
		die("store_begin", error);
	clock_gettime(CLOCK_REALTIME, &now);
	if (!strcmp(verb, "begin")) {
		add_honest(store);
		add_hostile(store);
		add_report(store, T0_NS + 60 * SECOND_NS, 999999);
	} else if (!strcmp(verb, "hidden")) {
		add_hidden(store);
	} else if (!strcmp(verb, "fd")) {
		add_by_descriptor(store);
	} else if (!strcmp(verb, "web")) {
		add_web(store);
	} else if (!strcmp(verb, "report")) {
		add_report(store, now.tv_sec * SECOND_NS, getppid());
	} else if (!strcmp(verb, "add") && argc > 4) {
		add_numbered(store, argv[3]);
		for (int i = 1; i < atoi(argv[4]); i++) {
			error = store_commit(store);
			usleep(600000);
			if (!error)
				error = store_begin(store);
			if (error)
				die("store_commit", error);
			add_numbered(store, argv[3]);
		}
	} else {
		die(verb, -EINVAL);
	}
	store_set_evidence_bytes(store, evidence_bytes(evidence));
	error = store_commit(store);
	if (error)
		die("store_commit", error);
	evidence_free(evidence);
	close(dir);
	store_free(store);
	return 0;
}
