/* The words of `amphi load` as a shape and a target. */
#pragma once

#include <jansson.h>

#include "bench/load/run.h"
#include "server/app/command.h"

enum { LOAD_PATH_MAX = 1024 };

struct load_options {
    struct shape shape;
    bool french, find_limit, list, quiet;
    uint32_t find_max;       /* people at most, 0 = the tool's choice */
    const char *report;      /* HTML file */
    const char *json_file;   /* JSON file */
    const char *url;         /* https://host:port/c/<class>#<token>: a class of another server */
    const char *speaker_url; /* the same class with the right to speak */
    const char *whip, *whep; /* https://host/path#token: doors of any server */
    const char *janus;       /* http://host:port of its WebSocket, for comparisons */
    uint32_t pid;            /* server on this machine whose processor time counts, 0 = ours */
    struct sockaddr_in via;  /* --media-address, port 0 = none */
    char admin_host[64];     /* "" = none */
    uint16_t admin_port;
};

/* Takes the words of line. 0, or an exit code when something was printed. */
int load_options_read(struct load_options *out, struct command_line *line);
/* Prints the shapes that come with the program. */
void load_options_list(bool french);
/* True when a shape of this name (no path) comes with the program. */
bool load_options_known(const char *name);
/* Names and titles of those: {"name","fr","en"} in an array; the caller's. */
json_t *load_options_shapes(void);
/* Splits https://host:port/c/<class>#<token>; false when it is none. http:// too for doors. */
bool load_options_host(const char *url, char host[128], int *port);
bool load_options_url(const char *url, char host[128], int *port, char token[LOAD_LINK_MAX]);
