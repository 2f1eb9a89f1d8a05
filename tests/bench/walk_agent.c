/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Agents that find the owner as everybody else does, for each packet anew, and accept:
 *   walk   sock_diag for the exact tuple, then readlink of every descriptor of every process
 *   ss     runs `ss -tnp` and reads the line of the connection
 * Usage: walk_agent QUEUE MARK walk|ss FILE; "ready" on stdout once the queue is bound. SIGTERM
 * ends it: then FILE has "ADDRESS PID" of each packet, PID 0 where it found nobody.
 */
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "queue.h"

#define PACKET_BYTES 80 /* an IPv6 header and TCP's ports */
#define ANSWERS_MAX  (1 << 20)

struct tuple {
	int family;
	uint8_t src[16], dst[16];
	uint16_t sport, dport; /* network order */
};

struct answer {
	struct tuple tuple;
	pid_t pid;
};

static volatile sig_atomic_t ended;

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

/* Without extension headers: the bench sends none. */
static bool tuple_parse(const uint8_t *packet, size_t bytes, struct tuple *tuple)
{
	bool six = bytes && packet[0] >> 4 == 6;
	size_t header = six	? 40
			: bytes ? (packet[0] & 15) * 4U
				: 0,
	       at = six ? 8 : 12, length = six ? 16 : 4;

	if (!bytes || header < 20 || bytes < header + 4)
		return false;
	memset(tuple, 0, sizeof(*tuple));
	tuple->family = six ? AF_INET6 : AF_INET;
	memcpy(tuple->src, packet + at, length);
	memcpy(tuple->dst, packet + at + length, length);
	memcpy(&tuple->sport, packet + header, 2);
	memcpy(&tuple->dport, packet + header + 2, 2);
	return true;
}

static const uint8_t *payload_of(const char *message, ssize_t bytes, size_t *length)
{
	const struct nlmsghdr *nlh = (const void *)message;
	const struct nlattr *attribute;

	if (bytes < (ssize_t)NLMSG_HDRLEN || nlh->nlmsg_len > (size_t)bytes)
		return NULL;
	mnl_attr_for_each(attribute, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == NFQA_PAYLOAD) {
			*length = mnl_attr_get_payload_len(attribute);
			return mnl_attr_get_payload(attribute);
		}
	}
	return NULL;
}

/* The socket's inode by its exact tuple; 0: the kernel knows none. */
static uint32_t find_inode(int diag, const struct tuple *tuple)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 request;
	} question = {
		.nlh = { .nlmsg_len = sizeof(question),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = (uint8_t)tuple->family,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = (uint32_t)-1,
			     .id = { .idiag_sport = tuple->sport,
				     .idiag_dport = tuple->dport,
				     .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	char answer[4096];
	const struct nlmsghdr *nlh = (const void *)answer;
	const struct inet_diag_msg *message;

	memcpy(question.request.id.idiag_src, tuple->src, 16);
	memcpy(question.request.id.idiag_dst, tuple->dst, 16);
	if (send(diag, &question, sizeof(question), 0) < 0 ||
	    recv(diag, answer, sizeof(answer), 0) < (ssize_t)(NLMSG_HDRLEN + sizeof(*message)) ||
	    nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	message = mnl_nlmsg_get_payload(nlh);
	return message->idiag_inode;
}

/* Whether one of a process's descriptors is the socket. All are read: others could hold it, too. */
static bool holds(const char *pid, const char *wanted, ssize_t length)
{
	char path[64], link[64];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	folder = opendir(path);
	if (!folder)
		return false;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' &&
		    readlinkat(dirfd(folder), entry->d_name, link, sizeof(link)) == length &&
		    !memcmp(link, wanted, (size_t)length))
			found = true;
	closedir(folder);
	return found;
}

static pid_t walk(int diag, const struct tuple *tuple)
{
	uint32_t inode = find_inode(diag, tuple);
	struct dirent *entry;
	pid_t found = 0;
	char wanted[32];
	int length;
	DIR *proc;

	if (!inode)
		return 0;
	length = snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    holds(entry->d_name, wanted, length))
			found = atoi(entry->d_name);
	if (proc)
		closedir(proc);
	return found;
}

/* The first pid= on the line with our port and peer. */
static pid_t ask_ss(const struct tuple *tuple)
{
	char line[4096], sport[16], peer[INET6_ADDRSTRLEN];
	pid_t found = 0;
	FILE *pipe = popen("exec /usr/bin/ss -tnp", "re");

	snprintf(sport, sizeof(sport), ":%u ", ntohs(tuple->sport));
	inet_ntop(tuple->family, tuple->dst, peer, sizeof(peer));
	while (pipe && fgets(line, sizeof(line), pipe)) {
		const char *pid = strstr(line, "pid=");

		if (pid && strstr(line, sport) && strstr(line, peer))
			found = atoi(pid + 4);
	}
	if (pipe)
		pclose(pipe);
	return found;
}

static int write_answers(const char *path, const struct answer *answers, unsigned n)
{
	FILE *file = fopen(path, "w");
	char address[INET6_ADDRSTRLEN];

	if (!file)
		return 1;
	for (unsigned i = 0; i < n; i++)
		fprintf(file, "%s %d\n",
			inet_ntop(answers[i].tuple.family, answers[i].tuple.dst, address,
				  sizeof(address)),
			answers[i].pid);
	return fclose(file) ? 1 : 0;
}

/* One packet: held until the owner is known. */
static void answer_packet(int fd, int diag, bool by_ss, struct queue_verdict *verdict,
			  struct answer *answer, const char *message, ssize_t bytes)
{
	const struct nfqnl_msg_packet_hdr *packet = queue_packet(message, bytes);
	size_t length = 0;
	const uint8_t *payload = packet ? payload_of(message, bytes, &length) : NULL;

	if (!packet)
		return;
	if (payload && tuple_parse(payload, length, &answer->tuple))
		answer->pid = by_ss ? ask_ss(&answer->tuple) : walk(diag, &answer->tuple);
	if (queue_send(fd, verdict, packet->packet_id))
		perror("walk_agent: verdict");
}

int main(int argc, char **argv)
{
	const struct sigaction end = { .sa_handler =
					       on_end }; /* no SA_RESTART: recv(2) comes back */
	struct answer *answers = calloc(ANSWERS_MAX, sizeof(*answers));
	struct queue_verdict verdict;
	unsigned n = 0;
	char message[8192];
	int fd, diag;

	if (argc != 5 || !answers) {
		fputs("usage: walk_agent QUEUE MARK walk|ss FILE\n", stderr);
		return 2;
	}
	queue_verdict_init(&verdict, (uint16_t)atoi(argv[1]), (uint32_t)strtoul(argv[2], NULL, 0));
	fd = queue_open((uint16_t)atoi(argv[1]), PACKET_BYTES);
	diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0 || diag < 0) {
		fprintf(stderr, "walk_agent: %s\n", strerror(fd < 0 ? -fd : errno));
		return 1;
	}
	sigaction(SIGTERM, &end, NULL);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		ssize_t bytes = recv(fd, message, sizeof(message), 0);

		if (bytes > 0) {
			answer_packet(fd, diag, !strcmp(argv[3], "ss"), &verdict, &answers[n],
				      message, bytes);
			n += n + 1 < ANSWERS_MAX;
		}
	}
	return write_answers(argv[4], answers, n);
}
