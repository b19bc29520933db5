/*
 * S27 on the media path: everybody sends stamped sound and decrypts all that arrives, while the
 * test that started us moves people into the workshops of two classes. --link holds a link per
 * client, comma between; standard input says which client stands where: room 0 0 1 1 2 2 ...
 * numbers of places, one per client: from now on these hold end Only a packet of the own place is
 * right; every pair of a place must have heard each other. Answers `live` once everybody is in,
 * `heard` after each `room`.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/sys/clock.h"
#include "codec/wire/rtp.h"
#include "tests/attack/scenarios.h"

enum { CANARIES_MAX = 32, HEARD_MIN = 15, SETTLE_US = 400 * US_PER_MS, HEARD_US = 60 * US_PER_S };

static uint32_t heard[CANARIES_MAX][CANARIES_MAX]; /* receiver, sender: packets */
static uint64_t all;
static uint64_t unstamped;

static void on_rtp(struct client *client, const uint8_t *plain, size_t len)
{
    struct stage *stage = (struct stage *)client->world;
    struct rtp_header header;
    struct media_stamp stamp;
    if (rtp_parse(&header, plain, len) != 0) {
        return;
    }
    bool stamped = media_stamp_read(plain, len - header.padding, &stamp);
    size_t by = stamped ? stamp.sender - 1 : CANARIES_MAX;
    all++;
    unstamped += !stamped;
    if (by < CANARIES_MAX) {
        heard[client - stage->clients][by]++;
    }
}

/* The next line of standard input, while the clients go on. */
static bool next_line(struct stage *stage, char *line, int cap)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    while (poll(&in, 1, 0) == 0) {
        stage_turn(stage);
    }
    return fgets(line, cap, stdin) != NULL;
}

/* How many pairs of a place have not heard each other yet. */
static unsigned deaf(const struct stage *stage, const long *place)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < stage->count; i++) {
        for (uint32_t k = 0; k < stage->count; k++) {
            count += i != k && place[i] == place[k] && heard[i][k] < HEARD_MIN;
        }
    }
    return count;
}

static void one_order(struct stage *stage, char *line)
{
    long place[CANARIES_MAX] = {0};
    char *at = line + strlen("room");
    for (uint32_t i = 0; i < stage->count; i++) {
        place[i] = strtol(at, &at, 10);
    }
    stage_run(stage, SETTLE_US); /* what was under way before the move */
    memset(heard, 0, sizeof(heard));
    all = 0;
    mono_us end = clock_mono_us() + HEARD_US;
    while (deaf(stage, place) && clock_mono_us() < end) {
        stage_turn(stage);
    }
    stage_run(stage, US_PER_S);
    uint64_t foreign = 0;
    for (uint32_t i = 0; i < stage->count; i++) {
        for (uint32_t k = 0; k < stage->count; k++) {
            foreign += place[i] != place[k] ? heard[i][k] : 0;
        }
    }
    stage_check(stage, foreign == 0, "S27 sound of another place: %llu of %llu packets decrypted",
                (unsigned long long)foreign, (unsigned long long)all);
    stage_check(stage, deaf(stage, place) == 0 && unstamped == 0,
                "S27 everybody of a place hears everybody of it: %u pairs do not",
                deaf(stage, place));
    printf("heard\n");
    (void)fflush(stdout);
}

void attack_s27(struct stage *stage)
{
    static char links[16384];
    char line[256];
    (void)snprintf(links, sizeof(links), "%s", stage->options.link);
    stage->more.rtp_h = on_rtp;
    char *rest = NULL;
    for (char *link = strtok_r(links, ",", &rest); link; link = strtok_r(NULL, ",", &rest)) {
        stage->options.link = link;
        (void)stage_publisher(stage, 0);
    }
    uint32_t live = stage_all_live(stage, HEARD_US);
    stage_check(stage, live == stage->count && live > 0, "S27 %u of %u are in", live, stage->count);
    printf("live\n");
    (void)fflush(stdout);
    while (next_line(stage, line, sizeof(line)) && strncmp(line, "room", 4) == 0) {
        one_order(stage, line);
    }
}
