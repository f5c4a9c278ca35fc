#if defined(__x86_64__)
#include "rows.h"
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

#define V __m256i
#define LANES 2
#define OF(operation) _mm256_##operation
#define BITS(operation) _mm256_##operation##_si256
#define LOAD(address) _mm256_loadu_si256((const __m256i *)(address))
#define STORE(address, vector) _mm256_storeu_si256((__m256i *)(address), vector)
#define LOAD_LANES(address, step) _mm256_loadu2_m128i((const __m128i *)((address) + (step)), (const __m128i *)(address))
#define REPEATED(vector) _mm256_broadcastsi128_si256(vector)
#define FLOATS(a, b, which) _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), which))
// Words, of which a lane has the first eight of its sixteen in one vector and the others in the next.
#define STORE_HALVES(address, first, second)                                 \
    (STORE(address, _mm256_permute2x128_si256(first, second, 0x20)),         \
     STORE((address) + 16, _mm256_permute2x128_si256(first, second, 0x31)))
// Bytes of words that lay beside each other, eight of each in turns, as the words lay.
#define ORDERED(vector) _mm256_permute4x64_epi64(vector, 0xd8)
// Eight bytes of each lane to one place, the other eight to another.
#define STORE_BYTES(first, second, vector)                                                          \
    do {                                                                                            \
        __m256i parts = _mm256_permute4x64_epi64(vector, 0xd8);                                     \
        _mm_storeu_si128((__m128i *)(first), _mm256_castsi256_si128(parts));                        \
        _mm_storeu_si128((__m128i *)(second), _mm256_extracti128_si256(parts, 1));                  \
    } while (0)
#define NAME cpixels_avx2_rows
#include "rows_x86.h"

#pragma clang attribute pop
#endif
