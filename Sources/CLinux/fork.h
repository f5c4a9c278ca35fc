// fork(2): Swift refuses to import it because most programs can't use it safely. Ours calls it only from a process
// with one thread.
#pragma once
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dl_phdr_info;
// The same, which <link.h> has for _GNU_SOURCE alone, as far as it is looked at.
struct clinux_loaded {
    ElfW(Addr) address;
    const char *name;
    const ElfW(Phdr) *headers;
    ElfW(Half) header_count;
    unsigned long long loads, unloads;
    size_t tls_module;
    void *tls;
};
extern int dl_iterate_phdr(int (*)(struct dl_phdr_info *, size_t, void *), void *);

// Zeros, in what a thread has of the program's and Swift's own variables, each that holds that id.
static inline int clinux_forget_thread_id(struct dl_phdr_info *info, size_t size, void *id) {
    const struct clinux_loaded *loaded = (const struct clinux_loaded *)(const void *)info;
    if (size < sizeof *loaded || loaded->tls == 0) return 0;
    if (loaded->name[0] != 0 && strstr(loaded->name, "libswift") == 0) return 0;
    for (unsigned index = 0; index < loaded->header_count; index++) {
        const ElfW(Phdr) *header = &loaded->headers[index];
        if (header->p_type != PT_TLS) continue;
        uint32_t *words = (uint32_t *)(((uintptr_t)loaded->tls + 3) & ~(uintptr_t)3);
        for (size_t word = 0; word < header->p_memsz / sizeof *words; word++) {
            if (words[word] == *(const uint32_t *)id) words[word] = 0;
        }
    }
    return 0;
}

// In the child Swift's Mutex would go on with the id that it has kept of the parent's thread: the kernel does not know
// that as the owner of a lock, and a second thread that wants one which the first holds ends the process. It asks anew
// where it has kept none.
static inline pid_t clinux_fork(void) {
    uint32_t id = (uint32_t)syscall(SYS_gettid);
    pid_t child = fork();
    if (child == 0) dl_iterate_phdr(clinux_forget_thread_id, &id);
    return child;
}
