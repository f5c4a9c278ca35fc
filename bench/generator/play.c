// A closed loop: each connection sends its next request when the one before is answered.
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct player {
    struct connection connection;
    const struct playlist *list;
    size_t next, left;
    uint64_t began;
};

static bool begin_next(struct player *player) {
    if (player->left == 0) return false;
    player->left -= 1;
    player->began = now_ns();
    connection_begin(&player->connection, &player->list->requests[player->next]);
    player->next = (player->next + 1) % player->list->count;
    connection_send(&player->connection);
    return true;
}

// True while the player has something in flight.
static bool go_on(struct player *player, struct times *times) {
    if (!connection_send(&player->connection)) return true;
    if (!connection_receive(&player->connection)) return true;
    times_add(times, now_ns() - player->began);
    return begin_next(player);
}

static void run(struct player *players, size_t count, struct times *times) {
    if (count == 1) {
        // Blocking: one connection costs no epoll_wait.
        if (begin_next(players)) while (go_on(players, times)) {}
        return;
    }
    int poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256];
    size_t playing = 0;
    for (size_t index = 0; index < count; index++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &players[index]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, players[index].connection.fd, &event) != 0) die("epoll_ctl");
        playing += begin_next(&players[index]);
    }
    while (playing > 0) {
        int ready = epoll_wait(poll, events, 256, -1);
        for (int index = 0; index < ready; index++)
            if (!go_on(events[index].data.ptr, times)) playing -= 1;
    }
}

int play(int port, const char *path, long rounds) {
    struct plan plan = plan_read(path);
    struct player *players = calloc(plan.connections, sizeof *players);
    struct times times = {0};
    for (size_t index = 0; index < plan.connections; index++) {
        players[index].list = &plan.lists[index];
        players[index].left = plan.lists[index].count * (size_t)rounds;
        connection_open(&players[index].connection, port, plan.connections == 1);
    }
    double cpu = cpu_seconds();
    uint64_t began = now_ns();
    run(players, plan.connections, &times);
    double seconds = (double)(now_ns() - began) / 1e9;
    cpu = cpu_seconds() - cpu;
    printf("{\"seconds\": %.6f, \"requests\": %zu, \"cpu\": %.6f, \"peak_kb\": %ld, ", seconds, times.count, cpu,
           peak_kilobytes());
    times_print(&times);
    puts("}");
    return 0;
}
