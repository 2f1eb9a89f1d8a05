// SPDX-License-Identifier: GPL-2.0-or-later
/* Units and containers in cgroup paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf-free/cgroup.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *unit, *container;
} cases[] = {
	{ "0::/system.slice/php8.2-fpm.service\n", "php8.2-fpm.service", "" },
	{ "0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service", "" },
	{ "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/postfix.service\n",
	  "user@1000.service", "" },
	{ "0::/init.scope\n", "init.scope", "" },
	{ "0::/\n", "", "" },
	{ "0::/foo/bar.service\n", "", "" },
	{ "0::/system.slice\n", "", "" },
	{ "0::/system.slice/_cpu.service\n", "cpu.service", "" },
	{ "0::/system.slice/bad name.service\n", "", "" },
	{ "0::/system.slice/cron.service", "cron.service", "" }, /* no newline */
	/* v1 and hybrid */
	{ "12:pids:/system.slice/cron.service\n1:name=systemd:/system.slice/cron.service\n0::/\n",
	  "cron.service", "" },
	{ "5:memory:/system.slice/cron.service\n", "", "" },
	{ "1:name=systemd:/system.slice/cron.service\n0::/system.slice/other.service\n",
	  "cron.service", "" },
	/* docker */
	{ "0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", "docker:0123456789ab" },
	{ "0::/docker/" ID "\n", "", "docker:0123456789ab" },
	{ "4:memory:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/\n", "",
	  "docker:0123456789ab" },
	{ "0::/../../docker/" ID "\n", "", "docker:0123456789ab" },
	/* podman */
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope",
	  "podman:0123456789ab" },
	{ "0::/machine.slice/libpod-conmon-" ID ".scope\n", "libpod-conmon-" ID ".scope", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
	  "user@1000.service", "" }, /* whoever has that manager may have made it up */
	{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/lxc.payload.shop\\x0aroot\n",
	  "user@1000.service", "" },
	{ "0::/lxc.payload.ct/user.slice/user-0.slice/user@0.service/docker/" ID "\n", "",
	  "lxc:ct" },
	{ "0::/libpod_parent/libpod-" ID "\n", "", "podman:0123456789ab" },
	/* containerd, CRI-O */
	{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
	  "cri-containerd-" ID ".scope\n",
	  "cri-containerd-" ID ".scope", "containerd:0123456789ab" },
	{ "0::/kubepods/besteffort/pod12/" ID "\n", "", "containerd:0123456789ab" },
	{ "3:cpu:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID "\n", "",
	  "containerd:0123456789ab" },
	{ "0::/kubepods.slice/crio-" ID ".scope\n", "crio-" ID ".scope", "crio:0123456789ab" },
	{ "0::/default/" ID "\n", "", "containerd:0123456789ab" },
	/* LXC, nspawn, machines */
	{ "0::/lxc/web1/system.slice/php8.2-fpm.service\n", "", "lxc:web1" },
	{ "0::/lxc.payload.web1/system.slice/cron.service\n", "", "lxc:web1" },
	{ "0::/lxc.payload/web1\n", "", "lxc:web1" },
	{ "0::/lxc.monitor.web1\n", "", "" },
	{ "0::/machine.slice/machine-web\\x2d1.scope/payload\n", "machine-web\\x2d1.scope",
	  "machine:web-1" },
	{ "0::/machine.slice/systemd-nspawn@web.service/payload\n", "systemd-nspawn@web.service",
	  "machine:web" },
	{ "0::/lxc.payload.ct/docker/" ID "\n", "", "docker:0123456789ab" },
	/* hostile */
	{ "", "", "" },
	{ "\n\n::\n:\n0::", "", "" },
	{ "0::/docker/0123456789abcdef\n", "", "" },
	{ "0::/system.slice/docker-" ID "X.scope\n", "docker-" ID "X.scope", "" },
	{ "0::/lxc.payload.a\\x00b\n", "", "" },
	{ "0::/lxc.payload.\n", "", "" },
};

static void table(void **unused)
{
	struct cgroup_names names;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cgroup_parse(cases[i].text, strlen(cases[i].text), &names);
		print_message("# %s", cases[i].text);
		assert_string_equal(names.unit, cases[i].unit);
		assert_string_equal(names.container, cases[i].container);
	}
}

static void cut_anywhere(void **unused)
{
	struct cgroup_names names;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n <= strlen(cases[i].text); n++) {
			char *copy = malloc(n ? n : 1);

			memcpy(copy, cases[i].text, n);
			cgroup_parse(copy, n, &names);
			assert_true(strlen(names.unit) < sizeof(names.unit));
			free(copy);
		}
}

static void long_names(void **unused)
{
	char text[2048] = "0::/lxc.payload.";
	struct cgroup_names names;

	(void)unused;
	memset(text + strlen(text), 'x', 600);
	cgroup_parse(text, strlen(text), &names);
	assert_string_equal(names.container, "");
	strcpy(text, "0::/system.slice/");
	memset(text + strlen(text), 'x', 600);
	strcat(text, ".service");
	cgroup_parse(text, strlen(text), &names);
	assert_string_equal(names.unit, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "units and containers of v2, v1 and hybrid hosts are named", table },
		{ "a text cut at any byte is survived", cut_anywhere },
		{ "a name that does not fit is left out, not cut", long_names },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_cgroup", tests, NULL, NULL);
}
