#include "server/app/invite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/own_words.h"
#include "server/mail/message.h"

enum { WORD_MAX = 128, MS_PER_MINUTE = 60000 };

static const char *const built_in[INVITE_KIND_COUNT][2] = {
    [INVITE_NEW] =
        {"Invitation: {title}\n"
         "Hello {name},\n\n"
         "you are invited to \"{title}\".\n{start}\n"
         "Your personal link (please do not pass it on):\n{link}\n\n"
         "A browser is all you need. Come a few minutes early to check microphone and camera.\n\n"
         "{server}\n",
         "Invitation : {title}\n"
         "Bonjour {name},\n\n"
         "vous êtes invité·e à « {title} ».\n{start}\n"
         "Votre lien personnel (merci de ne pas le transmettre) :\n{link}\n\n"
         "Un navigateur suffit. Venez quelques minutes avant pour vérifier micro et caméra.\n\n"
         "{server}\n"},
    [INVITE_PLACE] = {"Registered: {title}\n"
                      "Hello {name},\n\n"
                      "you have a place in \"{title}\".\n{start}\n"
                      "Your personal link (please do not pass it on):\n{link}\n\n"
                      "{server}\n",
                      "Inscription confirmée : {title}\n"
                      "Bonjour {name},\n\n"
                      "vous avez une place à « {title} ».\n{start}\n"
                      "Votre lien personnel (merci de ne pas le transmettre) :\n{link}\n\n"
                      "{server}\n"},
    [INVITE_MOVED] = {"New date: {title}\n"
                      "Hello {name},\n\n"
                      "\"{title}\" takes place at another time:\n{start}\n"
                      "Will you come? Please answer on your personal page:\n{link}\n\n"
                      "{server}\n",
                      "Nouvelle date : {title}\n"
                      "Bonjour {name},\n\n"
                      "« {title} » change de date :\n{start}\n"
                      "Viendrez-vous ? Répondez sur votre page personnelle :\n{link}\n\n"
                      "{server}\n"},
    [INVITE_DATES] = {"New dates: {title}\n"
                      "Hello {name},\n\n"
                      "the dates of \"{title}\" have changed. These are the dates to come:\n"
                      "{start}\n"
                      "Your personal link stays the same:\n{link}\n\n"
                      "{server}\n",
                      "Nouvelles dates : {title}\n"
                      "Bonjour {name},\n\n"
                      "les dates de « {title} » ont changé. Voici les dates à venir :\n"
                      "{start}\n"
                      "Votre lien personnel reste le même :\n{link}\n\n"
                      "{server}\n"},
    [INVITE_CANCEL] = {"Cancelled: {title}\n"
                       "Hello {name},\n\n\"{title}\" does not take place.\n{start}\n{server}\n",
                       "Annulation : {title}\n"
                       "Bonjour {name},\n\n« {title} » n’aura pas lieu.\n{start}\n{server}\n"},
};

static const char *const files[INVITE_KIND_COUNT][2] = {
    [INVITE_NEW] = {"templates/invitation.en.txt", "templates/invitation.fr.txt"},
    [INVITE_PLACE] = {"templates/place.en.txt", "templates/place.fr.txt"},
    [INVITE_MOVED] = {"templates/moved.en.txt", "templates/moved.fr.txt"},
    [INVITE_DATES] = {"templates/dates.en.txt", "templates/dates.fr.txt"},
    [INVITE_CANCEL] = {"templates/cancellation.en.txt", "templates/cancellation.fr.txt"},
};

const char *invite_words(enum invite_kind kind, bool french)
{
    return built_in[kind][french];
}

const char *invite_file(enum invite_kind kind, bool french)
{
    return files[kind][french];
}

/* The words of this mail with everything put in; the first line is the subject. */
static void compose(struct mail_text *out, const struct invite *i, const struct paths *paths,
                    const struct invited *who)
{
    char path[PATHS_MAX];
    char *own = own_words_read(paths_in(paths, files[i->kind][i->french], path));
    const struct mail_value values[] = {
        {"{name}", who->name},
        {"{title}", i->title},
        {"{start}", i->when},
        {"{link}", who->link},
        {"{server}", i->config->server_name},
    };
    mail_text_fill(out, own ? own : built_in[i->kind][i->french], values,
                   sizeof(values) / sizeof(values[0]));
    mem_free(own);
}

void invite_uid(char out[INVITE_UID_MAX], const struct id *class_id, const struct id *person,
                const char *host)
{
    char c[ID_TEXT_MAX];
    char p[ID_TEXT_MAX];
    snprintf(out, INVITE_UID_MAX, "%s.%s@%s", id_print(c, ID_CLASS, class_id),
             id_print(p, ID_PERSON, person), host);
}

int invite_put(struct spool *spool, const struct invite *i, const struct paths *paths,
               const struct invited *who)
{
    char person[ID_TEXT_MAX];
    char class_id[ID_TEXT_MAX];
    char uid[INVITE_UID_MAX];
    char id[2 * ID_TEXT_MAX + 16];
    char message_id[2 * ID_TEXT_MAX + 40];
    struct mail_text text = {0};
    struct mail_text message = {0};
    id_print(person, ID_PERSON, &who->person);
    id_print(class_id, ID_CLASS, &i->class_id);
    invite_uid(uid, &i->class_id, &who->person, i->host);
    /* One waiting mail per person and class; each version of it is a mail of its own. */
    snprintf(id, sizeof(id), "invite-%.12s-%s", class_id + 2, person + 2);
    snprintf(message_id, sizeof(message_id), "%s.%" PRId64, id, i->now);
    compose(&text, i, paths, who);
    struct ics_event event = {.cancelled = i->kind == INVITE_CANCEL,
                              .uid = uid,
                              .sequence = i->now / 1000,
                              .stamp = i->now,
                              .start = i->start,
                              .end = i->end,
                              .series = i->series,
                              .title = i->title,
                              .url = who->link,
                              .organizer_name = i->config->server_name,
                              .organizer_mail = i->config->mail_from,
                              .attendee_name = who->name,
                              .attendee_mail = who->mail};
    char *body = text.bad ? NULL : strchr(text.s, '\n');
    int err = text.bad ? E_NOMEM : 0;
    if (!err) {
        body = body ? body : text.s + text.len;
        const char *subject = text.s;
        bool ended = *body == '\0';
        *body = '\0';
        struct mail_message m = {.id = message_id,
                                 .host = i->host,
                                 .date = i->now,
                                 .from_name = i->config->server_name,
                                 .from_mail = i->config->mail_from,
                                 .to_name = who->name,
                                 .to_mail = who->mail,
                                 .subject = subject,
                                 .text = ended ? body : body + 1,
                                 .event = i->start > 0 ? &event : NULL};
        mail_message_write(&message, &m);
        err = message.bad ? E_NOMEM
                          : spool_put(spool, id, i->config->mail_from, who->mail, message.s,
                                      message.len, i->now);
    }
    mail_text_fini(&text);
    mail_text_fini(&message);
    return err;
}
