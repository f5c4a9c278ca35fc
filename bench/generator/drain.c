// The limit of any receiver: bytes of a connection into one buffer, again and again, and nothing else.
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void receive_all(int fd, char *buffer, size_t size) {
    size_t at = 0;
    ssize_t count;
    while ((count = recv(fd, buffer + at, size - at, 0)) > 0) at = (at + (size_t)count) % size;
    if (count < 0) die("recv");
    if (send(fd, "!", 1, 0) != 1) die("send");
}

int drain(size_t size) {
    int listener = listen_on_loopback(), fd;
    char *buffer = malloc(size);
    if (buffer == NULL) die("malloc");
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        receive_all(fd, buffer, size);
        close(fd);
    }
    die("accept");
}
