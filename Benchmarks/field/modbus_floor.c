/* A bare libmodbus client: what one request costs without a gateway around it.
 *
 *     modbus_floor PORT REGISTERS SECONDS
 *
 * One connection, one request after the other; prints requests, seconds and CPU seconds as JSON. */
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

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    int count = atoi(argv[2]);
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
