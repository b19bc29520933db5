/*
 * Everything that can be wrong before serving, found in one place and said in one line: data
 * folder, its lock, disk, descriptors, page, certificate, ports. What is opened here is inherited
 * by the children.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/app/config.h"
#include "server/app/paths.h"

enum { PREPARED_WEB_MAX = 4, PREPARE_FDS_MIN = 192 };

struct prepared {
    struct paths paths;
    struct paths_lock lock;
    int web_fd[PREPARED_WEB_MAX]; /* listening */
    uint16_t web_port[PREPARED_WEB_MAX];
    size_t web_count;
    int admin_fd; /* listening, -1 = none */
    uint16_t admin_port;
    int cert_fd; /* memory files with the PEM texts: the door reads them again at SIGHUP, whatever
                  */
    int key_fd;  /* user it has become; -1 without TLS */
    char web_root[PATHS_MAX];
};

/* All of it. Returns an exit code, 0 = ready; otherwise why is the line to print. Call
 * prepare_fini in any case. */
int prepare(struct prepared *out, const struct config *config, char *why, size_t why_cap);
void prepare_fini(struct prepared *prepared);
/* Reads and checks the certificate again and, when it is good, replaces the texts in the memory
 * files. 0 or an error with one line in why. */
int prepare_certificate(struct prepared *prepared, const struct config *config, char *why,
                        size_t why_cap);
/* Finds the folder of the page: web.root, else share/amphi/web beside the program, else
 * web-client/dist here or beside the program. 0, or E_NOTFOUND with one line in why. */
int prepare_web_root(const struct config *config, char out[PATHS_MAX], char *why, size_t why_cap);
/* What people type: web.public_url, or https://localhost:port. Returns buf. */
const char *prepare_url(const struct config *config, uint16_t port, char *buf, size_t cap);
