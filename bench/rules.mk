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
.PHONY: bench-build
