/* Preloaded into the gateway by a test: makes writes to its store fail when told to.
 *
 *     cc -shared -fPIC -O1 -o fail-io.so fail-io.c -ldl
 *     LD_PRELOAD=fail-io.so FAIL_IO_CONTROL=/tmp/x/control plumbline run …
 *
 * The control file holds "<kind> <errno> <n> <count>": of the calls of that kind (w: write, s: sync,
 * a: both) on files named plumbline.sqlite*, those after the first n fail, count of them (-1: all),
 * until the file changes or goes. Each failure appends one byte to <control>.hits. */
#include "preload.h"

#include <stdio.h>
#include <sys/stat.h>

static char last[64];
static long seen;

static int is_store(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    char *name = strrchr(path, '/');
    return name && strncmp(name + 1, "plumbline.sqlite", 16) == 0;
}

static ssize_t real_write(int fd, const void *bytes, size_t size) {
    static ssize_t (*call)(int, const void *, size_t);
    if (!call) call = dlsym(RTLD_NEXT, "write");
    return call(fd, bytes, size);
}

/* All of the store's writes come from one thread, so nothing here is locked. */
static int fails(int fd, char kind) {
    const char *control = getenv("FAIL_IO_CONTROL");
    if (!control || !is_store(fd)) return 0;
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0) { last[0] = 0; return 0; }
    char text[64] = {0}, wanted;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    long number, skip, count;
    if (size <= 0 || sscanf(text, "%c %ld %ld %ld", &wanted, &number, &skip, &count) != 4) return 0;
    if (strcmp(text, last)) { strcpy(last, text); seen = 0; }
    if (wanted != 'a' && wanted != kind) return 0;
    seen++;
    if (seen <= skip || (count >= 0 && seen > skip + count)) return 0;
    char hits[512];
    snprintf(hits, sizeof hits, "%s.hits", control);
    file = open(hits, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) { real_write(file, &kind, 1); close(file); }
    errno = (int)number;
    return 1;
}

#define WRAP(type, name, kind, params, args) \
    type name params { \
        static type (*call) params; \
        if (!call) call = dlsym(RTLD_NEXT, #name); \
        return fails(fd, kind) ? -1 : call args; \
    }

ssize_t write(int fd, const void *bytes, size_t size) {
    return fails(fd, 'w') ? -1 : real_write(fd, bytes, size);
}
WRAP(ssize_t, pwrite, 'w', (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
WRAP(ssize_t, pwrite64, 'w', (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at))
WRAP(int, ftruncate, 'w', (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, 'w', (int fd, off64_t n), (fd, n))
WRAP(int, fsync, 's', (int fd), (fd))
WRAP(int, fdatasync, 's', (int fd), (fd))
