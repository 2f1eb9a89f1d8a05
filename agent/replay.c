/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture in place of the queue: libpcap reads it, egress_judge() judges it. Only openings of
 * connections to a mail port, and packets that may hide one, become records; never writes anything.
 */
#include "replay.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "attempts.h"
#include "egress.h"
#include "link.h"

#define ATTEMPT_SLOTS 65536

struct replay {
	const struct policy *policy;
	struct owners *owners;
	struct attempts *attempts;
	replay_record_fn each;
	void *context;
	struct replay_counts *counts;
	int dlt;
};

static void __attribute__((format(printf, 3, 4)))
say(char **message, const char *path, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (asprintf(message, "%s: %s", path, what) < 0)
		*message = NULL;
}

/* A capture's time can be any number; one that does not fit is the last that does. */
static int64_t time_ns(const struct timeval *precise) /* tv_usec holds ns */
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)precise->tv_sec, 1000000000LL, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)precise->tv_usec, &ns))
		return precise->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

enum kind { KIND_NONE, KIND_SYN, KIND_OTHER };

static enum kind classify(const struct policy *policy, enum flow_error error,
			  const struct flow *flow)
{
	bool mail_port = flow->has_ports && policy_is_mail_port(policy, flow->dport);

	if (error == FLOW_NOT_TCP || (flow->has_ports && !mail_port))
		return KIND_NONE;
	if (error == FLOW_OK && flow_opens(flow) && !(flow->tcp_flags & FLOW_TCP_ACK))
		return KIND_SYN;
	if (error != FLOW_OK || flow->fragment || flow_opens(flow))
		return KIND_OTHER;
	return KIND_NONE;
}

static void count_syn(struct replay *replay, const struct flow *flow, bool repeat)
{
	struct replay_counts *counts = replay->counts;

	counts->syns++;
	for (unsigned i = 0; i < replay->policy->n_ports; i++)
		if (replay->policy->ports[i] == flow->dport)
			counts->syns_by_port[i]++;
	if (repeat)
		counts->retransmits++;
	else
		counts->attempts++;
}

static int replay_frame(struct replay *replay, const struct pcap_pkthdr *header,
			const uint8_t *bytes)
{
	struct packet frame = { bytes, header->caplen }, ip;
	struct link_facts facts;
	struct egress_meta meta = { .ts_ns = time_ns(&header->ts), .via = VIA_REPLAY };
	struct flow flow;
	enum kind kind;
	bool repeat;
	struct record record;

	replay->counts->frames++;
	if (link_to_ip(replay->dlt, &frame, &ip, &facts)) {
		replay->counts->not_ip++;
		return 0;
	}
	kind = classify(replay->policy, flow_parse(&ip, &flow), &flow);
	if (kind == KIND_NONE)
		return 0;
	meta.has_uid = facts.has_uid;
	meta.uid = facts.uid;
	meta.gid = facts.gid;
	meta.packet_bytes = (uint32_t)ip.len;
	if (header->len > header->caplen)
		meta.packet_bytes += header->len - header->caplen;
	meta.dst_local = flow_dst_is_self(&flow);
	owners_meta(replay->owners, &flow, &meta);
	if (kind == KIND_SYN) {
		repeat = attempts_repeat(replay->attempts, &flow, meta.has_uid, meta.uid,
					 meta.ts_ns);
		count_syn(replay, &flow, repeat);
		if (repeat)
			return 0;
	} else {
		replay->counts->refused_other++;
	}
	egress_judge(replay->policy, &ip, &meta, owners_resolve, replay->owners, &record);
	return replay->each(replay->context, &record);
}

/* The link type by the name that tcpdump -y would take, and its number. */
static void say_link_type(char **message, const char *path, int dlt)
{
	const char *name = pcap_datalink_val_to_name(dlt);

	say(message, path, "link type %s%s%d%s is not one that can be replayed", name ? name : "",
	    name ? " (" : "", dlt, name ? ")" : "");
}

/* libpcap's reason, or a better one for the mistake that is made most. */
static void say_unreadable(char **message, const char *path, FILE *file, const char *why)
{
	static const struct {
		const char *program;
		unsigned char magic[4];
		size_t len;
	} packed[] = {
		{ "gzip", { 0x1f, 0x8b }, 2 },
		{ "xz", { 0xfd, '7', 'z', 'X' }, 4 },
		{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	};
	unsigned char magic[4] = { 0 };

	if (!fseek(file, 0, SEEK_SET) && fread(magic, 1, sizeof(magic), file) == sizeof(magic))
		for (unsigned i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
			if (!memcmp(magic, packed[i].magic, packed[i].len)) {
				say(message, path, "compressed: unpack it with %s -d first",
				    packed[i].program);
				return;
			}
	say(message, path, "%s", why);
}

static int open_capture(const char *path, pcap_t **pcap, char **message)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = fopen(path, "re"); /* not by libpcap: "-" is a file's name here */

	if (!file) {
		say(message, path, "%s", strerror(errno));
		return -EINVAL;
	}
	*pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!*pcap) {
		say_unreadable(message, path, file, why);
		fclose(file);
		return -EINVAL;
	}
	return 0;
}

int replay_file(const char *path, const struct policy *policy, struct owners *owners,
		replay_record_fn each, void *context, struct replay_counts *counts, char **message)
{
	struct replay replay = { policy, owners, NULL, each, context, counts, 0 };
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	uint8_t key[16];
	pcap_t *pcap = NULL;
	int result, got;

	memset(counts, 0, sizeof(*counts));
	*message = NULL;
	result = open_capture(path, &pcap, message);
	if (result)
		return result;
	replay.dlt = pcap_datalink(pcap);
	if (!link_supported(replay.dlt)) {
		say_link_type(message, path, replay.dlt);
		result = -EINVAL;
		goto out;
	}
	if (getrandom(key, sizeof(key), 0) != sizeof(key)) {
		result = -errno;
		goto out;
	}
	replay.attempts = attempts_new(ATTEMPT_SLOTS, key);
	if (!replay.attempts) {
		result = -ENOMEM;
		goto out;
	}
	while (!result && (got = pcap_next_ex(pcap, &header, &bytes)) == 1)
		result = replay_frame(&replay, header, bytes);
	if (!result && got != PCAP_ERROR_BREAK) { /* which is the file's end here */
		say(message, path, "%s", pcap_geterr(pcap));
		result = -EINVAL;
	}
out:
	attempts_free(replay.attempts);
	pcap_close(pcap);
	return result;
}
