/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the witness's files share: witness.c waits, reads questions and sends notes;
 * witness_site.c knows the sites; witness_logs.c which logs are theirs; witness_trigger.c keeps
 * the questions that wait for a log's line; witness_page.c and witness_status.c ask mod_status;
 * witness_object.c takes the program's file.
 */
#ifndef AGENT_WITNESS_INTERNAL_H
#define AGENT_WITNESS_INTERNAL_H

#include "../web/sites.h"
#include "../web/sites_servers.h"
#include "../web/trigger.h"
#include "../web/trigger_logs.h"
#include "config.h"
#include "note.h"
#include "record.h"
#include "wire.h"

#define WITNESS_NAMES 32 /* of one site */
#define WITNESS_LOGS  16 /* of one site */

struct witness_triggers;
struct object_work;

struct witness {
	const struct config *config;
	int asked_fd, channel_fd, root_fd, proc_fd, signal_fd;

	struct sites *sites;
	struct sites_servers servers; /* what ran when they were read */
	int64_t sites_checked_ns;

	struct trigger_logs *logs;
	int64_t marked_ns;

	struct witness_triggers *triggers;
	struct object_work *objects;
	int64_t status_pause_ns; /* until then mod_status is not asked */

	uint64_t lost_notes, bad_questions, ended_early; /* since they were said last */
	int64_t said_ns;

	struct record record; /* the one asked about */
	struct note note;
	uint8_t message[WIRE_BYTES_MAX];
};

/* witness.c: sends what the note's parts say of that record, or counts that it could not. */
void witness_tell(struct witness *witness, struct note *note);

/* witness_site.c: what is known of a record's process, for sites_find(). Texts are its own, or the
 * record's. */
struct witness_site {
	char user[64], home[OWNER_PATH_BYTES], pool[OWNER_NAME_BYTES];
	bool is_service; /* the user's home is nobody's */
	struct sites_question question;
	struct sites_answer answer;
};
/* Loads the sites, and again when their files changed: looked at each few seconds at most. */
void witness_site_renew(struct witness *witness, int64_t now_ns);
/* script, host: better known ones than the record's, or NULL. */
void witness_site_find(const struct witness *witness, const struct record *record,
		       const char *script, const char *host, struct witness_site *site);
void witness_site_note(const struct witness_site *site, struct note *note);

/* witness_logs.c: watches every site's logs, or those that the web servers have open. */
void witness_logs_renew(struct witness *witness);
struct witness_watch {
	unsigned logs[WITNESS_LOGS], n;
	uint32_t shared; /* bit i: others write to logs[i] as well */
	bool whole;	 /* every request that may be the process's comes to one of these logs */
	bool alike;	 /* so does each of those with one URI, or none of them */
};
/* The site's logs; where it is not known those of all that may be it, if they are few. */
void witness_logs_of(struct witness *witness, const struct witness_site *site,
		     struct witness_watch *watch);
/* Have all vhosts that write to this log a file of this path? */
bool witness_logs_have_file(const struct witness *witness, unsigned log, const char *path);
/* Is this a name of sites only that can't be the process's (sites_may_be())? */
bool witness_logs_is_anothers(const struct witness *witness, const struct sites_question *question,
			      const char *vhost);
/* The names that the site goes by, each to be freed; 0 where they are not known, or too many. */
unsigned witness_logs_names(const struct witness *witness, const struct witness_site *site,
			    char *names[WITNESS_NAMES]);

/* witness_page.c. A request's own process, or one that such a process started. */
bool witness_has_request(const struct record *record);
/* Apache's worker: this process, or the nearest one above it that has its user; NULL: none. */
const struct owner_ref *witness_apache_worker(const struct owner *owner);
void witness_fill_trigger(struct note_trigger *out, const struct trigger_line *line);
/* What mod_status says of an Apache worker: *page, match NONE where it says nothing; EXACT: and
 * *row. *site becomes a better one where it knows. */
void witness_page_ask(struct witness *witness, const struct record *record,
		      struct note_trigger *page, struct trigger_line *row,
		      struct witness_site *site);

/* witness_trigger.c */
int witness_trigger_open(struct witness *witness);
void witness_trigger_close(struct witness *witness);
/* *site may be bettered on the way. */
void witness_trigger_ask(struct witness *witness, const struct record *record,
			 struct witness_site *site);
/* Reads the logs, and ends the questions whose time is up (all: every one). */
void witness_trigger_step(struct witness *witness, bool all);
/* Does anything wait for lines? */
bool witness_trigger_waits(const struct witness *witness);

/* Field 22 of /proc/PID/stat; 0: there is no such process. */
uint64_t witness_process_start(const struct witness *witness, pid_t pid);

/* witness_status.c: the row of mod_status for this process, while it is at a request. 0: *line has
 * its method, URI (perhaps cut), client and vhost; -ENOENT: it has none; -errno. Takes half a
 * second at most. */
int witness_status_ask(struct witness *witness, const struct owner_ref *worker,
		       struct trigger_line *line);

/* witness_object.c: fd, or -1: O_PATH of the record's executable; closed here. */
int witness_object_open(struct witness *witness);
void witness_object_close(struct witness *witness);
void witness_object(struct witness *witness, int fd, const struct record *record);
/* A few milliseconds of reading, when it is time for them; how long until then, at most most_ms. */
void witness_object_step(struct witness *witness);
int witness_object_wait_ms(const struct witness *witness, int most_ms);

#endif
