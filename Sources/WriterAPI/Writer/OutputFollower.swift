import HTTPServer
import SystemIO

/// Reads a file that is being written, from its start, until the one that writes it is done, on a thread
/// of its own.
struct OutputFollower {
    let file: OpenFile
    /// Bytes that may still change are not read: the writer goes back in the file.
    let growth: OutputGrowth

    private static let pieceBytes = 64 * 1_024

    struct Cut: Error {}

    /// Sends what there is and what comes. Throws `Cut` when the writing ended badly.
    func follow(_ send: (UnsafeRawBufferPointer) throws(Exchange.Failure) -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 16)
        defer { buffer.deallocate() }
        var position: UInt64 = 0
        var seen = 0
        while true {
            // Asked before the read: bytes written in between are found by the next round.
            let (version, end) = growth.next(after: seen)
            seen = version
            while true {
                let count = file.read(into: buffer, at: position)
                if count == 0 { break }
                try send(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                position += UInt64(count)
            }
            switch end {
            case .complete: return
            case .failed: throw Cut()
            case nil: continue
            }
        }
    }
}

/// Tells followers that an output was opened, has grown or has ended.
final class OutputGrowth: FileGrowth {
    private struct State {
        var version = 1
        var end: FileEnd?
        /// Of followers without a thread.
        var wakes = WakeList()
    }

    private let state = Monitor(State())

    func grew() { change { _ in } }

    func ended(_ end: FileEnd) { change { $0.end = $0.end ?? end } }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.change { state in
            state.version += 1
            body(&state)
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    var current: (version: Int, end: FileEnd?) { state.withLock { ($0.version, $0.end) } }

    func whenChanged(since version: Int, _ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { state in state.version > version ? nil : state.wakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.withLock { $0.wakes.remove(number) } }
    }

    /// Waits for anything that was not known at `version`.
    func next(after version: Int) -> (version: Int, end: FileEnd?) {
        state.wait { $0.version > version ? ($0.version, $0.end) : nil } ?? (version, .failed)
    }
}
