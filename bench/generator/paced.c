// Real time: a request of each connection is due once a period, whether or not the one before is answered.
// A request whose predecessor is in flight waits for it, and is counted from when it was due.
#define _GNU_SOURCE
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct pacer {
    struct connection connection;
    const struct playlist *list;
    uint64_t first_due;
    size_t due, begun, answered;
};

struct pace {
    struct pacer *pacers;
    size_t count;
    uint64_t period, counted_from, ends;
    struct times times;
    size_t late;
};

static void begin(struct pacer *pacer) {
    const struct request *request = &pacer->list->requests[pacer->begun % pacer->list->count];
    pacer->begun += 1;
    connection_begin(&pacer->connection, request);
    connection_send(&pacer->connection);
}

static bool is_idle(const struct pacer *pacer) { return pacer->begun == pacer->answered; }

// Starts what has become due since; the pacers are due in turn. Nanoseconds until the next is.
static uint64_t start_due(struct pace *pace, size_t *turn) {
    for (;;) {
        struct pacer *pacer = &pace->pacers[*turn];
        uint64_t due = pacer->first_due + pacer->due * pace->period, now = now_ns();
        if (due >= pace->ends) return UINT64_MAX;
        if (due > now) return due - now;
        pacer->due += 1;
        if (is_idle(pacer)) begin(pacer);
        *turn = (*turn + 1) % pace->count;
    }
}

static void go_on(struct pace *pace, struct pacer *pacer) {
    if (is_idle(pacer) || !connection_send(&pacer->connection)) return;
    if (!connection_receive(&pacer->connection)) return;
    uint64_t due = pacer->first_due + pacer->answered * pace->period, took = now_ns() - due;
    pacer->answered += 1;
    if (due >= pace->counted_from) {
        times_add(&pace->times, took);
        pace->late += took > pace->period;
    }
    if (pacer->begun < pacer->due) begin(pacer);
}

static size_t unanswered(const struct pace *pace) {
    size_t count = 0;
    for (size_t index = 0; index < pace->count; index++) count += pace->pacers[index].due - pace->pacers[index].answered;
    return count;
}

static void run(struct pace *pace, int poll) {
    const uint64_t grace = 2000000000;
    struct epoll_event events[256];
    size_t turn = 0;
    for (;;) {
        uint64_t wait = start_due(pace, &turn), now = now_ns();
        if (wait == UINT64_MAX) {
            if (now > pace->ends + grace || unanswered(pace) == 0) return;
            wait = 10000000;
        }
        struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
        int ready = epoll_pwait2(poll, events, 256, &timeout, NULL);
        for (int index = 0; index < ready; index++) go_on(pace, events[index].data.ptr);
    }
}

static void open_all(struct pace *pace, int port, const struct plan *plan, int poll) {
    for (size_t index = 0; index < pace->count; index++) {
        struct pacer *pacer = &pace->pacers[index];
        pacer->list = &plan->lists[index];
        connection_open(&pacer->connection, port, false);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = pacer};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, pacer->connection.fd, &event) != 0) die("epoll_ctl");
    }
    uint64_t start = now_ns() + 20000000;
    for (size_t index = 0; index < pace->count; index++)
        pace->pacers[index].first_due = start + index * pace->period / pace->count;
    // The first second is the way in: connections are passed on, processes fault their memory in.
    pace->counted_from = start + 1000000000;
}

int paced(int port, const char *path, long period_us, double seconds) {
    struct plan plan = plan_read(path);
    struct pace pace = {.count = plan.connections, .period = (uint64_t)period_us * 1000};
    pace.pacers = calloc(pace.count, sizeof *pace.pacers);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    open_all(&pace, port, &plan, poll);
    pace.ends = pace.counted_from + (uint64_t)(seconds * 1e9);
    double cpu = cpu_seconds();
    run(&pace, poll);
    cpu = cpu_seconds() - cpu;
    printf("{\"seconds\": %.6f, \"requests\": %zu, \"late\": %zu, \"unanswered\": %zu, \"cpu\": %.6f, \"peak_kb\": %ld, ",
           seconds + 1, pace.times.count, pace.late, unanswered(&pace), cpu, peak_kilobytes());
    times_print(&pace.times);
    puts("}");
    return 0;
}
