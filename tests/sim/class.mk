# The seeded day of a class: 200 scripted people against the real classroom, see class_sim.c.
$(O)/sim/class_sim: $(O)/obj/tests/sim/class_sim.o $(O)/obj/tests/sim/class_say.o $(O)/obj/tests/sim/class_stage.o $(O)/obj/tests/sim/class_tables.o $(O)/obj/tests/unit/class_rig.o \
		$(O)/obj/tests/unit/rig_view.o $(LIBS)
	@mkdir -p $(@D)
	@echo "LD $(BUILD) $@"
	$(Q)$(LINK)
sim-class: $(O)/sim/class_sim
	$(Q)$(O)/sim/class_sim
.PHONY: sim-class
