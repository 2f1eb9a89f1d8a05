/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and reads the files that configurations include, within bounds; knows no grammar. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sites_files.h"
#include "sites_open.h"

#define FILE_BYTES  (32u << 20)
#define ALL_BYTES   (128u << 20)
#define MAX_FILES   200000 /* counted each time they are read */
#define MAX_ENTRIES 400000

bool files_expired(void *context)
{
	struct sites_files *files = context;
	struct timespec now;

	if (files->stop || files->build->no_memory)
		return true;
	if (files->calls++ % 64)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec < files->deadline_ns)
		return false;
	files->stop = files->build->sites->cut = true;
	return true;
}

static int open_seen(struct sites_files *files, const char *path, int *fd, struct statx *st)
{
	int error = sites_open_stat(files->root_fd, path, fd, st);

	build_seen(files->build, path, false, sites_hash(path, st, error, false));
	return error;
}

bool files_exists(void *context, const char *path)
{
	struct statx st;
	int fd;

	if (open_seen(context, path, &fd, &st))
		return false;
	close(fd);
	return true;
}

static bool within_bounds(struct sites_files *files, const struct statx *st)
{
	bool all = files->n_files < MAX_FILES && st->stx_size < ALL_BYTES - files->bytes;

	if (all && st->stx_size < FILE_BYTES)
		return true;
	files->build->sites->cut = true;
	files->stop |= !all;
	return false;
}

/* As many bytes as the file had when it was looked at; one that grows is read again next time. */
static int read_text(struct sites_files *files, int path_fd, size_t size, char **text, size_t *len)
{
	char *buffer = malloc(size + 1);
	size_t have = 0;
	ssize_t n = 1;
	int fd, error;

	if (!buffer) {
		files->build->no_memory = true;
		return -ENOMEM;
	}
	error = sites_reopen(path_fd, 0, &fd);
	if (error) {
		free(buffer);
		return error;
	}
	while (have < size && (n = read(fd, buffer + have, size - have)) > 0)
		have += (size_t)n;
	if (n < 0)
		error = -errno;
	close(fd);
	if (error) {
		free(buffer);
		return error;
	}
	files->n_files++;
	files->bytes += have;
	*text = buffer;
	*len = have;
	return 0;
}

static bool is_open(const struct sites_files *files, uint64_t dev, uint64_t ino)
{
	for (unsigned i = 0; i < files->depth; i++)
		if (files->open[i].dev == dev && files->open[i].ino == ino)
			return true;
	return false;
}

static int take_file(struct sites_files *files, const char *path, int fd, const struct statx *st,
		     sites_take *take, void *reader)
{
	uint64_t dev = (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
	size_t len;
	char *text;
	int error;

	if (!S_ISREG(st->stx_mode))
		return -EINVAL;
	if (files->depth == FILES_DEPTH || is_open(files, dev, st->stx_ino))
		return -ELOOP;
	if (!within_bounds(files, st))
		return -EFBIG;
	error = read_text(files, fd, st->stx_size, &text, &len);
	if (error)
		return error;
	files->open[files->depth].dev = dev;
	files->open[files->depth].ino = st->stx_ino;
	files->depth++;
	take(reader, path, text, len);
	files->depth--;
	free(text);
	return 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void files_free_names(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

struct list {
	char **names;
	unsigned n, room;
};

static int list_add(struct sites_files *files, struct list *list, const char *name)
{
	if (++files->n_entries > MAX_ENTRIES) {
		files->stop = files->build->sites->cut = true;
		return -EFBIG;
	}
	if (list->n == list->room) {
		unsigned room = list->room ? list->room * 2 : 32;
		char **grown = reallocarray(list->names, room, sizeof(*grown));

		if (!grown)
			goto no_memory;
		list->names = grown;
		list->room = room;
	}
	list->names[list->n] = strdup(name);
	if (!list->names[list->n])
		goto no_memory;
	list->n++;
	return 0;
no_memory:
	files->build->no_memory = true;
	return -ENOMEM;
}

static int read_folder(struct sites_files *files, int path_fd, struct list *list)
{
	int fd, error = sites_reopen(path_fd, O_DIRECTORY, &fd);
	struct dirent *entry;
	DIR *dir;

	if (error)
		return error;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!error && !files_expired(files) && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			error = list_add(files, list, entry->d_name);
	closedir(dir);
	return error;
}

int files_list(struct sites_files *files, const char *folder, char ***names, unsigned *n)
{
	struct list list = { 0 };
	struct statx st;
	int fd, error = open_seen(files, folder, &fd, &st);

	if (error)
		return error;
	error = S_ISDIR(st.stx_mode) ? read_folder(files, fd, &list) : -ENOTDIR;
	close(fd);
	if (error) {
		files_free_names(list.names, list.n);
		return error;
	}
	if (list.n)
		qsort(list.names, list.n, sizeof(*list.names), name_order);
	*names = list.names;
	*n = list.n;
	return 0;
}

/* pattern's part up to the first component with a wildcard; NULL: it has none. */
static const char *first_wild(const char *pattern)
{
	const char *wild = strpbrk(pattern, "*?[");

	while (wild && wild > pattern && wild[-1] != '/')
		wild--;
	return wild;
}

/* Everything that fits, folder by folder, each folder's in order. */
static void expand(struct sites_files *files, const char *pattern, bool hidden, struct list *found)
{
	const char *wild = first_wild(pattern), *behind;
	char folder[SITES_PATH_BYTES], component[NAME_MAX + 1], next[2 * SITES_PATH_BYTES];
	char **names = NULL;
	unsigned n = 0;
	int error;

	if (!wild) {
		list_add(files, found, pattern);
		return;
	}
	behind = strchrnul(wild, '/');
	if (behind - wild > NAME_MAX || wild - pattern >= SITES_PATH_BYTES)
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(wild - pattern), pattern);
	snprintf(component, sizeof(component), "%.*s", (int)(behind - wild), wild);
	error = files_list(files, folder, &names, &n);
	if (error) {
		if (error != -ENOENT && error != -ENOTDIR)
			build_skip(files->build);
		return;
	}
	for (unsigned i = 0; i < n && !files_expired(files); i++) {
		if (fnmatch(component, names[i], hidden ? 0 : FNM_PERIOD))
			continue;
		snprintf(next, sizeof(next), "%s%s%s", folder, names[i], behind);
		if (strlen(next) >= SITES_PATH_BYTES)
			build_skip(files->build);
		else if (*behind)
			expand(files, next, hidden, found);
		else
			list_add(files, found, next);
	}
	files_free_names(names, n);
}

static void take_all(struct sites_files *files, const struct list *list, enum sites_include how,
		     bool must_be, sites_take *take, void *reader, unsigned deep);

/* A folder that apache is told to include: all in it, hidden or not. */
static void take_folder(struct sites_files *files, const char *folder, enum sites_include how,
			sites_take *take, void *reader, unsigned deep)
{
	char pattern[SITES_PATH_BYTES + 2];
	struct list list = { 0 };

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	expand(files, pattern, true, &list);
	take_all(files, &list, how, false, take, reader, deep + 1);
	files_free_names(list.names, list.n);
}

static void take_all(struct sites_files *files, const struct list *list, enum sites_include how,
		     bool must_be, sites_take *take, void *reader, unsigned deep)
{
	struct statx st;
	int fd, error;

	for (unsigned i = 0; i < list->n && !files_expired(files); i++) {
		error = open_seen(files, list->names[i], &fd, &st);
		if (!error && how != SITES_INCLUDE_SORTED && S_ISDIR(st.stx_mode) &&
		    deep < FILES_DEPTH)
			take_folder(files, list->names[i], how, take, reader, deep);
		else if (!error)
			error = take_file(files, list->names[i], fd, &st, take, reader);
		else
			fd = -1;
		if (fd >= 0)
			close(fd);
		if (error && (must_be || error != -ENOENT))
			build_skip(files->build);
	}
}

void files_include(void *context, const char *pattern, enum sites_include how, sites_take *take,
		   void *reader)
{
	struct sites_files *files = context;
	bool is_wild = first_wild(pattern) != NULL;
	struct list found = { 0 };

	if (strlen(pattern) >= SITES_PATH_BYTES) {
		build_skip(files->build);
		return;
	}
	expand(files, pattern, false, &found);
	if (how == SITES_INCLUDE_SORTED && found.n)
		qsort(found.names, found.n, sizeof(*found.names), name_order);
	take_all(files, &found, how, !is_wild && how != SITES_INCLUDE_OPTIONAL, take, reader, 0);
	files_free_names(found.names, found.n);
}
