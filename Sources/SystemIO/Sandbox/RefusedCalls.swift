import CLinux
import CSeccomp
import Glibc

/// The calls that neither an encoder nor the process that forks it has a use for: each would reach another process, the system, or past Landlock.
enum RefusedCalls {
    static let names =
        programs + otherProcesses + mounts + kernel + keysAndTracing + namespaces + clocks + scheduling + fileAttributes

    private static let programs = ["execve", "execveat", "uselib"]
    /// `tgkill` stays: abort(3) is made of it, and Landlock keeps it inside.
    private static let otherProcesses = [
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp",
        "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "migrate_pages",
        "move_pages", "setpgid", "setsid",
    ]
    private static let mounts = [
        "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
        "move_mount", "open_tree", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd",
        "name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark",
    ]
    private static let kernel = [
        "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot",
        "acct", "syslog", "sysfs", "_sysctl", "nfsservctl", "lookup_dcookie", "vhangup", "iopl", "ioperm",
        "modify_ldt", "vm86", "vm86old", "personality", "io_uring_setup", "io_uring_enter", "io_uring_register",
        "sethostname", "setdomainname",
    ]
    private static let keysAndTracing = [
        "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd",
    ]
    private static let namespaces = ["unshare", "setns"]
    private static let clocks = ["settimeofday", "stime", "clock_settime", "clock_adjtime", "adjtimex"]
    /// A thread with real-time priority starves the machine; SVT-AV1 takes it where it is root and may.
    private static let scheduling = [
        "sched_setscheduler", "sched_setparam", "sched_setattr", "setpriority", "ioprio_set",
    ]
    /// Landlock has no rules for these, and another writer's files belong to the same user. Its ABI 1
    /// and 2 have none for truncating either.
    private static let fileAttributes = [
        "truncate", "truncate64", "chmod", "fchmodat", "chown", "lchown", "fchownat", "chown32", "lchown32", "utime",
        "utimes", "futimesat", "utimensat", "utimensat_time64", "setxattr", "lsetxattr", "removexattr",
        "lremovexattr", "mknod", "mknodat",
    ]
    /// Since Linux 5.1 a new call has the same number on every architecture.
    static let newerThanLibseccomp: [(name: String, number: Int32)] = [
        ("fchmodat2", 452), ("setxattrat", 463), ("removexattrat", 466), ("open_tree_attr", 467),
        ("file_setattr", 469),
    ]
}

extension SystemCallFilterBuilder {
    /// Threads, and no processes. `clone3` hides its flags behind a pointer: glibc goes back to `clone`.
    func refuseProcesses() throws(SystemError) {
        try refuse("fork")
        try refuse("vfork")
        try refuse("clone3", with: ENOSYS)
        try refuse("clone", when: [.bits(0, Flags.thread, are: 0)])
        for flag in Flags.namespaces { try refuse("clone", when: [.bits(0, flag, are: flag)]) }
    }

    func refuseDetours() throws(SystemError) {
        // Bytes typed into a terminal that the server was started from.
        for request in Flags.terminalInput { try refuse("ioctl", when: [.bits(1, 0xFFFF_FFFF, are: request)]) }
        // The limits of other processes.
        try refuse("prlimit64", when: [.argument(0, SCMP_CMP_NE, 0)])
        // Connects a socket that is not connected (any more), and Landlock's rule for connecting is not asked.
        for (call, flags) in [("sendto", UInt32(3)), ("sendmsg", 2), ("sendmmsg", 3)] {
            try refuse(call, when: [.bits(flags, Flags.fastOpen, are: Flags.fastOpen)])
        }
    }

    func allowSockets(_ kinds: SandboxRules.SocketKinds) throws(SystemError) {
        if kinds.isEmpty {
            // Connect: a client's connection could be undone and made to another place.
            for call in ["socket", "connect", "bind", "listen", "accept", "accept4"] { try refuse(call, with: EACCES) }
            return
        }
        var families: [UInt64: [UInt64]] = [:]
        if kinds.contains(.local) { families[Flags.unix] = [Flags.stream, Flags.datagram, Flags.packets] }
        var types: [UInt64] = []
        if kinds.contains(.tcp) { types.append(Flags.stream) }
        if kinds.contains(.datagrams) { types.append(Flags.datagram) }
        if !types.isEmpty { for family in Flags.internet { families[family] = types } }
        let largest = families.keys.max()!
        try refuse("socket", with: EACCES, when: [.argument(0, SCMP_CMP_GT, largest)])
        for family in 0...largest where families[family] == nil {
            try refuse("socket", with: EACCES, when: [.argument(0, SCMP_CMP_EQ, family)])
        }
        for (family, types) in families {
            for type in 0...0xF where !types.contains(UInt64(type)) {
                try refuse(
                    "socket", with: EACCES,
                    when: [.argument(0, SCMP_CMP_EQ, family), .bits(1, 0xF, are: UInt64(type))])
            }
        }
        // Multipath TCP and SCTP are streams for which Landlock's rules on TCP do not hold.
        for family in Flags.internet where families[family]?.contains(Flags.stream) == true {
            try refuse(
                "socket", with: EACCES,
                when: [
                    .argument(0, SCMP_CMP_EQ, family), .bits(1, 0xF, are: Flags.stream),
                    .argument(2, SCMP_CMP_GT, Flags.tcpProtocol),
                ])
        }
    }
}

/// Of <sched.h>, <sys/socket.h> and <asm/ioctls.h>.
private enum Flags {
    static let thread: UInt64 = 0x0001_0000
    /// Mounts, cgroups, host name, IPC, users, processes, network.
    static let namespaces: [UInt64] = [
        0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]
    /// TIOCSTI, TIOCLINUX.
    static let terminalInput: [UInt64] = [0x5412, 0x541C]
    static let fastOpen: UInt64 = 0x2000_0000
    static let unix = UInt64(AF_UNIX)
    static let internet = [UInt64(AF_INET), UInt64(AF_INET6)]
    static let stream: UInt64 = 1
    static let datagram: UInt64 = 2
    static let packets: UInt64 = 5
    static let tcpProtocol: UInt64 = 6
}
