/*
 * Runs named scenarios, random worlds and layer structures over links (--only random,
 * --only codecs: these alone):
 *   sfu_sim [--seeds N] [--from SEED] [--only NAME]
 * Prints "ok NAME" or "FAIL NAME seed S: why", finally "N passed, N failed"; exit 1 on a failure.
 */
#include <stdio.h>
#include <string.h>

#include "codec/base/mem.h"
#include "tests/sim/scenario.h"

/* run_h NULL: the row of layer structures that has the seed as its number. */
static bool play(const char *name, void (*run_h)(struct world *w), uint64_t seed, unsigned shards,
                 uint32_t loudest)
{
    long blocks = mem_live();
    struct world *w = world_new(seed, shards, loudest);
    if (run_h) {
        run_h(w);
    } else {
        codec_row(w, seed);
    }
    uint64_t violations = w->violations;
    char first[sizeof(w->first)];
    memcpy(first, w->first, sizeof(first));
    world_free(w);
    if (!violations && (mem_live() != blocks || fake_crypto_live() != 0)) {
        violations = 1;
        snprintf(first, sizeof(first), "%ld blocks leaked", mem_live() - blocks);
    }
    if (violations) {
        printf("FAIL %s seed %llu: %s (%llu in all)\n", name, (unsigned long long)seed, first,
               (unsigned long long)violations);
    } else {
        printf("ok %s\n", name);
    }
    fflush(stdout);
    return violations == 0;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 10;
    uint64_t from = 1;
    const char *only = NULL;
    unsigned passed = 0;
    unsigned failed = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0) {
            seeds = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--from") == 0) {
            from = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[i + 1];
        }
    }
    for (unsigned i = 0; i < scenarios_count; i++) {
        const struct scenario *s = &scenarios[i];
        if (!only || strcmp(only, s->name) == 0) {
            bool ok = play(s->name, s->run_h, from, s->shards, s->loudest);
            passed += ok;
            failed += !ok;
        }
    }
    bool worlds = !only || strcmp(only, "random") == 0;
    for (uint64_t seed = from; worlds && seed < from + seeds; seed++) {
        char name[48];
        snprintf(name, sizeof(name), "random_world_%llu", (unsigned long long)seed);
        bool ok = play(name, scenario_random, seed, 1 + (unsigned)(seed % 3), 3);
        passed += ok;
        failed += !ok;
    }
    /* At least every structure over every link, from the first seed on. */
    bool rows = !only || strcmp(only, "codecs") == 0;
    for (uint64_t i = 0; rows && i < (seeds < codec_rows && !only ? codec_rows : seeds); i++) {
        char name[80];
        codec_row_name(from + i, name, sizeof(name));
        bool ok = play(name, NULL, from + i, 1 + (unsigned)((from + i) % 3 == 0), 3);
        passed += ok;
        failed += !ok;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
