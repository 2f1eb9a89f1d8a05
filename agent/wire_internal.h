/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What wire.c and wire_batch.c share; nobody else includes it. */
#ifndef AGENT_WIRE_INTERNAL_H
#define AGENT_WIRE_INTERNAL_H

#include "codec.h"
#include "wire.h"

void wire_walk_head(struct codec *codec, enum wire_kind kind);
void wire_walk_record(struct codec *codec, struct record *record);

#endif
