// What confines a process: Landlock, seccomp, capabilities. Landlock's names are ours, because the
// kernel's headers on Debian 12 end with ABI 2; numbers and layouts are <linux/landlock.h>'s.
#pragma once
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The same numbers on every architecture.
enum { clinux_sys_close_range = 436, clinux_sys_landlock_create_ruleset = 444,
       clinux_sys_landlock_add_rule = 445, clinux_sys_landlock_restrict_self = 446 };

static inline int clinux_close_range(unsigned first, unsigned last) {
    return (int)syscall(clinux_sys_close_range, first, last, 0u);
}

// Landlock.

static const uint64_t clinux_landlock_execute = 1u << 0;
static const uint64_t clinux_landlock_write_file = 1u << 1;
static const uint64_t clinux_landlock_read_file = 1u << 2;
static const uint64_t clinux_landlock_read_dir = 1u << 3;
static const uint64_t clinux_landlock_remove_dir = 1u << 4;
static const uint64_t clinux_landlock_remove_file = 1u << 5;
static const uint64_t clinux_landlock_make_dir = 1u << 7;
static const uint64_t clinux_landlock_make_reg = 1u << 8;
// Everything of ABI 1, with making devices, sockets, pipes and links.
static const uint64_t clinux_landlock_abi1 = (1u << 13) - 1;
static const uint64_t clinux_landlock_refer = 1u << 13;      // ABI 2
static const uint64_t clinux_landlock_truncate = 1u << 14;   // ABI 3
static const uint64_t clinux_landlock_ioctl_dev = 1u << 15;  // ABI 5
static const uint64_t clinux_landlock_bind_tcp = 1u << 0;    // ABI 4
static const uint64_t clinux_landlock_connect_tcp = 1u << 1; // ABI 4
static const uint64_t clinux_landlock_scope_abstract_unix = 1u << 0; // ABI 6
static const uint64_t clinux_landlock_scope_signal = 1u << 1;        // ABI 6

// The ABI's number; -1 with ENOSYS or EOPNOTSUPP where there is none.
static inline int clinux_landlock_abi(void) {
    return (int)syscall(clinux_sys_landlock_create_ruleset, 0, 0, 1u);
}

// A member that `abi` does not know is left off.
static inline int clinux_landlock_create(int abi, uint64_t files, uint64_t net, uint64_t scoped) {
    struct { uint64_t files, net, scoped; } attributes = {files, net, scoped};
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    return (int)syscall(clinux_sys_landlock_create_ruleset, &attributes, size, 0u);
}

static inline int clinux_landlock_add_path(int ruleset, uint64_t access, int fd) {
    struct { uint64_t access; int32_t fd; } __attribute__((packed)) rule = {access, fd};
    return (int)syscall(clinux_sys_landlock_add_rule, ruleset, 1, &rule, 0u);
}

static inline int clinux_landlock_add_port(int ruleset, uint64_t access, uint64_t port) {
    struct { uint64_t access, port; } rule = {access, port};
    return (int)syscall(clinux_sys_landlock_add_rule, ruleset, 2, &rule, 0u);
}

static inline int clinux_landlock_restrict(int ruleset) {
    return (int)syscall(clinux_sys_landlock_restrict_self, ruleset, 0u);
}

// What every thread but the caller is to do, in memory that outlives a thread that is late.
typedef struct {
    int ruleset;
    int done;
    int failure; // errno of one that failed
} clinux_restriction;

static inline int clinux_load(int *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }

// Waits while it is `before`, for a millisecond at most.
static inline void clinux_await_change(int *value, int before) {
    struct timespec patience = {0, 1000000};
    syscall(SYS_futex, value, 128 | 0 /* FUTEX_WAIT, private */, before, &patience, 0, 0);
}

static inline void clinux_restrict_in_handler(int signal, siginfo_t *information, void *context) {
    (void)signal;
    (void)context;
    if (information->si_code != SI_QUEUE || information->si_pid != getpid()) return;
    int before = errno;
    clinux_restriction *restriction = (clinux_restriction *)information->si_value.sival_ptr;
    if (clinux_landlock_restrict(restriction->ruleset) < 0)
        __atomic_store_n(&restriction->failure, errno, __ATOMIC_RELEASE);
    __atomic_add_fetch(&restriction->done, 1, __ATOMIC_ACQ_REL);
    // The waiting thread may have freed it by now: the kernel wants the address only.
    syscall(SYS_futex, &restriction->done, 128 | 1 /* FUTEX_WAKE, private */, 1, 0, 0, 0);
    errno = before;
}

static inline int clinux_restriction_signal(void) { return SIGRTMIN + 7; }

static inline int clinux_install_restriction_handler(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = clinux_restrict_in_handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    return sigaction(clinux_restriction_signal(), &action, 0);
}

static inline int clinux_ask_thread_to_restrict(pid_t thread, clinux_restriction *restriction) {
    siginfo_t information;
    memset(&information, 0, sizeof information);
    information.si_code = SI_QUEUE;
    information.si_pid = getpid();
    information.si_uid = getuid();
    information.si_value.sival_ptr = restriction;
    return (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, clinux_restriction_signal(), &information);
}

static inline pid_t clinux_thread(void) { return (pid_t)syscall(SYS_gettid); }

// seccomp.

static inline int clinux_seccomp_can_refuse(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action);
}

// Of all threads, or of none: then the answer is not 0.
static inline int clinux_seccomp_load(const void *program, size_t bytes) {
    struct sock_fprog filter = {(unsigned short)(bytes / sizeof(struct sock_filter)),
                                (struct sock_filter *)program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
}

// Privileges.

static inline int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

// Of the calling thread, for good. The bounding set only falls for who may change it: without
// that capability no-new-privs holds it back all the same. Who has none need not be allowed to ask.
static inline int clinux_drop_capabilities(void) {
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;) capability++;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    int has = syscall(SYS_capget, &header, none) < 0;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        has |= none[i].effective != 0 || none[i].permitted != 0 || none[i].inheritable != 0;
    if (!has) return 0;
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &header, none);
}

// Declared by glibc only under _GNU_SOURCE.
extern int setresuid(uid_t, uid_t, uid_t);
extern int setresgid(gid_t, gid_t, gid_t);

// Never above what the process has; up to `reserve` more can be had later.
static inline int clinux_limit(int resource, uint64_t value, uint64_t reserve) {
    struct rlimit limit = {value, value + reserve};
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max < limit.rlim_max) {
        limit.rlim_max = now.rlim_max;
        if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    }
    return setrlimit(resource, &limit);
}
