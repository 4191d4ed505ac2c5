/* The units of one RS-485 line at the far end of a pty, as slow as the line would be.
 *
 *     rtu_slave LINK BAUD BITS TURNAROUND_US UNITS [DEAD,DEAD,…]
 *
 * A request is heard when its last bit would have arrived: bytes x BITS / BAUD after it was written,
 * which a pty does in no time. TURNAROUND_US later the answer begins, and each byte is handed over
 * when its last bit has passed. Units 1 to UNITS answer functions 3 and 4, the dead ones are silent.
 * Prints a JSON line each second: requests by unit since the start, and the nanoseconds in which
 * the line was of use (the request's bits, the turnaround and the answer's bits). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void until(int64_t instant) {
    struct timespec t = {instant / 1000000000, instant % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

static uint16_t crc(const uint8_t *bytes, int count) {
    uint16_t sum = 0xFFFF;
    for (int i = 0; i < count; i++) {
        sum ^= bytes[i];
        for (int k = 0; k < 8; k++) sum = sum & 1 ? sum >> 1 ^ 0xA001 : sum >> 1;
    }
    return sum;
}

static long answered[256], asked[256];
static int64_t useful, began, told;

static void tell(int units) {
    if (now() - told < 1000000000) return;
    told = now();
    printf("{\"at\": %.6f, \"useful\": %.6f, \"asked\": [", (told - began) / 1e9, useful / 1e9);
    for (int u = 1; u <= units; u++) printf("%s%ld", u > 1 ? ", " : "", asked[u]);
    printf("], \"answered\": [");
    for (int u = 1; u <= units; u++) printf("%s%ld", u > 1 ? ", " : "", answered[u]);
    printf("]}\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 6) return 64;
    double bit = 1e9 / atof(argv[2]);
    int64_t byte = (int64_t)(bit * atoi(argv[3])), turnaround = atoll(argv[4]) * 1000;
    int units = atoi(argv[5]);
    char dead[256] = {0};
    for (char *p = argc > 6 ? strtok(argv[6], ",") : 0; p; p = strtok(0, ",")) dead[atoi(p) & 255] = 1;
    int line = posix_openpt(O_RDWR | O_NOCTTY);
    if (line < 0 || grantpt(line) || unlockpt(line)) return perror("pty"), 1;
    /* Held open here too: a master whose other end nobody has open only reports hang-ups. */
    int held = open(ptsname(line), O_RDWR | O_NOCTTY);
    struct termios raw;
    tcgetattr(held, &raw);
    cfmakeraw(&raw);
    tcsetattr(held, TCSANOW, &raw);
    unlink(argv[1]);
    if (symlink(ptsname(line), argv[1])) return perror(argv[1]), 1;
    began = told = now();
    uint8_t in[512];
    int length = 0;
    for (;;) {
        struct pollfd ready = {line, POLLIN, 0};
        if (poll(&ready, 1, 200) <= 0) {
            length = 0; /* a silence ends whatever was begun */
            tell(units);
            continue;
        }
        int64_t written = now();
        int got = read(line, in + length, sizeof in - length);
        if (got <= 0) continue;
        length += got;
        while (length >= 8 && crc(in, 6) != (in[6] | in[7] << 8)) memmove(in, in + 1, --length);
        if (length < 8) continue;
        unsigned unit = in[0], function = in[1], address = in[2] << 8 | in[3], count = in[4] << 8 | in[5];
        length = 0;
        if (unit < 1 || (int)unit > units || count < 1 || count > 125) continue;
        asked[unit]++;
        int64_t heard = written + 8 * byte;
        if (dead[unit] || (function != 3 && function != 4)) continue;
        uint8_t out[256] = {unit, function, 2 * count};
        for (unsigned i = 0; i < count; i++) {
            unsigned value = 2300 + (address + i + unit + (unsigned)(written / 1000000000)) % 50;
            out[3 + 2 * i] = value >> 8;
            out[4 + 2 * i] = value;
        }
        int size = 3 + 2 * count;
        uint16_t sum = crc(out, size);
        out[size++] = sum;
        out[size++] = sum >> 8;
        int64_t start = heard + turnaround;
        for (int sent = 0; sent < size;) {
            until(start + (sent + 1) * byte);
            int due = (int)((now() - start) / byte);
            if (due > size) due = size;
            if (due <= sent) continue;
            if (write(line, out + sent, due - sent) != due - sent) break;
            sent = due;
        }
        answered[unit]++;
        useful += 8 * byte + turnaround + size * byte;
        tell(units);
    }
}
