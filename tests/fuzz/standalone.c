/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over the files given as arguments, and those of folders given (not of folders
 * within them), one TAP line each. Each file's bytes end at the end of an allocation of their own,
 * so that a sanitizer sees one byte too far. A target that dies is one that failed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define FILE_MAX (16U << 20)

static unsigned ran, failed;

static void tell(bool good, const char *path, const char *why)
{
	failed += !good;
	printf("%s %u - %s is survived%s%s\n", good ? "ok" : "not ok", ++ran, path,
	       good ? "" : ": ", good ? "" : why);
	fflush(stdout);
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	uint8_t *bytes;
	size_t size;

	if (!file || fstat(fileno(file), &status)) {
		tell(false, path, strerror(errno));
		if (file)
			fclose(file);
		return;
	}
	size = status.st_size < FILE_MAX ? (size_t)status.st_size : FILE_MAX;
	bytes = malloc(size ? size : 1);
	if (!bytes || fread(bytes, 1, size, file) != size) {
		tell(false, path, "can't be read");
	} else {
		LLVMFuzzerTestOneInput(bytes, size);
		tell(true, path, "");
	}
	free(bytes);
	fclose(file);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_folder(const char *path)
{
	struct dirent **entries;
	char name[4096];
	int n = scandir(path, &entries, visible, alphasort);

	if (n <= 0)
		tell(false, path, n ? strerror(errno) : "an empty folder");
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		run_file(name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	struct stat status;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (!stat(argv[i], &status) && S_ISDIR(status.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("1..%u\n", ran);
	return failed > 0;
}
