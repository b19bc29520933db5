#include "signaling/journal/seal.h"

/* Turned by one byte and unlike at each place: the words of words are never the person again. */
static uint8_t mask(unsigned i)
{
    return (uint8_t)(0x5a + i);
}

struct id seal_words_id(const struct id *person)
{
    struct id words = {{0}};
    for (unsigned i = 0; i < ID_LEN; i++) {
        words.b[i] = person->b[(i + 1) % ID_LEN] ^ mask(i);
    }
    return words;
}

struct id seal_words_owner(const struct id *words)
{
    struct id person = {{0}};
    for (unsigned i = 0; i < ID_LEN; i++) {
        person.b[(i + 1) % ID_LEN] = words->b[i] ^ mask(i);
    }
    return person;
}
