/*
 * How many fit: grows a class by half until a limit of its shape breaks, then halves the gap.
 * People leave again when it was too much, so that the server recovers between steps.
 */
#pragma once

#include "bench/load/report.h"

/* Seats to prepare for a search; wish 0 = eight times the shape. */
uint32_t load_search_seats(const struct shape *shape, uint32_t wish);
/* Classes needed for that: a shape without spectators grows by classes. */
uint32_t load_search_rooms(const struct shape *shape, uint32_t seats);
/* Fills report->fit, broke, step; window = the last one that fit (or the first that did not). */
void load_search(struct load *load, const struct shape *shape, uint32_t seats, uint32_t *goal,
                 struct load_window *window, struct report *report);
