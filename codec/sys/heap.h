/*
 * The C library's heap as a whole. What a burst of joins needed for a moment (TLS and DTLS
 * handshakes, snapshots) is free again afterwards, but lies between small blocks that stay, so the
 * library keeps its pages; asked, it gives back those that are empty.
 * Out of scope: allocating (codec/base/mem.h).
 */
#pragma once

/* Gives empty pages back to the system; from any thread, takes about a millisecond per 10 MB.
 * Nothing happens where the C library cannot. */
void heap_trim(void);
