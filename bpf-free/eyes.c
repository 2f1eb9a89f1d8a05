/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens what needs privileges; each on its own, since one may be had without the other. */
#include "eyes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

int owner_eyes_open(const uint16_t *ports, unsigned n_ports, struct owner_eyes **eyes)
{
	struct owner_eyes *e = calloc(1, sizeof(*e));
	const char *what = "";
	int error;

	if (!e)
		return -ENOMEM;
	error = caller_fds_open(ports, n_ports, &e->calls, &what);
	if (error)
		snprintf(e->no_calls, sizeof(e->no_calls), "%s: %s", what, strerror(-error));
	e->connector.fd = -1;
	error = connector_open(&e->connector, &what);
	if (error)
		snprintf(e->no_processes, sizeof(e->no_processes), "%s: %s", what,
			 strerror(-error));
	*eyes = e;
	return 0;
}

int owner_eyes_ports(const struct owner_eyes *e, const uint16_t *ports, unsigned n_ports)
{
	return caller_fds_ports(&e->calls, ports, n_ports);
}

void owner_eyes_free(struct owner_eyes *e)
{
	if (!e)
		return;
	caller_fds_close(&e->calls);
	if (e->connector.fd >= 0)
		close(e->connector.fd);
	free(e);
}

const char *owner_eyes_no_calls(const struct owner_eyes *e)
{
	return e->no_calls;
}

const char *owner_eyes_no_processes(const struct owner_eyes *e)
{
	return e->no_processes;
}
