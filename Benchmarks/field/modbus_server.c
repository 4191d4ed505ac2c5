/* A Modbus TCP device that costs little: one thread, epoll, any unit, functions 1 to 4.
 *
 *     modbus_server [latency in microseconds]
 *
 * Prints its port. Register a of unit u is walk[a + 37 u + t], t counting tenths of a second: a
 * bounded walk in steps of at most 3, so that values change as those of meters do and an answer
 * costs one memcpy. With a latency every answer leaves that much after its request has come. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WALK = 1 << 16, MOST = 4096, ANSWER = 9 + 250 };

static uint16_t walk[WALK + 2048];
static struct {
    uint8_t bytes[1024];
    int length;
} in[MOST];

/* Answers that wait for their time; the latency is one for all, so first in, first out. */
static struct {
    int64_t due;
    int socket, length;
    uint8_t bytes[ANSWER];
} waiting[MOST];
static unsigned head, tail;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int answer(const uint8_t *q, uint8_t *a) {
    unsigned unit = q[6], function = q[7], address = q[8] << 8 | q[9], count = q[10] << 8 | q[11];
    memcpy(a, q, 8);
    unsigned bytes = function <= 2 ? (count + 7) / 8 : count * 2;
    if (function < 1 || function > 4 || count < 1 || bytes > 250) {
        a[7] |= 0x80;
        a[8] = function < 1 || function > 4 ? 1 : 3;
        bytes = 0;
    } else {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME_COARSE, &t);
        uint64_t tenths = t.tv_sec * 10ULL + t.tv_nsec / 100000000;
        a[8] = bytes;
        memcpy(a + 9, walk + (address + 37 * unit + tenths) % WALK, bytes);
    }
    a[4] = 0;
    a[5] = 3 + bytes;
    return 9 + bytes;
}

int main(int argc, char **argv) {
    int64_t latency = argc > 1 ? atoll(argv[1]) * 1000 : 0;
    struct rlimit files = {8192, 8192};
    setrlimit(RLIMIT_NOFILE, &files);
    unsigned seed = 7, value = 2300;
    for (int i = 0; i < WALK + 2048; i++) {
        seed = seed * 1103515245 + 12345;
        value += (seed >> 16) % 7 - 3;
        if (value < 2000) value += 6;
        if (value > 2600) value -= 6;
        walk[i] = htons(value);
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    if (bind(listener, (void *)&place, size) || listen(listener, 1024)) return perror("bind"), 1;
    getsockname(listener, (void *)&place, &size);
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);
    int events = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(events, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int wait = -1;
        if (head != tail) {
            int64_t left = waiting[head % MOST].due - now();
            wait = left <= 0 ? 0 : (int)(left / 1000000);
        }
        int count = epoll_wait(events, ready, 256, wait);
        for (int i = 0; i < count; i++) {
            int s = ready[i].data.fd;
            if (s == listener) {
                int c = accept4(listener, 0, 0, SOCK_NONBLOCK);
                if (c < 0) continue;
                if (c >= MOST) { close(c); continue; }
                setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                in[c].length = 0;
                event.events = EPOLLIN;
                event.data.fd = c;
                epoll_ctl(events, EPOLL_CTL_ADD, c, &event);
                continue;
            }
            int got = read(s, in[s].bytes + in[s].length, sizeof in[s].bytes - in[s].length);
            if (got <= 0) {
                if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
                close(s);
                continue;
            }
            int length = in[s].length + got, at = 0;
            while (length - at >= 12) {
                if (latency) {
                    if (tail - head >= MOST) break;
                    waiting[tail % MOST].due = now() + latency;
                    waiting[tail % MOST].socket = s;
                    waiting[tail % MOST].length = answer(in[s].bytes + at, waiting[tail % MOST].bytes);
                    tail++;
                } else {
                    uint8_t bytes[ANSWER];
                    int n = answer(in[s].bytes + at, bytes);
                    if (write(s, bytes, n) != n) break;
                }
                at += 12;
            }
            memmove(in[s].bytes, in[s].bytes + at, length - at);
            in[s].length = length - at;
        }
        while (head != tail && waiting[head % MOST].due <= now()) {
            unsigned k = head++ % MOST;
            if (write(waiting[k].socket, waiting[k].bytes, waiting[k].length) < 0) continue;
        }
    }
}
