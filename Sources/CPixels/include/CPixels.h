// Pictures of 8-bit RGB and gray as YUV of the same size, bit for bit as libswscale makes them with SWS_BICUBIC and
// no other flag: in one pass over memory, a few rows at a time. Which of libswscale's ways of rounding it is
// follows from the processor and the release; who uses this tries which one it is, and whether it is any.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    // From one pixel to the next: 3 or 4 where pixels are packed, 1 where red, green and blue are planes, 0 for gray.
    int pixel_bytes;
    // The byte of a pixel, or the plane.
    int red, green, blue;
} cpixels_source;

typedef struct {
    // How many times chroma is halved in each direction: 0 or 1.
    int chroma_shift_x, chroma_shift_y;
    // U and V take turns in one plane.
    bool is_interleaved;
} cpixels_target;

// Where what libswscale computes depends on the code that it chose.
typedef enum {
    // Chroma of the rows of a picture is summed as it should be.
    cpixels_rule_exact,
    // Of each product only the upper half is summed, but for the last row.
    cpixels_rule_high_halves,
    // Chroma is that of the first of four pixels, and nothing is rounded.
    cpixels_rule_first_pixel,
    // The same for the first two rows and the last; between them chroma is that of the four's average, rounded up twice.
    cpixels_rule_average,
    // Chroma is that of the four's mean, and nothing is rounded.
    cpixels_rule_mean,
    // Gray stays as it is.
    cpixels_rule_copy,
} cpixels_rule;

typedef enum {
    cpixels_plain,
    cpixels_ssse3,
    cpixels_avx2,
    cpixels_neon,
} cpixels_instructions;

typedef struct {
    cpixels_source source;
    cpixels_target target;
    int width, height;
    // Of what comes out.
    bool is_full_range;
    // As sws_getCoefficients gives them.
    int32_t matrix[4];
    cpixels_rule rule;
    cpixels_instructions instructions;
} cpixels_plan;

typedef struct cpixels_converter cpixels_converter;

// Whether this processor has them, and this build the code.
bool cpixels_has(cpixels_instructions instructions);
// The fastest that it has.
cpixels_instructions cpixels_best(void);

// How much memory a converter takes: a few rows, and what they are summed with.
size_t cpixels_bytes(const cpixels_plan *plan);

// Makes a converter in the caller's memory, which begins at a multiple of 64 and is its own until the last call.
// NULL: this is not computed here.
cpixels_converter *cpixels_prepare(const cpixels_plan *plan, void *memory);

// Converts a picture. As libswscale does, it reads a little after each row: the pixel after the last where the width is odd
// and chroma is halved, and up to 4 bytes. One thread at a time.
void cpixels_convert(
    cpixels_converter *converter, const uint8_t *const source[3], const int source_stride[3], uint8_t *const target[3],
    const int target_stride[3]);
