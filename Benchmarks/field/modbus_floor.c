/* A bare libmodbus client: what requests cost without a gateway around them.
 *
 *     modbus_floor PORT REGISTERS SECONDS [CONNECTIONS UNITS PERIOD_MS]
 *
 * One connection, one request after the other; or so many connections with a thread each, which
 * asks so many units in each slot. Prints requests, seconds and CPU seconds as JSON. */
#include <pthread.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double at(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int port, count, units;
static long period, total;
static double finish;

static void *poller(void *unused) {
    (void)unused;
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    uint16_t values[125];
    long requests = 0;
    if (modbus_connect(context)) return 0;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long slot = (t.tv_sec * 1000L + t.tv_nsec / 1000000) / period;
    while (at() < finish) {
        slot++;
        t.tv_sec = slot * period / 1000;
        t.tv_nsec = slot * period % 1000 * 1000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
        for (int u = 1; u <= units; u++) {
            modbus_set_slave(context, u);
            if (modbus_read_registers(context, 0, count, values) == count) requests++;
        }
    }
    __atomic_add_fetch(&total, requests, __ATOMIC_RELAXED);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    if (argc > 6) {
        int threads = atoi(argv[4]);
        pthread_t ids[1024];
        port = atoi(argv[1]), count = atoi(argv[2]), units = atoi(argv[5]), period = atol(argv[6]);
        double begin = at(), used = cpu();
        finish = begin + atof(argv[3]);
        for (int i = 0; i < threads && i < 1024; i++) pthread_create(ids + i, 0, poller, 0);
        for (int i = 0; i < threads && i < 1024; i++) pthread_join(ids[i], 0);
        printf("{\"requests\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", total, at() - begin,
               cpu() - used);
        return 0;
    }
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    count = atoi(argv[2]);
    uint16_t values[125];
    modbus_set_slave(context, 1);
    if (modbus_connect(context)) return perror("connect"), 1;
    double begin = at(), used = cpu(), end = begin + atof(argv[3]);
    long requests = 0;
    while (requests % 64 || at() < end) {
        if (modbus_read_registers(context, 0, count, values) != count) return perror("read"), 1;
        requests++;
    }
    printf("{\"requests\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", requests, at() - begin,
           cpu() - used);
    return 0;
}
