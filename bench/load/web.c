#include "bench/load/web.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum { BODY_MAX = 65536, TIMEOUT_S = 10, TOKEN_LINE_MAX = 1100, URL_MAX = 1024 };

struct call {
    struct web *web;
    struct call *next;
    CURL *curl;
    struct curl_slist *headers;
    void (*done_h)(void *user, const struct web_answer *answer);
    void *user;
    char url[URL_MAX];
    char token[TOKEN_LINE_MAX];
    char location[URL_MAX];
    char error[CURL_ERROR_SIZE];
    char *sent;
    char *body;
    size_t len;
    bool forgotten;
};

struct web {
    CURLM *multi;
    struct call *calls;
    unsigned open;
};

struct web *web_new(void)
{
    struct web *web = mem_alloc(sizeof(*web));
    if (web) {
        (void)curl_global_init(CURL_GLOBAL_DEFAULT);
        web->multi = curl_multi_init();
        if (!web->multi) {
            mem_free(web);
            web = NULL;
        }
    }
    return web;
}

static void call_free(struct call *call)
{
    struct call **at = &call->web->calls;
    while (*at && *at != call) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = call->next;
        call->web->open--;
    }
    if (call->curl) {
        (void)curl_multi_remove_handle(call->web->multi, call->curl);
        curl_easy_cleanup(call->curl);
    }
    curl_slist_free_all(call->headers);
    mem_free(call->sent);
    mem_free(call->body);
    mem_free(call);
}

void web_free(struct web *web)
{
    if (web) {
        while (web->calls) {
            call_free(web->calls);
        }
        (void)curl_multi_cleanup(web->multi);
        mem_free(web);
    }
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct call *call = user;
    size_t len = size * count;
    char *grown = call->len + len > BODY_MAX ? NULL : mem_realloc(call->body, call->len + len + 1);
    if (!grown) {
        return 0;
    }
    memcpy(grown + call->len, data, len);
    call->body = grown;
    call->len += len;
    call->body[call->len] = '\0';
    return len;
}

/* Location may be relative to what was asked. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    static const char name[] = "location:";
    struct call *call = user;
    size_t len = size * count;
    char value[URL_MAX];
    char *whole = NULL;
    if (len < sizeof(name) || strncasecmp(data, name, sizeof(name) - 1) != 0 ||
        len - sizeof(name) >= sizeof(value)) {
        return len;
    }
    (void)snprintf(value, sizeof(value), "%.*s", (int)(len - sizeof(name) + 1),
                   data + sizeof(name) - 1);
    char *begin = value + strspn(value, " \t");
    begin[strcspn(begin, "\r\n")] = '\0';
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, call->url, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_URL, begin, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
        (void)snprintf(call->location, sizeof(call->location), "%s", whole);
    }
    curl_free(whole);
    curl_url_cleanup(u);
    return len;
}

static void add_header(struct call *call, const char *name, const char *value)
{
    char line[TOKEN_LINE_MAX + 40];
    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(call->headers, line);
    call->headers = more ? more : call->headers;
}

static void set_up(struct call *call, const struct web_request *r)
{
    CURL *c = call->curl;
    if (*r->token) {
        char value[TOKEN_LINE_MAX + 8];
        (void)snprintf(value, sizeof(value), "Bearer %s", call->token);
        add_header(call, "Authorization", value);
    }
    if (r->type) {
        add_header(call, "Content-Type", r->type);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->sent);
    }
    add_header(call, "Expect", "");
    (void)curl_easy_setopt(c, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, call->headers);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, call);
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, call->error);
    (void)curl_easy_setopt(c, CURLOPT_PRIVATE, call);
}

int web_ask(struct web *web, const struct web_request *r)
{
    struct call *call = mem_alloc(sizeof(*call));
    if (!call) {
        return E_NOMEM;
    }
    *call = (struct call){.web = web, .done_h = r->done_h, .user = r->user};
    (void)snprintf(call->url, sizeof(call->url), "%s", r->url);
    (void)snprintf(call->token, sizeof(call->token), "%s", r->token);
    call->curl = curl_easy_init();
    size_t len = r->body ? strlen(r->body) + 1 : 0;
    call->sent = len ? mem_alloc(len) : NULL;
    call->next = web->calls;
    web->calls = call;
    web->open++;
    if (!call->curl || (len && !call->sent)) {
        call_free(call);
        return E_NOMEM;
    }
    if (len) {
        memcpy(call->sent, r->body, len);
    }
    set_up(call, r);
    (void)curl_multi_add_handle(web->multi, call->curl);
    return 0;
}

void web_forget(struct web *web, const void *user)
{
    for (struct call *c = web->calls; c; c = c->next) {
        c->forgotten = c->forgotten || c->user == user;
    }
}

static void finish(struct call *call, CURLcode result)
{
    long status = 0;
    (void)curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    struct web_answer answer = {
        .status = result == CURLE_OK ? (int)status : 0,
        .body = call->body ? call->body : "",
        .len = call->len,
        .location = call->location,
        .why = call->error[0] ? call->error : curl_easy_strerror(result),
    };
    if (call->forgotten && answer.status == 201 && call->location[0]) {
        struct web_request undo = {.method = "DELETE", .url = call->location, .token = call->token};
        (void)web_ask(call->web, &undo);
    } else if (!call->forgotten && call->done_h) {
        call->done_h(call->user, &answer);
    }
    call_free(call);
}

void web_run(struct web *web)
{
    int running = 0;
    int left = 0;
    CURLMsg *m;
    (void)curl_multi_perform(web->multi, &running);
    while ((m = curl_multi_info_read(web->multi, &left)) != NULL) {
        struct call *call = NULL;
        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call) == CURLE_OK) {
            finish(call, m->data.result);
        }
    }
}

unsigned web_open(const struct web *web)
{
    return web->open;
}
