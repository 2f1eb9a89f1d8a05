/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A note: what is learnt about a record after its verdict, by the witness (witness.h): the site
 * behind it, the web request that triggered it, and the program's file. Several notes may come
 * for one record, in any order, each with the parts that it knows; a later note about the same
 * part replaces the earlier one. Texts are raw bytes, NUL-terminated, chosen by others: escape at
 * output. Empty: not known.
 */
#ifndef AGENT_NOTE_H
#define AGENT_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf-free/owner.h"

enum note_part { NOTE_SITE = 1 << 0, NOTE_TRIGGER = 1 << 1, NOTE_OBJECT = 1 << 2 };

/* What a site's name rests on, best first. Words: note_site_from_words[]. */
enum note_site_from {
	SITE_FROM_NONE,	 /* not known */
	SITE_FROM_VHOST, /* the script lies below a vhost's document root */
	SITE_FROM_HOST,	 /* the request's host names a vhost */
	SITE_FROM_POOL,	 /* the php-fpm pool's user and one vhost that is handed to it */
	SITE_FROM_PANEL, /* a panel's file gives the account's domain */
	SITE_FROM_USER,	 /* one vhost only lies below, or is owned by, that user */
	SITE_FROM_HOME,	 /* the account's home folder, nothing better */
	SITE_FROM_N
};

struct note_site {
	enum note_site_from from;
	char account[64];		    /* the user's name */
	char vhost[OWNER_NAME_BYTES];	    /* the site's main name */
	char root[OWNER_PATH_BYTES];	    /* document root, or home folder */
	char source[OWNER_PATH_BYTES + 16]; /* file:line that says so */
};

/* How sure the trigger is. Words: note_match_words[]. */
enum note_match {
	MATCH_NONE,	  /* no request was open at that moment, or no log could be read */
	MATCH_EXACT,	  /* the pid, or URI and method, are those of the process's request */
	MATCH_PROBABLE,	  /* one request of that site fits in time */
	MATCH_CANDIDATES, /* several do; given is the one that ended next after the SYN */
	MATCH_N
};

struct note_trigger {
	enum note_match match;
	uint32_t n; /* requests that fit */
	char method[16];
	char uri[1024];
	char client[64]; /* address as text, not checked to be one */
	char vhost[OWNER_NAME_BYTES];
	uint16_t status;	    /* of the response; 0: not known */
	int64_t ts_ns;		    /* the log line's own time */
	char log[OWNER_PATH_BYTES]; /* the access log's path; or "server-status" */
};

/* Why an object has no digest or no copy. Words: note_object_why_words[]. */
enum note_object_why {
	OBJECT_WHY_NONE,      /* it has */
	OBJECT_WHY_EXITED,    /* gone before it could be opened */
	OBJECT_WHY_TOO_BIG,   /* above the limit for one object: digest, no copy */
	OBJECT_WHY_BUDGET,    /* the byte budget of copies is spent: digest, no copy */
	OBJECT_WHY_NOT_ASKED, /* it lies on a file system whose server may let us wait (FUSE) */
	OBJECT_WHY_ERROR,
	OBJECT_WHY_N
};

/* The file a suspicious process runs: deleted, memfd, or in a world-writable folder. */
struct note_object {
	enum note_object_why why;
	bool has_digest, has_copy; /* the copy: STATE_DIR/objects/SHA256 */
	uint8_t sha256[32];
	uint64_t bytes;
};

struct note {
	uint64_t id;	/* record.id */
	int64_t ts_ns;	/* when it was made, CLOCK_REALTIME */
	uint32_t parts; /* enum note_part */
	struct note_site site;
	struct note_trigger trigger;
	struct note_object object;
};

extern const char *const note_site_from_words[SITE_FROM_N];
extern const char *const note_match_words[MATCH_N];
extern const char *const note_object_why_words[OBJECT_WHY_N];

#endif
