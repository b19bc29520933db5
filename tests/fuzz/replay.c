/*
 * Runs a fuzz target over its stored corpus, each file once: what `make test` does with every
 * target and every input that ever mattered, without libFuzzer.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof(data), f);
    (void)fclose(f);
    /* An exact heap copy lets ASan see one byte too far. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        return -1;
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            perror(argv[i]);
            return 1;
        }
        struct dirent *entry;
        while ((entry = readdir(dir))) {
            char path[4096];
            (void)snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.' && run_file(path) != 0) {
                return 1;
            }
            files += entry->d_name[0] != '.';
        }
        (void)closedir(dir);
    }
    (void)printf("%d inputs replayed\n", files);
    return files ? 0 : 1;
}
