// Shared by the modes of `generator`, the bench's client and its sinks.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One request as it goes over the wire; many requests may share a body.
struct request {
    const char *head, *body;
    size_t head_length, body_length;
};

// What one connection sends, in order.
struct playlist {
    struct request *requests;
    size_t count;
};

// A file, in host byte order: uint32 number of bodies, each { uint32 length, bytes };
// then records { uint32 connection, uint32 body, uint32 head length, head }.
struct plan {
    struct playlist *lists;
    size_t connections;
};
struct plan plan_read(const char *path);

struct connection {
    int fd;
    const struct request *current;
    size_t sent;
    size_t have;
    char in[16384];
};
void connection_open(struct connection *connection, int port, bool blocking);
void connection_begin(struct connection *connection, const struct request *request);
// True once the current request is sent whole.
bool connection_send(struct connection *connection);
// Takes what the socket holds; true once the current request is answered whole, with a 2xx.
bool connection_receive(struct connection *connection);

// Bytes of the first message in `bytes` (head and Content-Length body); 0 while it is not whole.
size_t message_length(const char *bytes, size_t have, bool is_answer);

// Waiting times in nanoseconds, for percentiles.
struct times {
    uint64_t *values;
    size_t count, capacity;
};
void times_add(struct times *times, uint64_t nanoseconds);
// Prints `"p50_us": …, "p99_us": …, "p999_us": …, "max_us": …`; sorts the values.
void times_print(struct times *times);

uint64_t now_ns(void);
double cpu_seconds(void);
long peak_kilobytes(void);
int listen_on_loopback(void);
void die(const char *doing) __attribute__((noreturn));
void die_because(const char *reason, const char *detail, size_t length) __attribute__((noreturn));

int play(int port, const char *plan, long rounds);
int paced(int port, const char *plan, long period_us, double seconds);
int live(int port, size_t count, size_t heard, long period_us, size_t piece_bytes, size_t block_bytes, double seconds);
int hold(int port, size_t count, long period_us, size_t piece_bytes, double seconds);
int drain(size_t buffer_bytes);
int sink(void);
int forked(const char *folder);
