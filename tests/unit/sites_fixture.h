/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A box's configuration in the working folder, for the tests of web/sites*. */
#ifndef TESTS_UNIT_SITES_FIXTURE_H
#define TESTS_UNIT_SITES_FIXTURE_H

#include "fixture.h"

#include <time.h>

#include "web/sites.h"

#define NGINX_COMBINED                                                                             \
	"$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "         \
	"\"$http_referer\" \"$http_user_agent\""

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void put_folder(const char *path)
{
	char part[SITES_PATH_BYTES];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

/* A file with these bytes, and the folders above it; paths are relative to the root. */
static inline void put_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file;

	put_folder(path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

/* An nginx with one http block of this text. */
static inline void put_http(const char *text)
{
	char *whole;

	assert_true(asprintf(&whole, "user www-data;\nevents {}\nhttp {\n%s\n}\n", text) > 0);
	put("etc/nginx/nginx.conf", whole);
	free(whole);
}

static inline int open_root(void)
{
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* The descriptor that the next open gets: the same as before when none was left open. */
static inline int next_fd(void)
{
	int fd = open_root();

	close(fd);
	return fd;
}

static inline struct sites *load_within(uint64_t ns)
{
	struct sites *sites = NULL;
	int before = next_fd(), fd = open_root();

	assert_int_equal(sites_load(fd, NULL, now_ns() + ns, &sites), 0);
	assert_int_equal(sites_stamp(fd, sites), sites->stamp);
	close(fd);
	assert_int_equal(next_fd(), before);
	return sites;
}

static inline struct sites *load(void)
{
	struct sites *sites = load_within(20 * UINT64_C(1000000000));

	assert_false(sites->cut);
	return sites;
}

/* The vhost of that main name; NULL stands for none. */
static inline const struct sites_vhost *vhost_of(const struct sites *sites, const char *name)
{
	for (unsigned i = 0; i < sites->n_vhosts; i++) {
		const char *main_name = sites_name(&sites->vhosts[i]);

		if (name ? main_name && !strcmp(main_name, name) : !main_name)
			return &sites->vhosts[i];
	}
	fail_msg("no vhost %s", name ? name : "without a name");
	return NULL;
}

static inline void assert_log(const struct sites_vhost *vhost, unsigned i, const char *path,
			      const char *format)
{
	assert_true(i < vhost->n_logs);
	assert_string_equal(vhost->logs[i].path, path);
	assert_string_equal(vhost->logs[i].format, format);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_enter, fixture_leave)

#endif
