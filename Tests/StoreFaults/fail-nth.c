/* Lets the n-th call that touches one folder fail, or ends the program in it.
 *
 *   FAIL_FOLDER  only calls on files of this folder count
 *   FAIL_CALLS   which ones: open,read,write,sync,truncate,unlink,statement (comma between)
 *   FAIL_AT      the number of the first that fails, from 1; 0: none, only count
 *   FAIL_COUNT   how many fail from there on (1)
 *   FAIL_ERRNO   the error's number; `kill` ends the program with SIGKILL instead, and a number
 *                with `short` behind it (`28short`) lets a write put down half of its bytes first
 *   FAIL_REPORT  a file that holds the number of calls counted, once the program ends by itself */
#include "preload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

static char ours[DESCRIPTORS];
static const char *folder, *calls;
static long first, count = 1, error = EIO;
static int kills, shortens;
static atomic_long counted;

__attribute__((constructor)) static void start(void) {
    folder = getenv("FAIL_FOLDER");
    calls = getenv("FAIL_CALLS");
    if (getenv("FAIL_AT")) first = atol(getenv("FAIL_AT"));
    if (getenv("FAIL_COUNT")) count = atol(getenv("FAIL_COUNT"));
    const char *how = getenv("FAIL_ERRNO");
    if (how) {
        kills = !strcmp(how, "kill");
        shortens = strstr(how, "short") != NULL;
        if (!kills) error = atol(how);
    }
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAIL_REPORT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&counted));
    fclose(file);
}

/* Whether this call is one of those that fail. */
static int fails(const char *call) {
    if (!folder || !calls || !strstr(calls, call)) return 0;
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (first == 0 || number < first || number >= first + count) return 0;
    if (kills) kill(getpid(), SIGKILL);
    errno = (int)error;
    return 1;
}

static int is_ours(int fd) { return fd >= 0 && fd < DESCRIPTORS && ours[fd]; }

static int is_inside(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    return folder && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int open_counted(const char *path, int flags, mode_t mode) {
    int inside = is_inside(path);
    if (inside && fails("open")) return -1;
    int fd = REAL(open)(path, flags | O_LARGEFILE, mode);
    if (fd >= 0 && fd < DESCRIPTORS) ours[fd] = (char)inside;
    return fd;
}

OPEN_LIKE(open, open_counted)
OPEN_LIKE(open64, open_counted)

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) ours[fd] = 0;
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
    if (is_ours(fd) && fails("write")) return -1;
    return REAL(write)(fd, data, length);
}

static ssize_t pwrite_counted(int fd, const void *data, size_t length, off_t offset) {
    if (is_ours(fd) && fails("write")) {
        if (shortens && length > 1) return REAL(pwrite)(fd, data, length / 2, offset);
        return -1;
    }
    return REAL(pwrite)(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite_counted(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    return pwrite_counted(fd, data, length, offset);
}

static ssize_t pread_counted(int fd, void *data, size_t length, off_t offset) {
    if (is_ours(fd) && fails("read")) return -1;
    return REAL(pread)(fd, data, length, offset);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset) {
    return pread_counted(fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off_t offset) {
    return pread_counted(fd, data, length, offset);
}

static int truncate_counted(int fd, off_t size) {
    if (is_ours(fd) && fails("truncate")) return -1;
    return REAL(ftruncate)(fd, size);
}

int ftruncate(int fd, off_t size) { return truncate_counted(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_counted(fd, size); }

int fsync(int fd) {
    if (is_ours(fd) && fails("sync")) return -1;
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    if (is_ours(fd) && fails("sync")) return -1;
    return REAL(fdatasync)(fd);
}

int unlink(const char *path) {
    if (is_inside(path) && fails("unlink")) return -1;
    return REAL(unlink)(path);
}

/* A step of SQLite: an instant between two of them is one between two statements. */
int sqlite3_step(void *statement) {
    static int (*step)(void *);
    if (!step) step = (int (*)(void *))dlsym(RTLD_NEXT, "sqlite3_step");
    if (fails("statement")) return 10; /* SQLITE_IOERR */
    return step(statement);
}
