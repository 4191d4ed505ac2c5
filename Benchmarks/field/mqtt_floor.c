/* A bare libmosquitto subscriber: what a message costs when nobody looks at it.
 *
 *     mqtt_floor PORT FILTER MESSAGES
 *
 * QoS 1, a persistent session as the gateway's, acknowledged by the library at once. Prints
 * "ready", and after MESSAGES its seconds from the first to the last and its CPU seconds. */
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static long messages, wanted;
static double begin, used;
static struct mosquitto *client;

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

static void take(struct mosquitto *c, void *o, const struct mosquitto_message *m) {
    (void)o, (void)m;
    if (messages++ == 0) begin = at(), used = cpu();
    if (messages == wanted) {
        printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", messages, at() - begin,
               cpu() - used);
        fflush(stdout);
        mosquitto_disconnect(c);
    }
}

static void subscribed(struct mosquitto *c, void *o, int id, int count, const int *granted) {
    (void)c, (void)o, (void)id, (void)count, (void)granted;
    printf("ready\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    wanted = atol(argv[3]);
    mosquitto_lib_init();
    client = mosquitto_new("floor", false, 0);
    mosquitto_message_callback_set(client, take);
    mosquitto_subscribe_callback_set(client, subscribed);
    if (mosquitto_connect(client, "127.0.0.1", atoi(argv[1]), 60)) return 1;
    mosquitto_subscribe(client, 0, argv[2], 1);
    return mosquitto_loop_forever(client, 1000, 1);
}
