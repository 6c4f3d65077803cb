/* Loaded before the C library, a file system that does not answer, as a share that has gone: opening a path that
   ends with FAULT_STALL never returns, nor does listing a folder that ends with FAULT_STALL_LIST, nor asking for
   the state of a path that ends with FAULT_STALL_STAT; one that ends with FAULT_TRICKLE comes a byte at a time,
   slowly. A process whose `fault_forbids` is set dies when it touches the folder FAULT_MEDIUM, by its whole
   path or by its name. The clock is FAULT_SHIFT seconds off. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int fault_forbids = 0;
static int trickling = -1;

static int begins(const char *path, const char *start) { return !strncmp(path, start, strlen(start)); }

static int ends(const char *path, const char *end) {
  size_t length = strlen(path), of_end = strlen(end);
  return length >= of_end && !strcmp(path + length - of_end, end);
}

static void meet(const char *name, const char *path) {
  const char *medium = getenv("FAULT_MEDIUM"), *mark = getenv(name);
  if (!path) return;
  if (fault_forbids && medium && (begins(path, medium) || begins(path, strrchr(medium, '/') + 1))) _exit(86);
  if (mark && ends(path, mark))
    for (;;) pause();
}

static int trickle(const char *path, int opened) {
  const char *mark = getenv("FAULT_TRICKLE");
  if (mark && path && ends(path, mark)) trickling = opened;
  return opened;
}

ssize_t read(int opened, void *content, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "read");
  if (opened < 0 || opened != trickling) return real(opened, content, size);
  usleep(200000);
  return real(opened, content, size ? 1 : 0);
}

static long shift(void) {
  const char *seconds = getenv("FAULT_SHIFT");
  return seconds ? atol(seconds) : 0;
}

#define OPEN(NAME)                                                     \
  int NAME(const char *path, int flags, ...) {                         \
    static int (*real)(const char *, int, ...);                        \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                      \
    meet("FAULT_STALL", path);                                         \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return trickle(path, real(path, flags, mode));                                    \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(NAME)                                                   \
  int NAME(int folder, const char *path, int flags, ...) {             \
    static int (*real)(int, const char *, int, ...);                   \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                      \
    meet("FAULT_STALL", path);                                         \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return trickle(path, real(folder, path, flags, mode));                            \
  }
OPENAT(openat)
OPENAT(openat64)

DIR *opendir(const char *path) {
  static DIR *(*real)(const char *);
  meet("FAULT_STALL_LIST", path);
  if (!real) real = dlsym(RTLD_NEXT, "opendir");
  return real(path);
}

#define STAT(NAME, KIND)                                               \
  int NAME(const char *path, struct KIND *found) {                     \
    static int (*real)(const char *, struct KIND *);                   \
    meet("FAULT_STALL_STAT", path);                                    \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return real(path, found);                                          \
  }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define STATAT(NAME, KIND)                                             \
  int NAME(int folder, const char *path, struct KIND *found, int flags) { \
    static int (*real)(int, const char *, struct KIND *, int);         \
    meet("FAULT_STALL_STAT", path);                                    \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return real(folder, path, found, flags);                           \
  }
STATAT(fstatat, stat)
STATAT(fstatat64, stat64)

int clock_gettime(clockid_t clock, struct timespec *found) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int status = real(clock, found);
  if (!status && clock == CLOCK_REALTIME) found->tv_sec += shift();
  return status;
}

time_t time(time_t *found) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (found) *found = now.tv_sec;
  return now.tv_sec;
}
