/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `nft -j list ruleset` (libnftables-json(5)) into the model of clash.h; must not judge it. */
#include "clash.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_DEPTH 8 /* set, elem, concat, range: real values nest four deep */

struct reader {
	struct clash *clash;
	json_t *objects;	    /* the array "nftables" */
	const char *family, *table; /* of the rule at hand */
	const char *own_table;
	const struct clash_covered *covered;
};

static const char *string_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A set or map of the rule's table, by name. */
static json_t *set_elements(const struct reader *reader, const char *name)
{
	json_t *object, *set;
	size_t i;

	json_array_foreach(reader->objects, i, object)
	{
		set = json_object_get(object, "set");
		if (!set)
			set = json_object_get(object, "map");
		if (set && string_of(set, "name") && string_of(set, "table") &&
		    string_of(set, "family") && !strcmp(string_of(set, "name"), name) &&
		    !strcmp(string_of(set, "table"), reader->table) &&
		    !strcmp(string_of(set, "family"), reader->family))
			return json_object_get(set, "elem");
	}
	return NULL;
}

/* Our ports among a right side: 25, {"range":[..]}, {"set":[..]}, "@name", elements with their
 * counters, and at place `part` (-1: not one) of a concatenation. */
static uint64_t value_ports(const struct reader *reader, json_t *value, int part, int depth)
{
	json_t *inner, *range;
	uint64_t ports = 0;
	size_t i;

	if (!value || depth > VALUE_DEPTH)
		return 0;
	if (json_is_integer(value)) {
		json_int_t port = json_integer_value(value);

		return port < 0 || port > 65535
			       ? 0
			       : clash_range(reader->clash, (uint32_t)port, (uint32_t)port);
	}
	if (json_is_string(value)) {
		const char *name = json_string_value(value);

		/* A wildcard element matches every port. */
		if (!strcmp(name, "*"))
			return clash_all(reader->clash);
		/* An element that looks like a set's name is none: no set is walked in a set. */
		return *name == '@' && depth == 0
			       ? value_ports(reader, set_elements(reader, name + 1), part, 1)
			       : 0;
	}
	if (json_is_array(value)) {
		json_array_foreach(value, i, inner) ports |=
			value_ports(reader, inner, part, depth + 1);
		return ports;
	}
	range = json_object_get(value, "range");
	if (range) {
		json_int_t first = json_integer_value(json_array_get(range, 0));
		json_int_t last = json_integer_value(json_array_get(range, 1));

		return first < 0 || last < first || first > 65535
			       ? 0
			       : clash_range(reader->clash, (uint32_t)first,
					     last > 65535 ? 65535 : (uint32_t)last);
	}
	inner = json_object_get(value, "concat");
	if (inner)
		return part < 0 ? 0
				: value_ports(reader, json_array_get(inner, (size_t)part), -1,
					      depth + 1);
	inner = json_object_get(value, "set");
	if (!inner)
		inner = json_object_get(json_object_get(value, "elem"), "val");
	return value_ports(reader, inner, part, depth + 1);
}

static bool field_is(json_t *payload, const char *protocol, const char *field)
{
	const char *has_protocol = string_of(payload, "protocol"),
		   *has_field = string_of(payload, "field");

	return has_protocol && has_field && !strcmp(has_protocol, protocol) &&
	       !strcmp(has_field, field);
}

/* Is it the destination port, alone (*part -1) or in a concatenation? */
static bool is_dport(json_t *left, int *part)
{
	json_t *payload = json_object_get(left, "payload"), *inner;
	size_t i;

	*part = -1;
	if (field_is(payload, "tcp", "dport") || field_is(payload, "th", "dport"))
		return true;
	json_array_foreach(json_object_get(left, "concat"), i, inner)
	{
		payload = json_object_get(inner, "payload");
		*part = (int)i;
		if (field_is(payload, "tcp", "dport") || field_is(payload, "th", "dport"))
			return true;
	}
	return false;
}

static bool is_protocol(json_t *left)
{
	const char *key = string_of(json_object_get(left, "meta"), "key");
	json_t *payload = json_object_get(left, "payload");

	return (key && !strcmp(key, "l4proto")) || field_is(payload, "ip", "protocol") ||
	       field_is(payload, "ip6", "nexthdr");
}

/* Does "tcp" stand in the right side? Only then can the rule match our packets. */
static bool has_tcp(json_t *value, int depth)
{
	const char *word = json_string_value(value);
	json_t *inner;
	size_t i;

	if (!value || depth > VALUE_DEPTH)
		return false;
	if (word) /* a named set of protocols: it may have tcp */
		return !strcmp(word, "tcp") || *word == '@';
	if (json_is_integer(value))
		return json_integer_value(value) == 6;
	json_array_foreach(json_is_object(value) ? json_object_get(value, "set") : value, i,
			   inner) if (has_tcp(inner, depth + 1)) return true;
	return false;
}

static void read_port_match(const struct reader *reader, const char *op, json_t *right, int part,
			    struct clash_match *match)
{
	uint32_t number = (uint32_t)json_integer_value(right);
	uint64_t ports;

	if (!strcmp(op, "==") || !strcmp(op, "in"))
		ports = value_ports(reader, right, part, 0);
	else if (!strcmp(op, "!="))
		ports = ~value_ports(reader, right, part, 0);
	else if (!strcmp(op, "<"))
		ports = number ? clash_range(reader->clash, 0, number - 1) : 0;
	else if (!strcmp(op, "<="))
		ports = clash_range(reader->clash, 0, number);
	else if (!strcmp(op, ">"))
		ports = clash_range(reader->clash, number + 1, 65535);
	else if (!strcmp(op, ">="))
		ports = clash_range(reader->clash, number, 65535);
	else
		return;
	match->ports &= ports;
	match->named = true;
}

static void read_match(const struct reader *reader, json_t *body, struct clash_match *match)
{
	json_t *left = json_object_get(body, "left"), *right = json_object_get(body, "right");
	const char *op = string_of(body, "op"), *protocol;
	int part;

	if (!op)
		return;
	if (is_dport(left, &part)) {
		read_port_match(reader, op, right, part, match);
		return;
	}
	if (is_protocol(left) && (!strcmp(op, "==") || !strcmp(op, "!=")) &&
	    has_tcp(right, 0) != !strcmp(op, "=="))
		match->ports = 0;
	protocol = string_of(json_object_get(left, "payload"), "protocol");
	if (protocol && (!strcmp(protocol, "udp") || !strcmp(protocol, "sctp") ||
			 !strcmp(protocol, "dccp") || !strcmp(protocol, "icmp")))
		match->ports = 0;
}

/* {"drop":null}, {"reject":..}, {"jump":{"target":".."}}, {"goto":..}, {"queue":{"num":..}}; a
 * rule without any of them is not kept. */
static int read_verdict(struct reader *reader, json_t *verdict, const char *where,
			struct clash_rule *rule)
{
	json_t *jump = json_object_get(verdict, "jump"), *queue = json_object_get(verdict, "queue");
	json_t *number, *range;
	long chain;

	rule->action = CLASH_NONE;
	if (json_object_get(verdict, "drop"))
		rule->action = CLASH_DROP;
	if (json_object_get(verdict, "reject"))
		rule->action = CLASH_REJECT;
	if (!jump)
		jump = json_object_get(verdict, "goto");
	if (string_of(jump, "target")) {
		chain = clash_chain(reader->clash, where, string_of(jump, "target"));
		if (chain < 0)
			return (int)chain;
		rule->action = CLASH_JUMP;
		rule->target = (size_t)chain;
	}
	if (queue) {
		number = json_object_get(queue, "num"); /* missing: 0 */
		range = json_object_get(number, "range");
		rule->action = CLASH_QUEUE;
		rule->queue_first =
			(uint32_t)json_integer_value(range ? json_array_get(range, 0) : number);
		rule->queue_last =
			(uint32_t)json_integer_value(range ? json_array_get(range, 1) : number);
	}
	return 0;
}

static int keep_rule(struct reader *reader, const struct clash_rule *rule, json_t *body)
{
	struct ruleset_text text = { 0 };
	int ret;

	if (rule->action == CLASH_NONE)
		return 0;
	ruleset_text_printf(&text, "rule with handle %lld",
			    (long long)json_integer_value(json_object_get(body, "handle")));
	ret = text.failed ? -ENOMEM : clash_rule(reader->clash, rule, text.bytes);
	ruleset_text_free(&text);
	return ret;
}

/* A verdict map: as many rules as it has elements, each [key, verdict]. */
static int read_vmap(struct reader *reader, json_t *vmap, const char *where,
		     const struct clash_rule *so_far, json_t *body)
{
	json_t *data = json_object_get(vmap, "data"), *elements, *element;
	const char *name = json_string_value(data);
	int part, ret = 0;
	bool port = is_dport(json_object_get(vmap, "key"), &part);
	size_t i;

	elements = name ? (*name == '@' ? set_elements(reader, name + 1) : NULL)
			: json_object_get(data, "set");
	json_array_foreach(elements, i, element)
	{
		struct clash_rule rule = *so_far;

		if (port) {
			rule.match.named = true;
			rule.match.ports &=
				value_ports(reader, json_array_get(element, 0), part, 0);
		}
		ret = read_verdict(reader, json_array_get(element, 1), where, &rule);
		if (!ret)
			ret = keep_rule(reader, &rule, body);
		if (ret)
			break;
	}
	return ret;
}

static int read_rule(struct reader *reader, json_t *body, const char *where, size_t chain)
{
	struct clash_rule rule = { .chain = chain, .match.ports = clash_all(reader->clash) };
	json_t *statement, *inner;
	int ret = 0;
	size_t i;

	json_array_foreach(json_object_get(body, "expr"), i, statement)
	{
		inner = json_object_get(statement, "match");
		if (inner)
			read_match(reader, inner, &rule.match);
		inner = json_object_get(statement, "vmap");
		if (inner)
			ret = read_vmap(reader, inner, where, &rule, body);
		if (!ret)
			ret = read_verdict(reader, statement, where, &rule);
		if (!ret)
			ret = keep_rule(reader, &rule, body);
		if (ret)
			break;
	}
	return ret;
}

static bool is_out(json_t *chain)
{
	static const char *const out[] = { "output", "forward", "postrouting", "egress" };
	const char *hook = string_of(chain, "hook");

	for (size_t i = 0; hook && i < sizeof(out) / sizeof(out[0]); i++)
		if (!strcmp(hook, out[i]))
			return true;
	return false;
}

/* One object of the array: a chain or a rule, of a table that is not ours nor read elsewhere. */
static int read_object(struct reader *reader, json_t *object)
{
	json_t *chain = json_object_get(object, "chain"), *rule = json_object_get(object, "rule");
	json_t *body = chain ? chain : rule;
	struct ruleset_text where = { 0 };
	const char *name;
	long index;
	int ret = 0;

	name = chain ? string_of(chain, "name") : string_of(rule, "chain");
	reader->family = string_of(body, "family");
	reader->table = string_of(body, "table");
	if (!name || !reader->family || !reader->table)
		return 0;
	if ((!strcmp(reader->family, "inet") && !strcmp(reader->table, reader->own_table)) ||
	    clash_is_covered(reader->covered, reader->family, reader->table))
		return 0;
	ruleset_text_printf(&where, "table %s %s", reader->family, reader->table);
	index = where.failed ? -ENOMEM : clash_chain(reader->clash, where.bytes, name);
	if (index < 0)
		ret = (int)index;
	else if (chain)
		reader->clash->chains[index].out |= is_out(chain);
	else
		ret = read_rule(reader, rule, where.bytes, (size_t)index);
	ruleset_text_free(&where);
	return ret;
}

int clash_read_nft(struct clash *clash, const char *json, const char *own_table,
		   const struct clash_covered *covered)
{
	struct reader reader = { .clash = clash, .own_table = own_table, .covered = covered };
	json_t *root = json_loads(json, 0, NULL), *object;
	int ret = 0;
	size_t i;

	reader.objects = json_object_get(root, "nftables");
	if (!json_is_array(reader.objects))
		ret = -EBADMSG;
	else
		json_array_foreach(reader.objects, i, object)
		{
			ret = read_object(&reader, object);
			if (ret)
				break;
		}
	json_decref(root);
	return ret;
}
