/* Records what a program does to the files of one folder, in the order in which it happens.
 *
 *   LD_PRELOAD=recorder.so RECORD_FOLDER=/data RECORD_TRACE=/tmp/trace program
 *
 * The trace is a list of records: a head (below, little endian) and `length` bytes. What the program
 * writes on standard output is recorded too, so that a promise has its place among the writes.
 * The `-shm` file is left out: SQLite makes it anew after every crash. */
#include "preload.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, SYNC_FOLDER, SAID };

struct head {
    uint32_t op;
    uint32_t file;   /* number of the open file, counted from 1 */
    int64_t offset;  /* of a write; the new size of a truncation */
    uint32_t length; /* bytes that follow: data, or a name */
} __attribute__((packed));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_length;
static int trace = -1;
static uint32_t opened;
static uint32_t files[DESCRIPTORS]; /* 0: not ours; UINT32_MAX: the folder itself */

static void start(void) {
    static int started;
    if (started) return;
    started = 1;
    const char *path = getenv("RECORD_TRACE");
    folder = getenv("RECORD_FOLDER");
    if (!path || !folder) return;
    folder_length = strlen(folder);
    trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) abort();
}

static void record(uint32_t op, uint32_t file, int64_t offset, const void *data, size_t length) {
    struct head head = {op, file, offset, (uint32_t)length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    if (trace >= 0 && REAL(writev)(trace, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

/* The name inside the folder; NULL for everything that is not recorded. */
static const char *name_of(const char *path) {
    if (!folder || strncmp(path, folder, folder_length) || path[folder_length] != '/') return NULL;
    size_t length = strlen(path);
    if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
    return path + folder_length + 1;
}

static uint32_t file_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? files[fd] : 0; }

static int open_recorded(const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    start();
    int fd = REAL(open)(path, flags | O_LARGEFILE, mode);
    if (fd >= 0 && fd < DESCRIPTORS) {
        const char *name = name_of(path);
        files[fd] = 0;
        if (name && *name) {
            files[fd] = ++opened;
            record(OPEN, opened, 0, name, strlen(name));
            if (flags & O_TRUNC) record(TRUNCATE, opened, 0, NULL, 0);
        } else if (folder && !strcmp(path, folder)) {
            files[fd] = UINT32_MAX;
        }
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

OPEN_LIKE(open, open_recorded)
OPEN_LIKE(open64, open_recorded)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < DESCRIPTORS) files[fd] = 0;
    int result = REAL(close)(fd);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int fd, const void *data, size_t length) {
    pthread_mutex_lock(&lock);
    start();
    uint32_t file = file_of(fd);
    off_t offset = file ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t result = REAL(write)(fd, data, length);
    if (result > 0 && fd == 1) record(SAID, 0, 0, data, (size_t)result);
    if (result > 0 && file) record(WRITE, file, offset, data, (size_t)result);
    pthread_mutex_unlock(&lock);
    return result;
}

static ssize_t pwrite_recorded(int fd, const void *data, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    ssize_t result = REAL(pwrite)(fd, data, length, offset);
    if (result > 0 && file_of(fd)) record(WRITE, file_of(fd), offset, data, (size_t)result);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite_recorded(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    return pwrite_recorded(fd, data, length, offset);
}

static int truncate_recorded(int fd, off_t size) {
    pthread_mutex_lock(&lock);
    int result = REAL(ftruncate)(fd, size);
    if (result == 0 && file_of(fd)) record(TRUNCATE, file_of(fd), size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return truncate_recorded(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_recorded(fd, size); }

/* What is reserved reads as zeros: for a crash it is a file that has grown. */
static int reserve_recorded(int fd, off_t offset, off_t length, int result) {
    struct stat found;
    if (result == 0 && file_of(fd) && fstat(fd, &found) == 0 && found.st_size == offset + length)
        record(TRUNCATE, file_of(fd), found.st_size, NULL, 0);
    return result;
}

int posix_fallocate(int fd, off_t offset, off_t length) {
    pthread_mutex_lock(&lock);
    int result = reserve_recorded(fd, offset, length, REAL(posix_fallocate)(fd, offset, length));
    pthread_mutex_unlock(&lock);
    return result;
}

int posix_fallocate64(int fd, off_t offset, off_t length) {
    return posix_fallocate(fd, offset, length);
}

static int sync_recorded(int fd, int (*sync)(int)) {
    pthread_mutex_lock(&lock);
    int result = sync(fd);
    uint32_t file = file_of(fd);
    if (result == 0 && file == UINT32_MAX) record(SYNC_FOLDER, 0, 0, NULL, 0);
    else if (result == 0 && file) record(SYNC, file, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return sync_recorded(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_recorded(fd, REAL(fdatasync)); }

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    start();
    int result = REAL(unlink)(path);
    const char *name = name_of(path);
    if (result == 0 && name) record(UNLINK, 0, 0, name, strlen(name));
    pthread_mutex_unlock(&lock);
    return result;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    start();
    int result = REAL(rename)(from, to);
    const char *old = name_of(from), *new = name_of(to);
    if (result == 0 && old && new) {
        char both[2048] = {0};
        size_t length = strlen(old) + 1 + strlen(new);
        if (length >= sizeof both) abort();
        strcpy(both, old);
        strcpy(both + strlen(old) + 1, new);
        record(RENAME, 0, 0, both, length);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
