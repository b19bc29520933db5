# The impairment relay. Used by the top Makefile, or alone: make -f tests/net/net.mk relay
O ?= build/release
CC ?= gcc
NET_SRC := $(addprefix tests/net/,relay.c control.c script.c link.c flight.c pcap.c nat.c \
	endpoint.c tun.c udp.c tcp.c)
# What the unit tests link: the pure parts.
NET_PURE := $(patsubst %.c,$(O)/obj/%.o,$(addprefix tests/net/,script.c link.c flight.c nat.c))

.PHONY: relay
relay: build/tests/relay

build/tests/relay: $(NET_SRC) $(wildcard tests/net/*.h)
	@mkdir -p $(@D)
	@echo "LD relay $@"
	$(Q)$(CC) $(or $(CFLAGS),-std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -I.) -MMD -MF $@.d \
		-o $@.new $(NET_SRC) $(LDFLAGS) && mv -f $@.new $@

$(O)/tests/netlink_test $(O)/tests/netscript_test: $(NET_PURE)
