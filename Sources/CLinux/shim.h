// Kernel interfaces that Swift's Glibc module does not import: variadics, macros and
// calls that glibc has no wrapper for. Nothing here keeps state.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <malloc.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Declared by glibc only under _GNU_SOURCE, which would give its structs other members
// than the ones Swift's Glibc module has.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern const char *sigabbrev_np(int);

static inline int clinux_accept_plainly(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, 0);
}

// The user of the process that connected a local socket's other end; -1 where the socket is another kind.
struct clinux_credentials {
    int pid;
    unsigned int uid, gid;
};

static inline int64_t clinux_peer_user(int fd) {
    struct clinux_credentials peer;
    socklen_t size = sizeof peer;
    int family = 0;
    socklen_t family_size = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_size) < 0 || family != AF_UNIX) return -1;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? -1 : (int64_t)peer.uid;
}

static inline int clinux_accept(int fd) { return accept4(fd, 0, 0, SOCK_CLOEXEC); }

static inline const char *clinux_signal_abbreviation(int signal) { return sigabbrev_np(signal); }

// O_PATH and AT_EMPTY_PATH, which glibc hides without _GNU_SOURCE.
enum { clinux_path_only = 010000000, clinux_empty_path = 0x1000 };

// POLLRDHUP, likewise.
enum { clinux_poll_peer_end = 0x2000 };

enum { clinux_stream_socket = SOCK_STREAM, clinux_message_socket = SOCK_SEQPACKET };

static inline int clinux_socket_pair(int type, int fds[2]) {
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds);
}

static inline int clinux_listening_socket(int family, int type) {
    return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static inline int clinux_stream_socket_of(int family) {
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static inline ssize_t clinux_receive_available(int fd, void *buffer, size_t capacity) {
    return recv(fd, buffer, capacity, MSG_DONTWAIT);
}

static inline ssize_t clinux_receive(int fd, void *buffer, size_t capacity) { return recv(fd, buffer, capacity, 0); }

// How many bytes of a TCP connection have been received, as the kernel counts them. -1: it is none of TCP's.
static inline int64_t clinux_tcp_bytes_received(int fd) {
    // glibc's tcp_info ends before it (linux/tcp.h).
    enum { place = 128, bytes = 136 };
    _Alignas(8) char info[bytes];
    socklen_t size = sizeof info;
    uint64_t received;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) != 0 || size < sizeof info) return -1;
    memcpy(&received, info + place, sizeof received);
    return (int64_t)received;
}

static inline int clinux_bytes_unread(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 ? count : -1;
}

static inline ssize_t clinux_send(int fd, const void *bytes, size_t count, int more) {
    return send(fd, bytes, count, (more ? MSG_MORE : 0) | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

enum {
    /* Bytes to read, or the peer's end. */
    clinux_epoll_readable = EPOLLIN | EPOLLRDHUP,
    clinux_epoll_writable = EPOLLOUT,
    /* The peer's end alone: EPOLLHUP and EPOLLERR are always told of. */
    clinux_epoll_hang_up = EPOLLRDHUP,
};

static inline int clinux_epoll_add(int poller, int fd, int events, uint64_t token) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = (uint32_t)events;
    event.data.u64 = token;
    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

// Memory of a fixed size without a name, for two processes: neither can shrink it under the other.
static inline int clinux_make_shared_memory(const char *name, size_t bytes) {
    // F_ADD_SEALS and its flags have names under _GNU_SOURCE only: no seal more, no shrinking, no growing.
    enum { add_seals = 1033, seals = 0x0001 | 0x0002 | 0x0004 };
    int fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, add_seals, seals) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static inline void *clinux_map_shared(int fd, size_t bytes) {
    void *start = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return start == MAP_FAILED ? 0 : start;
}

static inline uint32_t clinux_load_shared(const uint32_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
static inline void clinux_store_shared(uint32_t *value, uint32_t to) { __atomic_store_n(value, to, __ATOMIC_RELEASE); }
static inline uint64_t clinux_load_shared_word(const uint64_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
static inline void clinux_store_shared_word(uint64_t *value, uint64_t to) { __atomic_store_n(value, to, __ATOMIC_RELEASE); }

static inline int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

extern char **environ;
static inline char **clinux_environment(void) { return environ; }

// Zeros where earlier calls left what they worked with, below the caller's frame. Not inlined: its own
// frame is what lies there.
static inline __attribute__((noinline)) void clinux_wipe_stack(void) {
    char stack[16 * 1024];
    memset(stack, 0, sizeof stack);
    __asm__ volatile("" : : "r"(stack) : "memory");
}

static inline int clinux_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}

static inline int clinux_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }

static inline int clinux_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

// openat2(2), which has no glibc wrapper. Resolution never leaves `dirfd`: no absolute path, no ".." that
// leads out, and no symbolic link at all.
static inline int clinux_open_beneath(int dirfd, const char *path, uint64_t flags, uint64_t mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    // EAGAIN: something was renamed meanwhile, and the kernel can't tell that the path stayed beneath.
    int fd;
    int tries = 0;
    do fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 64)));
    return fd;
}

// statx(2) of an open file, also one that was opened with O_PATH. `birth` is in nanoseconds since 1970, and 0 where
// the file system keeps no such time or a container's filter knows no statx. The layout is <linux/stat.h>'s,
// which does not go together with glibc's.
struct clinux_file_status { uint64_t node, device; int64_t birth; };

static inline int clinux_file_status_of(int fd, struct clinux_file_status *status) {
    struct {
        uint32_t mask, blksize;
        uint64_t attributes;
        uint32_t nlink, uid, gid;
        uint16_t mode, pad;
        uint64_t ino, size, blocks, attributes_mask;
        struct { int64_t sec; uint32_t nsec; int32_t pad; } atime, btime, ctime, mtime;
        uint64_t rest[24];
    } answer;
    memset(&answer, 0, sizeof answer);
    struct stat plain;
    if (fstat(fd, &plain) < 0) return -1;
    status->node = plain.st_ino;
    status->device = plain.st_dev;
    status->birth = 0;
    // AT_EMPTY_PATH; STATX_INO | STATX_BTIME.
    if (syscall(SYS_statx, fd, "", 0x1000, 0x100u | 0x800u, &answer) == 0 && (answer.mask & 0x800u))
        status->birth = (int64_t)((uint64_t)answer.btime.sec * 1000000000u + answer.btime.nsec);
    return 0;
}

// renameat2(2) that replaces nothing. Where the file system can't say that in one step, in two.
static inline int clinux_rename_to_new(int from_fd, const char *from, int to_fd, const char *to) {
    if (syscall(SYS_renameat2, from_fd, from, to_fd, to, 1 /* RENAME_NOREPLACE */) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    // Where the file system knows no such flag (NFS): a second name of the file is made only where there is none.
    if (linkat(from_fd, from, to_fd, to, 0) == 0) return unlinkat(from_fd, from, 0);
    if (errno == EEXIST) return -1;
    struct stat status;
    if (fstatat(to_fd, to, &status, AT_SYMLINK_NOFOLLOW) == 0) { errno = EEXIST; return -1; }
    return renameat(from_fd, from, to_fd, to);
}

// openat(2) of the current folder.
static inline int clinux_open_plainly(const char *path, int flags, mode_t mode) {
    return openat(AT_FDCWD, path, flags, mode);
}

#define CLINUX_MAX_PASSED_DESCRIPTORS 4

// One message with up to CLINUX_MAX_PASSED_DESCRIPTORS descriptors (SCM_RIGHTS). Never waits.
static inline ssize_t clinux_send_message(int fd, const struct iovec *parts, size_t part_count,
                                          const int *fds, size_t fd_count) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_PASSED_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = (struct iovec *)parts;
    message.msg_iovlen = part_count;
    if (fd_count > CLINUX_MAX_PASSED_DESCRIPTORS) { errno = EINVAL; return -1; }
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Receives one message. Descriptors arrive close-on-exec; `*truncated` is set when the
// message did not fit the buffer.
static inline ssize_t clinux_receive_message(int fd, void *buffer, size_t capacity, int *fds,
                                             size_t *fd_count, int *truncated, int waiting) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_PASSED_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct iovec part = {buffer, capacity};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    *fd_count = 0;
    *truncated = 0;
    ssize_t count = recvmsg(fd, &message, (waiting ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < received; i++) {
            int passed;
            memcpy(&passed, CMSG_DATA(header) + i * sizeof(int), sizeof passed);
            if (*fd_count < CLINUX_MAX_PASSED_DESCRIPTORS) fds[(*fd_count)++] = passed;
            else close(passed);
        }
    }
    *truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return count;
}

// recvmsg with MSG_DONTWAIT: readv(2) that never waits, whatever the socket's own mode.
static inline ssize_t clinux_receive_into(int fd, struct iovec *parts, size_t part_count) {
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = parts;
    message.msg_iovlen = part_count;
    return recvmsg(fd, &message, MSG_DONTWAIT);
}

static inline ssize_t clinux_send_from(int fd, const struct iovec *parts, size_t part_count, int more) {
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = (struct iovec *)parts;
    message.msg_iovlen = part_count;
    return sendmsg(fd, &message, (more ? MSG_MORE : 0) | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static inline int clinux_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static inline void clinux_set_process_name(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

static inline int clinux_wait_exited(int status) { return WIFEXITED(status); }
static inline int clinux_wait_exit_code(int status) { return WEXITSTATUS(status); }
static inline int clinux_wait_signaled(int status) { return WIFSIGNALED(status); }
static inline int clinux_wait_signal(int status) { return WTERMSIG(status); }

static inline int clinux_signalfd(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, 0) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// A signal that does nothing but end the system call its thread waits in, with EINTR.
static inline int clinux_interrupting_signal(void) { return SIGRTMIN + 8; }

static inline void clinux_do_nothing(int signal) { (void)signal; }

static inline int clinux_install_interruption(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = clinux_do_nothing;
    return sigaction(clinux_interrupting_signal(), &action, 0);
}

static inline void clinux_unblock_interruption(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, clinux_interrupting_signal());
    pthread_sigmask(SIG_UNBLOCK, &set, 0);
}

static inline void clinux_unblock_all_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, 0);
}

static inline uint64_t clinux_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void clinux_trim_heap(void) { malloc_trim(0); }
