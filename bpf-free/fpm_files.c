/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads php-fpm's configuration files below another process's root, bounded in number, size and
 * time. It only reads regular files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "fpm.h"

#define FILE_BYTES   (1u << 20)
#define MAX_FILES    4096
#define MAX_INCLUDES 8 /* patterns; php-fpm itself nests five deep */

int fpm_open_below(int root_fd, const char *path, int flags, int *fd)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int got = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (got < 0 && errno == ENOSYS) /* before Linux 5.6 */
		got = openat(root_fd, path + strspn(path, "/"), flags | O_CLOEXEC);
	if (got < 0)
		return -errno;
	*fd = got;
	return 0;
}

static void id_of(const struct stat *st, struct fpm_file_id *id)
{
	*id = (struct fpm_file_id){ st->st_dev, st->st_ino, (uint64_t)st->st_size,
				    st->st_mtim.tv_sec, st->st_mtim.tv_nsec };
}

int fpm_file_id(int root_fd, const char *path, struct fpm_file_id *id)
{
	struct stat st;
	int fd, error = fpm_open_below(root_fd, path, O_PATH, &fd);

	if (error)
		return error;
	if (fstat(fd, &st))
		error = -errno;
	close(fd);
	if (!error)
		id_of(&st, id);
	return error;
}

struct reader {
	int root_fd;
	uint64_t deadline_ns;
	struct fpm_files *files;
	char *text; /* FILE_BYTES */
	char includes[MAX_INCLUDES][FPM_CONF_VALUE];
	unsigned n_includes, n_files;
};

static int read_file(struct reader *r, const char *path, struct fpm_file_id *id)
{
	bool had_pool = r->files->conf.pool.found;
	char pattern[FPM_CONF_VALUE];
	size_t have = 0;
	struct stat st;
	int fd, error = fpm_open_below(r->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);

	if (error)
		return error;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size >= FILE_BYTES) {
		close(fd);
		return -EINVAL;
	}
	for (ssize_t n = 1; n > 0 && have<FILE_BYTES; have += n> 0 ? (size_t)n : 0)
		n = read(fd, r->text + have, FILE_BYTES - have);
	close(fd);
	r->n_files++;
	r->files->conf.in_global = true; /* a file does not begin inside another's section */
	r->files->conf.in_pool = false;
	for (const char *line = r->text, *end = r->text + have; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		if (fpm_conf_line(&r->files->conf, line, (size_t)(stop - line), pattern) &&
		    r->n_includes < MAX_INCLUDES)
			memcpy(r->includes[r->n_includes++], pattern, sizeof(pattern));
		line = stop + 1;
	}
	id_of(&st, id);
	if (!had_pool && r->files->conf.pool.found) {
		snprintf(r->files->pool_file, sizeof(r->files->pool_file), "%s", path);
		r->files->pool_id = *id;
	}
	return 0;
}

/* "NAME.conf" is where everybody keeps pool NAME. */
static bool is_named_after(const char *file, const char *pool)
{
	size_t n = strlen(pool);

	return !strncmp(file, pool, n) && !strcmp(file + n, ".conf");
}

static int read_folder(struct reader *r, const char *folder, const char *pattern)
{
	char path[FPM_CONF_VALUE];
	struct fpm_file_id id;
	struct dirent *entry;
	int fd, error = fpm_open_below(r->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd);
	DIR *dir;

	if (error)
		return error;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (int named = 1; named >= 0 && !error; named--) {
		rewinddir(dir);
		while (!r->files->conf.pool.found && (entry = readdir(dir))) {
			if (clock_mono_ns() >= r->deadline_ns || r->n_files >= MAX_FILES) {
				error = -ETIME;
				break;
			}
			if (is_named_after(entry->d_name, r->files->conf.pool_name) != named ||
			    fnmatch(pattern, entry->d_name, FNM_PERIOD) ||
			    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
				    (int)sizeof(path))
				continue;
			read_file(r, path, &id); /* one that can't be read is no pool's */
		}
	}
	closedir(dir);
	return error;
}

/* Wildcards in the last component only; others are not followed. */
static int read_include(struct reader *r, char *pattern)
{
	char *slash = strrchr(pattern, '/');
	struct fpm_file_id id;

	if (pattern[0] != '/')
		return 0;
	if (!strpbrk(pattern, "*?[")) {
		read_file(r, pattern, &id);
		return 0;
	}
	*slash = 0;
	if (strpbrk(pattern, "*?["))
		return 0;
	return read_folder(r, slash == pattern ? "/" : pattern, slash + 1) == -ETIME ? -ETIME : 0;
}

int fpm_files_read(int root_fd, const char *config, const char *pool, uint64_t deadline_ns,
		   struct fpm_files *files)
{
	struct reader *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->text = malloc(FILE_BYTES);
	r->root_fd = root_fd;
	r->deadline_ns = deadline_ns;
	r->files = files;
	memset(files, 0, sizeof(*files));
	fpm_conf_begin(&files->conf, pool);
	error = r->text ? read_file(r, config, &files->main_id) : -ENOMEM;
	for (unsigned i = 0; !error && i < r->n_includes && !files->conf.pool.found; i++)
		error = read_include(r, r->includes[i]);
	free(r->text);
	free(r);
	return error;
}
