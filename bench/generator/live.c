// Live sources: each connection sends one long chunked body in pieces, one a period, whether or not the server reads
// them; and reads, of some writers, what comes out at …/output.
#define _GNU_SOURCE
#include "generator.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

struct source {
    struct connection connection;
    uint64_t first_due, ended;
    // Pieces that it has, that were sent, and bytes of the next that were.
    size_t total, pieces, part;
    bool has_ended, is_answered;
    // When each piece was sent; of sources that are listened to.
    uint64_t *sent;
};

struct listener {
    int fd;
    struct source *source;
    bool in_body;
    // Of the answer's chunked framing: what is left of a chunk, and the line that is being read.
    size_t chunk_left, line_length;
    char line[4096];
    size_t bytes, blocks;
};

struct load {
    struct source *sources;
    struct listener *listeners;
    size_t count, heard, piece_bytes, block_bytes;
    bool keeps_open;
    char *piece;
    size_t piece_length;
    uint64_t period, counted_from;
    struct times answers, delays;
    size_t blocked;
};

static const char end_of_body[] = "0\r\n\r\n";

// True once all of it is sent.
static bool send_part(struct load *load, struct source *source, const char *bytes, size_t length) {
    ssize_t count = send(source->connection.fd, bytes + source->part, length - source->part, 0);
    if (count < 0 && errno != EAGAIN && errno != EINTR) die("send");
    if (count > 0) source->part += (size_t)count;
    if (source->part < length) {
        load->blocked += 1;
        return false;
    }
    source->part = 0;
    return true;
}

static void send_next(struct load *load, struct source *source) {
    if (source->pieces == source->total) {
        if (!load->keeps_open && !send_part(load, source, end_of_body, sizeof end_of_body - 1)) return;
        source->has_ended = true;
        source->ended = now_ns();
        return;
    }
    uint64_t now = now_ns();
    if (!send_part(load, source, load->piece, load->piece_length)) return;
    if (source->sent) source->sent[source->pieces] = now;
    source->pieces += 1;
}

// Nanoseconds until the next piece of any source is due; 0 after some: answers are to be read meanwhile.
static uint64_t send_due(struct load *load, size_t *turn) {
    for (int left = 64;; left--) {
        if (left == 0) return 0;
        struct source *source = &load->sources[*turn];
        uint64_t due = source->first_due + source->pieces * load->period, now = now_ns();
        if (due > now && !source->has_ended) return due - now;
        if (!source->has_ended) send_next(load, source);
        *turn = (*turn + 1) % load->count;
        if (source->has_ended && *turn == 0) return load->period;
    }
}

static void take_answer(struct load *load, struct source *source) {
    if (!connection_receive(&source->connection)) return;
    if (!source->has_ended) die_because("an answer before the body's end", source->connection.in, 200);
    source->is_answered = true;
    times_add(&load->answers, now_ns() - source->ended);
}

static void take_output(struct load *load, struct listener *listener, size_t count) {
    listener->bytes += count;
    uint64_t now = now_ns();
    while ((listener->blocks + 1) * load->block_bytes <= listener->bytes) {
        listener->blocks += 1;
        // The piece that brought the block's last byte.
        size_t piece = (listener->blocks * load->block_bytes - 1) / load->piece_bytes;
        if (piece >= listener->source->pieces) die_because("output before its input", "", 0);
        uint64_t sent = listener->source->sent[piece];
        if (sent >= load->counted_from) times_add(&load->delays, now - sent);
    }
}

// The head of the answer is skipped as lines; then lines with a length, data, and empty lines.
static void take_bytes(struct load *load, struct listener *listener, const char *bytes, size_t count) {
    for (size_t at = 0; at < count;) {
        if (listener->chunk_left > 0) {
            size_t part = count - at < listener->chunk_left ? count - at : listener->chunk_left;
            listener->chunk_left -= part;
            at += part;
            take_output(load, listener, part);
            continue;
        }
        char byte = bytes[at++];
        if (listener->line_length == sizeof listener->line) die_because("a long line in the output's framing", "", 0);
        if (byte != '\n') {
            listener->line[listener->line_length++] = byte;
            continue;
        }
        bool is_empty = listener->line_length <= 1;
        listener->line[listener->line_length ? listener->line_length - 1 : 0] = 0;
        if (!listener->in_body) {
            if (!strncmp(listener->line, "HTTP", 4) && listener->line[9] != '2') die_because("no output", listener->line, 40);
            listener->in_body = is_empty;
        } else if (!is_empty) {
            listener->chunk_left = strtoull(listener->line, NULL, 16);
        }
        listener->line_length = 0;
    }
}

static void listen_on(struct load *load, struct listener *listener) {
    char buffer[16384];
    ssize_t count;
    while ((count = recv(listener->fd, buffer, sizeof buffer, 0)) > 0) take_bytes(load, listener, buffer, (size_t)count);
    if (count < 0 && errno != EAGAIN) die("recv of the output");
}

static void watch(int poll, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void say(struct source *source, const char *format, size_t index) {
    char head[512];
    int length = snprintf(head, sizeof head, format, index);
    if (send(source->connection.fd, head, (size_t)length, 0) != length) die("send of a head");
}

static void open_all(struct load *load, int port, int poll) {
    for (size_t index = 0; index < load->count; index++) {
        struct source *source = &load->sources[index];
        connection_open(&source->connection, port, false);
        say(source,
            "POST /v1/writers/w%zu/streams/0/chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            "Content-Type: application/octet-stream\r\n\r\n",
            index);
        watch(poll, source->connection.fd, index);
    }
    for (size_t index = 0; index < load->heard; index++) {
        struct source asking, *source = &load->sources[index * load->count / load->heard];
        connection_open(&asking.connection, port, false);
        say(&asking, "GET /v1/writers/w%zu/output HTTP/1.1\r\nHost: a\r\n\r\n", (size_t)(source - load->sources));
        source->sent = calloc(source->total, sizeof *source->sent);
        load->listeners[index] = (struct listener){.fd = asking.connection.fd, .source = source};
        watch(poll, asking.connection.fd, load->count + index);
    }
    // The way in takes a server longer than a period.
    uint64_t start = now_ns() + 500000000 + load->count * 1000000;
    for (size_t index = 0; index < load->count; index++)
        load->sources[index].first_due = start + index * load->period / load->count;
    load->counted_from = start + 1000000000;
}

static void run(struct load *load, int poll) {
    const uint64_t grace = 10000000000;
    struct epoll_event events[256];
    size_t turn = 0;
    uint64_t last_end = load->sources[load->count - 1].first_due + load->sources[load->count - 1].total * load->period;
    while (load->answers.count < load->count && now_ns() < last_end + grace) {
        uint64_t wait = send_due(load, &turn);
        struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
        int ready = epoll_pwait2(poll, events, 256, &timeout, NULL);
        for (int index = 0; index < ready; index++) {
            size_t which = events[index].data.u64;
            if (which < load->count) take_answer(load, &load->sources[which]);
            else listen_on(load, &load->listeners[which - load->count]);
        }
    }
}

static void prepare(struct load *load, long period_us, double seconds) {
    load->period = (uint64_t)period_us * 1000;
    load->sources = calloc(load->count, sizeof *load->sources);
    load->listeners = calloc(load->heard + 1, sizeof *load->listeners);
    // The bodies end one after the other within a second: all at once is another load.
    for (size_t index = 0; index < load->count; index++)
        load->sources[index].total = (size_t)((seconds + (double)index / (double)load->count) * 1e6 / (double)period_us);
    load->piece = calloc(1, load->piece_bytes + 32);
    int line = sprintf(load->piece, "%zx\r\n", load->piece_bytes);
    // Some sound: encoders spend nothing on silence.
    for (size_t at = 0; at < load->piece_bytes; at++)
        load->piece[(size_t)line + at] = (char)(at % 2 ? (at / 8) % 13 : at * 37);
    memcpy(load->piece + line + load->piece_bytes, "\r\n", 2);
    load->piece_length = (size_t)line + load->piece_bytes + 2;
}

int hold(int port, size_t count, long period_us, size_t piece_bytes, double seconds) {
    struct load load = {.count = count, .piece_bytes = piece_bytes, .block_bytes = 1, .keeps_open = true};
    prepare(&load, period_us, seconds);
    open_all(&load, port, epoll_create1(EPOLL_CLOEXEC));
    size_t turn = 0;
    while (!load.sources[count - 1].has_ended) {
        uint64_t wait = send_due(&load, &turn);
        struct timespec time = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
        nanosleep(&time, NULL);
    }
    puts("held");
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}

int live(int port, size_t count, size_t heard, long period_us, size_t piece_bytes, size_t block_bytes, double seconds) {
    struct load load = {.count = count, .heard = heard, .piece_bytes = piece_bytes, .block_bytes = block_bytes};
    prepare(&load, period_us, seconds);
    size_t pieces = 0;
    for (size_t index = 0; index < count; index++) pieces += load.sources[index].total;
    int poll = epoll_create1(EPOLL_CLOEXEC);
    open_all(&load, port, poll);
    double cpu = cpu_seconds();
    run(&load, poll);
    cpu = cpu_seconds() - cpu;
    printf("{\"answers_us\": [");
    for (size_t index = 0; index < load.answers.count; index++)
        printf("%s%.1f", index ? ", " : "", (double)load.answers.values[index] / 1000);
    printf("], \"seconds\": %.6f, \"pieces\": %zu, \"blocked\": %zu, \"unanswered\": %zu, \"cpu\": %.6f, \"peak_kb\": %ld, \"answers\": {",
           seconds, pieces, load.blocked, count - load.answers.count, cpu, peak_kilobytes());
    times_print(&load.answers);
    printf("}, \"delays\": {\"count\": %zu, ", load.delays.count);
    times_print(&load.delays);
    puts("}}");
    return 0;
}
