// The least that a server with a process for each writer can do: each process reads a request, writes its
// body to a file and sends a fixed answer of a receipt's length. Three system calls a request and no more; two for each
// piece of a body that has no length.
#define _GNU_SOURCE
#include "generator.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char receipt[] =
    "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nX-Request-Id: 0123456789abc-1234\r\n"
    "Content-Type: application/json\r\nUpload-Offset: 123456\r\nContent-Length: 104\r\n\r\n"
    "{\"frames\":320,\"offset\":123456,\"pts\":{\"start\":1.02,\"end\":1.04},\"frames_encoded\":12345,"
    "\"bytes_written\":10}";

// A body without a length: each piece is written as it comes, framing and all, up to the last chunk.
static void take_body(int fd, int file, char *in, size_t size) {
    ssize_t count;
    while ((count = recv(fd, in, size, 0)) > 0) {
        if (write(file, in, (size_t)count) < 0) die("write");
        if (count >= 5 && memcmp(in + count - 5, "0\r\n\r\n", 5) == 0) return;
    }
}

static void serve(int fd, int file) {
    static char in[65536];
    size_t have = 0;
    ssize_t count;
    while ((count = recv(fd, in + have, sizeof in - have, 0)) > 0) {
        have += (size_t)count;
        size_t length = message_length(in, have, false);
        if (length == 0 || length > have) {
            if (have == sizeof in) die("a request that is longer than the buffer");
            continue;
        }
        const char *body = (const char *)memmem(in, length, "\r\n\r\n", 4) + 4;
        if (memmem(in, length, "chunked", 7) != NULL) take_body(fd, file, in, sizeof in);
        else if (write(file, body, length - (size_t)(body - in)) < 0) die("write");
        if (send(fd, receipt, sizeof receipt - 1, MSG_NOSIGNAL) != sizeof receipt - 1) die("send");
        have = 0;
    }
}

int forked(const char *folder) {
    int listener = listen_on_loopback(), fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            close(listener);
            int file = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
            if (file < 0) die("open");
            serve(fd, file);
            _exit(0);
        }
        close(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
    }
    die("accept");
}
