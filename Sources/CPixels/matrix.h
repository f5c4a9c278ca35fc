#pragma once
#include "rows.h"

// What red, green and blue are multiplied with, in 15 bits and limited range. False where 16 bits don't hold them.
bool weights_of(const int32_t matrix[4], struct weights *weights);
