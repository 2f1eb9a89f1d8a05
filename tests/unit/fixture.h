/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records, configs and folders for the tests of the recorder's parts. The words of other parts
 * stand here only while those parts are not in the tree.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/note.h"
#include "agent/record.h"

#define T0_NS 1700000000000000000LL /* 2023-11-14T22:13:20Z */
#define NS_PER_S 1000000000LL

static inline void fixture_config(struct config *config)
{
	memset(config, 0, sizeof(*config));
	config->fold_s = 300;
	config->rows_per_offender = 1000;
	config->commit_ms = 20;
	config->keep_days = 90;
	config->store_bytes = 1ULL << 30;
	config->evidence = true;
	config->evidence_file_bytes = 16 << 20;
	config->evidence_offender_bytes = 1 << 20;
	config->evidence_total_bytes = 256 << 20;
	config->excerpt_bytes = 256;
	config->journal_s = 60;
}

/* A PHP page of uid 33 that was refused at 192.0.2.1:25. */
static inline void fixture_record(struct record *record)
{
	static const uint8_t syn[40] = { 0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 5,
					 192, 0, 2, 1, 0xc0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 0,
					 0x50, 2, 0xfa, 0xf0 };
	struct owner *owner = &record->owner;

	memset(record, 0, sizeof(*record));
	record->ts_ns = T0_NS;
	record->verdict = VERDICT_DENY;
	record->reason = REASON_NOT_ALLOWED;
	strcpy(record->rule, "default");
	record->has_uid = true;
	record->uid = record->gid = 33;
	record->flow.family = AF_INET;
	record->flow.protocol = IPPROTO_TCP;
	memcpy(record->flow.src, syn + 12, 4);
	memcpy(record->flow.dst, syn + 16, 4);
	record->flow.sport = 49152;
	record->flow.dport = 25;
	record->flow.has_ports = true;
	record->flow.tcp_flags = FLOW_TCP_SYN;
	record->flow.payload_offset = 40;
	owner->how = OWNER_CONFIRMED;
	owner->script_from = OWNER_SCRIPT_FPM_STATUS;
	owner->has_socket = true;
	owner->socket_uid = 33;
	owner->inode = 4711;
	owner->cookie = 77;
	owner->cgroup_id = 1234;
	owner->proc = (struct owner_ref){ .pid = 812, .uid = 33, .start_ticks = 99, .comm = "php-fpm8.2" };
	owner->euid = owner->gid = 33;
	owner->login_uid = OWNER_UID_NONE;
	owner->start_ns = T0_NS - NS_PER_S;
	strcpy(owner->exe, "/usr/sbin/php-fpm8.2");
	memcpy(owner->cmdline, "php-fpm: pool www", 18);
	owner->cmdline_bytes = 18;
	strcpy(owner->cwd, "/var/www/shop/cache");
	strcpy(owner->script, "/var/www/shop/cache/x.php");
	strcpy(owner->unit, "php8.2-fpm.service");
	strcpy(owner->request_method, "POST");
	strcpy(owner->request_uri, "/cache/x.php?a=1");
	strcpy(owner->request_host, "shop.example");
	strcpy(owner->request_client, "203.0.113.9");
	owner->parents[0] = (struct owner_ref){ .pid = 800, .comm = "php-fpm8.2" };
	owner->n_parents = 1;
	owner->holders[0] = owner->proc;
	owner->n_holders = 1;
	record->excerpt_bytes = record->packet_bytes = sizeof(syn);
	memcpy(record->excerpt, syn, sizeof(syn));
}

/* What the witness learnt of record `id`: all three parts. */
static inline void fixture_note(struct note *note, uint64_t id)
{
	memset(note, 0, sizeof(*note));
	note->id = id;
	note->ts_ns = T0_NS + NS_PER_S / 10;
	note->parts = NOTE_SITE | NOTE_TRIGGER | NOTE_OBJECT;
	note->site.from = SITE_FROM_VHOST;
	strcpy(note->site.account, "shopuser");
	strcpy(note->site.vhost, "shop.example");
	strcpy(note->site.root, "/var/www/shop");
	strcpy(note->site.source, "/etc/nginx/sites-enabled/shop:12");
	note->trigger.match = MATCH_PROBABLE;
	note->trigger.n = 1;
	strcpy(note->trigger.method, "POST");
	strcpy(note->trigger.uri, "/wp-content/uploads/x.php");
	strcpy(note->trigger.client, "203.0.113.9");
	strcpy(note->trigger.vhost, "shop.example");
	note->trigger.status = 200;
	note->trigger.ts_ns = T0_NS;
	strcpy(note->trigger.log, "/var/log/nginx/shop.access.log");
	note->object.has_digest = note->object.has_copy = true;
	memset(note->object.sha256, 0xab, sizeof(note->object.sha256));
	note->object.bytes = 1258291;
}

static inline void fixture_dst(struct record *record, uint32_t address)
{
	address = htonl(address);
	memcpy(record->flow.dst, &address, 4);
	memcpy(record->excerpt + 16, &address, 4);
}

static inline int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* cmocka set-up: a folder of its own, and the working directory in it. */
static inline int fixture_enter(void **state)
{
	char path[] = "/tmp/egressd-test-XXXXXX";

	if (!mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return *state ? 0 : -1;
}

static inline int fixture_leave(void **state)
{
	int got = chdir(*state);

	umount2("disk", MNT_DETACH); /* where a test failed before it did */
	got |= chdir("/");
	got |= nftw(*state, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return got;
}

#endif
