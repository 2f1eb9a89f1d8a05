/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks Apache's mod_status on this box's loopback what a worker is at; what its page says is
 * web/trigger_status.h's. It asks only where every listener on that port is root's own, since
 * anybody may listen on a high port while Apache does not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../web/trigger_status.h"
#include "clock.h"
#include "witness_internal.h"

#define DEADLINE_NS	 (500 * INT64_C(1000000))
#define PAUSE_NS	 (30 * INT64_C(1000000000)) /* after no answer, or no such page */
#define TCP_LISTEN_STATE 0x0a			    /* of /proc/net/tcp: include/net/tcp_states.h */

struct page {
	int family;
	char host[16];
	uint16_t port;
	const char *path;
};

/* http://127.0.0.1[:PORT]/PATH or http://[::1]…: the configuration lets nothing else in. */
static int take_apart(const char *url, struct page *page)
{
	const char *host = url + strlen("http://"), *path = strchr(host, '/'), *port;

	if (strlen(url) < 8 || !path)
		return -EINVAL;
	page->family = *host == '[' ? AF_INET6 : AF_INET;
	port = memchr(host, page->family == AF_INET6 ? ']' : ':', (size_t)(path - host));
	if (port && page->family == AF_INET6)
		port = port[1] == ':' ? port + 1 : NULL;
	page->port = (uint16_t)(port ? strtoul(port + 1, NULL, 10) : 80);
	page->path = path;
	return 0;
}

/* Does root alone listen there? Lines of /proc/net/tcp and tcp6: proc(5). */
static bool is_roots(const struct witness *witness, uint16_t port)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6" };
	unsigned found = 0, others = 0;
	char line[512];

	for (unsigned i = 0; i < 2; i++) {
		int fd = openat(witness->proc_fd, tables[i], O_RDONLY | O_CLOEXEC);
		FILE *table = fd >= 0 ? fdopen(fd, "r") : NULL;
		unsigned local, state, uid;

		if (!table) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		while (fgets(line, sizeof(line), table)) {
			if (sscanf(line,
				   " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %u",
				   &local, &state, &uid) != 3 ||
			    state != TCP_LISTEN_STATE || local != port)
				continue;
			found++;
			others += uid != 0;
		}
		fclose(table);
	}
	return found && !others;
}

static int await(int fd, short events, int64_t deadline_ns)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int64_t left = deadline_ns - clock_ns(CLOCK_MONOTONIC);

	return left > 0 && poll(&wait, 1, (int)(left / 1000000) + 1) > 0 ? 0 : -ETIMEDOUT;
}

static int open_connection(const struct page *page, int64_t deadline_ns)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(page->port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(page->port),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(page->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return -errno;
	if (page->family == AF_INET6 ? connect(fd, (struct sockaddr *)&six, sizeof(six))
				     : connect(fd, (struct sockaddr *)&four, sizeof(four)))
		error = -errno;
	if (error == -EINPROGRESS) {
		error = await(fd, POLLOUT, deadline_ns);
		if (!error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
			error = -error;
	}
	if (!error)
		return fd;
	close(fd);
	return error;
}

static int exchange(int fd, const struct page *page, char *answer, size_t *len, int64_t deadline_ns)
{
	char request[CONFIG_PATH_BYTES + 128];
	int n = snprintf(request, sizeof(request),
			 "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", page->path,
			 page->family == AF_INET6 ? "[::1]" : "127.0.0.1");
	ssize_t got = send(fd, request, (size_t)n, MSG_NOSIGNAL); /* a new socket has room for it */

	if (got != n)
		return got < 0 ? -errno : -EIO;
	*len = 0;
	while (*len < TRIGGER_STATUS_BYTES) {
		int error = await(fd, POLLIN, deadline_ns);

		if (error)
			return error;
		got = recv(fd, answer + *len, TRIGGER_STATUS_BYTES - *len, MSG_DONTWAIT);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		*len += got > 0 ? (size_t)got : 0;
	}
	return -EFBIG;
}

/* Field 22 of its stat: the same process as that one. */
static bool is_same_process(const struct witness *witness, const struct owner_ref *worker)
{
	return witness_process_start(witness, worker->pid) == worker->start_ticks;
}

int witness_status_ask(struct witness *witness, const struct owner_ref *worker,
		       struct trigger_line *line)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC), deadline_ns = now_ns + DEADLINE_NS;
	const char *html;
	struct page page;
	size_t len, html_len;
	char *answer = NULL;
	int fd = -1, error;

	if (now_ns < witness->status_pause_ns)
		return -EAGAIN;
	error = take_apart(witness->config->server_status, &page);
	if (!error && !is_roots(witness, page.port))
		error = -EACCES;
	if (error)
		goto out;
	answer = malloc(TRIGGER_STATUS_BYTES);
	error = answer ? 0 : -ENOMEM;
	if (error)
		goto out;
	fd = open_connection(&page, deadline_ns);
	error = fd < 0 ? fd : exchange(fd, &page, answer, &len, deadline_ns);
	if (error)
		goto out;
	html = trigger_status_page(answer, len, &html_len);
	error = html ? trigger_status_row(html, html_len, worker->pid, line) : -EBADMSG;
	if (!error && !is_same_process(witness, worker))
		error = -ENOENT;
	if (!error)
		line->time_ns = clock_ns(CLOCK_REALTIME);
out:
	if (error && error != -ENOENT)
		witness->status_pause_ns = clock_ns(CLOCK_MONOTONIC) + PAUSE_NS;
	if (fd >= 0)
		close(fd);
	free(answer);
	return error;
}
