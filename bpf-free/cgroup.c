/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads unit and container out of cgroup paths. Pure: text in, names out. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cgroup.h"

struct span {
	const char *at;
	size_t len;
};

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.at, text, s.len);
}

static bool ends_with(struct span s, const char *tail)
{
	size_t n = strlen(tail);

	return s.len > n && !memcmp(s.at + s.len - n, tail, n);
}

static bool take_prefix(struct span *s, const char *head)
{
	size_t n = strlen(head);

	if (s->len <= n || memcmp(s->at, head, n))
		return false;
	s->at += n;
	s->len -= n;
	return true;
}

static bool take_suffix(struct span *s, const char *tail)
{
	if (!ends_with(*s, tail))
		return false;
	s->len -= strlen(tail);
	return true;
}

/* The next component of *path; false at its end. */
static bool next_component(struct span *path, struct span *component)
{
	while (path->len && *path->at == '/') {
		path->at++;
		path->len--;
	}
	if (!path->len)
		return false;
	component->at = path->at;
	while (path->len && *path->at != '/') {
		path->at++;
		path->len--;
	}
	component->len = (size_t)(path->at - component->at);
	return true;
}

/* systemd.unit(5): letters, digits, ":-_.\@", and a type behind the last dot. */
static bool is_unit(struct span s, const char *const types[])
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr(":-_.\\@", c)) ||
		    !c)
			return false;
	}
	for (; *types; types++)
		if (ends_with(s, *types))
			return true;
	return false;
}

/* The unit is the first component that is no slice, as systemd's cg_path_get_unit() has it: what
 * lies deeper may have been made by a user to whom the tree was delegated. */
static void find_unit(struct span path, char out[OWNER_NAME_BYTES])
{
	static const char *const slice[] = { ".slice", NULL };
	static const char *const unit[] = {
		".service", ".scope", ".socket", ".mount", ".swap", NULL
	};
	struct span part;

	while (next_component(&path, &part)) {
		if (part.len > 1 && part.at[0] == '_') { /* escaped, cg_escape() */
			part.at++;
			part.len--;
		}
		if (is_unit(part, slice))
			continue;
		if (is_unit(part, unit) && part.len < OWNER_NAME_BYTES) {
			memcpy(out, part.at, part.len);
			out[part.len] = 0;
		}
		return;
	}
}

static bool is_hex_id(struct span s)
{
	if (s.len != 64)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= '0' && s.at[i] <= '9') || (s.at[i] >= 'a' && s.at[i] <= 'f')))
			return false;
	return true;
}

static void put_id(char out[OWNER_NAME_BYTES], const char *kind, struct span id)
{
	snprintf(out, OWNER_NAME_BYTES, "%s:%.12s", kind, id.at);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name of the admin's choice; \xHH is systemd's escape (systemd-escape(1)). */
static void put_name(char out[OWNER_NAME_BYTES], const char *kind, struct span name)
{
	size_t n = (size_t)snprintf(out, OWNER_NAME_BYTES, "%s:", kind);

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (c == '\\' && i + 3 < name.len && name.at[i + 1] == 'x' &&
		    hex(name.at[i + 2]) >= 0 && hex(name.at[i + 3]) >= 0) {
			c = (char)(hex(name.at[i + 2]) << 4 | hex(name.at[i + 3]));
			i += 3;
		}
		if (n + 1 >= OWNER_NAME_BYTES || !c) {
			out[0] = 0;
			return;
		}
		out[n++] = c;
	}
	out[n] = 0;
}

/* "docker-ID.scope" and its kin. "libpod-conmon-ID" is podman's monitor, not the container. */
static bool container_scope(struct span part, char out[OWNER_NAME_BYTES])
{
	static const struct {
		const char *prefix, *kind;
	} scopes[] = {
		{ "docker-", "docker" },
		{ "libpod-", "podman" },
		{ "cri-containerd-", "containerd" },
		{ "nerdctl-", "containerd" },
		{ "crio-", "crio" },
	};
	const char *colon;

	take_suffix(&part, ".scope");
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		struct span id = part;

		if (take_prefix(&id, scopes[i].prefix) && is_hex_id(id)) {
			put_id(out, scopes[i].kind, id);
			return true;
		}
	}
	/* kubelet with containerd on v1: "SLICE:cri-containerd:ID" */
	colon = memrchr(part.at, ':', part.len);
	if (colon) {
		struct span id = { colon + 1, part.len - (size_t)(colon + 1 - part.at) };
		struct span head = { part.at, (size_t)(colon - part.at) };

		if (is_hex_id(id) && ends_with(head, ":cri-containerd")) {
			put_id(out, "containerd", id);
			return true;
		}
	}
	return false;
}

static bool machine_name(struct span part, char out[OWNER_NAME_BYTES])
{
	if (take_suffix(&part, ".scope") && take_prefix(&part, "machine-")) {
		put_name(out, "machine", part);
		return true;
	}
	if (take_suffix(&part, ".service") && take_prefix(&part, "systemd-nspawn@")) {
		put_name(out, "machine", part);
		return true;
	}
	return false;
}

static bool is_users_manager(struct span part)
{
	return take_prefix(&part, "user@") && ends_with(part, ".service");
}

/* The deepest container wins: docker in LXC is named as docker. Below a user's own manager
 * (user@UID.service) the user makes the folders and gives them any name. */
static void find_container(struct span path, char out[OWNER_NAME_BYTES])
{
	struct span part, before = { "", 0 };
	bool in_kube = false;

	for (; next_component(&path, &part); before = part) {
		struct span name = part;

		if (is_users_manager(part))
			return;
		if (container_scope(part, out) || machine_name(part, out))
			continue;
		if (take_prefix(&name, "lxc.payload.")) {
			put_name(out, "lxc", name);
			continue;
		}
		if (span_is(before, "lxc") || span_is(before, "lxc.payload")) {
			put_name(out, "lxc", part);
			continue;
		}
		if (take_prefix(&name, "kubepods") || span_is(part, "kubepods"))
			in_kube = true;
		if (!is_hex_id(part))
			continue;
		if (in_kube)
			put_id(out, "containerd", part);
		else if (span_is(before, "docker"))
			put_id(out, "docker", part);
		else if (span_is(before, "libpod") || span_is(before, "libpod_parent"))
			put_id(out, "podman", part);
		else
			put_id(out, "containerd", part);
	}
}

void cgroup_parse(const char *text, size_t len, struct cgroup_names *names)
{
	const char *end = text + len;

	memset(names, 0, sizeof(*names));
	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *first = memchr(line, ':', (size_t)(stop - line));
		const char *second =
			first ? memchr(first + 1, ':', (size_t)(stop - first - 1)) : NULL;

		if (second) {
			struct span controllers = { first + 1, (size_t)(second - first - 1) };
			struct span path = { second + 1, (size_t)(stop - second - 1) };

			/* systemd's own tree is the v2 one, or name=systemd on v1 and hybrid. */
			if (!names->unit[0] &&
			    (!controllers.len || span_is(controllers, "name=systemd")))
				find_unit(path, names->unit);
			if (!names->container[0])
				find_container(path, names->container);
		}
		line = stop + 1;
	}
}
