#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "signaling/door/rules.h"
#include "signaling/door/state.h"

enum {
    NAME_MAX_LEN = 1024,
    CACHE_ENTRIES = 128,
    CACHE_FILE_MAX = 4 * 1024 * 1024, /* larger files are read as they are sent */
    CACHE_TOTAL_MAX = 32 * 1024 * 1024
};

/* What tells one version of a file from another. */
struct version {
    uint64_t dev;
    uint64_t ino;
    uint64_t size;
    int64_t mtime_ns;
};

struct entry {
    char name[NAME_MAX_LEN];
    struct version version;
    struct door_blob *blob;
    uint64_t used; /* clock of the cache */
};

struct door_cache {
    struct entry entry[CACHE_ENTRIES];
    size_t total;
    uint64_t clock;
};

/* One representation of a file, chosen and opened. */
struct found {
    int fd;
    struct version version;
    const char *coding; /* "br", "gzip" or NULL */
    char name[NAME_MAX_LEN];
    char etag[64];
};

/* ---- blobs -------------------------------------------------------------------------------------
 */

struct door_blob *blob_new(const void *data, size_t len)
{
    struct door_blob *blob = mem_alloc(sizeof(*blob));
    if (!blob) {
        return NULL;
    }
    blob->data = mem_alloc(len ? len : 1);
    if (!blob->data) {
        mem_free(blob);
        return NULL;
    }
    if (data && len) {
        memcpy(blob->data, data, len);
    }
    blob->len = len;
    blob->refs = 1;
    return blob;
}

void blob_put(struct door_blob **blob)
{
    struct door_blob *b = *blob;
    *blob = NULL;
    if (b && --b->refs == 0) {
        mem_free(b->data);
        mem_free(b);
    }
}

/* ---- cache -------------------------------------------------------------------------------------
 */

int page_init(struct door *door)
{
    door->web_dir = -1;
    door->cache = mem_alloc(sizeof(*door->cache));
    return door->cache ? file_open_dir(door->config.web_root, &door->web_dir) : E_NOMEM;
}

int page_check(const struct door *door, char *why, size_t cap)
{
    int fd = -1;
    int err = file_open_beneath(door->web_dir, "index.html", &fd, NULL);
    if (err) {
        (void)snprintf(why, cap, "user id %u cannot read index.html in %s (%s): see its mode",
                       (unsigned)geteuid(), door->config.web_root, err_text(err));
        return err;
    }
    (void)close(fd);
    return 0;
}

static void entry_drop(struct door_cache *cache, struct entry *entry)
{
    cache->total -= entry->blob->len;
    blob_put(&entry->blob);
}

void page_fini(struct door *door)
{
    if (door->cache) {
        for (size_t i = 0; i < CACHE_ENTRIES; i++) {
            blob_put(&door->cache->entry[i].blob);
        }
        mem_free(door->cache);
        door->cache = NULL;
    }
    if (door->web_dir >= 0) {
        (void)close(door->web_dir);
    }
}

static bool version_equal(const struct version *a, const struct version *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

/* The entry of name in any version, or the one to be replaced: a free or the oldest one. */
static struct entry *cache_slot(struct door_cache *cache, const char *name)
{
    struct entry *oldest = &cache->entry[0];
    for (size_t i = 0; i < CACHE_ENTRIES; i++) {
        struct entry *e = &cache->entry[i];
        if (e->blob && !strcmp(e->name, name)) {
            return e;
        }
        if (oldest->blob && (!e->blob || e->used < oldest->used)) {
            oldest = e;
        }
    }
    return oldest;
}

static struct door_blob *blob_read(int fd, uint64_t size)
{
    struct door_blob *blob = blob_new(NULL, (size_t)size);
    size_t have = 0;
    while (blob && have < blob->len) {
        ssize_t n = pread(fd, blob->data + have, blob->len - have, (off_t)have);
        if (n <= 0) {
            blob_put(&blob); /* it shrank under us: the next request sees the new version */
            break;
        }
        have += (size_t)n;
    }
    return blob;
}

/* The file's bytes with one reference for the caller, or NULL when they do not fit in memory. */
static struct door_blob *cache_get(struct door_cache *cache, const struct found *found)
{
    struct entry *e = cache_slot(cache, found->name);
    cache->clock++;
    if (!e->blob || strcmp(e->name, found->name) != 0 ||
        !version_equal(&e->version, &found->version)) {
        if (e->blob) {
            entry_drop(cache, e);
        }
        if (cache->total + found->version.size > CACHE_TOTAL_MAX) {
            return NULL;
        }
        e->blob = blob_read(found->fd, found->version.size);
        if (!e->blob) {
            return NULL;
        }
        cache->total += e->blob->len;
        e->version = found->version;
        memcpy(e->name, found->name, sizeof(e->name));
    }
    e->used = cache->clock;
    e->blob->refs++;
    return e->blob;
}

/* ---- choosing ----------------------------------------------------------------------------------
 */

static int open_one(const struct door *door, const char *name, const char *ending,
                    const char *coding, struct found *found)
{
    struct stat st;
    uint64_t size = 0;
    int n = snprintf(found->name, sizeof(found->name), "%s%s", name, ending);
    if (n < 0 || (size_t)n >= sizeof(found->name)) {
        return E_NOTFOUND;
    }
    int err = file_open_beneath(door->web_dir, found->name, &found->fd, &size);
    if (err) {
        return err;
    }
    if (fstat(found->fd, &st)) {
        (void)close(found->fd);
        return E_IO;
    }
    found->coding = coding;
    found->version = (struct version){
        .dev = st.st_dev,
        .ino = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
    };
    (void)snprintf(found->etag, sizeof(found->etag), "\"%llx-%llx%s\"",
                   (unsigned long long)found->version.mtime_ns,
                   (unsigned long long)found->version.size, coding ? ending : "");
    return 0;
}

/* The smallest form the client takes; ranges are of the plain file. */
static int open_best(const struct door *door, struct lws *wsi, const char *name, bool plain,
                     struct found *found)
{
    char accept[256];
    int n = gate_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, accept, sizeof(accept));
    if (n > 0 && !plain) {
        if (rules_accepts(accept, (size_t)n, "br") &&
            open_one(door, name, ".br", "br", found) == 0) {
            return 0;
        }
        if (rules_accepts(accept, (size_t)n, "gzip") &&
            open_one(door, name, ".gz", "gzip", found) == 0) {
            return 0;
        }
    }
    return open_one(door, name, "", NULL, found);
}

/* Pages around the live hour; a name that ends in '/' has something behind it. */
static const char *const office_pages[] = {"/home",   "/home/", "/signin", "/welcome", "/my",
                                           "/after/", "/r/",    "/i/",     "/check/"};

static bool is_office(const char *path)
{
    for (size_t i = 0; i < sizeof(office_pages) / sizeof(office_pages[0]); i++) {
        size_t len = strlen(office_pages[i]);
        bool folder = office_pages[i][len - 1] == '/';
        if (folder ? !strncmp(path, office_pages[i], len) : !strcmp(path, office_pages[i])) {
            return true;
        }
    }
    return false;
}

/* The file a path stands for, or NULL. Every class link is the page itself. */
static const char *file_name(const char *path)
{
    size_t len = strlen(path);
    if (is_office(path)) {
        return "office.html";
    }
    if (!strcmp(path, "/") || !strncmp(path, "/c/", 3)) {
        return "index.html";
    }
    if (len < 2 || path[len - 1] == '/' || strstr(path, "/.")) {
        return NULL;
    }
    return path + 1;
}

/* ---- answering ---------------------------------------------------------------------------------
 */

struct part {
    uint16_t status;
    uint64_t first;
    uint64_t count;
};

static struct part choose_part(struct lws *wsi, const struct found *found)
{
    char text[128];
    struct part part = {.status = 200, .first = 0, .count = found->version.size};
    uint64_t last = 0;
    int n = gate_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, text, sizeof(text));
    if (n > 0 && rules_etag_in(text, (size_t)n, found->etag)) {
        return (struct part){.status = 304};
    }
    n = gate_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, text, sizeof(text));
    if (n != E_NOTFOUND && (n < 0 || strcmp(text, found->etag) != 0)) {
        return part;
    }
    n = gate_header(wsi, WSI_TOKEN_HTTP_RANGE, text, sizeof(text));
    if (n <= 0) {
        return part;
    }
    switch (rules_range(text, (size_t)n, found->version.size, &part.first, &last)) {
    case RULES_RANGE_PART:
        part.status = 206;
        part.count = last - part.first + 1;
        break;
    case RULES_RANGE_NONE:
        part.status = 416;
        part.count = 0;
        break;
    case RULES_RANGE_ALL:
        break;
    }
    return part;
}

static struct ipc_str str_of(const char *text)
{
    return (struct ipc_str){text, strlen(text)};
}

static void fill_reply(struct reply *reply, char more[256], const char *name,
                       const struct found *found, const struct part *part)
{
    char range[96] = "";
    uint64_t size = found->version.size;
    if (part->status == 206) {
        (void)snprintf(range, sizeof(range), "content-range: bytes %llu-%llu/%llu\r\n",
                       (unsigned long long)part->first,
                       (unsigned long long)(part->first + part->count - 1),
                       (unsigned long long)size);
    } else if (part->status == 416) {
        (void)snprintf(range, sizeof(range), "content-range: bytes */%llu\r\n",
                       (unsigned long long)size);
    }
    (void)snprintf(more, 256, "vary: accept-encoding\r\naccept-ranges: bytes\r\n%s%s%s%s",
                   found->coding ? "content-encoding: " : "", found->coding ? found->coding : "",
                   found->coding ? "\r\n" : "", range);
    bool hashed = !strncmp(name, "assets/", 7); /* the build puts the hash into these names */
    reply->status = part->status;
    reply->length = part->count;
    reply->is_page = true;
    reply->more = more;
    reply->header[IPC_ANSWER_CONTENT_TYPE] = str_of(rules_media_type(name));
    reply->header[IPC_ANSWER_ETAG] = str_of(found->etag);
    reply->header[IPC_ANSWER_CACHE_CONTROL] =
        str_of(hashed ? "public, max-age=31536000, immutable" : "no-cache");
}

/* Takes found->fd. */
static int send_body(struct door *door, struct door_conn *conn, const struct found *found,
                     const struct part *part, struct reply *reply)
{
    struct door_out *out = &conn->http->out;
    char head[4096];
    if (found->version.size <= CACHE_FILE_MAX) {
        out->blob = cache_get(door->cache, found);
    }
    if (out->blob && part->count <= DOOR_SHORT_MAX) {
        (void)close(found->fd);
        reply->body = out->blob->data + part->first;
        reply->body_len = (size_t)part->count;
        return reply_short(door, conn, reply);
    }
    if (out->blob) {
        (void)close(found->fd);
    } else if (door->files_open < DOOR_FILES_MAX) {
        out->fd = found->fd;
        door->files_open++;
    } else {
        (void)close(found->fd);
        return reply_status(door, conn, 503);
    }
    out->at = part->first;
    out->end = part->first + part->count;
    size_t len = reply_head(door, head, sizeof(head), reply);
    return len ? pace_start(door, conn, head, len) : -1;
}

int page_serve(struct door *door, struct door_conn *conn, const char *path)
{
    struct found found = {.fd = -1};
    const char *name = file_name(path);
    bool plain = lws_hdr_total_length(conn->wsi, WSI_TOKEN_HTTP_RANGE) > 0;
    int err = name ? open_best(door, conn->wsi, name, plain, &found) : E_NOTFOUND;
    if (err) {
        return reply_status(door, conn, err == E_LIMIT || err == E_NOMEM ? 503 : 404);
    }
    char more[256];
    struct reply reply = {0};
    struct part part = choose_part(conn->wsi, &found);
    fill_reply(&reply, more, name, &found, &part);
    if (conn->http->keep_head || part.status == 304 || part.status == 416) {
        (void)close(found.fd);
        reply.without_body = true;
        return reply_short(door, conn, &reply);
    }
    return send_body(door, conn, &found, &part, &reply);
}
