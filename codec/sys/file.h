/*
 * Files, small and careful: bounded reads, atomic writes, opens that cannot leave their folder
 * (reliability S32). Errors: E_NOTFOUND, E_DENIED, E_TOOBIG, E_FULL (disk), E_NOMEM, E_LIMIT
 * (descriptors), E_IO for the rest; errno still tells the exact cause.
 * Out of scope: the database (signaling/store), sending files to browsers (signaling/door).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* errno as an E_* code; 0 for 0. */
int file_err(int errno_value);
/*
 * Reads the whole file at path, at most max bytes (E_TOOBIG beyond). *out is owned by the caller
 * (mem_free) and has a NUL behind its *len bytes.
 */
int file_read(const char *path, size_t max, char **out, size_t *len);
/*
 * Replaces the file at path with data, or leaves the old one: written beside it, synced, renamed,
 * folder synced. mode as in open(2). 0 or an error; nothing is left behind.
 */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode);
/*
 * Opens a regular file below the folder dirfd for reading: path may not leave it, be absolute or
 * pass a symbolic link (openat2 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). *fd is the caller's,
 * close-on-exec. Anything that is not a regular file is E_NOTFOUND. size may be NULL.
 */
int file_open_beneath(int dirfd, const char *path, int *fd, uint64_t *size);
/* Opens a folder for file_open_beneath. */
int file_open_dir(const char *path, int *fd);
/* Makes path and its missing parents with mode. 0 when it exists already as a folder. */
int file_mkdirs(const char *path, mode_t mode);
/* 0 when files can be made and removed in the folder at path. */
int file_dir_writable(const char *path);
/* Bytes an unprivileged process may still write on the file system of path. */
int file_free_bytes(const char *path, uint64_t *bytes);
/* Writes all len bytes, whatever interrupts. 0 or an error. */
int file_write_all(int fd, const void *data, size_t len);
