// The rows in plain C: what all others must equal.
#include "rows.h"

struct pixel {
    int red, green, blue;
};

static inline struct pixel pixel_at(const cpixels_source *source, const uint8_t *const pixels[3], int x) {
    if (source->pixel_bytes == 1)
        return (struct pixel){pixels[source->red][x], pixels[source->green][x], pixels[source->blue][x]};
    const uint8_t *pixel = pixels[0] + (ptrdiff_t)x * source->pixel_bytes;
    return (struct pixel){pixel[source->red], pixel[source->green], pixel[source->blue]};
}

static inline int weigh(const int16_t weights[4], struct pixel pixel) {
    return weights[0] * pixel.red + weights[1] * pixel.green + weights[2] * pixel.blue;
}

static inline uint8_t luma_of(const struct weights *weights, bool is_full_range, struct pixel pixel) {
    // 15 bits, of which the last is 0.
    int value = 2 * (((weigh(weights->luma, pixel) + (1 << 8)) >> 9) + (16 << 6));
    if (is_full_range) value = full_luma(value);
    return clipped(((value < 32767 ? value : 32767) + 64) >> 7);
}

static inline int16_t chroma_of(const int16_t weights[4], bool is_full_range, struct pixel pixel, int shift) {
    int value = 2 * (((weigh(weights, pixel) + (1 << (shift - 1))) >> shift) + (128 << 6));
    value = value < 32767 ? value : 32767;
    return (int16_t)(is_full_range ? full_chroma(value) : value);
}

static void all(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    for (int x = 0; x < width; x++) {
        struct pixel pixel = pixel_at(source, pixels, x);
        luma[x] = luma_of(weights, is_full_range, pixel);
        u[x] = chroma_of(weights->u, is_full_range, pixel, 9);
        v[x] = chroma_of(weights->v, is_full_range, pixel, 9);
    }
}

static void half(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    for (int x = 0; x < width; x += 2) {
        struct pixel left = pixel_at(source, pixels, x), right = pixel_at(source, pixels, x + 1);
        struct pixel both = {left.red + right.red, left.green + right.green, left.blue + right.blue};
        luma[x] = luma_of(weights, is_full_range, left);
        if (x + 1 < width) luma[x + 1] = luma_of(weights, is_full_range, right);
        u[x / 2] = chroma_of(weights->u, is_full_range, both, 10);
        v[x / 2] = chroma_of(weights->v, is_full_range, both, 10);
    }
}

static void first(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const pixels[3], int width,
    uint8_t *luma, uint8_t *u, uint8_t *v) {
    for (int x = 0; x < width; x++) {
        struct pixel pixel = pixel_at(source, pixels, x);
        luma[x] = (uint8_t)((weigh(weights->luma, pixel) >> 15) + 16);
        if (!u || x % 2) continue;
        u[x / 2] = (uint8_t)((weigh(weights->u, pixel) >> 15) + 128);
        v[x / 2] = (uint8_t)((weigh(weights->v, pixel) >> 15) + 128);
    }
}

// Red by itself, as the sums are cut to 16 bits before they come together.
static inline int weigh_apart(const int16_t weights[4], struct pixel pixel) {
    int rest = weights[1] * pixel.green + weights[2] * pixel.blue;
    return ((rest >> 8) + (weights[0] * pixel.red >> 8)) >> 7;
}

static inline struct pixel rounded_mean(struct pixel a, struct pixel b) {
    return (struct pixel){(a.red + b.red + 1) >> 1, (a.green + b.green + 1) >> 1, (a.blue + b.blue + 1) >> 1};
}

static void average(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3],
    const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    for (int x = 0; x < width; x += 2) {
        struct pixel four[2][2];
        for (int column = 0; column < 2; column++) {
            four[0][column] = pixel_at(source, upper, x + column);
            four[1][column] = pixel_at(source, lower, x + column);
            for (int row = 0; row < 2; row++) luma[row][x + column] = clipped(weigh_apart(weights->luma, four[row][column]) + 16);
        }
        struct pixel all_four = rounded_mean(rounded_mean(four[0][0], four[1][0]), rounded_mean(four[0][1], four[1][1]));
        u[x / 2] = clipped(weigh_apart(weights->u, all_four) + 128);
        v[x / 2] = clipped(weigh_apart(weights->v, all_four) + 128);
    }
}

static void mean(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3],
    const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    for (int x = 0; x < width; x += 2) {
        struct pixel sum = {0, 0, 0};
        for (int place = 0; place < 4; place++) {
            int row = place / 2, column = place % 2;
            struct pixel pixel = pixel_at(source, row == 0 ? upper : lower, x + column);
            luma[row][x + column] = (uint8_t)((weigh(weights->luma, pixel) >> 15) + 16);
            sum = (struct pixel){sum.red + pixel.red, sum.green + pixel.green, sum.blue + pixel.blue};
        }
        struct pixel cut = {sum.red >> 2, sum.green >> 2, sum.blue >> 2};
        u[x / 2] = (uint8_t)((weigh(weights->u, cut) >> 15) + 128);
        v[x / 2] = (uint8_t)((weigh(weights->v, cut) >> 15) + 128);
    }
}

static void gray(const uint8_t *pixels, int width, uint8_t *luma) {
    for (int x = 0; x < width; x++) luma[x] = clipped((((pixels[x] * 128 * 14071 + 33561947) >> 14) + 64) >> 7);
}

static void rounded(const int16_t *row, int count, uint8_t *bytes) {
    for (int x = 0; x < count; x++) bytes[x] = clipped((row[x] + 64) >> 7);
}

static void sum(const int16_t *const *rows, const int16_t *taps, int tap_count, int count, uint8_t *bytes) {
    for (int x = 0; x < count; x++) {
        int value = 64 << 12;
        for (int tap = 0; tap < tap_count; tap++) value += rows[tap][x] * taps[tap];
        bytes[x] = clipped(value >> 19);
    }
}

static void sum_high(
    const int16_t *const *rows, const int16_t *taps, int tap_count, int start, int count, uint8_t *bytes) {
    for (int x = 0; x < count; x++) {
        int value = start;
        for (int tap = 0; tap < tap_count; tap++) value += rows[tap][x] * taps[tap] >> 16;
        bytes[x] = clipped(value >> 3);
    }
}

static void interleave(const uint8_t *u, const uint8_t *v, int count, uint8_t *bytes) {
    for (int x = 0; x < count; x++) {
        bytes[2 * x] = u[x];
        bytes[2 * x + 1] = v[x];
    }
}

const struct row_functions cpixels_plain_rows = {all, half, first, average, mean, gray, rounded, sum, sum_high, interleave};
