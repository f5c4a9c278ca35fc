// Halving chroma from above to below: bicubic, each row of it the sum of a few of the picture's.
#pragma once
#include <stdint.h>

enum { most_taps = 10 };

// Of one row: the first of the picture's, and what each is multiplied with; 1 << 12 is the whole.
struct row_taps {
    int32_t first;
    int16_t taps[most_taps];
};

// Of each of the (height + 1) / 2 rows. Returns how many taps they have, of which the last may be 0.
int find_taps(int height, struct row_taps *rows);
