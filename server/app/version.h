/* The version of the program, in one place: pages, commands, package. */
#pragma once

#define AMPHI_VERSION "0.1.0"
#define AMPHI_PROTOCOL "amphi.1"
