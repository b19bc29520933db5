/*
 * pcap.h - writes what the relay delivers as a capture file, raw IP packets.
 *
 * Format: libpcap file format version 2.4, LINKTYPE_RAW (101). In proxy mode there is no IP
 * packet to record, so one is made up around the payload (RFC 791, RFC 8200, RFC 768); its UDP
 * checksum is zero ("not computed").
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct pcap {
    FILE *file;
};

/* Create the file. Returns 0 or -1 with errno set. */
int pcap_open(struct pcap *p, const char *path);

/* Record a raw IPv4 or IPv6 packet; does nothing when no file is open. */
void pcap_write_ip(struct pcap *p, uint64_t wall_us, const void *packet, size_t len);

/* Record a UDP payload between two addresses of one family. */
void pcap_write_udp(struct pcap *p, uint64_t wall_us, const struct sockaddr_storage *from,
                    const struct sockaddr_storage *to, const void *payload, size_t len);

void pcap_close(struct pcap *p);
