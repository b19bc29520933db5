#include "codec/sys/password.h"

#include <sodium.h>

#include "codec/base/err.h"

_Static_assert((int)PASSWORD_HASH_MAX >= (int)crypto_pwhash_STRBYTES, "a hash fits");

#define OPS crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMORY crypto_pwhash_MEMLIMIT_INTERACTIVE

int password_hash(char out[PASSWORD_HASH_MAX], const char *password, size_t len)
{
    return crypto_pwhash_str_alg(out, password, len, OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13)
               ? E_NOMEM
               : 0;
}

bool password_check(const char *hash, const char *password, size_t len)
{
    return crypto_pwhash_str_verify(hash, password, len) == 0;
}

bool password_check_nobody(const char *password, size_t len)
{
    char hash[PASSWORD_HASH_MAX];
    (void)password_hash(hash, password, len);
    sodium_memzero(hash, sizeof(hash));
    return false;
}

bool password_is_old(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, OPS, MEMORY) != 0;
}
