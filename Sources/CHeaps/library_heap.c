#include "library_heap.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_memalign(size_t alignment, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
size_t __real_malloc_usable_size(void *block);

// Up to this many bytes glibc keeps blocks for a thread, which its calloc does not use.
static const size_t most_kept_for_threads = 1032;

// What follows a block of media: rows beyond the picture. The larger it is the fewer pictures end here.
static const size_t fewest_following = 1024, most_following = 128 * 1024;

static const size_t fewest_by_pages = 64 * 1024;

static size_t media_tail(size_t bytes) {
    if (bytes < 64) return 16;
    return bytes < fewest_following ? fewest_following : bytes > most_following ? most_following : bytes;
}

// What follows others: the width of a vector register, where there may be media in it.
static size_t tail(size_t bytes) { return bytes < 512 ? 0 : 64; }

static int sum_overflows(size_t bytes, size_t following, size_t *sum) {
    if (!__builtin_add_overflow(bytes, following, sum) && *sum <= PTRDIFF_MAX) return 0;
    errno = ENOMEM;
    return 1;
}

// glibc's malloc_chunk has the flag IS_MMAPPED before a block that is a mapping of its own, and so zeros.
static int is_mapping(const void *block) { return (((const size_t *)block)[-1] & 2) != 0; }

void *library_allocate(size_t bytes) {
    size_t whole;
    if (sum_overflows(bytes, tail(bytes), &whole)) return NULL;
    // Knows memory that was never used.
    if (whole > most_kept_for_threads) return __libc_calloc(1, whole);
    void *block = __libc_malloc(whole);
    return block ? memset(block, 0, __real_malloc_usable_size(block)) : NULL;
}

// Whole pages of a large block are taken anew from the system, which are no memory before they are used:
// the tail never is.
static void zero(char *start, size_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *end = start + bytes;
    char *first = (char *)(((uintptr_t)start + page - 1) & ~(page - 1)), *last = (char *)((uintptr_t)end & ~(page - 1));
    if (bytes < fewest_by_pages || first >= last || madvise(first, (size_t)(last - first), MADV_DONTNEED) != 0) {
        memset(start, 0, bytes);
        return;
    }
    memset(start, 0, (size_t)(first - start));
    memset(last, 0, (size_t)(end - last));
}

void *library_allocate_aligned(size_t alignment, size_t bytes) {
    size_t whole;
    if (sum_overflows(bytes, media_tail(bytes), &whole)) return NULL;
    void *block = __libc_memalign(alignment, whole);
    if (block && !is_mapping(block)) zero(block, __real_malloc_usable_size(block));
    return block;
}

void *library_resize(void *block, size_t bytes) {
    size_t whole, before = __real_malloc_usable_size(block);
    if (sum_overflows(bytes, tail(bytes), &whole)) return NULL;
    char *resized = __libc_realloc(block, whole);
    if (!resized) return NULL;
    if (bytes > before && !is_mapping(resized)) memset(resized + before, 0, bytes - before);
    memset(resized + bytes, 0, __real_malloc_usable_size(resized) - bytes);
    return resized;
}
