/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to the recorder. Each kind is described once, by a walk over its
 * fields that writes them or reads them; it must never trust what it reads. Pure.
 */
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "wire_internal.h"

#define WIRE_MAGIC 0xe9
#define WIRE_FORM  2 /* of the messages' layout; another one is another program */

void wire_walk_head(struct codec *codec, enum wire_kind kind)
{
	uint8_t head[3] = { WIRE_MAGIC, WIRE_FORM, (uint8_t)kind };

	codec_raw(codec, head, sizeof(head));
	if (codec->in && (head[0] != WIRE_MAGIC || head[1] != WIRE_FORM || head[2] != kind))
		codec->bad = true;
}

static void walk_address(struct codec *codec, uint8_t family, uint8_t address[16])
{
	if (family != 0)
		codec_raw(codec, address, family == AF_INET ? 4 : 16);
}

static void walk_flow(struct codec *codec, struct flow *flow)
{
	uint64_t payload_offset;

	if (codec->in) /* an address of IPv4 has 4 bytes of its 16 */
		memset(flow, 0, sizeof(*flow));
	payload_offset = flow->payload_offset;
	codec_u8(codec, &flow->family);
	if (flow->family != 0 && flow->family != AF_INET && flow->family != AF_INET6)
		codec->bad = true;
	codec_u8(codec, &flow->protocol);
	walk_address(codec, flow->family, flow->src);
	walk_address(codec, flow->family, flow->dst);
	codec_u16(codec, &flow->sport);
	codec_u16(codec, &flow->dport);
	codec_u32(codec, &flow->seq);
	codec_u32(codec, &flow->ack);
	codec_u8(codec, &flow->tcp_flags);
	codec_u8(codec, &flow->ttl);
	codec_bool(codec, &flow->has_ports);
	codec_bool(codec, &flow->fragment);
	codec_bool(codec, &flow->has_ip_options);
	codec_u64(codec, &payload_offset);
	if (codec->in)
		flow->payload_offset = payload_offset;
}

static void walk_ref(struct codec *codec, struct owner_ref *ref)
{
	codec_i32(codec, &ref->pid);
	if (codec->in && ref->pid < 0)
		codec->bad = true;
	codec_u32(codec, &ref->uid);
	codec_u64(codec, &ref->start_ticks);
	CODEC_TEXT(codec, ref->comm);
}
static_assert(sizeof(pid_t) == sizeof(int32_t), "a pid is sent as 32 bits");

static void walk_refs(struct codec *codec, struct owner_ref *refs, uint32_t n, uint32_t max)
{
	uint32_t i;

	for (i = 0; i < n && i < max && !codec->bad; i++)
		walk_ref(codec, &refs[i]);
}

static void walk_owner_refs(struct codec *codec, struct owner *owner)
{
	uint32_t n_parents = owner->n_parents, n_holders = owner->n_holders;

	codec_u32(codec, &n_parents);
	codec_u32(codec, &n_holders);
	if (n_parents > OWNER_PARENTS)
		codec->bad = true;
	if (codec->bad)
		return;
	walk_refs(codec, owner->parents, n_parents, OWNER_PARENTS);
	walk_refs(codec, owner->holders, n_holders, OWNER_HOLDERS);
	if (codec->in) {
		owner->n_parents = n_parents;
		owner->n_holders = n_holders;
	}
}

static void walk_owner_texts(struct codec *codec, struct owner *owner)
{
	size_t cmdline_bytes;

	CODEC_TEXT(codec, owner->exe);
	cmdline_bytes =
		codec_span(codec, owner->cmdline, owner->cmdline_bytes, sizeof(owner->cmdline));
	if (codec->in)
		owner->cmdline_bytes = cmdline_bytes;
	CODEC_TEXT(codec, owner->cwd);
	CODEC_TEXT(codec, owner->script);
	CODEC_TEXT(codec, owner->unit);
	CODEC_TEXT(codec, owner->container);
	CODEC_TEXT(codec, owner->request_method);
	CODEC_TEXT(codec, owner->request_uri);
	CODEC_TEXT(codec, owner->request_host);
	CODEC_TEXT(codec, owner->request_client);
}

static void walk_owner(struct codec *codec, struct owner *owner)
{
	CODEC_ENUM(codec, &owner->how, OWNER_HOW_N);
	CODEC_ENUM(codec, &owner->why, OWNER_WHY_N);
	CODEC_ENUM(codec, &owner->script_why, OWNER_WHY_N);
	CODEC_ENUM(codec, &owner->script_from, OWNER_SCRIPT_FROM_N);
	codec_u32(codec, &owner->cut);
	codec_bool(codec, &owner->has_socket);
	codec_u8(codec, &owner->socket_state);
	codec_u32(codec, &owner->socket_uid);
	codec_u32(codec, &owner->inode);
	codec_u64(codec, &owner->cookie);
	codec_u64(codec, &owner->cgroup_id);
	walk_ref(codec, &owner->proc);
	codec_u32(codec, &owner->euid);
	codec_u32(codec, &owner->gid);
	codec_u32(codec, &owner->login_uid);
	codec_i64(codec, &owner->start_ns);
	codec_bool(codec, &owner->exe_deleted);
	codec_bool(codec, &owner->exe_memfd);
	codec_u32(codec, &owner->exe_place);
	codec_u64(codec, &owner->exe_dev);
	codec_u64(codec, &owner->exe_ino);
	walk_owner_texts(codec, owner);
	walk_owner_refs(codec, owner);
	codec_bool(codec, &owner->poses);
	walk_ref(codec, &owner->caller);
	codec_u32(codec, &owner->lookup_us);
	codec_u32(codec, &owner->lookup_fds);
}

void wire_walk_record(struct codec *codec, struct record *record)
{
	size_t excerpt_bytes;

	codec_u64(codec, &record->id);
	codec_i64(codec, &record->ts_ns);
	CODEC_ENUM(codec, &record->via, VIA_N);
	CODEC_ENUM(codec, &record->mode, MODE_N);
	CODEC_ENUM(codec, &record->verdict, VERDICT_N);
	CODEC_ENUM(codec, &record->reason, REASON_N);
	CODEC_ENUM(codec, &record->flow_error, FLOW_ERROR_N);
	CODEC_TEXT(codec, record->rule);
	codec_bool(codec, &record->has_uid);
	codec_u32(codec, &record->uid);
	codec_u32(codec, &record->gid);
	codec_bool(codec, &record->foreign_holder);
	CODEC_TEXT(codec, record->indev);
	walk_flow(codec, &record->flow);
	walk_owner(codec, &record->owner);
	codec_u32(codec, &record->packet_bytes);
	excerpt_bytes =
		codec_span(codec, record->excerpt, record->excerpt_bytes, sizeof(record->excerpt));
	if (codec->in)
		record->excerpt_bytes = (uint16_t)excerpt_bytes;
	if (codec->in && record->packet_bytes < record->excerpt_bytes)
		codec->bad = true;
}
static_assert(4 * OWNER_PATH_BYTES + (2 * OWNER_NAME_BYTES) + 2048 +
			      (OWNER_PARENTS + OWNER_HOLDERS + 2) * (sizeof(struct owner_ref) + 2) +
			      RECORD_EXCERPT_BYTES + 512 <
		      WIRE_BYTES_MAX,
	      "the longest record fits into a message");

static void walk_status(struct codec *codec, struct wire_status *status)
{
	unsigned i;

	CODEC_TEXT(codec, status->stats.judge_epoch);
	CODEC_TEXT(codec, status->stats.kernel_epoch);
	for (i = 0; i < STAT_N; i++)
		codec_u64(codec, &status->stats.value[i]);
	codec_i64(codec, &status->ts_ns);
	codec_i64(codec, &status->started_ns);
	codec_i32(codec, &status->judge_pid);
	codec_u32(codec, &status->queue_form);
	codec_u32(codec, &status->mode);
	codec_u32(codec, &status->n_mail_uids);
	codec_u32(codec, &status->rules_whole);
	codec_u32(codec, &status->queue_waiting);
	codec_u32(codec, &status->queue_portid);
	if (status->queue_form >= RULESET_QUEUE_N || status->mode >= MODE_N ||
	    status->rules_whole > 1)
		codec->bad = true;
}

static void walk_site(struct codec *codec, struct note_site *site)
{
	CODEC_ENUM(codec, &site->from, SITE_FROM_N);
	CODEC_TEXT(codec, site->account);
	CODEC_TEXT(codec, site->vhost);
	CODEC_TEXT(codec, site->root);
	CODEC_TEXT(codec, site->source);
}

static void walk_trigger(struct codec *codec, struct note_trigger *trigger)
{
	CODEC_ENUM(codec, &trigger->match, MATCH_N);
	codec_u32(codec, &trigger->n);
	CODEC_TEXT(codec, trigger->method);
	CODEC_TEXT(codec, trigger->uri);
	CODEC_TEXT(codec, trigger->client);
	CODEC_TEXT(codec, trigger->vhost);
	codec_u16(codec, &trigger->status);
	codec_i64(codec, &trigger->ts_ns);
	CODEC_TEXT(codec, trigger->log);
}

static void walk_object(struct codec *codec, struct note_object *object)
{
	CODEC_ENUM(codec, &object->why, OBJECT_WHY_N);
	codec_bool(codec, &object->has_digest);
	codec_bool(codec, &object->has_copy);
	codec_raw(codec, object->sha256, sizeof(object->sha256));
	codec_u64(codec, &object->bytes);
	/* a copy is named by its digest */
	if (object->has_copy && !object->has_digest)
		codec->bad = true;
}

/* Only the parts that the note has. */
static void walk_note(struct codec *codec, struct note *note)
{
	codec_u64(codec, &note->id);
	codec_i64(codec, &note->ts_ns);
	codec_u32(codec, &note->parts);
	if (note->parts == 0 || note->parts & ~(NOTE_SITE | NOTE_TRIGGER | NOTE_OBJECT))
		codec->bad = true;
	if (codec->bad)
		return;
	if (note->parts & NOTE_SITE)
		walk_site(codec, &note->site);
	if (note->parts & NOTE_TRIGGER)
		walk_trigger(codec, &note->trigger);
	if (note->parts & NOTE_OBJECT)
		walk_object(codec, &note->object);
}
static_assert(sizeof(struct note) + 2 * 12 < WIRE_BYTES_MAX, "the longest note fits too");

/* The recorder's keys only: the rest is the judge's, or can't change without a restart. */
static void walk_options(struct codec *codec, struct config *config)
{
	codec_u32(codec, &config->fold_s);
	codec_u32(codec, &config->rows_per_offender);
	codec_u32(codec, &config->commit_ms);
	codec_u32(codec, &config->keep_days);
	codec_u64(codec, &config->store_bytes);
	codec_bool(codec, &config->evidence);
	codec_u64(codec, &config->evidence_file_bytes);
	codec_u64(codec, &config->evidence_offender_bytes);
	codec_u64(codec, &config->evidence_total_bytes);
	codec_u64(codec, &config->object_bytes);
	codec_u64(codec, &config->objects_bytes);
	codec_u32(codec, &config->excerpt_bytes);
	codec_u32(codec, &config->journal_s);
}

static struct codec writer(uint8_t *out, size_t size)
{
	return (struct codec){ .out = out, .size = size < WIRE_BYTES_MAX ? size : WIRE_BYTES_MAX };
}

static struct codec reader(const uint8_t *in, size_t len)
{
	return (struct codec){ .in = in, .size = len, .bad = len > WIRE_BYTES_MAX };
}

static int written(const struct codec *codec)
{
	return codec->bad ? -EMSGSIZE : (int)codec->at;
}

static bool read_whole(const struct codec *codec)
{
	return !codec->bad && codec->at == codec->size;
}

/* The walks take pointers they could write through; a writing codec never does. */
int wire_encode_record(const struct record *record, uint8_t *out, size_t size)
{
	struct codec codec = writer(out, size);

	wire_walk_head(&codec, WIRE_RECORD);
	wire_walk_record(&codec, (struct record *)record);
	return written(&codec);
}

int wire_encode_status(const struct wire_status *status, uint8_t *out, size_t size)
{
	struct codec codec = writer(out, size);

	wire_walk_head(&codec, WIRE_STATS);
	walk_status(&codec, (struct wire_status *)status);
	return written(&codec);
}

int wire_encode_note(const struct note *note, uint8_t *out, size_t size)
{
	struct codec codec = writer(out, size);

	wire_walk_head(&codec, WIRE_NOTE);
	walk_note(&codec, (struct note *)note);
	return written(&codec);
}

int wire_encode_options(const struct config *config, uint8_t *out, size_t size)
{
	struct codec codec = writer(out, size);

	wire_walk_head(&codec, WIRE_OPTIONS);
	walk_options(&codec, (struct config *)config);
	return written(&codec);
}

int wire_kind(const uint8_t *bytes, size_t len)
{
	if (len < 3 || bytes[0] != WIRE_MAGIC || bytes[1] != WIRE_FORM || bytes[2] < WIRE_RECORD ||
	    bytes[2] > WIRE_BATCH)
		return -EBADMSG;
	return bytes[2];
}

int wire_read_record(const uint8_t *body, size_t len, struct record *record)
{
	struct codec codec = reader(body, len);

	wire_walk_record(&codec, record);
	return read_whole(&codec) ? 0 : -EBADMSG;
}

int wire_decode_record(const uint8_t *bytes, size_t len, struct record *record)
{
	struct codec codec = reader(bytes, len);
	struct record read;

	memset(&read, 0, sizeof(read));
	wire_walk_head(&codec, WIRE_RECORD);
	wire_walk_record(&codec, &read);
	if (!read_whole(&codec))
		return -EBADMSG;
	*record = read;
	return 0;
}

int wire_decode_status(const uint8_t *bytes, size_t len, struct wire_status *status)
{
	struct codec codec = reader(bytes, len);
	struct wire_status read;

	memset(&read, 0, sizeof(read));
	wire_walk_head(&codec, WIRE_STATS);
	walk_status(&codec, &read);
	if (!read_whole(&codec))
		return -EBADMSG;
	*status = read;
	return 0;
}

int wire_decode_note(const uint8_t *bytes, size_t len, struct note *note)
{
	struct codec codec = reader(bytes, len);
	struct note read;

	memset(&read, 0, sizeof(read));
	wire_walk_head(&codec, WIRE_NOTE);
	walk_note(&codec, &read);
	if (!read_whole(&codec))
		return -EBADMSG;
	*note = read;
	return 0;
}

int wire_decode_options(const uint8_t *bytes, size_t len, struct config *config)
{
	struct codec codec = reader(bytes, len);
	struct config read = *config;

	wire_walk_head(&codec, WIRE_OPTIONS);
	walk_options(&codec, &read);
	if (!read_whole(&codec) || read.excerpt_bytes > RECORD_EXCERPT_BYTES)
		return -EBADMSG;
	*config = read;
	return 0;
}
