// The libraries' heap: the C library's own. libav, its filters and codecs read what they never wrote,
// and beyond the ends of blocks: so a block begins as zeros and ends in zeros of its own.
#pragma once
#include <stddef.h>

void *library_allocate(size_t bytes);
// Where media are: ends in as many zeros again, within bounds.
void *library_allocate_aligned(size_t alignment, size_t bytes);
void *library_resize(void *block, size_t bytes);

void __libc_free(void *block);
static inline void library_free(void *block) { __libc_free(block); }
