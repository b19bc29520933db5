#include "codec/sys/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

void random_fill(void *out, size_t len)
{
    uint8_t *p = out;
    while (len) {
        ssize_t got = getrandom(p, len, 0);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            /* Going on with guessable keys would be worse than stopping. */
            abort();
        }
        p += got;
        len -= (size_t)got;
    }
}

static void fill(void *arg, void *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
}

struct rng random_rng(void)
{
    return (struct rng){.fill_h = fill, .arg = NULL};
}
