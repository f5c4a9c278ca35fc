// libseccomp's macros and variadics as functions.
#pragma once
#include <seccomp.h>

static inline uint32_t cseccomp_errno(uint16_t number) { return SCMP_ACT_ERRNO(number); }

// A call made by another architecture's number: what the filter says of it would mean another call.
static inline int cseccomp_refuse_foreign_calls(scmp_filter_ctx filter) {
    return seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
}

// A search tree instead of one comparison after the other.
static inline int cseccomp_optimize(scmp_filter_ctx filter) {
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

static inline scmp_filter_ctx cseccomp_allowing_filter(void) { return seccomp_init(SCMP_ACT_ALLOW); }
