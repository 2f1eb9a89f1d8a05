/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns this connection, without eBPF: the answer's shape, and the look-up that fills it.
 *
 * An owner is never a guess. Every field is either read from the kernel while the process was
 * proven to be the same one (pid and start time before and after), or left empty; `how` says
 * what the holder rests on, `why` says what stood in the way when there is none.
 *
 * Texts are raw bytes as the kernel gave them (any byte but NUL, except `cmdline`); they were
 * chosen by whoever owns the process and must be escaped at output. A text that did not fit is
 * cut and its OWNER_CUT_* bit is set.
 */
#ifndef BPF_FREE_OWNER_H
#define BPF_FREE_OWNER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OWNER_PATH_BYTES    4096 /* PATH_MAX with its NUL, limits.h */
#define OWNER_CMDLINE_BYTES 4096 /* the first 4095 bytes of /proc/PID/cmdline */
#define OWNER_NAME_BYTES    256
#define OWNER_COMM_BYTES    16 /* TASK_COMM_LEN, include/linux/sched.h */
#define OWNER_HOLDERS	    8
#define OWNER_PARENTS	    8
#define OWNER_UID_NONE	    ((uint32_t)-1) /* (uid_t)-1: "no uid", also "login uid not set" */

/* What the holder in `proc` rests on. Words: owner_how_words[]. */
enum owner_how {
	OWNER_UNKNOWN,	 /* no holder: see `why` */
	OWNER_UNIQUE,	 /* every process was looked at; exactly one holds the socket */
	OWNER_SHARED,	 /* several hold it; proc is the one seen in the call, or the first */
	OWNER_CONFIRMED, /* proc's own fd table holds it; not everybody else was looked at */
	OWNER_IN_FLIGHT, /* nobody's table holds it: passed over a unix socket, not received */
	OWNER_EXITED,	 /* the process was proven, and is gone; proc names it when it is known */
	OWNER_CALLER,	 /* the kernel saw proc call connect(2) for this socket; that proc holds
			  * it (still, or in a table) was not seen */
	OWNER_NO_SOCKET, /* the kernel knows no socket with this tuple (raw packet) */
	OWNER_FOREIGN_NETNS, /* the socket is in another network namespace */
	OWNER_GIVEN,	     /* told by an owners file (replay), not looked up */
	OWNER_HOW_N
};

/* Why something is missing: no holder, or no script. Words: owner_why_words[]. */
enum owner_why {
	OWNER_WHY_NONE,	     /* nothing is missing */
	OWNER_WHY_EXITED,    /* the process was gone before it could be read */
	OWNER_WHY_CLOSED,    /* the socket is there no more (TIME_WAIT, CLOSE, request socket) */
	OWNER_WHY_IN_FLIGHT, /* no fd table holds the inode */
	OWNER_WHY_NO_SOCKET, /* sock_diag knows no such tuple */
	OWNER_WHY_NETNS,     /* another network namespace */
	OWNER_WHY_BUDGET,    /* the descriptor budget was spent before it was found */
	OWNER_WHY_DEADLINE,  /* the time budget was spent before it was found */
	OWNER_WHY_DENIED,    /* the kernel refused to let us read (EPERM, EACCES) */
	OWNER_WHY_KERNEL_SOCKET, /* the socket is the kernel's own (AF_SMC, MPTCP join) */
	OWNER_WHY_REFUSED_FIRST, /* the rule set refused it before it could be looked up */
	OWNER_WHY_NOT_GIVEN,	 /* replay: the owners file has no line for this flow */
	OWNER_WHY_NOT_TOLD, /* script: nothing says which (mod_php, FastCGI, perl -S, a title) */
	OWNER_WHY_NO_STATUS_PAGE, /* script: the php-fpm pool has no status page to ask */
	OWNER_WHY_NOT_TRUSTED,	  /* script: there was an answer, but it may have been forged */
	OWNER_WHY_ERROR,	  /* an error of ours or of the kernel's; logged */
	OWNER_WHY_EXEC, /* script: it executed another program while it was read, so program,
			 * arguments and script are left out */
	OWNER_WHY_N
};

/* How the script is known. Words: owner_script_from_words[]. */
enum owner_script_from {
	OWNER_SCRIPT_NONE,    /* not known; `script` is empty */
	OWNER_SCRIPT_ARGV,    /* an argument of the interpreter; resolved against cwd when the file
			       * is there, else as it stands in argv; OWNER_CUT_SCRIPT when
			       * there was no cwd to resolve it against, or more than one */
	OWNER_SCRIPT_INLINE,  /* the program text is in argv (-c, -e, -r): `script` is empty */
	OWNER_SCRIPT_STDIN,   /* the interpreter reads its program from fd 0: the file there, if any
			       */
	OWNER_SCRIPT_ENVIRON, /* a CGI environment, as php-cgi reads it (the process can fake it) */
	OWNER_SCRIPT_FPM_STATUS, /* php-fpm's own status page named this pid's script */
	OWNER_SCRIPT_TITLE,	 /* the process title (lsphp); the process can fake it */
	OWNER_SCRIPT_MODULE, /* a module's name from argv (python -m, a class of java's, a URL of
			      * deno's): `script` is the name */
	OWNER_SCRIPT_GIVEN,  /* told by an owners file (replay) */
	OWNER_SCRIPT_FROM_N
};

extern const char *const owner_how_words[OWNER_HOW_N];
extern const char *const owner_why_words[OWNER_WHY_N];
extern const char *const owner_script_from_words[OWNER_SCRIPT_FROM_N];

enum owner_cut { /* bits of owner.cut: this text was longer than its field */
		 OWNER_CUT_EXE = 1 << 0,
		 OWNER_CUT_CMDLINE = 1 << 1,
		 OWNER_CUT_CWD = 1 << 2,
		 OWNER_CUT_SCRIPT = 1 << 3,
		 OWNER_CUT_REQUEST = 1 << 4,
		 OWNER_CUT_PARENTS = 1 << 5, /* the chain was longer than OWNER_PARENTS */
		 OWNER_CUT_HOLDERS =
			 1 << 6, /* more holders than OWNER_HOLDERS; n_holders counts all */
};

enum owner_place {				/* bits of owner.exe_place */
		   OWNER_PLACE_FILE = 1 << 0,	/* anybody may write to the file (S_IWOTH) */
		   OWNER_PLACE_FOLDER = 1 << 1, /* anybody may write to a folder on its path */
		   /* Not every folder was looked at: it was moved meanwhile, or only somebody
		    * else than the kernel could tell (FUSE, a network), who may let us wait. */
		   OWNER_PLACE_UNKNOWN = 1 << 2,
};

/* A process named without describing it. start_ticks: field 22 of /proc/PID/stat, in clock
 * ticks since boot (proc(5)); with the pid it names one process of this boot. */
struct owner_ref {
	pid_t pid;    /* 0: no process */
	uint32_t uid; /* real uid */
	uint64_t start_ticks;
	char comm[OWNER_COMM_BYTES]; /* NUL-terminated */
};

struct owner {
	enum owner_how how;
	enum owner_why why;	   /* why no holder; NONE when there is one */
	enum owner_why script_why; /* why an interpreter's script is not known; NONE if it is, or
				    * if the program is no interpreter */
	enum owner_script_from script_from;
	uint32_t cut; /* enum owner_cut */

	/* the socket, from sock_diag (linux/inet_diag.h) */
	bool has_socket;
	uint8_t socket_state; /* TCP_*, netinet/tcp.h */
	uint32_t socket_uid;  /* who owns the socket's inode now; fchown(2) changes it */
	uint32_t inode;
	uint64_t cookie;
	uint64_t cgroup_id; /* 0: the kernel did not say; 1: cgroup v1 or hybrid host */

	/* the process that holds it; all empty when pid is 0 */
	struct owner_ref proc;	    /* .uid is the real uid */
	uint32_t euid, gid;	    /* effective uid, real gid */
	uint32_t login_uid;	    /* /proc/PID/loginuid, OWNER_UID_NONE when not set */
	int64_t start_ns;	    /* start time as ns since the epoch, from start_ticks */
	bool exe_deleted;	    /* the executable's file has no name any more */
	bool exe_memfd;		    /* it never was on a disk: memfd_create(2) */
	uint32_t exe_place;	    /* enum owner_place; of a deleted one, no folders are known */
	uint64_t exe_dev, exe_ino;  /* of the file: major << 32 | minor; both 0 when not known */
	char exe[OWNER_PATH_BYTES]; /* without the kernel's " (deleted)" when exe_deleted; else as
				     * it is, since a file may be named so */
	char cmdline[OWNER_CMDLINE_BYTES]; /* arguments, each ended by NUL; cmdline_bytes long */
	size_t cmdline_bytes;
	char cwd[OWNER_PATH_BYTES];
	char script[OWNER_PATH_BYTES];	  /* never a folder; empty when not known */
	char unit[OWNER_NAME_BYTES];	  /* systemd unit of its cgroup, e.g. php8.2-fpm.service */
	char container[OWNER_NAME_BYTES]; /* e.g. docker:0123456789ab, lxc:name, machine:name */

	/* the request behind it, where a web SAPI told (environ or status page) */
	char request_method[16];
	char request_uri[1024];
	char request_host[OWNER_NAME_BYTES];
	char request_client[64]; /* REMOTE_ADDR, as text, not checked */

	struct owner_ref parents[OWNER_PARENTS]; /* nearest first, ends at pid 0 or n_parents */
	unsigned n_parents;
	struct owner_ref holders[OWNER_HOLDERS]; /* every confirmed holder, proc among them */
	unsigned n_holders; /* may exceed OWNER_HOLDERS: then OWNER_CUT_HOLDERS is set */

	/* What argv[0] and comm say of the program is no name that its file ever had, nor its
	 * script's: it poses as another (a title like "nginx: worker" of a php is one). */
	bool poses;
	/* Who called connect(2) for the socket, as the kernel told while it was made (caller.h).
	 * pid 0: not told. May be another than proc where a socket was passed on. */
	struct owner_ref caller;

	uint32_t lookup_us;  /* what the look-up cost, CLOCK_MONOTONIC */
	uint32_t lookup_fds; /* descriptors read for it before the verdict */
};

/* Everything unknown, nothing missing yet: how UNKNOWN, uids OWNER_UID_NONE, texts empty. */
void owner_init(struct owner *owner);

/*
 * The executable of the described process, opened as a path (O_PATH: nothing can be read from it,
 * and nobody is asked) through its /proc folder, never by its name. proc_dir: "/proc".
 * 0 and *fd; -ESRCH: the process is gone, or runs another file now.
 */
int owner_open_exe(const char *proc_dir, const struct owner *owner, int *fd);

/* The question. Addresses in network byte order, ports in host byte order; an IPv4 address is in
 * the first four bytes. */
struct owner_query {
	uint8_t family; /* AF_INET or AF_INET6: that of the packet */
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t ifindex; /* the packet's output device, 0 if not known: a socket bound to a device
			   * (SO_BINDTODEVICE, no privilege needed) is found with it only */
	bool has_uid;
	uint32_t uid, gid; /* the credential that made the socket, from the queue message */
};

struct owner_budget {
	unsigned fds_held;  /* descriptors read before the first answer is due (64) */
	unsigned ms_held;   /* time before the first answer is due (100) */
	unsigned ms_after;  /* time for owner_continue(), per call */
	unsigned script_ms; /* how long php-fpm's status page may take (20) */
};

/*
 * What tells the finder of calls and processes as they come (caller.h, connector.h): opened with
 * the privileges that a finder does not need, before they are dropped, and kept open as long as a
 * finder uses it. What the kernel does not give is missing, and the finder gets along without:
 * slower, and with less to say of processes that are gone.
 */
struct owner_eyes;

int owner_eyes_open(const uint16_t *ports, unsigned n_ports, struct owner_eyes **eyes);
/* Other mail ports from now on. */
int owner_eyes_ports(const struct owner_eyes *eyes, const uint16_t *ports, unsigned n_ports);
void owner_eyes_free(struct owner_eyes *eyes); /* takes NULL */
/* What is missing: text for the log, "" when nothing is. */
const char *owner_eyes_no_calls(const struct owner_eyes *eyes);
const char *owner_eyes_no_processes(const struct owner_eyes *eyes);

struct owner_finder; /* caches and netlink sockets; one per thread */

/*
 * The look-ups run on a thread of the finder's own, because reading a process's arguments waits as
 * long as it wants. The caller never waits longer than the budget (owner_continue(): and 20 ms). A
 * thread that hangs is left behind with its caches, the processes of that uid are spared such
 * looks while it hangs (arguments and script are then unknown: DEADLINE), so that a user makes at
 * most one of them hang, and a new thread takes over. Such a wait can be killed; what can't be
 * (epoll's fdinfo, memory, a path that FUSE serves) is not looked at. Drop privileges before
 * opening: the threads keep those that the caller has then. Needed for other users' processes are
 * CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (ptrace(2), proc_pid_fd(5)).
 *
 * eyes: NULL for none; the caller's. Opens sock_diag and /proc. proc_dir is "/proc" (a test gives a
 * fake tree: then sock_diag is not opened and owner_find() is not available, only the description
 * functions of describe.h). 0, or -errno with what failed in *what (static text).
 */
int owner_finder_open(struct owner_finder **finder, const char *proc_dir,
		      const struct owner_budget *budget, const struct owner_eyes *eyes,
		      const char **what);
void owner_finder_free(struct owner_finder *finder); /* takes NULL */

/*
 * Does a packet with the same tuple wait behind the one that is asked about? Who holds the queue
 * can tell. A socket that was closed and another one with its tuple sent a packet each, in this
 * order; is there no other one, the closed one never sent any. Without this such an owner stays
 * unknown.
 */
typedef bool (*owner_behind_fn)(void *context, const struct owner_query *query);
void owner_finder_behind(struct owner_finder *finder, owner_behind_fn behind, void *context);

/* Descriptors to wait for: when one is readable owner_tick() takes in what there is. -1: none. */
#define OWNER_FDS 2
void owner_finder_fds(const struct owner_finder *finder, int fds[OWNER_FDS]);
/* Never waits. Says how many events it took in. */
unsigned owner_tick(struct owner_finder *finder);
/* At that moment (CLOCK_MONOTONIC) no packet waited for its owner: of calls before it none is to
 * come. */
void owner_rest(struct owner_finder *finder, uint64_t then_ns);

struct owner_counts {
	uint64_t calls_lost; /* calls of connect(2) that the kernel could not tell */
	uint64_t resyncs;    /* times that the table of processes had to begin anew */
	uint64_t processes;  /* in the table */
};
void owner_finder_counts(const struct owner_finder *finder, struct owner_counts *counts);

/*
 * Finds and describes the owner within the held budget. *owner is always filled (how/why say how
 * far it came).
 *   0             the answer is as good as it gets
 *   -EINPROGRESS  the holder is named, but its php-fpm pool was asked for the script over
 *                 FastCGI: *wait is the question under way. Poll owner_wait_fd() for
 *                 owner_wait_events(), call owner_wait_step() when ready, until it returns
 *                 something else or the deadline passes; then owner_wait_end().
 *   -EAGAIN       no holder within the budget; send the verdict, then owner_continue() may
 *                 still find one.
 */
struct owner_wait;
int owner_find(struct owner_finder *finder, const struct owner_query *query, struct owner *owner,
	       struct owner_wait **wait);

int owner_wait_fd(const struct owner_wait *wait);
short owner_wait_events(const struct owner_wait *wait);		/* POLLIN or POLLOUT */
uint64_t owner_wait_deadline_ns(const struct owner_wait *wait); /* CLOCK_MONOTONIC */
/* -EINPROGRESS, or 0: the script is in *owner; else -errno: script_why says why not. */
int owner_wait_step(struct owner_wait *wait, struct owner *owner);
/* Frees it; when it was still under way, script_why becomes DEADLINE. Takes NULL. Also proves
 * that the described process is still the same one, and holds the socket, else clears the
 * script: an answer about another request is no answer. */
void owner_wait_end(struct owner_wait *wait, struct owner *owner);

/* A packet that nobody is looked up for: the next with its tuple is another one's. */
void owner_pass(struct owner_finder *finder, const struct owner_query *query);

/* Is it time to ask everybody whether they hold the socket of this CONFIRMED answer too? Not when
 * that was just asked about its process or its user. */
bool owner_continue_due(struct owner_finder *finder, const struct owner *owner);

/* After the verdict: looks for every holder of owner->inode for at most budget.ms_after. 0 if
 * one is known (how/why/description filled), -ENOENT if not. Given an answer that is CONFIRMED it
 * keeps the description and may promote it to UNIQUE or SHARED. */
int owner_continue(struct owner_finder *finder, const struct owner_query *query,
		   struct owner *owner);

#endif
