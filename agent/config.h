/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: libconfuse text to a plain struct. Every key, its unit and default is
 * documented in deploy/egressd.conf, which is the default configuration word for word (a test
 * compares them).
 *
 * Errors come as one line each, `file:line: key: what was expected`, through a callback; nothing
 * here logs or exits. Users are looked up (getpwnam_r) by config_resolve_users(), not by the
 * parser.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy.h"

#ifndef EGRESSD_SYSCONFDIR /* the build's SYSCONFDIR */
#define EGRESSD_SYSCONFDIR "/etc"
#endif
#define CONFIG_DEFAULT_FILE   EGRESSD_SYSCONFDIR "/egressd/egressd.conf"
#define CONFIG_UNLOADED_FILE  "rules-unloaded" /* in state_dir: an admin took the rules away */
#define CONFIG_PATH_BYTES     1024
#define CONFIG_NAME_BYTES     64
#define CONFIG_MAIL_USERS_MAX POLICY_MAIL_UIDS_MAX

struct config {
	/* policy */
	enum policy_mode mode;					   /* mode = "enforce" */
	char mail_users[CONFIG_MAIL_USERS_MAX][CONFIG_NAME_BYTES]; /* mail_users = {"postfix"} */
	unsigned n_mail_users;
	uint16_t ports[POLICY_PORTS_MAX]; /* ports = {25, 465, 587} */
	unsigned n_ports;

	/* rule set */
	char table[CONFIG_NAME_BYTES]; /* table = "egressd": [A-Za-z_][A-Za-z0-9_]* */
	uint32_t mark_mask;	       /* mark_mask = 0x00f00000 */
	uint32_t mark_allow;	       /* mark_allow = 0x00a00000: within the mask, not 0 */
	uint32_t mark_deny;	       /* mark_deny = 0x00d00000: within the mask, not 0, other */
	char nft_program[CONFIG_PATH_BYTES]; /* nft_program = "/usr/sbin/nft" */
	char rules_file[CONFIG_PATH_BYTES];  /* rules_file = "": the copy built in */

	/* queue and copies */
	uint16_t queue_num;    /* queue_num = 2525 */
	uint32_t queue_len;    /* queue_len = 16384: packets */
	uint32_t rcvbuf_bytes; /* rcvbuf_bytes = 16777216: of each netlink socket */
	bool fail_open;	       /* fail_open = true: a full queue goes to the guard, not to waste */
	uint16_t nflog_group;  /* nflog_group = 25: refused; +1: mail server; +2: local */
	uint32_t hot_rate;     /* hot_rate = 100: attempts of one user a second; 0: no limit */
	uint32_t hot_burst;    /* hot_burst = 300: and at once, after a rest */

	/* owner */
	uint32_t lookup_fds; /* lookup_fds = 64: descriptors read while a packet is held */
	uint32_t lookup_ms;  /* lookup_ms = 100: time while a packet is held */
	uint32_t
		lookup_after_ms; /* lookup_after_ms = 20: time after the verdict, for each packet */
	uint32_t script_ms;	 /* script_ms = 20: for php-fpm's status page; 0: never ask */

	/* site and trigger */
	bool witness;		 /* witness = true: say the site and the request behind a refusal */
	uint32_t trigger_wait_s; /* trigger_wait_s = 120: for a log's line; 0: no triggers */
	char server_status[CONFIG_PATH_BYTES]; /* server_status = "http://127.0.0.1/server-status":
						* apache's, on the loopback; "": not asked */

	bool containers; /* containers = false: run egressd-enter, which names their processes */

	/* processes */
	char judge_user[CONFIG_NAME_BYTES];    /* judge_user = "egressd-judge"; name or number */
	char recorder_user[CONFIG_NAME_BYTES]; /* recorder_user = "egressd"; name or number */
	char state_dir[CONFIG_PATH_BYTES];     /* state_dir = "/var/lib/egressd" */
	uint32_t channel_bytes;		       /* channel_bytes = 33554432: judge to recorder */

	/* recorder */
	uint32_t fold_s;	    /* fold_s = 300: repeats within it are one row with a count */
	uint32_t rows_per_offender; /* rows_per_offender = 1000: within one fold_s */
	uint32_t commit_ms;	    /* commit_ms = 100: the longest a record waits for its commit */
	uint32_t keep_days;	    /* keep_days = 90: verdicts older than this are removed */
	uint64_t store_bytes;	    /* store_bytes = 1073741824: oldest verdicts go above it */
	bool evidence;		    /* evidence = true */
	uint64_t evidence_file_bytes;	  /* evidence_file_bytes = 16777216 */
	uint64_t evidence_offender_bytes; /* evidence_offender_bytes = 1048576, per file */
	uint64_t evidence_total_bytes;	  /* evidence_total_bytes = 268435456: oldest file goes */
	uint64_t object_bytes;	/* object_bytes = 16777216: of one suspicious program's copy */
	uint64_t objects_bytes; /* objects_bytes = 268435456: of all copies */
	uint32_t excerpt_bytes;		  /* excerpt_bytes = 256: of each packet, at most 512 */
	char journal_socket[CONFIG_PATH_BYTES]; /* journal_socket = "/run/systemd/journal/socket";
						 * "": no journal */
	uint32_t journal_s; /* journal_s = 60: at most one line per offender in it */
};

/* One line for a human, without newline. */
typedef void (*config_error_fn)(void *context, const char *line);

void config_defaults(struct config *config);

/* Parses text (NUL-terminated) over *config; `file` is only its name for messages. 0 or -EINVAL
 * after at least one error line. *config is untouched on failure. */
int config_parse(struct config *config, const char *file, const char *text, config_error_fn error,
		 void *context);

/* Defaults, then FILE, then the files of conf.d beside it (DIR/conf.d/?*.conf) in the order of
 * their names. A key stands once in a file; that of a later file replaces an earlier one's. 0,
 * -EINVAL, or -errno of a file that can't be read (also said as an error line). */
int config_load(struct config *config, const char *file, config_error_fn error, void *context);

/* config -> policy. Users that don't exist are named one line each through `error` and left out:
 * fewer may send, never more. Returns how many are missing. */
int config_policy(const struct config *config, struct policy *policy, config_error_fn error,
		  void *context);

/* A user by name or decimal number to uid and gid; -ENOENT if there is no such name. A number
 * without a passwd entry has gid = uid. */
int config_user(const char *name, uid_t *uid, gid_t *gid);

/* The effective configuration as text that config_parse() reads back to the same struct;
 * malloc'd. */
char *config_text(const struct config *config);

/* The first key that differs and can't change while egressd runs, or NULL. */
const char *config_needs_restart(const struct config *old, const struct config *new);

#endif
