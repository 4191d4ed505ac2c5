/* What the libraries have in common that stand between a program and its calls on files. */
#ifndef PRELOAD_H
#define PRELOAD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Descriptors beyond this one are nobody's. */
enum { DESCRIPTORS = 1024 };

/* The call that the program would have made without us. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Defines `open` or its like, which hands path, flags and mode to `handler`. */
#define OPEN_LIKE(function, handler)                                                               \
    int function(const char *path, int flags, ...) {                                               \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;               \
        va_end(arguments);                                                                         \
        return handler(path, flags, mode);                                                         \
    }

#endif
