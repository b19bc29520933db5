# The seeded world around the real SFU: make sim [SEEDS=50] [BUILD=asan]
SIM_SRC := $(wildcard tests/sim/*.c)
SIM_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(SIM_SRC))
SEEDS ?= 50

$(O)/sim/sfu_sim: $(SIM_OBJ) $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)

.PHONY: sim
sim: $(O)/sim/sfu_sim
	$(Q)$(O)/sim/sfu_sim --seeds $(SEEDS)
