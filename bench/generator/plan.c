#include "generator.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void append(struct plan *plan, uint32_t connection, struct request request) {
    while (plan->connections <= connection) {
        plan->lists = realloc(plan->lists, (plan->connections + 1) * sizeof *plan->lists);
        plan->lists[plan->connections++] = (struct playlist){0};
    }
    struct playlist *list = &plan->lists[connection];
    // Grown at each power of two.
    if ((list->count & (list->count - 1)) == 0)
        list->requests = realloc(list->requests, (list->count ? list->count * 2 : 1) * sizeof request);
    list->requests[list->count++] = request;
}

struct reader {
    const char *bytes;
    size_t size, at;
};

static const char *take(struct reader *reader, size_t count) {
    if (reader->size - reader->at < count) die_because("the plan is cut short", "", 0);
    reader->at += count;
    return reader->bytes + reader->at - count;
}

static uint32_t take_number(struct reader *reader) {
    uint32_t number;
    memcpy(&number, take(reader, sizeof number), sizeof number);
    return number;
}

static struct reader map(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) die(path);
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED) die("mmap of the plan");
    close(fd);
    return (struct reader){bytes, (size_t)status.st_size, 0};
}

struct plan plan_read(const char *path) {
    struct reader reader = map(path);
    uint32_t count = take_number(&reader);
    struct request *bodies = calloc(count + 1, sizeof *bodies);
    for (uint32_t index = 0; index < count; index++) {
        bodies[index].body_length = take_number(&reader);
        bodies[index].body = take(&reader, bodies[index].body_length);
    }
    struct plan plan = {0};
    while (reader.at < reader.size) {
        uint32_t connection = take_number(&reader), body = take_number(&reader);
        if (body >= count) die_because("the plan names a body that is not in it", path, strlen(path));
        struct request request = bodies[body];
        request.head_length = take_number(&reader);
        request.head = take(&reader, request.head_length);
        append(&plan, connection, request);
    }
    if (plan.connections == 0) die_because("the plan is empty", path, strlen(path));
    free(bodies);
    return plan;
}
