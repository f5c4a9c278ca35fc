// What is done to a row, for each set of instructions.
#pragma once
#include "include/CPixels.h"
#include <assert.h>

// What rounds a sum is a multiple of this, so that one pixel's luma and chroma can have it as a fourth component: 160 * 104
// is half of 15 bits and of 9, and 160 * 26216 is 128 of 14 bits and half of 9.
enum { rounding_unit = 160, luma_rounding = 104, chroma_rounding = 26216 };

// What red, green and blue are multiplied with, and the unit of rounding.
struct weights {
    int16_t luma[4];
    // Of one pixel, or of the sum of two beside each other.
    int16_t u[4], v[4];
};

// Chroma between the steps: 15 bits, its zero at 1 << 14.
struct row_functions {
    // Of `width` pixels: luma, and chroma of each pixel (`all`) or of each two (`half`).
    void (*all)(
        const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
        int width, uint8_t *luma, int16_t *u, int16_t *v);
    void (*half)(
        const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
        int width, uint8_t *luma, int16_t *u, int16_t *v);
    // Nothing is rounded, and chroma is that of each second pixel; none where `u` is NULL. Width is even.
    void (*first)(
        const cpixels_source *source, const struct weights *weights, const uint8_t *const pixels[3], int width,
        uint8_t *luma, uint8_t *u, uint8_t *v);
    // Of two rows: chroma is that of four pixels' average, each average of two rounded up.
    void (*average)(
        const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3],
        const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v);
    // The same of their mean, cut; nothing is rounded.
    void (*mean)(
        const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3],
        const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v);
    void (*gray)(const uint8_t *pixels, int width, uint8_t *luma);
    // Rows to bytes: a row as it is, or the sum of several, each with its tap.
    void (*round)(const int16_t *row, int count, uint8_t *bytes);
    void (*sum)(const int16_t *const *rows, const int16_t *taps, int tap_count, int count, uint8_t *bytes);
    // `start`: what is added beforehand.
    void (*sum_high)(const int16_t *const *rows, const int16_t *taps, int tap_count, int start, int count, uint8_t *bytes);
    void (*interleave)(const uint8_t *u, const uint8_t *v, int count, uint8_t *bytes);
};

extern const struct row_functions cpixels_plain_rows;
#if defined(__x86_64__)
extern const struct row_functions cpixels_ssse3_rows, cpixels_avx2_rows;
#elif defined(__aarch64__)
extern const struct row_functions cpixels_neon_rows;
#endif

// Rows may be read and written in steps of this many elements where they are ours.
enum { row_step = 64 };

static_assert(rounding_unit * luma_rounding == (1 << 14) + (1 << 8), "luma");
static_assert(rounding_unit * chroma_rounding == (128 << 15) + (1 << 8), "chroma");

// Chroma in limited range as chroma in full range, both of 15 bits; and luma.
static inline int full_chroma(int value) {
    return ((value < 30775 ? value : 30775) * 4663 - 9289992) >> 12;
}
static inline int full_luma(int value) {
    return ((value < 30189 ? value : 30189) * 19077 - 39057361) >> 14;
}
static inline uint8_t clipped(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }
