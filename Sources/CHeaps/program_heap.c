#include "program_heap.h"
#include "arena.h"
#include "large_runs.h"
#include "size_classes.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

struct size_class {
    pthread_mutex_t lock;
    // Those with blocks to give.
    struct span *available;
};

static struct size_class classes[size_class_count];

enum cache_state { cache_new, cache_ready, cache_ended };

struct thread_cache {
    void *blocks[size_class_count];
    uint8_t counts[size_class_count];
    uint8_t state;
};

static __thread struct thread_cache cache;
static pthread_key_t cache_key;
static uint8_t cache_limits[size_class_count];

// MARK: Spans of a class, under its lock

static void link_span(struct size_class *class, struct span *span) {
    span->previous = NULL;
    span->next = class->available;
    if (span->next) span->next->previous = span;
    class->available = span;
}

static void unlink_span(struct size_class *class, struct span *span) {
    if (span->previous) span->previous->next = span->next; else class->available = span->next;
    if (span->next) span->next->previous = span->previous;
}

static bool can_give(const struct span *span, size_t size) {
    return span->blocks || (span->carved + (size_t)1) * size <= span_bytes;
}

static void *take_block(struct size_class *class, unsigned index) {
    size_t size = size_of_class(index);
    struct span *span = class->available;
    if (!span) {
        span = arena_take(span_bytes, 0, span_small);
        if (!span) return NULL;
        span->size_class = (uint8_t)index;
        link_span(class, span);
    }
    void *block = span->blocks;
    if (block) span->blocks = *(void **)block;
    else block = (char *)arena_address(span) + size * span->carved++;
    span->used++;
    if (!can_give(span, size)) unlink_span(class, span);
    return block;
}

static void return_block(struct size_class *class, void *block) {
    struct span *span = arena_span_at(block);
    if (!can_give(span, size_of_class(span->size_class))) link_span(class, span);
    *(void **)block = span->blocks;
    span->blocks = block;
    span->used--;
    // One stays: the next block would take it again.
    if (span->used > 0 || (class->available == span && !span->next)) return;
    unlink_span(class, span);
    arena_give_back(span);
}

// MARK: Caches

static void shrink_cache(unsigned index, unsigned count) {
    struct size_class *class = &classes[index];
    pthread_mutex_lock(&class->lock);
    while (cache.counts[index] > count) {
        void *block = cache.blocks[index];
        cache.blocks[index] = *(void **)block;
        cache.counts[index]--;
        return_block(class, block);
    }
    pthread_mutex_unlock(&class->lock);
}

// A block for the caller; half of what the cache may hold for the next.
static void *refill(unsigned index) {
    struct size_class *class = &classes[index];
    unsigned wanted = cache.state == cache_ready ? cache_limits[index] / 2 : 0;
    pthread_mutex_lock(&class->lock);
    void *taken = take_block(class, index);
    for (unsigned count = 0; taken && count < wanted; count++) {
        void *block = take_block(class, index);
        if (!block) break;
        *(void **)block = cache.blocks[index];
        cache.blocks[index] = block;
        cache.counts[index]++;
    }
    pthread_mutex_unlock(&class->lock);
    return taken;
}

// What a thread's later destructors free goes past its cache.
static void end_cache(void *unused) {
    (void)unused;
    cache.state = cache_ended;
    for (unsigned index = 0; index < size_class_count; index++) shrink_cache(index, 0);
}

// MARK: Beginnings

static void before_fork(void) {
    for (unsigned index = 0; index < size_class_count; index++) pthread_mutex_lock(&classes[index].lock);
    large_lock();
    arena_lock();
}

static void after_fork(void) {
    arena_unlock();
    large_unlock();
    for (unsigned index = size_class_count; index-- > 0;) pthread_mutex_unlock(&classes[index].lock);
}

static void begin(void) {
    arena_reserve();
    for (unsigned index = 0; index < size_class_count; index++) {
        pthread_mutex_init(&classes[index].lock, NULL);
        cache_limits[index] = (uint8_t)most_cached(size_of_class(index));
    }
    if (pthread_key_create(&cache_key, end_cache) != 0) heap_fail("no key for its threads");
    pthread_atfork(before_fork, after_fork, after_fork);
}

// The first call of a thread.
static void begin_cache(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
    // A thread that ends without having been told of would leave its blocks behind: it has no cache.
    cache.state = pthread_setspecific(cache_key, &cache) == 0 ? cache_ready : cache_ended;
}

// MARK: Blocks

static void *allocate_small(unsigned index) {
    void *block = cache.blocks[index];
    if (__builtin_expect(block != NULL, 1)) {
        cache.blocks[index] = *(void **)block;
        cache.counts[index]--;
    } else {
        if (cache.state == cache_new) begin_cache();
        block = refill(index);
        if (!block) { errno = ENOMEM; return NULL; }
    }
    *(void **)block = NULL;
    return block;
}

static void *allocate_large(size_t bytes, size_t alignment) {
    if (cache.state == cache_new) begin_cache();
    struct span *span = large_take(bytes, alignment);
    if (!span) { errno = ENOMEM; return NULL; }
    return arena_address(span);
}

void *program_allocate(size_t bytes) {
    return bytes <= largest_small ? allocate_small(class_of_size(bytes)) : allocate_large(bytes, 0);
}

// Blocks whose size is a multiple of the alignment are aligned, as spans are.
void *program_allocate_aligned(size_t alignment, size_t bytes) {
    if (bytes <= largest_small && alignment <= largest_small) {
        unsigned index = class_of_size(bytes < alignment ? alignment : bytes);
        while (size_of_class(index) & (alignment - 1)) index++;
        return allocate_small(index);
    }
    return allocate_large(bytes, alignment);
}

static void wipe(void *block, size_t bytes) {
    if (bytes > 128) {
        memset(block, 0, bytes);
        return;
    }
    // A call takes longer; the compiler is kept from making one of this.
    for (size_t offset = 0; offset < bytes; offset += 16) {
        memset((char *)block + offset, 0, 16);
        __asm__ volatile("" ::: "memory");
    }
}

static void free_large(struct span *span, const void *block) {
    if (span->kind != span_large || block != arena_address(span)) heap_fail("what is freed was not allocated");
    int before = errno;
    large_give_back(span);
    errno = before;
}

void program_free(void *block) {
    struct span *span = arena_span_at(block);
    if (__builtin_expect(span->kind != span_small, 0)) {
        free_large(span, block);
        return;
    }
    unsigned index = span->size_class;
    wipe(block, size_of_class(index));
    if (__builtin_expect(cache.state != cache_ready, 0)) {
        if (cache.state == cache_new) begin_cache();
        if (cache.state == cache_ended) {
            pthread_mutex_lock(&classes[index].lock);
            return_block(&classes[index], block);
            pthread_mutex_unlock(&classes[index].lock);
            return;
        }
    }
    *(void **)block = cache.blocks[index];
    cache.blocks[index] = block;
    if (++cache.counts[index] > cache_limits[index]) shrink_cache(index, cache_limits[index] / 2);
}

size_t program_usable(const void *block) {
    struct span *span = arena_span_at(block);
    return span->kind == span_large ? span->bytes : size_of_class(span->size_class);
}

void *program_resize(void *block, size_t bytes) {
    size_t usable = program_usable(block);
    if (bytes <= usable && bytes >= usable / 2) return block;
    void *resized = program_allocate(bytes);
    if (!resized) return NULL;
    memcpy(resized, block, bytes < usable ? bytes : usable);
    program_free(block);
    return resized;
}
