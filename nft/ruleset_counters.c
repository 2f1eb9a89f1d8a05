/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counted, read over netlink; must not change anything there. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h> /* before libnftnl, which names FILE */

#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_link.h"

#define DUMP_TRIES  10 /* of a dump that changed under us */
#define REFUSED_SET "refused"

const char *const ruleset_counter_words[RULESET_COUNTER_N] = {
	[RULESET_LOCAL] = "local",
	[RULESET_MAIL] = "mail",
	[RULESET_HELD] = "held",
	[RULESET_HOT] = "hot",
	[RULESET_ALLOWED] = "allowed",
	[RULESET_BY_AGENT] = "refused_by_agent",
	[RULESET_BY_GUARD] = "refused_by_guard",
	[RULESET_UNHELD] = "unheld",
	[RULESET_NOT_OPENING] = "not_opening",
	[RULESET_FRAGMENT] = "fragment",
	[RULESET_FORWARDED] = "forwarded",
};
static_assert(sizeof(ruleset_counter_words) / sizeof(ruleset_counter_words[0]) == RULESET_COUNTER_N,
	      "a word for each counter");

struct counters {
	const char *table;
	uint64_t packets[RULESET_COUNTER_N];
	bool found[RULESET_COUNTER_N];
};

static int counter_answer(const struct nlmsghdr *nlh, void *context)
{
	struct counters *counters = context;
	struct nftnl_obj *object = nftnl_obj_alloc();
	const char *table, *name;
	int ret = 0;

	if (!object)
		return -ENOMEM;
	if (nftnl_obj_nlmsg_parse(nlh, object) < 0) {
		ret = -EBADMSG;
		goto out;
	}
	table = nftnl_obj_get_str(object, NFTNL_OBJ_TABLE);
	name = nftnl_obj_get_str(object, NFTNL_OBJ_NAME);
	if (!table || !name || strcmp(table, counters->table) != 0 ||
	    nftnl_obj_get_u32(object, NFTNL_OBJ_TYPE) != NFT_OBJECT_COUNTER)
		goto out;
	for (int i = 0; i < RULESET_COUNTER_N; i++) {
		if (strcmp(name, ruleset_counter_words[i]) != 0)
			continue;
		counters->packets[i] = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_PKTS);
		counters->found[i] = true;
	}
out:
	nftnl_obj_free(object);
	return ret;
}

int ruleset_counters(struct ruleset_link *link, const char *table,
		     uint64_t packets[RULESET_COUNTER_N], uint64_t *table_handle)
{
	struct counters counters;
	char buffer[4096];
	struct nlmsghdr *nlh;
	uint64_t handle;
	int ret = -EINTR;

	for (int tries = 0; ret == -EINTR && tries < DUMP_TRIES; tries++) {
		counters = (struct counters){ .table = table };
		ret = ruleset_link_table(link, table, &handle);
		if (ret < 0)
			break;
		nlh = ruleset_link_begin(link, buffer, NFT_MSG_GETOBJ, NLM_F_DUMP);
		mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, table);
		mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
		ret = ruleset_link_ask(link, nlh, counter_answer, &counters);
	}
	if (ret < 0)
		return ret;
	for (int i = 0; i < RULESET_COUNTER_N; i++)
		if (!counters.found[i])
			return -EUCLEAN;
	memcpy(packets, counters.packets, sizeof(counters.packets));
	*table_handle = handle;
	return 0;
}

struct refused_element {
	uint64_t packets;
	uint32_t uid;
	uint16_t port;
};

/* The whole dump before the first callback: one that changed under us is read again, and nobody
 * must be told twice. */
struct refused {
	struct refused_element *elements;
	size_t n, room;
};

static int refused_add(struct refused *refused, const struct refused_element *element)
{
	if (refused->n == refused->room) {
		size_t room = refused->room ? refused->room * 2 : 64;
		void *grown = reallocarray(refused->elements, room, sizeof(*element));

		if (!grown)
			return -ENOMEM;
		refused->elements = grown;
		refused->room = room;
	}
	refused->elements[refused->n++] = *element;
	return 0;
}

static int element_counter(struct nftnl_expr *expr, void *context)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	uint64_t *packets = context;

	if (name && !strcmp(name, "counter"))
		*packets = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

/* The key is a concatenation: each part takes whole 4-byte registers. The uid is in the kernel's
 * byte order, the port in the packet's, its two bytes first. */
static int refused_element_read(struct nftnl_set_elem *elem, void *context)
{
	struct refused_element element = { 0 };
	uint32_t bytes;
	uint16_t port;
	const unsigned char *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &bytes);

	if (!key || bytes != 8)
		return 0;
	memcpy(&element.uid, key, sizeof(element.uid));
	memcpy(&port, key + 4, sizeof(port));
	element.port = ntohs(port);
	nftnl_set_elem_expr_foreach(elem, element_counter, &element.packets);
	return refused_add(context, &element);
}

static int refused_answer(const struct nlmsghdr *nlh, void *context)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int ret;

	if (!set)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) < 0)
		ret = -EBADMSG;
	else
		ret = nftnl_set_elem_foreach(set, refused_element_read, context);
	nftnl_set_free(set);
	return ret;
}

int ruleset_refused(struct ruleset_link *link, const char *table, ruleset_refused_fn each,
		    void *context)
{
	struct refused refused = { 0 };
	char buffer[4096];
	struct nlmsghdr *nlh;
	int ret = -EINTR;

	for (int tries = 0; ret == -EINTR && tries < DUMP_TRIES; tries++) {
		refused.n = 0;
		nlh = ruleset_link_begin(link, buffer, NFT_MSG_GETSETELEM, NLM_F_DUMP);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, REFUSED_SET);
		ret = ruleset_link_ask(link, nlh, refused_answer, &refused);
	}
	for (size_t i = 0; !ret && i < refused.n; i++)
		ret = each(context, refused.elements[i].uid, refused.elements[i].port,
			   refused.elements[i].packets);
	free(refused.elements);
	return ret;
}
