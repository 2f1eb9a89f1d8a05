/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects what others loaded into the kernel and asks clash.h about it; must not change it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clash.h"
#include "ruleset.h"
#include "ruleset_run.h"

#define QUEUES_FILE "/proc/net/netfilter/nfnetlink_queue"

static int read_queues(uint16_t queue_num, struct ruleset_text *lines, unsigned *count)
{
	char text[65536];
	size_t len = 0;
	ssize_t n;
	int fd = open(QUEUES_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* no nfnetlink_queue yet: nobody bound one */
	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	*count += clash_queue_line(text, queue_num, lines);
	return 0;
}

/* Runs one iptables-save if it is installed. *ran says so. Both kinds only print what is loaded:
 * nf_tables over netlink, legacy the tables of /proc/net/ip_tables_names. */
static int read_iptables(struct clash *clash, const char *path, const char *name,
			 bool tables[CLASH_TABLE_N], bool *ran)
{
	const char *const argv[] = { path, NULL };
	char *out, *err;
	int ret = ruleset_run(argv, NULL, RULESET_RUN_HERE, &out, &err);

	*ran = ret != -ENOENT;
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	/* An exit code is not the end: half of what is loaded still names its clashes. */
	ret = clash_read_iptables(clash, out, name);
	if (!ret && tables)
		clash_covered(out, tables);
	free(out);
	free(err);
	return ret;
}

static int read_all_iptables(struct clash *clash, struct clash_covered *covered)
{
	bool ran, ran6;
	int ret;

	ret = read_iptables(clash, "/usr/sbin/iptables-nft-save", "iptables", covered->ip, &ran);
	if (!ret)
		ret = read_iptables(clash, "/usr/sbin/ip6tables-nft-save", "ip6tables",
				    covered->ip6, &ran6);
	if (ret)
		return ret;
	if (!ran && !ran6) { /* an older iptables, of one kind, which we don't know */
		ret = read_iptables(clash, "/usr/sbin/iptables-save", "iptables", NULL, &ran);
		if (!ret)
			ret = read_iptables(clash, "/usr/sbin/ip6tables-save", "ip6tables", NULL,
					    &ran6);
		return ret;
	}
	ret = read_iptables(clash, "/usr/sbin/iptables-legacy-save", "iptables-legacy", NULL, &ran);
	if (!ret)
		ret = read_iptables(clash, "/usr/sbin/ip6tables-legacy-save", "ip6tables-legacy",
				    NULL, &ran6);
	return ret;
}

static int read_nft(struct clash *clash, const struct ruleset *ruleset,
		    const struct clash_covered *covered, char **complaint)
{
	const char *const argv[] = { ruleset->nft_program, "-j", "list", "ruleset", NULL };
	char *out, *err;
	int ret = ruleset_run(argv, NULL, RULESET_RUN_HERE, &out, &err);

	if (ret < 0)
		return ret;
	if (ret > 0) {
		*complaint = err;
		free(out);
		return -EINVAL;
	}
	ret = clash_read_nft(clash, out, ruleset->table, covered);
	free(out);
	free(err);
	return ret;
}

int ruleset_clashes(const struct ruleset *ruleset, char **message)
{
	struct clash clash = { .ports = ruleset->ports, .n_ports = ruleset->n_ports };
	struct clash_covered covered = { 0 };
	struct ruleset_text lines = { 0 };
	unsigned count = 0;
	char *said;
	int ret;

	*message = NULL;
	ret = read_queues(ruleset->queue_num, &lines, &count);
	if (!ret)
		ret = read_all_iptables(&clash, &covered);
	if (!ret)
		ret = read_nft(&clash, ruleset, &covered, message);
	if (ret)
		goto out;
	count += clash_lines(&clash, ruleset->queue_num, &lines);
	said = ruleset_text_take(&lines);
	if (!said)
		ret = -ENOMEM;
	else if (count)
		*message = said;
	else
		free(said);
out:
	ruleset_text_free(&lines);
	clash_free(&clash);
	return ret ? ret : (int)count;
}
