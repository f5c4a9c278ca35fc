import HTTPServer
import SystemIO

/// Reads a file that is being written, from its start, until whoever writes it is done.
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
            case .good: return
            case .bad: throw Cut()
            case nil: continue
            }
        }
    }
}

/// Tells followers that an output has grown or ended.
final class OutputGrowth: Sendable {
    enum End: Sendable { case good, bad }

    private struct State {
        var version = 1
        var end: End?
    }

    private let state = Monitor(State())

    func grew() { state.change { $0.version += 1 } }

    func ended(_ end: End) {
        state.change { state in
            state.version += 1
            state.end = end
        }
    }

    /// Waits for anything that was not known at `version`.
    func next(after version: Int) -> (version: Int, end: End?) {
        state.wait { $0.version > version ? ($0.version, $0.end) : nil } ?? (version, .bad)
    }

    /// Waits for the end.
    func awaitEnd() -> End { state.wait { $0.end } ?? .bad }
}
