// System calls by name, which Swift can't make: syscall(2) is variadic.
#pragma once
#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

// 0, or errno.
static inline int raw_call(const char *name, long a, long b, long c, long d) {
    errno = 0;
    return syscall(seccomp_syscall_resolve_name(name), a, b, c, d, 0, 0) < 0 ? errno : 0;
}
