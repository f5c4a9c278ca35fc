// Runs of spans for one large block each. The last that were freed are kept, wiped: a buffer that comes
// with each request would else be mapped each time.
#pragma once
#include "arena.h"

struct span *large_take(size_t bytes, size_t alignment);
void large_give_back(struct span *span);

void large_lock(void);
void large_unlock(void);
