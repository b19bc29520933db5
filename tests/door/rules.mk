# The door with a tiny core, for tests/door/run: make BUILD=asan build/asan/door/lab
DOOR_LAB_LIBS := $(foreach f,signaling/door codec/sys codec/base,$(call archive,$(f)))
$(O)/door/lab: $(O)/obj/tests/door/lab.o $(O)/obj/tests/door/lab_core.o $(DOOR_LAB_LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(DOOR_LAB_LIBS) \
		-Wl,--end-group $(LDLIBS)
