// The program's heap: blocks of some sizes in spans of one size each, with a cache for every thread;
// larger ones in runs of their own. Every free block is zeros, but for the link of its list.
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *program_allocate(size_t bytes);
void *program_allocate_aligned(size_t alignment, size_t bytes);
void *program_resize(void *block, size_t bytes);
// Wipes it. Of the program's heap only.
void program_free(void *block);
size_t program_usable(const void *block);
