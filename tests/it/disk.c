/* A disk that fills up or becomes read-only when it is told to: loaded before the C library, it answers for the files of one
 * folder as the kernel would.
 *
 * DISK_FOLDER  the folder
 * DISK_STATE   a file that says "full", "read-only" or anything else
 * DISK_AFTER   how many times a file may still grow before the disk is full; if absent, as often as it likes
 * DISK_COUNT   a file to which the number of times that a file grew is appended at the end of the process */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static atomic_long grown;

static int in_folder(const char *path) {
    const char *folder = getenv("DISK_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_ours(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return in_folder(path);
}

static int state_is(const char *wanted) {
    char state[16] = "";
    const char *path = getenv("DISK_STATE");
    int file = path ? REAL(int, open64, const char *, int, ...)(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, state, sizeof state - 1);
    close(file);
    return length > 0 && strncmp(state, wanted, strlen(wanted)) == 0;
}

/* 0 if a file may be written up to `end`, or the error. */
static int refusal(int file, off_t end) {
    if (!is_ours(file)) return 0;
    if (state_is("read-only")) return EROFS;
    struct stat64 now;
    if (fstat64(file, &now) == 0 && end <= now.st_size) return 0;
    const char *after = getenv("DISK_AFTER");
    long number = atomic_fetch_add(&grown, 1);
    return state_is("full") || (after && number >= atol(after)) ? ENOSPC : 0;
}

#define REFUSE(file, end)                      \
    do {                                       \
        int error = refusal((file), (end));    \
        if (error) { errno = error; return -1; } \
    } while (0)

ssize_t write(int file, const void *bytes, size_t length) {
    off_t at = lseek64(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    if (at >= 0) REFUSE(file, at + (off_t)length);
    return REAL(ssize_t, write, int, const void *, size_t)(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    REFUSE(file, at + (off_t)length);
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(file, bytes, length, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return pwrite64(file, bytes, length, at); }

/* A file that is made longer without being written takes no room yet. */
int ftruncate64(int file, off64_t length) {
    REFUSE(file, 0);
    return REAL(int, ftruncate64, int, off64_t)(file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int mkdir(const char *path, mode_t mode) {
    struct stat64 there;
    if (in_folder(path) && stat64(path, &there) != 0 && state_is("read-only")) return errno = EROFS, -1;
    return REAL(int, mkdir, const char *, mode_t)(path, mode);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    struct stat64 there;
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT && stat64(path, &there) != 0);
    int exists = (flags & O_CREAT) && (flags & O_EXCL) && stat64(path, &there) == 0;
    if (in_folder(path) && writes && !exists && state_is("read-only")) return errno = EROFS, -1;
    return REAL(int, open64, const char *, int, ...)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open64(path, flags, mode);
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("DISK_COUNT");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&grown));
    fclose(file);
}
