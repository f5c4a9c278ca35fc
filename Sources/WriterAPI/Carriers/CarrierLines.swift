import APICore
import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// Gives a writer the processes that write its outputs: a line to each. Any thread.
package struct CarrierLines: Sendable {
    private let request: @Sendable (UInt32, String?, borrowing Descriptor) -> Bool
    private let numbers = Numbers()
    private let allowance: Allowance
    private let limits: ServiceLimits

    private final class Numbers: Sendable {
        private let last = Atomic<UInt32>(0)

        func next() -> UInt32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    private final class Allowance: Sendable {
        let left: Mutex<CarrierAllowance>

        init(mostOutputs: Int) { left = Mutex(CarrierAllowance(mostOutputs: mostOutputs)) }
    }

    /// What a carrier is for.
    enum Purpose {
        /// An output that the writer is made with, or that is opened again.
        case ownOutput
        /// One that a client adds, and can add later as well.
        case addedOutput
    }

    /// `request` asks for a carrier that gets a copy of the descriptor and the keys of the store of that name; false where
    /// none can be had.
    package init(_ limits: ServiceLimits, _ request: @escaping @Sendable (UInt32, String?, borrowing Descriptor) -> Bool) {
        self.limits = limits
        allowance = Allowance(mostOutputs: limits.maxOutputs)
        self.request = request
    }

    /// What a carrier writes to, as far as it matters how long that may take nothing.
    enum Kind {
        case live, upload, files
    }

    /// nil: as long as it likes.
    func stall(of kind: Kind) -> StallBound? {
        let isLive = kind == .live
        let seconds = isLive ? limits.outputStallTimeout : limits.callTimeout
        guard seconds > 0 else { return nil }
        // While an upload is tried again it takes nothing.
        return StallBound(
            seconds: seconds + (kind == .upload ? limits.uploadRetryTime : 0), setting: isLive ? "--output-stall-timeout" : "--call-timeout")
    }

    /// That there is no carrier at its other end shows when it is used. `store`: the one that is written to.
    func next(_ stall: StallBound?, to store: String? = nil, for purpose: Purpose = .ownOutput) throws(SystemError) -> any ByteLine {
        let isAllowed = allowance.left.withLock { purpose == .addedOutput ? $0.takeBesideReopening() : $0.take() }
        guard isAllowed else { throw SystemError("start a process for the output: it had too many in a short time", number: SystemError.tryAgain) }
        let (ours, theirs) = try DescriptorPair.streamSockets().split()
        let line = SocketLine(owning: Descriptor(owning: ours), patience: stall.map { .seconds($0.seconds) })
        let end = Descriptor(owning: theirs)
        guard request(numbers.next(), store, end) else { throw SystemError("start a process for the output", number: SystemError.tryAgain) }
        return line
    }
}
