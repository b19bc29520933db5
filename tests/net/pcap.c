#include "tests/net/pcap.h"

#include <string.h>

#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_LINKTYPE_RAW 101u
#define PCAP_SNAP_LEN 65535u

struct file_head {
    uint32_t magic;
    uint16_t major;
    uint16_t minor;
    uint32_t zone;
    uint32_t accuracy;
    uint32_t snap_len;
    uint32_t link_type;
};

struct record_head {
    uint32_t seconds;
    uint32_t micros;
    uint32_t stored_len;
    uint32_t wire_len;
};

int pcap_open(struct pcap *p, const char *path)
{
    struct file_head head = {.magic = PCAP_MAGIC,
                             .major = 2,
                             .minor = 4,
                             .snap_len = PCAP_SNAP_LEN,
                             .link_type = PCAP_LINKTYPE_RAW};

    p->file = fopen(path, "wbe");
    if (!p->file)
        return -1;
    fwrite(&head, sizeof(head), 1, p->file);
    return 0;
}

static void write_record(struct pcap *p, uint64_t wall_us, const void *head, size_t head_len,
                         const void *body, size_t body_len)
{
    struct record_head r = {.seconds = (uint32_t)(wall_us / 1000000u),
                            .micros = (uint32_t)(wall_us % 1000000u),
                            .stored_len = (uint32_t)(head_len + body_len),
                            .wire_len = (uint32_t)(head_len + body_len)};

    fwrite(&r, sizeof(r), 1, p->file);
    if (head_len)
        fwrite(head, head_len, 1, p->file);
    if (body_len)
        fwrite(body, body_len, 1, p->file);
}

void pcap_write_ip(struct pcap *p, uint64_t wall_us, const void *packet, size_t len)
{
    if (p->file)
        write_record(p, wall_us, NULL, 0, packet, len);
}

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void checksum_ip4(uint8_t *head)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)(head[i] << 8 | head[i + 1]);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    put16(head + 10, ~sum & 0xffffu);
}

/* IP and UDP headers in front of len bytes of payload; returns their length. */
static size_t build_head(uint8_t head[48], const struct sockaddr_storage *from,
                         const struct sockaddr_storage *to, size_t len)
{
    struct sockaddr_in6 a6;
    struct sockaddr_in6 b6;
    struct sockaddr_in a4;
    struct sockaddr_in b4;
    uint8_t *udp;

    memset(head, 0, 48);
    if (from->ss_family == AF_INET6) {
        memcpy(&a6, from, sizeof(a6));
        memcpy(&b6, to, sizeof(b6));
        head[0] = 0x60;
        put16(head + 4, len + 8);
        head[6] = IPPROTO_UDP;
        head[7] = 64;
        memcpy(head + 8, &a6.sin6_addr, 16);
        memcpy(head + 24, &b6.sin6_addr, 16);
        udp = head + 40;
        memcpy(udp, &a6.sin6_port, 2);
        memcpy(udp + 2, &b6.sin6_port, 2);
    } else {
        memcpy(&a4, from, sizeof(a4));
        memcpy(&b4, to, sizeof(b4));
        head[0] = 0x45;
        put16(head + 2, len + 28);
        head[8] = 64;
        head[9] = IPPROTO_UDP;
        memcpy(head + 12, &a4.sin_addr, 4);
        memcpy(head + 16, &b4.sin_addr, 4);
        checksum_ip4(head);
        udp = head + 20;
        memcpy(udp, &a4.sin_port, 2);
        memcpy(udp + 2, &b4.sin_port, 2);
    }
    put16(udp + 4, len + 8);
    return (size_t)(udp - head) + 8;
}

void pcap_write_udp(struct pcap *p, uint64_t wall_us, const struct sockaddr_storage *from,
                    const struct sockaddr_storage *to, const void *payload, size_t len)
{
    uint8_t head[48];

    if (!p->file)
        return;
    size_t head_len = build_head(head, from, to, len);

    write_record(p, wall_us, head, head_len, payload, len);
}

void pcap_close(struct pcap *p)
{
    if (p->file)
        fclose(p->file);
    p->file = NULL;
}
