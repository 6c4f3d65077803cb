/* Loaded before the C library: opening a path that holds FAULT_STALL never returns, as on a share that has gone,
   and the clock is FAULT_SHIFT seconds off. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void stall(const char *path) {
  const char *mark = getenv("FAULT_STALL");
  if (mark && path && strstr(path, mark))
    for (;;) pause();
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
    stall(path);                                                       \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return real(path, flags, mode);                                    \
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
    stall(path);                                                       \
    if (!real) real = dlsym(RTLD_NEXT, #NAME);                         \
    return real(folder, path, flags, mode);                            \
  }
OPENAT(openat)
OPENAT(openat64)

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
