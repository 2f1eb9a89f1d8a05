/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks up owners for the live test: one question a line on standard input,
 *   SRC SPORT DST DPORT UID|- IFINDEX [continue]
 * one JSON object a line on standard output. Options: -f fds_held, -h ms_held, -a ms_after,
 * -s script_ms, -n: without the kernel's word on calls and processes. It only asks; it judges
 * nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf-free/clock.h"
#include "bpf-free/owner.h"

static void put_text(const char *key, const char *text, size_t len)
{
	printf(",\"%s\":\"", key);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_refs(const char *key, const struct owner_ref *refs, unsigned n, unsigned max)
{
	printf(",\"%s\":[", key);
	for (unsigned i = 0; i < n && i < max; i++)
		printf("%s%d", i ? "," : "", refs[i].pid);
	putchar(']');
}

static void put_owner(int result, const struct owner *o)
{
	printf("{\"result\":\"%s\",\"how\":\"%s\",\"why\":\"%s\",\"script_from\":\"%s\","
	       "\"script_why\":\"%s\",\"pid\":%d,\"uid\":%u,\"euid\":%u,\"gid\":%u,"
	       "\"socket_uid\":%u,\"inode\":%u,\"cgroup_id\":%llu,\"login_uid\":%u,\"cut\":%u,"
	       "\"exe_deleted\":%s,\"exe_memfd\":%s,\"start_ns\":%lld,\"us\":%u,\"fds\":%u,"
	       "\"state\":%u,\"n_holders\":%u,\"caller\":%d",
	       result ? strerrorname_np(-result) : "OK", owner_how_words[o->how],
	       owner_why_words[o->why], owner_script_from_words[o->script_from],
	       owner_why_words[o->script_why], o->proc.pid, o->proc.uid, o->euid, o->gid,
	       o->socket_uid, o->inode, (unsigned long long)o->cgroup_id, o->login_uid, o->cut,
	       o->exe_deleted ? "true" : "false", o->exe_memfd ? "true" : "false",
	       (long long)o->start_ns, o->lookup_us, o->lookup_fds, o->socket_state, o->n_holders,
	       o->caller.pid);
	put_text("comm", o->proc.comm, strlen(o->proc.comm));
	put_text("exe", o->exe, strlen(o->exe));
	put_text("cmdline", o->cmdline, o->cmdline_bytes);
	put_text("cwd", o->cwd, strlen(o->cwd));
	put_text("script", o->script, strlen(o->script));
	put_text("unit", o->unit, strlen(o->unit));
	put_text("container", o->container, strlen(o->container));
	put_text("method", o->request_method, strlen(o->request_method));
	put_text("uri", o->request_uri, strlen(o->request_uri));
	put_text("host", o->request_host, strlen(o->request_host));
	put_text("client", o->request_client, strlen(o->request_client));
	put_refs("parents", o->parents, o->n_parents, OWNER_PARENTS);
	put_refs("holders", o->holders, o->n_holders, OWNER_HOLDERS);
	printf("}\n");
	fflush(stdout);
}

static void wait_for(struct owner_wait *wait, struct owner *owner)
{
	for (;;) {
		struct pollfd fd = { owner_wait_fd(wait), owner_wait_events(wait), 0 };
		uint64_t now = clock_mono_ns(), until = owner_wait_deadline_ns(wait);

		if (now >= until || poll(&fd, 1, (int)((until - now) / NS_PER_MS) + 1) < 0)
			break;
		if (owner_wait_step(wait, owner) != -EINPROGRESS)
			break;
	}
	owner_wait_end(wait, owner);
}

static int parse(char *line, struct owner_query *query, int *more)
{
	char src[64], dst[64], uid[16], word[16] = "";
	unsigned sport, dport;

	memset(query, 0, sizeof(*query));
	if (sscanf(line, "%63s %u %63s %u %15s %u %15s", src, &sport, dst, &dport, uid,
		   &query->ifindex, word) < 6)
		return -EINVAL;
	query->family = strchr(src, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(query->family, src, query->src) != 1 ||
	    inet_pton(query->family, dst, query->dst) != 1)
		return -EINVAL;
	query->sport = (uint16_t)sport;
	query->dport = (uint16_t)dport;
	query->has_uid = strcmp(uid, "-") != 0;
	query->uid = (uint32_t)strtoul(uid, NULL, 10);
	*more = !strcmp(word, "continue");
	return 0;
}

int main(int argc, char **argv)
{
	struct owner_budget budget = { 64, 100, 2000, 20 };
	const uint16_t ports[] = { 25, 465, 587 };
	struct owner_eyes *eyes = NULL;
	struct owner_finder *finder;
	bool with_eyes = true;
	static struct owner owner;
	const char *what = "";
	char line[512];
	int c, error;

	while ((c = getopt(argc, argv, "f:h:a:s:n")) != -1) {
		unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		switch (c) {
		case 'f':
			budget.fds_held = value;
			break;
		case 'h':
			budget.ms_held = value;
			break;
		case 'a':
			budget.ms_after = value;
			break;
		case 'n':
			with_eyes = false;
			break;
		case 's':
			budget.script_ms = value;
			break;
		default:
			return 2;
		}
	}
	if (with_eyes && owner_eyes_open(ports, 3, &eyes))
		return 1;
	error = owner_finder_open(&finder, "/proc", &budget, eyes, &what);
	if (error) {
		fprintf(stderr, "owner_tool: %s: %s\n", what, strerror(-error));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		struct owner_wait *wait = NULL;
		struct owner_query query;
		int more;

		if (parse(line, &query, &more)) {
			printf("{\"result\":\"EINVAL\"}\n");
			fflush(stdout);
			continue;
		}
		owner_tick(finder);
		error = owner_find(finder, &query, &owner, &wait);
		if (wait)
			wait_for(wait, &owner);
		if (more)
			error = owner_continue(finder, &query, &owner);
		put_owner(error, &owner);
	}
	owner_finder_free(finder);
	owner_eyes_free(eyes);
	return 0;
}
