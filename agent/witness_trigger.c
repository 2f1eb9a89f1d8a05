/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions that wait for a line of an access log. One is answered when its process was seen to
 * have ended that request: at once where its line is beyond doubt, else when it should be there. It
 * stays open while it may be bettered, until its time is up, since nginx writes the line when the
 * client has read all: what comes later corrects the answer. Their number is bounded, for each user
 * too: the oldest ends first, and then nothing is probable.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "witness_internal.h"

#define QUESTIONS      512
#define QUESTIONS_USER 128
#define SECOND_NS      INT64_C(1000000000)
#define EACH_NS	       (10 * SECOND_NS) /* a user's program is asked about so often … */
#define EACH_N	       30		/* … within it */
#define PROGRAMS       1024
#define OVER_NS	       (2 * SECOND_NS) /* a line comes so soon after its request's end */

static_assert((int)TRIGGER_EXACT == (int)MATCH_EXACT && (int)TRIGGER_NONE == (int)MATCH_NONE &&
		      (int)TRIGGER_CANDIDATES == (int)MATCH_CANDIDATES &&
		      (int)TRIGGER_MATCH_N == (int)MATCH_N,
	      "one order");
static_assert(WITNESS_LOGS <= 32, "a bit for each log");

struct question {
	bool used;
	uint64_t id;
	uint32_t uid;
	int64_t asked_ns, deadline_ns; /* CLOCK_MONOTONIC */
	struct trigger_question what;
	struct trigger_tally tally;
	char *names[WITNESS_NAMES];
	char root[OWNER_PATH_BYTES]; /* document root, "" when it is not known */
	struct witness_watch watch;
	char user[64], pool[OWNER_NAME_BYTES]; /* of the process, where its site is not known */
	bool is_service, site_known;

	pid_t worker; /* whose return to accept(2) ends the request; 0: nobody's */
	uint64_t worker_start;
	bool worker_accepts;
	int64_t over_ns; /* when it was seen there; 0: not yet */

	bool has_told;
	struct note_trigger told; /* its match is NONE where nothing was yet */
	struct note_trigger page; /* what mod_status says; match NONE: nothing */
};

struct witness_triggers {
	struct question questions[QUESTIONS];
	unsigned n;
	struct program {
		int64_t since_ns;
		unsigned n;
	} programs[PROGRAMS];
	struct question *only; /* lines are for this one; NULL: for all that hold the log */
};

int witness_trigger_open(struct witness *witness)
{
	witness->triggers = calloc(1, sizeof(*witness->triggers));
	return witness->triggers ? 0 : -ENOMEM;
}

bool witness_trigger_waits(const struct witness *witness)
{
	return witness->triggers->n > 0;
}

/* --- how often ------------------------------------------------------------------------------- */

static bool may_ask(struct witness_triggers *triggers, uint32_t uid, const char *program,
		    int64_t now_ns)
{
	uint64_t hash =
		0xcbf29ce484222325 ^ uid; /* FNV-1a; who shares a slot shares its questions */
	struct program *slot;

	for (; *program; program++)
		hash = (hash ^ (unsigned char)*program) * 0x100000001b3;
	slot = &triggers->programs[hash % PROGRAMS];
	if (!slot->since_ns || now_ns - slot->since_ns > EACH_NS)
		*slot = (struct program){ .since_ns = now_ns };
	return slot->n++ < EACH_N;
}

/* --- answers --------------------------------------------------------------------------------- */

/* Tells what the lines say by now, if that is news; sure: only what more lines can hardly change;
 * ends: for the last time. */
static void tell(struct witness *witness, struct question *question, bool sure, bool ends)
{
	const struct trigger_best *best;
	struct note *note = &witness->note;
	uint32_t n;
	enum note_match match =
		(enum note_match)trigger_tally_answer(&question->tally, &question->what, &best, &n);

	/* After a first word a doubt is told at once, too. */
	if (sure && match != MATCH_EXACT && question->told.match != MATCH_EXACT)
		return;
	if (match != MATCH_EXACT && question->page.match == MATCH_EXACT)
		best = NULL; /* the page knows better than lines of others */
	memset(note, 0, sizeof(*note));
	note->id = question->id;
	note->parts = NOTE_TRIGGER;
	if (best) {
		note->trigger.match = match;
		note->trigger.n = n;
		witness_fill_trigger(&note->trigger, &best->line);
		snprintf(note->trigger.log, sizeof(note->trigger.log), "%s",
			 trigger_logs_path(witness->logs, best->place.log));
	} else {
		note->trigger = question->page;
	}
	/* That there was none is known only where it could not have gone unseen. */
	if (note->trigger.match == MATCH_NONE && !question->has_told &&
	    (sure || !question->watch.whole || question->tally.partial || question->tally.unread))
		return;
	/* How many they become is told at the end. */
	if (!ends && question->has_told && note->trigger.match == question->told.match &&
	    match == MATCH_CANDIDATES)
		return;
	if (question->has_told && !memcmp(&note->trigger, &question->told, sizeof(note->trigger)))
		return;
	question->has_told = true;
	question->told = note->trigger;
	witness_tell(witness, note);
}

/* early: before its time, so that more lines could have come. */
static void end_question(struct witness *witness, struct question *question, bool early)
{
	const struct witness_watch *watch = &question->watch;

	question->tally.partial |= early;
	for (unsigned i = 0; i < watch->n; i++)
		question->tally.partial |= trigger_logs_release(witness->logs, watch->logs[i]);
	tell(witness, question, false, true);
	for (unsigned i = 0; i < question->what.n_names; i++)
		free(question->names[i]);
	question->used = false;
	witness->triggers->n--;
}

/* The slot for a new question of this user. */
static struct question *make_room(struct witness *witness, uint32_t uid)
{
	struct question *questions = witness->triggers->questions, *oldest = NULL, *free_one = NULL;
	struct question *oldest_of_user = NULL;
	unsigned of_user = 0;

	for (struct question *one = questions; one < questions + QUESTIONS; one++) {
		if (!one->used) {
			free_one = one;
			continue;
		}
		if (!oldest || one->asked_ns < oldest->asked_ns)
			oldest = one;
		if (one->uid != uid)
			continue;
		of_user++;
		if (!oldest_of_user || one->asked_ns < oldest_of_user->asked_ns)
			oldest_of_user = one;
	}
	if (of_user >= QUESTIONS_USER)
		free_one = oldest_of_user;
	else if (!free_one)
		free_one = oldest;
	if (free_one->used) {
		end_question(witness, free_one, true);
		witness->ended_early++;
	}
	return free_one;
}

void witness_trigger_close(struct witness *witness)
{
	struct witness_triggers *triggers = witness->triggers;

	if (!triggers)
		return;
	for (unsigned i = 0; i < QUESTIONS; i++)
		for (unsigned j = 0;
		     triggers->questions[i].used && j < triggers->questions[i].what.n_names; j++)
			free(triggers->questions[i].names[j]);
	free(triggers);
	witness->triggers = NULL;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* Does the server send this as it is? Only where the file is there and is called so: a script may
 * make pictures too. */
static bool is_static(const struct witness *witness, const struct question *question, unsigned log,
		      const struct trigger_line *line)
{
	char path[OWNER_PATH_BYTES];

	if ((strcmp(line->method, "GET") && strcmp(line->method, "HEAD")) ||
	    trigger_uri_path(line->uri, path, sizeof(path)) || !trigger_looks_static(path))
		return false;
	if (!question->site_known)
		return witness_logs_have_file(witness, log, path);
	return question->root[0] && trigger_is_file(witness->root_fd, question->root, path);
}

static void add_line(struct witness *witness, struct question *question, unsigned log, bool shared,
		     const struct trigger_line *line)
{
	struct trigger_place place = {
		.log = log,
		.site_proven = !shared,
	};
	const struct sites_question process = {
		.user = question->user,
		.pool_name = question->pool,
		.is_service = question->is_service,
	};

	if (!line) {
		question->tally.unread++;
		return;
	}
	if (line->vhost[0] && !question->site_known &&
	    trigger_fit(&question->what, line, &place) != TRIGGER_FIT_NO &&
	    witness_logs_is_anothers(witness, &process, line->vhost))
		return;
	if (line->vhost[0] && question->what.n_names &&
	    trigger_is_name(line->vhost, question->names, question->what.n_names))
		place.site_proven = true;
	place.is_static = is_static(witness, question, log, line);
	trigger_tally_add(&question->tally, &question->what, line, &place);
}

static void on_line(void *context, unsigned log, const struct trigger_line *line)
{
	struct witness *witness = context;
	struct witness_triggers *triggers = witness->triggers;

	for (unsigned i = 0, seen = 0; i < QUESTIONS && seen < triggers->n; i++) {
		struct question *question = &triggers->questions[i];

		seen += question->used;
		if (!question->used || (triggers->only && question != triggers->only))
			continue;
		for (unsigned j = 0; j < question->watch.n; j++)
			if (question->watch.logs[j] == log)
				add_line(witness, question, log, question->watch.shared >> j & 1,
					 line);
	}
}

/* --- asking ---------------------------------------------------------------------------------- */

/* The script's own URI, where the request's is not known but its program is. */
static void guess_uri(struct question *question, const struct owner *owner)
{
	struct trigger_question *what = &question->what;
	size_t len = strlen(question->root);

	if ((owner->script_from != OWNER_SCRIPT_ENVIRON &&
	     owner->script_from != OWNER_SCRIPT_TITLE) ||
	    !len || strncmp(owner->script, question->root, len) || owner->script[len] != '/' ||
	    strlen(owner->script + len) >= sizeof(what->uri))
		return;
	strcpy(what->uri, owner->script + len);
	what->uri_is_script = true;
	what->path_only = true;
}

static void describe(struct question *question, const struct record *record,
		     const struct witness_site *site)
{
	const struct owner *owner = &record->owner;
	const struct owner_ref *apache = witness_apache_worker(owner);
	struct trigger_question *what = &question->what;

	what->syn_ns = record->ts_ns;
	what->pid = apache ? apache->pid : 0;
	memcpy(what->method, owner->request_method, sizeof(what->method));
	static_assert(sizeof(what->method) == sizeof(owner->request_method), "one size");
	static_assert(sizeof(what->uri) == sizeof(owner->request_uri), "one size");
	static_assert(sizeof(what->client) == sizeof(owner->request_client), "one size");
	memcpy(what->uri, owner->request_uri, sizeof(what->uri));
	memcpy(what->client, owner->request_client, sizeof(what->client));
	what->uri_cut = owner->cut & OWNER_CUT_REQUEST;
	what->uri_is_script = owner->script_from == OWNER_SCRIPT_FPM_STATUS;
	what->claimed = owner->request_uri[0] && !what->uri_is_script;
	if (site->answer.vhost && site->answer.root &&
	    strlen(site->answer.root) < sizeof(question->root))
		strcpy(question->root, site->answer.root);
	if (!what->uri[0])
		guess_uri(question, owner);
	if (owner->request_uri[0] || apache == &owner->proc) {
		question->worker = owner->proc.pid;
		question->worker_start = owner->proc.start_ticks;
		question->worker_accepts = apache || what->uri_is_script;
	}
}

/* That request is the worker's: what its log's line must be like. */
static void take_row(struct trigger_question *what, const struct trigger_line *row)
{
	memcpy(what->method, row->method, sizeof(row->method));
	memcpy(what->uri, row->uri, sizeof(row->uri));
	memcpy(what->client, row->client, sizeof(row->client));
	what->uri_cut = row->uri_cut;
	what->uri_is_script = false;
	what->claimed = false; /* it is the server's word */
}

/* Which logs its line may come to, and what that leaves in doubt. */
static void watch(struct witness *witness, struct question *question,
		  const struct witness_site *site)
{
	witness_logs_of(witness, site, &question->watch);
	question->site_known = site->answer.vhost != NULL;
	question->what.unlogged = !question->watch.whole;
	question->what.conditional = !question->watch.alike || !question->site_known;
	question->is_service = site->is_service;
	memcpy(question->user, site->user, sizeof(question->user));
	memcpy(question->pool, site->pool, sizeof(question->pool));
}

void witness_trigger_ask(struct witness *witness, const struct record *record,
			 struct witness_site *site)
{
	struct witness_triggers *triggers = witness->triggers;
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct note_trigger page = { 0 };
	struct question *question;
	struct trigger_line row;
	uint32_t uid;

	if (!witness_has_request(record) || !record_charged_uid(record, &uid) ||
	    !may_ask(triggers, uid, record_program(record), now_ns))
		return;
	witness_page_ask(witness, record, &page, &row, site);
	question = make_room(witness, uid);
	memset(question, 0, sizeof(*question));
	question->used = true;
	triggers->n++;
	question->id = record->id;
	question->uid = uid;
	question->asked_ns = now_ns;
	question->deadline_ns = now_ns + witness->config->trigger_wait_s * SECOND_NS;
	question->page = page;
	describe(question, record, site);
	if (page.match == MATCH_EXACT)
		take_row(&question->what, &row);
	question->what.n_names = witness_logs_names(witness, site, question->names);
	question->what.names = question->names;
	watch(witness, question, site);
	triggers->only = question;
	for (unsigned i = 0; i < question->watch.n; i++)
		if (!trigger_logs_hold(witness->logs, question->watch.logs[i],
				       question->what.syn_ns, on_line, witness))
			question->tally.partial = true;
	triggers->only = NULL;
	if (question->page.match == MATCH_EXACT)
		tell(witness, question, false, false);
	if (!question->watch.n)
		end_question(witness, question, false);
}

/* --- time ------------------------------------------------------------------------------------ */

static bool read_proc(const struct witness *witness, pid_t pid, const char *name, char *text,
		      size_t size)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(witness->proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

uint64_t witness_process_start(const struct witness *witness, pid_t pid)
{
	unsigned long long start = 0;
	char text[1024], *at;

	if (!read_proc(witness, pid, "stat", text, sizeof(text)))
		return 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %llu", &start) == 1 ? start : 0;
}

/* Is the worker gone, or waiting for its next request? syscall begins with the number of the call
 * it waits in (proc(5)); asked of root's servers' workers only, who wait nowhere long in exec. */
static bool is_over(const struct witness *witness, const struct question *question)
{
	char text[256];
	long call;

	if (witness_process_start(witness, question->worker) != question->worker_start)
		return true;
	if (!question->worker_accepts ||
	    !read_proc(witness, question->worker, "syscall", text, sizeof(text)) ||
	    sscanf(text, "%ld", &call) != 1)
		return false;
#ifdef SYS_accept
	if (call == SYS_accept)
		return true;
#endif
	return call == SYS_accept4;
}

/* Exact, or several: later lines make it no better. */
static bool is_settled(const struct question *question)
{
	return question->told.match == MATCH_EXACT || (question->told.match == MATCH_CANDIDATES &&
						       question->told.n > 1 && !question->what.pid);
}

void witness_trigger_step(struct witness *witness, bool all)
{
	struct witness_triggers *triggers = witness->triggers;
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	for (unsigned i = 0; i < QUESTIONS; i++) { /* before the lines: they came before its end */
		struct question *question = &triggers->questions[i];

		if (question->used && question->worker && !question->over_ns &&
		    is_over(witness, question))
			question->over_ns = now_ns;
	}
	trigger_logs_read(witness->logs, clock_ns(CLOCK_REALTIME), on_line, witness);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct question *question = &triggers->questions[i];
		bool has_line = question->tally.n_twins > 0 || question->page.match == MATCH_EXACT;

		if (!question->used)
			continue;
		if (all || now_ns >= question->deadline_ns)
			end_question(witness, question, now_ns < question->deadline_ns);
		else if (question->over_ns) /* before, its own line can't be among them */
			tell(witness, question, !has_line || now_ns - question->over_ns < OVER_NS,
			     false);
		if (question->used && question->over_ns && has_line &&
		    now_ns - question->over_ns >= OVER_NS && is_settled(question))
			end_question(witness, question, false);
	}
}
