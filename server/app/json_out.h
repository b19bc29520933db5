/*
 * Text as a JSON string on a stdio stream: for the answers of commands and the configuration.
 * Out of scope: building documents (jansson).
 */
#pragma once

#include <stdio.h>

/* Writes text, quoted and escaped. NULL gives an empty string. */
void json_out_text(FILE *out, const char *text);
