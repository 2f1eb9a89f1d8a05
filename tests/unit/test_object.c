// SPDX-License-Identifier: GPL-2.0-or-later
/* Suspicious programs: where they lie, how they are opened, and who would answer a read. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/object.h"
#include "agent/object_fs.h"
#include "agent/object_mounts.h"
#include "agent/pass_fd.h"
#include "bpf-free/describe.h"
#include "bpf-free/exe_place.h"
#include "bpf-free/proc.h"
#include "bpf-free/search.h"

static char home[] = "/tmp/egt-object-XXXXXX";
static struct owner owner;
static struct describe env;
static struct search_care care;

static char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return path;
}

static int setup(void **unused)
{
	(void)unused;
	assert_non_null(mkdtemp(home)); /* 0700, in /tmp, where anybody may write */
	search_care_end(&care);
	describe_init(&env, open("/proc", O_RDONLY | O_DIRECTORY), &care);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	unlink(below("in/sleep"));
	rmdir(below("in"));
	close(env.proc_fd);
	return rmdir(home);
}

static void copy_program(const char *to, mode_t mode)
{
	char buf[65536];
	int in = open("/usr/bin/sleep", O_RDONLY),
	    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	fchmod(out, mode);
	close(in);
	close(out);
}

/* Starts a program and waits until it runs it. */
static pid_t start(const char *path)
{
	char link[64], exe[4096];
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	for (int i = 0; i < 2000; i++, usleep(1000)) {
		ssize_t n = readlink(link, exe, sizeof(exe) - 1);

		exe[n > 0 ? n : 0] = 0;
		if (strstr(exe, "sleep") || strstr(exe, "memfd"))
			return pid;
	}
	fail_msg("%s does not start", path);
	return 0;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void describe(pid_t pid)
{
	int fd;

	owner_init(&owner);
	assert_int_equal(proc_open_pid(env.proc_fd, pid, &fd), 0);
	assert_int_equal(describe_process(&env, fd, pid, 0, &owner), 0);
	close(fd);
}

static void a_program_of_the_system_is_not_suspicious(void **unused)
{
	pid_t pid = start("/usr/bin/sleep");
	struct stat st;

	(void)unused;
	describe(pid);
	end(pid);
	assert_int_equal(stat("/usr/bin/sleep", &st), 0);
	assert_int_equal(owner.exe_ino, st.st_ino);
	assert_int_equal(owner.exe_place, 0);
	assert_false(object_is_suspicious(&owner));
	assert_int_equal(object_open(&owner), -1);
}

static void a_folder_on_the_way_that_anybody_may_write_to_is_suspicious(void **unused)
{
	pid_t pid;

	(void)unused;
	mkdir(below("in"), 0755);
	copy_program(below("in/sleep"), 0755);
	pid = start(below("in/sleep"));
	describe(pid);
	end(pid);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FOLDER); /* /tmp */
	assert_true(object_is_suspicious(&owner));
}

static void a_file_that_anybody_may_write_to_is_told(void **unused)
{
	pid_t pid;

	(void)unused;
	chmod(below("in/sleep"), 0757);
	pid = start(below("in/sleep"));
	describe(pid);
	end(pid);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FILE | OWNER_PLACE_FOLDER);
}

static void a_path_that_leads_to_another_file_by_now_is_not_judged(void **unused)
{
	pid_t pid;
	int fd;

	(void)unused;
	pid = start(below("in/sleep"));
	describe(pid);
	strcpy(owner.exe, "/usr/bin/true"); /* as if it had been moved between the two looks */
	owner.exe_place = 0;
	assert_int_equal(proc_open_pid(env.proc_fd, pid, &fd), 0);
	exe_place_fill(fd, NULL, &owner);
	close(fd);
	end(pid);
	assert_true(owner.exe_place & OWNER_PLACE_UNKNOWN);
	assert_false(owner.exe_place & OWNER_PLACE_FOLDER);
}

static void what_was_seen_counts_for_a_second(void **unused)
{
	static struct exe_places places;
	pid_t pid = start(below("in/sleep"));
	int fd;

	(void)unused;
	describe(pid);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FILE | OWNER_PLACE_FOLDER);
	assert_int_equal(proc_open_pid(env.proc_fd, pid, &fd), 0);
	for (int i = 0; i < EXE_PLACES; i++)
		assert_int_equal(places.seen[i].until_ns, 0);
	exe_place_fill(fd, &places, &owner);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FILE | OWNER_PLACE_FOLDER);
	for (int i = 0; i < EXE_PLACES; i++) /* another answer, to see it come back */
		places.seen[i].place = 0;
	exe_place_fill(fd, &places, &owner);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FILE); /* the file itself is looked at */
	for (int i = 0; i < EXE_PLACES; i++)
		places.seen[i].until_ns = 1;
	exe_place_fill(fd, &places, &owner);
	assert_int_equal(owner.exe_place, OWNER_PLACE_FILE | OWNER_PLACE_FOLDER);
	close(fd);
	end(pid);
}

static void a_deleted_program_is_opened_by_its_process(void **unused)
{
	struct stat before, after;
	pid_t pid;
	int fd;

	(void)unused;
	copy_program(below("gone-sleep"), 0700);
	pid = start(below("gone-sleep"));
	assert_int_equal(stat(below("gone-sleep"), &before), 0);
	unlink(below("gone-sleep"));
	copy_program(below("gone-sleep"), 0700); /* another file takes its name */
	describe(pid);
	assert_true(owner.exe_deleted && object_is_suspicious(&owner));
	fd = object_open(&owner);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	close(fd);
	end(pid);
	assert_int_equal(object_open(&owner), -1);
	unlink(below("gone-sleep"));
}

static void a_process_that_runs_another_file_by_now_is_not_opened(void **unused)
{
	pid_t pid = start("/usr/bin/sleep");
	int fd = -1;

	(void)unused;
	describe(pid);
	assert_int_equal(owner_open_exe("/proc", &owner, &fd), 0);
	close(fd);
	owner.exe_ino++;
	assert_int_equal(owner_open_exe("/proc", &owner, &fd), -ESRCH);
	owner.exe_ino--;
	owner.proc.start_ticks++;
	assert_int_equal(owner_open_exe("/proc", &owner, &fd), -ESRCH);
	end(pid);
}

static void a_memfd_is_suspicious_and_local(void **unused)
{
	char path[64];
	int memfd = memfd_create("kworker", 0), fd;
	pid_t pid;

	(void)unused;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	copy_program(path, 0700);
	fd = open(path, O_RDONLY); /* not open for writing any more: it can be executed */
	close(memfd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid = start(path);
	close(fd);
	describe(pid);
	assert_true(owner.exe_memfd && object_is_suspicious(&owner));
	assert_int_equal(owner.exe_place, 0);
	fd = object_open(&owner);
	assert_true(fd >= 0);
	assert_int_equal(object_fs_check(fd, pid), 0);
	end(pid);
	assert_int_equal(object_fs_check(fd, pid), 0); /* nor does it need the process */
	close(fd);
}

static const char mounts[] =
	"22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
	"23 22 0:5 / /proc rw - proc proc rw\n"
	"a line that nobody wrote\n"
	"40 22 0:50 / /home/u/m\\040t rw,nosuid - fuse.sshfs u@h: rw,user_id=1\n"
	"41 22 8:17 / /mnt rw - fuseblk /dev/sdb1 rw\n"
	"42 22 0:51 / /net rw - nfs4 h:/x rw\n"
	"43 22 0:52 / /o rw - overlay overlay rw,lowerdir=/a\n"
	"44 22 0:53 / /tmp rw optional:1 fields:2 - tmpfs tmpfs rw\n"
	"45 22 0:50 / /home/u/again rw - ext4 x rw\n"
	"46 22 8:1 /sub /cut rw - ext4 /dev/sda1";

static void mounts_are_found_by_number(void **unused)
{
	size_t len = sizeof(mounts) - 1;

	(void)unused;
	assert_int_equal(mounts_by_id(mounts, len, 22), MOUNT_LOCAL);
	assert_int_equal(mounts_by_id(mounts, len, 44), MOUNT_LOCAL);
	assert_int_equal(mounts_by_id(mounts, len, 40), MOUNT_SERVED);
	assert_int_equal(mounts_by_id(mounts, len, 41), MOUNT_SERVED);
	assert_int_equal(mounts_by_id(mounts, len, 42), MOUNT_SERVED);
	assert_int_equal(mounts_by_id(mounts, len, 43), MOUNT_STACKED);
	assert_int_equal(mounts_by_id(mounts, len, 2), MOUNT_NOT_LISTED);
	assert_int_equal(mounts_by_id(mounts, len, 46), MOUNT_NOT_LISTED);
}

static void mounts_are_found_by_device_at_their_worst(void **unused)
{
	size_t len = sizeof(mounts) - 1;

	(void)unused;
	assert_int_equal(mounts_by_device(mounts, len, 8, 1), MOUNT_LOCAL);
	assert_int_equal(mounts_by_device(mounts, len, 0, 50), MOUNT_SERVED);
	assert_int_equal(mounts_by_device(mounts, len, 0, 52), MOUNT_STACKED);
	assert_int_equal(mounts_by_device(mounts, len, 1, 8), MOUNT_NOT_LISTED);
}

static int receive(int fd, unsigned *came)
{
	union pass_fd_room room;
	char byte;
	struct iovec vector = { &byte, 1 };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &room,
				 .msg_controllen = sizeof(room) };

	*came = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1;
	return pass_fd_take(&header);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void one_descriptor_comes_and_many_are_all_closed(void **unused)
{
	int pair[2], many[8], fd;
	char room[CMSG_SPACE(sizeof(many))] = "";
	struct iovec vector = { "x", 1 };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room) };
	struct cmsghdr *control = (struct cmsghdr *)room;
	unsigned before, came;

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	before = open_descriptors();
	assert_int_equal(pass_fd_send(pair[0], "x", 1, 0), 0);
	fd = receive(pair[1], &came);
	assert_true(came && fd >= 0);
	close(fd);
	assert_int_equal(pass_fd_send(pair[0], "x", 1, -1), 0);
	assert_int_equal(receive(pair[1], &came), -1);
	assert_true(came);
	for (int n = 2; n <= 8; n++) {
		memset(many, 0, sizeof(many));
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(control), many, (size_t)n * sizeof(int));
		header.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		assert_int_equal(sendmsg(pair[0], &header, 0), 1);
		assert_int_equal(receive(pair[1], &came), -1);
		assert_true(came);
		assert_int_equal(open_descriptors(), before);
	}
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a program of the system is not suspicious",
		  a_program_of_the_system_is_not_suspicious },
		{ "a folder on the way that anybody may write to is suspicious",
		  a_folder_on_the_way_that_anybody_may_write_to_is_suspicious },
		{ "a file that anybody may write to is told",
		  a_file_that_anybody_may_write_to_is_told },
		{ "a path that leads to another file by now is not judged",
		  a_path_that_leads_to_another_file_by_now_is_not_judged },
		{ "what was seen of folders counts for a second, and not longer",
		  what_was_seen_counts_for_a_second },
		{ "a deleted program is opened by its process, not by its name",
		  a_deleted_program_is_opened_by_its_process },
		{ "a process that runs another file by now, or is another, is not opened",
		  a_process_that_runs_another_file_by_now_is_not_opened },
		{ "a memfd is suspicious, and needs nobody's answer",
		  a_memfd_is_suspicious_and_local },
		{ "mounts are found by their number", mounts_are_found_by_number },
		{ "mounts are found by device, at their worst",
		  mounts_are_found_by_device_at_their_worst },
		{ "one descriptor comes with a message; of many none is left open",
		  one_descriptor_comes_and_many_are_all_closed },
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
