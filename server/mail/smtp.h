/*
 * Handing one message to a mail server (RFC 5321, RFC 8314) through libcurl.
 * Invariants: with tls a server that offers none is not spoken to; a slow server is given up after
 * SMTP_WAIT_S; nothing of the message or the password is logged; who is told to end breaks off only
 * what the server cannot have taken yet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SMTP_WAIT_S = 60 };

struct smtp_server {
    const char *url;  /* smtp://host:587 or smtps://host:465 */
    const char *user; /* "" = none */
    const char *password;
    bool tls;              /* required */
    const char *ca;        /* file of trusted authorities, "" = the system's */
    bool (*ended_h)(void); /* shall we end? May be NULL */
};

/* 0 = taken; E_AGAIN = not now (no connection, 4xx, slow); E_DENIED = refused for good (5xx);
 * E_STATE = broken off because we end. why (cap bytes) says it in one line. */
int smtp_send(const struct smtp_server *server, const char *from, const char *to,
              const char *message, size_t len, char *why, size_t cap);
