#include "taps.h"
#include <stdlib.h>

// Bicubic with B = 0, C = 0.6, in 24 bits; distances have 30.
static const int64_t c = (int64_t)(0.6 * (1 << 24));
static const int64_t near = (int64_t)1 << 30, far = (int64_t)1 << 31;
static const double negligible = 0.002;
static const int64_t whole = 1 << 12;

struct scaling {
    int height, rows;
    // Rows of the picture to a row of chroma, in 16 bits.
    int64_t step;
    // Taps before those that are next to nothing have gone, and what all of a row come to.
    int reach;
    int64_t unit;
};

static int64_t bicubic(int64_t distance) {
    if (distance >= far) return 0;
    int64_t squared = distance * distance >> 30, cubed = squared * distance >> 30;
    if (distance < near) {
        return ((12 << 24) - 6 * c) * cubed + (-(18 << 24) + 6 * c) * squared + (int64_t)(6 << 24) * near;
    }
    return -6 * c * cubed + 30 * c * squared - 48 * c * distance + 24 * c * near;
}

// What the rows from the one that is returned on are multiplied with, before anything is left out or rounded.
static int raw_taps(const struct scaling *scaling, int row, int64_t *taps) {
    // In 17 bits.
    int64_t center = scaling->step - (1 << 16) + 2 * scaling->step * row;
    int first = (int)((center - (scaling->reach - 2) * (int64_t)(1 << 16)) / (1 << 17));
    for (int tap = 0; tap < scaling->reach; tap++) {
        int64_t distance = llabs((int64_t)(first + tap) * (1 << 17) - center) << 13;
        if (scaling->step > 1 << 16) distance = distance * scaling->rows / scaling->height;
        taps[tap] = bicubic(distance) / (((int64_t)1 << 54) / scaling->unit);
    }
    return first;
}

// How many of the first are next to nothing. `next`: where the row after this one begins.
static int idle_before(const struct scaling *scaling, const int64_t *taps, int first, const int32_t *next) {
    int64_t weight = 0;
    for (int tap = 0; tap < scaling->reach; tap++) {
        weight += llabs(taps[tap]);
        if ((double)weight > negligible * (double)scaling->unit || (next && first + tap >= *next)) return tap;
    }
    return scaling->reach;
}

static int idle_after(const struct scaling *scaling, const int64_t *taps, int count) {
    int64_t weight = 0;
    for (int idle = 0; idle < scaling->reach - 1; idle++) {
        int tap = scaling->reach - 1 - idle;
        if (tap < count) weight += llabs(taps[tap]);
        if ((double)weight > negligible * (double)scaling->unit) return idle;
    }
    return scaling->reach - 1;
}

// What would be multiplied with rows outside the picture goes to the outermost in it.
static void fold(int64_t *taps, int count, int32_t *first, int height) {
    if (*first < 0) {
        for (int tap = 1; tap < count; tap++) {
            int inside = tap + *first > 0 ? tap + *first : 0;
            int64_t value = taps[tap];
            taps[tap] = 0;
            taps[inside] += value;
        }
        *first = 0;
    }
    if (*first + count <= height) return;
    int shift = *first + (count < height ? count - height : 0);
    int64_t outside = 0;
    for (int tap = count - 1; tap >= 0; tap--) {
        if (*first + tap < height) continue;
        outside += taps[tap];
        taps[tap] = 0;
    }
    for (int tap = count - 1; tap >= 0; tap--) taps[tap] = tap < shift ? 0 : taps[tap - shift];
    *first -= shift;
    taps[height - 1 - *first] += outside;
}

static int64_t divided(int64_t value, int64_t by) { return (value >= 0 ? value + (by >> 1) : value - (by >> 1)) / by; }

// What rounding leaves of one goes on to the next.
static void normalize(const int64_t *taps, int count, int16_t *result) {
    int64_t sum = 0, rest = 0;
    for (int tap = 0; tap < count; tap++) sum += taps[tap];
    sum = (sum + whole / 2) / whole;
    if (sum == 0) sum = 1;
    for (int tap = 0; tap < count; tap++) {
        int64_t value = taps[tap] + rest, rounded = divided(value, sum);
        result[tap] = (int16_t)rounded;
        rest = value - rounded * sum;
    }
}

static struct scaling scaling_of(int height) {
    struct scaling scaling = {.height = height, .rows = (height + 1) / 2};
    scaling.step = (((int64_t)height << 16) + (scaling.rows >> 1)) / scaling.rows;
    int reach = scaling.step <= 1 << 16 ? 5 : 1 + (4 * height + scaling.rows - 1) / scaling.rows;
    if (reach > height - 2) reach = height - 2;
    scaling.reach = reach < 1 ? 1 : reach;
    scaling.unit = (int64_t)1 << (height / scaling.rows == 2 ? 53 : 54);
    return scaling;
}

int find_taps(int height, struct row_taps *rows) {
    struct scaling scaling = scaling_of(height);
    int64_t taps[2 * most_taps] = {0};
    if (height == 1) {
        rows[0] = (struct row_taps){.first = 0, .taps = {(int16_t)whole}};
        return 1;
    }
    int count = 0;
    for (int row = scaling.rows - 1; row >= 0; row--) {
        int first = raw_taps(&scaling, row, taps);
        int before = idle_before(&scaling, taps, first, row + 1 < scaling.rows ? &rows[row + 1].first : NULL);
        rows[row].first = first + before;
        for (int tap = 0; tap < scaling.reach; tap++) taps[tap] = tap + before < scaling.reach ? taps[tap + before] : 0;
        int needed = scaling.reach - idle_after(&scaling, taps, scaling.reach);
        if (needed > count) count = needed;
    }
    if (count > 1) count = (count + 1) & ~1;
    for (int row = 0; row < scaling.rows; row++) {
        int first = raw_taps(&scaling, row, taps);
        int before = rows[row].first - first;
        for (int tap = 0; tap < count; tap++) taps[tap] = tap + before < scaling.reach ? taps[tap + before] : 0;
        fold(taps, count, &rows[row].first, height);
        normalize(taps, count, rows[row].taps);
    }
    return count;
}
