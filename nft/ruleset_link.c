/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions and transactions over the nf_tables netlink socket; must not know our rules. */
#include "ruleset_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

struct ruleset_link {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[LINK_BUFFER_BYTES];
};

int ruleset_link_open(struct ruleset_link **link)
{
	/* The kernel answers within the system call; the limit is for our own mistakes. */
	struct timeval patience = { .tv_sec = 5 };
	struct ruleset_link *made = calloc(1, sizeof(*made));
	int ret = 0;

	if (!made)
		return -ENOMEM;
	made->seq = (uint32_t)time(NULL);
	made->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!made->socket || mnl_socket_bind(made->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(made->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0) {
		ret = -errno;
		ruleset_link_free(made);
		return ret;
	}
	*link = made;
	return 0;
}

void ruleset_link_free(struct ruleset_link *link)
{
	if (!link)
		return;
	if (link->socket)
		mnl_socket_close(link->socket);
	free(link);
}

uint32_t ruleset_link_seq(struct ruleset_link *link)
{
	return ++link->seq;
}

struct nlmsghdr *ruleset_link_begin(struct ruleset_link *link, char *buffer, uint16_t type,
				    uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(buffer, type, NFPROTO_INET, NLM_F_REQUEST | flags,
				     ruleset_link_seq(link));
}

/* The error in an answer; 0 for an acknowledgement. */
static int answer_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error))
		return -EBADMSG;
	return error->error < 0 ? error->error : -error->error;
}

struct link_dump {
	link_answer_fn each;
	void *context;
	bool done, interrupted;
	int ret; /* the first that was not 0 */
};

static void link_answer(struct link_dump *dump, const struct nlmsghdr *nlh)
{
	int ret = 0;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		ret = answer_error(nlh);
		dump->done = true;
		break;
	case NLMSG_DONE:
		dump->done = true;
		break;
	default:
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && dump->each && !dump->ret &&
		    !dump->interrupted)
			ret = dump->each(nlh, dump->context);
	}
	if (ret && !dump->ret)
		dump->ret = ret;
}

int ruleset_link_ask(struct ruleset_link *link, const struct nlmsghdr *nlh, link_answer_fn each,
		     void *context)
{
	struct link_dump dump = { .each = each, .context = context };
	uint32_t seq = nlh->nlmsg_seq;

	if (mnl_socket_sendto(link->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (!dump.done) {
		ssize_t n = mnl_socket_recvfrom(link->socket, link->buffer, sizeof(link->buffer));
		const struct nlmsghdr *answer = (const void *)link->buffer;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left))
			if (answer->nlmsg_seq == seq)
				link_answer(&dump, answer);
	}
	return dump.interrupted ? -EINTR : dump.ret;
}

int ruleset_link_commit(struct ruleset_link *link, const void *batch, size_t bytes,
			uint32_t *refused_seq)
{
	int fd = mnl_socket_get_fd(link->socket), ret = 0;
	bool answered = false;

	if (mnl_socket_sendto(link->socket, batch, bytes) < 0)
		return -errno;
	/* nfnetlink works inside sendto(): all answers are there when it returns. */
	for (;;) {
		ssize_t n = recv(fd, link->buffer, sizeof(link->buffer), MSG_DONTWAIT);
		const struct nlmsghdr *answer = (const void *)link->buffer;
		int left = (int)n, error;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			if (answer->nlmsg_type != NLMSG_ERROR)
				continue;
			answered = true;
			error = answer_error(answer);
			if (!error || ret)
				continue;
			ret = error;
			*refused_seq = answer->nlmsg_seq;
		}
	}
	return answered ? ret : -EPROTO;
}

static int table_answer(const struct nlmsghdr *nlh, void *context)
{
	uint64_t *handle = context;
	struct nftnl_table *table = nftnl_table_alloc();
	int ret = 0;

	if (!table)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(nlh, table) < 0)
		ret = -EBADMSG;
	else
		*handle = nftnl_table_get_u64(table, NFTNL_TABLE_HANDLE);
	nftnl_table_free(table);
	return ret;
}

int ruleset_link_table(struct ruleset_link *link, const char *table, uint64_t *handle)
{
	char buffer[4096];
	struct nlmsghdr *nlh = ruleset_link_begin(link, buffer, NFT_MSG_GETTABLE, NLM_F_ACK);
	uint64_t found = 0;
	int ret;

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	ret = ruleset_link_ask(link, nlh, table_answer, &found);
	if (!ret)
		*handle = found;
	return ret;
}

static int generation_answer(const struct nlmsghdr *nlh, void *context)
{
	uint32_t *generation = context;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh,
			  sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
						       mnl_attr_get_payload_len(attr) >=
							       sizeof(*generation)) *generation =
		ntohl(mnl_attr_get_u32(attr));
	return 0;
}

int ruleset_generation(struct ruleset_link *link, uint32_t *generation)
{
	char buffer[4096];
	uint32_t found = 0;
	int ret =
		ruleset_link_ask(link, ruleset_link_begin(link, buffer, NFT_MSG_GETGEN, NLM_F_ACK),
				 generation_answer, &found);

	if (!ret)
		*generation = found;
	return ret;
}
