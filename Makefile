# Amphi. `make run` serves, `make test` proves; both install what they lack. See README.md.
SHELL := /bin/bash
Q := $(if $(V),,@)
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# ---- what the machine must have ------------------------------------------------------------
APT_BUILD := gcc make pkg-config libwebsockets-dev libsrtp2-dev libssl-dev libsqlite3-dev \
	libjansson-dev libyaml-dev libsodium-dev libopus-dev libvpx-dev libmicrohttpd-dev \
	libipsec-mb-dev libcap-dev libpango1.0-dev libcurl4-openssl-dev fonts-dejavu-core tzdata npm
APT_TEST := clang clang-format libclang-rt-14-dev libcmocka-dev curl iproute2 iptables procps \
	chromium firefox-esr python3 openssl pulseaudio-utils pulseaudio binutils poppler-utils python3-icalendar khal \
	python3-aiortc nginx libnginx-mod-stream coturn libnss3-tools

# Tests that have threads and run under ThreadSanitizer too.
TSAN_TESTS := $(patsubst tests/unit/%.c,%,$(shell grep -lsE '^/\* tsan' tests/unit/*_test.c))

# ---- variants: BUILD=release|asan|tsan|clang|fuzz|cov ---------------------------------------
BUILD ?= release
O := build/$(BUILD)
# Debian's amd64 has ipsec-mb; elsewhere the OpenSSL path is built alone (design.md D4).
HAVE_IPSEC_MB := $(shell gcc -E -include intel-ipsec-mb.h -xc /dev/null >/dev/null 2>&1 && echo 1)

WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
	-Wundef -Wvla -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wredundant-decls -Wnested-externs \
	-Wimplicit-fallthrough -Wswitch-enum -Wdouble-promotion -Wnull-dereference -fno-common
WARN_GCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
WARN_CLANG := -Wcomma -Wshorten-64-to-32 -Wunreachable-code -Wconditional-uninitialized \
	-Wassign-enum -Wmissing-variable-declarations
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
BASE := -std=gnu11 -D_GNU_SOURCE -I. -I$(O)/gen -include codec/base/banned.h -pthread -g -MMD -MP \
	-DAMPHI_HAVE_IPSEC_MB=$(or $(HAVE_IPSEC_MB),0)
SAN := -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_release := gcc
CFLAGS_release := -O2 $(WARN) $(WARN_GCC) $(HARDEN) -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
# Some hundred programs are linked with the sanitizers: by the linker that takes half the time.
GOLD := $(if $(shell command -v ld.gold),-fuse-ld=gold)
CC_asan := gcc
CFLAGS_asan := -O1 $(WARN) $(WARN_GCC) -fsanitize=address,undefined $(SAN) -Wno-null-dereference
LDFLAGS_asan := -fsanitize=address,undefined $(GOLD)
CC_tsan := gcc
CFLAGS_tsan := -O1 -g1 $(WARN) $(WARN_GCC) -fsanitize=thread $(SAN) -Wno-null-dereference
LDFLAGS_tsan := -fsanitize=thread $(GOLD)
# For what it says, which is the same at any level; nothing of it runs.
CC_clang := clang
CFLAGS_clang := -O0 -g0 $(WARN) $(WARN_CLANG)
LDFLAGS_clang :=
CC_fuzz := clang
CFLAGS_fuzz := -O1 $(WARN) $(WARN_CLANG) -fsanitize=fuzzer-no-link,address,undefined $(SAN)
LDFLAGS_fuzz := -fsanitize=address,undefined
CC_cov := clang
# Tests are built by gcc otherwise: what only clang says of their macros is no matter here.
CFLAGS_cov := -O0 $(WARN) -Wno-gnu-zero-variadic-macro-arguments \
	-Wno-format-nonliteral -fprofile-instr-generate -fcoverage-mapping
LDFLAGS_cov := -fprofile-instr-generate

CC := $(CC_$(BUILD))
CFLAGS := $(BASE) $(CFLAGS_$(BUILD))
LDFLAGS := -pthread $(LDFLAGS_$(BUILD))
LDLIBS := -lwebsockets -lsrtp2 -lssl -lcrypto -lsqlite3 -ljansson -lyaml -lsodium -lopus -lvpx \
	-lmicrohttpd -lcurl -lpangocairo-1.0 -lpango-1.0 -lgobject-2.0 -lcairo -lm $(if $(HAVE_IPSEC_MB),-lIPSec_MB)

# ---- the house: one archive per folder --------------------------------------------------------
# Order = layers, lowest first (tests/tidy checks that includes only go down).
FOLDERS := codec/base codec/sys codec/wire codec/media codec/av \
	signaling/schema signaling/journal signaling/class signaling/activity \
	signaling/attendance signaling/people signaling/store \
	signaling/door signaling/lms \
	server/proto server/sfu server/crypto server/io server/record server/paper server/mail \
	bench/load server/app
PURE := codec/base codec/wire codec/media signaling/schema signaling/class signaling/activity \
	signaling/attendance signaling/people signaling/journal server/proto server/sfu
MAIN := server/app/main.c

srcs = $(filter-out $(MAIN),$(sort $(wildcard $(1)/*.c)))
archive = $(O)/lib/$(subst /,_,$(1)).a
LIBS := $(foreach f,$(FOLDERS),$(if $(call srcs,$(f)),$(call archive,$(f))))
LINK = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)

all: $(if $(wildcard $(MAIN)),build/amphi)

GENERATED :=
-include $(sort $(wildcard */*/*.mk tests/*/*.mk bench/*.mk))

# The one folder that draws; its libraries' headers are not ours to warn about.
$(O)/obj/server/paper/%.o: CFLAGS += $(subst -I,-isystem ,$(shell pkg-config --cflags pangocairo))

$(O)/obj/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "CC $(BUILD) $<"
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

define archive_rule
$(call archive,$(1)): $(patsubst %.c,$(O)/obj/%.o,$(call srcs,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(if $(call srcs,$(f)),$(eval $(call archive_rule,$(f)))))

$(O)/amphi: $(O)/obj/server/app/main.o $(LIBS)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)

build/amphi: $(if $(filter release,$(BUILD)),$(O)/amphi)
	@test -n "$<" || $(MAKE) --no-print-directory BUILD=release build/release/amphi
	@cp -f build/release/amphi $@.new && mv -f $@.new $@

# ---- unit tests: each tests/unit/X_test.c is one cmocka program -----------------------------------
UNIT := $(patsubst tests/unit/%.c,$(O)/tests/%,$(sort $(wildcard tests/unit/*_test.c)))
UNIT_SUPPORT := $(patsubst %.c,$(O)/obj/%.o,$(filter-out %_test.c,$(wildcard tests/unit/*.c)))
$(O)/tests/%_test: $(O)/obj/tests/unit/%_test.o $(UNIT_SUPPORT) $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK) -lcmocka
unit-build: $(UNIT)

# ---- fuzz targets: each tests/fuzz/X_fuzz.c, corpus in tests/fuzz/corpus/X -----------------------------
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
$(O)/fuzz/%: $(O)/obj/tests/fuzz/%_fuzz.o $(if $(filter fuzz,$(BUILD)),,$(O)/obj/tests/fuzz/replay.o) $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK) $(if $(filter fuzz,$(BUILD)),-fsanitize=fuzzer)
fuzz-build: $(addprefix $(O)/fuzz/,$(FUZZ_NAMES))

# ---- the page -----------------------------------------------------------------------------------
WEB_SRC := $(shell find web-client -path web-client/node_modules -prune -o -path web-client/dist \
	-prune -o -type f -print 2>/dev/null)
web-client/node_modules/.package-lock.json: web-client/package-lock.json
	cd web-client && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
web-client/dist/index.html: web-client/node_modules/.package-lock.json $(WEB_SRC)
	cd web-client && npm run --silent build
web: $(if $(wildcard web-client/package-lock.json),web-client/dist/index.html)

# ---- what is missing on this machine ---------------------------------------------------------------
# $(1) = Debian packages; npm may come from elsewhere, so the command counts, not the package.
missing = $(shell for p in $(1); do [ $$p = npm ] && command -v npm >/dev/null || \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done)
SUDO := $(shell [ $$(id -u) = 0 ] || echo sudo)
apt = $(if $(call missing,$(1)),$(SUDO) apt-get update -q && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
	$(call missing,$(1)),@true)
deps:
	$(call apt,$(APT_BUILD))
deps-test: deps
	$(call apt,$(APT_TEST))
deps-peers:
	$(call apt,janus)

# Programs that only tests run, with the sanitizers.
ASAN_EXTRA += build/asan/sim/class_sim build/asan/door/lab

# ---- what people type --------------------------------------------------------------------------------
# Packages first, in a make of its own: what is built depends on what is installed.
run: deps
	@$(MAKE) --no-print-directory $(JOBS) build/amphi web
	build/amphi serve --demo

# The fast loop: build, unit tests, tidy; under a minute once built.
check: deps-test
	@$(MAKE) --no-print-directory $(JOBS) BUILD=release $(if $(wildcard $(MAIN)),build/amphi) lib
	@$(MAKE) --no-print-directory $(JOBS) BUILD=asan unit-build fuzz-build
	@python3 tests/run.py check

# Packages come while the program is built; the rest is built while tests run (tests/suites.list).
test: deps
	@$(MAKE) --no-print-directory -j$(shell expr $$(nproc) + 1) deps-test test-first
	@python3 tests/run.py test

# Both compilers, both sanitizers, the page. JOBS at once also when make was called without -j; a make
# that has -j shares its own.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
test-build: test-first test-asan test-tsan test-clang
test-first:
	@$(MAKE) --no-print-directory $(JOBS) BUILD=release $(if $(wildcard $(MAIN)),build/amphi) lib web \
		relay bench-build build/release/attack build/release/sim/class_sim
	$(if $(call missing,$(APT_TEST)),@$(MAKE) --no-print-directory $(JOBS) BUILD=asan lib)
test-asan:
	@$(MAKE) --no-print-directory $(JOBS) BUILD=asan build/asan/amphi unit-build fuzz-build $(ASAN_EXTRA)
test-tsan:
	@$(MAKE) --no-print-directory $(JOBS) BUILD=tsan build/tsan/amphi $(TSAN_TESTS:%=build/tsan/tests/%)
test-clang:
	@$(MAKE) --no-print-directory $(JOBS) BUILD=clang lib

# The fault matrix (tests/faults/README.md): figures for a quiet machine, never in CI.
faults: deps-test
	@$(MAKE) --no-print-directory $(JOBS) BUILD=release build/amphi web relay build/release/attack
	@tests/faults/run $(ROWS)

lib: $(LIBS)
tidy: lib
	@python3 tests/tidy/tidy.py $(O)
fmt asan tsan fuzz cov: deps-test
fmt:
	clang-format -i $$(git ls-files '*.c' '*.h')
asan:
	@$(MAKE) --no-print-directory BUILD=asan $(if $(wildcard $(MAIN)),build/asan/amphi) unit-build fuzz-build
tsan:
	@$(MAKE) --no-print-directory BUILD=tsan $(if $(wildcard $(MAIN)),build/tsan/amphi) unit-build
# FUZZ_SECONDS each; crashes are written beside the corpus so that they can join it.
FUZZ_SECONDS ?= 30
fuzz:
	@$(MAKE) --no-print-directory BUILD=fuzz fuzz-build
	@for f in $(FUZZ_NAMES); do echo "== $$f"; mkdir -p build/fuzz/new/$$f; \
		build/fuzz/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
		-artifact_prefix=tests/fuzz/corpus/$$f/crash- build/fuzz/new/$$f tests/fuzz/corpus/$$f \
		2>&1 | grep -E 'stat::number|ERROR|SUMMARY' || exit 1; done
cov:
	$(call apt,llvm)
	@$(MAKE) --no-print-directory BUILD=cov unit-build fuzz-build build/cov/sim/sfu_sim
	@tests/tidy/cov.sh

.PHONY: all unit-build fuzz-build clean web deps deps-test deps-peers run check test test-build test-first \
	test-asan test-tsan test-clang lib tidy fmt \
	asan tsan fuzz cov bench install deb faults
.SECONDARY:
clean:
	rm -rf build

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
