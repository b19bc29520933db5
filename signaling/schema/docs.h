/*
 * What is generated from messages.def: the TypeScript types of the web client and PROTOCOL.md.
 * Both are pure functions of the tables, so a test can tell whether the committed copy is current.
 */
#pragma once

#include "signaling/schema/jsonw.h"

enum { DOCS_LEN_MAX = 256 << 10 };

/* Appends src/wire/messages.ts. */
void docs_typescript(struct jsonw *w);
/* Appends signaling/schema/PROTOCOL.md. */
void docs_protocol(struct jsonw *w);
