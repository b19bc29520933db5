#include "server/app/office_mail.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/own_words.h"
#include "server/mail/message.h"
#include "server/mail/spool.h"

static const struct {
    const char *name;
    const char *text[2]; /* English, French */
} letters[LETTER_COUNT] = {
    [LETTER_ACCOUNT] = {"account",
                        {"Your account on {server}\nHello {name},\n\nan account for preparing "
                         "classes waits for you. Choose your password within 7 days:\n{link}\n\n"
                         "{server}\n",
                         "Votre compte sur {server}\nBonjour {name},\n\nun compte vous attend pour "
                         "préparer vos classes. Choisissez votre mot de passe dans les 7 jours "
                         ":\n{link}\n\n{server}\n"}},
    [LETTER_RESET] =
        {"reset",
         {"A new password for {server}\nHello {name},\n\nsomebody, probably you, asked "
          "for a new password. Choose it within an hour:\n{link}\n\nIf it was not "
          "you, do nothing: your password has not changed.\n\n{server}\n",
          "Un nouveau mot de passe pour {server}\nBonjour {name},\n\nvous (ou "
          "quelqu’un d’autre) avez demandé un nouveau mot de passe. Choisissez-le dans "
          "l’heure :\n{link}\n\nSi ce n’était pas vous, ne faites rien : votre mot de "
          "passe n’a pas changé.\n\n{server}\n"}},
    [LETTER_MINE] = {"mine",
                     {"Your classes on {server}\nHello,\n\nyour classes, those to come and those "
                      "you attended:\n{link}\n\nThis link is yours: please do not pass it on. It "
                      "works for 30 days.\n\n{server}\n",
                      "Vos classes sur {server}\nBonjour,\n\nvos classes, celles à venir et celles "
                      "que vous avez suivies :\n{link}\n\nCe lien est personnel, merci de ne pas "
                      "le transmettre. Il est valable 30 jours.\n\n{server}\n"}},
    [LETTER_REMINDER] = {"reminder",
                         {"Reminder: {title}\nHello {name},\n\n\"{title}\" takes place soon.\n"
                          "{start}\nYour personal link:\n{link}\n\n{server}\n",
                          "Rappel : {title}\nBonjour {name},\n\n« {title} » a lieu bientôt.\n"
                          "{start}\nVotre lien personnel :\n{link}\n\n{server}\n"}},
    [LETTER_WAITING] = {"waiting",
                        {"On the waiting list: {title}\nHello {name},\n\nall places of \"{title}\" "
                         "are taken. You are on the waiting list; we write to you as soon as one "
                         "is free.\n{start}\nYour registration:\n{link}\n\n{server}\n",
                         "En liste d’attente : {title}\nBonjour {name},\n\ntoutes les places de "
                         "« {title} » sont prises. Vous êtes en liste d’attente ; nous vous "
                         "écrivons dès qu’une place se libère.\n{start}\nVotre inscription "
                         ":\n{link}\n\n{server}\n"}},
    [LETTER_CERTIFICATE] =
        {"certificate",
         {"Your certificate: {title}\nHello {name},\n\nthe attendance of \"{title}\" is sealed. "
          "Your record and your certificate:\n{link}\n\nThis link is yours: please do not pass "
          "it on.\n\n{server}\n",
          "Votre attestation : {title}\nBonjour {name},\n\nl’émargement de « {title} » est "
          "scellé. Votre relevé et votre attestation de présence :\n{link}\n\nCe lien est "
          "personnel, merci de ne pas le transmettre.\n\n{server}\n"}},
    [LETTER_KNOCK] = {"knock",
                      {"Somebody waits: {title}\nHello {name},\n\n{text} waits at the door of "
                       "\"{title}\".\nEnter:\n{link}\n\n{server}\n",
                       "On vous attend : {title}\nBonjour {name},\n\n{text} attend à la porte de "
                       "« {title} ».\nEntrer :\n{link}\n\n{server}\n"}},
    [LETTER_FULL] =
        {"full",
         {"No seat left on {server}\nHello {name},\n\n{text} people could not enter: no "
          "seat was left (\"{title}\"). They were told so, and their page keeps trying."
          "\nWho, where and the limits:\n{link}\n\nThis mail comes once an hour at "
          "most.\n\n{server}\n",
          "Plus de place sur {server}\nBonjour {name},\n\n{text} personne(s) n’ont pas "
          "pu entrer, faute de place (« {title} »). Leur page le leur dit et réessaie "
          "toute seule.\nOù, quand, et les limites :\n{link}\n\nCe courriel part une "
          "fois par heure au plus.\n\n{server}\n"}},
};

const char *office_letter_name(enum office_letter letter)
{
    return letters[letter].name;
}

const char *office_letter_words(enum office_letter letter, bool french)
{
    return letters[letter].text[french];
}

/* As they stand now; mem_free. */
static char *letter_text(const struct office_call *call, enum office_letter letter, bool french)
{
    char path[PATHS_MAX];
    char name[64];
    const char *shipped = letters[letter].text[french];
    snprintf(name, sizeof(name), "templates/%s.%s.txt", letters[letter].name, french ? "fr" : "en");
    char *text = own_words_read(paths_in(office_paths(call), name, path));
    return text ? text : mem_dup(shipped, strlen(shipped));
}

void office_host(const struct office_call *call, char *out, size_t cap)
{
    const char *name = strstr(call->base, "//") ? strstr(call->base, "//") + 2 : call->base;
    int len = (int)strcspn(name, ":/");
    snprintf(out, cap, "%.*s", len ? len : 9, len ? name : "localhost");
}

int office_mail(struct office_call *call, const struct office_mail *mail)
{
    const struct config *config = office_config(call);
    const struct mail_value values[] = {{"{name}", mail->to_name}, {"{title}", mail->title},
                                        {"{start}", mail->start},  {"{link}", mail->link},
                                        {"{text}", mail->text},    {"{server}", call->server}};
    struct mail_text text = {0};
    struct mail_text message = {0};
    struct spool spool;
    char path[PATHS_MAX];
    char host[OFFICE_URL_MAX];
    char message_id[128];
    if (!config->mail_from[0]) {
        return E_STATE;
    }
    char *words = letter_text(call, mail->letter, mail->french);
    mail_text_fill(&text, words ? words : "", values, sizeof(values) / sizeof(values[0]));
    mem_free(words);
    char *body = text.bad || !text.s ? NULL : strchr(text.s, '\n');
    int err = body ? 0 : E_NOMEM;
    if (!err) {
        *body++ = '\0';
        office_host(call, host, sizeof(host));
        snprintf(message_id, sizeof(message_id), "%s.%lld", mail->id, (long long)call->now);
        struct mail_message m = {.id = message_id,
                                 .host = host,
                                 .date = call->now,
                                 .from_name = call->server,
                                 .from_mail = config->mail_from,
                                 .to_name = mail->to_name ? mail->to_name : "",
                                 .to_mail = mail->to_mail,
                                 .subject = text.s,
                                 .text = body,
                                 .file = mail->file};
        mail_message_write(&message, &m);
        err =
            message.bad ? E_NOMEM : spool_open(&spool, paths_in(office_paths(call), "mail", path));
    }
    if (!err) {
        err = spool_put(&spool, mail->id, config->mail_from, mail->to_mail, message.s, message.len,
                        call->now);
        spool_close(&spool);
    }
    mail_text_fini(&text);
    mail_text_fini(&message);
    return err;
}
