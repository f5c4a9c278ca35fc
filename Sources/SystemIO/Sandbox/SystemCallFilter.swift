import CLinux
import CSeccomp
import Glibc

/// A seccomp program: system calls the process can no longer make. It is built by libseccomp, which
/// takes longer than loading it: build it before forking.
struct SystemCallFilter: Sendable {
    private let program: [UInt8]

    /// Of all threads, for good. Wants no-new-privs.
    func load() throws(SystemError) {
        let answer = program.withUnsafeBytes { clinux_seccomp_load($0.baseAddress, $0.count) }
        if answer < 0 { throw SystemError("put the system call filter in force") }
        if answer > 0 { throw SystemError("put the system call filter in force in thread \(answer)", number: EBUSY) }
    }

    /// What neither an encoder needs nor the process that forks it, answered with EPERM.
    static let forking = Result { () throws(SystemError) in
        try SystemCallFilter { builder throws(SystemError) in
            for name in RefusedCalls.names { try builder.refuse(name) }
            for (name, number) in RefusedCalls.newerThanLibseccomp { try builder.refuse(name, else: number) }
            try builder.refuseDetours()
        }
    }

    /// Besides: no processes, and no sockets but of these kinds.
    static func confined(to kinds: SandboxRules.SocketKinds) throws(SystemError) -> SystemCallFilter {
        guard let filter = confined[kinds] else { throw SystemError("filter sockets", number: EINVAL) }
        return try filter.get()
    }

    /// For every combination of kinds.
    static let confined: [SandboxRules.SocketKinds: Result<SystemCallFilter, SystemError>] = {
        let all = (0..<8).map { SandboxRules.SocketKinds(rawValue: $0) }
        return Dictionary(uniqueKeysWithValues: all.map { kinds in
            (kinds, Result { () throws(SystemError) in
                try SystemCallFilter { builder throws(SystemError) in
                    try builder.refuseProcesses()
                    try builder.allowSockets(kinds)
                }
            })
        })
    }()

    private init(_ fill: (SystemCallFilterBuilder) throws(SystemError) -> Void) throws(SystemError) {
        let builder = try SystemCallFilterBuilder()
        try fill(builder)
        program = try builder.program()
    }
}

/// Refusals being collected.
final class SystemCallFilterBuilder {
    private let context: scmp_filter_ctx

    init() throws(SystemError) {
        guard let context = cseccomp_allowing_filter() else { throw SystemError("make a system call filter", number: ENOMEM) }
        self.context = context
        try check(cseccomp_refuse_foreign_calls(context))
        try check(cseccomp_optimize(context))
    }

    deinit { seccomp_release(context) }

    /// Refuses calls of which all `conditions` hold. A name that this architecture lacks is no call.
    func refuse(
        _ name: String, with error: Int32 = EPERM, else newer: Int32? = nil, when conditions: [scmp_arg_cmp] = []
    ) throws(SystemError) {
        let known = seccomp_syscall_resolve_name(name)
        let number = known >= 0 ? known : newer ?? known
        if number < 0 { return }
        try check(
            seccomp_rule_add_array(
                context, cseccomp_errno(UInt16(error)), number, UInt32(conditions.count), conditions))
    }

    func program() throws(SystemError) -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) < 0 { throw SystemError("export a system call filter") }
        let output = Descriptor(owning: ends[0])
        let input = Descriptor(owning: ends[1])
        // A pipe has room for 64 KiB, and the kernel takes programs of at most 32.
        try check(seccomp_export_bpf(context, input.number))
        _ = consume input
        var bytes = [UInt8](repeating: 0, count: 64 * 1_024)
        let count = try retryingOnInterrupt("read a system call filter") { read(output.number, &bytes, bytes.count) }
        return Array(bytes[..<count])
    }

    private func check(_ answer: Int32) throws(SystemError) {
        if answer < 0 { throw SystemError("build a system call filter", number: -answer) }
    }
}

extension scmp_arg_cmp {
    /// Of the argument's bits in `mask`. Without a mask the whole register counts, of which the kernel
    /// may use the lower half only.
    static func bits(_ argument: UInt32, _ mask: UInt64, are value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
    }

    static func argument(_ argument: UInt32, _ comparison: scmp_compare, _ value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: comparison, datum_a: value, datum_b: 0)
    }
}
