/*
 * The words of a mail as somebody wrote them with whatever editor: UTF-8 with or without its mark,
 * UTF-16 with its mark (what Windows calls Unicode), or Windows-1252 (what is no UTF-8); lines end
 * in LF, CR LF or CR. What comes out is UTF-8, without mark, lines end in LF.
 * Out of scope: what the words mean (server/mail/text.h, server/app/office_letters.c).
 */
#pragma once

#include <stddef.h>

/* Owned by the caller (mem_free); NULL when memory ended. */
char *words_plain(const void *bytes, size_t len);
