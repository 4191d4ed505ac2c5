/* Publishes JSON messages with QoS 1 as fast as a broker takes them, at next to no cost.
 *
 *     mqtt_flood PORT TOPIC DEVICES MESSAGES WINDOW [AGE]
 *
 * Topics are TOPIC/d0 … TOPIC/d<DEVICES-1> in turn. Raw MQTT 3.1.1: the packets are built in
 * batches, PUBACKs are only counted, at most WINDOW are missing. The last message says that it is
 * AGE seconds old. Prints its times as JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double at(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int s;

static void send_all(const uint8_t *bytes, size_t count) {
    while (count) {
        ssize_t n = write(s, bytes, count);
        if (n <= 0) { perror("write"); exit(1); }
        bytes += n;
        count -= n;
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 64;
    long devices = atol(argv[3]), messages = atol(argv[4]), window = atol(argv[5]);
    long age = argc > 6 ? atol(argv[6]) : 0;
    s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(s, (void *)&place, sizeof place)) return perror("connect"), 1;
    const uint8_t hello[] = {0x10, 17, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 5, 'f', 'l', 'o', 'o', 'd'};
    send_all(hello, sizeof hello);
    uint8_t in[65536];
    if (read(s, in, 4) != 4 || in[3]) return fprintf(stderr, "refused\n"), 1;
    static uint8_t out[64 * 600];
    long sent = 0, acknowledged = 0, rest = 0;
    /* Each device speaks once a second, and has so far. */
    long first = time(0) - messages / devices - age;
    double begin = at();
    while (acknowledged < messages) {
        size_t length = 0;
        for (int k = 0; k < 64 && sent < messages && sent - acknowledged < window; k++, sent++) {
            char topic[128], body[400];
            int t = snprintf(topic, sizeof topic, "%s/d%ld", argv[2], sent % devices);
            long step = sent / devices;
            int b = snprintf(body, sizeof body,
                "{\"ts\":%ld,\"temperature\":%ld.%ld,\"humidity\":%ld.%ld,\"pressure\":%ld,"
                "\"pm25\":%ld,\"pm10\":%ld,\"tsp\":%ld,\"noise\":%ld.%ld,\"wind\":%ld.%ld,"
                "\"status\":\"ok\",\"firmware\":\"2.4.11\",\"site\":\"hz-qt-0172\"}",
                first + step, 18 + step % 9, step % 10, 40 + step % 31, step % 7, 1000 + step % 23,
                20 + step % 41, 40 + step % 53, 60 + step % 67, 50 + step % 29, step % 10,
                step % 11, (step + sent) % 10);
            size_t size = 2 + t + 2 + b;
            uint16_t id = sent % 65535 + 1;
            uint8_t *p = out + length;
            *p++ = 0x32;
            *p++ = size % 128 | (size > 127 ? 0x80 : 0);
            if (size > 127) *p++ = size / 128;
            *p++ = t >> 8;
            *p++ = t;
            memcpy(p, topic, t);
            p += t;
            *p++ = id >> 8;
            *p++ = id;
            memcpy(p, body, b);
            length = p + b - out;
        }
        if (length) send_all(out, length);
        int full = sent == messages || sent - acknowledged >= window;
        ssize_t n = recv(s, in, sizeof in, full ? 0 : MSG_DONTWAIT);
        if (n == 0) return fprintf(stderr, "the broker hung up\n"), 1;
        /* PUBACKs are four bytes each, and nothing else comes. */
        if (n > 0) { rest += n; acknowledged += rest / 4; rest %= 4; }
    }
    printf("{\"messages\": %ld, \"seconds\": %.6f}\n", messages, at() - begin);
    return 0;
}
