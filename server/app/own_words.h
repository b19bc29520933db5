/* The words of a mail in a file of the administrator, whatever editor wrote them. */
#pragma once

/* NULL when there is none, it is empty or too long. mem_free. */
char *own_words_read(const char *path);
