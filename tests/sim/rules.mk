# The seeded world around the real SFU: make sim [SEEDS=50] [BUILD=asan]
SIM_OBJ := $(patsubst %,$(O)/obj/tests/sim/%.o,sfu_sim scenarios attacks paths steps silent policy rings repair workshops shed world link ear links client media check coder model codecs crowd \
	fake_crypto)
# `make test` builds and runs it under the sanitizers.
ASAN_EXTRA += build/asan/sim/sfu_sim
SEEDS ?= 50

$(O)/sim/sfu_sim: $(SIM_OBJ) $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)

.PHONY: sim
sim: $(O)/sim/sfu_sim
	$(Q)$(O)/sim/sfu_sim --seeds $(SEEDS)
