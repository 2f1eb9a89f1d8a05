/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl show: one verdict, whole; and its packet as a pcapng file that must not exist yet. Or
 * one offender.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "evidence.h"
#include "evidence_block.h"
#include "show_page.h"

struct wanted {
	struct ctl *ctl;
	bool found;
	int code;
};

/* A file of the evidence folder, by the name in the store. The folder belongs to an unprivileged
 * user and egressctl may run as root: no link is followed, nothing but a file is read. */
static int open_evidence(const char *state_dir, const char *name)
{
	char *path;
	struct stat stat;
	int dir, fd;

	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EBADMSG;
	path = show_printf("%s/evidence", state_dir);
	dir = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	free(path);
	if (dir < 0)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(dir);
	if (fd >= 0 && (fstat(fd, &stat) || !S_ISREG(stat.st_mode))) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

/* The comment of a packet that comes from the store's row, not from an evidence file. */
static char *row_comment(const struct store_verdict *verdict, const struct show_options *options)
{
	static const char *const names[] = { "id",     "verdict", "uid",   "user", "pid",
					     "exe",    "script",  "rule",  "site", "trigger",
					     "object", "poses",	  "caller" };
	json_t *object = show_need(json_object());
	char *text;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set_new(object, names[i],
				    show_field_value(show_field_by_name(&show_verdict_kind,
									names[i], strlen(names[i])),
						     verdict, options));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		abort();
	return text;
}

/* What was learnt after the packet was written to its file: from the row. comment malloc'd. */
static char *with_notes(char *comment, const struct store_verdict *verdict,
			const struct show_options *options)
{
	static const char *const names[] = { "site", "trigger", "object" };
	json_t *object = json_loads(comment, 0, NULL);
	char *text = NULL;

	if (json_is_object(object)) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			json_t *value = show_field_value(
				show_field_by_name(&show_verdict_kind, names[i], strlen(names[i])),
				verdict, options);

			if (json_is_object(value))
				json_object_set(object, names[i], value);
			json_decref(value);
		}
		text = json_dumps(object, JSON_COMPACT);
	}
	json_decref(object);
	if (!text || strlen(text) > EVIDENCE_COMMENT_MAX) {
		free(text);
		return comment;
	}
	free(comment);
	return text;
}

/* The packet as it was kept, else the row's excerpt, which is said. bytes and comment malloc'd. */
static int find_packet(struct ctl *ctl, const struct store_verdict *verdict,
		       struct evidence_packet *packet, uint8_t **bytes, char **comment)
{
	const char *file = verdict->evidence_file;
	int fd = -ENOENT, error = -ENOENT;

	if (file && *file)
		error = fd = open_evidence(ctl->config.state_dir, file);
	if (fd >= 0) {
		error = evidence_read(fd, (uint64_t)verdict->evidence_offset, &packet->ts_ns, bytes,
				      &packet->len, &packet->packet_bytes, comment);
		close(fd);
	}
	if (!error) {
		packet->bytes = *bytes;
		if (*comment)
			*comment = with_notes(*comment, verdict, &ctl->show);
		packet->comment = *comment;
		return 0;
	}
	if (verdict->excerpt.len <= 0) {
		ctl_say("verdict %lld: no byte of its packet was kept", (long long)verdict->id);
		return -ENODATA;
	}
	ctl_say("verdict %lld: %s%s%s; writing the store's copy of its first %d bytes",
		(long long)verdict->id, file && *file ? file : "its packet is in no evidence file",
		file && *file ? ": " : "", file && *file ? strerror(-error) : "",
		verdict->excerpt.len);
	*comment = row_comment(verdict, &ctl->show);
	*packet = (struct evidence_packet){
		.ts_ns = verdict->first_ns,
		.bytes = (const uint8_t *)verdict->excerpt.bytes,
		.len = (uint32_t)verdict->excerpt.len,
		.packet_bytes = verdict->packet_bytes > verdict->excerpt.len
					? (uint32_t)verdict->packet_bytes
					: (uint32_t)verdict->excerpt.len,
		.comment = *comment,
	};
	return 0;
}

static int write_new_file(const char *path, const struct evidence_packet *packet)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0) {
		ctl_say("--pcap: %s: %s", path,
			errno == EEXIST ? "exists already, and is not overwritten"
					: strerror(errno));
		return CTL_FAILED;
	}
	error = evidence_write_single(fd, packet);
	if (close(fd) && !error)
		error = -errno;
	if (error) {
		unlink(path);
		ctl_say("--pcap: %s: %s", path, strerror(-error));
		return CTL_FAILED;
	}
	ctl_say("%s: one packet written", path);
	return CTL_OK;
}

static int write_pcap(struct ctl *ctl, const struct store_verdict *verdict)
{
	struct evidence_packet packet = { 0 };
	uint8_t *bytes = NULL;
	char *comment = NULL;
	int code = CTL_FAILED, error;

	if (find_packet(ctl, verdict, &packet, &bytes, &comment))
		goto out;
	if (strcmp(ctl->args.pcap, "-") != 0) {
		code = write_new_file(ctl->args.pcap, &packet);
		goto out;
	}
	error = evidence_write_single(STDOUT_FILENO, &packet);
	code = error ? ctl_write_failed(error) : CTL_OK;
out:
	free(bytes);
	free(comment);
	return code;
}

static int show_json(struct ctl *ctl, const struct store_verdict *verdict)
{
	json_t *object = show_object(&show_verdict_kind, verdict, &ctl->show);
	int error;

	json_object_set_new(object, "excerpt",
			    show_field_value(show_field_by_name(&show_verdict_kind, "excerpt", 7),
					     verdict, &ctl->show));
	error = show_json_write(object, ctl->args.format == FORMAT_JSONL, ctl->show.ascii, stdout);
	json_decref(object);
	return error;
}

static int each(void *context, const struct store_verdict *verdict)
{
	struct wanted *wanted = context;
	struct ctl *ctl = wanted->ctl;
	int error = 0;

	wanted->found = true;
	if (!ctl->args.pcap || strcmp(ctl->args.pcap, "-") != 0)
		error = ctl->args.format == FORMAT_TABLE ? show_page(verdict, &ctl->show, stdout)
							 : show_json(ctl, verdict);
	if (error)
		wanted->code = ctl_write_failed(error);
	else if (ctl->args.pcap)
		wanted->code = write_pcap(ctl, verdict);
	return 0;
}

static int each_offender(void *context, const struct store_offender *offender)
{
	struct wanted *wanted = context;
	struct ctl *ctl = wanted->ctl;
	const struct show_offender row = { .rank = 1, .offender = *offender };
	json_t *object;
	int error;

	wanted->found = true;
	if (ctl->args.format == FORMAT_TABLE) {
		error = show_offender_page(offender, &ctl->show, stdout);
	} else {
		object = show_object(&show_offender_kind, &row, &ctl->show);
		json_object_del(object, "rank");
		error = show_json_write(object, ctl->args.format == FORMAT_JSONL, ctl->show.ascii,
					stdout);
		json_decref(object);
	}
	if (error)
		wanted->code = ctl_write_failed(error);
	return 0;
}

static int show_one(struct ctl *ctl, struct store *store, int64_t id, struct wanted *wanted)
{
	const struct store_filter filter = { .offender = ctl->args.offender };

	if (ctl->args.offender)
		return store_offenders(store, &filter, each_offender, wanted);
	return store_verdict_by_id(store, id, each, wanted);
}

static bool read_id(const char *text, int64_t *id)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < 1)
		return false;
	*id = number;
	return true;
}

int ctl_show(struct ctl *ctl)
{
	struct wanted wanted = { .ctl = ctl };
	struct store *store = NULL;
	int64_t id = ctl->args.offender;
	int code, error;

	if (ctl->args.offender && ctl->args.pcap) {
		ctl_say("show: --pcap is for one verdict, not for --offender");
		return CTL_USAGE;
	}
	if (!ctl->args.offender && !read_id(ctl->args.arguments[0], &id)) {
		ctl_say("show: expected the ID of a verdict (see list-verdicts), got \"%s\"",
			ctl->args.arguments[0]);
		return CTL_USAGE;
	}
	if (ctl->args.format == FORMAT_CSV)
		return ctl_no_csv(ctl);
	code = ctl_store_open(ctl, &store);
	if (code)
		return code;
	error = show_one(ctl, store, id, &wanted);
	if (!wanted.found && (!error || error == -ENOENT)) {
		ctl_say("there is no %s %lld; old ones are removed after keep_days",
			ctl->args.offender ? "offender" : "verdict", (long long)id);
		code = CTL_FAILED;
	} else if (error < 0) {
		code = ctl_store_failed(ctl, store, error);
	} else {
		code = wanted.code;
	}
	store_free(store);
	return code;
}
