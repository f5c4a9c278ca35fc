#if defined(__aarch64__)
#include "rows.h"
#include <arm_neon.h>
#include <string.h>

enum { block = 16 };

// Sixteen pixels.
struct pixels {
    uint8x16_t red, green, blue;
};

static inline struct pixels take(const cpixels_source *source, const uint8_t *const pixels[3], ptrdiff_t x) {
    uint8x16_t parts[4];
    if (source->pixel_bytes == 1) {
        for (int plane = 0; plane < 3; plane++) parts[plane] = vld1q_u8(pixels[plane] + x);
    } else if (source->pixel_bytes == 3) {
        uint8x16x3_t loaded = vld3q_u8(pixels[0] + 3 * x);
        for (int part = 0; part < 3; part++) parts[part] = loaded.val[part];
    } else {
        uint8x16x4_t loaded = vld4q_u8(pixels[0] + 4 * x);
        for (int part = 0; part < 4; part++) parts[part] = loaded.val[part];
    }
    return (struct pixels){parts[source->red], parts[source->green], parts[source->blue]};
}

// Eight pixels as words, or the sums of some.
struct words {
    int16x8_t red, green, blue;
};

static inline int16x8_t words_of(uint8x8_t bytes) { return vreinterpretq_s16_u16(vmovl_u8(bytes)); }

static inline struct words words_at(struct pixels pixels, int side) {
    if (side == 0)
        return (struct words){words_of(vget_low_u8(pixels.red)), words_of(vget_low_u8(pixels.green)), words_of(vget_low_u8(pixels.blue))};
    return (struct words){words_of(vget_high_u8(pixels.red)), words_of(vget_high_u8(pixels.green)), words_of(vget_high_u8(pixels.blue))};
}

static inline int16x8_t of_two(uint8x16_t bytes) { return vreinterpretq_s16_u16(vpaddlq_u8(bytes)); }
static inline int16x8_t of_first(uint8x16_t bytes) { return vreinterpretq_s16_u16(vandq_u16(vreinterpretq_u16_u8(bytes), vdupq_n_u16(0xff))); }

struct sums {
    int32x4_t low, high;
};

static inline struct sums weighed(struct words words, const int16_t weights[4], int32_t start) {
    struct sums sums = {vdupq_n_s32(start), vdupq_n_s32(start)};
    const int16x8_t parts[3] = {words.red, words.green, words.blue};
    for (int part = 0; part < 3; part++) {
        sums.low = vmlal_n_s16(sums.low, vget_low_s16(parts[part]), weights[part]);
        sums.high = vmlal_n_s16(sums.high, vget_high_s16(parts[part]), weights[part]);
    }
    return sums;
}

static inline int32x4_t full_luma_of(int32x4_t sum) {
    int32x4_t value = vminq_s32(vshlq_n_s32(vshrq_n_s32(sum, 9), 1), vdupq_n_s32(30189));
    // Halves are rounded at once: 64 of 7 bits are 1 << 20 of 21.
    return vshrq_n_s32(vmlaq_n_s32(vdupq_n_s32((1 << 20) - 39057361), value, 19077), 21);
}

static inline uint8x8_t luma_of(struct words words, const int16_t weights[4], bool is_full_range) {
    if (is_full_range) {
        struct sums sums = weighed(words, weights, (16 << 15) + (1 << 8));
        return vqmovun_s16(vcombine_s16(vqmovn_s32(full_luma_of(sums.low)), vqmovn_s32(full_luma_of(sums.high))));
    }
    struct sums sums = weighed(words, weights, (1 << 14) + (1 << 8));
    int16x8_t value = vcombine_s16(vshrn_n_s32(sums.low, 15), vshrn_n_s32(sums.high, 15));
    return vqmovun_s16(vaddq_s16(value, vdupq_n_s16(16)));
}

static inline void give_luma(struct pixels pixels, const struct weights *weights, bool is_full_range, uint8_t *luma) {
    for (int side = 0; side < 2; side++) vst1_u8(luma + 8 * side, luma_of(words_at(pixels, side), weights->luma, is_full_range));
}

static inline int16x4_t full_chroma_of(int16x4_t value) {
    return vshrn_n_s32(vmlal_n_s16(vdupq_n_s32(-9289992), value, 4663), 12);
}

static inline int16x8_t chroma_words(int16x4_t low, int16x4_t high, bool is_full_range) {
    int16x8_t value = vcombine_s16(low, high);
    value = vqaddq_s16(value, value);
    if (!is_full_range) return value;
    value = vminq_s16(value, vdupq_n_s16(30775));
    return vcombine_s16(full_chroma_of(vget_low_s16(value)), full_chroma_of(vget_high_s16(value)));
}

static inline void all_block(
    struct pixels pixels, const struct weights *weights, bool is_full_range, uint8_t *luma, int16_t *u, int16_t *v) {
    give_luma(pixels, weights, is_full_range, luma);
    for (int side = 0; side < 2; side++) {
        struct words words = words_at(pixels, side);
        struct sums of_u = weighed(words, weights->u, (128 << 15) + (1 << 8)), of_v = weighed(words, weights->v, (128 << 15) + (1 << 8));
        vst1q_s16(u + 8 * side, chroma_words(vshrn_n_s32(of_u.low, 9), vshrn_n_s32(of_u.high, 9), is_full_range));
        vst1q_s16(v + 8 * side, chroma_words(vshrn_n_s32(of_v.low, 9), vshrn_n_s32(of_v.high, 9), is_full_range));
    }
}

static inline void half_block(
    struct pixels pixels, const struct weights *weights, bool is_full_range, uint8_t *luma, int16_t *u, int16_t *v) {
    give_luma(pixels, weights, is_full_range, luma);
    struct words words = {of_two(pixels.red), of_two(pixels.green), of_two(pixels.blue)};
    struct sums of_u = weighed(words, weights->u, (256 << 15) + (1 << 9)), of_v = weighed(words, weights->v, (256 << 15) + (1 << 9));
    vst1q_s16(u, chroma_words(vshrn_n_s32(of_u.low, 10), vshrn_n_s32(of_u.high, 10), is_full_range));
    vst1q_s16(v, chroma_words(vshrn_n_s32(of_v.low, 10), vshrn_n_s32(of_v.high, 10), is_full_range));
}

static inline uint8x8_t unrounded(struct words words, const int16_t weights[4], int16_t zero) {
    struct sums sums = weighed(words, weights, 0);
    return vqmovun_s16(vaddq_s16(vcombine_s16(vshrn_n_s32(sums.low, 15), vshrn_n_s32(sums.high, 15)), vdupq_n_s16(zero)));
}

static inline void give_unrounded_luma(struct pixels pixels, const struct weights *weights, uint8_t *luma) {
    for (int side = 0; side < 2; side++) vst1_u8(luma + 8 * side, unrounded(words_at(pixels, side), weights->luma, 16));
}

static inline void first_block(struct pixels pixels, const struct weights *weights, uint8_t *luma, uint8_t *u, uint8_t *v) {
    give_unrounded_luma(pixels, weights, luma);
    if (!u) return;
    struct words words = {of_first(pixels.red), of_first(pixels.green), of_first(pixels.blue)};
    vst1_u8(u, unrounded(words, weights->u, 128));
    vst1_u8(v, unrounded(words, weights->v, 128));
}

// Red by itself, as the sums are cut to 16 bits before they come together.
static inline int16x4_t apart(int16x4_t red, int16x4_t green, int16x4_t blue, const int16_t weights[4]) {
    int32x4_t rest = vmlal_n_s16(vmull_n_s16(green, weights[1]), blue, weights[2]);
    return vshrn_n_s32(vaddq_s32(vshrq_n_s32(rest, 8), vshrq_n_s32(vmull_n_s16(red, weights[0]), 8)), 7);
}

static inline uint8x8_t weighed_apart(struct words words, const int16_t weights[4], int16_t zero) {
    int16x4_t low = apart(vget_low_s16(words.red), vget_low_s16(words.green), vget_low_s16(words.blue), weights);
    int16x4_t high = apart(vget_high_s16(words.red), vget_high_s16(words.green), vget_high_s16(words.blue), weights);
    return vqmovun_s16(vaddq_s16(vcombine_s16(low, high), vdupq_n_s16(zero)));
}

static inline int16x8_t rounded_mean(uint8x16_t upper, uint8x16_t lower) {
    uint8x16_t both = vrhaddq_u8(upper, lower);
    uint16x8_t words = vreinterpretq_u16_u8(both);
    uint16x8_t sum = vaddq_u16(vandq_u16(words, vdupq_n_u16(0xff)), vshrq_n_u16(words, 8));
    return vreinterpretq_s16_u16(vrshrq_n_u16(sum, 1));
}

static inline void average_block(
    struct pixels upper, struct pixels lower, const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    for (int side = 0; side < 2; side++) {
        vst1_u8(luma[0] + 8 * side, weighed_apart(words_at(upper, side), weights->luma, 16));
        vst1_u8(luma[1] + 8 * side, weighed_apart(words_at(lower, side), weights->luma, 16));
    }
    struct words means = {rounded_mean(upper.red, lower.red), rounded_mean(upper.green, lower.green), rounded_mean(upper.blue, lower.blue)};
    vst1_u8(u, weighed_apart(means, weights->u, 128));
    vst1_u8(v, weighed_apart(means, weights->v, 128));
}

static inline int16x8_t cut_mean(uint8x16_t upper, uint8x16_t lower) {
    return vreinterpretq_s16_u16(vshrq_n_u16(vpadalq_u8(vpaddlq_u8(upper), lower), 2));
}

static inline void mean_block(
    struct pixels upper, struct pixels lower, const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    give_unrounded_luma(upper, weights, luma[0]);
    give_unrounded_luma(lower, weights, luma[1]);
    struct words means = {cut_mean(upper.red, lower.red), cut_mean(upper.green, lower.green), cut_mean(upper.blue, lower.blue)};
    vst1_u8(u, unrounded(means, weights->u, 128));
    vst1_u8(v, unrounded(means, weights->v, 128));
}

// The last pixels of a row, in memory that has more of it.
struct rest {
    uint8_t pixels[3][4 * block];
    uint8_t luma[block];
    int16_t u[block], v[block];
};

static inline struct pixels take_rest(
    struct rest *rest, const cpixels_source *source, const uint8_t *const pixels[3], ptrdiff_t x, int count) {
    const uint8_t *planes[3] = {rest->pixels[0], rest->pixels[1], rest->pixels[2]};
    int of_source = source->pixel_bytes == 1 ? 3 : 1;
    for (int plane = 0; plane < of_source; plane++)
        memcpy(rest->pixels[plane], pixels[plane] + x * source->pixel_bytes, (size_t)(count * source->pixel_bytes));
    return take(source, planes, 0);
}

static inline __attribute__((always_inline)) void row(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, bool is_half,
    const uint8_t *const pixels[3], int width, uint8_t *luma, int16_t *u, int16_t *v) {
    int end = width / block * block;
    for (ptrdiff_t x = 0; x < end; x += block) {
        struct pixels taken = take(source, pixels, x);
        if (is_half) half_block(taken, weights, is_full_range, luma + x, u + x / 2, v + x / 2);
        else all_block(taken, weights, is_full_range, luma + x, u + x, v + x);
    }
    if (end == width) return;
    struct rest rest = {0};
    int count = width - end;
    // With the pixel after the last where it is one of two.
    struct pixels taken = take_rest(&rest, source, pixels, end, is_half ? (count + 1) & ~1 : count);
    if (is_half) half_block(taken, weights, is_full_range, rest.luma, rest.u, rest.v);
    else all_block(taken, weights, is_full_range, rest.luma, rest.u, rest.v);
    memcpy(luma + end, rest.luma, (size_t)count);
    int of_chroma = is_half ? (count + 1) / 2 : count, at = is_half ? end / 2 : end;
    memcpy(u + at, rest.u, (size_t)of_chroma * sizeof *u);
    memcpy(v + at, rest.v, (size_t)of_chroma * sizeof *v);
}

static void all(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    row(source, weights, is_full_range, false, pixels, width, luma, u, v);
}

static void half(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    row(source, weights, is_full_range, true, pixels, width, luma, u, v);
}

static void first(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const pixels[3], int width, uint8_t *luma,
    uint8_t *u, uint8_t *v) {
    int end = width / block * block, count = width - end;
    for (ptrdiff_t x = 0; x < end; x += block)
        first_block(take(source, pixels, x), weights, luma + x, u ? u + x / 2 : NULL, u ? v + x / 2 : NULL);
    if (count == 0) return;
    struct rest rest = {0};
    uint8_t *rest_u = (uint8_t *)rest.u, *rest_v = (uint8_t *)rest.v;
    first_block(take_rest(&rest, source, pixels, end, count), weights, rest.luma, u ? rest_u : NULL, rest_v);
    memcpy(luma + end, rest.luma, (size_t)count);
    if (!u) return;
    memcpy(u + end / 2, rest_u, (size_t)count / 2);
    memcpy(v + end / 2, rest_v, (size_t)count / 2);
}

typedef void of_two_rows(
    struct pixels upper, struct pixels lower, const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v);

static inline __attribute__((always_inline)) void two_rows(
    of_two_rows *do_block, const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3],
    const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    int end = width / block * block, count = width - end;
    for (ptrdiff_t x = 0; x < end; x += block) {
        uint8_t *const both[2] = {luma[0] + x, luma[1] + x};
        do_block(take(source, upper, x), take(source, lower, x), weights, both, u + x / 2, v + x / 2);
    }
    if (count == 0) return;
    struct rest rest = {0}, rest_below = {0};
    uint8_t *const both[2] = {rest.luma, rest_below.luma};
    struct pixels above = take_rest(&rest, source, upper, end, count), below = take_rest(&rest_below, source, lower, end, count);
    do_block(above, below, weights, both, (uint8_t *)rest.u, (uint8_t *)rest.v);
    for (int row = 0; row < 2; row++) memcpy(luma[row] + end, both[row], (size_t)count);
    memcpy(u + end / 2, rest.u, (size_t)count / 2);
    memcpy(v + end / 2, rest.v, (size_t)count / 2);
}

static void average(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3], const uint8_t *const lower[3],
    int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    two_rows(average_block, source, weights, upper, lower, width, luma, u, v);
}

static void mean(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3], const uint8_t *const lower[3],
    int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    two_rows(mean_block, source, weights, upper, lower, width, luma, u, v);
}

static inline uint8x8_t gray_block(uint8x8_t pixels) {
    uint16x8_t words = vmovl_u8(pixels);
    uint32x4_t start = vdupq_n_u32(270394);
    uint32x4_t low = vmlal_n_u16(start, vget_low_u16(words), 14071), high = vmlal_n_u16(start, vget_high_u16(words), 14071);
    return vqmovn_u16(vcombine_u16(vshrn_n_u32(low, 14), vshrn_n_u32(high, 14)));
}

static void gray(const uint8_t *pixels, int width, uint8_t *luma) {
    int end = width / 8 * 8;
    for (ptrdiff_t x = 0; x < end; x += 8) vst1_u8(luma + x, gray_block(vld1_u8(pixels + x)));
    uint8_t rest[8] = {0};
    memcpy(rest, pixels + end, (size_t)(width - end));
    vst1_u8(rest, gray_block(vld1_u8(rest)));
    memcpy(luma + end, rest, (size_t)(width - end));
}

// What is summed lies in rows of ours, which are longer than the picture's; what comes out may not.
#define EACH_BLOCK(value)                                               \
    int end = count / 8 * 8;                                            \
    for (ptrdiff_t x = 0; x < end; x += 8) vst1_u8(bytes + x, value);   \
    if (end == count) return;                                           \
    uint8_t rest[8];                                                    \
    ptrdiff_t x = end;                                                  \
    vst1_u8(rest, value);                                               \
    memcpy(bytes + end, rest, (size_t)(count - end));

static void rounded(const int16_t *row, int count, uint8_t *bytes) { EACH_BLOCK(vqrshrun_n_s16(vld1q_s16(row + x), 7)) }

static inline uint8x8_t sum_block(const int16_t *const *rows, const int16_t *taps, int tap_count, ptrdiff_t x) {
    int32x4_t low = vdupq_n_s32(64 << 12), high = low;
    for (int tap = 0; tap < tap_count; tap++) {
        int16x8_t row = vld1q_s16(rows[tap] + x);
        low = vmlal_n_s16(low, vget_low_s16(row), taps[tap]);
        high = vmlal_n_s16(high, vget_high_s16(row), taps[tap]);
    }
    return vqmovun_s16(vcombine_s16(vqmovn_s32(vshrq_n_s32(low, 19)), vqmovn_s32(vshrq_n_s32(high, 19))));
}

static void sum(const int16_t *const *rows, const int16_t *taps, int tap_count, int count, uint8_t *bytes) {
    EACH_BLOCK(sum_block(rows, taps, tap_count, x))
}

static inline uint8x8_t sum_high_block(const int16_t *const *rows, const int16_t *taps, int tap_count, int start, ptrdiff_t x) {
    int16x8_t sum = vdupq_n_s16((int16_t)start);
    for (int tap = 0; tap < tap_count; tap++) {
        int16x8_t row = vld1q_s16(rows[tap] + x);
        int16x4_t low = vshrn_n_s32(vmull_n_s16(vget_low_s16(row), taps[tap]), 16);
        sum = vaddq_s16(sum, vcombine_s16(low, vshrn_n_s32(vmull_n_s16(vget_high_s16(row), taps[tap]), 16)));
    }
    return vqshrun_n_s16(sum, 3);
}

static void sum_high(
    const int16_t *const *rows, const int16_t *taps, int tap_count, int start, int count, uint8_t *bytes) {
    EACH_BLOCK(sum_high_block(rows, taps, tap_count, start, x))
}

static void interleave(const uint8_t *u, const uint8_t *v, int count, uint8_t *bytes) {
    int end = count / 16 * 16;
    for (ptrdiff_t x = 0; x < end; x += 16) {
        uint8x16x2_t both = {{vld1q_u8(u + x), vld1q_u8(v + x)}};
        vst2q_u8(bytes + 2 * x, both);
    }
    for (ptrdiff_t x = end; x < count; x++) {
        bytes[2 * x] = u[x];
        bytes[2 * x + 1] = v[x];
    }
}

const struct row_functions cpixels_neon_rows = {all, half, first, average, mean, gray, rounded, sum, sum_high, interleave};
#endif
