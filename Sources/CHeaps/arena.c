#include "arena.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "the arena is reserved in a 64-bit address space");

// Address space only; more than any bound of an encoder's memory.
static const size_t most_bytes = (size_t)16 << 30, fewest_bytes = (size_t)256 << 20;

uintptr_t arena_start = UINTPTR_MAX;
size_t arena_bytes = 0;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t page_bytes;
static struct span *spans;
// Accessible bytes of `spans`.
static size_t table_bytes;
// The first span that can be taken; the first that never was; a lower bound of what is free.
static size_t first, end, lowest;
static size_t accessible;

void heap_fail(const char *why) {
    static const char before[] = "the program's heap: ";
    (void)!write(STDERR_FILENO, before, sizeof before - 1);
    (void)!write(STDERR_FILENO, why, strlen(why));
    (void)!write(STDERR_FILENO, "\n", 1);
    abort();
}

static size_t rounded(size_t bytes, size_t unit) { return (bytes + unit - 1) & ~(unit - 1); }

// Twice the size holds a piece that is a multiple of it; the rest goes back.
static bool reserve(size_t bytes) {
    char *all = mmap(NULL, bytes * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return false;
    uintptr_t start = rounded((uintptr_t)all, bytes);
    size_t before = start - (uintptr_t)all;
    if (before > 0) munmap(all, before);
    munmap((char *)start + bytes, bytes - before);
    // Huge pages would cost each of many processes two megabytes; core dumps would keep what is wiped.
    madvise((void *)start, bytes, MADV_NOHUGEPAGE);
    madvise((void *)start, bytes, MADV_DONTDUMP);
    arena_start = start;
    arena_bytes = bytes;
    return true;
}

void arena_reserve(void) {
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    if (page_bytes > span_bytes) heap_fail("pages are larger than its spans");
    size_t bytes = most_bytes;
    while (!reserve(bytes))
        if ((bytes /= 2) < fewest_bytes) heap_fail("no address space can be reserved");
    spans = (struct span *)arena_start;
    // The table, and a span that stays a guard behind it.
    first = rounded((arena_bytes >> span_shift) * sizeof(struct span), span_bytes) / span_bytes + 1;
    end = lowest = first;
}

void arena_lock(void) { pthread_mutex_lock(&lock); }
void arena_unlock(void) { pthread_mutex_unlock(&lock); }

static void *address(size_t index) { return (void *)(arena_start + (index << span_shift)); }

void *arena_address(const struct span *span) { return address((size_t)(span - spans)); }

struct span *arena_span_at(const void *pointer) { return &spans[((uintptr_t)pointer - arena_start) >> span_shift]; }

size_t arena_accessible(void) { return __atomic_load_n(&accessible, __ATOMIC_RELAXED); }

static bool open_pages(void *start, size_t bytes) {
    if (mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0) return false;
    __atomic_add_fetch(&accessible, bytes, __ATOMIC_RELAXED);
    return true;
}

// Mapped anew: its memory is the system's again and counts for no limit.
static void close_pages(void *start, size_t bytes) {
    void *again = mmap(start, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (again == MAP_FAILED) {
        // No more mappings can be had: the pages stay, as zeros.
        if (madvise(start, bytes, MADV_DONTNEED) != 0) memset(start, 0, bytes);
        mprotect(start, bytes, PROT_NONE);
    } else {
        madvise(start, bytes, MADV_NOHUGEPAGE);
        madvise(start, bytes, MADV_DONTDUMP);
    }
    __atomic_sub_fetch(&accessible, bytes, __ATOMIC_RELAXED);
}

// The table's entries before `count` can be used.
static bool extend_table(size_t count) {
    size_t wanted = rounded(count * sizeof(struct span), page_bytes);
    if (wanted <= table_bytes) return true;
    if (!open_pages((char *)spans + table_bytes, wanted - table_bytes)) return false;
    table_bytes = wanted;
    return true;
}

static void set_free(size_t index, size_t length) {
    if (length == 0) return;
    spans[index].length = (uint32_t)length;
    spans[index].kind = span_free;
}

// Free runs that follow each other are one.
static size_t merged_length(size_t index) {
    size_t length = spans[index].length;
    while (index + length < end && spans[index + length].kind == span_free) length += spans[index + length].length;
    spans[index].length = (uint32_t)length;
    return length;
}

// Of the spans that were used before; 0: none will do.
static size_t find_free(size_t count, size_t alignment) {
    bool has_seen_free = false;
    for (size_t index = lowest; index < end; index += spans[index].length) {
        if (spans[index].kind != span_free) continue;
        if (!has_seen_free) lowest = index;
        has_seen_free = true;
        size_t length = merged_length(index), start = rounded(index, alignment);
        if (start + count > index + length) continue;
        set_free(index, start - index);
        set_free(start + count, index + length - start - count);
        return start;
    }
    if (!has_seen_free) lowest = end;
    return 0;
}

static size_t find_fresh(size_t count, size_t alignment) {
    size_t start = rounded(end, alignment);
    // The last span stays a guard.
    if (start + count >= arena_bytes >> span_shift || !extend_table(start + count)) return 0;
    set_free(end, start - end);
    end = start + count;
    return start;
}

struct span *arena_take(size_t bytes, size_t alignment, enum span_kind kind) {
    if (bytes > arena_bytes || alignment > arena_bytes) return NULL;
    size_t usable = rounded(bytes, page_bytes);
    size_t count = rounded(usable + (kind == span_large ? page_bytes : 0), span_bytes) >> span_shift;
    size_t aligned = alignment > span_bytes ? alignment >> span_shift : 1;
    arena_lock();
    size_t index = find_free(count, aligned);
    if (index == 0) index = find_fresh(count, aligned);
    struct span *taken = index == 0 ? NULL : &spans[index];
    if (taken) {
        *taken = (struct span){.length = (uint32_t)count, .kind = (uint8_t)kind, .bytes = usable};
        if (!open_pages(address(index), usable)) {
            set_free(index, count);
            if (index < lowest) lowest = index;
            taken = NULL;
        }
    }
    arena_unlock();
    return taken;
}

void arena_give_back(struct span *span) {
    arena_lock();
    size_t index = (size_t)(span - spans);
    close_pages(address(index), span->bytes);
    set_free(index, span->length);
    if (index < lowest) lowest = index;
    arena_unlock();
}
