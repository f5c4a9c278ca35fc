#!/usr/bin/env python3
"""Runs a program on a system that lacks some system calls.

Usage: deny-calls.py ERRNO CALL[,CALL...] PROGRAM [ARGUMENT...]
ERRNO is a name such as ENOSYS: what the calls fail with.
"""
import ctypes
import errno
import os
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000

# Not in every libseccomp; the same on every architecture.
NUMBERS = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}

error, calls, *command = sys.argv[1:]
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ALLOW)))
for name in calls.split(","):
    number = NUMBERS.get(name) or seccomp.seccomp_syscall_resolve_name(name.encode())
    action = ctypes.c_uint32(ERRNO | getattr(errno, error))
    if seccomp.seccomp_rule_add_array(rules, action, number, 0, None):
        sys.exit(f"deny-calls.py: {name} can't be denied")
if seccomp.seccomp_load(rules):
    sys.exit("deny-calls.py: the filter can't be loaded")
os.execvp(command[0], command)
