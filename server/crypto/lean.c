#include "server/crypto/lean.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "codec/base/mem.h"

enum { SHOWN_MAX = 32 };

struct lean {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *provider; /* ours, loaded in ctx */
};

/* The default provider of the process, loaded once and for good, and what of it we show. Its
 * functions are called with its own context, so it is never told of ours. */
static struct {
    CRYPTO_ONCE once;
    OSSL_PROVIDER *provider;
    OSSL_ALGORITHM decoder[SHOWN_MAX + 1];
    OSSL_ALGORITHM key[SHOWN_MAX + 1];
    bool ready;
} whole = {.once = CRYPTO_ONCE_STATIC_INIT};

static bool reads_certificates(const OSSL_ALGORITHM *decoder)
{
    return strstr(decoder->property_definition, "input=der") != NULL &&
           strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

/* What a certificate may hold and what a handshake agrees on; names as the library lists them, the
 * first of several. */
static bool of_handshakes(const OSSL_ALGORITHM *key)
{
    static const char *const names[] = {"EC", "X25519", "RSA", "RSA-PSS", "ED25519", "ED448"};
    size_t len = strcspn(key->algorithm_names, ":");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && memcmp(names[i], key->algorithm_names, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Copies those of an operation that are shown. False when there are none, or not for good. */
static bool choose(int operation, bool (*shown)(const OSSL_ALGORITHM *), OSSL_ALGORITHM *out)
{
    int no_cache = 0;
    size_t count = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole.provider, operation, &no_cache);
    for (; all && all->algorithm_names && count < SHOWN_MAX; all++) {
        if (shown(all)) {
            out[count++] = *all;
        }
    }
    return count > 0 && !no_cache;
}

static void whole_start(void)
{
    whole.provider = OSSL_PROVIDER_load(NULL, "default");
    whole.ready = whole.provider && choose(OSSL_OP_DECODER, reads_certificates, whole.decoder) &&
                  choose(OSSL_OP_KEYMGMT, of_handshakes, whole.key);
}

static const OSSL_ALGORITHM *query(void *arg, int operation, int *no_cache)
{
    (void)arg;
    *no_cache = 0;
    if (operation == OSSL_OP_DECODER) {
        return whole.decoder;
    }
    if (operation == OSSL_OP_KEYMGMT) {
        return whole.key;
    }
    return OSSL_PROVIDER_query_operation(whole.provider, operation, no_cache);
}

static void unquery(void *arg, int operation, const OSSL_ALGORITHM *algorithms)
{
    (void)arg;
    if (operation != OSSL_OP_DECODER && operation != OSSL_OP_KEYMGMT) {
        OSSL_PROVIDER_unquery_operation(whole.provider, operation, algorithms);
    }
}

static int capabilities(void *arg, const char *capability, OSSL_CALLBACK *each, void *each_arg)
{
    (void)arg;
    return OSSL_PROVIDER_get_capabilities(whole.provider, capability, each, each_arg);
}

static const OSSL_PARAM *known_params(void *arg)
{
    (void)arg;
    return OSSL_PROVIDER_gettable_params(whole.provider);
}

static int params(void *arg, OSSL_PARAM wanted[])
{
    (void)arg;
    return OSSL_PROVIDER_get_params(whole.provider, wanted);
}

/* OSSL_DISPATCH has one type for all functions, as the library's own tables. */
#define ENTRY(number, function)                                                                    \
    {                                                                                              \
        (number), (void (*)(void))(function)                                                       \
    }

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                 void **arg)
{
    static const OSSL_DISPATCH table[] = {
        ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
        ENTRY(OSSL_FUNC_PROVIDER_UNQUERY_OPERATION, unquery),
        ENTRY(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
        ENTRY(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, known_params),
        ENTRY(OSSL_FUNC_PROVIDER_GET_PARAMS, params),
        {0, NULL},
    };
    (void)handle;
    (void)in;
    *out = table;
    *arg = OSSL_PROVIDER_get0_provider_ctx(whole.provider);
    return 1;
}

struct lean *lean_new(void)
{
    static const char name[] = "amphi-lean";
    if (!CRYPTO_THREAD_run_once(&whole.once, whole_start) || !whole.ready) {
        return NULL;
    }
    struct lean *lean = mem_alloc(sizeof(*lean));
    if (!lean) {
        return NULL;
    }
    lean->ctx = OSSL_LIB_CTX_new();
    if (lean->ctx && OSSL_PROVIDER_add_builtin(lean->ctx, name, start) == 1) {
        lean->provider = OSSL_PROVIDER_load(lean->ctx, name);
    }
    if (!lean->provider) {
        lean_free(lean);
        return NULL;
    }
    return lean;
}

void lean_free(struct lean *lean)
{
    if (!lean) {
        return;
    }
    if (lean->provider) {
        (void)OSSL_PROVIDER_unload(lean->provider);
    }
    OSSL_LIB_CTX_free(lean->ctx);
    mem_free(lean);
}

OSSL_LIB_CTX *lean_ctx(struct lean *lean)
{
    return lean->ctx;
}
