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

static int fold_image(void *arg, const struct class_image *image)
{
    struct sheet *sheet = arg;
    struct class_image borrowed = *image;
    struct sealer sealer = {.ops = {.open_h = token_open}, .key_h = key_of, .arg = &borrowed};
    int err = 0;
    for (size_t i = 0; i < image->event_count && !err; i++) {
        struct event e;
        err = event_decode(&e, image->events[i].data, image->events[i].len, &sealer);
        if (!err) {
            err = sheet_fold(sheet, &e);
            event_fini(&e);
        }
    }
    return err;
}

int history_sheet(struct sheet *sheet, const struct config *config, const struct id *class_id,
                  char *why, size_t why_cap)
{
    struct paths paths;
    char path[PATHS_MAX];
    sheet_init(sheet, class_id);
    int err = token_init();
    err = err ? err : paths_init(&paths, config);
    if (err) {
        snprintf(why, why_cap, "%s: %s", config->data_dir, err_text(err));
        return err;
    }
    err = store_history(paths_in(&paths, "amphi.db", path), class_id, fold_image, sheet);
    if (err) {
        snprintf(why, why_cap, "%s", store_why());
    }
    return err;
}
