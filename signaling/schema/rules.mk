# What is generated from messages.def. messages.ts goes to the build folder (the web build takes it
# as src/wire/messages.ts); PROTOCOL.md is committed, and schema_test checks that it is current.
$(O)/schema-gen: $(O)/obj/signaling/schema/gen/main.o $(O)/lib/signaling_schema.a \
		$(O)/lib/codec_base.a
	@echo "LD $(BUILD) $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson
build/gen/messages.ts: $(O)/schema-gen
	@mkdir -p $(@D)
	$(Q)$(O)/schema-gen ts > $@.new && mv -f $@.new $@
protocol: build/gen/messages.ts
	$(Q)$(O)/schema-gen md > signaling/schema/PROTOCOL.md
.PHONY: protocol
