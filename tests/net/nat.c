#include "tests/net/nat.h"

#include <netinet/in.h>

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Offset of the UDP header, or 0 when the packet is none we touch. */
static size_t find_udp(const uint8_t *packet, size_t len)
{
    if (len >= 28 && packet[0] >> 4 == 4) {
        size_t head = (size_t)(packet[0] & 15u) * 4u;
        uint16_t fragment = get16(packet + 6) & 0x1fffu;

        if (head >= 20 && packet[9] == IPPROTO_UDP && fragment == 0 && len >= head + 8)
            return head;
    }
    if (len >= 48 && packet[0] >> 4 == 6 && packet[6] == IPPROTO_UDP)
        return 40;
    return 0;
}

/* RFC 1624: HC' = ~(~HC + ~m + m'). A zero UDP checksum means "none" and stays. */
static void swap_port(uint8_t *udp, size_t at, uint16_t to)
{
    uint16_t from = get16(udp + at);
    uint16_t sum = get16(udp + 6);

    put16(udp + at, to);
    if (sum == 0)
        return;
    uint32_t next = (uint32_t)(uint16_t)~sum + (uint16_t)~from + to;

    next = (next & 0xffffu) + (next >> 16);
    next = (next & 0xffffu) + (next >> 16);
    sum = (uint16_t)~next;
    put16(udp + 6, sum ? sum : 0xffffu);
}

void nat_rebind(struct nat *n, uint32_t random)
{
    uint16_t mask = (uint16_t)(1u + random % NAT_MASK_MAX);

    if (mask == n->mask)
        mask = (uint16_t)(mask % NAT_MASK_MAX + 1u);
    n->mask = mask;
    n->changed = 1;
}

uint16_t nat_source_port(const uint8_t *packet, size_t len)
{
    size_t udp = find_udp(packet, len);

    return udp ? get16(packet + udp) : 0;
}

void nat_out(const struct nat *n, uint8_t *packet, size_t len)
{
    size_t udp = find_udp(packet, len);

    if (udp && n->mask)
        swap_port(packet + udp, 0, get16(packet + udp) ^ n->mask);
}

int nat_in(const struct nat *n, uint8_t *packet, size_t len,
           int (*port_known)(void *arg, uint16_t port), void *arg)
{
    size_t udp = find_udp(packet, len);

    if (!udp || !n->changed)
        return 0;
    uint16_t port = get16(packet + udp + 2);

    if (!port_known(arg, port))
        return -1;
    swap_port(packet + udp, 2, port ^ n->mask);
    return 0;
}
