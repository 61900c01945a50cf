/* Ends or stops the process before one of the changes that it makes to the files of a folder: loaded before the C library.
 *
 * STEPS_FOLDER  the folder
 * STEPS_KILL    before which change, counted from 1, the process is killed
 * STEPS_STOP    before which it is stopped, until somebody lets it go on
 * STEPS_TOLD    a file to which each change is appended, before it is made: what is done, and the name of the file */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static atomic_long made;

static void tell(const char *what, const char *path) {
    const char *told = getenv("STEPS_TOLD"), *slash = strrchr(path, '/');
    int file = told ? open(told, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s\n", what, slash ? slash + 1 : path);
    if (REAL(ssize_t, write, int, const void *, size_t)(file, line, (size_t)length) != length) abort();
    close(file);
}

static void step(const char *what, const char *path) {
    const char *folder = getenv("STEPS_FOLDER");
    if (!folder || strncmp(path, folder, strlen(folder)) != 0) return;
    long number = atomic_fetch_add(&made, 1) + 1;
    tell(what, path);
    const char *last = getenv("STEPS_KILL"), *stop = getenv("STEPS_STOP");
    if (last && number == atol(last)) kill(getpid(), SIGKILL);
    if (stop && number == atol(stop)) kill(getpid(), SIGSTOP);
}

static void step_in(const char *what, int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    step(what, path);
}

ssize_t write(int file, const void *bytes, size_t length) {
    step_in("write", file);
    return REAL(ssize_t, write, int, const void *, size_t)(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    step_in("pwrite", file);
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(file, bytes, length, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return pwrite64(file, bytes, length, at); }

int ftruncate64(int file, off64_t length) {
    step_in("truncate", file);
    return REAL(int, ftruncate64, int, off64_t)(file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int rename(const char *from, const char *to) {
    step("rename", to);
    return REAL(int, rename, const char *, const char *)(from, to);
}

int link(const char *from, const char *to) {
    step("link", to);
    return REAL(int, link, const char *, const char *)(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    step("link", to);
    return REAL(int, linkat, int, const char *, int, const char *, int)(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path) {
    step("unlink", path);
    return REAL(int, unlink, const char *)(path);
}
