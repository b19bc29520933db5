/* The inside of the standard doors, shared by wish*.c and nobody else. */
#pragma once

#include "codec/base/map.h"
#include "codec/wire/sdp.h"
#include "server/app/picture.h"
#include "server/app/wish.h"

enum {
    WISH_ID_TEXT = 33,
    WISH_ETAG_TEXT = 19,
    WISH_MIXES_MAX = 64,
    WISH_PATH_MAX = 96,
    WISH_RATES = 256
};

/* What the hooks of the classroom said; wish_turn acts on it. */
enum wish_news { NEWS_NONE, NEWS_DOOR, NEWS_IN, NEWS_WAITING, NEWS_ERROR, NEWS_CLOSED };

enum wish_state {
    WISH_JOINING,  /* WHIP: on its way into the class */
    WISH_OFFERED,  /* the media server has the offer */
    WISH_OPEN,     /* answered */
    WISH_RESTARTED /* the media server has new credentials */
};

struct wish_session {
    struct wish_session *next;
    struct wish_session *prev;
    enum wish_state state;
    enum wish_news news;
    bool publish;
    bool connected;
    char id[WISH_ID_TEXT];
    uint64_t id_key;
    char etag[WISH_ETAG_TEXT];
    struct id class_id;
    struct id person; /* WHIP: who; WHEP: ?publisher=, or zero */
    struct id pass;   /* the token it was opened with */
    char name[101];
    room_num room;
    uint64_t class_num;
    uint32_t class_size;
    uint64_t req; /* the request that waits, 0 = none */
    mono_us deadline;
    conn_num conn;     /* WHIP */
    device_num device; /* WHIP: once inside */
    uint64_t token;    /* of the offer on its way */
    uint16_t error;    /* NEWS_ERROR: the status it becomes */
    struct desc_offer desc;
    char next_ufrag[DESC_UFRAG_MAX + 1]; /* of the restart under way */
    char next_pwd[DESC_PWD_MAX + 1];
    mono_us patched;           /* how far its PATCH requests are ahead of their rate */
    struct sdp_session *offer; /* until answered; its text lies behind it */
    char audio_mid[DESC_MID_MAX + 1];
    char video_mid[DESC_MID_MAX + 1];
    struct wish_mix *mix;
    struct picture_choice shown;
};

/* One mix somebody listens to. */
struct wish_mix {
    room_num room; /* of the class; 0 = free */
    struct id class_id;
    struct id person;     /* the one publisher that is heard in it, or zero: everybody */
    device_num publisher; /* by which he sends now: another one when he came again */
    room_num out;
    device_num device;
    uint32_t listeners;
    uint64_t token;
    uint32_t ssrc_base;
    struct media_evt slots;
};

struct wish {
    struct wish_config config;
    struct wish_session *sessions;
    uint32_t count;
    struct map by_id;
    struct map by_device;
    struct map by_conn;
    struct map by_req;
    struct picture *picture;
    struct wish_mix mix[WISH_MIXES_MAX];
    uint32_t conns;   /* last number given */
    uint64_t devices; /* likewise */
    uint64_t tokens;
    uint64_t rooms;
    /* How far POST requests are ahead of their rate: of one publisher, of one class's viewers. */
    mono_us posted[2][WISH_RATES];
    uint32_t due;         /* sessions with news */
    uint64_t withdrawals; /* of tokens, as last looked at */
    bool pictures_due;
    bool draining;
    mono_us tick_at;
    struct wish_stats stats;
};

/* ---- wish.c --------------------------------------------------------------------------------- */

/* A session with its id, or NULL. */
struct wish_session *wish_session_new(struct wish *w, bool publish);
/* Takes it out of every table and frees it; media and seat are the caller's to end before. */
void wish_session_free(struct wish *w, struct wish_session *s);
/* Ends everything of it and frees it. */
void wish_end(struct wish *w, struct wish_session *s, struct class_time now);
struct wish_session *wish_find(const struct wish *w, const char *id, size_t len);
/* A new entity tag: a new ICE generation. */
void wish_tag(struct wish *w, struct wish_session *s);
/* The number of our next offer. */
uint64_t wish_token(struct wish *w);
void wish_waits(struct wish *w, struct wish_session *s, uint64_t req, mono_us deadline);
void wish_waits_not(struct wish *w, struct wish_session *s);

/* ---- wish_http.c ------------------------------------------------------------------------------
 */

/* The media server answered. */
void wish_answered(struct wish *w, struct wish_session *s, const struct desc_answer *answer);

/* ---- wish_why.c -------------------------------------------------------------------------------
 */

/* What is wrong with an offer, and where. */
struct wish_fault {
    char detail[320];
};

/* Refuses with a problem (RFC 9457); detail NULL = what is mostly meant by the status. A 401 with
 * a detail is about the token that was shown. */
void wish_refuse(struct wish *w, uint64_t req, uint16_t status, const char *detail);
/* Likewise, with headers of the caller's in the answer. */
void wish_problem(struct wish *w, struct ipc_answer *answer, const char *detail);
/* Likewise, the request that waits for this session. */
void wish_fail(struct wish *w, struct wish_session *s, uint16_t status, const char *detail);
/* RFC 9725 section 4.4, section by section: 0, or the status and out. */
uint16_t wish_offer_check(struct wish_fault *out, const struct sdp_session *offer, bool publish);
/* What an error of sdp_parse, of sdp_offer_desc means: the status, and out. */
uint16_t wish_parse_fault(struct wish_fault *out, const struct sdp_session *offer, int err);
uint16_t wish_desc_fault(struct wish_fault *out, int err);

/* ---- wish_join.c ------------------------------------------------------------------------------
 */

void wish_join(struct wish *w, struct wish_session *s, const char *token, struct class_time now);
/* Acts on s->news; may free s. */
void wish_news(struct wish *w, struct wish_session *s, struct class_time now);
void wish_leave(struct wish *w, struct wish_session *s, struct class_time now);

/* ---- wish_view.c ------------------------------------------------------------------------------
 */

/* Opens the media of a viewer. 0 or E_NOTFOUND (nobody of that name sends anything now). */
int wish_view(struct wish *w, struct wish_session *s, struct class_time now);
void wish_unview(struct wish *w, struct wish_session *s);
/* Shows every viewer what is to be seen now. */
void wish_pictures(struct wish *w, mono_us now);
/* An event for a mix; true when it was. */
bool wish_mix_media(struct wish *w, const struct media_evt *evt);
