/*
 * Requests of the operator as JSON, the same over the control socket and offline:
 *   {"cmd":"class.create","title":"...","type":"standard|webinar|round-table",
 *    "settings":{"waiting-room":"manual", ...}, "dates":[[start, minutes], ...]}
 *   {"cmd":"class.list"} {"cmd":"class.show","class":"c_..."} {"cmd":"class.end","class":"c_..."}
 *   {"cmd":"class.edit","class":"c_...","title":"...","settings":{...},"dates":[...]}
 *   {"cmd":"class.archive","class":"c_...","archive":true}
 *   {"cmd":"class.bin","class":"c_...","bin":true}
 *   {"cmd":"class.forget","class":"c_...","person":"p_..."}
 *   {"cmd":"class.forget_all","class":"c_..."}   names and texts of everybody
 *   {"cmd":"limits","people_per_class","people","classes_at_once"}   the last two 0 = none
 *   {"cmd":"class.unsay","class":"c_..."}        what everybody wrote; names stay
 *   {"cmd":"link","class":"c_...","role":"participant|speaker|...","ttl_s":0,"single":false}
 *   {"cmd":"drain"} {"cmd":"status"} {"cmd":"capacity"}
 * Answers: {"ok":true, ...} or {"ok":false,"code":"E_...","why":"..."}.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "signaling/class/classroom.h"
#include "signaling/journal/dates.h"
#include "signaling/schema/settings.h"

enum admin_json_kind {
    ADMIN_JSON_CLASSROOM, /* for classroom_admin */
    ADMIN_JSON_DRAIN,
    ADMIN_JSON_STATUS,
    ADMIN_JSON_CAPACITY,
};

struct admin_json {
    enum admin_json_kind kind;
    struct admin_request request; /* texts borrowed from doc, lists from below */
    struct admin_setting settings[SETTING_COUNT];
    struct class_date dates[DATES_MAX];
    json_t *doc;
};

enum { ADMIN_JSON_MAX = 65536 };

/* Reads one request. 0, or E_BAD with one phrase in why. Free with admin_json_fini in any case. */
int admin_json_parse(struct admin_json *out, const char *text, size_t len, char *why,
                     size_t why_cap);
void admin_json_fini(struct admin_json *in);
/* {"ok":...} around the answer of the classroom; owned by the caller (free), NULL when out of
 * memory. */
char *admin_json_answer(int err, const char *json, size_t len);
/* {"ok":false,"code":...,"why":...}. */
char *admin_json_refusal(int err, const char *why);

const char *admin_json_type_name(enum class_type type);
const char *admin_json_role_name(enum role role);
