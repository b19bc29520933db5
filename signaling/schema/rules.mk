# What is generated from messages.def. Both files are committed, so that the page builds without a C
# compiler and a diff shows what changed; schema_test checks that they are current.
$(O)/schema-gen: $(O)/obj/signaling/schema/gen/main.o $(O)/lib/signaling_schema.a \
		$(O)/lib/codec_base.a
	@echo "LD $(BUILD) $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson
protocol: $(O)/schema-gen
	$(Q)$(O)/schema-gen ts > web-client/src/wire/messages.ts
	$(Q)$(O)/schema-gen md > signaling/schema/PROTOCOL.md
.PHONY: protocol
