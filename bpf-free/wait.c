/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a php-fpm status page without blocking, and takes its answer only if it is about the
 * process that still holds the socket. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "describe.h"
#include "fcgi.h"
#include "fpm_status.h"
#include "proc.h"
#include "script.h"
#include "wait.h"

/* fpm_scoreboard.h: how long these texts may be in php-fpm's shared memory, with their NUL */
#define FPM_SCRIPT_BYTES 256
#define FPM_URI_BYTES	 128

/* How often a page is asked until it tells of a request's beginning closely enough. */
#define ASKED_MAX 4

struct owner_wait {
	struct wait_host *host;
	int fd;
	uint64_t begun_ns, deadline_ns;
	struct search_found found;
	struct owner_ref master;
	uint32_t inode;
	bool over, answered;
	struct fpm_quota_key key;
	uint8_t request[4 * FPM_CONF_VALUE + 512];
	size_t sent, request_n;
	unsigned asked;
	struct fcgi_response response;
};

static void make_key(const struct lookup_call *call, const struct owner *owner,
		     struct fpm_quota_key *key)
{
	const char *pool = script_fpm_pool(owner->cmdline, owner->cmdline_bytes);

	memset(key, 0, sizeof(*key));
	key->master = call->call.master.pid;
	key->master_start = call->call.master.start_ticks;
	key->uid = owner->proc.uid;
	strncpy(key->pool, pool ? pool : "", sizeof(key->pool) - 1);
}

int wait_begin(struct wait_host *host, const struct lookup_call *call, const struct owner *owner,
	       uint64_t begun_ns, uint64_t deadline_ns, struct owner_wait **wait)
{
	struct owner_wait *w = calloc(1, sizeof(*w));
	int error = -ENOMEM;

	if (!w)
		goto failed;
	w->request_n =
		fcgi_put_status_request(w->request, sizeof(w->request), call->call.status_path);
	if (!w->request_n) {
		error = -EINVAL;
		goto failed;
	}
	make_key(call, owner, &w->key);
	error = fpm_quota_take(&host->quota, &w->key, clock_mono_ns());
	if (error)
		goto failed;
	w->fd = call->call.fd;
	w->host = host;
	w->begun_ns = begun_ns;
	w->asked = 1;
	w->deadline_ns = deadline_ns;
	w->found = call->found;
	w->master = call->call.master;
	w->inode = owner->inode;
	*wait = w;
	return 0;
failed:
	free(w);
	close(call->call.fd);
	close(call->found.pid_fd);
	return error;
}

int owner_wait_fd(const struct owner_wait *w)
{
	return w->fd;
}

short owner_wait_events(const struct owner_wait *w)
{
	return w->sent < w->request_n ? POLLOUT : POLLIN;
}

uint64_t owner_wait_deadline_ns(const struct owner_wait *w)
{
	return w->deadline_ns;
}

static int fail(struct owner_wait *w, struct owner *owner, enum owner_why why, int error)
{
	w->over = true;
	owner->script_why = why;
	return error;
}

/* Everybody whom the page lists must be a worker of this pool: who writes into the page can
 * only add others. */
static int verify_workers(struct owner_wait *w, const char *pool, const struct fpm_status *status)
{
	struct lookup_workers *workers = calloc(1, sizeof(*workers));
	int error;

	if (!workers)
		return -ENOMEM;
	workers->master = w->master.pid;
	strncpy(workers->pool, pool, sizeof(workers->pool) - 1);
	workers->n = status->n_listed;
	memcpy(workers->pids, status->pids, status->n_listed * sizeof(workers->pids[0]));
	error = w->host->verify(w->host, workers, w->deadline_ns);
	free(workers);
	return error;
}

static bool copy_text(char *out, size_t size, struct fpm_text text)
{
	bool cut = text.len >= size;
	size_t n = cut ? size - 1 : text.len;

	memcpy(out, text.at, n);
	out[n] = 0;
	return cut;
}

static bool is_dash(struct fpm_text text)
{
	return text.len == 1 && *text.at == '-';
}

/* A text that php-fpm's own memory may have cut is said to be cut. */
static int take_texts(struct owner_wait *w, struct owner *owner, const struct fpm_status *status)
{
	struct fpm_text script = status->script;

	if (!script.len || script.at[0] != '/' || script.at[script.len - 1] == '/' ||
	    memchr(script.at, 0, script.len))
		return fail(w, owner, OWNER_WHY_NOT_TRUSTED, -EBADMSG);
	if (copy_text(owner->script, sizeof(owner->script), script) ||
	    script.len >= FPM_SCRIPT_BYTES - 1)
		owner->cut |= OWNER_CUT_SCRIPT;
	if (!is_dash(status->method) &&
	    copy_text(owner->request_method, sizeof(owner->request_method), status->method))
		owner->cut |= OWNER_CUT_REQUEST;
	if (!is_dash(status->uri) &&
	    (copy_text(owner->request_uri, sizeof(owner->request_uri), status->uri) ||
	     status->uri.len >= FPM_URI_BYTES - 1))
		owner->cut |= OWNER_CUT_REQUEST;
	owner->script_from = OWNER_SCRIPT_FPM_STATUS;
	owner->script_why = OWNER_WHY_NONE;
	w->over = true;
	return 0;
}

/*
 * A socket may outlive the request that opened it (pfsockopen() with an asynchronous connect), and
 * the page is about the request of now: it must have begun before the look-up did. The page was
 * made some time before it is read here, so a request just begun can look too young: then the page
 * is asked again.
 */
static bool began_before(const struct owner_wait *w, const struct fpm_status *status)
{
	return status->duration_us >= (clock_mono_ns() - w->begun_ns) / 1000 + 1;
}

static int ask_again(struct owner_wait *w, struct owner *owner)
{
	if (w->asked++ == ASKED_MAX)
		return fail(w, owner, OWNER_WHY_NOT_TOLD, -ENOENT);
	fcgi_response_free(&w->response);
	w->sent = 0;
	return -EAGAIN;
}

/* -EAGAIN: it is asked again. */
static int read_answer(struct owner_wait *w, struct owner *owner)
{
	const char *pool = script_fpm_pool(owner->cmdline, owner->cmdline_bytes);
	struct fpm_status status;
	const char *page;
	bool in_time;
	size_t len;
	int error;

	page = fcgi_page(&w->response, &len);
	if (!page)
		return fail(w, owner, OWNER_WHY_NO_STATUS_PAGE, -ENOENT);
	error = fpm_status_parse(page, len, w->found.pid, &status);
	if (error == -ENOENT)
		return fail(w, owner, OWNER_WHY_NOT_TOLD, error);
	if (error || !pool || strlen(pool) != status.pool.len ||
	    memcmp(pool, status.pool.at, status.pool.len))
		return fail(w, owner, OWNER_WHY_NOT_TRUSTED, -EBADMSG);
	in_time = began_before(w, &status);
	error = verify_workers(w, pool, &status);
	if (error)
		return fail(w, owner, error == -ETIME ? OWNER_WHY_DEADLINE : OWNER_WHY_NOT_TRUSTED,
			    error);
	if (!fpm_status_at_work(&status) || is_dash(status.script))
		return fail(w, owner, OWNER_WHY_NOT_TOLD, -ENOENT);
	if (!in_time)
		return ask_again(w, owner);
	return take_texts(w, owner, &status);
}

static enum owner_why why_of(int error)
{
	return error == EACCES || error == EPERM ? OWNER_WHY_DENIED : OWNER_WHY_ERROR;
}

/* Whoever answered once, but not closely enough, has told nothing. */
static int break_off(struct owner_wait *w, struct owner *owner, enum owner_why why, int error)
{
	return fail(w, owner, w->asked > 1 ? OWNER_WHY_NOT_TOLD : why, error);
}

static int send_question(struct owner_wait *w, struct owner *owner)
{
	while (w->sent < w->request_n) {
		ssize_t n = send(w->fd, w->request + w->sent, w->request_n - w->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return -EINPROGRESS;
		if (n < 0)
			return break_off(w, owner, why_of(errno), -errno);
		w->sent += (size_t)n;
	}
	return 0;
}

/* As read_answer(), when one is there. */
static int receive_answer(struct owner_wait *w, struct owner *owner)
{
	uint8_t bytes[16384];

	for (;;) {
		ssize_t n = recv(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		int result;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -EINPROGRESS;
		if (n <= 0) /* the end came before the answer did */
			return break_off(w, owner, OWNER_WHY_ERROR, n ? -errno : -EPIPE);
		result = fcgi_feed(&w->response, bytes, (size_t)n);
		w->answered |= result != 0; /* not when it only drips */
		if (result < 0)
			return break_off(w, owner,
					 result == -EBADMSG ? OWNER_WHY_NOT_TRUSTED
							    : OWNER_WHY_ERROR,
					 result);
		if (result == 1)
			return read_answer(w, owner);
	}
}

int owner_wait_step(struct owner_wait *w, struct owner *owner)
{
	int error;

	if (w->over)
		return owner->script_why == OWNER_WHY_NONE ? 0 : -ENOENT;
	do {
		if (clock_mono_ns() >= w->deadline_ns)
			return fail(w, owner, OWNER_WHY_DEADLINE, -ETIME);
		error = send_question(w, owner);
		if (!error)
			error = receive_answer(w, owner);
	} while (error == -EAGAIN);
	return error;
}

/* What the page said is about now; the process must be what it was, and still hold it. */
static void forget_answer(struct owner *owner, enum owner_why why)
{
	owner->script[0] = owner->request_method[0] = owner->request_uri[0] = 0;
	owner->script_from = OWNER_SCRIPT_NONE;
	owner->script_why = why;
	owner->cut &= ~(uint32_t)(OWNER_CUT_SCRIPT | OWNER_CUT_REQUEST);
}

void owner_wait_end(struct owner_wait *w, struct owner *owner)
{
	if (!w)
		return;
	if (!w->over)
		owner->script_why = OWNER_WHY_DEADLINE;
	else if (owner->script_from == OWNER_SCRIPT_FPM_STATUS &&
		 !search_still_holds(&w->found, w->inode))
		forget_answer(owner, OWNER_WHY_EXITED);
	fpm_quota_give(&w->host->quota, &w->key, w->answered, clock_mono_ns());
	fcgi_response_free(&w->response);
	close(w->fd);
	close(w->found.pid_fd);
	free(w);
}
