// The sizes of small blocks: multiples of 16 up to 128, from there four to each doubling.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { size_class_count = 40, linear_classes = 8 };
static const size_t largest_small = 32 * 1024;

static inline size_t size_of_class(unsigned class) {
    if (class < linear_classes) return 16 * ((size_t)class + 1);
    unsigned step = class - linear_classes;
    return ((size_t)5 + step % 4) << (step / 4 + 5);
}

// Of the smallest that holds so many bytes.
static inline unsigned class_of_size(size_t bytes) {
    if (bytes <= 128) return bytes == 0 ? 0 : (unsigned)((bytes - 1) >> 4);
    unsigned doubling = 63 - (unsigned)__builtin_clzl(bytes - 1);
    return linear_classes + (doubling - 7) * 4 + (unsigned)((bytes - 1) >> (doubling - 2) & 3);
}

// How many blocks of a class a thread keeps to itself.
static inline unsigned most_cached(size_t size) {
    size_t count = 2048 / size;
    return count > 16 ? 16 : count < 1 ? 1 : (unsigned)count;
}
