/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/config_keys.h"

/* Error lines as they came, each with a newline. */
struct said {
	char text[8192];
	size_t len;
};

static void hear(void *context, const char *line)
{
	struct said *said = context;
	int n = snprintf(said->text + said->len, sizeof(said->text) - said->len, "%s\n", line);

	assert_true(n > 0 && (size_t)n < sizeof(said->text) - said->len);
	said->len += (size_t)n;
}

struct bad {
	const char *text, *said;
};

#define NAME64 "a234567890123456789012345678901234567890123456789012345678901234"
#define PATH108                                                                                    \
	"/2345678901234567890123456789012345678901234567890123456789012345678901234567890"         \
	"1234567890123456789012345678"

/* In each message the file is "f". */
static const struct bad bads[] = {
	{ "colour = 3", "f:1: colour: expected a key that egressd knows\n" },
	{ "\n\nMode = \"enforce\"", "f:3: Mode: expected a key that egressd knows\n" },
	{ "include(\"/etc/passwd\")", "f:1: include: expected a key that egressd knows\n" },
	{ "include = \"/etc/passwd\"", "f:1: include: expected a key that egressd knows\n" },
	{ "section {\n mode = \"enforce\"\n}",
	  "f:1: section: expected a key that egressd knows\n" },
	{ "mode", "f:1: mode: expected '=' and a value after the key\n" },
	{ "mode \"enforce\"", "f:1: mode: expected '=' and a value after the key\n" },
	{ "mode {\n}", "f:1: mode: expected '=' and a value after the key\n" },
	{ "ports += {26}", "f:1: ports: expected '=' and a value after the key\n" },
	{ "mode =", "f:1: mode: expected a value after '='\n" },
	{ "mode =\n# nothing\n", "f:1: mode: expected a value after '='\n" },
	{ "mode = = \"enforce\"",
	  "f:1: mode: expected a value: a word, a number, or text in quotes\n" },
	{ "= 3", "f:1: =: expected a key\n" },
	{ "mode = enforce;", "f:1: ;: expected a key\n" },
	{ "queue_num = 1\n}", "f:2: }: expected a key\n" },
	{ "@home", "f:1: @: expected a key\n" },
	{ "caf\xc3\xa9 = 1", "f:1: caf: expected a key that egressd knows\n" },
	{ "\xc3\xa9 = 1", "f:1: ?: expected a key\n" },
	{ "\"mode\" = enforce", "f:1: \": expected a key\n" },
	{ "/* no */", "f:1: /: expected a key\n" },
	{ "mode = {\"enforce\"}", "f:1: mode: expected one value, no list\n" },
	{ "queue_num = {1}", "f:1: queue_num: expected one value, no list\n" },
	{ "ports = 25", "f:1: ports: expected a list, as ports = {25, 465, 587}\n" },
	{ "mail_users = \"postfix\"",
	  "f:1: mail_users: expected a list, as mail_users = {\"postfix\"}\n" },
	{ "mode = \"enforce\nqueue_num = 1\n",
	  "f:1: mode: expected a closing quote on the same line\n" },
	{ "table = \"egressd", "f:1: table: expected a closing quote on the same line\n" },
	{ "table = 'egressd", "f:1: table: expected a closing quote on the same line\n" },
	{ "mail_users = {\"postfix\n\"}",
	  "f:1: mail_users: expected a closing quote on the same line\n" },
	{ "ports = {25, 465", "f:1: ports: expected '}' at the end of the list\n" },
	{ "ports = {25,\n 465,\n", "f:3: ports: expected '}' at the end of the list\n" },
	{ "ports = {25 465}", "f:1: ports: expected ',' or '}' after a value of the list\n" },
	{ "ports = {,}", "f:1: ports: expected a value: a word, a number, or text in quotes\n" },
	{ "ports = {25,,465}",
	  "f:1: ports: expected a value: a word, a number, or text in quotes\n" },
	{ "ports = {{25}}", "f:1: ports: expected a value: a word, a number, or text in quotes\n" },
	{ "state_dir = /var/lib/x",
	  "f:1: state_dir: expected a value: a word, a number, or text in quotes\n" },
	{ "state_dir = \"${HOME}\"",
	  "f:1: state_dir: expected plain text: the environment is not read\n" },
	{ "state_dir = '${HOME}'",
	  "f:1: state_dir: expected plain text: the environment is not read\n" },
	{ "mode = ${MODE}", "f:1: mode: expected a value: a word, a number, or text in quotes\n" },
	{ "state_dir = \"/a\\x00b\"",
	  "f:1: state_dir: expected \\\\ or the quote after a backslash\n" },
	{ "state_dir = \"/a\\nb\"",
	  "f:1: state_dir: expected \\\\ or the quote after a backslash\n" },
	{ "mode = \"enforc\"", "f:1: mode: expected \"enforce\" or \"monitor\"\n" },
	{ "mode = Enforce", "f:1: mode: expected \"enforce\" or \"monitor\"\n" },
	{ "mode = \"\"", "f:1: mode: expected \"enforce\" or \"monitor\"\n" },
	{ "ports = {}", "f:1: ports: expected 1 to 64 ports\n" },
	{ "ports = {0}", "f:1: ports: expected ports from 1 to 65535\n" },
	{ "ports = {65536}", "f:1: ports: expected ports from 1 to 65535\n" },
	{ "ports = {smtp}", "f:1: ports: expected ports from 1 to 65535\n" },
	{ "ports = {\"\"}", "f:1: ports: expected ports from 1 to 65535\n" },
	{ "ports = {25, 465, 25}", "f:1: ports: expected each port once, 25 is twice\n" },
	{ "mode = monitor\nqueue_num = 1\nmode = enforce",
	  "f:3: mode: expected once in a file, it stands in line 1, too\n" },
	{ "ports = {25, 0x19}", "f:1: ports: expected each port once, 25 is twice\n" },
	{ "mail_users = {\"a\", \"b\", \"a\"}",
	  "f:1: mail_users: expected each user once, a is twice\n" },
	{ "mail_users = {\"\"}", "f:1: mail_users: expected users' names or numbers\n" },
	{ "mail_users = {\"a b\"}", "f:1: mail_users: expected users' names or numbers\n" },
	{ "mail_users = {\"-x\"}", "f:1: mail_users: expected users' names or numbers\n" },
	{ "mail_users = {\"" NAME64 "\"}", "f:1: mail_users: expected users' names or numbers\n" },
	{ "table = \"\"", "f:1: table: expected a name of at most 63 letters, digits and _, "
			  "beginning with no digit\n" },
	{ "table = \"9to5\"", "f:1: table: expected a name of at most 63 letters, digits and _, "
			      "beginning with no digit\n" },
	{ "table = \"a b\"", "f:1: table: expected a name of at most 63 letters, digits and _, "
			     "beginning with no digit\n" },
	{ "table = \"x; delete table inet y\"",
	  "f:1: table: expected a name of at most 63 letters, digits and _, "
	  "beginning with no digit\n" },
	{ "table = \"" NAME64 "\"",
	  "f:1: table: expected a name of at most 63 letters, digits and _, "
	  "beginning with no digit\n" },
	{ "mark_mask = 0", "f:1: mark_mask: expected a mark from 0x1 to 0xffffffff\n" },
	{ "mark_allow = 0x1ffffffff", "f:1: mark_allow: expected a mark from 0x1 to 0xffffffff\n" },
	{ "mark_deny = 0x", "f:1: mark_deny: expected a mark from 0x1 to 0xffffffff\n" },
	{ "mark_allow = 0x01000000",
	  "f:1: mark_allow: expected a mark within mark_mask 0x00f00000\n" },
	{ "\nmark_deny = 1", "f:2: mark_deny: expected a mark within mark_mask 0x00f00000\n" },
	{ "mark_mask = 0xff\n", "f:1: mark_allow: expected a mark within mark_mask 0x000000ff\n"
				"f:1: mark_deny: expected a mark within mark_mask 0x000000ff\n" },
	{ "mark_deny = 0x00a00000", "f:1: mark_deny: expected another mark than mark_allow\n" },
	{ "nft_program = \"nft\"",
	  "f:1: nft_program: expected an absolute path of at most 1023 bytes\n" },
	{ "nft_program = \"\"",
	  "f:1: nft_program: expected an absolute path of at most 1023 bytes\n" },
	{ "state_dir = \"./x\"",
	  "f:1: state_dir: expected an absolute path of at most 1023 bytes\n" },
	{ "rules_file = \"egressd.nft\"",
	  "f:1: rules_file: expected an absolute path of at most 1023 bytes, or \"\"\n" },
	{ "journal_socket = \"" PATH108 "\"",
	  "f:1: journal_socket: expected an absolute path of at most 107 bytes, or \"\"\n" },
	{ "queue_num = 65536", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = -1", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = 010", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = 1.5", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = \" 1\"", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = \"\"", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = abc", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_num = 0xzz", "f:1: queue_num: expected a whole number from 0 to 65535\n" },
	{ "queue_len = 0", "f:1: queue_len: expected a whole number from 1 to 1048576 packets\n" },
	{ "nflog_group = 65534", "f:1: nflog_group: expected a whole number from 0 to 65533\n" },
	{ "rcvbuf_bytes = 18446744073709551616",
	  "f:1: rcvbuf_bytes: expected a whole number from 65536 to 1073741823 bytes\n" },
	{ "lookup_ms = 100ms", "f:1: lookup_ms: expected a whole number from 1 to 1000 ms\n" },
	{ "excerpt_bytes = 513",
	  "f:1: excerpt_bytes: expected a whole number from 40 to 512 bytes\n" },
	{ "keep_days = 0", "f:1: keep_days: expected a whole number from 1 to 36500 days\n" },
	{ "fail_open = yes", "f:1: fail_open: expected true or false\n" },
	{ "evidence = 1", "f:1: evidence: expected true or false\n" },
	{ "judge_user = \"\"", "f:1: judge_user: expected a user's name or number\n" },
	{ "recorder_user = \"a:b\"", "f:1: recorder_user: expected a user's name or number\n" },
	{ "evidence_offender_bytes = 33554432",
	  "f:1: evidence_offender_bytes: expected at most evidence_file_bytes\n" },
	{ "evidence_total_bytes = 1048576",
	  "f:1: evidence_file_bytes: expected at most evidence_total_bytes\n" },
	{ "objects_bytes = 1048576", "f:1: object_bytes: expected at most objects_bytes\n" },
	{ "mode = \"x\"\ncolour = 1\nqueue_num = 70000\nports = {}\n",
	  "f:1: mode: expected \"enforce\" or \"monitor\"\n"
	  "f:2: colour: expected a key that egressd knows\n"
	  "f:3: queue_num: expected a whole number from 0 to 65535\n"
	  "f:4: ports: expected 1 to 64 ports\n" },
	{ "mode = \"monitor\"\nqueue_num = 0x\nmode = \"enforce\"",
	  "f:2: queue_num: expected a whole number from 0 to 65535\n"
	  "f:3: mode: expected once in a file, it stands in line 1, too\n" },
	{ "table = \"caf\xe9\"\n", "f:1: text: expected UTF-8 without control characters\n" },
	{ "# \xc0\xaf overlong\n", "f:1: text: expected UTF-8 without control characters\n" },
	{ "\n# \xed\xa0\x80 a surrogate\n",
	  "f:2: text: expected UTF-8 without control characters\n" },
	{ "# \xf4\x90\x80\x80\n", "f:1: text: expected UTF-8 without control characters\n" },
	{ "# cut \xe2\x82", "f:1: text: expected UTF-8 without control characters\n" },
	{ "\n\n# \x1b[31m\n", "f:3: text: expected UTF-8 without control characters\n" },
	{ "# \x7f\n", "f:1: text: expected UTF-8 without control characters\n" },
};

static void is_refused(void **state)
{
	const struct bad *bad = *state;
	struct config config, before;
	struct said said = { .len = 0 };

	config_defaults(&config);
	before = config;
	assert_int_equal(config_parse(&config, "f", bad->text, hear, &said), -EINVAL);
	assert_string_equal(said.text, bad->said);
	assert_memory_equal(&config, &before, sizeof(config));
}

static void must_parse(struct config *config, const char *text)
{
	struct said said = { .len = 0 };

	if (config_parse(config, "f", text, hear, &said))
		fail_msg("%s: %s", text, said.text);
	assert_int_equal(said.len, 0);
}

static void every_form_of_value(void **state)
{
	struct config config;

	(void)state;
	config_defaults(&config);
	must_parse(&config, "");
	must_parse(&config, "# only a comment, caf\xc3\xa9 \xf0\x9f\x93\xa7");
	must_parse(&config, "mode=monitor queue_num=7\r\n\ttable = 'x_1' // here too");
	assert_int_equal(config.mode, MODE_MONITOR);
	assert_int_equal(config.queue_num, 7);
	assert_string_equal(config.table, "x_1");
	must_parse(&config, "mode\n=\n\"enforce\"");
	assert_int_equal(config.mode, MODE_ENFORCE);
	must_parse(&config, "ports = {\n 25, # smtp }\n 0x1d1 // \"smtps\n , 587,\n}\n");
	assert_int_equal(config.n_ports, 3);
	assert_int_equal(config.ports[1], 465);
	must_parse(&config, "mail_users = {postfix, \"DOMAIN\\\\mail\", 'o.k-$', 1005}");
	assert_int_equal(config.n_mail_users, 4);
	assert_string_equal(config.mail_users[1], "DOMAIN\\mail");
	assert_string_equal(config.mail_users[3], "1005");
	must_parse(&config, "state_dir = \"/a \\\"b\\\" \\\\ #c //d $e\" evidence = false");
	assert_string_equal(config.state_dir, "/a \"b\" \\ #c //d $e");
	assert_false(config.evidence);
	must_parse(&config, "state_dir = '/it\\'s \"x\"' rules_file = \"\" journal_socket = ''");
	assert_string_equal(config.state_dir, "/it's \"x\"");
	assert_string_equal(config.journal_socket, "");
	must_parse(&config, "queue_num = \"0xFFFF\"");
	assert_int_equal(config.queue_num, 65535);
}

static void a_shorter_value_leaves_nothing(void **state)
{
	struct config config, same;

	(void)state;
	config_defaults(&config);
	same = config;
	must_parse(&config, "state_dir = \"/a/much/longer/path/than/the/default/has\"\n"
			    "ports = {1,2,3,4,5,6} mail_users = {aaaaaaaaaaaa, b, c}\n");
	must_parse(&config, "state_dir = \"/var/lib/egressd\" ports = {25, 465, 587}"
			    "mail_users = {\"postfix\"}");
	assert_memory_equal(&config, &same, sizeof(config));
}

static void nobody_may_be_named(void **state)
{
	struct config config;

	(void)state;
	config_defaults(&config);
	must_parse(&config, "mail_users = {}");
	assert_int_equal(config.n_mail_users, 0);
	assert_string_equal(config.mail_users[0], "");
}

static void lists_have_limits(void **state)
{
	struct said said = { .len = 0 };
	struct config config;
	char text[4096];
	int len;

	(void)state;
	config_defaults(&config);
	for (int n = 64; n <= 65; n++) {
		len = snprintf(text, sizeof(text), "ports = {");
		for (int i = 1; i <= n; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%d,", i);
		snprintf(text + len, sizeof(text) - (size_t)len, "}");
		assert_int_equal(config_parse(&config, "f", text, hear, &said),
				 n == 64 ? 0 : -EINVAL);
		len = snprintf(text, sizeof(text), "mail_users = {");
		for (int i = 1; i <= n; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "u%d,", i);
		snprintf(text + len, sizeof(text) - (size_t)len, "}");
		assert_int_equal(config_parse(&config, "f", text, hear, &said),
				 n == 64 ? 0 : -EINVAL);
	}
	assert_int_equal(config.n_ports, 64);
	assert_int_equal(config.n_mail_users, 64);
	assert_string_equal(said.text, "f:1: ports: expected 1 to 64 ports\n"
				       "f:1: mail_users: expected at most 64 users\n");
}

static void limits_are_inclusive(void **state)
{
	struct config config;
	char text[256];

	(void)state;
	for (unsigned i = 0; i < config_keys_n; i++) {
		const struct config_key *key = &config_keys[i];
		struct said said = { .len = 0 };

		if (key->kind != CONFIG_U16 && key->kind != CONFIG_U32 && key->kind != CONFIG_U64)
			continue;
		for (int high = 0; high < 2; high++) {
			config_defaults(&config);
			config.evidence_file_bytes = config.evidence_offender_bytes = 4096;
			config.evidence_total_bytes = config.objects_bytes = 1ULL << 50;
			config.object_bytes = 4096;
			if (!strcmp(key->name, "evidence_offender_bytes"))
				config.evidence_file_bytes = 1ULL << 40;
			if (!strcmp(key->name, "evidence_file_bytes") && !high)
				config.evidence_offender_bytes = 1024;
			if (!strcmp(key->name, "evidence_total_bytes"))
				config.evidence_file_bytes = 4096;
			snprintf(text, sizeof(text), "%s = %llu", key->name,
				 (unsigned long long)(high ? key->max : key->min));
			must_parse(&config, text);
			if (!high && !key->min)
				continue;
			snprintf(text, sizeof(text), "%s = %llu", key->name,
				 (unsigned long long)(high ? key->max + 1 : key->min - 1));
			assert_int_equal(config_parse(&config, "f", text, hear, &said), -EINVAL);
		}
	}
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	fclose(file);
	return text;
}

#define SHIPPED "deploy/egressd.conf"

static void shipped_file_is_the_defaults(void **state)
{
	char *text = read_text(SHIPPED);
	struct config config, defaults;

	(void)state;
	config_defaults(&defaults);
	memset(&config, 0, sizeof(config)); /* so that a key left out would show */
	config.mark_mask = UINT32_MAX;
	must_parse(&config, text);
	assert_memory_equal(&config, &defaults, sizeof(config));
	free(text);
}

/* Each key stands there once, at the start of a line, under a comment that is its own or its
 * neighbour's; a number's comment gives its limits. */
static void shipped_file_documents_each_key(void **state)
{
	char *text = read_text(SHIPPED), line[128], limits[64], *at, *comment;

	(void)state;
	for (unsigned i = 0; i < config_keys_n; i++) {
		const struct config_key *key = &config_keys[i];

		snprintf(line, sizeof(line), "\n%s = ", key->name);
		at = strstr(text, line);
		if (!at)
			fail_msg("%s is not in " SHIPPED, key->name);
		assert_null(strstr(at + 1, line));
		if (key->kind != CONFIG_U16 && key->kind != CONFIG_U32)
			continue;
		*at = '\0';
		comment = strrchr(text, '#');
		while (comment > text &&
		       strncmp(comment - 2, "\n\n", 2)) /* the paragraph's start */
			comment--;
		snprintf(limits, sizeof(limits), "%llu to %llu", (unsigned long long)key->min,
			 (unsigned long long)key->max);
		for (char *c = comment; *c; c++) /* a limit may be broken over two lines */
			if (!strncmp(c, "\n# ", 3))
				memmove(c, c + 2, strlen(c + 2) + 1), *c = ' ';
		if (!strstr(comment, limits) && key->kind == CONFIG_U32 &&
		    !strstr(comment, strchr(limits, ' ') + 1))
			fail_msg("the comment of %s does not say %s: %s", key->name, limits,
				 comment);
		free(text);
		text = read_text(SHIPPED);
	}
	free(text);
}

static void text_reads_back(void **state)
{
	struct config config, back;
	char *text;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		config_defaults(&config);
		if (round)
			must_parse(
				&config,
				"mode = monitor mail_users = {} ports = {1, 65535}"
				"mark_mask = 0xf mark_allow = 1 mark_deny = 0x8 fail_open = false\n"
				"state_dir = \"/a \\\"b\\\" \\\\ #c //d $e 'f' \xc3\xa9\"\n"
				"judge_user = \"A\\\\b\" journal_socket = \"\" keep_days = 1 "
				"store_bytes = 1125899906842624 rules_file = '/x'");
		text = config_text(&config);
		assert_non_null(text);
		memset(&back, 0, sizeof(back));
		must_parse(&back, text);
		assert_memory_equal(&back, &config, sizeof(config));
		free(text);
	}
}

/* A folder with files, gone after the test. */
struct folder {
	char path[64];
};

static void write_file(const struct folder *folder, const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	char path[128];

	strcpy(folder->path, "/tmp/egressd-test-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	snprintf(path, sizeof(path), "%s/conf.d", folder->path);
	*state = folder;
	return mkdir(path, 0700);
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	static const char *const names[] = { "egressd.conf",	 "conf.d/10-a.conf",
					     "conf.d/9-b.conf",	 "conf.d/.hidden.conf",
					     "conf.d/.conf",	 "conf.d/old.conf~",
					     "conf.d/20-c.conf", "conf.d" };
	char path[256];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
		remove(path);
	}
	rmdir(folder->path);
	free(folder);
	return 0;
}

static int load(const struct folder *folder, struct config *config, struct said *said)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/egressd.conf", folder->path);
	return config_load(config, path, hear, said);
}

#define WRITE(name, text) write_file(folder, name, text, sizeof(text) - 1)

static void folder_is_read_in_order(void **state)
{
	struct folder *folder = *state;
	struct said said = { .len = 0 };
	struct config config;

	memset(&config, 0xee, sizeof(config)); /* what was there does not shine through */
	WRITE("egressd.conf", "mode = monitor queue_num = 1 table = a");
	WRITE("conf.d/9-b.conf", "queue_num = 9");
	WRITE("conf.d/10-a.conf", "queue_num = 10 table = b");
	WRITE("conf.d/.hidden.conf", "queue_num = 11");
	WRITE("conf.d/.conf", "queue_num = 12");
	WRITE("conf.d/old.conf~", "queue_num = 13");
	assert_int_equal(load(folder, &config, &said), 0);
	assert_int_equal(config.mode, MODE_MONITOR);
	assert_int_equal(config.queue_num, 9); /* "10-" sorts before "9-" */
	assert_string_equal(config.table, "b");
	assert_int_equal(config.queue_len, 16384);
}

static void a_bad_file_changes_nothing(void **state)
{
	struct folder *folder = *state;
	struct said said = { .len = 0 };
	struct config config, before;
	char expected[512];

	memset(&config, 0xee, sizeof(config));
	before = config;
	WRITE("egressd.conf", "mode = monitor");
	WRITE("conf.d/10-a.conf", "\nmode = x");
	WRITE("conf.d/20-c.conf", "ports = {}");
	assert_int_equal(load(folder, &config, &said), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s/conf.d/10-a.conf:2: mode: expected \"enforce\" or \"monitor\"\n"
		 "%s/conf.d/20-c.conf:1: ports: expected 1 to 64 ports\n",
		 folder->path, folder->path);
	assert_string_equal(said.text, expected);
	assert_memory_equal(&config, &before, sizeof(config));
}

static void a_missing_file_is_said(void **state)
{
	struct folder *folder = *state;
	struct said said = { .len = 0 };
	struct config config;
	char expected[512];

	assert_int_equal(load(folder, &config, &said), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "%s/egressd.conf: can't be read: No such file or directory\n", folder->path);
	assert_string_equal(said.text, expected);
	said.len = 0;
	assert_int_equal(config_load(&config, folder->path, hear, &said), -EISDIR);
}

/* Without a reader's guard against it this test would not end. */
static void what_is_no_regular_file_is_refused_at_once(void **state)
{
	struct folder *folder = *state;
	struct said said = { .len = 0 };
	struct config config;
	char expected[512], path[256];

	snprintf(path, sizeof(path), "%s/egressd.conf", folder->path);
	snprintf(expected, sizeof(expected), "%s: is no regular file\n", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load(folder, &config, &said), -EINVAL);
	assert_string_equal(said.text, expected);
	assert_int_equal(unlink(path), 0);
	said.len = 0;
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(load(folder, &config, &said), -EINVAL);
	assert_string_equal(said.text, expected);
	assert_int_equal(unlink(path), 0);
	WRITE("egressd.conf", "mode = monitor");
	snprintf(path, sizeof(path), "%s/conf.d/10-a.conf", folder->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load(folder, &config, &said), -EINVAL);
}

static void a_nul_byte_is_refused(void **state)
{
	struct folder *folder = *state;
	struct said said = { .len = 0 };
	struct config config;
	char expected[512];

	WRITE("egressd.conf", "mode = monitor\n\0queue_num = 70000");
	assert_int_equal(load(folder, &config, &said), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s/egressd.conf:2: text: expected UTF-8 without control characters\n",
		 folder->path);
	assert_string_equal(said.text, expected);
}

static void a_long_file_is_refused(void **state)
{
	struct folder *folder = *state;
	size_t max = 1048576;
	char *text = malloc(max + 100), expected[512];
	struct said said = { .len = 0 };
	struct config config;

	assert_non_null(text);
	memset(text, '#', max + 100);
	write_file(folder, "egressd.conf", text, max);
	assert_int_equal(load(folder, &config, &said), 0);
	snprintf(expected, sizeof(expected),
		 "%s/egressd.conf:1: text: expected a file of at most 1048576 bytes\n",
		 folder->path);
	for (size_t more = 1; more <= 100; more += 99) {
		said.len = 0;
		write_file(folder, "egressd.conf", text, max + more);
		assert_int_equal(load(folder, &config, &said), -EINVAL);
		assert_string_equal(said.text, expected);
	}
	free(text);
}

static void users_become_uids(void **state)
{
	struct said said = { .len = 0 };
	struct config config;
	struct policy policy;

	(void)state;
	config_defaults(&config);
	must_parse(&config, "mode = monitor ports = {26, 25}"
			    "mail_users = {4294967294, daemon, root, 0, no-such-user-here, 77}");
	memset(&policy, 0xee, sizeof(policy));
	assert_int_equal(config_policy(&config, &policy, hear, &said), 1);
	assert_string_equal(said.text,
			    "mail_users: there is no user \"no-such-user-here\" on this box\n");
	assert_int_equal(policy.mode, MODE_MONITOR);
	assert_int_equal(policy.n_ports, 2);
	assert_int_equal(policy.ports[0], 26);
	assert_int_equal(policy.n_mail_uids, 4); /* root and 0 are one */
	assert_int_equal(policy.mail_uids[0], 0);
	assert_int_equal(policy.mail_uids[1], 1); /* daemon, on every Linux */
	assert_int_equal(policy.mail_uids[2], 77);
	assert_int_equal(policy.mail_uids[3], 4294967294U);
}

static void a_missing_user_lets_nobody_out(void **state)
{
	struct said said = { .len = 0 };
	struct config config;
	struct policy policy;

	(void)state;
	config_defaults(&config);
	must_parse(&config, "mail_users = {\"no-such-user-here\"}");
	assert_int_equal(config_policy(&config, &policy, hear, &said), 1);
	assert_int_equal(policy.n_mail_uids, 0);
	assert_false(policy_is_mail_uid(&policy, 0));
}

static void users_by_name_or_number(void **state)
{
	uid_t uid = 5;
	gid_t gid = 6;

	(void)state;
	assert_int_equal(config_user("no-such-user-here", &uid, &gid), -ENOENT);
	assert_int_equal(config_user("", &uid, &gid), -ENOENT);
	assert_int_equal(config_user("4294967295", &uid, &gid), -ENOENT); /* (uid_t)-1 */
	assert_int_equal(config_user("99999999999999999999", &uid, &gid), -ENOENT);
	assert_true(uid == 5 && gid == 6);
	assert_int_equal(config_user("root", &uid, &gid), 0);
	assert_true(uid == 0 && gid == 0);
	assert_int_equal(config_user("3999999999", &uid, &gid), 0);
	assert_true(uid == 3999999999U && gid == 3999999999U);
}

#define BADS (sizeof(bads) / sizeof(bads[0]))

int main(void)
{
	static char names[BADS][96];
	static const struct CMUnitTest others[] = {
		{ "quotes, words, comments, lists and escapes are read", every_form_of_value },
		{ "a shorter value leaves nothing of a longer one",
		  a_shorter_value_leaves_nothing },
		{ "mail_users may be empty: nobody may send", nobody_may_be_named },
		{ "64 ports and 64 users fit, 65 are refused", lists_have_limits },
		{ "each number's limits belong to it, the next numbers don't",
		  limits_are_inclusive },
		{ "the shipped file is the defaults, key for key", shipped_file_is_the_defaults },
		{ "the shipped file documents each key once, with its limits",
		  shipped_file_documents_each_key },
		{ "the text of a configuration reads back to the same", text_reads_back },
		{ "conf.d is read after the file, in the order of names, hidden files left out",
		  folder_is_read_in_order, make_folder, remove_folder },
		{ "errors in several files are all said, and nothing is changed",
		  a_bad_file_changes_nothing, make_folder, remove_folder },
		{ "a file that can't be read is said", a_missing_file_is_said, make_folder,
		  remove_folder },
		{ "a FIFO or a device is refused at once, and said",
		  what_is_no_regular_file_is_refused_at_once, make_folder, remove_folder },
		{ "a NUL byte does not end a file early", a_nul_byte_is_refused, make_folder,
		  remove_folder },
		{ "a file of 1 MiB is read, a longer one refused", a_long_file_is_refused,
		  make_folder, remove_folder },
		{ "mail users become sorted uids, each once; a missing one is said",
		  users_become_uids },
		{ "a missing mail user lets nobody out", a_missing_user_lets_nobody_out },
		{ "a user is looked up by name, or given as a number", users_by_name_or_number },
	};
	struct CMUnitTest tests[BADS + sizeof(others) / sizeof(others[0])] = { 0 };

	for (size_t i = 0; i < BADS; i++) {
		int head = (int)strcspn(bads[i].said, "\n");

		snprintf(names[i], sizeof(names[i]), "refused (%zu): %.*s", i, head, bads[i].said);
		tests[i] =
			(struct CMUnitTest){ names[i], is_refused, NULL, NULL, (void *)&bads[i] };
	}
	memcpy(tests + BADS, others, sizeof(others));
	return _cmocka_run_group_tests("config", tests, sizeof(tests) / sizeof(tests[0]), NULL,
				       NULL);
}
