#include "server/app/restart.h"

void restart_ready(struct restart *r)
{
    r->ever_ready = true;
}

static mono_us back_off(uint32_t failures)
{
    mono_us wait = RESTART_FIRST_US;
    if (failures <= RESTART_FREE) {
        return 0;
    }
    for (uint32_t i = RESTART_FREE + 1; i < failures && wait < RESTART_LAST_US; i++) {
        wait *= 2;
    }
    return mono_min(wait, RESTART_LAST_US);
}

struct restart_verdict restart_died(struct restart *r, bool by_signal, int code, mono_us now)
{
    struct restart_verdict v = {.give_up = false, .exit_code = 0, .at = MONO_NEVER};
    bool in_a_row = r->failures && now - r->last_death < RESTART_WINDOW_US;
    r->failures = in_a_row ? r->failures + 1 : 1;
    r->last_death = now;
    if (!by_signal && code == RESTART_EXIT_CONFIG) {
        v.give_up = true;
        v.exit_code = RESTART_EXIT_CONFIG;
    } else if (!r->ever_ready && (!by_signal || r->failures >= RESTART_TRIES)) {
        v.give_up = true;
        v.exit_code = by_signal || !code ? 1 : code;
    } else {
        v.at = now + back_off(r->failures);
    }
    return v;
}
