#include "server/crypto/dtls_io.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "codec/base/mem.h"

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

void dtls_io_push(struct dtls_io *io, const uint8_t *data, size_t len)
{
    if (!io->out) {
        io->out = mem_alloc(DTLS_IO_OUT);
    }
    if (!io->out || len > UINT16_MAX || io->out_tail + DTLS_IO_HEAD + len > DTLS_IO_OUT) {
        return;
    }
    io->out[io->out_tail] = (uint8_t)(len >> 8);
    io->out[io->out_tail + 1] = (uint8_t)len;
    memcpy(io->out + io->out_tail + DTLS_IO_HEAD, data, len);
    io->out_tail += DTLS_IO_HEAD + len;
}

size_t dtls_io_pop(struct dtls_io *io, uint8_t *buf, size_t cap)
{
    size_t len = 0;
    while (!len && io->out_head < io->out_tail) {
        const uint8_t *at = io->out + io->out_head;
        size_t have = (size_t)at[0] << 8 | at[1];
        if (have <= cap) {
            memcpy(buf, at + DTLS_IO_HEAD, have);
            len = have;
        }
        io->out_head += DTLS_IO_HEAD + have;
    }
    if (io->out_head == io->out_tail) {
        dtls_io_clear(io);
    }
    return len;
}

void dtls_io_clear(struct dtls_io *io)
{
    mem_free(io->out);
    io->out = NULL;
    io->out_head = 0;
    io->out_tail = 0;
}

static int bio_write(BIO *bio, const char *data, int len)
{
    BIO_clear_retry_flags(bio);
    if (len > 0) {
        dtls_io_push(BIO_get_data(bio), (const uint8_t *)data, (size_t)len);
    }
    return len;
}

static int bio_read(BIO *bio, char *data, int len)
{
    struct dtls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!io->in || len <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    /* Like recv: what does not fit is lost. */
    size_t take = io->in_len < (size_t)len ? io->in_len : (size_t)len;
    memcpy(data, io->in, take);
    io->in = NULL;
    return (int)take;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    /* The MTU is set by hand (SSL_set_mtu); a flush is the write itself. */
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void method_make(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "amphi datagrams");
    if (made && BIO_meth_set_write(made, bio_write) && BIO_meth_set_read(made, bio_read) &&
        BIO_meth_set_ctrl(made, bio_ctrl) && BIO_meth_set_create(made, bio_create)) {
        method = made;
    } else {
        BIO_meth_free(made);
    }
}

BIO *dtls_io_bio(struct dtls_io *io)
{
    pthread_once(&method_once, method_make);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio) {
        BIO_set_data(bio, io);
    }
    return bio;
}
