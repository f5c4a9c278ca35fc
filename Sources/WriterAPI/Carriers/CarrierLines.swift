import APICore
import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// Gives a writer the processes that write its outputs: a line to each. Any thread.
package struct CarrierLines: Sendable {
    private let request: @Sendable (UInt32, String?, borrowing Descriptor) -> Bool
    private let numbers = Numbers()
    /// How long a destination may take nothing; nil: as long as it likes.
    private let stallTime: Duration?
    /// How long an upload may be tried again, during which it takes nothing.
    private let uploadRetryTime: Duration

    private final class Numbers: Sendable {
        private let last = Atomic<UInt32>(0)

        func next() -> UInt32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    /// `request` asks for a carrier that gets a copy of the descriptor and the keys of the store of that name; false where
    /// none can be had.
    package init(
        stallTime: Duration?, uploadRetryTime: Duration = .zero, _ request: @escaping @Sendable (UInt32, String?, borrowing Descriptor) -> Bool
    ) {
        self.stallTime = stallTime
        self.uploadRetryTime = uploadRetryTime
        self.request = request
    }

    func stallTime(uploading: Bool) -> Duration? { stallTime.map { uploading ? $0 + uploadRetryTime : $0 } }

    /// That there is no carrier at its other end shows when it is used. `store`: the one that is written to.
    func next(_ stallTime: Duration?, to store: String? = nil) throws(SystemError) -> any ByteLine {
        let (ours, theirs) = try DescriptorPair.streamSockets().split()
        let line = SocketLine(owning: Descriptor(owning: ours), patience: stallTime)
        let end = Descriptor(owning: theirs)
        guard request(numbers.next(), store, end) else { throw SystemError("start a process for the output", number: SystemError.tryAgain) }
        return line
    }
}
