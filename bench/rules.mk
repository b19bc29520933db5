# Benchmarks: programs here, `make bench` runs them all (bench/README.md tells the method).
$(O)/bench/load: $(O)/obj/bench/trace/main.o $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)
$(O)/bench/floor: $(O)/obj/bench/floor/floor.o
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lIPSec_MB
$(O)/bench/micro: $(O)/obj/bench/micro/micro.o $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)
bench-build: $(O)/bench/load $(O)/bench/floor $(O)/bench/micro
bench: deps-test
	@$(MAKE) --no-print-directory BUILD=release build/amphi bench-build
	@python3 bench/run.py
# The same load against Debian's Janus: one table of ratios. And the proof of --find-limit.
bench-peers: deps-test
	@command -v janus >/dev/null || { apt-get install -y --no-install-recommends janus && \
		{ systemctl disable --now janus >/dev/null 2>&1 || true; }; }
	@$(MAKE) --no-print-directory BUILD=release build/amphi
	@python3 bench/peers.py
bench-limit:
	@$(MAKE) --no-print-directory BUILD=release build/amphi
	@python3 bench/limit.py
.PHONY: bench-build bench-peers bench-limit
