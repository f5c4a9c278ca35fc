#if defined(__x86_64__)
#include "rows.h"
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("ssse3"))), apply_to = function)

#define V __m128i
#define LANES 1
#define OF(operation) _mm_##operation
#define BITS(operation) _mm_##operation##_si128
#define LOAD(address) _mm_loadu_si128((const __m128i *)(address))
#define STORE(address, vector) _mm_storeu_si128((__m128i *)(address), vector)
#define LOAD_LANES(address, step) LOAD(address)
#define REPEATED(vector) (vector)
#define FLOATS(a, b, which) _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), which))
// Words, of which a lane has the first eight of its sixteen in one vector and the others in the next.
#define STORE_HALVES(address, first, second) (STORE(address, first), STORE((address) + 8, second))
// Bytes of words that lay beside each other, eight of each in turns, as the words lay.
#define ORDERED(vector) (vector)
// Eight bytes of each lane to one place, the other eight to another.
#define STORE_BYTES(first, second, vector) \
    (_mm_storel_epi64((__m128i *)(first), vector), _mm_storel_epi64((__m128i *)(second), _mm_srli_si128(vector, 8)))
#define NAME cpixels_ssse3_rows
#include "rows_x86.h"

#pragma clang attribute pop
#endif
