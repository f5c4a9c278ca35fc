#define _GNU_SOURCE
#include "generator.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// Not ru_maxrss: it begins with what the process had before exec.
long peak_kilobytes(void) {
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long kilobytes = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
    if (status != NULL) fclose(status);
    return kilobytes;
}

int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 4096) != 0) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

void times_add(struct times *times, uint64_t nanoseconds) {
    if (times->count == times->capacity) {
        times->capacity = times->capacity ? times->capacity * 2 : 4096;
        times->values = realloc(times->values, times->capacity * sizeof *times->values);
        if (times->values == NULL) die("realloc");
    }
    times->values[times->count++] = nanoseconds;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static double at_permille(const struct times *times, size_t permille) {
    return times->count ? (double)times->values[(times->count - 1) * permille / 1000] / 1000 : 0;
}

void times_print(struct times *times) {
    qsort(times->values, times->count, sizeof *times->values, ascending);
    printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f", at_permille(times, 500),
           at_permille(times, 990), at_permille(times, 999), at_permille(times, 1000));
}

void die(const char *doing) {
    perror(doing);
    exit(1);
}

void die_because(const char *reason, const char *detail, size_t length) {
    fprintf(stderr, "%s: %.*s\n", reason, (int)(length > 2000 ? 2000 : length), detail);
    exit(1);
}
