/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an IP packet: parsed, judged and recorded. */
#include <string.h>

#include "agent/egress.h"
#include "fuzz.h"

#define MAIL_UID 101

static unsigned asked;

static int resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
		   struct owner *owner)
{
	(void)context, (void)meta;
	must(flow->has_ports);
	asked++;
	owner_init(owner);
	return 0;
}

static void check_flow(enum flow_error error, const struct flow *flow, size_t size)
{
	must(error < FLOW_ERROR_N && flow_error_words[error]);
	must(flow->family == 0 || flow->family == AF_INET || flow->family == AF_INET6);
	must(flow->payload_offset <= size);
	if (flow->family != AF_INET6) {
		static const uint8_t zero[12];

		must(!memcmp(flow->src + 4, zero, 12) && !memcmp(flow->dst + 4, zero, 12));
	}
	if (error == FLOW_OK)
		must(flow->has_ports && flow->family && flow->protocol == IPPROTO_TCP);
	if (flow->has_ports)
		must(flow->family && flow->protocol == IPPROTO_TCP);
	else
		must(!flow->sport && !flow->dport && !flow->tcp_flags);
	if (error == FLOW_NOT_TCP)
		must(flow->protocol != IPPROTO_TCP);
}

/* What a longer packet tells, a shorter beginning of it tells too, or says that it is cut. */
static void check_prefix(const uint8_t *data, size_t size, enum flow_error error,
			 const struct flow *flow)
{
	struct packet prefix = { data, size - 1 };
	struct flow shorter;
	enum flow_error cut = flow_parse(&prefix, &shorter);

	if (cut == FLOW_OK && error == FLOW_OK) {
		must(shorter.sport == flow->sport && shorter.dport == flow->dport);
		must(shorter.tcp_flags == flow->tcp_flags && shorter.fragment == flow->fragment);
		must(!memcmp(shorter.dst, flow->dst, 16));
	}
}

static void check_record(const struct policy *policy, const struct packet *packet,
			 const struct egress_meta *meta)
{
	static struct record record;
	char text[INET6_ADDRSTRLEN];

	asked = 0;
	must(egress_judge(policy, packet, meta, resolve, NULL, &record) == 0);
	must(asked == record.flow.has_ports);
	must(record.excerpt_bytes <= RECORD_EXCERPT_BYTES && record.packet_bytes >= packet->len);
	must(!memcmp(record.excerpt, packet->bytes, record.excerpt_bytes));
	must(memchr(record.rule, '\0', sizeof(record.rule)));
	must(strlen(flow_address_text(record.flow.family, record.flow.dst, text, sizeof(text))) <
	     sizeof(text));
	if (record.verdict == VERDICT_ALLOW)
		must(record.reason == REASON_OTHER_PORT || record.reason == REASON_LOCAL ||
		     (record.reason == REASON_MAIL_SERVER && meta->has_uid &&
		      meta->uid == MAIL_UID && record.flow_error == FLOW_OK &&
		      !record.flow.fragment));
	else
		must((record.verdict == VERDICT_WOULD_DENY) == (policy->mode == MODE_MONITOR));
	/* An opening to a mail port by another uid never passes, but to this box. */
	if (record.flow_error == FLOW_OK && flow_opens(&record.flow) &&
	    policy_is_mail_port(policy, record.flow.dport) && !meta->dst_local &&
	    !(meta->has_uid && meta->uid == MAIL_UID))
		must(record.verdict != VERDICT_ALLOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet = { data, size };
	struct policy policy = {
		.ports = { 25, 465, 587 }, .n_ports = 3, .mail_uids = { MAIL_UID }, .n_mail_uids = 1
	};
	struct flow flow;
	enum flow_error error = flow_parse(&packet, &flow);

	check_flow(error, &flow, size);
	flow_dst_is_self(&flow);
	if (size)
		check_prefix(data, size, error, &flow);
	for (unsigned i = 0; i < 16; i++) {
		struct egress_meta meta = {
			.via = VIA_QUEUE,
			.dst_local = i & 1,
			.has_uid = i & 2,
			.uid = i & 4 ? MAIL_UID : 33,
		};

		policy.mode = i & 8 ? MODE_MONITOR : MODE_ENFORCE;
		check_record(&policy, &packet, &meta);
	}
	return 0;
}
