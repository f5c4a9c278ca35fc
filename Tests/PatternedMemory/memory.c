#include "PatternedMemory.h"

#include <alloca.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// glibc's own, under the names that nobody interposes.
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

// Bytes of guard before a block, and behind it and its tail: more than a few rows of the pictures that
// are tried.
enum { FRONT = 256, BACK = 4096, STACK = 128 * 1024 };

struct head {
    void *start;
    size_t size;
    uint8_t guard;
    size_t tail;
    uint32_t magic;
};

enum { MAGIC = 0x9e3779b9 };

static uint8_t block_fill, guard_fill;
static int has_tails, is_filling;
static uint64_t overruns;

static struct head *head_of(void *block) { return (struct head *)((char *)block - sizeof(struct head)); }

// As the heap of the encoders' libraries has them.
static size_t media_tail(size_t bytes) {
    if (!has_tails) return 0;
    if (bytes < 64) return 16;
    return bytes < 1024 ? 1024 : bytes > 128 * 1024 ? 128 * 1024 : bytes;
}

static size_t plain_tail(size_t bytes) { return !has_tails || bytes < 512 ? 0 : 64; }

// glibc's flag of a block that is a mapping of its own, so zeros, and gone when it is freed.
static int is_fresh_mapping(const void *start) { return (((const size_t *)start)[-1] & 2) != 0; }

static void *take(size_t alignment, size_t size, size_t tail, int is_zeroed) {
    if (size > PTRDIFF_MAX - (1 << 20) || alignment > (1 << 20)) {
        errno = ENOMEM;
        return NULL;
    }
    if (alignment < 16) alignment = 16;
    size_t front = alignment > FRONT ? alignment : FRONT;
    char *start = __libc_memalign(alignment, front + size + tail + BACK);
    if (!start) return NULL;
    char *block = start + front;
    memset(start, guard_fill, front);
    *head_of(block) = (struct head){start, size, guard_fill, tail, MAGIC};
    if (is_zeroed) memset(block, 0, size);
    else if (is_filling && !(block_fill == 0 && is_fresh_mapping(start))) memset(block, block_fill, size);
    memset(block + size, block_fill, tail);
    memset(block + size + tail, guard_fill, BACK);
    return block;
}

static int holds(const char *bytes, size_t count, uint8_t value) {
    return count == 0 || (bytes[0] == (char)value && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static void give_back(void *block) {
    struct head *head = head_of(block);
    if (head->magic != MAGIC) abort();
    // What is written to its tail is nobody else's.
    const char *end = (const char *)block + head->size + head->tail, *front = (const char *)block - FRONT;
    if (!holds(end, BACK, head->guard) || !holds(front, FRONT - sizeof(struct head), head->guard))
        __atomic_add_fetch(&overruns, 1, __ATOMIC_RELAXED);
    head->magic = 0;
    if (is_filling && !is_fresh_mapping(head->start)) memset(block, guard_fill, head->size);
    __libc_free(head->start);
}

void patterned_memory_fill(uint8_t block, int tails, uint8_t guard) {
    block_fill = block;
    has_tails = tails;
    guard_fill = guard;
    is_filling = 1;
}

uint64_t patterned_memory_overruns(void) { return __atomic_load_n(&overruns, __ATOMIC_RELAXED); }

__attribute__((noinline)) void patterned_stack_fill(uint8_t pattern) {
    volatile char *stack = alloca(STACK);
    memset((char *)stack, pattern, STACK);
    __asm__ volatile("" : : "r"(stack) : "memory");
}

void *malloc(size_t size) { return take(16, size, plain_tail(size), 0); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size, media_tail(size), 0); }
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size, media_tail(size), 0); }
void *valloc(size_t size) { return take((size_t)sysconf(_SC_PAGESIZE), size, media_tail(size), 0); }
void *pvalloc(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return valloc((size + page - 1) / page * page);
}
size_t malloc_usable_size(void *block) { return block ? head_of(block)->size : 0; }

int posix_memalign(void **block, size_t alignment, size_t size) {
    void *taken = take(alignment, size, media_tail(size), 0);
    if (!taken) return ENOMEM;
    *block = taken;
    return 0;
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(16, bytes, plain_tail(bytes), 1);
}

void free(void *block) {
    int number = errno;
    if (block) give_back(block);
    errno = number;
}

void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    void *larger = malloc(size);
    if (!larger) return NULL;
    size_t old = head_of(block)->size;
    memcpy(larger, block, old < size ? old : size);
    free(block);
    return larger;
}

void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}
