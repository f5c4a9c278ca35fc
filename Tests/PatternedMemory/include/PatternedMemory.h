// The C library's allocator for a program that wants to see who reads what was never written: every
// block is filled before it is handed out, and lies between guards that are filled as well. Two runs
// with different fillings differ where somebody read one of them.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What blocks handed out from now on hold. With `tails` some bytes behind them hold it too, as many as the
// heap has there that the encoders' libraries are given; beyond those the guard is filled with `guard`.
void patterned_memory_fill(uint8_t block, int tails, uint8_t guard);

// How many blocks have been written past their ends, seen when they were freed.
uint64_t patterned_memory_overruns(void);

// Fills the stack below the caller.
void patterned_stack_fill(uint8_t pattern);
