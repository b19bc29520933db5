#include "server/app/office_fetch.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum { BYTES_MAX = 256 * 1024, WAIT_S = 5, CONNECT_S = 3 };

struct body {
    char *bytes;
    size_t len;
};

static size_t write_h(char *p, size_t size, size_t count, void *arg)
{
    struct body *b = arg;
    size_t n = size * count;
    if (n > BYTES_MAX - b->len) {
        return 0; /* ends the transfer */
    }
    char *grown = mem_realloc(b->bytes, b->len + n + 1);
    if (!grown) {
        return 0;
    }
    b->bytes = grown;
    memcpy(b->bytes + b->len, p, n);
    b->len += n;
    return n;
}

static CURLcode setup(CURL *curl, const struct fetch *f, struct body *body)
{
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_URL, f->url);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost");
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WAIT_S);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_h);
    rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (!rc && f->ca[0]) {
        rc = curl_easy_setopt(curl, CURLOPT_CAINFO, f->ca);
    }
    if (!rc && f->form) {
        rc = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, f->form);
    }
    if (!rc && f->user) {
        rc = curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_USERNAME, f->user);
        rc = rc ? rc : curl_easy_setopt(curl, CURLOPT_PASSWORD, f->password);
    }
    return rc;
}

json_t *office_fetch(const struct fetch *f, char *why, size_t cap)
{
    struct body body = {.bytes = NULL};
    json_error_t error;
    long status = 0;
    CURL *curl = curl_easy_init();
    CURLcode rc = curl ? setup(curl, f, &body) : CURLE_OUT_OF_MEMORY;
    rc = rc ? rc : curl_easy_perform(curl);
    if (curl) {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_cleanup(curl);
    }
    json_t *o = !rc && status == 200
                    ? json_loadb(body.bytes, body.len, JSON_REJECT_DUPLICATES, &error)
                    : NULL;
    if (!json_is_object(o)) {
        json_decref(o);
        o = NULL;
        snprintf(why, cap, "%.100s: %s (status %ld)", f->url,
                 rc ? curl_easy_strerror(rc) : "no usable answer", status);
    }
    mem_free(body.bytes);
    return o;
}

int office_escape(char *out, size_t cap, const char *text)
{
    size_t at = strlen(out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || strchr("-._~", *c);
        if (cap - at < 4) {
            return E_FULL;
        }
        if (plain) {
            out[at++] = (char)*c;
        } else {
            at += (size_t)snprintf(out + at, cap - at, "%%%02X", *c);
        }
        out[at] = '\0';
    }
    return 0;
}
