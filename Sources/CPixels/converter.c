#include "matrix.h"
#include "taps.h"
#include <string.h>

struct cpixels_converter {
    cpixels_plan plan;
    struct weights weights;
    int chroma_width, chroma_height;
    // Where chroma is halved from above to below.
    int tap_count;
    struct row_taps *taps;
    // Chroma of the last rows of the picture, U before V; `row_stride` elements each.
    int16_t *rows;
    size_t row_stride;
    // Bytes of U and of V before they take turns.
    uint8_t *bytes;
};

// Rows that are kept: as many as are summed.
enum { kept_rows = most_taps };

static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static int chroma_width(const cpixels_plan *plan) {
    return plan->target.chroma_shift_x ? (plan->width + 1) >> 1 : plan->width;
}
static int chroma_height(const cpixels_plan *plan) {
    return plan->target.chroma_shift_y ? (plan->height + 1) >> 1 : plan->height;
}
static size_t row_stride(const cpixels_plan *plan) { return ((size_t)chroma_width(plan) + 2 * row_step - 1) / row_step * row_step; }
static size_t taps_bytes(const cpixels_plan *plan) {
    return aligned(plan->target.chroma_shift_y ? (size_t)chroma_height(plan) * sizeof(struct row_taps) : 0);
}

size_t cpixels_bytes(const cpixels_plan *plan) {
    size_t rows = 2 * kept_rows * row_stride(plan) * sizeof(int16_t);
    return aligned(sizeof(cpixels_converter)) + taps_bytes(plan) + rows + 2 * row_stride(plan);
}

static const struct row_functions *functions(cpixels_instructions instructions) {
    switch (instructions) {
#if defined(__x86_64__)
    case cpixels_ssse3: return &cpixels_ssse3_rows;
    case cpixels_avx2: return &cpixels_avx2_rows;
#elif defined(__aarch64__)
    case cpixels_neon: return &cpixels_neon_rows;
#endif
    default: return &cpixels_plain_rows;
    }
}

bool cpixels_has(cpixels_instructions instructions) {
    switch (instructions) {
    case cpixels_plain: return true;
#if defined(__x86_64__)
    case cpixels_ssse3: return __builtin_cpu_supports("ssse3");
    case cpixels_avx2: return __builtin_cpu_supports("avx2");
#elif defined(__aarch64__)
    case cpixels_neon: return true;
#endif
    default: return false;
    }
}

cpixels_instructions cpixels_best(void) {
    static const cpixels_instructions order[] = {cpixels_avx2, cpixels_ssse3, cpixels_neon};
    for (size_t place = 0; place < sizeof order / sizeof *order; place++)
        if (cpixels_has(order[place])) return order[place];
    return cpixels_plain;
}

static bool is_possible(const cpixels_plan *plan) {
    const cpixels_source *source = &plan->source;
    if (plan->width < 1 || plan->height < 1 || !cpixels_has(plan->instructions)) return false;
    if (plan->target.chroma_shift_x < plan->target.chroma_shift_y) return false;
    bool is_gray = source->pixel_bytes == 0;
    switch (plan->rule) {
    case cpixels_rule_copy: return is_gray;
    case cpixels_rule_first_pixel:
    case cpixels_rule_average:
    case cpixels_rule_mean:
        return !is_gray && !plan->is_full_range && plan->width % 2 == 0 && plan->target.chroma_shift_y == 1 && !plan->target.is_interleaved;
    case cpixels_rule_exact:
    case cpixels_rule_high_halves: return !(is_gray && plan->is_full_range);
    }
    return false;
}

// Whether chroma is computed from bytes at once.
static bool is_of_bytes(const cpixels_plan *plan) {
    return plan->rule == cpixels_rule_first_pixel || plan->rule == cpixels_rule_average || plan->rule == cpixels_rule_mean;
}

// What rounds comes into the sum with the weights.
static void set_rounding(struct weights *weights, const cpixels_plan *plan) {
    if (is_of_bytes(plan)) return;
    // Luma is rounded to 14 bits and to 8 at once, but where its range is changed between.
    weights->luma[3] = plan->is_full_range ? 0 : luma_rounding;
    weights->u[3] = weights->v[3] = chroma_rounding;
}

cpixels_converter *cpixels_prepare(const cpixels_plan *plan, void *memory) {
    if (!is_possible(plan)) return NULL;
    cpixels_converter *converter = memory;
    uint8_t *next = memory;
    memset(converter, 0, sizeof *converter);
    converter->plan = *plan;
    if (plan->source.pixel_bytes > 0 && !weights_of(plan->matrix, &converter->weights)) return NULL;
    set_rounding(&converter->weights, plan);
    converter->chroma_width = chroma_width(plan);
    converter->chroma_height = chroma_height(plan);
    converter->row_stride = row_stride(plan);
    next += aligned(sizeof *converter);
    converter->taps = (struct row_taps *)next;
    next += taps_bytes(plan);
    converter->rows = (int16_t *)next;
    converter->bytes = next + 2 * kept_rows * converter->row_stride * sizeof(int16_t);
    if (plan->target.chroma_shift_y && !is_of_bytes(plan))
        converter->tap_count = find_taps(plan->height, converter->taps);
    return converter;
}

struct picture {
    const uint8_t *const *source;
    const int *source_stride;
    uint8_t *const *target;
    const int *target_stride;
};

static const uint8_t *source_row(const struct picture *picture, int plane, int y) {
    return picture->source[plane] + (ptrdiff_t)y * picture->source_stride[plane];
}
static uint8_t *target_row(const struct picture *picture, int plane, int y) {
    return picture->target[plane] + (ptrdiff_t)y * picture->target_stride[plane];
}

static void row_of(const cpixels_converter *converter, const struct picture *picture, int y, const uint8_t *pixels[3]) {
    int planes = converter->plan.source.pixel_bytes == 1 ? 3 : 1;
    for (int plane = 0; plane < 3; plane++)
        pixels[plane] = plane < planes ? source_row(picture, plane, y) : NULL;
}

static int16_t *kept_row(const cpixels_converter *converter, int y) {
    return converter->rows + (size_t)(y % kept_rows) * 2 * converter->row_stride;
}

// Luma of a row, and chroma where it is kept.
static void take_row(cpixels_converter *converter, const struct picture *picture, int y) {
    const cpixels_plan *plan = &converter->plan;
    const struct row_functions *rows = functions(plan->instructions);
    const uint8_t *pixels[3];
    row_of(converter, picture, y, pixels);
    uint8_t *luma = target_row(picture, 0, y);
    int16_t *kept = kept_row(converter, y);
    (plan->target.chroma_shift_x ? rows->half : rows->all)(
        &plan->source, &converter->weights, plan->is_full_range, pixels, plan->width, luma, kept, kept + converter->row_stride);
}

// Whether a row of chroma is one of those that libswscale leaves to its plain functions.
static bool is_last(const cpixels_plan *plan, int chroma_y) { return chroma_y << 1 >= plan->height - 2; }

static void sum_rows(const cpixels_converter *converter, int y, int plane, uint8_t *bytes) {
    const struct row_functions *functions_of_rows = functions(converter->plan.instructions);
    const struct row_taps *taps = &converter->taps[y];
    const int16_t *rows[most_taps];
    int16_t weights[most_taps];
    int count = 0;
    for (int tap = 0; tap < converter->tap_count; tap++) {
        if (taps->taps[tap] == 0) continue;
        rows[count] = kept_row(converter, taps->first + tap) + plane * converter->row_stride;
        weights[count++] = taps->taps[tap];
    }
    if (converter->plan.rule == cpixels_rule_high_halves && !is_last(&converter->plan, y) && converter->tap_count > 1) {
        int start = (64 + 8 * (converter->tap_count - 1)) >> 4;
        functions_of_rows->sum_high(rows, weights, count, start, converter->chroma_width, bytes);
    } else {
        functions_of_rows->sum(rows, weights, count, converter->chroma_width, bytes);
    }
}

static void give_chroma(const cpixels_converter *converter, const struct picture *picture, int y) {
    const cpixels_target *target = &converter->plan.target;
    const struct row_functions *rows = functions(converter->plan.instructions);
    uint8_t *bytes[2];
    for (int plane = 0; plane < 2; plane++) {
        bytes[plane] = target->is_interleaved ? converter->bytes + plane * converter->row_stride
                                              : target_row(picture, 1 + plane, y);
        if (target->chroma_shift_y) sum_rows(converter, y, plane, bytes[plane]);
        else rows->round(kept_row(converter, y) + plane * converter->row_stride, converter->chroma_width, bytes[plane]);
    }
    if (target->is_interleaved)
        rows->interleave(bytes[0], bytes[1], converter->chroma_width, target_row(picture, 1, y));
}

static void convert_colors(cpixels_converter *converter, const struct picture *picture) {
    const cpixels_plan *plan = &converter->plan;
    int taken = 0;
    for (int y = 0; y < converter->chroma_height; y++) {
        int end = y + 1;
        if (plan->target.chroma_shift_y) {
            end = converter->taps[y].first + converter->tap_count;
            if (end > plan->height) end = plan->height;
        }
        for (; taken < end; taken++) take_row(converter, picture, taken);
        give_chroma(converter, picture, y);
    }
    for (; taken < plan->height; taken++) take_row(converter, picture, taken);
}

// Two rows, or the last alone.
static void convert_pair(const cpixels_converter *converter, const struct picture *picture, int y) {
    const cpixels_plan *plan = &converter->plan;
    const struct row_functions *rows = functions(plan->instructions);
    int count = y + 1 < plan->height ? 2 : 1;
    const uint8_t *pixels[2][3];
    uint8_t *luma[2];
    for (int row = 0; row < count; row++) {
        row_of(converter, picture, y + row, pixels[row]);
        luma[row] = target_row(picture, 0, y + row);
    }
    uint8_t *u = target_row(picture, 1, y / 2), *v = target_row(picture, 2, y / 2);
    if (plan->rule == cpixels_rule_average && y >= 2 && y < plan->height - 2) {
        rows->average(&plan->source, &converter->weights, pixels[0], pixels[1], plan->width, luma, u, v);
        return;
    }
    if (plan->rule == cpixels_rule_mean) {
        // A last row alone is two of it.
        const uint8_t *const *lower = pixels[count - 1];
        luma[1] = luma[count - 1];
        rows->mean(&plan->source, &converter->weights, pixels[0], lower, plan->width, luma, u, v);
        return;
    }
    rows->first(&plan->source, &converter->weights, pixels[0], plan->width, luma[0], u, v);
    if (count == 2) rows->first(&plan->source, &converter->weights, pixels[1], plan->width, luma[1], NULL, NULL);
}

// What chroma without color comes to: 128, or one less where halves of products are left out.
static uint8_t neutral(const cpixels_converter *converter, int y) {
    if (converter->plan.rule == cpixels_rule_copy || converter->tap_count == 0) return 128;
    int16_t zero[1] = {1 << 14};
    const int16_t *rows[most_taps];
    for (int tap = 0; tap < most_taps; tap++) rows[tap] = zero;
    uint8_t byte;
    const struct row_taps *taps = &converter->taps[y];
    if (converter->plan.rule == cpixels_rule_high_halves && !is_last(&converter->plan, y) && converter->tap_count > 1) {
        cpixels_plain_rows.sum_high(rows, taps->taps, converter->tap_count, (64 + 8 * (converter->tap_count - 1)) >> 4, 1, &byte);
    } else {
        cpixels_plain_rows.sum(rows, taps->taps, converter->tap_count, 1, &byte);
    }
    return byte;
}

static void convert_gray(cpixels_converter *converter, const struct picture *picture) {
    const cpixels_plan *plan = &converter->plan;
    for (int y = 0; y < plan->height; y++) {
        const uint8_t *pixels = source_row(picture, 0, y);
        uint8_t *luma = target_row(picture, 0, y);
        if (plan->rule == cpixels_rule_copy) memcpy(luma, pixels, (size_t)plan->width);
        else functions(plan->instructions)->gray(pixels, plan->width, luma);
    }
    size_t row_bytes = (size_t)converter->chroma_width << plan->target.is_interleaved;
    int planes = plan->target.is_interleaved ? 1 : 2;
    for (int y = 0; y < converter->chroma_height; y++)
        for (int plane = 1; plane <= planes; plane++)
            memset(target_row(picture, plane, y), neutral(converter, y), row_bytes);
}

void cpixels_convert(
    cpixels_converter *converter, const uint8_t *const source[3], const int source_stride[3], uint8_t *const target[3],
    const int target_stride[3]) {
    struct picture picture = {source, source_stride, target, target_stride};
    if (converter->plan.source.pixel_bytes == 0) convert_gray(converter, &picture);
    else if (!is_of_bytes(&converter->plan)) convert_colors(converter, &picture);
    else
        for (int y = 0; y < converter->plan.height; y += 2) convert_pair(converter, &picture, y);
}
