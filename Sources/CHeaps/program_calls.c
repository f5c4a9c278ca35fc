// What `--wrap` makes of the program's own calls: malloc is __wrap_malloc here, and in every object
// and archive that is linked into it. Memory that a library allocated goes back to the C library.
#include "CHeaps.h"
#include "arena.h"
#include "library_heap.h"
#include "program_heap.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t __real_malloc_usable_size(void *block);

void *__wrap_malloc(size_t bytes) { return program_allocate(bytes); }

void *__wrap_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    // They are zeros.
    return program_allocate(bytes);
}

void __wrap_free(void *block) {
    if (arena_has(block)) program_free(block); else library_free(block);
}

void *__wrap_realloc(void *block, size_t bytes) {
    if (!block) return program_allocate(bytes);
    if (!arena_has(block)) return library_resize(block, bytes);
    if (bytes > 0) return program_resize(block, bytes);
    __wrap_free(block);
    return NULL;
}

void *__wrap_reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (!__builtin_mul_overflow(count, size, &bytes)) return __wrap_realloc(block, bytes);
    errno = ENOMEM;
    return NULL;
}

static int is_power_of_two(size_t value) { return value && !(value & (value - 1)); }

int __wrap_posix_memalign(void **block, size_t alignment, size_t bytes) {
    if (!is_power_of_two(alignment) || alignment % sizeof(void *)) return EINVAL;
    int before = errno;
    void *allocated = program_allocate_aligned(alignment, bytes);
    errno = before;
    if (!allocated) return ENOMEM;
    *block = allocated;
    return 0;
}

void *__wrap_memalign(size_t alignment, size_t bytes) {
    if (is_power_of_two(alignment)) return program_allocate_aligned(alignment, bytes);
    errno = EINVAL;
    return NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) { return __wrap_memalign(alignment, bytes); }

void *__wrap_valloc(size_t bytes) { return program_allocate_aligned((size_t)sysconf(_SC_PAGESIZE), bytes); }

void *__wrap_pvalloc(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return program_allocate_aligned(page, bytes + (page - bytes % page) % page);
}

size_t __wrap_malloc_usable_size(void *block) {
    if (!block) return 0;
    return arena_has(block) ? program_usable(block) : __real_malloc_usable_size(block);
}

// The C library's would allocate from the libraries' heap.
char *__wrap_strndup(const char *text, size_t most) {
    size_t length = strnlen(text, most);
    char *copy = program_allocate(length + 1);
    // The byte after it is zero.
    return copy ? memcpy(copy, text, length) : NULL;
}

char *__wrap_strdup(const char *text) { return __wrap_strndup(text, SIZE_MAX - 1); }

bool cheaps_is_programs(const void *address) { return arena_has(address); }

bool cheaps_is_in_place(void) {
    void *volatile block = malloc(1);
    bool is_ours = arena_has(block);
    free(block);
    return is_ours;
}

cheaps_extent cheaps_program_extent(void) {
    return (cheaps_extent){(const void *)arena_start, arena_bytes, arena_accessible()};
}
