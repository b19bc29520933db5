/*
 * Door <-> core frames. First byte even: the rest is one frame (type, body); what decodes must
 * encode to the same bytes. Odd: the rest is a stream into the core's end of a link.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/door/ipc.h"
#include "signaling/door/ipc_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_frame(const uint8_t *data, size_t size)
{
    struct ipc_frame frame;
    if (size < 1 || ipc_decode(&frame, data[0], data + 1, size - 1)) {
        return;
    }
    size_t len = ipc_frame_size(&frame);
    uint8_t *copy = mem_alloc(len);
    struct wr w = wr_init(copy, len);
    if (len != size - 1 + IPC_HEAD_LEN || ipc_encode(&frame, &w) ||
        memcmp(copy + IPC_HEAD_LEN, data + 1, size - 1) != 0) {
        abort();
    }
    mem_free(copy);
}

static int on_frame(void *arg, const struct ipc_frame *frame)
{
    size_t *sum = arg;
    if (frame->type == IPC_ANSWER && frame->answer.file) {
        (void)close(frame->answer.fd);
    }
    if (frame->type == IPC_SEND) {
        for (size_t i = 0; i < frame->send.count; i++) {
            *sum += (size_t)ipc_send_to(&frame->send, i);
        }
    }
    return 0;
}

static void stream(const uint8_t *data, size_t size)
{
    int fd[2];
    size_t sum = 0;
    struct ipc_link link;
    struct ipc_hello hello = {.role = IPC_ROLE_CORE, .epoch = 1};
    struct ipc_link_hooks hooks = {.arg = &sum, .frame_h = on_frame};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd)) {
        return;
    }
    if (ipc_link_init(&link, fd[0], &hello, &hooks) == 0) {
        while (size) {
            ssize_t n = write(fd[1], data, size < 1000 ? size : 1000);
            if (n <= 0) {
                break;
            }
            data += n;
            size -= (size_t)n;
            int err = ipc_link_readable(&link, 1 << 20);
            if (err && err != E_AGAIN) {
                break;
            }
            (void)ipc_link_flush(&link);
        }
        ipc_link_fini(&link);
    }
    (void)close(fd[0]);
    (void)close(fd[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    if (data[0] & 1U) {
        stream(data + 1, size - 1);
    } else {
        one_frame(data + 1, size - 1);
    }
    return 0;
}
