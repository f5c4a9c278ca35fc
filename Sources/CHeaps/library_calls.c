// malloc and its kin for every shared library of the process: exported, they stand before the C
// library's. A library may also be given memory of the program's, and free or resize it. (It is not to
// ask how large it is: malloc_usable_size stays the C library's.)
#include "arena.h"
#include "library_heap.h"
#include "program_heap.h"
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default"), used))

EXPORTED const char cheaps_zeroes_libraries_memory = 1;

EXPORTED void *malloc(size_t bytes) { return library_allocate(bytes); }

EXPORTED void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (!__builtin_mul_overflow(count, size, &bytes)) return library_allocate(bytes);
    errno = ENOMEM;
    return NULL;
}

EXPORTED void free(void *block) {
    if (arena_has(block)) program_free(block); else library_free(block);
}

EXPORTED void *realloc(void *block, size_t bytes) {
    if (!block) return library_allocate(bytes);
    if (bytes > 0) return arena_has(block) ? program_resize(block, bytes) : library_resize(block, bytes);
    free(block);
    return NULL;
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t bytes) {
    if (!alignment || alignment & (alignment - 1) || alignment % sizeof(void *)) return EINVAL;
    int before = errno;
    void *allocated = library_allocate_aligned(alignment, bytes);
    errno = before;
    if (!allocated) return ENOMEM;
    *block = allocated;
    return 0;
}

EXPORTED void *memalign(size_t alignment, size_t bytes) { return library_allocate_aligned(alignment, bytes); }
EXPORTED void *aligned_alloc(size_t alignment, size_t bytes) { return library_allocate_aligned(alignment, bytes); }
EXPORTED void *valloc(size_t bytes) { return library_allocate_aligned((size_t)sysconf(_SC_PAGESIZE), bytes); }

EXPORTED void *pvalloc(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole;
    if (!__builtin_add_overflow(bytes, page - 1, &whole)) return library_allocate_aligned(page, whole & ~(page - 1));
    errno = ENOMEM;
    return NULL;
}
