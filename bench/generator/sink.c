// The least that an HTTP server can do: finds each request's end and answers 204.
// What `play` and `paced` reach against it is what they can do at most.
#define _GNU_SOURCE
#include "generator.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    int fd;
    size_t have;
    // Bytes of the request's body that are still to come.
    size_t body_left;
    char in[65536];
};

static void answer(int fd) {
    static const char text[] = "HTTP/1.1 204 No Content\r\n\r\n";
    if (send(fd, text, sizeof text - 1, 0) != sizeof text - 1) die("send");
}

static void take(struct peer *peer, size_t count) {
    if (peer->body_left > 0) {
        peer->body_left -= count;
        if (peer->body_left == 0) answer(peer->fd);
        return;
    }
    peer->have += count;
    size_t length = message_length(peer->in, peer->have, false);
    if (length == 0) return;
    if (length > peer->have) {
        peer->body_left = length - peer->have;
    } else {
        answer(peer->fd);
    }
    peer->have = 0;
}

// False once the peer has closed.
static bool receive(struct peer *peer) {
    ssize_t count = recv(peer->fd, peer->in + peer->have, sizeof peer->in - peer->have, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (count <= 0) return false;
    take(peer, (size_t)count);
    return true;
}

static void admit(int poll, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), yes = 1;
    if (fd < 0) die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct peer *peer = calloc(1, sizeof *peer);
    peer->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

int sink(void) {
    int listener = listen_on_loopback(), poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256], listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &listening) != 0) die("epoll_ctl");
    for (;;) {
        int ready = epoll_wait(poll, events, 256, -1);
        for (int index = 0; index < ready; index++) {
            struct peer *peer = events[index].data.ptr;
            if (peer == NULL) {
                admit(poll, listener);
            } else if (!receive(peer)) {
                close(peer->fd);
                free(peer);
            }
        }
    }
}
