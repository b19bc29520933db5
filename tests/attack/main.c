/*
 * One attack on a running server: attack NAME --port P --admin P --core PID --link L
 * Prints a line per check; exit 0 when all held, 1 when one did not, 70 when the stage broke down.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/attack/scenarios.h"

static const struct {
    const char *name;
    void (*run)(struct stage *stage);
} attacks[] = {
    {"s1", attack_s1},     {"s1_same_path", attack_s1_same_path},
    {"s2", attack_s2},     {"s4", attack_s4},
    {"s7", attack_s7},     {"s8", attack_s8},
    {"s9", attack_s9},     {"s10", attack_s10},
    {"s11", attack_s11},   {"s12", attack_s12},
    {"s16", attack_s16},   {"s27", attack_s27},
    {"s38", attack_s38},   {"crowd", attack_crowd},
    {"back", attack_back},
};

int main(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, NULL, 'p'},
                                          {"admin", 1, NULL, 'a'},
                                          {"core", 1, NULL, 'c'},
                                          {"link", 1, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    (void)setvbuf(stdin, NULL, _IONBF, 0); /* what poll does not see must not be kept here */
    static struct stage stage;
    struct stage_options options = {.link = ""};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'p':
            options.port = (int)strtol(optarg, NULL, 10);
            break;
        case 'a':
            options.admin = (int)strtol(optarg, NULL, 10);
            break;
        case 'c':
            options.core = (pid_t)strtol(optarg, NULL, 10);
            break;
        case 'l':
            options.link = optarg;
            break;
        default:
            return 64;
        }
    }
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (optind < argc && strcmp(argv[optind], attacks[i].name) == 0) {
            if (stage_open(&stage, &options) != 0) {
                (void)fprintf(stderr, "attack: the stage cannot be set\n");
                return 70;
            }
            attacks[i].run(&stage);
            uint32_t failed = stage.failed;
            stage_close(&stage);
            return failed ? 1 : 0;
        }
    }
    (void)fprintf(stderr, "attack: which one?\n");
    return 64;
}
