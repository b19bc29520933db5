#include "codec/sys/heap.h"

#include <features.h>

#ifdef __GLIBC__
#include <malloc.h>

void heap_trim(void)
{
    (void)malloc_trim(0);
}
#else
void heap_trim(void)
{
}
#endif
