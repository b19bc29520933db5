/* Transport-cc feedback: what parses is built again from its arrivals and says the same. */
#include <stdlib.h>
#include <string.h>

#include "codec/wire/twcc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct twcc_status status[TWCC_STATUS_MAX];
static struct twcc_status again[TWCC_STATUS_MAX];
static struct twcc_arrival arrivals[TWCC_STATUS_MAX];

/* Arrivals of the parsed feedback; time starts high enough that no delta goes below zero. */
static size_t arrivals_of(const struct twcc_feedback *fb)
{
    size_t n = 0;
    int64_t at = (int64_t)fb->reference * TWCC_REFERENCE_US + (int64_t)TWCC_STATUS_MAX * 8192000;
    for (size_t i = 0; i < fb->count; i++) {
        if (status[i].received) {
            at += (int64_t)status[i].delta * TWCC_TICK_US;
            arrivals[n++] =
                (struct twcc_arrival){.seq = 65536 + fb->base_seq + (int64_t)i, .at = at};
        }
    }
    return n;
}

static void build_again(const struct twcc_feedback *fb)
{
    static uint8_t out[4 * TWCC_STATUS_MAX];
    size_t n = arrivals_of(fb);
    size_t done = 0;
    int64_t next = 65536 + fb->base_seq;
    while (done < n) {
        struct wr w = wr_init(out, sizeof(out));
        size_t took = twcc_build(&w, 1, 2, 3, next, arrivals + done, n - done);
        struct rd r = rd_init(out, wr_len(&w));
        struct rtcp_packet pkt;
        struct twcc_feedback back;
        if (took == 0 || rtcp_next(&r, &pkt) != 1 ||
            twcc_parse(&back, again, TWCC_STATUS_MAX, &pkt) != 0 ||
            back.base_seq != (uint16_t)next) {
            abort();
        }
        int64_t us = twcc_reference_us(&back, arrivals[done].at);
        for (size_t i = 0; i < back.count; i++) {
            us += (int64_t)again[i].delta * TWCC_TICK_US;
            if (again[i].received &&
                (arrivals[done].seq != next + (int64_t)i || arrivals[done++].at != us)) {
                abort();
            }
        }
        next = arrivals[done - 1].seq + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init(data, size);
    struct rtcp_packet pkt;
    while (rtcp_next(&r, &pkt) > 0) {
        struct twcc_feedback fb;
        if (twcc_parse(&fb, status, TWCC_STATUS_MAX, &pkt) == 0) {
            build_again(&fb);
        }
    }
    return 0;
}
