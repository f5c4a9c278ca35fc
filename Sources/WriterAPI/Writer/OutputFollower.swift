import HTTPServer
import SystemIO

/// Reads a file that is being written, from its start, until the one that writes it is done, on a thread
/// of its own.
package struct OutputFollower {
    let file: OpenFile
    /// Bytes that may still change are not read: the writer goes back in the file.
    let growth: OutputNotifier

    package init(file: OpenFile, growth: OutputNotifier) {
        self.file = file
        self.growth = growth
    }

    private static let pieceBytes = 64 * 1_024

    package struct Cut: Error {}

    /// Sends what there is and what comes. Throws `Cut` when the writing ended badly.
    package func follow(_ send: (UnsafeRawBufferPointer) throws(Exchange.Failure) -> Void) throws {
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
