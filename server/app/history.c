#include "server/app/history.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/token.h"
#include "server/app/paths.h"
#include "signaling/journal/event.h"
#include "signaling/store/store.h"

static const uint8_t *key_of(void *arg, const struct id *person)
{
    const struct class_image *image = arg;
    for (size_t i = 0; i < image->key_count; i++) {
        if (id_equal(&image->keys[i].person, person)) {
            return image->keys[i].key;
        }
    }
    return NULL;
}

struct walk {
    struct sheet *sheet;
    struct attendance_chain chain;
    history_event_h event_h;
    void *arg;
};

/* A seal names the digest of all events before it: does it still hold? */
static void check_chain(struct sheet *sheet, const struct event *e,
                        const struct attendance_chain *before)
{
    for (uint32_t i = 0; i < sheet->count; i++) {
        struct sheet_session *s = &sheet->sessions[i];
        if (s->sealed && s->seal_seq == e->seq) {
            s->journal_holds = seal_is_of_chain(s->seal, before);
        }
    }
}

static int fold_event(struct walk *walk, const struct class_blob *blob, const struct sealer *sealer)
{
    const struct token_ops ops = {.sign_h = token_sign};
    struct attendance_chain before = walk->chain;
    struct event e;
    int err = event_decode(&e, blob->data, blob->len, sealer);
    if (err) {
        return err;
    }
    err = chain_add(&walk->chain, blob->data, blob->len, &ops);
    err = err || !walk->sheet ? err : sheet_fold(walk->sheet, &e);
    if (!err && walk->sheet && e.type == EVENT_ROLL_SEALED) {
        check_chain(walk->sheet, &e, &before);
    }
    if (!err && walk->event_h) {
        err = walk->event_h(walk->arg, &e);
    }
    event_fini(&e);
    return err;
}

static int fold_image(void *arg, const struct class_image *image)
{
    struct class_image borrowed = *image;
    struct sealer sealer = {
        .ops = {.open_h = token_open}, .key_h = key_of, .arg = &borrowed, .home = image->class_id};
    int err = 0;
    for (size_t i = 0; i < image->event_count && !err; i++) {
        err = fold_event(arg, &image->events[i], &sealer);
    }
    return err;
}

int history_walk(struct history *history, const struct config *config, const struct id *class_id,
                 history_event_h event_h, void *arg, char *why, size_t why_cap)
{
    struct paths paths;
    char path[PATHS_MAX];
    struct walk walk = {.sheet = &history->sheet, .event_h = event_h, .arg = arg};
    sheet_init(&history->sheet, class_id);
    int err = token_init();
    err = err ? err : paths_init(&paths, config);
    if (err) {
        snprintf(why, why_cap, "%s: %s", config->data_dir, err_text(err));
        return err;
    }
    err = store_history(paths_in(&paths, "amphi.db", path), class_id, fold_image, &walk);
    if (err) {
        snprintf(why, why_cap, "%s", store_why());
    }
    history->chain = walk.chain;
    return err;
}
