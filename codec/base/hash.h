/*
 * Keyed hashing for tables whose keys a stranger chooses (addresses, ids): SipHash-2-4
 * (Aumasson, Bernstein, 2012), so that nobody can aim collisions without the key.
 * Out of scope: cryptographic digests (codec/sys/token.h, server/crypto).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0;
    uint64_t k1;
};

/* 64-bit SipHash-2-4 of len bytes under key. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);
