#define _GNU_SOURCE
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

void connection_open(struct connection *connection, int port, bool blocking) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0) die("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!blocking && fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl");
    *connection = (struct connection){.fd = fd};
}

void connection_begin(struct connection *connection, const struct request *request) {
    connection->current = request;
    connection->sent = 0;
}

// What of the request is not sent yet, as one or two parts.
static int unsent(const struct connection *connection, struct iovec parts[2]) {
    const struct request *request = connection->current;
    size_t sent = connection->sent, body_sent = 0;
    int count = 0;
    if (sent < request->head_length) {
        parts[count++] = (struct iovec){(char *)request->head + sent, request->head_length - sent};
    } else {
        body_sent = sent - request->head_length;
    }
    if (body_sent < request->body_length)
        parts[count++] = (struct iovec){(char *)request->body + body_sent, request->body_length - body_sent};
    return count;
}

bool connection_send(struct connection *connection) {
    struct iovec parts[2];
    int count;
    while ((count = unsent(connection, parts)) > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(connection->fd, &message, 0);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return false;
        if (sent < 0) die("send");
        connection->sent += (size_t)sent;
    }
    return true;
}

bool connection_receive(struct connection *connection) {
    ssize_t count = recv(connection->fd, connection->in + connection->have, sizeof connection->in - connection->have, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count < 0) die("recv");
    if (count == 0) die_because("the server closed the connection", connection->in, connection->have);
    connection->have += (size_t)count;
    size_t length = message_length(connection->in, connection->have, true);
    if (length == 0) return false;
    if (connection->in[9] != '2') die_because("the server refused", connection->in, length);
    // One request at a time: nothing may follow its answer.
    if (length != connection->have) die_because("more came than one answer", connection->in, connection->have);
    connection->have = 0;
    return true;
}

static const char *field(const char *head, size_t length, const char *name) {
    size_t name_length = strlen(name);
    const char *line = head;
    while ((line = memmem(line, length - (size_t)(line - head), "\r\n", 2)) != NULL) {
        line += 2;
        if ((size_t)(head + length - line) < name_length) return NULL;
        if (strncasecmp(line, name, name_length) == 0) return line + name_length;
    }
    return NULL;
}

size_t message_length(const char *bytes, size_t have, bool is_answer) {
    const char *end = memmem(bytes, have, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - bytes) + 4;
    const char *content_length = field(bytes, head, "Content-Length:");
    if (content_length != NULL) {
        size_t length = head + strtoull(content_length, NULL, 10);
        return is_answer && length > have ? 0 : length;
    }
    bool has_no_body = !is_answer || strncmp(bytes + 9, "204", 3) == 0;
    if (!has_no_body) die_because("an answer without Content-Length", bytes, head);
    return head;
}
