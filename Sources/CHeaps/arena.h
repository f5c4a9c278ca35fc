// The address range of the program's heap, divided into spans. No part of it can be read or written
// but those that were taken; so its ends, what is free, and the rest of a run's last span are guards.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { span_shift = 16 };
static const size_t span_bytes = (size_t)1 << span_shift;

// Kept: a large one that was freed, wiped, and not given back yet.
enum span_kind { span_free, span_small, span_large, span_kept };

// Of a run of spans; kept at its first.
struct span {
    uint32_t length;
    uint8_t kind;
    uint8_t size_class;
    // Blocks given out; and how many were ever.
    uint16_t used, carved;
    // Bytes that can be used.
    size_t bytes;
    // Blocks that came back.
    void *blocks;
    // Among the spans of its class that have blocks to give.
    struct span *next, *previous;
};

// A power of two, and `arena_start` is a multiple of it. Before the arena is there no address is in it.
extern uintptr_t arena_start;
extern size_t arena_bytes;

static inline bool arena_has(const void *address) { return (uintptr_t)address - arena_start < arena_bytes; }

void arena_reserve(void);

// At least `bytes` of zeros, followed by a guard when `kind` is large. NULL: there is no more memory.
struct span *arena_take(size_t bytes, size_t alignment, enum span_kind kind);
// What was in it is gone with it.
void arena_give_back(struct span *span);

struct span *arena_span_at(const void *address);
void *arena_address(const struct span *span);
size_t arena_accessible(void);

void arena_lock(void);
void arena_unlock(void);
_Noreturn void heap_fail(const char *why);
