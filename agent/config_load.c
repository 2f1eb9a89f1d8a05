/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration's edges: its files, and the system's users. What the text means is config.c's.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_scan.h"

#define PASSWD_BYTES_MAX (1U << 20)

/* At most CONFIG_TEXT_MAX + 1 bytes and a NUL, malloc'd: one more than allowed is for the parser
 * to refuse. -EINVAL: no regular file; a FIFO would hold up a reload until somebody writes. */
static int read_file(const char *path, char **text, size_t *len)
{
	size_t used = 0, size = CONFIG_TEXT_MAX + 2;
	char *buffer = NULL;
	ssize_t got = 1;
	int fd, result = 0;
	struct stat st;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		result = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		result = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
		goto out;
	}
	buffer = malloc(size);
	if (!buffer) {
		result = -ENOMEM;
		goto out;
	}
	while (got && used < size - 1) {
		got = read(fd, buffer + used, size - 1 - used);
		if (got < 0 && errno == EINTR) {
			got = 1;
			continue;
		}
		if (got < 0) {
			result = -errno;
			goto out;
		}
		used += (size_t)got;
	}
	buffer[used] = '\0';
	*text = buffer;
	*len = used;
	buffer = NULL;
out:
	free(buffer);
	close(fd);
	return result;
}

static void say(config_error_fn error, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say(config_error_fn error, void *context, const char *format, ...)
{
	char line[PATH_MAX + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	error(context, line);
}

static int load_file(struct config *config, const char *path, config_error_fn error, void *context)
{
	const char *expected;
	unsigned line;
	char *text = NULL;
	size_t len = 0;
	int result;

	result = read_file(path, &text, &len);
	if (result == -EINVAL || result == -ENXIO) { /* ENXIO: a socket, open(2) */
		say(error, context, "%s: is no regular file", path);
		return -EINVAL;
	}
	if (result) {
		say(error, context, "%s: can't be read: %s", path, strerror(-result));
		return result;
	}
	/* Here and not only in config_parse(): that one's text would end at a NUL byte. */
	expected = config_scan_text(text, len, &line);
	if (expected) {
		say(error, context, "%s:%u: text: %s", path, line, expected);
		result = -EINVAL;
	} else {
		result = config_parse(config, path, text, error, context);
	}
	free(text);
	return result;
}

/* ?*.conf as a shell matches it: no hidden files. */
static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* the same in every locale */
}

static int load_folder(struct config *config, const char *folder, config_error_fn error,
		       void *context)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n, result = 0;

	n = scandir(folder, &entries, is_conf, by_name);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0) {
		result = -errno;
		say(error, context, "%s: can't be read: %s", folder, strerror(-result));
		return result;
	}
	for (int i = 0; i < n; i++) {
		int one = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		one = one < (int)sizeof(path) ? load_file(config, path, error, context)
					      : -ENAMETOOLONG;
		result = result ? result : one;
		free(entries[i]);
	}
	free(entries);
	return result;
}

int config_load(struct config *config, const char *file, config_error_fn error, void *context)
{
	const char *slash = strrchr(file, '/');
	struct config loaded;
	char folder[PATH_MAX];
	int result, more, len;

	config_defaults(&loaded);
	result = load_file(&loaded, file, error, context);
	len = snprintf(folder, sizeof(folder), "%.*sconf.d", slash ? (int)(slash + 1 - file) : 0,
		       file);
	if (len >= (int)sizeof(folder))
		return result ? result : -ENAMETOOLONG;
	more = load_folder(&loaded, folder, error, context);
	result = result ? result : more;
	if (!result)
		*config = loaded;
	return result;
}

static bool is_number(const char *name, uid_t *uid)
{
	unsigned long long number;

	if (!*name || strspn(name, "0123456789") != strlen(name))
		return false;
	errno = 0;
	number = strtoull(name, NULL, 10);
	if (errno || number >= UINT32_MAX) /* (uid_t)-1 is nobody's: credentials(7) */
		return false;
	*uid = (uid_t)number;
	return true;
}

/* getpwnam_r or, without a name, getpwuid_r, with as much room as the entry needs. */
static int look_up(const char *name, uid_t by_uid, uid_t *uid, gid_t *gid)
{
	struct passwd entry, *found = NULL;
	size_t size = 1024;
	char *room = NULL;
	int result = ERANGE;

	while (result == ERANGE && size <= PASSWD_BYTES_MAX) {
		char *more = realloc(room, size);

		if (!more) {
			result = ENOMEM;
			break;
		}
		room = more;
		result = name ? getpwnam_r(name, &entry, room, size, &found)
			      : getpwuid_r(by_uid, &entry, room, size, &found);
		size *= 2;
	}
	if (!result && found) {
		*uid = found->pw_uid;
		*gid = found->pw_gid;
	}
	free(room);
	/* POSIX has no error for "not found"; getpwnam(3) lists those that systems give. */
	if (!found && (!result || result == ESRCH || result == EBADF || result == EPERM))
		result = ENOENT;
	return -result;
}

int config_user(const char *name, uid_t *uid, gid_t *gid)
{
	uid_t number;
	gid_t group;

	if (!is_number(name, &number))
		return look_up(name, 0, uid, gid);
	if (look_up(NULL, number, &number, &group))
		group = number;
	*uid = number;
	*gid = group;
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

int config_policy(const struct config *config, struct policy *policy, config_error_fn error,
		  void *context)
{
	struct policy made = { .mode = config->mode, .n_ports = config->n_ports };
	unsigned n = 0;
	int missing = 0, result;
	uid_t uid;
	gid_t gid;

	memcpy(made.ports, config->ports, sizeof(made.ports));
	for (unsigned i = 0; i < config->n_mail_users; i++) {
		result = config_user(config->mail_users[i], &uid, &gid);
		if (!result) {
			made.mail_uids[n++] = uid;
			continue;
		}
		missing++;
		if (result == -ENOENT)
			say(error, context, "mail_users: there is no user \"%s\" on this box",
			    config->mail_users[i]);
		else
			say(error, context, "mail_users: user \"%s\" can't be looked up: %s",
			    config->mail_users[i], strerror(-result));
	}
	qsort(made.mail_uids, n, sizeof(made.mail_uids[0]), by_uid);
	for (unsigned i = 0; i < n; i++)
		if (!i || made.mail_uids[i] != made.mail_uids[i - 1])
			made.mail_uids[made.n_mail_uids++] = made.mail_uids[i];
	for (unsigned i = made.n_mail_uids; i < n; i++)
		made.mail_uids[i] = 0;
	*policy = made;
	return missing;
}
