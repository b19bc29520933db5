# The impairment relay and its parts. Included by the top Makefile, or used alone:
#   make -f tests/net/net.mk build/tests/relay
NET_DIR ?= build/tests
NET_SRC = tests/net/relay.c tests/net/control.c tests/net/script.c tests/net/link.c \
	tests/net/flight.c tests/net/pcap.c tests/net/nat.c tests/net/addr.c tests/net/tun.c \
	tests/net/udp.c tests/net/tcp.c
# What the unit test links: the pure parts.
NET_PURE_SRC = tests/net/link.c tests/net/script.c tests/net/flight.c tests/net/nat.c
NET_CFLAGS ?= -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Werror

$(NET_DIR)/relay: $(NET_SRC) $(wildcard tests/net/*.h)
	@mkdir -p $(@D)
	$(CC) $(NET_CFLAGS) -D_GNU_SOURCE -I. -o $@ $(NET_SRC)
