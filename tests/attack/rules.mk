# Attackers of the running server, for tests/attack/run: make build/release/attack
ATTACK_SRC := $(wildcard tests/attack/*.c)
$(O)/attack: $(patsubst %.c,$(O)/obj/%.o,$(ATTACK_SRC)) $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)
