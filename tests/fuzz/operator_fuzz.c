/* Requests of the operator and of the office as JSON: what is taken is complete and within bounds,
 * and a refusal says why in JSON. */
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/app/admin_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void taken(const struct admin_json *a)
{
    const struct admin_request *r = &a->request;
    check(r->setting_count <= SETTING_COUNT && r->date_count <= DATES_MAX);
    check(dates_ok(r->dates, r->date_count));
    check(a->kind != ADMIN_JSON_CLASSROOM || r->kind != ADMIN_CLASS_CREATE ||
          (r->title && r->title[0] && r->class_type < CLASS_TYPE_COUNT));
    check(r->role < ROLE_COUNT);
    for (size_t i = 0; i < r->setting_count; i++) {
        check(r->settings[i].number < SETTING_COUNT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admin_json *a = malloc(sizeof(*a));
    char why[160] = "";
    if (!a) {
        return 0;
    }
    int err = admin_json_parse(a, (const char *)data, size, why, sizeof(why));
    if (err) {
        char *text = admin_json_refusal(err, why);
        check(err == E_BAD && why[0]);
        json_t *back = text ? json_loads(text, 0, NULL) : NULL;
        check(back && json_is_false(json_object_get(back, "ok")));
        json_decref(back);
        free(text);
    } else {
        taken(a);
    }
    admin_json_fini(a);
    char *text = admin_json_answer(0, (const char *)data, size);
    free(text);
    free(a);
    return 0;
}
