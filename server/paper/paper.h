/*
 * Paper: A4 pages with headings, text and tables as PDF, selectable and tagged so that a screen
 * reader reads headings as headings and cells as cells (ISO 32000-1, 14.8). Pages break between
 * rows, and a table repeats its heads on each page.
 *
 *   paper_new -> paper_heading / paper_text / paper_table ... -> paper_finish
 *
 * Invariants: text is UTF-8 and never cut off: it wraps inside its column. Used by short-lived
 * commands, not by the server: the libraries keep caches that are freed with the process. No
 * FcFini: Pango asks fontconfig on a thread of its own, which may still be at it.
 * Out of scope: what a report says (server/app).
 */
#pragma once

#include <stddef.h>

struct paper;

enum { PAPER_COLUMNS_MAX = 8 };

/* One column: its head and its share of the width (any unit). */
struct paper_column {
    const char *head;
    double width;
};

/* A document written to path. footer stands on every page with its number. NULL when out of memory
 * or when the file cannot be made. Texts are borrowed until paper_finish. */
struct paper *paper_new(const char *path, const char *title, const char *footer);
/* level 1 or 2. */
void paper_heading(struct paper *paper, int level, const char *text);
void paper_text(struct paper *paper, const char *text);
/* A line across the page. */
void paper_rule(struct paper *paper);
/* Empty space, millimetres. */
void paper_space(struct paper *paper, double mm);
/* A table: cells of row i are cells[i * count .. + count). count <= PAPER_COLUMNS_MAX. */
void paper_table(struct paper *paper, const struct paper_column *columns, size_t count,
                 const char *const *cells, size_t rows);
/* Writes the rest and frees paper. 0, or E_IO when any part could not be written. */
int paper_finish(struct paper *paper);
