#include "matrix.h"

static const int64_t unit = 1 << 16;
static const int64_t weight_unit = 1 << 15;
// 255 / 219 of the unit.
static const int64_t luma_scale = (int64_t)(1 << 16) * 255 / 219;

static int64_t divided(int64_t value, int64_t by) { return (value >= 0 ? value + (by >> 1) : value - (by >> 1)) / by; }

// BT.601, of which the weights are those of the standard in three digits and not what follows from the other way.
static const int32_t bt601[4] = {104597, 132201, 25675, 53279};

static int64_t of_luma(double weight) { return (int64_t)(weight * 219 / 255 * (double)weight_unit + 0.5); }
static int64_t of_chroma(double weight) { return (int64_t)(weight * 224 / 255 * (double)weight_unit + 0.5); }

static bool stored(const int64_t values[3], int16_t weights[4]) {
    for (int place = 0; place < 3; place++) {
        if (values[place] < INT16_MIN || values[place] > INT16_MAX) return false;
        weights[place] = (int16_t)values[place];
    }
    weights[3] = 0;
    return true;
}

bool weights_of(const int32_t matrix[4], struct weights *weights) {
    bool is_bt601 = true;
    for (int place = 0; place < 4; place++) is_bt601 = is_bt601 && matrix[place] == bt601[place];
    if (is_bt601) {
        int64_t luma[3] = {of_luma(0.299), of_luma(0.587), of_luma(0.114)};
        int64_t u[3] = {-of_chroma(0.169), -of_chroma(0.331), of_chroma(0.500)};
        int64_t v[3] = {of_chroma(0.500), -of_chroma(0.419), -of_chroma(0.081)};
        return stored(luma, weights->luma) && stored(u, weights->u) && stored(v, weights->v);
    }
    // How much of V is in red and of U in blue, and what of each is taken from green.
    int64_t red_v = matrix[0], blue_u = matrix[1];
    if (red_v <= 0 || blue_u <= 0) return false;
    int64_t blue = divided(-unit * unit * matrix[2], blue_u), red = divided(-unit * unit * matrix[3], red_v);
    int64_t whole = unit * unit - blue - red;
    int64_t y = divided(luma_scale * whole, unit), u = divided(blue_u * whole, unit), v = divided(red_v * whole, unit);
    if (y <= 0 || u <= 0 || v <= 0) return false;
    int64_t of_y[3] = {
        -divided(weight_unit * red, y), divided(weight_unit * unit * unit, y), -divided(weight_unit * blue, y)};
    int64_t of_u[3] = {
        divided(weight_unit * red, u), -divided(weight_unit * unit * unit, u), divided(weight_unit * (whole + blue), u)};
    int64_t of_v[3] = {
        divided(weight_unit * (red + whole), v), -divided(weight_unit * unit * unit, v), divided(weight_unit * blue, v)};
    return stored(of_y, weights->luma) && stored(of_u, weights->u) && stored(of_v, weights->v);
}
