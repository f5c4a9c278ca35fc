#include "large_runs.h"
#include <pthread.h>
#include <string.h>

enum { most_kept = 4 };
static const size_t most_kept_bytes = 64 * 1024;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// The oldest first.
static struct span *kept[most_kept];
static unsigned kept_count;

void large_lock(void) { pthread_mutex_lock(&lock); }
void large_unlock(void) { pthread_mutex_unlock(&lock); }

static struct span *remove_kept(unsigned index) {
    struct span *span = kept[index];
    span->kind = span_large;
    kept_count--;
    memmove(&kept[index], &kept[index + 1], (kept_count - index) * sizeof kept[0]);
    return span;
}

// One that fits without wasting more than as much again.
static struct span *take_kept(size_t bytes) {
    for (unsigned index = kept_count; index-- > 0;)
        if (kept[index]->bytes >= bytes && kept[index]->bytes <= bytes * 2) return remove_kept(index);
    return NULL;
}

struct span *large_take(size_t bytes, size_t alignment) {
    if (bytes <= most_kept_bytes && alignment <= span_bytes) {
        large_lock();
        struct span *span = take_kept(bytes);
        large_unlock();
        if (span) return span;
    }
    return arena_take(bytes, alignment, span_large);
}

void large_give_back(struct span *span) {
    if (span->bytes > most_kept_bytes) {
        arena_give_back(span);
        return;
    }
    memset(arena_address(span), 0, span->bytes);
    large_lock();
    struct span *oldest = kept_count == most_kept ? remove_kept(0) : NULL;
    span->kind = span_kept;
    kept[kept_count++] = span;
    large_unlock();
    if (oldest) arena_give_back(oldest);
}
