/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's one rule, put in and taken out over netlink; must not touch any chain but `agent`.
 *
 * Kernels without nft_queue (CONFIG_NFT_QUEUE unset) take the same rule as the xt target NFQUEUE
 * revision 3 through nft_compat. In a table inet the kernel looks the target up for NFPROTO_INET
 * and then NFPROTO_UNSPEC, where NFQUEUE is registered (net/netfilter/xt_NFQUEUE.c), so it needs
 * no NFTA_RULE_COMPAT: the target is bound to no protocol, which is what a missing one means.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h> /* before libnftnl, which names FILE */

#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_link.h"

#define AGENT_CHAIN "agent"
#define AGENT_TRIES 10 /* of a dump that changed under us */

const char *const ruleset_queue_words[RULESET_QUEUE_N] = {
	[RULESET_QUEUE_NONE] = "none",
	[RULESET_QUEUE_NATIVE] = "native",
	[RULESET_QUEUE_COMPAT] = "compat",
};
static_assert(sizeof(ruleset_queue_words) / sizeof(ruleset_queue_words[0]) == RULESET_QUEUE_N,
	      "a word for each form");

static struct nftnl_expr *queue_native(uint16_t queue_num)
{
	struct nftnl_expr *queue = nftnl_expr_alloc("queue");

	if (!queue)
		return NULL;
	nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_NUM, queue_num);
	nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_TOTAL, 1);
	nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_FLAGS, NFT_QUEUE_FLAG_BYPASS);
	return queue;
}

static struct nftnl_expr *queue_compat(uint16_t queue_num)
{
	struct nftnl_expr *target = nftnl_expr_alloc("target");
	struct xt_NFQ_info_v3 *info;
	/* XT_ALIGN: the kernel compares with the target's size rounded up to 8. */
	size_t bytes = (sizeof(*info) + 7) & ~(size_t)7;

	info = calloc(1, bytes);
	if (!target || !info)
		goto fail;
	info->queuenum = queue_num;
	info->queues_total = 1;
	info->flags = NFQ_FLAG_BYPASS;
	nftnl_expr_set_str(target, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(target, NFTNL_EXPR_TG_REV, 3);
	/* The expression owns info from here on. */
	if (nftnl_expr_set(target, NFTNL_EXPR_TG_INFO, info, (uint32_t)bytes) < 0)
		goto fail;
	return target;
fail:
	free(info);
	if (target)
		nftnl_expr_free(target);
	return NULL;
}

static struct nftnl_rule *agent_rule(const char *table, struct nftnl_expr *expr)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, AGENT_CHAIN);
	if (expr)
		nftnl_rule_add_expr(rule, expr);
	return rule;
}

/* Flushes the chain and adds the rule (NULL: none) in one transaction. *rule_refused: the kernel
 * took the flush but not the rule, and so did neither. */
static int agent_commit(struct ruleset_link *link, const char *table, struct nftnl_rule *rule,
			bool *rule_refused)
{
	char buffer[8192];
	struct nftnl_rule *all = agent_rule(table, NULL); /* without a handle: the whole chain */
	uint32_t rule_seq = 0, refused_seq = 0;
	struct mnl_nlmsg_batch *batch;
	struct nlmsghdr *nlh;
	int ret = -ENOMEM;

	*rule_refused = false;
	batch = mnl_nlmsg_batch_start(buffer, sizeof(buffer) / 2);
	if (!all || !batch)
		goto out;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), ruleset_link_seq(link));
	mnl_nlmsg_batch_next(batch);
	nlh = ruleset_link_begin(link, mnl_nlmsg_batch_current(batch), NFT_MSG_DELRULE, NLM_F_ACK);
	nftnl_rule_nlmsg_build_payload(nlh, all);
	mnl_nlmsg_batch_next(batch);
	if (rule) {
		nlh = ruleset_link_begin(link, mnl_nlmsg_batch_current(batch), NFT_MSG_NEWRULE,
					 NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
		nftnl_rule_nlmsg_build_payload(nlh, rule);
		rule_seq = nlh->nlmsg_seq;
		mnl_nlmsg_batch_next(batch);
	}
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), ruleset_link_seq(link));
	mnl_nlmsg_batch_next(batch);
	ret = ruleset_link_commit(link, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch),
				  &refused_seq);
	*rule_refused = ret && rule_seq && refused_seq == rule_seq;
out:
	if (batch)
		mnl_nlmsg_batch_stop(batch);
	if (all)
		nftnl_rule_free(all);
	return ret;
}

static int agent_try(struct ruleset_link *link, const char *table, struct nftnl_expr *expr,
		     bool *rule_refused)
{
	struct nftnl_rule *rule = expr ? agent_rule(table, expr) : NULL;
	int ret;

	*rule_refused = false;
	if (!rule) {
		if (expr)
			nftnl_expr_free(expr);
		return -ENOMEM;
	}
	ret = agent_commit(link, table, rule, rule_refused);
	nftnl_rule_free(rule);
	return ret;
}

int ruleset_agent_fill(struct ruleset_link *link, const char *table, uint16_t queue_num,
		       enum ruleset_queue *form)
{
	enum ruleset_queue done = RULESET_QUEUE_NATIVE;
	bool rule_refused;
	int ret;

	ret = agent_try(link, table, queue_native(queue_num), &rule_refused);
	/* ENOENT for the rule while the chain is there: the expression is what does not exist. */
	if (ret == -ENOENT && rule_refused) {
		done = RULESET_QUEUE_COMPAT;
		ret = agent_try(link, table, queue_compat(queue_num), &rule_refused);
		if (ret == -ENOENT && rule_refused)
			ret = -EOPNOTSUPP; /* neither: the table is there */
	}
	if (!ret)
		*form = done;
	return ret;
}

int ruleset_agent_empty(struct ruleset_link *link, const char *table)
{
	bool rule_refused;

	return agent_commit(link, table, NULL, &rule_refused);
}

static enum ruleset_queue rule_form(struct nftnl_rule *rule)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	enum ruleset_queue form = RULESET_QUEUE_NONE;
	struct nftnl_expr *expr;

	while (iter && (expr = nftnl_expr_iter_next(iter))) {
		const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
		const char *target = NULL;

		if (name && !strcmp(name, "queue"))
			form = RULESET_QUEUE_NATIVE;
		if (name && !strcmp(name, "target"))
			target = nftnl_expr_get_str(expr, NFTNL_EXPR_TG_NAME);
		if (target && !strcmp(target, "NFQUEUE"))
			form = RULESET_QUEUE_COMPAT;
	}
	if (iter)
		nftnl_expr_iter_destroy(iter);
	return form;
}

struct agent_seen {
	const char *table;
	enum ruleset_queue form;
};

static int agent_answer(const struct nlmsghdr *nlh, void *context)
{
	struct agent_seen *seen = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	const char *table, *chain;
	int ret = 0;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0) {
		ret = -EBADMSG;
		goto out;
	}
	table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE);
	chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
	if (table && chain && !strcmp(table, seen->table) && !strcmp(chain, AGENT_CHAIN) &&
	    seen->form == RULESET_QUEUE_NONE)
		seen->form = rule_form(rule);
out:
	nftnl_rule_free(rule);
	return ret;
}

int ruleset_agent_form(struct ruleset_link *link, const char *table, enum ruleset_queue *form)
{
	struct agent_seen seen = { .table = table };
	char buffer[4096];
	struct nlmsghdr *nlh;
	uint64_t handle;
	int ret;

	/* A dump of rules of a table that is not there is empty, not an error. */
	ret = ruleset_link_table(link, table, &handle);
	for (int tries = 0; !ret && tries < AGENT_TRIES; tries++) {
		seen.form = RULESET_QUEUE_NONE;
		nlh = ruleset_link_begin(link, buffer, NFT_MSG_GETRULE, NLM_F_DUMP);
		mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
		mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, AGENT_CHAIN);
		ret = ruleset_link_ask(link, nlh, agent_answer, &seen);
		if (ret != -EINTR)
			break;
		ret = tries + 1 < AGENT_TRIES ? 0 : ret;
	}
	if (!ret)
		*form = seen.form;
	return ret;
}
