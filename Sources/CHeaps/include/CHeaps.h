// Two heaps in one process. What the program itself allocates, Swift's runtime within it, lies in
// pages of their own, apart from all others and wiped when freed. The libraries keep the C library's
// heap, whose every block starts as zeros and ends in some. The linker sends the program's calls of
// malloc and its kin to the first (`--wrap`), and the libraries' to the second (they are exported).
#pragma once
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

// Whether an address lies in the program's heap.
bool cheaps_is_programs(const void *address);

// Whether the linker did as Package.swift says: whether this program's malloc is the first heap's.
bool cheaps_is_in_place(void);

// Where the program's heap lies, and how many of its bytes can be read and written now.
typedef struct {
    const void *start;
    size_t reserved;
    size_t accessible;
} cheaps_extent;
cheaps_extent cheaps_program_extent(void);
