#include "server/mail/smtp.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"

struct reading {
    const char *at;
    size_t left;
    bool (*ended_h)(void);
};

static size_t read_h(char *out, size_t size, size_t count, void *arg)
{
    struct reading *r = arg;
    size_t n = size * count;
    n = n < r->left ? n : r->left;
    memcpy(out, r->at, n);
    r->at += n;
    r->left -= n;
    return n;
}

/* Once the whole message is out the server may have taken it: its answer is waited for. */
static int progress_h(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                      curl_off_t up)
{
    const struct reading *r = arg;
    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return r->ended_h && r->left > 0 && r->ended_h();
}

static int verdict(CURL *curl, CURLcode rc, const char *error, char *why, size_t cap)
{
    long code = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    if (rc == CURLE_OK) {
        return 0;
    }
    if (rc == CURLE_ABORTED_BY_CALLBACK) {
        snprintf(why, cap, "broken off");
        return E_STATE;
    }
    snprintf(why, cap, "%s (%ld)", error[0] ? error : curl_easy_strerror(rc), code);
    return code >= 500 && code < 600 && rc != CURLE_LOGIN_DENIED ? E_DENIED : E_AGAIN;
}

static void options(CURL *curl, const struct smtp_server *s, char *error)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, s->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)SMTP_WAIT_S / 4);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SMTP_WAIT_S);
    (void)curl_easy_setopt(curl, CURLOPT_USE_SSL,
                           s->tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    if (s->ca[0]) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca);
    }
    if (s->user[0]) {
        (void)curl_easy_setopt(curl, CURLOPT_USERNAME, s->user);
        (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, s->password);
    }
}

int smtp_send(const struct smtp_server *server, const char *from, const char *to,
              const char *message, size_t len, char *why, size_t cap)
{
    char error[CURL_ERROR_SIZE] = "";
    char sender[300];
    char recipient[300];
    struct reading reading = {.at = message, .left = len, .ended_h = server->ended_h};
    CURL *curl = curl_easy_init();
    struct curl_slist *to_list = NULL;
    snprintf(sender, sizeof(sender), "<%s>", from);
    snprintf(recipient, sizeof(recipient), "<%s>", to);
    to_list = curl ? curl_slist_append(NULL, recipient) : NULL;
    if (!to_list) {
        snprintf(why, cap, "out of memory");
        curl_easy_cleanup(curl);
        return E_AGAIN;
    }
    options(curl, server, error);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to_list);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_h);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, &reading);
    (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_h);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &reading);
    int err = verdict(curl, curl_easy_perform(curl), error, why, cap);
    curl_slist_free_all(to_list);
    curl_easy_cleanup(curl);
    return err;
}
