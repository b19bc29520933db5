/* amphi core (started by the supervisor): classroom, storage and media. */
#include <sys/prctl.h>

#include "server/app/child.h"
#include "server/app/command.h"
#include "server/app/core.h"

static int core(struct command_line *line)
{
    const char *inherit = command_value(line, "--inherit");
    (void)prctl(PR_SET_NAME, "amphi-core");     /* what ps and top show */
    (void)child_inherited(inherit, "children"); /* a rehearsal we start is nobody's server */
    struct core_inherited inherited = {.watchdog_fd = child_inherited(inherit, "watchdog"),
                                       .admin_fd = child_inherited(inherit, "admin")};
    return command_rest(line, 0, 0) ? core_run(line, &inherited) : EXIT_USAGE;
}

const struct command command_core = {
    .name = "core",
    .args = "",
    .usage = "Run the core process.",
    .flags = COMMAND_CONFIG | COMMAND_HIDDEN,
    .exec = core,
};
