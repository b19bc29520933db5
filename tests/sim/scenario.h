/* Named scenarios: what happens in a world, and what must be true afterwards. */
#pragma once

#include "tests/sim/sim.h"

struct scenario {
    const char *name;
    unsigned shards;
    uint32_t loudest;
    /* Plays the scenario; violations are counted in the world. */
    void (*run_h)(struct world *w);
};

extern const struct scenario scenarios[];
extern const unsigned scenarios_count;

/* A world drawn from its seed: people, links, moves; shards 1 .. 3. */
void scenario_random(struct world *w);

/* attacks.c */
void attack_s1_handshake(struct world *w);
void attack_s7_takeover(struct world *w);
void attack_s7_claim(struct world *w);
void attack_s8_inject(struct world *w);
void attack_s9_bad_packets(struct world *w);
void attack_s10_replay(struct world *w);
void attack_s11_ssrcs(struct world *w);
void attack_s12_feedback(struct world *w);
void attack_s12_requests(struct world *w);

/* links.c */
void link_sizes(struct world *w);
void link_f4(struct world *w);
void link_rfc8867(struct world *w);
void link_f1(struct world *w);
void link_f2_f3(struct world *w);
void link_three(struct world *w);
void link_one_encoding(struct world *w);
void link_smallest(struct world *w);
void link_voice(struct world *w);
void link_voice_clean(struct world *w);
void link_voice_pauses(struct world *w);

/* paths.c */
void path_handover(struct world *w);
void path_during_switch(struct world *w);
void path_comes_back_small(struct world *w);
void path_heard_first(struct world *w);
void path_spare(struct world *w);
void path_one_way(struct world *w);
void path_gives_up_large(struct world *w);
void path_away(struct world *w);

/* rings.c */
void rings_full(struct world *w);
void rings_one_stands(struct world *w);

/* steps.c */
void steps_down_thinned(struct world *w);
void steps_up_in_vain(struct world *w);
void steps_torn(struct world *w);
void steps_begin_with_the_past(struct world *w);
void steps_past_is_base(struct world *w);
void steps_told_in_vain(struct world *w);
void steps_screen_told_in_vain(struct world *w);
void steps_stills(struct world *w);
void steps_falters(struct world *w);
void steps_not_connected(struct world *w);
void steps_focus_first(struct world *w);
void steps_trial_answered(struct world *w);

/* silent.c */
void silent_camera(struct world *w);
void silent_resumed(struct world *w);
void silent_begun_with_the_past(struct world *w);
void silent_screen(struct world *w);
void silent_slow(struct world *w);
void silent_other_ssrc(struct world *w);
void silent_still_screen(struct world *w);
void silent_screen_again(struct world *w);

/* policy.c */
void policy_one_slot(struct world *w);
void policy_plenty_is_whole(struct world *w);
void policy_room_for_sound(struct world *w);
void policy_trial_ends(struct world *w);
void policy_queue_given_up(struct world *w);
void policy_paced_by_remb(struct world *w);
void policy_next_below(struct world *w);
void policy_sound_again(struct world *w);
void policy_sound_asked(struct world *w);
void policy_sound_kept_back(struct world *w);

/* repair.c */
void repair_twice(struct world *w);
void repair_of_late_ones(struct world *w);
void repair_untold(struct world *w);
void repair_of_seldom_losses(struct world *w);
void repair_of_reordered(struct world *w);
void repair_budget(struct world *w);
void repair_doubled(struct world *w);
void repair_path_measured_anew(struct world *w);

/* crowd.c */
void crowd_joins(struct world *w);

/* shed.c */
void shed_steps(struct world *w);
void shed_withdrawn(struct world *w);
void shed_resumed(struct world *w);

/* workshops.c */
void workshop_listen(struct world *w);
void workshop_voice(struct world *w);
void workshop_moves(struct world *w);

/* codecs.c: layer structures over links; codec_rows of them are all there is, more are new seeds.
 */
extern const unsigned codec_rows;
void codec_row_name(uint64_t row, char *out, size_t cap);
void codec_row(struct world *w, uint64_t row);
/* Shards with room for hardly any packets. */
void codec_starved(struct world *w);
/* How often the publisher is asked for key frames when a link narrows and widens. */
void codec_keys(struct world *w);

/* Fails unless cond; text says what was expected. */
#define EXPECT(w, cond, ...)                                                                       \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            world_fail(w, __VA_ARGS__);                                                            \
        }                                                                                          \
    } while (0)
