/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the tracepoint on every CPU, with the privileges that needs; reads no event. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "caller.h"
#include "proc.h"

#define FORMAT_BYTES 8192

/* The folder of tracefs, mounted nowhere: nothing is left behind (fsmount(2)). */
static int open_tracefs(void)
{
	int folder = -1, error, fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		folder = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	error = -errno;
	close(fs);
	return folder < 0 ? error : folder;
}

static int read_format(unsigned *id, struct caller_format *format)
{
	char text[FORMAT_BYTES];
	int folder = open_tracefs(), error;
	size_t len;

	if (folder < 0)
		return folder;
	error = proc_read(folder, "events/sock/inet_sock_set_state/format", text, sizeof(text) - 1,
			  &len);
	close(folder);
	if (error)
		return error;
	text[len] = 0;
	return caller_parse_format(text, id, format);
}

static int set_filter(int fd, const uint16_t *ports, unsigned n_ports)
{
	char filter[96 + CALLER_PORTS * 16];
	int n = snprintf(filter, sizeof(filter),
			 "(newstate == 2 || oldstate == 2) && protocol == 6 && (");

	for (unsigned i = 0; i < n_ports && i < CALLER_PORTS; i++)
		n += snprintf(filter + n, sizeof(filter) - (size_t)n, "%sdport == %u",
			      i ? " || " : "", ports[i]);
	snprintf(filter + n, sizeof(filter) - (size_t)n, ")");
	return ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0 ? -errno : 0;
}

int caller_fds_ports(const struct caller_fds *fds, const uint16_t *ports, unsigned n_ports)
{
	int error = 0;

	for (unsigned i = 0; i < fds->n && !error && n_ports; i++)
		error = set_filter(fds->fds[i], ports, n_ports);
	return error;
}

static int open_cpu(unsigned id, unsigned cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.disabled = 1,
		/* Nobody sleeps on it: who asks reads it. */
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* A CPU that is not online has no event; one that comes later is not seen (caller.h's answer is
 * then none, never a wrong one). */
static int open_cpus(unsigned id, const uint16_t *ports, unsigned n_ports, struct caller_fds *fds)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int error = 0;

	fds->fds = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*fds->fds));
	if (!fds->fds)
		return -ENOMEM;
	for (unsigned cpu = 0; cpu < (unsigned long)cpus && !error; cpu++) {
		int fd = open_cpu(id, cpu);

		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			return -errno;
		fds->fds[fds->n++] = fd;
		error = set_filter(fd, ports, n_ports);
		if (!error && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			error = -errno;
	}
	return error ? error : fds->n ? 0 : -ENODEV;
}

int caller_fds_open(const uint16_t *ports, unsigned n_ports, struct caller_fds *fds,
		    const char **what)
{
	struct caller_fds opened = { 0 };
	unsigned id;
	int error;

	*what = "read the format of the tracepoint sock/inet_sock_set_state";
	error = read_format(&id, &opened.format);
	if (!error) {
		*what = "open the tracepoint sock/inet_sock_set_state";
		error = open_cpus(id, ports, n_ports, &opened);
	}
	if (error) {
		caller_fds_close(&opened);
		return error;
	}
	*fds = opened;
	return 0;
}

void caller_fds_close(struct caller_fds *fds)
{
	for (unsigned i = 0; i < fds->n; i++)
		close(fds->fds[i]);
	free(fds->fds);
	*fds = (struct caller_fds){ 0 };
}
