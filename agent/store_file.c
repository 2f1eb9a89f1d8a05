/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's file: made, set aside, opened by a relative name; its content is others' business. */
#include "store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int store_file_make(void)
{
	struct stat st;
	int fd, err = 0;

	/* SQLite gives the WAL and its index the mode of the file they belong to. */
	fd = open(STORE_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd >= 0) {
		if (fchmod(fd, 0640) < 0)
			err = -errno;
		close(fd);
		return err;
	}
	if (errno != EEXIST)
		return -errno;
	if (lstat(STORE_FILE, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

int store_file_set_aside(char **what)
{
	char stamp[32], name[128], wal[160];
	time_t now = time(NULL);
	struct stat st;
	struct tm tm;
	unsigned n;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name, sizeof(name), "%s.corrupt-%s", STORE_FILE, stamp);
	for (n = 1; lstat(name, &st) == 0; n++)
		snprintf(name, sizeof(name), "%s.corrupt-%s-%u", STORE_FILE, stamp, n);
	if (rename(STORE_FILE, name) < 0)
		return -errno;
	snprintf(wal, sizeof(wal), "%s-wal", name);
	if (rename(STORE_FILE "-wal", wal) < 0 && errno != ENOENT)
		return -errno;
	if (unlink(STORE_FILE "-shm") < 0 && errno != ENOENT)
		return -errno;
	free(*what);
	*what = strdup(name);
	return *what ? 0 : -ENOMEM;
}

static int name_as_it_is(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	if (snprintf(out, (size_t)size, "%s", name) >= size)
		return SQLITE_CANTOPEN;
	return SQLITE_OK;
}

/*
 * SQLite makes every name absolute (sqlite3_vfs.xFullPathname), which fails for a process that
 * may use its working directory but not walk there. This is the default VFS without that step.
 * It stays registered: SQLite owns the list, and a second store may use it.
 */
int store_vfs(const char **name)
{
	static const char relative[] = "egressd-relative";
	sqlite3_vfs *base, *vfs;

	if (!sqlite3_vfs_find(relative)) {
		base = sqlite3_vfs_find(NULL);
		vfs = base ? malloc(sizeof(*vfs)) : NULL;
		if (!vfs)
			return -ENOMEM;
		*vfs = *base;
		vfs->pNext = NULL;
		vfs->zName = relative;
		vfs->xFullPathname = name_as_it_is;
		if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK) {
			free(vfs);
			return -ENOMEM;
		}
	}
	*name = relative;
	return 0;
}

int store_pragma(struct store *store, const char *name, int64_t *value)
{
	sqlite3_stmt *statement = NULL;
	char sql[64];
	int code;

	snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_errno(store, code);
}
