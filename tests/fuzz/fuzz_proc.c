/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a file of /proc/PID; the first byte chooses which. */
#include <errno.h>
#include <string.h>

#include "bpf-free/hint.h"
#include "bpf-free/proc.h"
#include "take.h"

static void stat_text(const char *text, size_t len)
{
	struct proc_stat stat = { .ppid = -77 };
	int result = proc_parse_stat(text, len, &stat);

	if (result) {
		must(result == -EBADMSG && stat.ppid == -77);
		return;
	}
	must(stat.ppid >= 0 && memchr(stat.comm, '\0', sizeof(stat.comm)));
	must(!len || memmem(text, len, stat.comm, strlen(stat.comm)));
}

/* What was cut off changes no number: it is known, or not. */
static void status_text(const char *text, size_t len, size_t cut_len)
{
	struct proc_status status = { .uid = 77 }, cut = { .uid = 77 };
	int result = proc_parse_status(text, len, &status);

	if (result) {
		must(result == -EBADMSG && status.uid == 77);
	} else if (!proc_parse_status(text, cut_len, &cut)) {
		must(cut.uid == status.uid && cut.euid == status.euid && cut.gid == status.gid);
		must(!cut.fd_slots || cut.fd_slots == status.fd_slots);
	}
}

static void number_text(const char *text, size_t len)
{
	uint32_t number = 77, again = 78;
	char digits[10], *end;

	if (proc_parse_u32(text, len, &number)) {
		must(number == 77);
		return;
	}
	end = proc_put_u32(digits, number);
	must(end > digits && end <= digits + sizeof(digits));
	must(!proc_parse_u32(digits, (size_t)(end - digits), &again) && again == number);
}

static void environ_text(const char *text, size_t len)
{
	static const char *const keys[] = { "SCRIPT_FILENAME", "REQUEST_URI", "A", "HTTP_HOST" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = proc_env_value(text, len, keys[i]);
		size_t n = strlen(keys[i]);

		if (!value)
			continue;
		must(value > text + n && value < text + len && value[-1] == '=');
		must(memchr(value, '\0', (size_t)(text + len - value)));
		must(!memcmp(value - 1 - n, keys[i], n));
		must(value - 1 - n == text || !value[-2 - (ptrdiff_t)n]);
	}
}

static void call_text(const char *text, size_t len)
{
	struct hint_call call = { .number = -77 }, again = { 0 };
	int result = hint_parse_call(text, len, &call), n;
	char made[256];

	if (result) {
		must(call.number == -77);
		must(result == -EBUSY || result == -ENOENT || result == -EBADMSG);
		return;
	}
	must(call.number >= 0);
	n = snprintf(made, sizeof(made), "%ld", call.number);
	for (int i = 0; i < 6; i++)
		n += snprintf(made + n, sizeof(made) - (size_t)n, " 0x%llx",
			      (unsigned long long)call.args[i]);
	must(hint_parse_call(made, (size_t)n, &again) == -EBADMSG); /* its end is not seen */
	made[n++] = '\n';
	must(!hint_parse_call(made, (size_t)n, &again) && again.number == call.number);
	must(!memcmp(again.args, call.args, sizeof(call.args)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t which = take_u8(&take), cut = take_u8(&take);
	const char *text = (const char *)take.at;

	switch (which % 5) {
	case 0:
		stat_text(text, take.left);
		break;
	case 1:
		status_text(text, take.left, take.left > cut ? take.left - cut : 0);
		break;
	case 2:
		number_text(text, take.left);
		break;
	case 3:
		environ_text(text, take.left);
		break;
	default:
		call_text(text, take.left);
	}
	return 0;
}
