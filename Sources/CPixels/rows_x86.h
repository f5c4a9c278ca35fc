// The rows for x86, once for each width of vectors. The file that includes this says, with the target's attribute set:
//   V, LANES                        a vector, and how many times 16 bytes it is
//   OF(operation)                   an intrinsic by its name without the prefix
//   LOAD(address), STORE(address, vector)
//   LOAD_LANES(address, step)       16 bytes for each lane, `step` bytes apart
//   REPEATED(vector)                16 bytes, in each lane
//   BITS(operation)                 and, or, of all bits
//   FLOATS(a, b, which)             shuffle_ps of vectors of whole numbers
//   NAME                            of the table of functions
//
// Each lane has 16 pixels beside each other, so that nothing goes from one to another. A pixel becomes four words, red
// and blue in one vector and green and a constant in the other: pmaddwd sums two products, and the constant brings what
// rounds into the sum.

enum { block = 16 * LANES };

// Red and blue of four pixels in each lane, four times; and their green and the constant.
struct words {
    V even[4], odd[4];
};

struct layout {
    bool is_planar;
    int pixel_bytes;
    int red, green, blue;
    // Of packed pixels: how their bytes become words, and how they become red, green, blue and 0 in 4 bytes.
    V even, odd, bytes;
};

static inline V splat(int32_t value) { return OF(set1_epi32)(value); }

static inline V pair(int16_t even, int16_t odd) {
    return splat((int32_t)((uint32_t)(uint16_t)even | (uint32_t)(uint16_t)odd << 16));
}

// Shuffles four packed pixels; -1 is a 0.
static inline V order_of(int pixel_bytes, const int places[4]) {
    int8_t order[16];
    for (int byte = 0; byte < 16; byte++) {
        int place = places[byte % 4];
        order[byte] = (int8_t)(place < 0 ? -1 : byte / 4 * pixel_bytes + place);
    }
    return REPEATED(_mm_loadu_si128((const __m128i *)order));
}

static inline struct layout layout_of(const cpixels_source *source) {
    struct layout layout = {source->pixel_bytes == 1, source->pixel_bytes, source->red, source->green, source->blue, splat(0), splat(0), splat(0)};
    if (layout.is_planar) return layout;
    layout.even = order_of(source->pixel_bytes, (int[]){source->red, -1, source->blue, -1});
    layout.odd = order_of(source->pixel_bytes, (int[]){source->green, -1, -1, -1});
    layout.bytes = order_of(source->pixel_bytes, (int[]){source->red, source->green, source->blue, -1});
    return layout;
}

static inline V packed_part(const struct layout *layout, const uint8_t *const pixels[3], ptrdiff_t x, int part) {
    const uint8_t *start = pixels[0] + (x + 4 * part) * layout->pixel_bytes;
    return LOAD_LANES(start, 16 * layout->pixel_bytes);
}

// A block of pixels; of packed ones up to 4 bytes after it are read.
static inline struct words take(const struct layout *layout, const uint8_t *const pixels[3], ptrdiff_t x) {
    struct words words;
    if (layout->is_planar) {
        V red = LOAD(pixels[layout->red] + x), green = LOAD(pixels[layout->green] + x), blue = LOAD(pixels[layout->blue] + x);
        V constant = OF(set1_epi8)((int8_t)rounding_unit), zero = splat(0);
        V even[2] = {OF(unpacklo_epi8)(red, blue), OF(unpackhi_epi8)(red, blue)};
        V odd[2] = {OF(unpacklo_epi8)(green, constant), OF(unpackhi_epi8)(green, constant)};
        for (int side = 0; side < 2; side++) {
            words.even[2 * side] = OF(unpacklo_epi8)(even[side], zero);
            words.even[2 * side + 1] = OF(unpackhi_epi8)(even[side], zero);
            words.odd[2 * side] = OF(unpacklo_epi8)(odd[side], zero);
            words.odd[2 * side + 1] = OF(unpackhi_epi8)(odd[side], zero);
        }
    } else {
        for (int part = 0; part < 4; part++) {
            V packed = packed_part(layout, pixels, x, part);
            words.even[part] = OF(shuffle_epi8)(packed, layout->even);
            words.odd[part] = BITS(or)(OF(shuffle_epi8)(packed, layout->odd), pair(0, rounding_unit));
        }
    }
    return words;
}

// The same as red, green, blue and 0 in 4 bytes.
static inline void take_pixels(const struct layout *layout, const uint8_t *const pixels[3], ptrdiff_t x, V parts[4]) {
    if (layout->is_planar) {
        V red = LOAD(pixels[layout->red] + x), green = LOAD(pixels[layout->green] + x), blue = LOAD(pixels[layout->blue] + x);
        V zero = splat(0);
        V low = OF(unpacklo_epi8)(red, green), low_rest = OF(unpacklo_epi8)(blue, zero);
        V high = OF(unpackhi_epi8)(red, green), high_rest = OF(unpackhi_epi8)(blue, zero);
        parts[0] = OF(unpacklo_epi16)(low, low_rest);
        parts[1] = OF(unpackhi_epi16)(low, low_rest);
        parts[2] = OF(unpacklo_epi16)(high, high_rest);
        parts[3] = OF(unpackhi_epi16)(high, high_rest);
        return;
    }
    for (int part = 0; part < 4; part++) parts[part] = OF(shuffle_epi8)(packed_part(layout, pixels, x, part), layout->bytes);
}

static inline struct words words_of(V pixels[4]) {
    struct words words;
    for (int part = 0; part < 4; part++) {
        words.even[part] = BITS(and)(pixels[part], splat(0x00ff00ff));
        words.odd[part] = OF(srli_epi16)(pixels[part], 8);
    }
    return words;
}

static inline V weighed(V even, V odd, const int16_t weights[4]) {
    return OF(add_epi32)(
        OF(madd_epi16)(even, pair(weights[0], weights[2])), OF(madd_epi16)(odd, pair(weights[1], weights[3])));
}

static inline V least(V a, V b) {
    V is_less = OF(cmpgt_epi32)(b, a);
    return BITS(or)(BITS(and)(is_less, a), BITS(andnot)(is_less, b));
}

static inline V luma_part(V even, V odd, const struct weights *weights, bool is_full_range) {
    V sum = weighed(even, odd, weights->luma);
    if (!is_full_range) return OF(srai_epi32)(sum, 15);
    V value = OF(slli_epi32)(OF(srai_epi32)(OF(add_epi32)(sum, splat((16 << 15) + (1 << 8))), 9), 1);
    value = OF(madd_epi16)(least(value, splat(30189)), splat(19077));
    // Halves are rounded at once: 64 of 7 bits are 1 << 20 of 21.
    return OF(srai_epi32)(OF(add_epi32)(value, splat((1 << 20) - 39057361)), 21);
}

static inline void give_luma(const struct words *words, const struct weights *weights, bool is_full_range, uint8_t *luma) {
    V parts[4];
    for (int part = 0; part < 4; part++)
        parts[part] = luma_part(words->even[part], words->odd[part], weights, is_full_range);
    V bytes = OF(packus_epi16)(OF(packs_epi32)(parts[0], parts[1]), OF(packs_epi32)(parts[2], parts[3]));
    STORE(luma, is_full_range ? bytes : OF(adds_epu8)(bytes, OF(set1_epi8)(16)));
}

// 8 words in each lane, of what came to 14 bits.
static inline V chroma_words(V low, V high, bool is_full_range) {
    V value = OF(packs_epi32)(low, high);
    value = OF(adds_epi16)(value, value);
    if (!is_full_range) return value;
    value = OF(min_epi16)(value, OF(set1_epi16)(30775));
    V zero = splat(0), scale = splat(4663), offset = splat(-9289992);
    V first = OF(madd_epi16)(OF(unpacklo_epi16)(value, zero), scale), second = OF(madd_epi16)(OF(unpackhi_epi16)(value, zero), scale);
    first = OF(srai_epi32)(OF(add_epi32)(first, offset), 12);
    second = OF(srai_epi32)(OF(add_epi32)(second, offset), 12);
    return OF(packs_epi32)(first, second);
}

// Of 8 pixels or pairs of them in each lane.
static inline V chroma_of(
    const V even[2], const V odd[2], const int16_t weights[4], int shift, bool is_full_range) {
    V low = OF(srai_epi32)(weighed(even[0], odd[0], weights), shift);
    V high = OF(srai_epi32)(weighed(even[1], odd[1], weights), shift);
    return chroma_words(low, high, is_full_range);
}

static inline void all_block(
    const struct words *words, const struct weights *weights, bool is_full_range, uint8_t *luma, int16_t *u, int16_t *v) {
    give_luma(words, weights, is_full_range, luma);
    // Eight words of each lane lie apart from the next eight of it.
    const int16_t *of_plane[2] = {weights->u, weights->v};
    int16_t *target[2] = {u, v};
    for (int plane = 0; plane < 2; plane++) {
        V low = chroma_of(words->even, words->odd, of_plane[plane], 9, is_full_range);
        V high = chroma_of(words->even + 2, words->odd + 2, of_plane[plane], 9, is_full_range);
        STORE_HALVES(target[plane], low, high);
    }
}

static inline V sum_of_two(V a, V b) { return OF(add_epi16)(FLOATS(a, b, 0x88), FLOATS(a, b, 0xdd)); }

static inline void half_block(
    const struct words *words, const struct weights *weights, bool is_full_range, uint8_t *luma, int16_t *u, int16_t *v) {
    give_luma(words, weights, is_full_range, luma);
    V even[2] = {sum_of_two(words->even[0], words->even[1]), sum_of_two(words->even[2], words->even[3])};
    V odd[2] = {sum_of_two(words->odd[0], words->odd[1]), sum_of_two(words->odd[2], words->odd[3])};
    STORE(u, chroma_of(even, odd, weights->u, 10, is_full_range));
    STORE(v, chroma_of(even, odd, weights->v, 10, is_full_range));
}

// The last pixels of a row, in memory that has more of it.
struct rest {
    uint8_t pixels[3][4 * block + 16];
    uint8_t luma[block];
    int16_t u[block], v[block];
};

static inline void copy_rest(
    struct rest *rest, const struct layout *layout, const uint8_t *const pixels[3], ptrdiff_t x, int count, const uint8_t *planes[3]) {
    for (int plane = 0; plane < 3; plane++) planes[plane] = rest->pixels[plane];
    if (layout->is_planar) {
        for (int plane = 0; plane < 3; plane++) memcpy(rest->pixels[plane], pixels[plane] + x, (size_t)count);
    } else {
        memcpy(rest->pixels[0], pixels[0] + x * layout->pixel_bytes, (size_t)(count * layout->pixel_bytes));
    }
}

static inline __attribute__((always_inline)) void row(
    const cpixels_source *source, const struct weights *given, bool is_full_range, bool is_half,
    const uint8_t *const pixels[3], int width, uint8_t *luma, int16_t *u, int16_t *v) {
    struct layout layout = layout_of(source);
    struct weights weights = *given;
    int end = width / block * block;
    for (ptrdiff_t x = 0; x < end; x += block) {
        struct words words = take(&layout, pixels, x);
        if (is_half) half_block(&words, &weights, is_full_range, luma + x, u + x / 2, v + x / 2);
        else all_block(&words, &weights, is_full_range, luma + x, u + x, v + x);
    }
    int count = width - end;
    if (count == 0) return;
    struct rest rest = {0};
    const uint8_t *planes[3];
    // With the pixel after the last where it is one of two.
    copy_rest(&rest, &layout, pixels, end, is_half ? (count + 1) & ~1 : count, planes);
    struct words words = take(&layout, planes, 0);
    if (is_half) half_block(&words, &weights, is_full_range, rest.luma, rest.u, rest.v);
    else all_block(&words, &weights, is_full_range, rest.luma, rest.u, rest.v);
    memcpy(luma + end, rest.luma, (size_t)count);
    int of_chroma = is_half ? (count + 1) / 2 : count, at = is_half ? end / 2 : end;
    memcpy(u + at, rest.u, (size_t)of_chroma * sizeof *u);
    memcpy(v + at, rest.v, (size_t)of_chroma * sizeof *v);
}

// Once for packed pixels and planes each, so that neither is asked for in the loop.
#define EACH_LAYOUT(is_half)                                                                                            \
    if (source->pixel_bytes == 1) {                                                                                     \
        cpixels_source planes = {1, source->red, source->green, source->blue};                                          \
        if (is_full_range) row(&planes, weights, true, is_half, pixels, width, luma, u, v);                             \
        else row(&planes, weights, false, is_half, pixels, width, luma, u, v);                                          \
    } else if (source->pixel_bytes == 3) {                                                                              \
        cpixels_source packed = {3, source->red, source->green, source->blue};                                          \
        if (is_full_range) row(&packed, weights, true, is_half, pixels, width, luma, u, v);                             \
        else row(&packed, weights, false, is_half, pixels, width, luma, u, v);                                          \
    } else {                                                                                                            \
        cpixels_source packed = {4, source->red, source->green, source->blue};                                          \
        if (is_full_range) row(&packed, weights, true, is_half, pixels, width, luma, u, v);                             \
        else row(&packed, weights, false, is_half, pixels, width, luma, u, v);                                          \
    }

static void all(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    EACH_LAYOUT(false)
}

static void half(
    const cpixels_source *source, const struct weights *weights, bool is_full_range, const uint8_t *const pixels[3],
    int width, uint8_t *luma, int16_t *u, int16_t *v) {
    EACH_LAYOUT(true)
}

static inline V unrounded_chroma(const V even[2], const V odd[2], const int16_t weights[4]) {
    V low = OF(srai_epi32)(weighed(even[0], odd[0], weights), 15);
    V high = OF(srai_epi32)(weighed(even[1], odd[1], weights), 15);
    return OF(add_epi16)(OF(packs_epi32)(low, high), OF(set1_epi16)(128));
}

// Chroma of each second pixel: 8 words in each lane.
static inline V first_chroma(const struct words *words, const int16_t weights[4]) {
    V even[2] = {FLOATS(words->even[0], words->even[1], 0x88), FLOATS(words->even[2], words->even[3], 0x88)};
    V odd[2] = {FLOATS(words->odd[0], words->odd[1], 0x88), FLOATS(words->odd[2], words->odd[3], 0x88)};
    return unrounded_chroma(even, odd, weights);
}

static inline void first_block(
    const struct words *words, const struct weights *weights, uint8_t *luma, uint8_t *u, uint8_t *v) {
    give_luma(words, weights, false, luma);
    if (!u) return;
    STORE_BYTES(u, v, OF(packus_epi16)(first_chroma(words, weights->u), first_chroma(words, weights->v)));
}

static void first(
    const cpixels_source *source, const struct weights *given, const uint8_t *const pixels[3], int width, uint8_t *luma,
    uint8_t *u, uint8_t *v) {
    struct layout layout = layout_of(source);
    struct weights weights = *given;
    int end = width / block * block;
    for (ptrdiff_t x = 0; x < end; x += block) {
        struct words words = take(&layout, pixels, x);
        first_block(&words, &weights, luma + x, u ? u + x / 2 : NULL, u ? v + x / 2 : NULL);
    }
    int count = width - end;
    if (count == 0) return;
    struct rest rest = {0};
    const uint8_t *planes[3];
    copy_rest(&rest, &layout, pixels, end, count, planes);
    struct words words = take(&layout, planes, 0);
    uint8_t *rest_u = (uint8_t *)rest.u, *rest_v = (uint8_t *)rest.v;
    first_block(&words, &weights, rest.luma, u ? rest_u : NULL, rest_v);
    memcpy(luma + end, rest.luma, (size_t)count);
    if (!u) return;
    memcpy(u + end / 2, rest_u, (size_t)count / 2);
    memcpy(v + end / 2, rest_v, (size_t)count / 2);
}

// Green and blue together, red apart from them: here the even words are blue and green, the odd ones red and 1.
static inline V weighed_apart(V even, V odd, const int16_t weights[4]) {
    V rest = OF(srai_epi32)(OF(madd_epi16)(even, pair(weights[2], weights[1])), 8);
    return OF(srai_epi32)(OF(add_epi32)(rest, OF(srai_epi32)(OF(madd_epi16)(odd, pair(weights[0], 0)), 8)), 7);
}

static inline V average_luma(V pixels[4], const int16_t weights[4]) {
    struct words words = words_of(pixels);
    V parts[4];
    for (int part = 0; part < 4; part++) parts[part] = weighed_apart(words.even[part], words.odd[part], weights);
    V bytes = OF(packus_epi16)(OF(packs_epi32)(parts[0], parts[1]), OF(packs_epi32)(parts[2], parts[3]));
    return OF(adds_epu8)(bytes, OF(set1_epi8)(16));
}

static inline V average_chroma(const V even[2], const V odd[2], const int16_t weights[4]) {
    return OF(packs_epi32)(weighed_apart(even[0], odd[0], weights), weighed_apart(even[1], odd[1], weights));
}

static inline void average_block(
    V upper[4], V lower[4], const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    STORE(luma[0], average_luma(upper, weights->luma));
    STORE(luma[1], average_luma(lower, weights->luma));
    V even[2], odd[2], means[4];
    for (int part = 0; part < 4; part++) means[part] = OF(avg_epu8)(upper[part], lower[part]);
    for (int side = 0; side < 2; side++) {
        V a = means[2 * side], b = means[2 * side + 1], both = OF(avg_epu8)(FLOATS(a, b, 0x88), FLOATS(a, b, 0xdd));
        even[side] = BITS(and)(both, splat(0x00ff00ff));
        odd[side] = OF(srli_epi16)(both, 8);
    }
    V bytes = OF(packs_epi16)(average_chroma(even, odd, weights->u), average_chroma(even, odd, weights->v));
    bytes = OF(add_epi8)(bytes, OF(set1_epi8)(-128));
    STORE_BYTES(u, v, bytes);
}

static inline void mean_block(
    V upper[4], V lower[4], const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    struct words above = words_of(upper), below = words_of(lower);
    give_luma(&above, weights, false, luma[0]);
    give_luma(&below, weights, false, luma[1]);
    V even[2], odd[2];
    for (int side = 0; side < 2; side++) {
        int part = 2 * side;
        V even_a = OF(add_epi16)(above.even[part], below.even[part]), even_b = OF(add_epi16)(above.even[part + 1], below.even[part + 1]);
        V odd_a = OF(add_epi16)(above.odd[part], below.odd[part]), odd_b = OF(add_epi16)(above.odd[part + 1], below.odd[part + 1]);
        even[side] = OF(srli_epi16)(sum_of_two(even_a, even_b), 2);
        odd[side] = OF(srli_epi16)(sum_of_two(odd_a, odd_b), 2);
    }
    STORE_BYTES(u, v, OF(packus_epi16)(unrounded_chroma(even, odd, weights->u), unrounded_chroma(even, odd, weights->v)));
}

typedef void of_two_rows(
    V upper[4], V lower[4], const struct weights *weights, uint8_t *const luma[2], uint8_t *u, uint8_t *v);

static inline __attribute__((always_inline)) void two_rows(
    of_two_rows *do_block, const cpixels_source *source, const struct weights *given, const uint8_t *const upper[3],
    const uint8_t *const lower[3], int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    struct layout layout = layout_of(source);
    struct weights weights = *given;
    int end = width / block * block;
    V above[4], below[4];
    for (ptrdiff_t x = 0; x < end; x += block) {
        take_pixels(&layout, upper, x, above);
        take_pixels(&layout, lower, x, below);
        uint8_t *const both[2] = {luma[0] + x, luma[1] + x};
        do_block(above, below, &weights, both, u + x / 2, v + x / 2);
    }
    int count = width - end;
    if (count == 0) return;
    struct rest rest = {0}, rest_below = {0};
    const uint8_t *planes[3];
    copy_rest(&rest, &layout, upper, end, count, planes);
    take_pixels(&layout, planes, 0, above);
    copy_rest(&rest_below, &layout, lower, end, count, planes);
    take_pixels(&layout, planes, 0, below);
    uint8_t *const both[2] = {rest.luma, rest_below.luma};
    do_block(above, below, &weights, both, (uint8_t *)rest.u, (uint8_t *)rest.v);
    for (int row = 0; row < 2; row++) memcpy(luma[row] + end, both[row], (size_t)count);
    memcpy(u + end / 2, rest.u, (size_t)count / 2);
    memcpy(v + end / 2, rest.v, (size_t)count / 2);
}

static void average(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3], const uint8_t *const lower[3],
    int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    // Blue, red and green: in that order what is summed together lies together.
    cpixels_source turned = {source->pixel_bytes, source->blue, source->red, source->green};
    two_rows(average_block, &turned, weights, upper, lower, width, luma, u, v);
}

static void mean(
    const cpixels_source *source, const struct weights *weights, const uint8_t *const upper[3], const uint8_t *const lower[3],
    int width, uint8_t *const luma[2], uint8_t *u, uint8_t *v) {
    two_rows(mean_block, source, weights, upper, lower, width, luma, u, v);
}

static inline V gray_block(V pixels) {
    // In 14 bits: what is added for the range and for rounding is 16 and a rest that fits 16 bits.
    V weights = pair(14071, 8250), zero = splat(0), ones = OF(set1_epi16)(1), words[2], parts[4];
    words[0] = OF(unpacklo_epi8)(pixels, zero);
    words[1] = OF(unpackhi_epi8)(pixels, zero);
    for (int part = 0; part < 4; part++) {
        V with_one = part % 2 == 0 ? OF(unpacklo_epi16)(words[part / 2], ones) : OF(unpackhi_epi16)(words[part / 2], ones);
        parts[part] = OF(srai_epi32)(OF(madd_epi16)(with_one, weights), 14);
    }
    V bytes = OF(packus_epi16)(OF(packs_epi32)(parts[0], parts[1]), OF(packs_epi32)(parts[2], parts[3]));
    return OF(add_epi8)(bytes, OF(set1_epi8)(16));
}

static void gray(const uint8_t *pixels, int width, uint8_t *luma) {
    int end = width / block * block;
    for (int x = 0; x < end; x += block) STORE(luma + x, gray_block(LOAD(pixels + x)));
    uint8_t rest[block] = {0};
    memcpy(rest, pixels + end, (size_t)(width - end));
    STORE(rest, gray_block(LOAD(rest)));
    memcpy(luma + end, rest, (size_t)(width - end));
}

// What is summed lies in rows of ours, which are longer than the picture's; what comes out may not.
#define EACH_BLOCK(value)                                                  \
    int end = count / block * block;                                       \
    for (ptrdiff_t x = 0; x < end; x += block) STORE(bytes + x, value);    \
    if (end == count) return;                                              \
    uint8_t rest[block];                                                   \
    ptrdiff_t x = end;                                                     \
    STORE(rest, value);                                                    \
    memcpy(bytes + end, rest, (size_t)(count - end));

static inline V rounded_block(const int16_t *row) {
    V half = OF(set1_epi16)(64);
    V first = OF(srai_epi16)(OF(adds_epi16)(LOAD(row), half), 7);
    V second = OF(srai_epi16)(OF(adds_epi16)(LOAD(row + block / 2), half), 7);
    return ORDERED(OF(packus_epi16)(first, second));
}

static void rounded(const int16_t *row, int count, uint8_t *bytes) { EACH_BLOCK(rounded_block(row + x)) }

static inline V sum_block(const int16_t *const *rows, const int16_t *taps, int tap_count, ptrdiff_t x) {
    V start = splat(64 << 12), parts[4] = {start, start, start, start};
    for (int tap = 0; tap < tap_count; tap += 2) {
        // Two rows at once; the last may be alone.
        bool has_two = tap + 1 < tap_count;
        V weights = pair(taps[tap], has_two ? taps[tap + 1] : 0);
        for (int side = 0; side < 2; side++) {
            ptrdiff_t at = x + side * (block / 2);
            V first = LOAD(rows[tap] + at), second = LOAD(rows[has_two ? tap + 1 : tap] + at);
            V low = OF(unpacklo_epi16)(first, second), high = OF(unpackhi_epi16)(first, second);
            parts[2 * side] = OF(add_epi32)(parts[2 * side], OF(madd_epi16)(low, weights));
            parts[2 * side + 1] = OF(add_epi32)(parts[2 * side + 1], OF(madd_epi16)(high, weights));
        }
    }
    for (int part = 0; part < 4; part++) parts[part] = OF(srai_epi32)(parts[part], 19);
    return ORDERED(OF(packus_epi16)(OF(packs_epi32)(parts[0], parts[1]), OF(packs_epi32)(parts[2], parts[3])));
}

static void sum(const int16_t *const *rows, const int16_t *taps, int tap_count, int count, uint8_t *bytes) {
    EACH_BLOCK(sum_block(rows, taps, tap_count, x))
}

static inline __attribute__((always_inline)) V sum_high_block(
    const int16_t *const *rows, const V *weights, int tap_count, V start, ptrdiff_t x) {
    V parts[2] = {start, start};
    for (int tap = 0; tap < tap_count; tap++) {
        const int16_t *row = rows[tap] + x;
        for (int side = 0; side < 2; side++)
            parts[side] = OF(add_epi16)(parts[side], OF(mulhi_epi16)(LOAD(row + side * (block / 2)), weights[tap]));
    }
    return ORDERED(OF(packus_epi16)(OF(srai_epi16)(parts[0], 3), OF(srai_epi16)(parts[1], 3)));
}

static void sum_high_any(
    const int16_t *const *rows, const V *weights, int tap_count, V start, int count, uint8_t *bytes) {
    EACH_BLOCK(sum_high_block(rows, weights, tap_count, start, x))
}

static void sum_high_8(const int16_t *const *rows, const V *weights, V start, int count, uint8_t *bytes) {
    EACH_BLOCK(sum_high_block(rows, weights, 8, start, x))
}

static void sum_high(
    const int16_t *const *rows, const int16_t *taps, int tap_count, int start, int count, uint8_t *bytes) {
    V weights[16];
    for (int tap = 0; tap < tap_count; tap++) weights[tap] = OF(set1_epi16)(taps[tap]);
    // As many as an even height has.
    if (tap_count == 8) sum_high_8(rows, weights, OF(set1_epi16)((int16_t)start), count, bytes);
    else sum_high_any(rows, weights, tap_count, OF(set1_epi16)((int16_t)start), count, bytes);
}

static void interleave(const uint8_t *u, const uint8_t *v, int count, uint8_t *bytes) {
    int end = count / 16 * 16;
    for (ptrdiff_t x = 0; x < end; x += 16) {
        __m128i us = _mm_loadu_si128((const __m128i *)(u + x)), vs = _mm_loadu_si128((const __m128i *)(v + x));
        _mm_storeu_si128((__m128i *)(bytes + 2 * x), _mm_unpacklo_epi8(us, vs));
        _mm_storeu_si128((__m128i *)(bytes + 2 * x + 16), _mm_unpackhi_epi8(us, vs));
    }
    for (ptrdiff_t x = end; x < count; x++) {
        bytes[2 * x] = u[x];
        bytes[2 * x + 1] = v[x];
    }
}

const struct row_functions NAME = {all, half, first, average, mean, gray, rounded, sum, sum_high, interleave};
