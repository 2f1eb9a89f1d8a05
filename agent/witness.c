/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The witness's loop: questions in, notes out; what is learnt is the other witness files' affair.
 */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "pass_fd.h"
#include "witness_internal.h"

#define QUESTIONS_A_TURN 64
#define WAITING_MS	 250  /* between two looks at logs while a question is open */
#define RESTING_MS	 1000 /* and while none is: a mark of where they end */
#define SAY_NS		 (60 * INT64_C(1000000000))
#define FILES_MAX	 4096 /* of this process: two for each log */

static void say_note(const struct note *note)
{
	const struct note_site *site = &note->site;
	const struct note_trigger *trigger = &note->trigger;

	if (note->parts & NOTE_SITE)
		log_debug("witness: record %llu: site %s account=\"%s\" vhost=\"%s\" root=\"%s\" "
			  "(%s)",
			  (unsigned long long)note->id, note_site_from_words[site->from],
			  site->account, site->vhost, site->root, site->source);
	if (note->parts & NOTE_TRIGGER)
		log_debug("witness: record %llu: trigger %s n=%u method=\"%s\" client=\"%s\" "
			  "status=%u log=\"%s\" uri=\"%s\"",
			  (unsigned long long)note->id, note_match_words[trigger->match],
			  trigger->n, trigger->method, trigger->client, trigger->status,
			  trigger->log, trigger->uri);
}

void witness_tell(struct witness *witness, struct note *note)
{
	int len;

	note->ts_ns = clock_ns(CLOCK_REALTIME);
	say_note(note);
	len = wire_encode_note(note, witness->message, sizeof(witness->message));
	if (len < 0 || send(witness->channel_fd, witness->message, (size_t)len,
			    MSG_DONTWAIT | MSG_NOSIGNAL) != len)
		witness->lost_notes++;
}

static void say_lost(struct witness *witness, int64_t now_ns)
{
	if (now_ns - witness->said_ns < SAY_NS)
		return;
	if (witness->lost_notes)
		log_warning("the recorder does not keep up: %llu notes were lost",
			    (unsigned long long)witness->lost_notes);
	if (witness->ended_early)
		log_notice("triggers: %llu questions ended before their time, for newer ones",
			   (unsigned long long)witness->ended_early);
	if (witness->bad_questions)
		log_warning("%llu questions could not be read",
			    (unsigned long long)witness->bad_questions);
	if (witness->lost_notes || witness->ended_early || witness->bad_questions)
		witness->said_ns = now_ns;
	witness->lost_notes = witness->ended_early = witness->bad_questions = 0;
}

bool witness_needs_restart(const struct config *old, const struct config *new)
{
	return old->witness != new->witness || old->trigger_wait_s != new->trigger_wait_s ||
	       strcmp(old->server_status, new->server_status);
}

/* --- questions ------------------------------------------------------------------------------- */

static void answer(struct witness *witness, int exe_fd)
{
	const struct record *record = &witness->record;
	struct witness_site site;

	witness_site_find(witness, record, NULL, NULL, &site);
	memset(&witness->note, 0, sizeof(witness->note));
	witness->note.id = record->id;
	witness_site_note(&site, &witness->note);
	witness_tell(witness, &witness->note);
	witness_object(witness, exe_fd, record);
	if (witness->config->trigger_wait_s)
		witness_trigger_ask(witness, record, &site);
}

/* 1: a question was answered; 0: none waits; -1: nobody asks any more. */
static int take_question(struct witness *witness)
{
	union pass_fd_room room;
	struct iovec vector = { witness->message, sizeof(witness->message) };
	struct msghdr header = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room),
	};
	ssize_t len = recvmsg(witness->asked_fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (len == 0) /* the judge sends no empty ones */
		return -1;
	fd = pass_fd_take(&header);
	if ((header.msg_flags & MSG_TRUNC) ||
	    wire_decode_record(witness->message, (size_t)len, &witness->record) < 0) {
		witness->bad_questions++;
		if (fd >= 0)
			close(fd);
		return 1;
	}
	answer(witness, fd);
	return 1;
}

static bool take_questions(struct witness *witness)
{
	int result = 1;

	/* Where the logs end now, before a look at the sites takes its time. */
	trigger_logs_mark(witness->logs, clock_ns(CLOCK_REALTIME));
	witness_site_renew(witness, clock_ns(CLOCK_MONOTONIC));
	for (unsigned i = 0; i < QUESTIONS_A_TURN && result > 0; i++)
		result = take_question(witness);
	return result >= 0;
}

/* --- start, loop, end ------------------------------------------------------------------------ */

static int open_signals(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_all(struct witness *witness)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
		setrlimit(RLIMIT_NOFILE, &files); /* fewer: fewer logs */
	}
	witness->signal_fd = open_signals();
	witness->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	witness->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (witness->signal_fd < 0 || witness->root_fd < 0 || witness->proc_fd < 0)
		return -errno;
	witness->logs = trigger_logs_new(witness->root_fd);
	if (!witness->logs)
		return -ENOMEM;
	if (witness_object_open(witness))
		return -ENOMEM;
	return witness_trigger_open(witness);
}

/* A second has passed, or a quarter of one while questions wait. */
static void tick(struct witness *witness)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (now_ns - witness->marked_ns >= RESTING_MS * INT64_C(1000000)) {
		trigger_logs_mark(witness->logs, clock_ns(CLOCK_REALTIME));
		witness->marked_ns = now_ns;
	}
	if (witness_trigger_waits(witness))
		witness_trigger_step(witness, false);
	say_lost(witness, now_ns);
}

static void run(struct witness *witness)
{
	struct pollfd fds[] = { { .fd = witness->asked_fd, .events = POLLIN },
				{ .fd = witness->signal_fd, .events = POLLIN } };
	int64_t ticked_ns = 0, now_ns;

	for (;;) {
		int wait_ms = witness_trigger_waits(witness) ? WAITING_MS : RESTING_MS;

		if (poll(fds, 2, witness_object_wait_ms(witness, wait_ms)) < 0 && errno != EINTR) {
			log_error("poll: %s", strerror(errno));
			return;
		}
		if (fds[1].revents)
			return;
		if (fds[0].revents && !take_questions(witness))
			return;
		witness_object_step(witness);
		now_ns = clock_ns(CLOCK_MONOTONIC);
		/* A file that is read a slice at a time does not have the logs looked at each time.
		 */
		if (!fds[0].revents && now_ns - ticked_ns < wait_ms * INT64_C(1000000))
			continue;
		tick(witness);
		ticked_ns = now_ns;
	}
}

int witness_main(const struct config *config, int asked_fd, int channel_fd)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	int error = -ENOMEM;

	if (!witness)
		goto out;
	witness->config = config;
	witness->asked_fd = asked_fd;
	witness->channel_fd = channel_fd;
	witness->signal_fd = witness->root_fd = witness->proc_fd = -1;
	error = open_all(witness);
	if (error)
		goto out;
	witness_site_renew(witness, clock_ns(CLOCK_MONOTONIC));
	log_notice("witness: ready");
	run(witness);
	witness_trigger_step(witness, true);
	witness->said_ns = INT64_MIN / 2;
	say_lost(witness, clock_ns(CLOCK_MONOTONIC));
out:
	if (error)
		log_error("the witness can't start: %s", strerror(-error));
	if (witness) {
		witness_object_close(witness);
		witness_trigger_close(witness);
		trigger_logs_free(witness->logs);
		sites_free(witness->sites);
		if (witness->signal_fd >= 0)
			close(witness->signal_fd);
		if (witness->root_fd >= 0)
			close(witness->root_fd);
		if (witness->proc_fd >= 0)
			close(witness->proc_fd);
	}
	free(witness);
	return error ? 1 : 0;
}
