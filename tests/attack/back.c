/*
 * No attack: scripted people whose server process dies, and who take their seats again as a page
 * does (fault F12). --link is COUNT:SENDERS:LINK. Standard input:
 *   killed US    the process was killed at US: until everybody hears somebody again
 * The answer is one line: how many, their median, 95 in 100, most, how many not; microseconds of
 * CLOCK_MONOTONIC throughout.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/sys/clock.h"
#include "tests/attack/scenarios.h"

enum { PEOPLE_MAX = 64, IN_US = 60 * US_PER_S, HEAR_US = 60 * US_PER_S };

static struct person {
    char resume[512];
    json_int_t epoch, seq;
    bool again;       /* took the seat again, and has heard nothing since */
    mono_us heard_at; /* first sound since it did so the last time */
} people[PEOPLE_MAX];

static void on_text(struct client *client, const char *text, size_t len)
{
    const struct stage *stage = (const struct stage *)client->world;
    struct person *p = &people[client - stage->clients];
    json_t *message = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(message, "t"));
    json_int_t epoch = json_integer_value(json_object_get(message, "epoch"));
    const char *resume = json_string_value(json_object_get(message, "resume"));
    const json_t *seq = json_object_get(message, "seq");
    if (type && strcmp(type, "epoch") == 0) {
        if (p->resume[0] && epoch > p->epoch) {
            p->again = true;
            client_again(client, p->resume, p->seq, p->epoch);
        }
    } else if (type && (resume || strcmp(type, "delta") == 0)) {
        p->epoch = resume ? epoch : p->epoch;
        p->seq = json_is_integer(seq) ? json_integer_value(seq) : p->seq;
        if (resume) {
            (void)snprintf(p->resume, sizeof(p->resume), "%s", resume);
        }
    }
    json_decref(message);
}

static void on_rtp(struct client *client, const uint8_t *plain, size_t len)
{
    const struct stage *stage = (const struct stage *)client->world;
    struct person *p = &people[client - stage->clients];
    (void)plain;
    (void)len;
    if (p->again) {
        p->again = false;
        p->heard_at = clock_mono_us();
    }
}

static int by_size(const void *a, const void *b)
{
    mono_us x = *(const mono_us *)a;
    mono_us y = *(const mono_us *)b;
    return (x > y) - (x < y);
}

/* Until everybody has heard somebody since `killed`. */
static void until_heard(struct stage *stage, mono_us killed)
{
    mono_us took[PEOPLE_MAX];
    uint32_t count;
    do {
        stage_turn(stage);
        count = 0;
        for (uint32_t i = 0; i < stage->count; i++) {
            if (people[i].heard_at > killed) {
                took[count++] = people[i].heard_at - killed;
            }
        }
    } while (count < stage->count && clock_mono_us() < killed + HEAR_US);
    qsort(took, count, sizeof(took[0]), by_size);
    uint32_t last = count ? count - 1 : 0;
    printf("heard %u %lld %lld %lld %u\n", count, count ? (long long)took[last / 2] : 0,
           count ? (long long)took[last * 95 / 100] : 0, count ? (long long)took[last] : 0,
           stage->count - count);
    (void)fflush(stdout);
    if (stage->world.error) {
        (void)fprintf(stderr, "attack: %s\n", stage->world.error_text);
    }
}

void attack_back(struct stage *stage)
{
    char line[256];
    char *rest = NULL;
    unsigned long count = strtoul(stage->options.link, &rest, 10);
    unsigned long senders = *rest ? strtoul(rest + 1, &rest, 10) : 0;
    stage->options.link = *rest ? rest + 1 : "";
    stage->more.text_h = on_text;
    stage->more.rtp_h = on_rtp;
    for (unsigned long i = 0; i < count && i < PEOPLE_MAX; i++) {
        (void)(i < senders ? stage_publisher(stage, 0) : stage_viewer(stage));
        stage_run(stage, 10 * US_PER_MS);
    }
    printf("live %u %u\n", stage_all_live(stage, IN_US), stage->count);
    (void)fflush(stdout);
    while (stage_order(stage, line, sizeof(line))) {
        if (strncmp(line, "killed ", 7) == 0) {
            until_heard(stage, strtoll(line + 7, NULL, 10));
        }
    }
}
