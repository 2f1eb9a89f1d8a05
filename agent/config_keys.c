/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keys there are, their limits and their defaults. deploy/egressd.conf says the same in words;
 * a test holds the two together.
 */
#include "config_keys.h"

#define AT(field) offsetof(struct config, field)
#define KIB	  (1ULL << 10)
#define MIB	  (1ULL << 20)
#define GIB	  (1ULL << 30)
#define TIB	  (1ULL << 40)

/* Where a limit is not the field's own: queue_len, the kernel allocates nothing ahead, but a
 * stopped agent keeps that many packets; rcvbuf_bytes, an int in the kernel, doubled
 * (net/core/sock.c); channel_bytes, at least eight of the largest messages; journal_socket,
 * sun_path of unix(7). */
const struct config_key config_keys[] = {
	{ "mode", CONFIG_MODE, AT(mode) },
	{ "mail_users", CONFIG_USERS, AT(mail_users) },
	{ "ports", CONFIG_PORTS, AT(ports), 1, UINT16_MAX },

	{ "table", CONFIG_IDENTIFIER, AT(table) },
	{ "mark_mask", CONFIG_MARK, AT(mark_mask), 1, UINT32_MAX },
	{ "mark_allow", CONFIG_MARK, AT(mark_allow), 1, UINT32_MAX },
	{ "mark_deny", CONFIG_MARK, AT(mark_deny), 1, UINT32_MAX },
	{ "nft_program", CONFIG_PATH, AT(nft_program) },
	{ "rules_file", CONFIG_PATH_OR_EMPTY, AT(rules_file) },

	{ "queue_num", CONFIG_U16, AT(queue_num), 0, UINT16_MAX },
	{ "queue_len", CONFIG_U32, AT(queue_len), 1, 1048576, "packets" },
	{ "rcvbuf_bytes", CONFIG_U32, AT(rcvbuf_bytes), 64 * KIB, GIB - 1, "bytes" },
	{ "fail_open", CONFIG_BOOL, AT(fail_open) },
	{ "nflog_group", CONFIG_U16, AT(nflog_group), 0, UINT16_MAX - 2 },
	{ "hot_rate", CONFIG_U32, AT(hot_rate), 0, 1000000, "attempts" },
	{ "hot_burst", CONFIG_U32, AT(hot_burst), 1, 1000000, "attempts" },

	{ "lookup_fds", CONFIG_U32, AT(lookup_fds), 1, 65536, "descriptors" },
	{ "lookup_ms", CONFIG_U32, AT(lookup_ms), 1, 1000, "ms" },
	{ "lookup_after_ms", CONFIG_U32, AT(lookup_after_ms), 0, 1000, "ms" },
	{ "script_ms", CONFIG_U32, AT(script_ms), 0, 1000, "ms" },
	{ "containers", CONFIG_BOOL, AT(containers) },

	{ "witness", CONFIG_BOOL, AT(witness) },
	{ "trigger_wait_s", CONFIG_U32, AT(trigger_wait_s), 0, 3600, "s" },
	{ "server_status", CONFIG_PAGE_OR_EMPTY, AT(server_status) },

	{ "judge_user", CONFIG_USER, AT(judge_user) },
	{ "recorder_user", CONFIG_USER, AT(recorder_user) },
	{ "state_dir", CONFIG_PATH, AT(state_dir) },
	{ "channel_bytes", CONFIG_U32, AT(channel_bytes), 256 * KIB, GIB - 1, "bytes" },

	{ "fold_s", CONFIG_U32, AT(fold_s), 1, 86400, "s" },
	{ "rows_per_offender", CONFIG_U32, AT(rows_per_offender), 1, 1000000, "rows" },
	{ "commit_ms", CONFIG_U32, AT(commit_ms), 1, 10000, "ms" },
	{ "keep_days", CONFIG_U32, AT(keep_days), 1, 36500, "days" },
	{ "store_bytes", CONFIG_U64, AT(store_bytes), 64 * KIB, 1024 * TIB, "bytes" },
	{ "evidence", CONFIG_BOOL, AT(evidence) },
	{ "evidence_file_bytes", CONFIG_U64, AT(evidence_file_bytes), 4 * KIB, TIB, "bytes" },
	{ "evidence_offender_bytes", CONFIG_U64, AT(evidence_offender_bytes), KIB, TIB, "bytes" },
	{ "evidence_total_bytes", CONFIG_U64, AT(evidence_total_bytes), 4 * KIB, 1024 * TIB,
	  "bytes" },
	{ "object_bytes", CONFIG_U64, AT(object_bytes), 4 * KIB, GIB, "bytes" },
	{ "objects_bytes", CONFIG_U64, AT(objects_bytes), 4 * KIB, 1024 * TIB, "bytes" },
	{ "excerpt_bytes", CONFIG_U32, AT(excerpt_bytes), 40, 512, "bytes" },
	{ "journal_socket", CONFIG_SOCKET_OR_EMPTY, AT(journal_socket) },
	{ "journal_s", CONFIG_U32, AT(journal_s), 0, 86400, "s" },
};
const unsigned config_keys_n = sizeof(config_keys) / sizeof(config_keys[0]);

void config_defaults(struct config *config)
{
	*config = (struct config){
		.mode = MODE_ENFORCE,
		.mail_users = { "postfix" },
		.n_mail_users = 1,
		.ports = { 25, 465, 587 },
		.n_ports = 3,

		.table = "egressd",
		.mark_mask = 0x00f00000,
		.mark_allow = 0x00a00000,
		.mark_deny = 0x00d00000,
		.nft_program = "/usr/sbin/nft",
		.rules_file = "",

		.queue_num = 2525,
		.queue_len = 16384,
		.rcvbuf_bytes = 16 * MIB,
		.fail_open = true,
		.nflog_group = 25,
		.hot_rate = 100,
		.hot_burst = 300,

		.lookup_fds = 64,
		.lookup_ms = 100,
		.lookup_after_ms = 20,
		.script_ms = 20,
		.containers = false,

		.witness = true,
		.trigger_wait_s = 120,
		.server_status = "http://127.0.0.1/server-status",

		.judge_user = "egressd-judge",
		.recorder_user = "egressd",
		.state_dir = "/var/lib/egressd",
		.channel_bytes = 32 * MIB,

		.fold_s = 300,
		.rows_per_offender = 1000,
		.commit_ms = 100,
		.keep_days = 90,
		.store_bytes = GIB,
		.evidence = true,
		.evidence_file_bytes = 16 * MIB,
		.evidence_offender_bytes = MIB,
		.evidence_total_bytes = 256 * MIB,
		.object_bytes = 16 * MIB,
		.objects_bytes = 256 * MIB,
		.excerpt_bytes = 256,
		.journal_socket = "/run/systemd/journal/socket",
		.journal_s = 60,
	};
}
