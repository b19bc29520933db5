/*
 * No attack but a crowd: hundreds of people in real classes, to see how long a change of state and
 * a move to another room take until the last of them has it. --link is COUNT:SENDERS:LINK for each
 * class, comma between. Standard input: stamps             figures of the texts
 * `zat<microseconds>z` heard since the last time expect F N ROOMS   N people from number F on go to
 * rooms, number modulo ROOMS: until everybody hears a sender of the own room Every answer is one
 * line of numbers; microseconds of CLOCK_MONOTONIC throughout.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/sys/clock.h"
#include "codec/wire/rtp.h"
#include "tests/attack/scenarios.h"

enum {
    CROWD_MAX = STAGE_CLIENTS_MAX,
    TIMES_MAX = 1 << 20,
    IN_US = 120 * US_PER_S,
    JOIN_US = 8 * US_PER_MS,
    STAMPS = 64
};

static uint32_t times[TIMES_MAX];
static uint32_t time_count;
static mono_us newest[CROWD_MAX][STAMPS]; /* by client: stamps it has had */
static uint32_t at_stamp[CROWD_MAX];
static mono_us heard_at[CROWD_MAX];
static struct {
    bool on;
    uint32_t first;
    uint32_t count;
    uint32_t rooms;
} expected;

static void note(mono_us us)
{
    if (time_count < TIMES_MAX) {
        times[time_count++] = us < 0 ? 0 : (uint32_t)us;
    }
}

static void on_text(struct client *client, const char *text, size_t len)
{
    const struct stage *stage = (const struct stage *)client->world;
    size_t by = (size_t)(client - stage->clients);
    const char *at = memmem(text, len, "zat", 3);
    /* Snapshots repeat what was said before. */
    if (!at || memmem(text, len < 32 ? len : 32, "snapshot", 8)) {
        return;
    }
    mono_us stamp = strtoll(at + 3, NULL, 10);
    for (unsigned i = 0; i < STAMPS; i++) {
        if (newest[by][i] == stamp) {
            return;
        }
    }
    newest[by][at_stamp[by]++ % STAMPS] = stamp;
    note(clock_mono_us() - stamp);
}

static void on_rtp(struct client *client, const uint8_t *plain, size_t len)
{
    const struct stage *stage = (const struct stage *)client->world;
    uint32_t by = (uint32_t)(client - stage->clients);
    struct rtp_header header;
    struct media_stamp stamp;
    if (!expected.on || heard_at[by] || by - expected.first >= expected.count ||
        rtp_parse(&header, plain, len) != 0 ||
        !media_stamp_read(plain, len - header.padding, &stamp)) {
        return;
    }
    uint32_t sender = stamp.sender - 1 - expected.first;
    if (sender < expected.count &&
        sender % expected.rooms == (by - expected.first) % expected.rooms) {
        heard_at[by] = clock_mono_us();
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, uint32_t missing)
{
    qsort(times, time_count, sizeof(times[0]), by_size);
    uint32_t last = time_count ? time_count - 1 : 0;
    printf("%s %u %u %u %u %u\n", what, time_count, times[last / 2], times[last - last / 100],
           times[last], missing);
    (void)fflush(stdout);
    time_count = 0;
}

/* Microphones rest until they are needed: a plenary of hundreds with sound is another measurement.
 */
static void speak(struct stage *stage, bool on)
{
    for (uint32_t i = 0; i < stage->count; i++) {
        if (stage->clients[i].media.config.audio) {
            stage->clients[i].media.audio_at = on ? clock_mono_us() : MONO_NEVER;
        }
    }
}

static void expect(struct stage *stage, const char *line)
{
    char *rest = NULL;
    expected.first = (uint32_t)strtoul(line + strlen("expect"), &rest, 10);
    expected.count = (uint32_t)strtoul(rest, &rest, 10);
    expected.rooms = (uint32_t)strtoul(rest, &rest, 10);
    memset(heard_at, 0, sizeof(heard_at));
    expected.on = expected.rooms > 0;
    speak(stage, true);
    mono_us start = clock_mono_us();
    printf("ready\n");
    (void)fflush(stdout);
    uint32_t deaf = expected.count;
    while (deaf && clock_mono_us() < start + IN_US) {
        stage_turn(stage);
        deaf = 0;
        for (uint32_t i = 0; i < expected.count; i++) {
            deaf += heard_at[expected.first + i] == 0;
        }
    }
    time_count = 0;
    for (uint32_t i = 0; i < expected.count; i++) {
        if (heard_at[expected.first + i]) {
            note(heard_at[expected.first + i] - start);
        }
    }
    expected.on = false;
    tell("moved", deaf);
}

static void enter(struct stage *stage, char *group)
{
    char *rest = NULL;
    unsigned long count = strtoul(group, &rest, 10);
    unsigned long senders = *rest ? strtoul(rest + 1, &rest, 10) : 0;
    stage->options.link = *rest ? rest + 1 : "";
    for (unsigned long i = 0; i < count; i++) {
        (void)(i < senders ? stage_publisher(stage, 0) : stage_viewer(stage));
        stage_run(stage, JOIN_US);
    }
}

void attack_crowd(struct stage *stage)
{
    static char links[4096];
    char line[256];
    (void)snprintf(links, sizeof(links), "%s", stage->options.link);
    stage->more.rtp_h = on_rtp;
    stage->more.text_h = on_text;
    char *rest = NULL;
    for (char *g = strtok_r(links, ",", &rest); g; g = strtok_r(NULL, ",", &rest)) {
        enter(stage, g);
    }
    uint32_t live = stage_all_live(stage, IN_US);
    speak(stage, false);
    printf("live %u %u\n", live, stage->count);
    (void)fflush(stdout);
    struct pollfd in = {.fd = 0, .events = POLLIN};
    for (;;) {
        while (poll(&in, 1, 0) == 0) {
            stage_turn(stage);
        }
        if (!fgets(line, sizeof(line), stdin)) {
            return;
        }
        if (strncmp(line, "expect", 6) == 0) {
            expect(stage, line);
        } else {
            tell("stamps", 0);
        }
    }
}
