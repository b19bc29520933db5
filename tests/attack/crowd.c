/*
 * No attack but a crowd: hundreds of people in real classes, to see how long a change of state and
 * a move to another room take until the last of them has it. --link is COUNT:SENDERS:LINK for each
 * class, comma between. Standard input:
 *   change SEQ US F N    when the N people from number F on were told class sequence SEQ, which
 *                        was asked for at US
 *   changes              figures of those; begins anew
 *   expect F N ROOMS     N people from number F on go to rooms, number modulo ROOMS: until
 *                        everybody hears a sender of the own room
 * Every answer is one line of numbers; microseconds of CLOCK_MONOTONIC throughout.
 */
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
    DELTAS = 256
};

static uint32_t times[TIMES_MAX];
static uint32_t time_count;
static uint32_t untold;
/* By client: the last deltas it has had. */
static struct {
    uint64_t seq;
    mono_us at;
} deltas[CROWD_MAX][DELTAS];
static uint32_t at_delta[CROWD_MAX];
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
    static const char start[] = "{\"t\":\"delta\",\"seq\":";
    const struct stage *stage = (const struct stage *)client->world;
    size_t by = (size_t)(client - stage->clients);
    if (len > sizeof(start) && memcmp(text, start, sizeof(start) - 1) == 0) {
        uint32_t i = at_delta[by]++ % DELTAS;
        deltas[by][i].seq = strtoull(text + sizeof(start) - 1, NULL, 10);
        deltas[by][i].at = clock_mono_us();
    }
}

/* Each of them has had it with the first delta that reaches so far. */
static void changed(const char *line)
{
    char *rest = NULL;
    uint64_t seq = strtoull(line + strlen("change"), &rest, 10);
    mono_us start = strtoll(rest, &rest, 10);
    uint32_t first = (uint32_t)strtoul(rest, &rest, 10);
    uint32_t count = (uint32_t)strtoul(rest, &rest, 10);
    for (uint32_t by = first; by < first + count && by < CROWD_MAX; by++) {
        mono_us at = MONO_NEVER;
        for (uint32_t i = 0; i < DELTAS; i++) {
            bool later = deltas[by][i].seq >= seq && deltas[by][i].at < at;
            at = later ? deltas[by][i].at : at;
        }
        if (at == MONO_NEVER) {
            untold++;
        } else {
            note(at - start);
        }
    }
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
    while (stage_order(stage, line, sizeof(line))) {
        if (strncmp(line, "expect", 6) == 0) {
            expect(stage, line);
        } else if (strncmp(line, "changes", 7) == 0) {
            tell("changes", untold);
            untold = 0;
        } else if (strncmp(line, "change", 6) == 0) {
            changed(line);
        }
    }
}
